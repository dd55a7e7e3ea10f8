#include "duck/dml/conflict_clause.h"

#include <set>

#include "base/sqlstate.h"
#include "duck/catalog/table_entry.h"
#include "duck/errors.h"
#include "duckdb/parser/expression/columnref_expression.hpp"
#include "duckdb/parser/expression/constant_expression.hpp"
#include "duckdb/parser/parsed_expression_iterator.hpp"
#include "duckdb/planner/binder.hpp"
#include "duckdb/planner/expression/bound_cast_expression.hpp"
#include "duckdb/planner/expression/bound_columnref_expression.hpp"
#include "duckdb/planner/expression/bound_reference_expression.hpp"
#include "duckdb/planner/expression_binder/update_binder.hpp"
#include "duckdb/planner/expression_binder/where_binder.hpp"
#include "duckdb/planner/expression_iterator.hpp"
#include "duckdb/planner/operator/logical_insert.hpp"

namespace omendb::duck {

namespace {

constexpr duckdb::idx_t kExistingTable = 1000001;
constexpr duckdb::idx_t kExcludedTable = 1000002;

duckdb::LogicalInsert& FindInsert(duckdb::LogicalOperator& plan) {
  if (plan.type == duckdb::LogicalOperatorType::LOGICAL_INSERT) {
    return plan.Cast<duckdb::LogicalInsert>();
  }
  if (plan.children.empty()) {
    ThrowStatus(Status(sqlstate::kInternalError, "INSERT has no insert node"));
  }
  return FindInsert(*plan.children[0]);
}

std::vector<Oid> FindArbiters(const OmenTableEntry& table, const duckdb::OnConflictInfo& info) {
  if (info.indexed_columns.empty()) return {};
  std::set<int16_t> wanted;
  for (const std::string& name : info.indexed_columns) {
    const catalog::ColumnDef* column = table.definition()->FindColumn(name);
    if (column == nullptr) {
      ThrowStatus(Status(sqlstate::kUndefinedColumn, "column \"" + name + "\" does not exist"));
    }
    wanted.insert(column->id.value());
  }
  std::vector<Oid> found;
  for (const catalog::IndexDef& index : table.definition()->indexes) {
    if (!index.unique) continue;
    std::set<int16_t> keys;
    for (const catalog::IndexKey& key : index.keys) keys.insert(key.column.value());
    if (keys == wanted) found.push_back(index.oid);
  }
  if (found.empty()) {
    ThrowStatus(Status(sqlstate::kInvalidColumnReference,
                       "there is no unique or exclusion constraint matching the ON CONFLICT "
                       "specification"));
  }
  return found;
}

// An unqualified column means the existing row's: "excluded" has the same names.
void QualifyColumns(duckdb::unique_ptr<duckdb::ParsedExpression>& expr, const std::string& table) {
  if (expr->GetExpressionClass() == duckdb::ExpressionClass::COLUMN_REF) {
    auto& column = expr->Cast<duckdb::ColumnRefExpression>();
    if (!column.IsQualified()) {
      expr = duckdb::make_uniq<duckdb::ColumnRefExpression>(column.GetColumnName(), table);
    }
    return;
  }
  if (expr->GetExpressionClass() == duckdb::ExpressionClass::SUBQUERY) {
    ThrowStatus(NotSupported("a subquery in ON CONFLICT DO UPDATE"));
  }
  duckdb::ParsedExpressionIterator::EnumerateChildren(
      *expr,
      [&](duckdb::unique_ptr<duckdb::ParsedExpression>& child) { QualifyColumns(child, table); });
}

void ResolveColumns(duckdb::unique_ptr<duckdb::Expression>& expr, size_t table_columns) {
  if (expr->GetExpressionClass() == duckdb::ExpressionClass::BOUND_COLUMN_REF) {
    const auto& column = expr->Cast<duckdb::BoundColumnRefExpression>();
    const size_t base = column.binding.table_index == kExcludedTable ? table_columns : 0;
    expr = duckdb::make_uniq<duckdb::BoundReferenceExpression>(expr->return_type,
                                                               base + column.binding.column_index);
    return;
  }
  duckdb::ExpressionIterator::EnumerateChildren(
      *expr,
      [&](duckdb::unique_ptr<duckdb::Expression>& child) { ResolveColumns(child, table_columns); });
}

}  // namespace

std::shared_ptr<ConflictClause> BindConflictClause(duckdb::ClientContext& context, SessionState&,
                                                   duckdb::LogicalOperator& plan,
                                                   duckdb::OnConflictInfo& info,
                                                   const std::string& table_alias,
                                                   duckdb::BoundParameterMap& parameters) {
  duckdb::LogicalInsert& insert = FindInsert(plan);
  auto& table = insert.table.Cast<OmenTableEntry>();
  auto clause = std::make_shared<ConflictClause>();
  clause->arbiters = FindArbiters(table, info);
  clause->do_update = info.action_type == duckdb::OnConflictAction::UPDATE;
  if (!clause->do_update) return clause;
  if (info.indexed_columns.empty()) {
    ThrowStatus(Status(sqlstate::kSyntaxError,
                       "ON CONFLICT DO UPDATE requires inference specification or constraint "
                       "name"));
  }

  auto binder = duckdb::Binder::CreateBinder(context);
  binder->parameters = &parameters;
  duckdb::vector<std::string> names;
  duckdb::vector<duckdb::LogicalType> types;
  for (const auto& column : table.GetColumns().Logical()) {
    names.push_back(column.Name());
    types.push_back(column.Type());
  }
  binder->bind_context.AddGenericBinding(kExistingTable, table_alias, names, types);
  binder->bind_context.AddGenericBinding(kExcludedTable, "excluded", names, types);
  for (size_t i = 0; i < info.set_info->columns.size(); ++i) {
    const std::string& name = info.set_info->columns[i];
    if (!table.ColumnExists(name)) {
      ThrowStatus(Status(sqlstate::kUndefinedColumn, "column \"" + name + "\" of relation \"" +
                                                         table.name + "\" does not exist"));
    }
    const auto& column = table.GetColumn(name);
    clause->set_columns.push_back(column.Physical().index);
    auto& expr = info.set_info->expressions[i];
    const bool is_default = expr->GetExpressionType() == duckdb::ExpressionType::VALUE_DEFAULT;
    clause->set_is_default.push_back(is_default);
    if (is_default) {
      if (column.HasDefaultValue()) {
        expr = column.DefaultValue().Copy();
      } else {
        expr = duckdb::make_uniq<duckdb::ConstantExpression>(duckdb::Value(column.Type()));
      }
    } else {
      QualifyColumns(expr, table_alias);
    }
    duckdb::UpdateBinder update_binder(*binder, context);
    update_binder.target_type = column.Type();
    auto bound = update_binder.Bind(expr);
    ResolveColumns(bound, names.size());
    clause->set_expressions.push_back(std::move(bound));
  }
  if (info.set_info->condition != nullptr) {
    QualifyColumns(info.set_info->condition, table_alias);
    duckdb::WhereBinder where_binder(*binder, context);
    auto bound = where_binder.Bind(info.set_info->condition);
    ResolveColumns(bound, names.size());
    clause->where = std::move(bound);
  }
  return clause;
}

}  // namespace omendb::duck
