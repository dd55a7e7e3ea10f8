// key_budget.h - keeps the indexes of primary keys within their share of the memory: where they
// take more, keys of frozen rows leave the index and are found in their segments (frozen_keys.h);
// where there is room again they come back. A start leaves them all where they are, so that it
// takes no time for rows that are frozen.
//
// Keys of pages never leave: they are there to be changed. Of segments the oldest go first, as row
// ids and most keys follow time, and come back last. Secondary indexes stay whole.
//
// Thread safety  Enforce: one thread at a time. RestoreKeys: recovery's.
// Errors         Those of reading a segment; its keys stay, and the next call tries again.
#pragma once

#include <atomic>
#include <memory>
#include <set>
#include <span>

#include "engine/table.h"

namespace omendb::engine {

class KeyBudget {
 public:
  explicit KeyBudget(uint64_t memory_limit) : memory_limit_(memory_limit) {}
  // Tells the share of every budget, whatever the memory; null: as always.
  static std::atomic<uint64_t (*)()> share_for_tests;

  // Returns how many segments' keys have left or come back: when some have, more may be to do.
  Result<uint64_t> Enforce(std::span<const std::shared_ptr<Table>> tables) const;

  // Recovery, before a primary index is filled: lists the segments, whose keys are not entered.
  static void RestoreKeys(Table& table, TableIndex& primary);

  // Whether the segment is sorted by this index's key.
  static bool IsSortedBy(const FrozenSegment& segment, const TableIndex& primary);
  // Takes the segment's keys from the index. Requires: IsSortedBy, its keys are all entered.
  static Status LetGo(TableIndex& primary, const FrozenKeys::SegmentPtr& segment);
  // Enters the keys of the segment's rows again, but of those that are gone.
  // `listed`: other segments by number, whose rows need no entry.
  static Status TakeBack(Table& table, TableIndex& primary, const FrozenKeys::SegmentPtr& segment,
                         const std::set<uint64_t>& listed = {});

 private:
  // A quarter of the memory for rows; when it is exceeded half of that is aimed at.
  static constexpr uint64_t kShareDivisor = 4;
  // What a key takes in the index, about.
  static constexpr uint64_t kBytesOfKey = 24;
  // Of a table, with one call: the caller may have to stop.
  static constexpr size_t kTakenBackMax = 8;
  static constexpr size_t kDeadTakenBackMax = 2;

  // Lets go until `excess` bytes are free, as far as there are keys to let go.
  static Result<uint64_t> Free(Table& table, TableIndex& primary, uint64_t excess);
  // Of segments without live rows, which then nothing needs.
  static uint64_t TakeBackDead(Table& table, TableIndex& primary);
  // As far as they fit into `room`, which is lowered by what they take.
  static uint64_t Refill(Table& table, TableIndex& primary, uint64_t& room);

  uint64_t share() const {
    const auto for_tests = share_for_tests.load();
    return for_tests != nullptr ? for_tests() : memory_limit_ / kShareDivisor;
  }

  const uint64_t memory_limit_;
};

}  // namespace omendb::engine
