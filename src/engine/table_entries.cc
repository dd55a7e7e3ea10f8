// Entries that come to a secondary index from where they lay instead: packed lists of replaced
// rows, and runs of segments.
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
  PackedEntries::Cursor cursor(entries);
  for (uint32_t i = 0; i < entries.size(); ++i) {
    EnterEntry(index, segment, cursor.KeyAt(i), cursor.RowAt(i), {});
  }
}

// Whatever has become of the row: where one of its versions has the key, hot or frozen, the entry
// is there afterwards. Who gives a row another version with its key, which enters nothing, does so
// before or after this has looked at the row's versions, and both have the key. Who takes the last
// one away that has it takes the entry too, under the row's stripe, afterwards. And who gives the
// row the key anew enters it himself.
void Table::EnterEntry(TableIndex& index, uint64_t segment, std::string_view key, RowId row,
                       const std::set<uint64_t>& listed) {
  EpochGuard guard(epochs_);
  MutexLock lock(row_stripe(row));
  const VersionRef head = store_.head(row);
  const bool is_frozen = head != 0 && IsFrozen(head);
  const bool is_head = is_frozen && FrozenSegmentOf(head) == segment;
  // The row's only version lies in another run's segment.
  if (is_frozen && !is_head && listed.contains(FrozenSegmentOf(head)) && OlderThan(head) == 0) {
    return;
  }
  if (is_head || HasKey(index, key, row)) index.InsertEntry(key, row);
}

Status Table::EnterRun(TableIndex& index, uint64_t segment, const colstore::IndexRun& run) {
  std::set<uint64_t> listed;
  for (const IndexRuns::Listed& other : index.runs().all()) listed.insert(other.segment);
  listed.erase(segment);
  colstore::IndexRun::Cursor cursor(run, /*keep=*/false);
  OMEN_TRY(cursor.SeekForward({}));
  while (!cursor.at_end()) {
    const std::string_view entry = cursor.entry();
    EnterEntry(index, segment, colstore::KeyOfEntry(entry), colstore::RowOfEntry(entry), listed);
    OMEN_TRY(cursor.Next());
  }
  return Status::Ok();
}

}  // namespace omendb::engine
