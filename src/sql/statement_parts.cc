#include "sql/statement_parts.h"

#include <fmt/format.h>

#include "base/sqlstate.h"
#include "sql/type_text.h"

namespace omendb::sql {
namespace {

std::string Literal(const types::SqlType& type, const types::Value& value) {
  const std::string type_name = CastName(type);
  if (value.is_null) return "NULL::" + type_name;
  std::string text;
  types::FormatText(type, value, types::IoSettings{}, text);
  return QuoteLiteral(text) + "::" + type_name;
}

// VALUES with the column names; `rows` is what stands in its parentheses.
std::string QueryOf(const std::vector<types::ResultColumn>& columns, const std::string& rows) {
  std::string names;
  std::string nulls;
  for (const types::ResultColumn& column : columns) {
    names += (names.empty() ? "" : ", ") + QuoteIdentifier(column.name);
    nulls += (nulls.empty() ? "" : ", ") + Literal(column.type, types::Value::Null());
  }
  if (rows.empty()) {
    return fmt::format("SELECT * FROM (VALUES ({})) AS part({}) WHERE false", nulls, names);
  }
  return fmt::format("SELECT * FROM (VALUES {}) AS part({})", rows, names);
}

}  // namespace

Result<std::shared_ptr<Plan>> PlanTree(SessionImpl& session, const Node* tree,
                                       std::span<const types::SqlType> types) {
  OMEN_ASSIGN(const std::string sql, DeparseStatement(tree));
  return session.ParsePlan(sql, types);
}

Result<Node*> RowsAsQuery(SessionImpl& session, Plan& plan, std::span<const types::Value> params,
                          std::string_view what, AstBuilder& build) {
  std::string rows;
  size_t count = 0;
  const auto append = [&](auto value_of) -> Status {
    if (++count > kPartRowsMax) {
      return NotSupported(fmt::format("{} of more than {} rows", what, kPartRowsMax));
    }
    rows += rows.empty() ? "(" : ", (";
    for (size_t c = 0; c < plan.columns.size(); ++c) {
      rows += (c > 0 ? ", " : "") + Literal(plan.columns[c].type, value_of(c));
    }
    rows += ")";
    return Status::Ok();
  };
  const auto each = [&](const types::Chunk* chunk, std::span<const types::Value> row) -> Status {
    if (chunk == nullptr) return append([&](size_t c) { return row[c]; });
    for (uint32_t r = 0; r < chunk->rows_count; ++r) {
      OMEN_TRY(append([&](size_t c) { return chunk->columns[c].Get(r); }));
    }
    return Status::Ok();
  };
  uint64_t affected = 0;
  OMEN_TRY(session.RunQueryRows(plan, params, each, &affected));
  OMEN_ASSIGN(auto tree, ParseTree::Parse(QueryOf(plan.columns, rows)));
  return build.Clone(tree->statement(0).node);
}

}  // namespace omendb::sql
