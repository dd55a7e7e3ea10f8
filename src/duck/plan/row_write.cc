// INSERT, UPDATE and DELETE as row plans.
#include "duck/catalog/table_entry.h"
#include "duck/dml/conflict_clause.h"
#include "duck/dml/generated_columns.h"
#include "duck/plan/access_path.h"
#include "duck/plan/plan_draft.h"
#include "duck/session_state.h"
#include "duckdb/planner/constraints/bound_check_constraint.hpp"
#include "duckdb/planner/expression/bound_cast_expression.hpp"
#include "duckdb/planner/operator/list.hpp"

namespace omendb::duck {
namespace {

using duckdb::LogicalOperatorType;
using exec::Expression;
using exec::Op;

class WriteBuilder {
 public:
  explicit WriteBuilder(PlanDraft& draft) : draft_(draft), plan_(*draft.plan) {}

  bool Build(duckdb::LogicalOperator& op) {
    switch (op.type) {
      case LogicalOperatorType::LOGICAL_INSERT:
        return BuildInsert(op.Cast<duckdb::LogicalInsert>());
      case LogicalOperatorType::LOGICAL_UPDATE:
        return BuildUpdate(op.Cast<duckdb::LogicalUpdate>());
      default:
        return BuildDelete(op.Cast<duckdb::LogicalDelete>());
    }
  }

 private:
  // [Filter] over a scan.
  bool BuildSource(duckdb::LogicalOperator& op) {
    std::vector<Expression> filters;
    if (op.type == LogicalOperatorType::LOGICAL_FILTER) {
      if (draft_.AddScan(*op.children[0]) == nullptr) return false;
      if (!draft_.Convert(op.expressions, filters)) return false;
    } else if (draft_.AddScan(op) == nullptr) {
      return false;
    }
    plan_.filter = AllOf(std::move(filters));
    return true;
  }

  bool ChooseIndex() {
    auto relation = draft_.state.database->OpenRelation(plan_.table);
    AccessRequest request(draft_.columns, *plan_.table, *relation);
    if (plan_.filter) request.conditions.push_back(&*plan_.filter);
    auto path = ChooseAccess(request, draft_.refusal);
    if (!path) return false;
    plan_.access = std::move(path->access);
    return true;
  }

  // Over the whole new row, by ColumnId - 1.
  bool BuildGenerated() {
    const auto bound = BindGeneratedColumns(draft_.context, draft_.state, *entry_);
    for (const GeneratedColumn& generated : bound) {
      auto value = draft_.converter.Convert(*generated.value);
      if (!value) return false;
      const ColumnId id = entry_->column_ids()[generated.column];
      plan_.generated.push_back(
          {id, ExpressionConverter::Assign(std::move(*value), plan_.table->column(id).type)});
    }
    return true;
  }

  bool BuildChecks(const duckdb::vector<duckdb::unique_ptr<duckdb::BoundConstraint>>& constraints) {
    draft_.converter.set_references([this](duckdb::idx_t index) -> std::optional<Expression> {
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
      auto condition = draft_.converter.Convert(*expr);
      if (!condition) return false;
      if (condition->type.kind != types::TypeKind::kBool)
        return draft_.Refuse("a CHECK of another type");
      plan_.checks.push_back({entry_->check_names()[index++], std::move(*condition)});
    }
    draft_.converter.set_references(nullptr);
    return true;
  }

  void SetWritten(duckdb::TableCatalogEntry& table, duckdb::idx_t index) {
    entry_ = &table.Cast<OmenTableEntry>();
    plan_.table = entry_->definition();
    if (draft_.columns.tables_count() == 0) draft_.columns.AddTable(*entry_, nullptr);
    draft_.columns.SetWritten(0, index);
  }

  bool BuildAssignment(size_t column_index, const duckdb::Expression& expr) {
    auto value = draft_.converter.Convert(expr);
    if (!value) return false;
    return AddAssignment(column_index, std::move(*value));
  }
  bool AddAssignment(size_t column_index, Expression value) {
    const ColumnId id = entry_->column_ids()[column_index];
    plan_.assignments.push_back(
        {id, ExpressionConverter::Assign(std::move(value), plan_.table->column(id).type)});
    return true;
  }

  bool BuildUpdate(duckdb::LogicalUpdate& update) {
    plan_.kind = exec::PlanKind::kUpdate;
    duckdb::LogicalOperator& child = *update.children[0];
    if (child.type != LogicalOperatorType::LOGICAL_PROJECTION)
      return draft_.Refuse("UPDATE of this shape");
    auto& projection = child.Cast<duckdb::LogicalProjection>();
    if (!BuildSource(*projection.children[0])) return false;
    SetWritten(update.table, update.table_index);
    draft_.columns.SetProjection(projection.table_index, projection.expressions);
    for (size_t i = 0; i < update.expressions.size(); ++i) {
      const duckdb::Expression& expr = *update.expressions[i];
      const size_t column = update.columns[i].index;
      const bool is_default = expr.GetExpressionType() == duckdb::ExpressionType::VALUE_DEFAULT;
      if (!BuildAssignment(column, is_default ? *update.bound_defaults[column] : expr))
        return false;
    }
    if (!BuildChecks(update.bound_constraints)) return false;
    return ChooseIndex();
  }

  bool BuildDelete(duckdb::LogicalDelete& del) {
    plan_.kind = exec::PlanKind::kDelete;
    if (!BuildSource(*del.children[0])) return false;
    SetWritten(del.table, del.table_index);
    return ChooseIndex();
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
               draft_.Refuse("INSERT of a query");
      case LogicalOperatorType::LOGICAL_DUMMY_SCAN:
        single = true;
        return true;
      default:
        return draft_.Refuse("INSERT of a query");
    }
  }

  bool BuildInsert(duckdb::LogicalInsert& insert) {
    plan_.kind = exec::PlanKind::kInsert;
    SetWritten(insert.table, insert.table_index);
    duckdb::LogicalExpressionGet* values = nullptr;
    std::vector<duckdb::LogicalProjection*> above;
    bool single = false;
    if (!FindValues(*insert.children[0], values, above, single)) return false;
    for (auto* projection : above) {
      draft_.columns.SetProjection(projection->table_index, projection->expressions);
    }
    const auto bindings = insert.children[0]->GetColumnBindings();
    if (values != nullptr) {
      if (values->expressions.size() > 1000) return draft_.Refuse("many rows");
      for (const auto& row : values->expressions) {
        draft_.columns.SetProjection(values->table_index, row);
        if (!BuildInsertRow(insert, bindings)) return false;
      }
    } else if (!BuildInsertRow(insert, bindings)) {
      return false;
    }
    return BuildChecks(insert.bound_constraints) && BuildConflict();
  }

  bool BuildInsertRow(duckdb::LogicalInsert& insert,
                      const duckdb::vector<duckdb::ColumnBinding>& bindings) {
    std::vector<Expression> row;
    for (const catalog::ColumnDef& column : plan_.table->columns) {
      row.push_back(ExpressionConverter::Constant(column.type, types::Value::Null()));
    }
    for (size_t c = 0; c < entry_->column_ids().size(); ++c) {
      const ColumnId id = entry_->column_ids()[c];
      std::optional<Expression> value;
      const duckdb::idx_t source =
          insert.column_index_map.empty() ? c : insert.column_index_map[duckdb::PhysicalIndex(c)];
      if (source == duckdb::DConstants::INVALID_INDEX) {
        value = draft_.converter.Convert(*insert.bound_defaults[c]);
      } else {
        value = draft_.columns.Resolve(draft_.converter, bindings[source]);
      }
      if (!value) return false;
      row[static_cast<size_t>(id.value() - 1)] =
          ExpressionConverter::Assign(std::move(*value), plan_.table->column(id).type);
    }
    plan_.insert_rows.push_back(std::move(row));
    return true;
  }

  bool BuildConflict() {
    const ConflictClause* clause = draft_.binding.conflict.get();
    if (clause == nullptr) return true;
    plan_.conflict_arbiters = clause->arbiters;
    plan_.on_conflict =
        clause->do_update ? exec::OnConflict::kDoUpdate : exec::OnConflict::kDoNothing;
    if (!clause->do_update) return true;
    const size_t width = entry_->column_ids().size();
    draft_.converter.set_references(
        [this, width](duckdb::idx_t index) -> std::optional<Expression> {
          if (index < width) return draft_.columns.TableColumn(0, index);
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
      plan_.conflict_filter = draft_.converter.Convert(*clause->where);
      if (!plan_.conflict_filter) return false;
    }
    draft_.converter.set_references(nullptr);
    return true;
  }

  PlanDraft& draft_;
  exec::RowPlan& plan_;
  const OmenTableEntry* entry_ = nullptr;
};

}  // namespace

bool IsRowWrite(const duckdb::LogicalOperator& op) {
  return op.type == LogicalOperatorType::LOGICAL_INSERT ||
         op.type == LogicalOperatorType::LOGICAL_UPDATE ||
         op.type == LogicalOperatorType::LOGICAL_DELETE;
}

bool BuildRowWrite(PlanDraft& draft, duckdb::LogicalOperator& op) {
  return WriteBuilder(draft).Build(op);
}

}  // namespace omendb::duck
