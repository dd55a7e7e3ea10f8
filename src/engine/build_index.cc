#include "engine/build_index.h"

#include "base/sqlstate.h"
#include "engine/visible_rows.h"

namespace omendb::engine {
namespace {

// All columns' ids, and what rows of before they were added read in them.
struct Columns {
  explicit Columns(const catalog::TableDef& definition) {
    for (const catalog::ColumnDef& column : definition.columns) {
      ids.push_back(column.id);
      missing.push_back(MissingValueOf(column, arena));
    }
  }
  types::Arena arena;
  std::vector<ColumnId> ids;
  types::Row missing;
};

// visit(row id, row) for each visible row, hot or frozen, with a value for each column.
template <typename Visit>
Status ForEachRow(Table& table, const Columns& columns, const mvcc::TxnTable& txns,
                  const mvcc::Snapshot& snapshot, const Visit& visit) {
  const std::shared_ptr<const RunSet> runs = table.frozen().runs();
  types::Row row(columns.ids.size());
  OMEN_TRY(ForEachHotRow(table, *runs, txns, snapshot,
                         [&](const rowstore::Page& page, uint32_t slot) -> Status {
                           const size_t stored = page.layout().columns_count();
                           for (uint32_t i = 0; i < row.size(); ++i) {
                             row[i] = i < stored ? page.Read(i, slot) : columns.missing[i];
                           }
                           visit(RowId(page.header(slot).row_id), row);
                           return Status::Ok();
                         }));
  return ForEachFrozenRow(
      *runs, columns.ids, [&](size_t i) { return columns.missing[i]; },
      [&](RowId id, rowstore::VersionRef, const types::Row& values) -> Status {
        visit(id, values);
        return Status::Ok();
      });
}

}  // namespace

Result<std::shared_ptr<TableIndex>> BuildTableIndex(
    Table& table, const catalog::TableDef& definition, const catalog::IndexDef& index,
    const mvcc::TxnTable& txns, const mvcc::Snapshot& snapshot, RowRef* duplicate) {
  auto built = std::make_shared<TableIndex>(table.epochs(), definition, index);
  std::vector<TableIndex::BulkEntry> entries;
  entries.reserve(table.store().rows_count());
  OMEN_TRY(
      ForEachRow(table, Columns(definition), txns, snapshot, [&](RowId id, const types::Row& row) {
        TableIndex::BulkEntry entry;
        built->KeyOfRow(row, entry.key);
        entry.row = id;
        entry.conflicts = index.unique && built->Conflicts(row);
        entries.push_back(std::move(entry));
      }));
  const std::optional<size_t> repeated = built->BulkLoad(entries);
  if (!repeated) return built;
  if (duplicate != nullptr) {
    duplicate->row_id = entries[*repeated].row;
    duplicate->version = table.store().head(duplicate->row_id);
  }
  return std::shared_ptr<TableIndex>();
}

Status RebuildTable(Table& table, const catalog::TableDef& definition,
                    const mvcc::TxnTable& no_transactions) {
  const mvcc::Snapshot everything{Timestamp(mvcc::kMoved - 1), TxnId(0), 0};
  for (const catalog::IndexDef& index : definition.indexes) {
    OMEN_ASSIGN(std::shared_ptr<TableIndex> built,
                BuildTableIndex(table, definition, index, no_transactions, everything, nullptr));
    if (built == nullptr) {
      return Status(sqlstate::kDataCorrupted, "index \"" + index.name + "\" of table \"" +
                                                  definition.name +
                                                  "\" has a duplicate key after recovery");
    }
    table.AddIndex(std::move(built));
  }
  std::vector<types::SqlType> column_types;
  for (const catalog::ColumnDef& column : definition.columns) column_types.push_back(column.type);
  const Sketches sketches = table.statistics().Ensure(column_types);
  return ForEachRow(table, Columns(definition), no_transactions, everything,
                    [&](RowId, const types::Row& row) {
                      for (size_t i = 0; i < row.size(); ++i) sketches[i]->Add(row[i]);
                    });
}

}  // namespace omendb::engine
