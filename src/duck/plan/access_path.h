// access_path.h - picks the index by which a row plan finds its rows.
//
// Thread safety  Pure functions.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "catalog/definitions.h"
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
  const catalog::TableDef* table = nullptr;
  engine::Relation* relation = nullptr;
  const std::vector<ColumnId>* columns = nullptr;  // what Op::kColumn indexes into
  const exec::Expression* filter = nullptr;        // may be null
  std::vector<OrderColumn> order;
  bool has_limit = false;
  // Rows must come through some index even when none is selective (row locks).
  bool force = false;
};

// nullopt with a reason in `refusal` when no index finds few rows, or none gives the order.
std::optional<exec::IndexAccess> ChooseAccess(const AccessRequest& request, std::string& refusal);

}  // namespace omendb::duck
