#include "engine/key_text.h"

#include "types/text_io.h"

namespace omendb::engine {

namespace {

// As PostgreSQL writes identifiers: quoted unless they are plain lower case.
std::string Quoted(const std::string& name) {
  const bool plain =
      !name.empty() && !(name[0] >= '0' && name[0] <= '9') &&
      name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string::npos;
  if (plain) return name;
  std::string quoted = "\"";
  for (const char c : name) quoted += c == '"' ? "\"\"" : std::string(1, c);
  return quoted + "\"";
}

}  // namespace

std::string KeyText(const StatementContext& context, const catalog::TableDef& table,
                    std::span<const ColumnId> columns, std::span<const types::Value> values) {
  const types::IoSettings defaults;
  const types::IoSettings& settings =
      context.io_settings != nullptr ? *context.io_settings : defaults;
  std::string names;
  std::string texts;
  for (size_t i = 0; i < columns.size(); ++i) {
    if (i > 0) {
      names += ", ";
      texts += ", ";
    }
    const catalog::ColumnDef& column = table.column(columns[i]);
    names += Quoted(column.name);
    if (values[i].is_null) {
      texts += "null";
    } else {
      types::FormatText(column.type, values[i], settings, texts);
    }
  }
  return "Key (" + names + ")=(" + texts + ")";
}

}  // namespace omendb::engine
