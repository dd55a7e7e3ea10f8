// frozen_table.h - the rows of a table that lie in segments, beside its TableStore.
//
// A row is hot or frozen. A frozen row's word in the row map names segment and row (a frozen ref).
// A segment has one begin for all of its rows: 0 where settled rows moved into it, so that every
// snapshot sees them; the mark or timestamp of the transaction that loaded them otherwise. Who
// wants to change a frozen row thaws it first: a hot copy becomes the row's head, with the frozen
// ref as its `prev`, and the row is marked dead in the segment.
//
// Scans          A scan takes the set of segments once, with their dead rows. It sees a row in the
//                segment unless dead in its set, and leaves out what stands for the row elsewhere:
//                pages whose frozen_at() is not above the set's version (their rows lie in the
//                set), and copies whose frozen row is not dead in the set. So each row is seen
//                once, whatever is frozen or thawed meanwhile. Segments whose begin its snapshot
//                does not see it leaves out.
// Thread safety  Any thread; Restore: recovery's. Thaw and Publish step aside for scans by mu_.
// Ownership      Segments stay as long as the table. A set taken never changes.
// Lock order     mu_ is a leaf.
// Errors         XX001 of a damaged segment, those of env.
#pragma once

#include <algorithm>
#include <atomic>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "colstore/segment_reader.h"
#include "mvcc/visibility.h"
#include "rowstore/segmented_array.h"
#include "rowstore/table_store.h"

namespace omendb::engine {

// Rows of a segment that are not to be seen, by position.
class DeadRows {
 public:
  DeadRows() = default;
  explicit DeadRows(uint32_t rows) : words_((rows + 63) / 64) {}
  uint32_t count() const { return count_; }
  bool Has(uint32_t row) const { return (words_[row / 64] >> (row % 64) & 1) != 0; }
  void Add(uint32_t row) {
    count_ += Has(row) ? 0 : 1;
    words_[row / 64] |= 1ULL << (row % 64);
  }
  void Remove(uint32_t row) {
    count_ -= Has(row) ? 1 : 0;
    words_[row / 64] &= ~(1ULL << (row % 64));
  }
  std::span<const uint64_t> words() const { return words_; }

  // varint count; when it is not 0, the words of the mask (docs/formats/log_records.md).
  void Serialize(std::string& out) const;
  // False when the bytes are no mask of so many rows.
  bool Parse(uint32_t rows, ByteReader& in);

 private:
  std::vector<uint64_t> words_;
  uint32_t count_ = 0;
};

// A segment of a table. Immutable but for its begin.
class FrozenSegment {
 public:
  // XX001 when it is not one of a table: no row ids.
  static Result<std::shared_ptr<const FrozenSegment>> Make(
      std::shared_ptr<const colstore::SegmentReader> reader);
  const std::shared_ptr<const colstore::SegmentReader>& reader() const { return reader_; }
  uint64_t file_id() const { return reader_->file_id(); }
  uint32_t rows() const { return reader_->rows(); }
  // Begin of its rows, as of a version: 0, a mark, a timestamp, or infinity (loading was undone).
  const std::atomic<uint64_t>& begin() const { return begin_; }
  void set_begin(uint64_t word) const { begin_.store(word, std::memory_order_release); }
  // Begin of hot copies of its rows when its own is 0: every snapshot since sees it. What was
  // loaded before the last start has none of its own.
  Timestamp settled() const { return std::max(reader_->footer().max_ts, Timestamp(1)); }
  // Position of a column among the segment's; -1 when it is older than the column.
  int32_t position_of(ColumnId column) const {
    const auto i = static_cast<size_t>(column.value());
    return i < positions_.size() ? positions_[i] : -1;
  }
  uint32_t row_ids_position() const { return static_cast<uint32_t>(positions_[0]); }
  // By position in the segment. Nothing is read where they ascend by one, as a load gives them.
  Result<std::vector<RowId>> ReadRowIds() const;
  Result<RowId> ReadRowId(uint32_t row) const;
  // Whether the index has the keys of all its rows, unless it has let them go since.
  bool keys_are_entered() const { return keys_are_entered_.load(std::memory_order_acquire); }
  void set_keys_are_entered() const { keys_are_entered_.store(true, std::memory_order_release); }

 private:
  // The zone of the row ids, if it tells them all.
  const colstore::Zone* row_id_sequence() const;

  std::shared_ptr<const colstore::SegmentReader> reader_;
  std::vector<int32_t> positions_;  // by column id
  mutable std::atomic<uint64_t> begin_{0};
  mutable std::atomic<bool> keys_are_entered_{false};
};

struct Run {
  std::shared_ptr<const FrozenSegment> segment;
  std::shared_ptr<DeadRows> dead;

  // Whether a reader at `snapshot` may see a row of it.
  bool IsSeen(const mvcc::TxnTable& txns, const mvcc::Snapshot& snapshot) const {
    return live_rows() > 0 && mvcc::IsSeen(txns, snapshot, segment->begin());
  }
  uint32_t live_rows() const { return segment->rows() - dead->count(); }
  // More than a quarter is dead: worth writing the rest anew.
  bool IsSparse() const { return live_rows() > 0 && dead->count() > segment->rows() / 4; }
};

// The segments at one moment, by number: the one of a frozen ref.
struct RunSet {
  uint64_t version = 0;
  std::vector<Run> runs;

  // Whether a scan of these runs sees the frozen row.
  bool Has(rowstore::VersionRef frozen) const {
    const uint64_t segment = rowstore::FrozenSegmentOf(frozen);
    return segment < runs.size() && !runs[segment].dead->Has(rowstore::FrozenRowOf(frozen));
  }
  // Whether a scan must leave out the page as its rows lie in these runs.
  bool HasPage(const rowstore::Page& page) const {
    const uint64_t frozen_at = page.frozen_at();
    return frozen_at != 0 && frozen_at <= version;
  }
  // Whether a scan must leave out a version that it could see: a copy of a frozen row that is not
  // dead in these runs (the row is seen in its segment), or that lies in a later segment (the scan
  // is older, and sees the version from which the segment was made).
  bool HidesCopy(const rowstore::VersionHeader& header) const {
    const uint64_t prev = header.prev.load(std::memory_order_acquire) & ~rowstore::kReinserted;
    if (!rowstore::IsFrozen(prev)) return false;
    return rowstore::FrozenSegmentOf(prev) >= runs.size() || Has(prev);
  }
};

class FrozenTable {
 public:
  FrozenTable() = default;

  bool empty() const { return segments_count_.load(std::memory_order_acquire) == 0; }
  std::shared_ptr<const RunSet> runs() const;
  const FrozenSegment& SegmentOf(rowstore::VersionRef frozen) const {
    return *segments_[rowstore::FrozenSegmentOf(frozen)].load(std::memory_order_acquire);
  }

  // Columns of a frozen row; `missing(i)` is what columns[i] reads when the segment lacks it.
  // Strings are copied to the arena.
  template <typename Missing>
  Status Read(rowstore::VersionRef frozen, std::span<const ColumnId> columns,
              const Missing& missing, types::Arena& arena, types::Value* out) const {
    const FrozenSegment& segment = SegmentOf(frozen);
    for (size_t i = 0; i < columns.size(); ++i) {
      const int32_t position = segment.position_of(columns[i]);
      if (position < 0) {
        out[i] = missing(i);
        continue;
      }
      const auto at = static_cast<uint32_t>(position);
      OMEN_TRY(segment.reader()->ReadRow(rowstore::FrozenRowOf(frozen), {&at, 1}, arena, out + i));
    }
    return Status::Ok();
  }

  // Adds a segment whose rows come from `pages`: scans that start from now on see them in it.
  // Returns its number.
  uint64_t Publish(std::shared_ptr<const FrozenSegment> segment, DeadRows dead,
                   std::span<rowstore::Page* const> pages);
  // Makes `fresh`, a filled version whose prev is `frozen`, the head of its row, begun at `begin`,
  // and marks the frozen row dead. False when `frozen` is not the head any more.
  bool Thaw(rowstore::TableStore& store, RowId row, rowstore::VersionRef frozen,
            rowstore::VersionRef fresh, uint64_t begin);
  // Takes Thaw back, in a segment that only the caller's transaction sees.
  void Refreeze(rowstore::TableStore& store, RowId row, rowstore::VersionRef fresh,
                rowstore::VersionRef frozen);
  // Nobody sees a row of the segment any more: loading it was undone.
  void Abandon(uint64_t segment);

  // ---- Recovery --------------------------------------------------------------------------------
  // A row of a segment was changed: as the copy of Thaw, but nobody looks.
  void MarkDead(rowstore::VersionRef frozen);

  // What readers keep in memory, without cached blocks.
  size_t memory_bytes() const;

 private:
  // A mask that no set taken by runs() shares.
  DeadRows& OwnMask(uint64_t segment) OMEN_REQUIRES(mu_);
  RunSet& OwnRuns() OMEN_REQUIRES(mu_);

  mutable Mutex mu_;
  std::shared_ptr<RunSet> current_ OMEN_GUARDED_BY(mu_) = std::make_shared<RunSet>();
  // How often runs() gave the set away; what was made at the same count is not shared.
  mutable uint64_t given_ OMEN_GUARDED_BY(mu_) = 0;
  uint64_t runs_made_ OMEN_GUARDED_BY(mu_) = 0;
  std::vector<uint64_t> masks_made_ OMEN_GUARDED_BY(mu_);
  std::atomic<uint64_t> segments_count_{0};
  rowstore::SegmentedArray<std::atomic<const FrozenSegment*>, 3> segments_;
};

}  // namespace omendb::engine
