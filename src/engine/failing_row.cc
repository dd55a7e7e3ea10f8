#include "engine/failing_row.h"

#include "base/sqlstate.h"
#include "types/text_io.h"

namespace omendb::engine {
namespace {

// PostgreSQL's maxfieldlen in ExecConstraints.
constexpr size_t kFieldBytesMax = 64;

std::string SchemaName(const StatementContext& context, const catalog::TableDef& table) {
  const catalog::SchemaDef* schema =
      context.catalog != nullptr ? context.catalog->schema(table.schema) : nullptr;
  return schema != nullptr ? schema->name : std::string();
}

// At most kFieldBytesMax bytes without cutting a UTF-8 character.
void AppendClipped(std::string_view text, std::string& out) {
  if (text.size() <= kFieldBytesMax) {
    out += text;
    return;
  }
  size_t size = kFieldBytesMax;
  while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xC0) == 0x80) --size;
  out += text.substr(0, size);
  out += "...";
}

}  // namespace

std::string FailingRowDetail(const StatementContext& context, const catalog::TableDef& table,
                             std::span<const types::Value> row) {
  const types::IoSettings defaults;
  const types::IoSettings& settings =
      context.io_settings != nullptr ? *context.io_settings : defaults;
  std::string detail = "Failing row contains (";
  bool first = true;
  for (const catalog::ColumnDef& column : table.columns) {
    if (column.dropped) continue;
    if (!first) detail += ", ";
    first = false;
    const types::Value& value = row[column.id.value() - 1];
    if (value.is_null) {
      detail += "null";
      continue;
    }
    std::string text;
    types::FormatText(column.type, value, settings, text);
    AppendClipped(text, detail);
  }
  return detail + ").";
}

Status CheckViolation(const StatementContext& context, const catalog::TableDef& table,
                      std::string_view constraint, std::span<const types::Value> row) {
  return Status(sqlstate::kCheckViolation, "new row for relation \"" + table.name +
                                               "\" violates check constraint \"" +
                                               std::string(constraint) + "\"")
      .WithDetail(FailingRowDetail(context, table, row))
      .WithConstraint(SchemaName(context, table), table.name, std::string(constraint));
}

Status NotNullViolation(const StatementContext& context, const catalog::TableDef& table,
                        ColumnId column, std::span<const types::Value> row) {
  const std::string& name = table.column(column).name;
  return Status(sqlstate::kNotNullViolation, "null value in column \"" + name +
                                                 "\" of relation \"" + table.name +
                                                 "\" violates not-null constraint")
      .WithDetail(FailingRowDetail(context, table, row))
      .WithColumn(name)
      .WithConstraint(SchemaName(context, table), table.name, "");
}

}  // namespace omendb::engine
