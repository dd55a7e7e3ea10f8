#include "engine/build_index.h"

#include "base/sqlstate.h"
#include "mvcc/visibility.h"

namespace omendb::engine {
namespace {

template <typename Visit>
void ForEachVisible(Table& table, const mvcc::TxnTable& txns, const mvcc::Snapshot& snapshot,
                    const Visit& visit) {
  const rowstore::TableStore& store = table.store();
  for (uint64_t number = 1; number <= store.pages_count(); ++number) {
    const rowstore::Page* page = store.page_at(number);
    if (page == nullptr) continue;
    const uint32_t used = page->used();
    for (uint32_t slot = 0; slot < used; ++slot) {
      const rowstore::VersionHeader& header = page->header(slot);
      if (mvcc::IsVisible(txns, snapshot, header.begin, header.end)) visit(*page, slot);
    }
  }
}

}  // namespace

std::shared_ptr<TableIndex> BuildTableIndex(Table& table, const catalog::TableDef& definition,
                                            const catalog::IndexDef& index,
                                            const mvcc::TxnTable& txns,
                                            const mvcc::Snapshot& snapshot, RowRef* duplicate) {
  auto built = std::make_shared<TableIndex>(table.epochs(), definition, index);
  std::vector<TableIndex::BulkEntry> entries;
  entries.reserve(table.store().rows_count());
  types::Arena arena;
  types::Row missing;
  for (const catalog::ColumnDef& column : definition.columns) {
    missing.push_back(MissingValueOf(column, arena));
  }
  types::Row row;
  ForEachVisible(table, txns, snapshot, [&](const rowstore::Page& page, uint32_t slot) {
    TableIndex::BulkEntry entry;
    built->KeyOfVersion(page, slot, entry.key);
    entry.row = RowId(page.header(slot).row_id);
    entry.conflicts = false;
    if (index.unique) {
      row.resize(definition.columns.size());
      for (uint32_t i = 0; i < row.size(); ++i) {
        row[i] = i < page.layout().columns_count() ? page.Read(i, slot) : missing[i];
      }
      entry.conflicts = built->Conflicts(row);
    }
    entries.push_back(std::move(entry));
  });
  const std::optional<size_t> repeated = built->BulkLoad(entries);
  if (!repeated) return built;
  if (duplicate != nullptr) {
    duplicate->row_id = entries[*repeated].row;
    duplicate->version = table.store().head(duplicate->row_id);
  }
  return nullptr;
}

Status RebuildTable(Table& table, const catalog::TableDef& definition,
                    const mvcc::TxnTable& no_transactions) {
  const mvcc::Snapshot everything{Timestamp(mvcc::kInfinity - 1), TxnId(0), 0};
  for (const catalog::IndexDef& index : definition.indexes) {
    std::shared_ptr<TableIndex> built =
        BuildTableIndex(table, definition, index, no_transactions, everything, nullptr);
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
  ForEachVisible(table, no_transactions, everything,
                 [&](const rowstore::Page& page, uint32_t slot) {
                   const size_t stored = page.layout().columns_count();
                   for (uint32_t i = 0; i < sketches.size() && i < stored; ++i) {
                     sketches[i]->Add(page.Read(i, slot));
                   }
                 });
  return Status::Ok();
}

}  // namespace omendb::engine
