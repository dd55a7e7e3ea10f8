// compactor.h - writes segments anew, several together, in the order of the table's key: those of
// which much is dead, small ones, and such as overlap (compaction.h).
//
//   write      live rows, sorted by key, to a new segment: durable, and nobody knows it
//   begin      no row of the old segments is thawed or gets an end from now on. Rows that were, or
//              are in masks, stay where they are, and are dead in the new one from the beginning
//   commit     a log record {kFreeze, file, dead rows}, as when pages are frozen. In one step for
//              scans the new segment is in the set, and its rows are dead in the old ones; then the
//              row map words are turned, and rows may be changed again
//
// Begin and commit are under the commit mutex, so that checkpoints and the log see all or nothing:
// a writer that meets a row in between, and every commit, waits some milliseconds for a full
// segment. A row's old place stays readable until the segment is let go of
// (FrozenTable::HollowDead). Its key or entry may be given by the old segment, if that has them in
// place of an index, until KeyBudget has seen to it.
//
// Crash          Before the record is durable: the rows are where they were; the file is removed at
//                start. After: recovery puts the rows into the new segment, out of the old ones.
// Thread safety  One thread at a time for each table, which has the table lock of a freeze.
// Failure        53100, 58030 while writing: nothing has happened but what was committed before.
//                When the log fails: as commits.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "base/waiter.h"
#include "engine/compaction.h"
#include "engine/relation_impl.h"
#include "engine/segment_files.h"
#include "engine/segment_merge.h"
#include "txn/transaction_manager.h"

namespace omendb::engine {

class Compactor {
 public:
  Compactor(txn::TransactionManager& manager, SegmentFiles& files)
      : manager_(manager), files_(files) {}

  // So many rows make a full segment; 0: as always.
  static std::atomic<uint32_t> full_rows_for_tests;
  // So many rows may be put in order at a time; UINT64_MAX: as memory has room.
  static std::atomic<uint64_t> words_for_tests;

  // Until nothing is worth it any more, or memory has no room. `stop` ends it within a merge: what
  // was not committed has not happened.
  Result<FreezeResult> Compact(RelationImpl& relation, CompactionRules rules,
                               const Stop& stop) const;

 private:
  class Move;
  // What the table and its memory decide.
  static void SetLimits(const RelationImpl& relation, CompactionRules& rules);
  // How many more rows may have a word of their own in the row map.
  static uint64_t RoomForWords(const RelationImpl& relation);
  struct Inputs {
    std::shared_ptr<const RunSet> set;
    std::vector<uint64_t> numbers;
  };
  Result<uint64_t> Merge(RelationImpl& relation, const Inputs& inputs, const CompactionRules& rules,
                         const Stop& stop) const;
  // The next `count` rows become a segment, or fewer that fill one.
  Result<uint64_t> WriteOne(RelationImpl& relation, const Inputs& inputs, uint64_t count,
                            uint64_t bytes_max, const Stop& stop, SegmentMerge& merge) const;

  txn::TransactionManager& manager_;
  SegmentFiles& files_;
};

}  // namespace omendb::engine
