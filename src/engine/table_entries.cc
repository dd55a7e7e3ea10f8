// Entries that come to a secondary index from where they lay instead: packed lists of replaced
// rows, and runs of segments.
#include <algorithm>
#include <utility>

#include "base/sqlstate.h"
#include "engine/table.h"

namespace omendb::engine {

using rowstore::FrozenSegmentOf;
using rowstore::IsFrozen;
using rowstore::MakeFrozenRef;
using rowstore::VersionRef;

bool Table::EnterPacked(size_t segments_max) {
  bool left = false;
  for (const auto list = indexes(); const auto& index : *list) {
    const std::shared_ptr<const PackedLists::List> lists = index->packed().all();
    if (lists == nullptr) continue;
    for (const PackedLists::Listed& listed : *lists) {
      const FrozenSegment& segment = frozen_.SegmentOf(MakeFrozenRef(listed.segment, 0));
      const bool waits =
          segment.has_older() || mvcc::IsTxnWord(segment.begin().load(std::memory_order_acquire));
      if (waits || segments_max == 0) {
        left = true;
        continue;
      }
      --segments_max;
      EnterPackedOf(*index, listed.segment, *listed.entries);
      index->packed().Remove(listed.segment);
    }
  }
  return left;
}

void Table::EnterPackedOf(TableIndex& index, uint64_t segment, const PackedEntries& entries) {
  const EntrySource source{{segment}, {}};
  PackedEntries::Cursor cursor(entries);
  for (uint32_t i = 0; i < entries.size(); ++i) {
    EnterEntry(index, source, cursor.KeyAt(i), cursor.RowAt(i));
  }
}

// Whatever has become of the row: where one of its versions has the key, hot or frozen, the entry
// is there afterwards. Who gives a row another version with its key, which enters nothing, does so
// before or after this has looked at the row's versions, and both have the key. Who takes the last
// one away that has it takes the entry too, under the row's stripe, afterwards. And who gives the
// row the key anew enters it himself. A row whose head lies in one of the source's own segments has
// its entry there; where these are several, it may have had another key in one before: then an
// entry too many is a hint like others.
void Table::EnterEntry(TableIndex& index, const EntrySource& source, std::string_view key,
                       RowId row) {
  EpochGuard guard(epochs_);
  MutexLock lock(row_stripe(row));
  const VersionRef head = store_.head(row);
  const bool is_frozen = head != 0 && IsFrozen(head);
  const uint64_t segment = is_frozen ? FrozenSegmentOf(head) : 0;
  const bool is_head =
      is_frozen && std::binary_search(source.own.begin(), source.own.end(), segment);
  // The row's only version lies in another run's segment.
  if (is_frozen && !is_head && source.elsewhere.contains(segment) && OlderThan(head) == 0) return;
  if (is_head || HasKey(index, key, row)) index.InsertEntry(key, row);
}

// Entries of neighbouring keys lie anywhere in a table: some at a time they are taken in the order
// of their rows, so that neighbouring rows are looked at together.
Status Table::EnterRun(TableIndex& index, const IndexRuns::Listed& listed, const Stop& stop) {
  constexpr size_t kAtOnce = size_t{1} << 16;
  constexpr size_t kBytesAtOnce = 4 << 20;  // of keys
  EntrySource source;
  for (const IndexRuns::Listed& other : index.runs().all()) {
    if (other.run == listed.run) continue;
    source.elsewhere.insert(other.segments.begin(), other.segments.end());
  }
  std::copy_if(listed.segments.begin(), listed.segments.end(), std::back_inserter(source.own),
               [&](uint64_t segment) { return !source.elsewhere.contains(segment); });
  colstore::IndexRun::Cursor cursor(*listed.run, /*keep=*/false);
  OMEN_TRY(cursor.SeekForward({}));
  types::Arena keys;
  std::vector<std::pair<RowId, std::string_view>> entries;  // some, by row
  while (!cursor.at_end()) {
    if (stop()) return Status(sqlstate::kQueryCanceled, "entering the entries of a run was ended");
    entries.clear();
    keys.Reset();
    for (size_t bytes = 0; !cursor.at_end() && entries.size() < kAtOnce && bytes < kBytesAtOnce;) {
      const std::string_view entry = cursor.entry();
      bytes += entry.size();
      entries.emplace_back(colstore::RowOfEntry(entry), keys.Copy(colstore::KeyOfEntry(entry)));
      OMEN_TRY(cursor.Next());
    }
    std::sort(entries.begin(), entries.end());
    for (const auto& [row, key] : entries) EnterEntry(index, source, key, row);
  }
  return Status::Ok();
}

}  // namespace omendb::engine
