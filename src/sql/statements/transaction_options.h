// transaction_options.h - ISOLATION LEVEL, READ ONLY, DEFERRABLE as BEGIN and SET TRANSACTION list
// them.
#pragma once

#include "sql/parse/ast.h"
#include "txn/transaction.h"

namespace omendb::sql {

Status ApplyTransactionModes(size_t count, Node** modes, txn::TransactionOptions& options);

}  // namespace omendb::sql
