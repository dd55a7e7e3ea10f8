#include "duck/plan/row_plan_builder.h"

#include <unordered_map>

#include "duck/catalog/table_entry.h"
#include "duck/dml/conflict_clause.h"
#include "duck/dml/generated_columns.h"
#include "duck/logical_types.h"
#include "duck/plan/access_path.h"
#include "duck/plan/expression_converter.h"
#include "duck/session_state.h"
#include "duckdb/planner/constraints/bound_check_constraint.hpp"
#include "duckdb/planner/expression/bound_cast_expression.hpp"
#include "duckdb/planner/expression/bound_reference_expression.hpp"
#include "duckdb/planner/operator/list.hpp"

namespace omendb::duck {

namespace {

using duckdb::LogicalOperatorType;
using exec::Expression;
using exec::Op;

class Builder {
 public:
  Builder(duckdb::ClientContext& context, SessionState& state, Binding& binding,
          const std::vector<types::SqlType>& param_types,
          const std::vector<types::ResultColumn>& columns, const BindOptions& options)
      : context_(context),
        state_(state),
        binding_(binding),
        options_(options),
        plan_(std::make_shared<exec::RowPlan>()),
        converter_(context, state, [this](const duckdb::BoundColumnRefExpression& column) {
          return Resolve(column.binding);
        }) {
    plan_->param_types = param_types;
    plan_->output_columns = columns;
    plan_->catalog_version = state.RequireStatement().catalog->version();
  }

  RowPlanOutcome Build() {
    if (binding_.needs_values) return Refused("parameters of table functions");
    const bool built = BuildRoot(*binding_.plan);
    if (built) {
      for (size_t i = 0; i < plan_->output.size(); ++i) {
        plan_->output[i] = ExpressionConverter::Assign(std::move(plan_->output[i]),
                                                       OutputType(i, plan_->output[i].type));
      }
      return {plan_, ""};
    }
    return Refused(refusal_.empty() ? converter_.refusal() : refusal_);
  }

 private:
  RowPlanOutcome Refused(std::string why) {
    return {nullptr, why.empty() ? "not a point or short range access" : std::move(why)};
  }
  bool Refuse(std::string why) {
    if (refusal_.empty()) refusal_ = std::move(why);
    return false;
  }

  // The declared type of an output column; text-like columns keep what they are.
  types::SqlType OutputType(size_t i, const types::SqlType& have) const {
    const types::SqlType& want = plan_->output_columns[i].type;
    if (want.kind == have.kind && want.is_array == have.is_array &&
        types::PhysicalTypeOf(want) == types::PhysicalTypeOf(have)) {
      return have;
    }
    if (have.is_string() && want.is_string()) return have;
    return want;
  }

  bool BuildRoot(duckdb::LogicalOperator& root) {
    duckdb::LogicalOperator* op = &root;
    if (op->type == LogicalOperatorType::LOGICAL_PROJECTION) {
      duckdb::LogicalOperator& child = *op->children[0];
      if (IsWrite(child)) return BuildWrite(child) && BuildOutput(op->expressions);
    }
    if (IsWrite(*op)) return BuildWrite(*op);
    return BuildSelect(root);
  }

  static bool IsWrite(const duckdb::LogicalOperator& op) {
    return op.type == LogicalOperatorType::LOGICAL_INSERT ||
           op.type == LogicalOperatorType::LOGICAL_UPDATE ||
           op.type == LogicalOperatorType::LOGICAL_DELETE;
  }

  bool BuildWrite(duckdb::LogicalOperator& op) {
    switch (op.type) {
      case LogicalOperatorType::LOGICAL_INSERT:
        return BuildInsert(op.Cast<duckdb::LogicalInsert>());
      case LogicalOperatorType::LOGICAL_UPDATE:
        return BuildUpdate(op.Cast<duckdb::LogicalUpdate>());
      default:
        return BuildDelete(op.Cast<duckdb::LogicalDelete>());
    }
  }

  bool BuildOutput(duckdb::vector<duckdb::unique_ptr<duckdb::Expression>>& expressions) {
    for (const auto& expr : expressions) {
      auto converted = converter_.Convert(*expr);
      if (!converted) return false;
      plan_->output.push_back(std::move(*converted));
    }
    return true;
  }

  // ---- Columns --------------------------------------------------------------------------------

  std::optional<Expression> Resolve(duckdb::ColumnBinding column) {
    if (auto projected = projections_.find(column.table_index); projected != projections_.end()) {
      if (column.column_index >= projected->second->size()) return std::nullopt;
      return converter_.Convert(*(*projected->second)[column.column_index]);
    }
    if (column.table_index == values_index_ && values_row_ != nullptr) {
      return converter_.Convert(*(*values_row_)[column.column_index]);
    }
    if (entry_ == nullptr) return std::nullopt;
    if (column.table_index == written_index_) return TableColumn(column.column_index);
    if (get_ == nullptr || column.table_index != get_->table_index) return std::nullopt;
    const auto& ids = get_->GetColumnIds();
    if (column.column_index >= ids.size()) return std::nullopt;
    return TableColumn(ids[column.column_index].GetPrimaryIndex());
  }

  std::optional<Expression> TableColumn(duckdb::idx_t index) {
    if (index >= entry_->column_ids().size()) return std::nullopt;
    const ColumnId id = entry_->column_ids()[index];
    Expression result;
    result.op = Op::kColumn;
    result.type = entry_->definition()->column(id).type;
    for (size_t i = 0; i < plan_->columns.size(); ++i) {
      if (plan_->columns[i] == id) {
        result.index = static_cast<uint32_t>(i);
        return result;
      }
    }
    result.index = static_cast<uint32_t>(plan_->columns.size());
    plan_->columns.push_back(id);
    return result;
  }

  bool SetGet(duckdb::LogicalOperator& op) {
    if (op.type != LogicalOperatorType::LOGICAL_GET) return Refuse(op.GetName());
    auto& get = op.Cast<duckdb::LogicalGet>();
    if (get.function.name != "omendb_scan") return Refuse("not a table of ours");
    get_ = &get;
    entry_ = &get.GetTable()->Cast<OmenTableEntry>();
    plan_->table = entry_->definition();
    return true;
  }

  // [Filter] over Get.
  bool BuildSource(duckdb::LogicalOperator& op) {
    duckdb::LogicalOperator* source = &op;
    if (source->type == LogicalOperatorType::LOGICAL_FILTER) {
      duckdb::LogicalOperator& child = *source->children[0];
      if (!SetGet(child)) return false;
      for (const auto& expr : source->expressions) {
        auto converted = converter_.Convert(*expr);
        if (!converted) return false;
        filters_.push_back(std::move(*converted));
      }
    } else if (!SetGet(*source)) {
      return false;
    }
    if (filters_.size() == 1) {
      plan_->filter = std::move(filters_[0]);
    } else if (!filters_.empty()) {
      Expression all;
      all.op = Op::kAnd;
      all.type = {types::TypeKind::kBool};
      all.children = std::move(filters_);
      plan_->filter = std::move(all);
    }
    return true;
  }

  bool ChooseIndex(std::vector<OrderColumn> order) {
    auto relation = state_.database->OpenRelation(plan_->table);
    AccessRequest request;
    request.table = plan_->table.get();
    request.relation = relation.get();
    request.columns = &plan_->columns;
    request.filter = plan_->filter ? &*plan_->filter : nullptr;
    request.order = std::move(order);
    request.has_limit = plan_->limit.has_value();
    request.force = options_.lock.has_value();
    plan_->access = ChooseAccess(request, refusal_);
    return plan_->access.has_value();
  }

  // ---- SELECT ---------------------------------------------------------------------------------

  bool BuildLimit(duckdb::BoundLimitNode& node, std::optional<Expression>& target) {
    switch (node.Type()) {
      case duckdb::LimitNodeType::UNSET:
        return true;
      case duckdb::LimitNodeType::CONSTANT_VALUE:
        target = ExpressionConverter::Constant(
            {types::TypeKind::kInt8},
            types::Value::Int64(static_cast<int64_t>(node.GetConstantValue())));
        return true;
      case duckdb::LimitNodeType::EXPRESSION_VALUE: {
        target = converter_.Convert(*node.GetExpression());
        if (!target) return false;
        if (target->type.kind != types::TypeKind::kInt8 &&
            target->type.kind != types::TypeKind::kInt4) {
          return Refuse("LIMIT of another type");
        }
        return true;
      }
      default:
        return Refuse("LIMIT in percent");
    }
  }

  bool BuildOrder(duckdb::LogicalOrder& order, std::vector<OrderColumn>& columns) {
    for (const auto& node : order.orders) {
      auto column = converter_.Convert(*node.expression);
      if (!column) return false;
      if (column->op == Op::kConstant) continue;
      if (column->op != Op::kColumn) return Refuse("ORDER BY an expression");
      const bool descending = node.type == duckdb::OrderType::DESCENDING;
      columns.push_back({plan_->columns[column->index], descending,
                         node.null_order == duckdb::OrderByNullType::NULLS_FIRST});
    }
    return true;
  }

  bool BuildSelect(duckdb::LogicalOperator& root) {
    plan_->kind = exec::PlanKind::kSelect;
    plan_->lock = options_.lock;
    plan_->lock_wait = options_.lock_wait;
    duckdb::LogicalOperator* op = &root;
    duckdb::LogicalLimit* limit = nullptr;
    duckdb::LogicalOrder* order = nullptr;
    auto* outputs = static_cast<duckdb::vector<duckdb::unique_ptr<duckdb::Expression>>*>(nullptr);
    std::vector<duckdb::LogicalProjection*> projections;
    for (;;) {
      if (op->type == LogicalOperatorType::LOGICAL_LIMIT && limit == nullptr && order == nullptr) {
        limit = &op->Cast<duckdb::LogicalLimit>();
      } else if (op->type == LogicalOperatorType::LOGICAL_ORDER_BY && order == nullptr) {
        order = &op->Cast<duckdb::LogicalOrder>();
      } else if (op->type == LogicalOperatorType::LOGICAL_PROJECTION) {
        projections.push_back(&op->Cast<duckdb::LogicalProjection>());
        if (outputs == nullptr) outputs = &op->expressions;
      } else {
        break;
      }
      op = op->children[0].get();
    }
    if (outputs == nullptr) return Refuse(root.GetName());
    for (auto* projection : projections) {
      projections_[projection->table_index] = &projection->expressions;
    }
    if (order != nullptr && !order->projection_map.empty()) return Refuse("a projected ORDER BY");
    if (op->type == LogicalOperatorType::LOGICAL_DUMMY_SCAN) {
      if (order != nullptr) return Refuse("ORDER BY without a table");
      return BuildLimits(limit) && BuildOutput(*outputs);
    }
    std::vector<OrderColumn> wanted;
    if (!BuildSource(*op) || !BuildLimits(limit)) return false;
    if (order != nullptr && !BuildOrder(*order, wanted)) return false;
    if (!BuildOutput(*outputs)) return false;
    return ChooseIndex(std::move(wanted));
  }

  bool BuildLimits(duckdb::LogicalLimit* limit) {
    if (limit == nullptr) return true;
    return BuildLimit(limit->limit_val, plan_->limit) &&
           BuildLimit(limit->offset_val, plan_->offset);
  }

  // ---- Writes ---------------------------------------------------------------------------------

  // Over the whole new row, by ColumnId - 1.
  bool BuildGenerated() {
    const auto bound = BindGeneratedColumns(context_, state_, *entry_);
    for (const GeneratedColumn& generated : bound) {
      auto value = converter_.Convert(*generated.value);
      if (!value) return false;
      const ColumnId id = entry_->column_ids()[generated.column];
      plan_->generated.push_back(
          {id, ExpressionConverter::Assign(std::move(*value), plan_->table->column(id).type)});
    }
    return true;
  }

  bool BuildChecks(const duckdb::vector<duckdb::unique_ptr<duckdb::BoundConstraint>>& constraints) {
    converter_.set_references([this](duckdb::idx_t index) -> std::optional<Expression> {
      if (index >= entry_->column_ids().size()) return std::nullopt;
      const ColumnId id = entry_->column_ids()[index];
      Expression column;
      column.op = Op::kColumn;
      column.type = entry_->definition()->column(id).type;
      column.index = static_cast<uint32_t>(id.value() - 1);
      return column;
    });
    if (!BuildGenerated()) return false;
    size_t index = 0;
    for (const auto& constraint : constraints) {
      if (constraint->type != duckdb::ConstraintType::CHECK) continue;
      const auto& check = constraint->Cast<duckdb::BoundCheckConstraint>();
      // DuckDB makes a CHECK an integer.
      const duckdb::Expression* expr = check.expression.get();
      if (expr->GetExpressionClass() == duckdb::ExpressionClass::BOUND_CAST) {
        const auto& cast = expr->Cast<duckdb::BoundCastExpression>();
        if (cast.child->return_type.id() == duckdb::LogicalTypeId::BOOLEAN) expr = cast.child.get();
      }
      auto condition = converter_.Convert(*expr);
      if (!condition) return false;
      if (condition->type.kind != types::TypeKind::kBool) return Refuse("a CHECK of another type");
      plan_->checks.push_back({entry_->check_names()[index++], std::move(*condition)});
    }
    converter_.set_references(nullptr);
    return true;
  }

  bool SetWritten(duckdb::TableCatalogEntry& table, duckdb::idx_t table_index) {
    entry_ = &table.Cast<OmenTableEntry>();
    plan_->table = entry_->definition();
    written_index_ = table_index;
    return true;
  }

  bool BuildAssignment(size_t column_index, const duckdb::Expression& expr) {
    auto value = converter_.Convert(expr);
    if (!value) return false;
    return AddAssignment(column_index, std::move(*value));
  }
  bool AddAssignment(size_t column_index, Expression value) {
    const ColumnId id = entry_->column_ids()[column_index];
    plan_->assignments.push_back(
        {id, ExpressionConverter::Assign(std::move(value), plan_->table->column(id).type)});
    return true;
  }

  bool BuildUpdate(duckdb::LogicalUpdate& update) {
    plan_->kind = exec::PlanKind::kUpdate;
    duckdb::LogicalOperator& child = *update.children[0];
    if (child.type != LogicalOperatorType::LOGICAL_PROJECTION)
      return Refuse("UPDATE of this shape");
    auto& projection = child.Cast<duckdb::LogicalProjection>();
    if (!BuildSource(*projection.children[0])) return false;
    if (!SetWritten(update.table, update.table_index)) return false;
    projections_[projection.table_index] = &projection.expressions;
    for (size_t i = 0; i < update.expressions.size(); ++i) {
      const duckdb::Expression& expr = *update.expressions[i];
      const size_t column = update.columns[i].index;
      const bool is_default = expr.GetExpressionType() == duckdb::ExpressionType::VALUE_DEFAULT;
      if (!BuildAssignment(column, is_default ? *update.bound_defaults[column] : expr))
        return false;
    }
    if (!BuildChecks(update.bound_constraints)) return false;
    return ChooseIndex({});
  }

  bool BuildDelete(duckdb::LogicalDelete& del) {
    plan_->kind = exec::PlanKind::kDelete;
    if (!BuildSource(*del.children[0])) return false;
    if (!SetWritten(del.table, del.table_index)) return false;
    return ChooseIndex({});
  }

  // The rows of VALUES below projections that cast them.
  bool FindValues(duckdb::LogicalOperator& op, duckdb::LogicalExpressionGet*& values,
                  std::vector<duckdb::LogicalProjection*>& above, bool& single) {
    switch (op.type) {
      case LogicalOperatorType::LOGICAL_PROJECTION:
        above.push_back(&op.Cast<duckdb::LogicalProjection>());
        return FindValues(*op.children[0], values, above, single);
      case LogicalOperatorType::LOGICAL_EXPRESSION_GET:
        values = &op.Cast<duckdb::LogicalExpressionGet>();
        return op.children[0]->type == LogicalOperatorType::LOGICAL_DUMMY_SCAN ||
               Refuse("INSERT of a query");
      case LogicalOperatorType::LOGICAL_DUMMY_SCAN:
        single = true;
        return true;
      default:
        return Refuse("INSERT of a query");
    }
  }

  bool BuildInsert(duckdb::LogicalInsert& insert) {
    plan_->kind = exec::PlanKind::kInsert;
    if (!SetWritten(insert.table, insert.table_index)) return false;
    duckdb::LogicalExpressionGet* values = nullptr;
    std::vector<duckdb::LogicalProjection*> above;
    bool single = false;
    if (!FindValues(*insert.children[0], values, above, single)) return false;
    for (auto* projection : above) projections_[projection->table_index] = &projection->expressions;
    const auto bindings = insert.children[0]->GetColumnBindings();
    if (values != nullptr) {
      if (values->expressions.size() > 1000) return Refuse("many rows");
      values_index_ = values->table_index;
      for (const auto& row : values->expressions) {
        values_row_ = &row;
        if (!BuildInsertRow(insert, bindings)) return false;
      }
      values_row_ = nullptr;
    } else if (!BuildInsertRow(insert, bindings)) {
      return false;
    }
    return BuildChecks(insert.bound_constraints) && BuildConflict();
  }

  bool BuildInsertRow(duckdb::LogicalInsert& insert,
                      const duckdb::vector<duckdb::ColumnBinding>& bindings) {
    std::vector<Expression> row;
    for (const catalog::ColumnDef& column : plan_->table->columns) {
      row.push_back(ExpressionConverter::Constant(column.type, types::Value::Null()));
    }
    for (size_t c = 0; c < entry_->column_ids().size(); ++c) {
      const ColumnId id = entry_->column_ids()[c];
      std::optional<Expression> value;
      const duckdb::idx_t source =
          insert.column_index_map.empty() ? c : insert.column_index_map[duckdb::PhysicalIndex(c)];
      if (source == duckdb::DConstants::INVALID_INDEX) {
        value = converter_.Convert(*insert.bound_defaults[c]);
      } else {
        value = Resolve(bindings[source]);
      }
      if (!value) return false;
      row[static_cast<size_t>(id.value() - 1)] =
          ExpressionConverter::Assign(std::move(*value), plan_->table->column(id).type);
    }
    plan_->insert_rows.push_back(std::move(row));
    return true;
  }

  bool BuildConflict() {
    const ConflictClause* clause = binding_.conflict.get();
    if (clause == nullptr) return true;
    plan_->conflict_arbiters = clause->arbiters;
    plan_->on_conflict =
        clause->do_update ? exec::OnConflict::kDoUpdate : exec::OnConflict::kDoNothing;
    if (!clause->do_update) return true;
    const size_t width = entry_->column_ids().size();
    converter_.set_references([this, width](duckdb::idx_t index) -> std::optional<Expression> {
      if (index < width) return TableColumn(index);
      if (index >= 2 * width) return std::nullopt;
      const ColumnId id = entry_->column_ids()[index - width];
      Expression column;
      column.op = Op::kExcluded;
      column.type = entry_->definition()->column(id).type;
      column.index = static_cast<uint32_t>(id.value() - 1);
      return column;
    });
    for (size_t i = 0; i < clause->set_expressions.size(); ++i) {
      if (!BuildAssignment(clause->set_columns[i], *clause->set_expressions[i])) return false;
    }
    if (clause->where != nullptr) {
      plan_->conflict_filter = converter_.Convert(*clause->where);
      if (!plan_->conflict_filter) return false;
    }
    converter_.set_references(nullptr);
    return true;
  }

  duckdb::ClientContext& context_;
  SessionState& state_;
  Binding& binding_;
  const BindOptions& options_;
  std::shared_ptr<exec::RowPlan> plan_;
  ExpressionConverter converter_;
  std::string refusal_;

  const OmenTableEntry* entry_ = nullptr;
  duckdb::LogicalGet* get_ = nullptr;
  duckdb::idx_t written_index_ = duckdb::DConstants::INVALID_INDEX;
  std::vector<Expression> filters_;
  std::unordered_map<duckdb::idx_t, duckdb::vector<duckdb::unique_ptr<duckdb::Expression>>*>
      projections_;
  duckdb::idx_t values_index_ = duckdb::DConstants::INVALID_INDEX;
  const duckdb::vector<duckdb::unique_ptr<duckdb::Expression>>* values_row_ = nullptr;
};

}  // namespace

RowPlanOutcome BuildRowPlan(duckdb::ClientContext& context, SessionState& state, Binding& binding,
                            const std::vector<types::SqlType>& param_types,
                            const std::vector<types::ResultColumn>& columns,
                            const BindOptions& options) {
  if (!options.want_row_plan) return {nullptr, "not asked for"};
  return Builder(context, state, binding, param_types, columns, options).Build();
}

}  // namespace omendb::duck
