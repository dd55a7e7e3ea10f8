// Defaults and generated columns for the engine, which knows no expressions: referential actions.
#include <fmt/format.h>

#include "sql/names.h"
#include "sql/session_impl.h"
#include "sql/type_text.h"

namespace omendb::sql {

Result<types::Row> SessionImpl::EvaluateInside(const std::string& sql,
                                               std::span<const types::SqlType> types,
                                               std::span<const types::Value> params,
                                               types::Arena& arena) {
  OMEN_ASSIGN(auto plan, ParsePlan(sql, types));
  OMEN_TRY(EnsureBound(*plan));
  types::Row row;
  OMEN_TRY(OnPool([&](Waiter& waiter) -> Status {
    engine::StatementContext context = MakeContext(waiter);
    OMEN_ASSIGN(auto stream, duck_->Execute(*plan->bound, params, context));
    OMEN_ASSIGN(const types::Chunk* chunk, stream->Next());
    for (size_t c = 0; chunk != nullptr && c < chunk->columns.size(); ++c) {
      const types::Value value = chunk->columns[c].Get(0);
      row.push_back(value.is_null ? value
                                  : types::CopyTo(arena, chunk->columns[c].physical, value));
    }
    return Status::Ok();
  }));
  return row;
}

Result<types::Value> SessionImpl::DefaultOf(const catalog::TableDef& table, ColumnId column,
                                            types::Arena& arena) {
  const catalog::ColumnDef& def = table.column(column);
  if (def.default_sql.empty()) return types::Value::Null();
  OMEN_ASSIGN(const types::Row row, EvaluateInside(fmt::format("SELECT CAST(({}) AS {})",
                                                               def.default_sql, CastName(def.type)),
                                                   {}, {}, arena));
  return row.empty() ? types::Value::Null() : row[0];
}

Status SessionImpl::ComputeGenerated(const catalog::TableDef& table, std::span<types::Value> row,
                                     types::Arena& arena) {
  std::string list;
  std::string from;
  std::vector<ColumnId> generated;
  std::vector<types::SqlType> types;
  std::vector<types::Value> params;
  for (ColumnId id : table.live_columns()) {
    const catalog::ColumnDef& column = table.column(id);
    const std::string type = CastName(column.type);
    if (!column.generated_sql.empty()) {
      list +=
          fmt::format("{}CAST(({}) AS {})", list.empty() ? "" : ", ", column.generated_sql, type);
      generated.push_back(id);
      continue;
    }
    types.push_back(column.type);
    params.push_back(row[static_cast<size_t>(id.value() - 1)]);
    from += fmt::format("{}${}::{} AS {}", from.empty() ? "" : ", ", types.size(), type,
                        QuoteIdentifier(column.name));
  }
  OMEN_ASSIGN(const types::Row values,
              EvaluateInside(fmt::format("SELECT {} FROM (SELECT {}) AS {}", list, from,
                                         QuoteIdentifier(table.name)),
                             types, params, arena));
  for (size_t i = 0; i < values.size(); ++i) {
    row[static_cast<size_t>(generated[i].value() - 1)] = values[i];
  }
  return Status::Ok();
}

}  // namespace omendb::sql
