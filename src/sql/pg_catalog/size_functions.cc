// How large things are. Rows of a table share pages in memory: sizes are estimates by row count.
#include <fmt/format.h>

#include <cmath>

#include "engine/relation.h"
#include "sql/names.h"
#include "sql/pg_catalog/functions.h"

namespace omendb::sql {
namespace {

using types::SqlType;
using types::TypeKind;
using types::Value;

constexpr int64_t kSlotOverheadBytes = 32;  // Timestamps, row id and version chain of a row.
constexpr int64_t kIndexEntryBytes = 16;

int64_t RowBytes(const catalog::TableDef& table) {
  int64_t bytes = kSlotOverheadBytes;
  for (const catalog::ColumnDef& column : table.columns) {
    if (!column.dropped) bytes += types::PhysicalSize(types::PhysicalTypeOf(column.type));
  }
  return bytes;
}

int64_t Rows(FunctionCall& call, const std::shared_ptr<const catalog::TableDef>& table) {
  return static_cast<int64_t>(call.instance.database().OpenRelation(table)->rows_estimate());
}

int64_t TableBytes(FunctionCall& call, uint32_t oid) {
  auto table = call.catalog().table(Oid(oid));
  return table == nullptr ? 0 : Rows(call, table) * RowBytes(*table);
}

int64_t IndexBytes(FunctionCall& call, uint32_t oid) {
  auto table = call.catalog().table(Oid(oid));
  if (table == nullptr) return 0;
  return Rows(call, table) * kIndexEntryBytes * static_cast<int64_t>(table->indexes.size());
}

Result<Value> RelationSize(FunctionCall& call) {
  if (auto owner = call.catalog().TableOfIndex(Oid(call.oid(0)))) {
    return Value::Int64(Rows(call, owner) * kIndexEntryBytes);
  }
  return Value::Int64(TableBytes(call, call.oid(0)));
}
Result<Value> TableSize(FunctionCall& call) { return Value::Int64(TableBytes(call, call.oid(0))); }
Result<Value> IndexesSize(FunctionCall& call) {
  return Value::Int64(IndexBytes(call, call.oid(0)));
}
Result<Value> TotalSize(FunctionCall& call) {
  return Value::Int64(TableBytes(call, call.oid(0)) + IndexBytes(call, call.oid(0)));
}

template <SqlFunction function>
Result<Value> ByName(FunctionCall& call) {
  OMEN_ASSIGN(QualifiedRelation name, ParseQualifiedName(call.text(0)));
  OMEN_ASSIGN(catalog::Relation found, GetRelation(call.session, name));
  const Value oid = FunctionCall::OidValue(RelationOid(found).value());
  FunctionCall inner{call.instance, call.session, call.context, std::span<const Value>(&oid, 1),
                     call.arena};
  return function(inner);
}

Result<Value> DatabaseSize(FunctionCall& call) {
  int64_t bytes = 0;
  for (const auto& table : call.catalog().tables(call.context.database)) {
    bytes += Rows(call, table) * RowBytes(*table);
  }
  return Value::Int64(bytes);
}

// As pg_size_pretty: the next unit from 10 of it on, rounded half away from zero.
Result<Value> SizePretty(FunctionCall& call) {
  constexpr const char* kUnits[] = {"bytes", "kB", "MB", "GB", "TB", "PB"};
  int64_t size = call.args[0].i64;
  constexpr int64_t kLimit = 10 * 1024;
  size_t unit = 0;
  if (std::llabs(size) < kLimit) return call.Text(fmt::format("{} bytes", size));
  // One bit more than the unit is kept for rounding.
  size >>= 9;
  unit = 1;
  while (std::llabs(size) >= kLimit * 2 - 1 && unit + 1 < std::size(kUnits)) {
    size >>= 10;
    ++unit;
  }
  const int64_t rounded = size < 0 ? (size - 1) / 2 : (size + 1) / 2;
  return call.Text(fmt::format("{} {}", rounded, kUnits[unit]));
}

Result<Value> Filenode(FunctionCall& call) {
  auto table = call.catalog().table(Oid(call.oid(0)));
  return table != nullptr ? FunctionCall::OidValue(table->storage.value()) : Value::Null();
}
Result<Value> EmptyText(FunctionCall& call) { return call.Text(""); }
Result<Value> Zero8(FunctionCall&) { return Value::Int64(0); }

}  // namespace

std::vector<FunctionEntry> SizeFunctions() {
  const SqlType text{TypeKind::kText}, int8{TypeKind::kInt8}, oid{TypeKind::kOid};
  return {
      {"pg_size_pretty", {TypeKind::kInt8}, text, SizePretty},
      {"pg_relation_size", {TypeKind::kOid, TypeKind::kText}, int8, RelationSize, 1},
      {"pg_relation_size", {TypeKind::kText, TypeKind::kText}, int8, ByName<RelationSize>, 1},
      {"pg_table_size", {TypeKind::kOid}, int8, TableSize},
      {"pg_table_size", {TypeKind::kText}, int8, ByName<TableSize>},
      {"pg_indexes_size", {TypeKind::kOid}, int8, IndexesSize},
      {"pg_indexes_size", {TypeKind::kText}, int8, ByName<IndexesSize>},
      {"pg_total_relation_size", {TypeKind::kOid}, int8, TotalSize},
      {"pg_total_relation_size", {TypeKind::kText}, int8, ByName<TotalSize>},
      {"pg_database_size", {TypeKind::kOid}, int8, DatabaseSize},
      {"pg_database_size", {TypeKind::kText}, int8, DatabaseSize},
      {"pg_tablespace_size", {TypeKind::kOid}, int8, Zero8},
      {"pg_relation_filenode", {TypeKind::kOid}, oid, Filenode},
      {"pg_tablespace_location", {TypeKind::kOid}, text, EmptyText},
  };
}

}  // namespace omendb::sql
