// key_budget.h - keeps the indexes within their share of the memory: where they take more, what
// they have of frozen rows leaves them. Primary keys are found in their segments (frozen_keys.h),
// entries of secondary indexes in runs that are written for that (index_runs.h). Where there is
// room again they come back. A start leaves them all where they are, so that it takes no time for
// rows that are frozen; so that it finds them there, runs are written before anybody needs them.
//
// What pages have never leaves: it is there to be changed. Of segments the oldest go first, as row
// ids and most keys follow time, and come back last.
//
// Runs that overlap are merged by another (run_merger.h); a merged run comes and goes as a whole.
//
// Thread safety  Enforce, WriteMissingRun: one thread at a time. RestoreKeys: recovery's. ListRuns:
//                before the index is published.
// Errors         Those of reading a segment or run, and of writing one; what it has stays where it
//                is, the others have their turn, and the next call tries again.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <set>
#include <span>

#include "engine/segment_files.h"
#include "engine/table.h"

namespace omendb::engine {

class KeyBudget {
 public:
  KeyBudget(uint64_t memory_limit, SegmentFiles& files)
      : memory_limit_(memory_limit), files_(files) {}
  // Tells the share of every budget, whatever the memory; null: as always.
  static std::atomic<uint64_t (*)()> share_for_tests;

  // Returns how many segments' keys have left or come back: when some have, more may be to do.
  // What `stop` ends stays where it is.
  uint64_t Enforce(std::span<const std::shared_ptr<Table>> tables, const Stop& stop) const;

  // Writes the run of one segment that has none. Whether it has.
  bool WriteMissingRun(std::span<const std::shared_ptr<Table>> tables) const;

  // Recovery, before an index is filled: lists the segments whose keys are not to be entered; of a
  // secondary one as ListRuns.
  Status RestoreKeys(Table& table, TableIndex& index) const;
  // Before a secondary index is filled: lists the runs of segments of `set` with live rows that are
  // there; and where the entries of the others would take more than the indexes may, those too,
  // newly written. What cannot be written is left to be filled in. `step` hears how many entries
  // each has, and may end it with an error.
  using Step = std::function<Status(uint64_t entries)>;
  Status ListRuns(TableIndex& index, const RunSet& set, const Step& step) const;

  // Recovery, where a secondary index cannot be filled: lists, for segments of `set` whose columns
  // cannot be read, what tells that to who looks there (IndexRun::Unreadable).
  void ListUnreadable(TableIndex& index, const RunSet& set) const;

  // Whether the segment is sorted by this index's key.
  static bool IsSortedBy(const FrozenSegment& segment, const TableIndex& primary);
  // Takes the keys of the segment of this number from the index; entries with those of all segments
  // that share a run with it. Requires: they are all entered; of a primary index: IsSortedBy.
  static Status LetGo(SegmentFiles& files, TableIndex& index, const RunSet& set, uint64_t number);
  // Enters the keys of the segment's rows again, but of those that are gone.
  // `listed`: other segments by number, whose rows need no entry.
  static Status TakeBack(Table& table, TableIndex& primary, const FrozenKeys::SegmentPtr& segment,
                         const std::set<uint64_t>& listed = {});

 private:
  // A quarter of the memory for rows; when it is exceeded half of that is aimed at.
  static constexpr uint64_t kShareDivisor = 4;
  // What a key takes in the index, about; and an entry: of a short key, and beside its bytes.
  static constexpr uint64_t kBytesOfKey = 24;
  static constexpr uint64_t kBytesOfEntry = 40;
  static constexpr uint64_t kBytesBesideEntry = 24;
  // Of an index, with one call: the caller may have to stop.
  static constexpr size_t kTakenBackMax = 8;
  static constexpr size_t kDeadTakenBackMax = 2;

  // What the entries of a run take in the index, about.
  static uint64_t BytesOf(const colstore::IndexRun& run);
  // The same of a segment that has none, at least.
  static uint64_t BytesOf(const Run& run, const TableIndex& index);
  // Lets go until `excess` bytes are free, as far as there are keys to let go.
  uint64_t Free(Table& table, TableIndex& index, uint64_t excess) const;
  static bool MayLetGo(const Run& run, uint64_t number, const TableIndex& index);
  static Status LetKeysGo(TableIndex& primary, const FrozenKeys::SegmentPtr& segment);
  static Status LetEntriesGo(SegmentFiles& files, TableIndex& index, const RunSet& set,
                             uint64_t number);
  // Of segments without live rows, which then nothing needs.
  static uint64_t TakeBackDead(Table& table, TableIndex& index, const Stop& stop);
  static uint64_t TakeBackDeadKeys(Table& table, TableIndex& primary);
  static uint64_t TakeBackDeadEntries(Table& table, TableIndex& index, const Stop& stop);
  // As far as they fit into `room`, which is lowered by what they take.
  static uint64_t Refill(Table& table, TableIndex& index, uint64_t& room, const Stop& stop);
  static uint64_t RefillKeys(Table& table, TableIndex& primary, uint64_t& room);
  static uint64_t RefillEntries(Table& table, TableIndex& index, uint64_t& room, const Stop& stop);
  static bool TakeEntriesBack(Table& table, TableIndex& index, const IndexRuns::Listed& listed,
                              const Stop& stop);
  // Lists what earlier merges have left, each segment with live rows for one run at most.
  void ListMerged(TableIndex& index, const RunSet& set) const;
  bool WriteMissingRunOf(Table& table, TableIndex& index) const;

  uint64_t share() const {
    const auto for_tests = share_for_tests.load();
    return for_tests != nullptr ? for_tests() : memory_limit_ / kShareDivisor;
  }

  const uint64_t memory_limit_;
  SegmentFiles& files_;
};

}  // namespace omendb::engine
