#include "engine/load_undo.h"

#include <algorithm>

namespace omendb::engine {

using rowstore::IsFrozen;
using rowstore::VersionRef;

void LoadUndo::Stamp(Timestamp ts) {
  const std::shared_ptr<const RunSet> set = table_->frozen().runs();
  for (const Loaded& loaded : loaded_) {
    set->runs[loaded.segment].segment->set_begin(mvcc::WordOf(ts));
  }
}

// What was done to the rows since has been undone before: the heads are frozen again.
void LoadUndo::Undo() {
  rowstore::TableStore& store = table_->store();
  for (const Loaded& loaded : loaded_) {
    table_->frozen().Abandon(loaded.segment);
    int64_t rows = 0;
    for (uint32_t i = 0; i < loaded.count; ++i) {
      const RowId row(loaded.first.value() + i);
      const VersionRef head = store.head(row);
      if (IsFrozen(head) && store.SetHead(row, head, rowstore::kRowGone)) ++rows;
    }
    store.AddRows(-rows);
  }
  for (const auto indexes = table_->indexes(); const auto& index : *indexes) EraseKeys(*index);
}

bool LoadUndo::IsLoaded(RowId row) const {
  const auto after =
      std::upper_bound(loaded_.begin(), loaded_.end(), row,
                       [](RowId id, const Loaded& loaded) { return id < loaded.first; });
  if (after == loaded_.begin()) return false;
  const Loaded& loaded = *(after - 1);
  return row.value() - loaded.first.value() < loaded.count;
}

void LoadUndo::EraseKeys(TableIndex& index) const {
  struct Entry {
    std::string key;
    RowId row;
  };
  std::vector<Entry> entries;
  const auto erase = [&] {
    for (const Entry& entry : entries) {
      if (index.is_row_map()) {
        index.EraseRow(entry.key, entry.row);
      } else {
        index.EraseEntry(entry.key, entry.row);
      }
    }
    entries.clear();
  };
  constexpr size_t kBatch = 4096;
  TableIndex::Cursor cursor(index, index.BoundsOf({}), /*backward=*/false);
  RowId row;
  std::string_view key;
  while (cursor.Next(&row, &key)) {
    if (!IsLoaded(row)) continue;
    entries.push_back({std::string(key), row});
    if (entries.size() == kBatch) erase();
  }
  erase();
}

}  // namespace omendb::engine
