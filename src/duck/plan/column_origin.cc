#include "duck/plan/column_origin.h"

#include <unordered_map>

#include "duck/catalog/system_table_entry.h"
#include "duck/catalog/table_entry.h"
#include "duck/dml/joined_returning.h"
#include "duck/functions/text_casts.h"
#include "duck/logical_types.h"
#include "duck/plan/each_expression.h"
#include "duckdb/planner/expression/bound_cast_expression.hpp"
#include "duckdb/planner/expression/bound_columnref_expression.hpp"
#include "duckdb/planner/operator/logical_aggregate.hpp"
#include "duckdb/planner/operator/logical_delete.hpp"
#include "duckdb/planner/operator/logical_get.hpp"
#include "duckdb/planner/operator/logical_insert.hpp"
#include "duckdb/planner/operator/logical_projection.hpp"
#include "duckdb/planner/operator/logical_update.hpp"

namespace omendb::duck {

namespace {

class Tracer {
 public:
  void Collect(duckdb::LogicalOperator& op) {
    switch (op.type) {
      case duckdb::LogicalOperatorType::LOGICAL_PROJECTION:
        expressions_[op.Cast<duckdb::LogicalProjection>().table_index] = &op.expressions;
        break;
      case duckdb::LogicalOperatorType::LOGICAL_AGGREGATE_AND_GROUP_BY: {
        auto& aggregate = op.Cast<duckdb::LogicalAggregate>();
        expressions_[aggregate.group_index] = &aggregate.groups;
        break;
      }
      case duckdb::LogicalOperatorType::LOGICAL_GET: {
        auto& get = op.Cast<duckdb::LogicalGet>();
        if (get.function.name == "omendb_scan" || get.function.name == kSystemScanName) {
          gets_[get.table_index] = &get;
        }
        break;
      }
      case duckdb::LogicalOperatorType::LOGICAL_INSERT: {
        auto& insert = op.Cast<duckdb::LogicalInsert>();
        written_[insert.table_index] = {&insert.table, &op};
        break;
      }
      case duckdb::LogicalOperatorType::LOGICAL_UPDATE: {
        auto& update = op.Cast<duckdb::LogicalUpdate>();
        written_[update.table_index] = {&update.table, &op};
        break;
      }
      case duckdb::LogicalOperatorType::LOGICAL_DELETE: {
        auto& del = op.Cast<duckdb::LogicalDelete>();
        written_[del.table_index] = {&del.table, &op};
        break;
      }
      default:
        break;
    }
    for (auto& child : op.children) Collect(*child);
  }

  bool has_tables() const { return !gets_.empty(); }

  std::optional<ColumnOrigin> Trace(duckdb::ColumnBinding binding) const {
    for (int depth = 0; depth < 64; ++depth) {
      if (auto get = gets_.find(binding.table_index); get != gets_.end()) {
        const auto& ids = get->second->GetColumnIds();
        if (binding.column_index >= ids.size()) return std::nullopt;
        if (get->second->function.name == kSystemScanName) {
          return SystemColumn(*get->second, ids[binding.column_index].GetPrimaryIndex());
        }
        const auto table = get->second->GetTable();
        if (!table) return std::nullopt;
        return Column(table->Cast<OmenTableEntry>(), ids[binding.column_index].GetPrimaryIndex());
      }
      const duckdb::Expression* expr = nullptr;
      if (auto written = written_.find(binding.table_index); written != written_.end()) {
        const auto& table = written->second.table->Cast<OmenTableEntry>();
        if (binding.column_index < table.column_ids().size()) {
          return Column(table, binding.column_index);
        }
        expr = Joined(*written->second.write, binding.column_index - table.column_ids().size());
      } else {
        expr = Computed(binding);
      }
      if (expr == nullptr ||
          expr->GetExpressionClass() != duckdb::ExpressionClass::BOUND_COLUMN_REF) {
        return std::nullopt;
      }
      binding = expr->Cast<duckdb::BoundColumnRefExpression>().binding;
    }
    return std::nullopt;
  }

 private:
  struct Written {
    duckdb::TableCatalogEntry* table;
    duckdb::LogicalOperator* write;
  };

  const duckdb::Expression* Computed(duckdb::ColumnBinding binding) const {
    const auto found = expressions_.find(binding.table_index);
    if (found == expressions_.end() || binding.column_index >= found->second->size()) {
      return nullptr;
    }
    return (*found->second)[binding.column_index].get();
  }
  // A column of the row that is joined to the one written.
  static const duckdb::Expression* Joined(const duckdb::LogicalOperator& write,
                                          duckdb::idx_t index) {
    const auto* joined = dynamic_cast<const JoinedColumns*>(&write);
    if (joined == nullptr || joined->first + index >= write.expressions.size()) return nullptr;
    return write.expressions[joined->first + index].get();
  }
  // Only its type: int2vector is a list to DuckDB, and clients must not see it as an array.
  static std::optional<ColumnOrigin> SystemColumn(const duckdb::LogicalGet& get,
                                                  duckdb::idx_t index) {
    const SystemTable& table = SystemTableOf(*get.bind_data);
    if (index >= table.columns.size()) return std::nullopt;
    return ColumnOrigin{Oid(0), ColumnId(0), table.columns[index].type};
  }
  static std::optional<ColumnOrigin> Column(const OmenTableEntry& table, duckdb::idx_t index) {
    if (index >= table.column_ids().size()) return std::nullopt;
    const ColumnId id = table.column_ids()[index];
    return ColumnOrigin{table.definition()->oid, id, table.definition()->column(id).type};
  }

  std::unordered_map<duckdb::idx_t, duckdb::vector<duckdb::unique_ptr<duckdb::Expression>>*>
      expressions_;
  std::unordered_map<duckdb::idx_t, duckdb::LogicalGet*> gets_;
  std::unordered_map<duckdb::idx_t, Written> written_;
};

bool IsListToText(const duckdb::Expression& expr) {
  return expr.GetExpressionClass() == duckdb::ExpressionClass::BOUND_CAST &&
         expr.return_type.id() == duckdb::LogicalTypeId::VARCHAR &&
         expr.Cast<duckdb::BoundCastExpression>().child->return_type.id() ==
             duckdb::LogicalTypeId::LIST;
}

void FormatAsIs(duckdb::BoundCastExpression& cast, const Tracer& tracer) {
  if (cast.child->GetExpressionClass() != duckdb::ExpressionClass::BOUND_COLUMN_REF) return;
  const auto origin = tracer.Trace(cast.child->Cast<duckdb::BoundColumnRefExpression>().binding);
  if (origin && !origin->type.is_array && ElementOf(origin->type)) {
    FormatAs(origin->type, cast.bound_cast);
  }
}

}  // namespace

void FormatVectorCasts(duckdb::LogicalOperator& plan) {
  Tracer tracer;
  tracer.Collect(plan);
  if (!tracer.has_tables()) return;
  EachExpression(plan, [&](duckdb::unique_ptr<duckdb::Expression>& expr) {
    if (IsListToText(*expr)) FormatAsIs(expr->Cast<duckdb::BoundCastExpression>(), tracer);
  });
}

std::vector<std::optional<ColumnOrigin>> TraceColumns(duckdb::LogicalOperator& plan) {
  Tracer tracer;
  tracer.Collect(plan);
  std::vector<std::optional<ColumnOrigin>> origins;
  for (const auto& binding : plan.GetColumnBindings()) origins.push_back(tracer.Trace(binding));
  return origins;
}

}  // namespace omendb::duck
