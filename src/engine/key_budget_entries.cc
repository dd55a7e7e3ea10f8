// The part of KeyBudget that moves entries of secondary indexes.
#include <algorithm>
#include <map>

#include "base/sqlstate.h"
#include "engine/key_budget.h"
#include "engine/segment_run.h"

namespace omendb::engine {
namespace {

using NumbersByFile = std::map<uint64_t, uint64_t>;

// Segments with live rows.
NumbersByFile LiveIn(const RunSet& set) {
  NumbersByFile numbers;
  for (uint64_t number = 0; number < set.runs.size(); ++number) {
    const Run& run = set.runs[number];
    if (run.live_rows() > 0) numbers[run.segment->file_id()] = number;
  }
  return numbers;
}

// Those of the run that are among `live`, ascending; none where a file is not the one that the run
// was made from.
std::vector<uint64_t> LiveOf(const colstore::IndexRun& run, const RunSet& set,
                             const NumbersByFile& live) {
  std::vector<uint64_t> numbers;
  for (const colstore::RunSegment& segment : run.name().segments) {
    const auto found = live.find(segment.file_id);
    if (found == live.end()) continue;
    if (segment != RunSegmentOf(*set.runs[found->second].segment)) return {};
    numbers.push_back(found->second);
  }
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

// A run of several segments that was written before, where it stands for all of them still.
Result<IndexRuns::Listed> OpenMerged(SegmentFiles& files, TableIndex& index, const RunSet& set,
                                     const std::string& path) {
  OMEN_ASSIGN(IndexRunPtr run, OpenMergedRun(files, index, path));
  std::vector<uint64_t> numbers = LiveOf(*run, set, LiveIn(set));
  const bool all = numbers.size() == run->name().segments.size() &&
                   std::all_of(numbers.begin(), numbers.end(), [&](uint64_t number) {
                     return index.runs().WrittenAt(set.runs[number].segment->file_id()) == path;
                   });
  if (!all) return Status(sqlstate::kInternalError, "a run of segments that have changed");
  return IndexRuns::Listed{std::move(numbers), std::move(run)};
}

// What was written for segments that are dead by now, while no run of them is listed.
void ForgetDead(TableIndex& index, const RunSet& set) {
  for (uint64_t number = 0; number < set.runs.size(); ++number) {
    const Run& run = set.runs[number];
    if (run.live_rows() > 0 || !index.runs().IsWritten(run.segment->file_id())) continue;
    if (!index.runs().Has(number)) index.runs().SetWritten(run.segment->file_id(), {});
  }
}

// While a run is taken apart its segments have others as well, and of each entry that both have,
// each goes by the other.
bool IsBeingTakenApart(const IndexRuns::Listed& listed, const std::vector<IndexRuns::Listed>& all) {
  return std::any_of(all.begin(), all.end(), [&](const IndexRuns::Listed& other) {
    return other.run != listed.run &&
           std::any_of(other.segments.begin(), other.segments.end(), [&](uint64_t segment) {
             return std::binary_search(listed.segments.begin(), listed.segments.end(), segment);
           });
  });
}

// The run that was written before where it can be read, else a new one.
Result<IndexRuns::Listed> RunOf(SegmentFiles& files, TableIndex& index, const RunSet& set,
                                uint64_t number) {
  const std::shared_ptr<const FrozenSegment>& segment = set.runs[number].segment;
  const std::string path = index.runs().WrittenAt(segment->file_id());
  if (path == files.PathOfRun(segment->file_id(), index.storage())) {
    Result<IndexRunPtr> opened = OpenSegmentRun(files, index, *segment);
    if (opened.ok()) return IndexRuns::Listed{{number}, std::move(opened).value()};
  } else if (!path.empty()) {
    Result<IndexRuns::Listed> opened = OpenMerged(files, index, set, path);
    if (opened.ok()) return opened;
    ForgetRun(index, set, path);
  }
  OMEN_ASSIGN(IndexRunPtr written, WriteSegmentRun(files, index, segment));
  return IndexRuns::Listed{{number}, std::move(written)};
}

}  // namespace

// The file leaves out what keys have in common with the ones before them, the first and the last
// entry may be short where others are long.
uint64_t KeyBudget::BytesOf(const colstore::IndexRun& run) {
  const uint64_t entries = run.size();
  const uint64_t ends = (run.min_entry().size() + run.max_entry().size()) / 2 * entries;
  return std::max(entries * kBytesOfEntry,
                  entries * kBytesBesideEntry + std::max(ends, run.file_bytes()));
}

uint64_t KeyBudget::BytesOf(const Run& run, const TableIndex& index) {
  uint64_t stored = 0;
  for (const ColumnId column : index.key_columns()) {
    const int32_t at = run.segment->position_of(column);
    if (at < 0) continue;
    stored += run.segment->reader()->footer().columns[static_cast<size_t>(at)].blocks.bytes;
  }
  return std::max(run.live_rows() * kBytesOfEntry, run.live_rows() * kBytesBesideEntry + stored);
}

// Whoever enters an entry of the run at the same time, and is late, leaves one in the index that is
// in the run too; who is early has it taken away, and it is in the run.
Status KeyBudget::LetEntriesGo(SegmentFiles& files, TableIndex& index, const RunSet& set,
                               uint64_t number) {
  OMEN_ASSIGN(const IndexRuns::Listed listed, RunOf(files, index, set, number));
  index.runs().List({listed});
  colstore::IndexRun::Cursor cursor(*listed.run, /*keep=*/false);
  OMEN_TRY(cursor.SeekForward({}));
  while (!cursor.at_end()) {
    const std::string_view entry = cursor.entry();
    index.EraseEntry(colstore::KeyOfEntry(entry), colstore::RowOfEntry(entry));
    OMEN_TRY(cursor.Next());
  }
  return Status::Ok();
}

// What cannot be read stays where it is, and the others have their turn.
bool KeyBudget::TakeEntriesBack(Table& table, TableIndex& index, const IndexRuns::Listed& listed,
                                const Stop& stop) {
  if (!table.EnterRun(index, listed, stop).ok()) return false;
  index.runs().Unlist(*listed.run);
  return true;
}

// Of what is merged RunMerger takes care.
uint64_t KeyBudget::TakeBackDeadEntries(Table& table, TableIndex& index, const Stop& stop) {
  const std::shared_ptr<const RunSet> set = table.frozen().runs();
  ForgetDead(index, *set);
  if (index.runs().empty()) return 0;
  uint64_t taken = 0;
  const std::vector<IndexRuns::Listed> all = index.runs().all();
  for (const IndexRuns::Listed& listed : all) {
    if (listed.run->name().segments.size() > 1 || IsBeingTakenApart(listed, all)) continue;
    const Run& run = set->runs[listed.segments.front()];
    if (run.live_rows() > 0) continue;
    if (TakeEntriesBack(table, index, listed, stop)) {
      index.runs().SetWritten(run.segment->file_id(), {});
      ++taken;
    }
    if (taken == kDeadTakenBackMax) break;
  }
  return taken;
}

uint64_t KeyBudget::RefillEntries(Table& table, TableIndex& index, uint64_t& room,
                                  const Stop& stop) {
  std::vector<IndexRuns::Listed> listed = index.runs().all();
  std::sort(listed.begin(), listed.end(),
            [](const auto& a, const auto& b) { return a.segments.back() > b.segments.back(); });
  uint64_t taken = 0;
  for (const IndexRuns::Listed& newest : listed) {
    if (IsBeingTakenApart(newest, listed)) continue;
    const uint64_t bytes = BytesOf(*newest.run);
    if (bytes > room || taken >= kTakenBackMax) break;
    if (!TakeEntriesBack(table, index, newest, stop)) continue;
    room -= bytes;
    taken += newest.segments.size();
  }
  return taken;
}

void KeyBudget::ListMerged(TableIndex& index, const RunSet& set) const {
  std::vector<IndexRuns::Listed> found;
  NumbersByFile live = LiveIn(set);
  for (const std::string& path : files_.MergedRunsOf(index.storage())) {
    Result<IndexRunPtr> opened = OpenMergedRun(files_, index, path);
    if (!opened.ok()) continue;
    std::vector<uint64_t> numbers = LiveOf(**opened, set, live);
    if (!numbers.empty()) found.push_back({std::move(numbers), std::move(opened).value()});
  }
  // A crash may have left what was merged beside what came of it.
  std::sort(found.begin(), found.end(),
            [](const auto& a, const auto& b) { return a.segments.size() > b.segments.size(); });
  std::vector<IndexRuns::Listed> listed;
  for (IndexRuns::Listed& run : found) {
    std::erase_if(run.segments, [&](uint64_t number) {
      return live.erase(set.runs[number].segment->file_id()) == 0;
    });
    for (const uint64_t number : run.segments) {
      index.runs().SetWritten(set.runs[number].segment->file_id(), run.run->path());
    }
    if (!run.segments.empty()) listed.push_back(std::move(run));
  }
  if (!listed.empty()) index.runs().List(std::move(listed));
}

Status KeyBudget::ListRuns(TableIndex& index, const RunSet& set, const Step& step) const {
  std::vector<IndexRuns::Listed> listed;
  std::vector<uint64_t> missing;
  uint64_t missing_bytes = 0;
  for (uint64_t number = 0; number < set.runs.size(); ++number) {
    const Run& run = set.runs[number];
    if (run.live_rows() == 0 || index.runs().Has(number)) continue;
    Result<IndexRunPtr> opened = OpenSegmentRun(files_, index, *run.segment);
    if (opened.ok()) {
      index.runs().SetWritten(run.segment->file_id(), (*opened)->path());
      listed.push_back({{number}, std::move(opened).value()});
      OMEN_TRY(step(run.segment->rows()));
    } else {
      missing.push_back(number);
      missing_bytes += BytesOf(run, index);
    }
  }
  if (missing_bytes <= share() / 2) missing.clear();
  for (const uint64_t number : missing) {
    Result<IndexRunPtr> written = WriteSegmentRun(files_, index, set.runs[number].segment);
    if (written.status().Is(sqlstate::kDiskFull)) break;
    if (!written.ok()) continue;
    listed.push_back({{number}, std::move(written).value()});
    OMEN_TRY(step(set.runs[number].segment->rows()));
  }
  if (!listed.empty()) index.runs().List(std::move(listed));
  return Status::Ok();
}

void KeyBudget::ListUnreadable(TableIndex& index, const RunSet& set) const {
  std::vector<IndexRuns::Listed> listed;
  for (uint64_t number = 0; number < set.runs.size(); ++number) {
    const Run& run = set.runs[number];
    if (run.live_rows() == 0 || index.runs().Has(number)) continue;
    Status read = ReadKeys(index, run.segment);
    if (!read.Is(sqlstate::kDataCorrupted)) continue;
    listed.push_back(
        {{number},
         colstore::IndexRun::Unreadable(NameOfRun(files_, index, {RunSegmentOf(*run.segment)}),
                                        run.segment->rows(), std::move(read))});
  }
  if (!listed.empty()) index.runs().List(std::move(listed));
}

bool KeyBudget::WriteMissingRun(std::span<const std::shared_ptr<Table>> tables) const {
  for (const auto& table : tables) {
    if (table->frozen().empty()) continue;
    for (const auto indexes = table->indexes(); const auto& index : *indexes) {
      if (!index->is_row_map() && WriteMissingRunOf(*table, *index)) return true;
    }
  }
  return false;
}

bool KeyBudget::WriteMissingRunOf(Table& table, TableIndex& index) const {
  const std::shared_ptr<const RunSet> set = table.frozen().runs();
  for (const Run& run : set->runs) {
    const bool settled = run.segment->keys_are_entered() &&
                         !mvcc::IsTxnWord(run.segment->begin().load(std::memory_order_acquire));
    if (run.live_rows() == 0 || !settled) continue;
    if (index.runs().IsWritten(run.segment->file_id())) continue;
    const Status written = WriteSegmentRun(files_, index, run.segment).status();
    if (written.ok()) return true;
    if (written.Is(sqlstate::kDiskFull)) return false;
  }
  return false;
}

}  // namespace omendb::engine
