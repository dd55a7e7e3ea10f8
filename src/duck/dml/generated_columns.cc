#include "duck/dml/generated_columns.h"

#include "duck/catalog/table_entry.h"
#include "duck/logical_types.h"
#include "duck/plan/number_comparison.h"
#include "duck/plan/statement_rewrite.h"
#include "duck/session_state.h"
#include "duckdb/planner/binder.hpp"
#include "duckdb/planner/expression_binder/check_binder.hpp"

namespace omendb::duck {

std::vector<GeneratedColumn> BindGeneratedColumns(duckdb::ClientContext& context,
                                                  SessionState& state,
                                                  const OmenTableEntry& table) {
  std::vector<GeneratedColumn> generated;
  const auto& ids = table.column_ids();
  for (size_t i = 0; i < ids.size(); ++i) {
    const catalog::ColumnDef& column = table.definition()->column(ids[i]);
    if (column.generated_sql.empty()) continue;
    auto binder = duckdb::Binder::CreateBinder(context);
    duckdb::physical_index_set_t read_columns;
    duckdb::CheckBinder check(*binder, context, table.name, table.GetColumns(), read_columns);
    check.target_type = ToLogicalType(column.type);
    auto parsed = ParseCatalogExpression(state, column.generated_sql);
    auto value = check.Bind(parsed);
    CompareNumbers(context, value);
    generated.push_back({i, std::move(value)});
  }
  return generated;
}

}  // namespace omendb::duck
