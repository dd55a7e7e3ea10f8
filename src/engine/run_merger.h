// run_merger.h - merges index runs in the background, so that a lookup, a range or a unique check
// asks few of them however many segments there are.
//
// Runs of one tier, which is four times the size of the one before, are merged when four of them
// have a key in common; when nothing moves, three. So of each tier a key is in the range of three
// runs at most, of two at rest. Runs that do not overlap, as those of keys in order of time,
// stay as they are: who looks asks by range.
//
// A merged run has all entries of its inputs, in their place. A run of which more than a quarter
// belongs to segments without live rows is dissolved: the others get runs of their own, what
// somebody still needs of it enters the index, and the next merges come. One that is damaged is
// replaced by runs of its segments, newly made.
//
// Thread safety  Step: one thread at a time, beside one that works with KeyBudget. Lists of runs
//                change under `lists_mu`, which is free while runs are read and written.
// Ownership      Borrows the files and the mutex.
// Errors         What fails is tried again with a later step, and changes nothing.
// Cost           An entry is written once for each tier that it gets to, and 1.6 times where each
//                new run comes alone and rests before the next. Memory for a block of each input.
// See            docs/decisions/2026-11-30-merged-index-runs.md
#pragma once

#include <atomic>
#include <memory>
#include <span>

#include "engine/segment_files.h"
#include "engine/segment_run.h"
#include "engine/table.h"

namespace omendb::engine {

class RunMerger {
 public:
  enum class Outcome : uint8_t { kNothing, kDone, kFailed };

  RunMerger(SegmentFiles& files, Mutex& lists_mu) : files_(files), lists_mu_(lists_mu) {}
  // How many runs are merged, of whatever size and whether anything moves or not; 0: as always.
  static std::atomic<size_t> fan_in_for_tests;

  // Does one thing, if there is one to do. `quiet`: no keys have moved for a while. What `stop`
  // ends has done nothing.
  Outcome Step(std::span<const std::shared_ptr<Table>> tables, bool quiet, const Stop& stop) const;

 private:
  using Listed = std::vector<IndexRuns::Listed>;
  Outcome StepOf(Table& table, TableIndex& index, size_t fan_in, const Stop& stop) const;
  Outcome Mend(Table& table, TableIndex& index, const IndexRuns::Listed& damaged,
               const Stop& stop) const;
  Outcome Dissolve(Table& table, TableIndex& index, const IndexRuns::Listed& stale,
                   const Stop& stop) const;
  Outcome Merge(Table& table, TableIndex& index, const Listed& inputs, const Stop& stop) const;
  // Writes runs of these segments to `written`. False: it was stopped.
  Result<bool> WriteEach(Table& table, TableIndex& index, std::span<const uint64_t> segments,
                         const Stop& stop, Listed* written) const;
  // Removes those of the runs' files that no segment needs any more.
  void RemoveUnneeded(const TableIndex& index, std::span<const IndexRunPtr> runs) const;
  size_t FanIn(bool quiet) const;

  SegmentFiles& files_;
  Mutex& lists_mu_;
};

}  // namespace omendb::engine
