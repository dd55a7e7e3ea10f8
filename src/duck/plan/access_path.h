// access_path.h - picks the index by which a row plan finds its rows.
//
// Thread safety  Pure functions.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "catalog/definitions.h"
#include "duck/plan/plan_columns.h"
#include "engine/relation.h"
#include "exec/row_plan.h"

namespace omendb::duck {

// One wanted order of the result, most significant first.
struct OrderColumn {
  ColumnId column;
  bool descending = false;
  bool nulls_first = false;
};

struct AccessRequest {
  AccessRequest(const PlanColumns& plan_columns, const catalog::TableDef& table_def,
                engine::Relation& table_relation)
      : columns(plan_columns), table(table_def), relation(table_relation) {}

  const PlanColumns& columns;
  const catalog::TableDef& table;
  engine::Relation& relation;
  size_t number = 0;     // of the table among the plan's
  TableMask joined = 0;  // tables whose rows are known when this one's are looked for
  std::vector<const exec::Expression*> conditions;  // all of which must hold
  std::vector<OrderColumn> order;
  bool has_limit = false;
  // Rows must come through some index even when none is selective (row locks).
  bool force = false;
};

struct AccessPath {
  exec::IndexAccess access;
  uint64_t rows = 0;    // estimated
  bool ordered = true;  // by request.order
};

// More rows than this are DuckDB's business.
inline constexpr uint64_t kPathRowsMax = 5000;

// nullopt with a reason in `refusal` when no index finds few rows. A path that does not give the
// order is only answered where the rows are few enough to be sorted, and never with `force`.
std::optional<AccessPath> ChooseAccess(const AccessRequest& request, std::string& refusal);

}  // namespace omendb::duck
