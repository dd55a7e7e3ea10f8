#include "engine/key_budget.h"

#include <algorithm>
#include <map>

#include "base/sqlstate.h"
#include "colstore/key_cursor.h"

namespace omendb::engine {

std::atomic<uint64_t (*)()> KeyBudget::share_for_tests{nullptr};

uint64_t KeyBudget::Enforce(std::span<const std::shared_ptr<Table>> tables,
                            const Stop& stop) const {
  uint64_t total = 0;
  for (const auto& table : tables) {
    for (const auto indexes = table->indexes(); const auto& index : *indexes)
      total += index->memory_bytes();
  }
  uint64_t segments = 0;
  const uint64_t share = this->share();
  const uint64_t excess = total > share ? total - share / 2 : 0;
  uint64_t room = share / 2 > total ? share / 2 - total : 0;
  for (const auto& table : tables) {
    if (table->frozen().empty()) continue;
    for (const auto indexes = table->indexes(); const auto& index : *indexes) {
      segments += TakeBackDead(*table, *index, stop);
      if (room > 0) segments += Refill(*table, *index, room, stop);
      if (excess == 0) continue;
      // Each by its part of the whole.
      const double part = static_cast<double>(index->memory_bytes()) / static_cast<double>(total);
      segments += Free(*table, *index, static_cast<uint64_t>(static_cast<double>(excess) * part));
    }
  }
  return segments;
}

bool KeyBudget::MayLetGo(const Run& run, uint64_t number, const TableIndex& index) {
  const FrozenSegment& segment = *run.segment;
  if (run.live_rows() == 0 || !segment.keys_are_entered()) return false;
  if (index.is_row_map()) return IsSortedBy(segment, index) && !index.frozen_keys().Has(segment);
  return !index.packed().Has(number) && !index.runs().Has(number);
}

// A segment that cannot be read, or whose run cannot be written, keeps none of the others; but on a
// full disk each would be made for nothing.
uint64_t KeyBudget::Free(Table& table, TableIndex& index, uint64_t excess) const {
  uint64_t segments = 0;
  uint64_t freed = 0;
  const std::shared_ptr<const RunSet> set = table.frozen().runs();
  for (uint64_t number = 0; number < set->runs.size() && freed < excess; ++number) {
    const Run& run = set->runs[number];
    if (!MayLetGo(run, number, index)) continue;
    const Status gone = LetGo(files_, index, *set, number);
    if (gone.Is(sqlstate::kDiskFull)) break;
    if (!gone.ok()) continue;
    freed +=
        index.is_row_map() ? run.segment->rows() * kBytesOfKey : BytesOf(*index.runs().Get(number));
    ++segments;
  }
  return segments;
}

uint64_t KeyBudget::TakeBackDead(Table& table, TableIndex& index, const Stop& stop) {
  return index.is_row_map() ? TakeBackDeadKeys(table, index)
                            : TakeBackDeadEntries(table, index, stop);
}

uint64_t KeyBudget::Refill(Table& table, TableIndex& index, uint64_t& room, const Stop& stop) {
  return index.is_row_map() ? RefillKeys(table, index, room)
                            : RefillEntries(table, index, room, stop);
}

// Keys of segments whose rows are all dead come back, so that nothing keeps these; but not where
// another one on the list gives the row for the key.
uint64_t KeyBudget::TakeBackDeadKeys(Table& table, TableIndex& primary) {
  if (primary.frozen_keys().empty()) return 0;
  std::map<uint64_t, uint64_t> live;  // numbers by file
  const std::shared_ptr<const RunSet> set = table.frozen().runs();
  for (uint64_t number = 0; number < set->runs.size(); ++number) {
    const Run& run = set->runs[number];
    if (run.live_rows() > 0) live[run.segment->file_id()] = number;
  }
  std::set<uint64_t> listed;
  std::vector<FrozenKeys::SegmentPtr> dead;
  for (FrozenKeys::SegmentPtr& segment : primary.frozen_keys().Overlapping({}, {})) {
    const auto found = live.find(segment->file_id());
    if (found != live.end()) {
      listed.insert(found->second);
    } else if (dead.size() < kDeadTakenBackMax) {
      dead.push_back(std::move(segment));
    }
  }
  std::vector<const FrozenSegment*> taken;
  for (const FrozenKeys::SegmentPtr& segment : dead) {
    if (TakeBack(table, primary, segment, listed).ok()) taken.push_back(segment.get());
  }
  if (!taken.empty()) primary.frozen_keys().Unlist(taken);
  return taken.size();
}

// What cannot be read stays where it is, and the others have their turn.
uint64_t KeyBudget::RefillKeys(Table& table, TableIndex& primary, uint64_t& room) {
  std::vector<FrozenKeys::SegmentPtr> listed = primary.frozen_keys().Overlapping({}, {});
  std::sort(listed.begin(), listed.end(),
            [](const auto& a, const auto& b) { return a->file_id() > b->file_id(); });
  std::vector<const FrozenSegment*> taken;
  for (const FrozenKeys::SegmentPtr& segment : listed) {
    const uint64_t bytes = segment->rows() * kBytesOfKey;
    if (bytes > room || taken.size() == kTakenBackMax) break;
    if (!TakeBack(table, primary, segment).ok()) continue;
    room -= bytes;
    taken.push_back(segment.get());
  }
  if (!taken.empty()) primary.frozen_keys().Unlist(taken);
  return taken.size();
}

Status KeyBudget::RestoreKeys(Table& table, TableIndex& index) const {
  const std::shared_ptr<const RunSet> set = table.frozen().runs();
  if (!index.is_row_map()) {
    ListMerged(index, *set);
    return ListRuns(index, *set, [](uint64_t) { return Status::Ok(); });
  }
  std::vector<FrozenKeys::SegmentPtr> segments;
  for (const Run& run : set->runs) {
    if (run.live_rows() > 0 && IsSortedBy(*run.segment, index)) segments.push_back(run.segment);
  }
  if (!segments.empty()) index.frozen_keys().List(std::move(segments));
  return Status::Ok();
}

bool KeyBudget::IsSortedBy(const FrozenSegment& segment, const TableIndex& primary) {
  const colstore::SegmentFooter& footer = segment.reader()->footer();
  if (!primary.is_row_map() || footer.key.size() != primary.keys_count()) return false;
  for (size_t i = 0; i < footer.key.size(); ++i) {
    const colstore::SegmentColumn& column = footer.columns[footer.key[i].column].column;
    if (!primary.IsKey(i, column.id, column.type, footer.key[i].options)) return false;
  }
  return true;
}

Status KeyBudget::LetGo(SegmentFiles& files, TableIndex& index, const RunSet& set,
                        uint64_t number) {
  return index.is_row_map() ? LetKeysGo(index, set.runs[number].segment)
                            : LetEntriesGo(files, index, set, number);
}

Status KeyBudget::LetKeysGo(TableIndex& primary, const FrozenKeys::SegmentPtr& segment) {
  OMEN_ASSIGN(const std::vector<RowId> rows, segment->ReadRowIds());
  primary.frozen_keys().List({segment});
  colstore::KeyCursor keys(*segment->reader());
  std::string key;
  for (uint32_t i = 0; i < rows.size(); ++i) {
    OMEN_TRY(keys.KeyAt(i, key));
    primary.EraseRow(key, rows[i]);
  }
  return Status::Ok();
}

// A row may be going at the same time. Who takes its key from the index first marks it as gone: so
// either he finds the key that was entered here, or it is seen here that the row is gone.
Status KeyBudget::TakeBack(Table& table, TableIndex& primary, const FrozenKeys::SegmentPtr& segment,
                           const std::set<uint64_t>& listed) {
  OMEN_ASSIGN(const std::vector<RowId> rows, segment->ReadRowIds());
  colstore::KeyCursor keys(*segment->reader());
  std::string key;
  for (uint32_t i = 0; i < rows.size(); ++i) {
    OMEN_TRY(keys.KeyAt(i, key));
    MutexLock lock(table.row_stripe(rows[i]));
    const rowstore::VersionRef head = table.store().head(rows[i]);
    if (head == 0) continue;
    if (rowstore::IsFrozen(head) && listed.contains(rowstore::FrozenSegmentOf(head))) continue;
    if (primary.InsertRow(key, rows[i])) continue;
    if (table.store().head(rows[i]) == 0) primary.EraseRow(key, rows[i]);
  }
  return Status::Ok();
}

}  // namespace omendb::engine
