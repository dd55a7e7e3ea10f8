// index_scan.h - the few rows that pushed-down filters leave, through an index instead of every
// page: `WHERE o.id = 7` inside a join, and the keys that DuckDB's join hands to its other side (an
// index nested-loop join, chosen when the first side is known).
//
// The rows are a superset of what passes the filters: the scan applies them all.
//
// Thread safety  OpenIndexScan: the statement's. Scan: as engine::Relation::Scan.
// Errors         57014; what reading an index answers.
#pragma once

#include <memory>

#include "engine/relation.h"

namespace omendb::duck {

// By the bounds of the options. Null when no index narrows the table down to a small part of its
// rows.
Result<std::unique_ptr<engine::Relation::Scan>> OpenIndexScan(
    const std::shared_ptr<engine::Relation>& relation, engine::StatementContext& context,
    const engine::Relation::ScanOptions& options);

}  // namespace omendb::duck
