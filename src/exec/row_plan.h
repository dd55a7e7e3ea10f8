// row_plan.h - a statement that touches few rows through an index, ready to run without DuckDB.
//
// Built by duck (from DuckDB's bound plan), cached by sql, run by RowExecutor. Immutable.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "catalog/definitions.h"
#include "exec/expression.h"
#include "types/chunk.h"

namespace omendb::exec {

enum class PlanKind : uint8_t { kSelect, kInsert, kUpdate, kDelete };

// Rows by index: equality on a prefix of the key columns, then at most one range. Expressions hold
// constants and parameters only, already cast to the key column's type.
struct IndexAccess {
  Oid index;
  std::vector<Expression> equal;
  // IN on the last equality column (or the only one): looked up as a batch. Empty otherwise.
  std::vector<Expression> in_list;
  std::optional<Expression> lower;
  std::optional<Expression> upper;
  bool lower_inclusive = true;
  bool upper_inclusive = true;
  bool backward = false;
  bool unique_point = false;  // Full key of a unique index: at most one row.
};

enum class OnConflict : uint8_t { kError, kDoNothing, kDoUpdate };

struct Assignment {
  ColumnId column;
  Expression value;
};

struct RowPlan {
  PlanKind kind = PlanKind::kSelect;
  std::shared_ptr<const catalog::TableDef> table;
  uint64_t catalog_version = 0;
  std::vector<types::SqlType> param_types;

  // Columns the plan reads; Op::kColumn indexes into this list.
  std::vector<ColumnId> columns;

  // kSelect, kUpdate, kDelete. Without an access the statement has no table (SELECT 1).
  std::optional<IndexAccess> access;
  std::optional<Expression> filter;  // everything of WHERE, so that a row can be re-checked
  std::optional<Expression> limit;
  std::optional<Expression> offset;
  std::optional<txn::RowLockMode> lock;  // SELECT ... FOR UPDATE
  txn::LockWait lock_wait = txn::LockWait::kWait;

  // kInsert: each row has one expression for every column of the table, in order.
  std::vector<std::vector<Expression>> insert_rows;
  OnConflict on_conflict = OnConflict::kError;
  std::vector<Oid> conflict_arbiters;
  std::optional<Expression> conflict_filter;  // DO UPDATE ... WHERE

  std::vector<Assignment> assignments;  // kUpdate, ON CONFLICT DO UPDATE
  std::vector<Assignment> generated;    // GENERATED ... STORED, over the new row by ColumnId - 1
  // CHECK constraints, over `check_columns` read as Op::kColumn of the new row by ColumnId - 1.
  struct Check {
    std::string name;
    Expression condition;
  };
  std::vector<Check> checks;

  // kSelect: the select list. Others: RETURNING (empty without). Over the new row for INSERT and
  // UPDATE (Op::kColumn by position in `columns`), the old one for DELETE.
  std::vector<Expression> output;
  std::vector<types::ResultColumn> output_columns;
};

}  // namespace omendb::exec
