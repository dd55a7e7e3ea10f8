#include "duck/plan/shared_averages.h"

#include <algorithm>

#include "duck/errors.h"
#include "duck/logical_types.h"
#include "duckdb/catalog/catalog_entry/aggregate_function_catalog_entry.hpp"
#include "duckdb/common/types/hugeint.hpp"
#include "duckdb/function/function_binder.hpp"
#include "duckdb/function/scalar_function.hpp"
#include "duckdb/optimizer/column_binding_replacer.hpp"
#include "duckdb/planner/expression/bound_aggregate_expression.hpp"
#include "duckdb/planner/expression/bound_columnref_expression.hpp"
#include "duckdb/planner/expression/bound_function_expression.hpp"
#include "duckdb/planner/operator/logical_aggregate.hpp"
#include "duckdb/planner/operator/logical_projection.hpp"
#include "types/big_math.h"

namespace omendb::duck {
namespace {

using duckdb::LogicalOperatorType;
using duckdb::LogicalType;
using duckdb::LogicalTypeId;

types::Int128 UnitsOf(int64_t value) { return value; }
types::Int128 UnitsOf(duckdb::hugeint_t value) {
  return types::Int128{value.upper} << 64 | types::Int128{value.lower};
}

// sum / count as avg has it.
template <typename SUM>
void Average(duckdb::DataChunk& input, duckdb::ExpressionState&, duckdb::Vector& result) {
  const LogicalType& type = input.data[0].GetType();
  const int scale = type.id() == LogicalTypeId::DECIMAL ? duckdb::DecimalType::GetScale(type) : 0;
  duckdb::BinaryExecutor::Execute<SUM, int64_t, duckdb::string_t>(
      input.data[0], input.data[1], result, input.size(), [&](SUM sum, int64_t count) {
        std::string bytes;
        ThrowIfError(
            types::AppendQuotient({UnitsOf(sum), scale}, {types::Int128{count}, 0}, bytes));
        return duckdb::StringVector::AddStringOrBlob(result, bytes);
      });
}

bool IsPlain(const duckdb::BoundAggregateExpression& aggregate, const std::string& name) {
  return aggregate.function.name == name && aggregate.children.size() == 1 &&
         aggregate.filter == nullptr && aggregate.order_bys == nullptr && !aggregate.IsDistinct();
}

class AveragesOf {
 public:
  explicit AveragesOf(duckdb::LogicalAggregate& aggregate) : aggregate_(aggregate) {
    for (const auto& average : aggregate.expressions) sums_.push_back(SumOf(*average));
  }
  bool any() const {
    return aggregate_.grouping_functions.empty() &&
           std::any_of(sums_.begin(), sums_.end(), [](const auto& sum) { return sum.has_value(); });
  }

  // What the aggregate gave, of what it gives then. Requires: any().
  duckdb::vector<duckdb::unique_ptr<duckdb::Expression>> Share(duckdb::ClientContext& context) {
    duckdb::vector<duckdb::unique_ptr<duckdb::Expression>> given;
    for (size_t i = 0; i < aggregate_.groups.size(); ++i) {
      given.push_back(Column(aggregate_.group_index, i, *aggregate_.groups[i]));
    }
    for (size_t i = 0; i < sums_.size(); ++i) {
      if (sums_[i]) CountInstead(context, i);
      auto column = Column(aggregate_.aggregate_index, i, *aggregate_.expressions[i]);
      given.push_back(sums_[i] ? Quotient(*sums_[i], std::move(column)) : std::move(column));
    }
    return given;
  }

 private:
  // The aggregate that adds up what this one, an average, does.
  std::optional<size_t> SumOf(const duckdb::Expression& expression) const {
    const auto& average = expression.Cast<duckdb::BoundAggregateExpression>();
    if (!IsPlain(average, "avg")) return {};
    for (size_t i = 0; i < aggregate_.expressions.size(); ++i) {
      const auto& sum = aggregate_.expressions[i]->Cast<duckdb::BoundAggregateExpression>();
      const bool is_exact = sum.return_type.id() == LogicalTypeId::BIGINT ||
                            sum.return_type.InternalType() == duckdb::PhysicalType::INT128;
      if (IsPlain(sum, "sum") && is_exact && average.return_type == BigNumericType() &&
          duckdb::Expression::Equals(sum.children.front(), average.children.front())) {
        return i;
      }
    }
    return {};
  }

  static duckdb::unique_ptr<duckdb::Expression> Column(duckdb::idx_t table, duckdb::idx_t column,
                                                       const duckdb::Expression& of) {
    return duckdb::make_uniq<duckdb::BoundColumnRefExpression>(
        of.GetName(), of.return_type, duckdb::ColumnBinding(table, column));
  }

  void CountInstead(duckdb::ClientContext& context, size_t i) {
    auto& average = aggregate_.expressions[i]->Cast<duckdb::BoundAggregateExpression>();
    duckdb::FunctionBinder binder(context);
    auto& count =
        duckdb::Catalog::GetSystemCatalog(context).GetEntry<duckdb::AggregateFunctionCatalogEntry>(
            context, DEFAULT_SCHEMA, "count");
    duckdb::AggregateFunction function =
        count.functions.GetFunctionByArguments(context, {average.children.front()->return_type});
    aggregate_.expressions[i] = binder.BindAggregateFunction(function, std::move(average.children));
  }

  duckdb::unique_ptr<duckdb::Expression> Quotient(size_t sum,
                                                  duckdb::unique_ptr<duckdb::Expression> count) {
    const LogicalType type = aggregate_.expressions[sum]->return_type;
    duckdb::ScalarFunction function(
        "average", {type, LogicalType::BIGINT}, BigNumericType(),
        type.id() == LogicalTypeId::BIGINT ? Average<int64_t> : Average<duckdb::hugeint_t>);
    duckdb::vector<duckdb::unique_ptr<duckdb::Expression>> children;
    children.push_back(Column(aggregate_.aggregate_index, sum, *aggregate_.expressions[sum]));
    children.push_back(std::move(count));
    return duckdb::make_uniq<duckdb::BoundFunctionExpression>(BigNumericType(), std::move(function),
                                                              std::move(children), nullptr);
  }

  duckdb::LogicalAggregate& aggregate_;
  std::vector<std::optional<size_t>> sums_;  // by aggregate; nullopt: it stays
};

void Share(duckdb::ClientContext& context, duckdb::Binder& binder, duckdb::LogicalOperator& root,
           duckdb::unique_ptr<duckdb::LogicalOperator>& plan) {
  for (auto& child : plan->children) Share(context, binder, root, child);
  if (plan->type != LogicalOperatorType::LOGICAL_AGGREGATE_AND_GROUP_BY) return;
  auto& aggregate = plan->Cast<duckdb::LogicalAggregate>();
  AveragesOf averages(aggregate);
  if (!averages.any()) return;
  const duckdb::idx_t index = binder.GenerateTableIndex();
  duckdb::ColumnBindingReplacer replacer;
  for (const duckdb::ColumnBinding& before : aggregate.GetColumnBindings()) {
    replacer.replacement_bindings.emplace_back(
        before, duckdb::ColumnBinding(index, replacer.replacement_bindings.size()));
  }
  auto projection = duckdb::make_uniq<duckdb::LogicalProjection>(index, averages.Share(context));
  projection->children.push_back(std::move(plan));
  replacer.stop_operator = *projection;
  plan = std::move(projection);
  replacer.VisitOperator(root);
}

}  // namespace

void ShareAverages(duckdb::ClientContext& context, duckdb::Binder& binder,
                   duckdb::unique_ptr<duckdb::LogicalOperator>& plan) {
  // What has no operator above it is the whole plan: nothing refers to it.
  Share(context, binder, *plan, plan);
}

}  // namespace omendb::duck
