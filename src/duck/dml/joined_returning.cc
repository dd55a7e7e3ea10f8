#include "duck/dml/joined_returning.h"

#include <algorithm>

#include "base/sqlstate.h"
#include "duck/catalog/table_entry.h"
#include "duck/errors.h"
#include "duck/plan/binding.h"
#include "duckdb/main/client_context_state.hpp"
#include "duckdb/parser/expression/conjunction_expression.hpp"
#include "duckdb/parser/expression/function_expression.hpp"
#include "duckdb/parser/expression/star_expression.hpp"
#include "duckdb/parser/statement/delete_statement.hpp"
#include "duckdb/parser/statement/update_statement.hpp"
#include "duckdb/planner/expression/bound_columnref_expression.hpp"
#include "duckdb/planner/expression/bound_constant_expression.hpp"
#include "duckdb/planner/expression/bound_function_expression.hpp"
#include "duckdb/planner/expression_binder/returning_binder.hpp"
#include "duckdb/planner/expression_iterator.hpp"
#include "duckdb/planner/operator/list.hpp"

namespace omendb::duck {
namespace {

constexpr const char* kScopeFunction = "omen returning";

using Expr = duckdb::unique_ptr<duckdb::Expression>;
using Operator = duckdb::unique_ptr<duckdb::LogicalOperator>;
using duckdb::BoundColumnRefExpression;
using duckdb::LogicalOperatorType;

// The list of the statement that is being bound, for the call in its WHERE.
struct Bound : public duckdb::ClientContextState {
  JoinedReturning* returning = nullptr;

  static Bound& Of(duckdb::ClientContext& context) {
    return *context.registered_state->GetOrCreate<Bound>("omendb_returning");
  }
};

void AddScopeCall(duckdb::unique_ptr<duckdb::ParsedExpression>& condition) {
  duckdb::unique_ptr<duckdb::ParsedExpression> call = duckdb::make_uniq<duckdb::FunctionExpression>(
      kScopeFunction, duckdb::vector<duckdb::unique_ptr<duckdb::ParsedExpression>>());
  if (condition == nullptr) {
    condition = std::move(call);
    return;
  }
  condition = duckdb::make_uniq<duckdb::ConjunctionExpression>(
      duckdb::ExpressionType::CONJUNCTION_AND, std::move(condition), std::move(call));
}

bool IsScopeCall(const Expr& expr) {
  return expr->GetExpressionClass() == duckdb::ExpressionClass::BOUND_FUNCTION &&
         expr->Cast<duckdb::BoundFunctionExpression>().function.name == kScopeFunction;
}

// The filter with the call lies below what sub-selects of SET have become.
void RemoveScopeCall(Operator& plan) {
  auto& conditions = plan->expressions;
  const auto call = std::find_if(conditions.begin(), conditions.end(), IsScopeCall);
  if (call == conditions.end()) {
    for (Operator& child : plan->children) RemoveScopeCall(child);
    return;
  }
  conditions.erase(call);
  if (conditions.empty()) {
    Operator child = std::move(plan->children[0]);
    plan = std::move(child);
  }
}

// The write below the WITH queries' plans.
Operator& FindWrite(Operator& plan) {
  if (plan->type == LogicalOperatorType::LOGICAL_UPDATE ||
      plan->type == LogicalOperatorType::LOGICAL_DELETE) {
    return plan;
  }
  if (plan->children.empty()) {
    ThrowStatus(Status(sqlstate::kInternalError, "RETURNING of a statement that writes nothing"));
  }
  return FindWrite(plan->children.back());
}

duckdb::LogicalGet* FindGet(duckdb::LogicalOperator& plan, duckdb::idx_t table_index) {
  if (plan.type == LogicalOperatorType::LOGICAL_GET) {
    auto& get = plan.Cast<duckdb::LogicalGet>();
    if (get.table_index == table_index) return &get;
  }
  for (auto& child : plan.children) {
    if (auto* found = FindGet(*child, table_index)) return found;
  }
  return nullptr;
}

// A write that answers rows of its table's columns and the joined ones.
template <typename Write>
class JoinedWrite : public Write, public JoinedColumns {
 public:
  using Write::Write;

 protected:
  duckdb::vector<duckdb::ColumnBinding> GetColumnBindings() override {
    const size_t width = this->table.GetTypes().size() + this->expressions.size() - first;
    return duckdb::LogicalOperator::GenerateColumnBindings(this->table_index, width);
  }
  void ResolveTypes() override {
    this->types = this->table.GetTypes();
    for (size_t i = first; i < this->expressions.size(); ++i) {
      this->types.push_back(this->expressions[i]->return_type);
    }
  }
};

template <typename Write>
void TakeOver(Write& bound, JoinedWrite<Write>& write) {
  write.return_chunk = true;
  write.table_index = bound.table_index;
  write.bound_constraints = std::move(bound.bound_constraints);
  write.expressions = std::move(bound.expressions);
  write.children = std::move(bound.children);
  write.first = write.expressions.size();
}

// Puts the joined row's columns into a write, and RETURNING over it.
class Planner {
 public:
  Planner(Operator& write, duckdb::idx_t target)
      : write_(write), target_(FindGet(*write, target)) {}

  Operator Plan(duckdb::vector<Expr> values, duckdb::idx_t index) {
    Replace();
    for (Expr& value : values) Refer(value);
    auto projection = duckdb::make_uniq<duckdb::LogicalProjection>(index, std::move(values));
    projection->children.push_back(std::move(write_));
    return projection;
  }

 private:
  void Replace() {
    if (write_->type == LogicalOperatorType::LOGICAL_UPDATE) {
      auto& bound = write_->Cast<duckdb::LogicalUpdate>();
      auto update = duckdb::make_uniq<JoinedWrite<duckdb::LogicalUpdate>>(bound.table);
      update->columns = std::move(bound.columns);
      update->bound_defaults = std::move(bound.bound_defaults);
      update->update_is_del_and_insert = bound.update_is_del_and_insert;
      projection_ = &bound.children[0]->Cast<duckdb::LogicalProjection>();
      RemoveScopeCall(projection_->children[0]);
      TakeOver(bound, *update);
      Settle(std::move(update));
    } else {
      auto& bound = write_->Cast<duckdb::LogicalDelete>();
      auto del =
          duckdb::make_uniq<JoinedWrite<duckdb::LogicalDelete>>(bound.table, bound.table_index);
      RemoveScopeCall(bound.children[0]);
      TakeOver(bound, *del);
      Settle(std::move(del));
    }
  }
  template <typename Write>
  void Settle(duckdb::unique_ptr<JoinedWrite<Write>> write) {
    first_ = write->first;
    table_index_ = write->table_index;
    width_ = write->table.GetTypes().size();
    write_ = std::move(write);
  }

  // Columns of scans below the write become those that it answers.
  void Refer(Expr& value) {
    if (value->GetExpressionClass() != duckdb::ExpressionClass::BOUND_COLUMN_REF) {
      duckdb::ExpressionIterator::EnumerateChildren(*value, [this](Expr& child) { Refer(child); });
      return;
    }
    auto& column = value->Cast<BoundColumnRefExpression>();
    const duckdb::idx_t place = IsOfTarget(column) ? OfTarget(column) : width_ + OfJoined(column);
    column.binding = duckdb::ColumnBinding(table_index_, place);
  }
  bool IsOfTarget(const BoundColumnRefExpression& column) const {
    return target_ != nullptr && column.binding.table_index == target_->table_index;
  }
  duckdb::idx_t OfTarget(const BoundColumnRefExpression& column) const {
    const auto index = target_->GetColumnIds()[column.binding.column_index].GetPrimaryIndex();
    if (index >= width_) ThrowStatus(NotSupported("a system column in RETURNING"));
    return index;
  }
  duckdb::idx_t OfJoined(const BoundColumnRefExpression& column) {
    const auto found = std::find(joined_.begin(), joined_.end(), column.binding);
    const auto place = static_cast<duckdb::idx_t>(found - joined_.begin());
    if (found == joined_.end()) {
      joined_.push_back(column.binding);
      write_->expressions.push_back(PassedOn(column));
    }
    return place;
  }
  // What the write finds in its input: of UPDATE in the projection, whose last column is the row
  // id.
  Expr PassedOn(const BoundColumnRefExpression& column) {
    Expr copy = column.Copy();
    if (projection_ == nullptr) return copy;
    auto& columns = projection_->expressions;
    const duckdb::ColumnBinding binding(projection_->table_index, columns.size() - 1);
    columns.insert(columns.end() - 1, std::move(copy));
    return duckdb::make_uniq<BoundColumnRefExpression>(column.return_type, binding);
  }

  Operator& write_;
  duckdb::LogicalGet* target_;
  duckdb::LogicalProjection* projection_ = nullptr;
  size_t first_ = 0;
  duckdb::idx_t table_index_ = 0;
  duckdb::idx_t width_ = 0;
  std::vector<duckdb::ColumnBinding> joined_;
};

}  // namespace

JoinedReturning::JoinedReturning(duckdb::SQLStatement& statement, duckdb::ClientContext& context)
    : context_(context) {
  if (statement.type == duckdb::StatementType::UPDATE_STATEMENT) {
    auto& update = statement.Cast<duckdb::UpdateStatement>();
    if (update.from_table == nullptr || update.returning_list.empty()) return;
    list_ = std::move(update.returning_list);
    update.returning_list.clear();
    AddScopeCall(update.set_info->condition);
  } else if (statement.type == duckdb::StatementType::DELETE_STATEMENT) {
    auto& del = statement.Cast<duckdb::DeleteStatement>();
    if (del.using_clauses.empty() || del.returning_list.empty()) return;
    list_ = std::move(del.returning_list);
    del.returning_list.clear();
    AddScopeCall(del.condition);
  }
  if (!list_.empty()) Bound::Of(context_).returning = this;
}

JoinedReturning::~JoinedReturning() {
  if (!list_.empty()) Bound::Of(context_).returning = nullptr;
}

void JoinedReturning::Bind(duckdb::Binder& binder) {
  duckdb::vector<duckdb::unique_ptr<duckdb::ParsedExpression>> list;
  for (const auto& item : list_) {
    auto copy = item->Copy();
    if (copy->GetExpressionClass() == duckdb::ExpressionClass::STAR) {
      binder.bind_context.GenerateAllColumnExpressions(copy->Cast<duckdb::StarExpression>(), list);
    } else {
      list.push_back(std::move(copy));
    }
  }
  names_.clear();
  types_.clear();
  values_.clear();
  target_ = binder.bind_context.GetBindingsList().front()->index;
  duckdb::ReturningBinder returning(binder, binder.context);
  for (auto& item : list) {
    duckdb::LogicalType type;
    values_.push_back(returning.Bind(item, &type));
    names_.push_back(values_.back()->GetName());
    types_.push_back(type);
  }
}

void JoinedReturning::Finish(Binding& binding) {
  if (list_.empty()) return;
  Operator& write = FindWrite(binding.plan);
  Planner planner(write, target_);
  Operator answers = planner.Plan(std::move(values_), binding.binder->GenerateTableIndex());
  write = std::move(answers);
  binding.names = std::move(names_);
  binding.types = std::move(types_);
  auto& properties = binding.binder->GetStatementProperties();
  properties.allow_stream_result = false;
  properties.return_type = duckdb::StatementReturnType::QUERY_RESULT;
}

void RegisterJoinedReturning(Registry& registry) {
  duckdb::ScalarFunction call(kScopeFunction, {}, duckdb::LogicalType::BOOLEAN,
                              duckdb::ScalarFunction::NopFunction);
  call.bind_extended = [](duckdb::ScalarFunctionBindInput& input, duckdb::ScalarFunction&,
                          duckdb::vector<Expr>&) -> duckdb::unique_ptr<duckdb::FunctionData> {
    JoinedReturning* returning = Bound::Of(input.binder.context).returning;
    if (returning == nullptr) ThrowStatus(NotSupported("this function"));
    returning->Bind(input.binder);
    return nullptr;
  };
  registry.Replace(std::move(call));
}

}  // namespace omendb::duck
