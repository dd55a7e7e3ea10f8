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

// One table of a join: its rows are found by an index for each row joined so far. A joined row has
// one slot for every column that the plan reads, whichever table it is of.
struct JoinStep {
  bool left = false;  // LEFT JOIN: a row without a match goes on with NULLs.
  std::shared_ptr<const catalog::TableDef> table;
  std::vector<ColumnId> columns;
  std::vector<uint32_t> slots;       // where each of `columns` goes in the joined row
  IndexAccess access;                // may read the slots of earlier steps
  std::optional<Expression> match;   // decides whether a row is a match
  std::optional<Expression> filter;  // WHERE, what can be said now; sees a left step's NULLs
};

enum class AggregateKind : uint8_t { kCountAll, kCount, kSum, kAverage, kMin, kMax };

struct Aggregate {
  AggregateKind kind = AggregateKind::kCountAll;
  types::SqlType type;               // of the result
  std::optional<Expression> value;   // none for kCountAll
  std::optional<Expression> filter;  // FILTER (WHERE ...)
};

// GROUP BY: after it, a row is the groups' values and then the aggregates'.
struct Aggregation {
  std::vector<Expression> groups;
  std::vector<Aggregate> aggregates;
  std::optional<Expression> having;
};

struct SortKey {
  Expression value;
  bool descending = false;
  bool nulls_first = false;
};

struct RowPlan {
  PlanKind kind = PlanKind::kSelect;
  std::shared_ptr<const catalog::TableDef> table;
  uint64_t catalog_version = 0;
  std::vector<types::SqlType> param_types;

  // Columns the plan reads; Op::kColumn indexes into this list. Of one table: see `joins`.
  std::vector<ColumnId> columns;

  // kSelect of several tables: all of them, in the order they are joined in. `table`, `columns`,
  // `access` and `filter` are then not used; Op::kColumn is a slot of the joined row.
  std::vector<JoinStep> joins;
  uint32_t slots_count = 0;

  // kSelect, kUpdate, kDelete. Without an access the statement has no table (SELECT 1).
  std::optional<IndexAccess> access;
  // Everything of WHERE, so that a row can be checked again; but in a SELECT that locks nothing
  // without what the access decides.
  std::optional<Expression> filter;
  std::optional<Aggregation> aggregation;
  std::vector<SortKey> order;  // empty where the rows come in order
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
