// frozen_keys.h - the segments in which rows are found by primary key, because the index has let
// their keys go to save memory: a lookup asks the segment's filter and its static learned index.
//
// Invariants     I1  The primary key of a row that is not gone is in the index, or in a segment
//                    that stands here, or in both.
//                I2  A segment gives its keys' row ids for good, as an entry of the index does:
//                    that a row was thawed, changed or deleted since tells its row map word.
// Order          A segment is listed, which counts a move, before its keys are taken from the
//                index; its keys are entered again before it is taken from the list, which is a
//                move too. So who finds a key in neither place, and sees by moves() that none was
//                moved from before the first look to behind the last, knows that there is none.
// Thread safety  List, Unlist: one thread at a time. All else: any thread.
// Ownership      Shares the segments; borrows the epochs.
// Errors         XX001 and 58030, as reading a segment.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/epoch.h"
#include "engine/frozen_table.h"
#include "engine/key_boxes.h"
#include "engine/row_buffer.h"

namespace omendb::engine {

class FrozenKeys {
 public:
  using SegmentPtr = std::shared_ptr<const FrozenSegment>;

  // `columns` are those of the key; none when keys are 64-bit integers.
  FrozenKeys(EpochManager& epochs, std::vector<KeyColumn> columns)
      : epochs_(epochs), columns_(std::move(columns)) {}
  ~FrozenKeys();
  FrozenKeys(const FrozenKeys&) = delete;
  FrozenKeys& operator=(const FrozenKeys&) = delete;

  // No segment has ever stood here.
  bool empty() const { return entries_.load(std::memory_order_acquire) == nullptr; }
  // How often keys have left the index for here, or come back.
  uint64_t moves() const { return moves_.load(std::memory_order_acquire); }
  bool Has(const FrozenSegment& segment) const;

  // The row of `store` with this key that is not gone; keys as TableIndex has them.
  Result<std::optional<RowId>> Find(const rowstore::TableStore& store, std::string_view key) const;
  // Of keys in ascending order: sets `rows[i]` where a row of `store` that is not gone has the
  // i-th of `keys` from `first` on. Segment by segment, so that each one's filter and blocks are
  // looked at together.
  Status FindSorted(const rowstore::TableStore& store, const RowKeys& keys, uint32_t first,
                    std::span<std::optional<RowId>> rows) const;
  // The segments with keys in [low, high), in the order of their first keys; an empty high has no
  // end.
  std::vector<SegmentPtr> Overlapping(std::string_view low, std::string_view high) const;

  // About how many rows of the segments have keys there.
  uint64_t Estimate(std::string_view low, std::string_view high) const;

  // Requires: the segments are sorted by the index's key. The keys of all their rows are in the
  // index, from which they may be taken next; or, at recovery, are not going to be.
  void List(std::vector<SegmentPtr> segments);
  // The keys of their rows are in the index again, but for rows that are gone.
  void Unlist(const std::vector<const FrozenSegment*>& segments);

 private:
  struct Entry {
    SegmentPtr segment;
    std::string_view min_key;  // of the segment's footer
    std::string_view max_key;
    KeyBox box;
  };
  struct Entries {
    std::vector<Entry> list;
    KeyBoxes boxes;  // by entry
  };
  // Puts these in the place of the list.
  void Replace(std::vector<Entry> next);

  EpochManager& epochs_;
  const std::vector<KeyColumn> columns_;
  std::atomic<const Entries*> entries_{nullptr};  // by min_key; null: none
  std::atomic<uint64_t> moves_{0};
};

// The first row of a segment whose key is not below; keys as in the segment.
Result<uint32_t> LowerBoundOf(const colstore::SegmentReader& reader, std::string_view key);

}  // namespace omendb::engine
