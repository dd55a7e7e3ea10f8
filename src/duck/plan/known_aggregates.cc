#include "duck/plan/known_aggregates.h"

#include <algorithm>
#include <map>

#include "duck/catalog/table_entry.h"
#include "duck/errors.h"
#include "duck/logical_types.h"
#include "duck/scan/table_scan.h"
#include "duck/session_state.h"
#include "duckdb/planner/expression/bound_aggregate_expression.hpp"
#include "duckdb/planner/expression/bound_cast_expression.hpp"
#include "duckdb/planner/expression/bound_columnref_expression.hpp"
#include "duckdb/planner/expression/bound_constant_expression.hpp"
#include "duckdb/planner/operator/logical_aggregate.hpp"
#include "duckdb/planner/operator/logical_dummy_scan.hpp"
#include "duckdb/planner/operator/logical_expression_get.hpp"
#include "duckdb/planner/operator/logical_get.hpp"
#include "duckdb/planner/operator/logical_projection.hpp"
#include "types/big_math.h"
#include "types/numeric.h"

namespace omendb::duck {
namespace {

using duckdb::LogicalOperatorType;
using duckdb::LogicalType;
using duckdb::LogicalTypeId;

class KnownAggregates {
 public:
  // `input` is what is aggregated, `get` the scan that it is, or that is below its projections.
  KnownAggregates(duckdb::ClientContext& context, const duckdb::LogicalOperator& input,
                  const duckdb::LogicalGet& get)
      : session_(SessionState::Get(context)),
        input_(input),
        get_(get),
        table_(get.bind_data->Cast<TableScanData>().table),
        relation_(session_.database->OpenRelation(table_.definition())) {}

  // Of an aggregate.
  static bool CountsRows(const duckdb::Expression& expression) {
    return expression.Cast<duckdb::BoundAggregateExpression>().function.name == "count_star";
  }
  // Whether it is count(*), or one of a column that facts tell: looks at no row.
  bool MayKnow(const duckdb::Expression& expression) const {
    if (expression.GetExpressionClass() != duckdb::ExpressionClass::BOUND_AGGREGATE) return false;
    const auto& aggregate = expression.Cast<duckdb::BoundAggregateExpression>();
    if (aggregate.filter != nullptr || aggregate.order_bys != nullptr) return false;
    if (CountsRows(expression)) return true;
    const auto column = ColumnOf(aggregate);
    if (!column) return false;
    const std::string& name = aggregate.function.name;
    const LogicalType type = ToLogicalType(TypeOf(*column));
    if (name == "min" || name == "max") return aggregate.return_type == type;
    if (aggregate.IsDistinct()) return false;
    if (name == "count") return true;
    return (name == "sum" || name == "avg") && IsExactNumber(type);
  }
  // Null when a scan has to tell. Requires: MayKnow.
  duckdb::unique_ptr<duckdb::Expression> Find(const duckdb::Expression& expression) {
    const auto& aggregate = expression.Cast<duckdb::BoundAggregateExpression>();
    const std::optional<duckdb::Value> value =
        CountsRows(expression) ? CountOfRows() : Tell(aggregate, *ColumnOf(aggregate));
    if (!value) return nullptr;
    return duckdb::make_uniq<duckdb::BoundConstantExpression>(
        value->DefaultCastAs(aggregate.return_type));
  }

 private:
  using Facts = engine::Relation::ColumnFacts;

  static bool IsExactNumber(const LogicalType& type) {
    return type.id() == LogicalTypeId::SMALLINT || type.id() == LogicalTypeId::INTEGER ||
           type.id() == LogicalTypeId::BIGINT || type.id() == LogicalTypeId::DECIMAL;
  }
  // In 38 digits.
  static bool FitsNumeric(types::Int128 value) {
    const types::Int128 end = types::PowerOfTen(38);
    return value < end && value > -end;
  }
  static int ScaleOf(const LogicalType& type) {
    return type.id() == LogicalTypeId::DECIMAL ? duckdb::DecimalType::GetScale(type) : 0;
  }
  types::SqlType TypeOf(ColumnId column) const { return table_.definition()->column(column).type; }

  // The scan's column that the expression is, if it is one; perhaps as a wider integer.
  duckdb::optional_ptr<const duckdb::BoundColumnRefExpression> AtScan(
      const duckdb::Expression& expression) const {
    duckdb::reference<const duckdb::Expression> found = Unwidened(expression);
    duckdb::reference<const duckdb::LogicalOperator> from = input_;
    for (;;) {
      if (found.get().GetExpressionClass() != duckdb::ExpressionClass::BOUND_COLUMN_REF) return {};
      const auto& column = found.get().Cast<duckdb::BoundColumnRefExpression>();
      if (from.get().type != LogicalOperatorType::LOGICAL_PROJECTION) return column;
      const auto& projection = from.get().Cast<duckdb::LogicalProjection>();
      if (column.binding.table_index != projection.table_index) return {};
      found = Unwidened(*projection.expressions[column.binding.column_index]);
      from = *projection.children.front();
    }
  }
  static const duckdb::Expression& Unwidened(const duckdb::Expression& expression) {
    if (expression.GetExpressionClass() != duckdb::ExpressionClass::BOUND_CAST) return expression;
    const auto& child = *expression.Cast<duckdb::BoundCastExpression>().child;
    const bool widens = IsWider(expression.return_type, child.return_type);
    return widens ? child : expression;
  }
  static bool IsWider(const LogicalType& type, const LogicalType& than) {
    return (type.id() == LogicalTypeId::BIGINT || type.id() == LogicalTypeId::INTEGER) &&
           (than.id() == LogicalTypeId::INTEGER || than.id() == LogicalTypeId::SMALLINT);
  }

  std::optional<ColumnId> ColumnOf(const duckdb::BoundAggregateExpression& aggregate) const {
    if (aggregate.children.size() != 1) return std::nullopt;
    const auto argument = AtScan(*aggregate.children.front());
    if (!argument) return std::nullopt;
    const auto& binding = argument->binding;
    const auto& ids = get_.GetColumnIds();
    if (binding.table_index != get_.table_index || binding.column_index >= ids.size()) {
      return std::nullopt;
    }
    const duckdb::idx_t id = ids[binding.column_index].GetPrimaryIndex();
    if (id >= table_.column_ids().size()) return std::nullopt;
    return table_.column_ids()[id];
  }

  std::optional<duckdb::Value> CountOfRows() {
    const uint64_t rows = ValueOrThrow(relation_->CountRows(session_.RequireStatement()));
    return duckdb::Value::BIGINT(static_cast<int64_t>(rows));
  }

  const std::optional<Facts>& FactsOf(ColumnId column) {
    auto known = facts_.find(column);
    if (known == facts_.end()) {
      auto found = ValueOrThrow(relation_->FactsOf(session_.RequireStatement(), column));
      known = facts_.emplace(column, std::move(found)).first;
    }
    return known->second;
  }

  std::optional<duckdb::Value> Tell(const duckdb::BoundAggregateExpression& aggregate,
                                    ColumnId column) {
    const std::optional<Facts>& facts = FactsOf(column);
    if (!facts) return std::nullopt;
    const std::string& name = aggregate.function.name;
    if (name == "count") return duckdb::Value::BIGINT(static_cast<int64_t>(facts->values));
    if (facts->values == 0) return duckdb::Value(aggregate.return_type);
    if (name == "min") return ToDuckValue(TypeOf(column), facts->least);
    if (name == "max") return ToDuckValue(TypeOf(column), facts->greatest);
    if (!facts->sum) return std::nullopt;
    const int scale = ScaleOf(ToLogicalType(TypeOf(column)));
    return name == "sum" ? Sum(*facts->sum, scale, aggregate.return_type)
                         : Average(*facts->sum, facts->values, scale);
  }

  // A sum that its type cannot hold is left to a scan, which fails as it should.
  static std::optional<duckdb::Value> Sum(types::Int128 sum, int scale, const LogicalType& type) {
    const duckdb::hugeint_t huge(static_cast<int64_t>(sum >> 64), static_cast<uint64_t>(sum));
    if (type.id() == LogicalTypeId::BIGINT) {
      if (sum < INT64_MIN || sum > INT64_MAX) return std::nullopt;
      return duckdb::Value::BIGINT(static_cast<int64_t>(sum));
    }
    const LogicalType decimal = LogicalType::DECIMAL(38, static_cast<uint8_t>(scale));
    if (type != decimal || !FitsNumeric(sum)) return std::nullopt;
    return duckdb::Value::DECIMAL(huge, 38, static_cast<uint8_t>(scale));
  }

  static std::optional<duckdb::Value> Average(types::Int128 sum, uint64_t values, int scale) {
    if (!FitsNumeric(sum)) return std::nullopt;
    std::string bytes;
    ThrowIfError(
        types::AppendQuotient({sum, scale}, {static_cast<types::Int128>(values), 0}, bytes));
    return ToDuckValue({types::TypeKind::kNumeric}, types::Value::String(bytes));
  }

  SessionState& session_;
  const duckdb::LogicalOperator& input_;
  const duckdb::LogicalGet& get_;
  const OmenTableEntry& table_;
  const std::shared_ptr<engine::Relation> relation_;
  std::map<ColumnId, std::optional<Facts>> facts_;
};

// All rows of a table, perhaps below projections.
duckdb::optional_ptr<const duckdb::LogicalGet> PlainScan(const duckdb::LogicalOperator& plan) {
  if (plan.type == LogicalOperatorType::LOGICAL_PROJECTION) {
    return PlainScan(*plan.children.front());
  }
  if (plan.type != LogicalOperatorType::LOGICAL_GET) return {};
  const auto& get = plan.Cast<duckdb::LogicalGet>();
  const bool plain =
      get.function.name == TableScanFunction().name && get.table_filters.filters.empty();
  return plain ? duckdb::optional_ptr<const duckdb::LogicalGet>(get) : nullptr;
}

void Replace(duckdb::ClientContext& context, duckdb::unique_ptr<duckdb::LogicalOperator>& plan) {
  auto& aggregate = plan->Cast<duckdb::LogicalAggregate>();
  if (!aggregate.groups.empty() || !aggregate.grouping_functions.empty()) return;
  const auto scan = PlainScan(*aggregate.children.front());
  if (!scan) return;
  KnownAggregates known(context, *aggregate.children.front(), *scan);
  // One that needs a scan makes what is found of the others useless.
  const bool all = std::all_of(aggregate.expressions.begin(), aggregate.expressions.end(),
                               [&](const auto& expression) { return known.MayKnow(*expression); });
  if (!all) return;
  duckdb::vector<duckdb::LogicalType> types;
  for (const auto& expression : aggregate.expressions) types.push_back(expression->return_type);
  duckdb::vector<duckdb::unique_ptr<duckdb::Expression>> values(types.size());
  // Counting comes last: it may look at many pages.
  for (const bool counts : {false, true}) {
    for (size_t i = 0; i < values.size(); ++i) {
      const duckdb::Expression& expression = *aggregate.expressions[i];
      if (KnownAggregates::CountsRows(expression) != counts) continue;
      values[i] = known.Find(expression);
      if (values[i] == nullptr) return;
      values[i]->SetAlias(expression.GetName());
    }
  }
  duckdb::vector<duckdb::vector<duckdb::unique_ptr<duckdb::Expression>>> row;
  row.push_back(std::move(values));
  auto found = duckdb::make_uniq<duckdb::LogicalExpressionGet>(aggregate.aggregate_index,
                                                               std::move(types), std::move(row));
  found->children.push_back(duckdb::make_uniq<duckdb::LogicalDummyScan>(aggregate.group_index));
  plan = std::move(found);
}

}  // namespace

void ReplaceKnownAggregates(duckdb::ClientContext& context,
                            duckdb::unique_ptr<duckdb::LogicalOperator>& plan) {
  for (auto& child : plan->children) ReplaceKnownAggregates(context, child);
  if (plan->type == LogicalOperatorType::LOGICAL_AGGREGATE_AND_GROUP_BY) Replace(context, plan);
}

}  // namespace omendb::duck
