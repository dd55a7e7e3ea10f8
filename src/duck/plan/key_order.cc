#include "duck/plan/key_order.h"

#include <algorithm>

#include "colstore/block_filter.h"
#include "duck/catalog/table_entry.h"
#include "duck/scan/table_scan.h"
#include "duck/session_state.h"
#include "duckdb/planner/binder.hpp"
#include "duckdb/planner/expression/bound_columnref_expression.hpp"
#include "duckdb/planner/expression/bound_function_expression.hpp"
#include "duckdb/planner/operator/logical_get.hpp"
#include "duckdb/planner/operator/logical_order.hpp"
#include "duckdb/planner/operator/logical_projection.hpp"

namespace omendb::duck {
namespace {

using duckdb::LogicalOperatorType;
using engine::Relation;

// Whether DuckDB's order of a column is that of the key.
bool HasOrderOfKey(const types::SqlType& type) {
  if (type.is_array) return false;
  return colstore::HasIntCells(type) || type.kind == types::TypeKind::kText ||
         type.kind == types::TypeKind::kVarchar || type.kind == types::TypeKind::kUuid;
}

// The scan that the rows come from, below projections and conditions.
duckdb::optional_ptr<duckdb::LogicalGet> ScanBelow(duckdb::LogicalOperator& plan) {
  switch (plan.type) {
    case LogicalOperatorType::LOGICAL_PROJECTION:
    case LogicalOperatorType::LOGICAL_FILTER:
      return ScanBelow(*plan.children.front());
    case LogicalOperatorType::LOGICAL_GET: {
      auto& get = plan.Cast<duckdb::LogicalGet>();
      const bool ours = get.function.name == TableScanFunction().name;
      return ours ? duckdb::optional_ptr<duckdb::LogicalGet>(get) : nullptr;
    }
    default:
      return nullptr;
  }
}

// DuckDB makes values narrower before it sorts them, and wide again after, by functions of its own.
bool IsPacking(const duckdb::Expression& expression, const std::string& what) {
  return expression.GetExpressionClass() == duckdb::ExpressionClass::BOUND_FUNCTION &&
         duckdb::StringUtil::StartsWith(
             expression.Cast<duckdb::BoundFunctionExpression>().function.name,
             "__internal_" + what + "_");
}

// The column of the scan that the expression is, if it is one and nothing else.
std::optional<ColumnId> ColumnOf(const duckdb::Expression& expression,
                                 const duckdb::LogicalOperator& from) {
  if (from.type == LogicalOperatorType::LOGICAL_FILTER) {
    return ColumnOf(expression, *from.children.front());
  }
  if (IsPacking(expression, "compress")) {
    return ColumnOf(*expression.Cast<duckdb::BoundFunctionExpression>().children.front(), from);
  }
  if (expression.GetExpressionClass() != duckdb::ExpressionClass::BOUND_COLUMN_REF) return {};
  const auto& binding = expression.Cast<duckdb::BoundColumnRefExpression>().binding;
  if (from.type == LogicalOperatorType::LOGICAL_PROJECTION) {
    const auto& projection = from.Cast<duckdb::LogicalProjection>();
    if (binding.table_index != projection.table_index) return {};
    return ColumnOf(*projection.expressions[binding.column_index], *from.children.front());
  }
  const auto& get = from.Cast<duckdb::LogicalGet>();
  const auto& ids = get.GetColumnIds();
  if (binding.table_index != get.table_index || binding.column_index >= ids.size()) return {};
  const auto& columns = get.bind_data->Cast<TableScanData>().table.column_ids();
  const duckdb::idx_t id = ids[binding.column_index].GetPrimaryIndex();
  return id < columns.size() ? std::optional(columns[id]) : std::nullopt;
}

// The columns of the key that the rows are ordered by; none when the order is another one.
std::vector<ColumnId> ColumnsOfOrder(const duckdb::LogicalOrder& order,
                                     const catalog::TableDef& table) {
  std::vector<ColumnId> columns;
  const catalog::IndexDef* const primary = table.primary_key();
  if (primary == nullptr) return {};
  const std::vector<catalog::IndexKey>& keys = primary->keys;
  for (const duckdb::BoundOrderByNode& node : order.orders) {
    if (columns.size() == keys.size()) break;
    const catalog::IndexKey& key = keys[columns.size()];
    const auto column = ColumnOf(*node.expression, *order.children.front());
    const bool matches = column == key.column && !key.descending &&
                         node.type == order.orders.front().type &&
                         HasOrderOfKey(table.column(key.column).type);
    if (!matches) return {};
    columns.push_back(key.column);
  }
  return columns;
}

// Where nothing is sorted it is for nothing.
void TakeWithoutPacking(duckdb::unique_ptr<duckdb::Expression>& expression) {
  const bool unpacks = IsPacking(*expression, "decompress");
  if (!unpacks && !IsPacking(*expression, "compress")) return;
  auto& function = expression->Cast<duckdb::BoundFunctionExpression>();
  duckdb::unique_ptr<duckdb::Expression> packed = std::move(function.children.front());
  if (unpacks) packed->return_type = function.return_type;
  packed->SetAlias(function.GetAlias());
  expression = std::move(packed);
}

void TakeWithoutPacking(duckdb::LogicalOperator& plan) {
  if (plan.type != LogicalOperatorType::LOGICAL_PROJECTION) return;
  for (auto& expression : plan.expressions) TakeWithoutPacking(expression);
}

// What an order that is the whole plan gives of its rows.
duckdb::unique_ptr<duckdb::LogicalOperator> ProjectionOf(duckdb::Binder& binder,
                                                         duckdb::LogicalOrder& order) {
  order.ResolveOperatorTypes();
  const auto bindings = order.GetColumnBindings();
  duckdb::vector<duckdb::unique_ptr<duckdb::Expression>> columns;
  for (size_t i = 0; i < bindings.size(); ++i) {
    columns.push_back(
        duckdb::make_uniq<duckdb::BoundColumnRefExpression>(order.types[i], bindings[i]));
  }
  auto projection =
      duckdb::make_uniq<duckdb::LogicalProjection>(binder.GenerateTableIndex(), std::move(columns));
  projection->children.push_back(std::move(order.children.front()));
  return projection;
}

// Whether the scan below can give the rows in the order; then it does from now on.
bool SetOrder(duckdb::ClientContext& context, const duckdb::LogicalOrder& order) {
  const auto scan = ScanBelow(*order.children.front());
  if (!scan) return false;
  auto& data = scan->bind_data->Cast<TableScanData>();
  const auto relation = SessionState::Get(context).database->OpenRelation(data.table.definition());
  std::vector<ColumnId> columns = ColumnsOfOrder(order, relation->table());
  // What segments there are is looked at for such an order alone.
  if (columns.empty() || !relation->ScansByKeyCheaply()) return false;
  data.order = order.orders.front().type == duckdb::OrderType::DESCENDING
                   ? Relation::KeyOrder::kDescending
                   : Relation::KeyOrder::kAscending;
  data.order_columns = std::move(columns);
  return true;
}

// `above`: what takes the rows of `plan`; null: the session does.
void ScanInKeyOrder(duckdb::ClientContext& context, duckdb::Binder& binder,
                    duckdb::optional_ptr<duckdb::LogicalOperator> above,
                    duckdb::unique_ptr<duckdb::LogicalOperator>& plan) {
  switch (plan->type) {
    case LogicalOperatorType::LOGICAL_PROJECTION:
    case LogicalOperatorType::LOGICAL_LIMIT:
      return ScanInKeyOrder(context, binder, plan.get(), plan->children.front());
    case LogicalOperatorType::LOGICAL_ORDER_BY:
      break;
    default:
      return;
  }
  auto& order = plan->Cast<duckdb::LogicalOrder>();
  if (!SetOrder(context, order)) return;
  if (above) TakeWithoutPacking(*above);
  TakeWithoutPacking(*order.children.front());
  const bool gives_fewer = !above && order.HasProjectionMap();
  plan = gives_fewer ? ProjectionOf(binder, order) : std::move(order.children.front());
}

}  // namespace

void ScanInKeyOrder(duckdb::ClientContext& context, duckdb::Binder& binder,
                    duckdb::unique_ptr<duckdb::LogicalOperator>& plan) {
  ScanInKeyOrder(context, binder, {}, plan);
}

}  // namespace omendb::duck
