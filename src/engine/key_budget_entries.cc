// The part of KeyBudget that moves entries of secondary indexes.
#include <algorithm>

#include "base/sqlstate.h"
#include "engine/key_budget.h"
#include "engine/segment_run.h"

namespace omendb::engine {
namespace {

// The run that was written before where it can be read, else a new one.
Result<IndexRunPtr> RunOf(SegmentFiles& files, TableIndex& index,
                          const std::shared_ptr<const FrozenSegment>& segment) {
  if (index.runs().IsWritten(segment->file_id())) {
    Result<IndexRunPtr> opened = OpenSegmentRun(files, index, *segment);
    if (opened.ok()) return opened;
  }
  return WriteSegmentRun(files, index, segment);
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
Status KeyBudget::LetEntriesGo(SegmentFiles& files, TableIndex& index, uint64_t number,
                               const FrozenKeys::SegmentPtr& segment) {
  OMEN_ASSIGN(const IndexRunPtr run, RunOf(files, index, segment));
  index.runs().List({{number, run}});
  colstore::IndexRun::Cursor cursor(*run, /*keep=*/false);
  OMEN_TRY(cursor.SeekForward({}));
  while (!cursor.at_end()) {
    const std::string_view entry = cursor.entry();
    index.EraseEntry(colstore::KeyOfEntry(entry), colstore::RowOfEntry(entry));
    OMEN_TRY(cursor.Next());
  }
  return Status::Ok();
}

// What cannot be read stays where it is, and the others have their turn.
bool KeyBudget::TakeEntriesBack(Table& table, TableIndex& index, const IndexRuns::Listed& listed) {
  if (!table.EnterRun(index, listed.segment, *listed.run).ok()) return false;
  index.runs().Unlist({&listed.segment, 1});
  return true;
}

uint64_t KeyBudget::TakeBackDeadEntries(Table& table, TableIndex& index) {
  if (index.runs().empty()) return 0;
  const std::shared_ptr<const RunSet> set = table.frozen().runs();
  uint64_t taken = 0;
  for (const IndexRuns::Listed& listed : index.runs().all()) {
    const Run& run = set->runs[listed.segment];
    if (run.live_rows() > 0) continue;
    if (TakeEntriesBack(table, index, listed)) {
      index.runs().SetWritten(run.segment->file_id(), false);
      ++taken;
    }
    if (taken == kDeadTakenBackMax) break;
  }
  return taken;
}

uint64_t KeyBudget::RefillEntries(Table& table, TableIndex& index, uint64_t& room) {
  std::vector<IndexRuns::Listed> listed = index.runs().all();
  std::sort(listed.begin(), listed.end(),
            [](const auto& a, const auto& b) { return a.segment > b.segment; });
  uint64_t taken = 0;
  for (const IndexRuns::Listed& newest : listed) {
    const uint64_t bytes = BytesOf(*newest.run);
    if (bytes > room || taken == kTakenBackMax) break;
    if (!TakeEntriesBack(table, index, newest)) continue;
    room -= bytes;
    ++taken;
  }
  return taken;
}

Status KeyBudget::ListRuns(TableIndex& index, const RunSet& set, const Step& step) const {
  std::vector<IndexRuns::Listed> listed;
  std::vector<uint64_t> missing;
  uint64_t missing_bytes = 0;
  for (uint64_t number = 0; number < set.runs.size(); ++number) {
    const Run& run = set.runs[number];
    if (run.live_rows() == 0) continue;
    Result<IndexRunPtr> opened = OpenSegmentRun(files_, index, *run.segment);
    if (opened.ok()) {
      index.runs().SetWritten(run.segment->file_id(), true);
      listed.push_back({number, std::move(opened).value()});
      OMEN_TRY(step(run.segment->rows()));
    } else {
      missing.push_back(number);
      missing_bytes += BytesOf(run, index);
    }
  }
  if (missing_bytes <= share() / 2) missing.clear();
  for (const uint64_t number : missing) {
    Result<IndexRunPtr> written = WriteSegmentRun(files_, index, set.runs[number].segment);
    if (!written.ok()) break;
    listed.push_back({number, std::move(written).value()});
    OMEN_TRY(step(set.runs[number].segment->rows()));
  }
  if (!listed.empty()) index.runs().List(std::move(listed));
  return Status::Ok();
}

bool KeyBudget::WriteRun(std::span<const std::shared_ptr<Table>> tables, bool missing) const {
  const auto any_index = [&](bool (KeyBudget::*write)(Table&, TableIndex&) const) {
    for (const auto& table : tables) {
      if (table->frozen().empty()) continue;
      for (const auto indexes = table->indexes(); const auto& index : *indexes) {
        if (!index->is_row_map() && (this->*write)(*table, *index)) return true;
      }
    }
    return false;
  };
  return any_index(&KeyBudget::MendRunOf) || (missing && any_index(&KeyBudget::WriteMissingRunOf));
}

bool KeyBudget::MendRunOf(Table& table, TableIndex& index) const {
  const std::shared_ptr<const RunSet> set = table.frozen().runs();
  for (const IndexRuns::Listed& listed : index.runs().all()) {
    const Run& run = set->runs[listed.segment];
    if (!listed.run->is_damaged() || run.segment->is_hollow()) continue;
    Result<IndexRunPtr> written = WriteSegmentRun(files_, index, run.segment);
    if (!written.ok()) continue;
    index.runs().List({{listed.segment, std::move(written).value()}});
    return true;
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
