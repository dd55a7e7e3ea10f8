// frozen_table.h - the rows of a table that lie in segments, beside its TableStore.
//
// A row is hot or frozen. A frozen row's word in the row map names segment and row (a frozen ref).
// A segment has one begin for all of its rows: 0 where settled rows moved into it, so that every
// snapshot sees them; the mark or timestamp of the transaction that loaded them otherwise. Who
// wants to change a frozen row thaws it first: a hot copy becomes the row's head, with the frozen
// ref as its `prev`, and the row is marked dead in the segment. Who deletes many adds them to a
// mask of the segment, which gives them their end: they keep their words in the row map, and EndOf
// says what a version's end would, until the mask is settled. A row inserted over one of them has
// the frozen ref, with kReinserted, as its `prev`: an older version like any other. Who updates
// many puts their new versions into segments too (bulk_update.h), under the same row ids: then the
// old ones are in masks, and the new segment names them (OlderOf) until the masks are settled. So
// versions of a row lie in pages, newest first, then in segments. A thawed copy has the older
// versions of what it copies.
//
// Scans          A scan takes the set of segments once, with their dead rows. It sees a row in the
//                segment unless dead in its set, and leaves out what stands for the row elsewhere:
//                pages whose frozen_at() is not above the set's version (their rows lie in the
//                set), and copies whose frozen row is not dead in the set. So each row is seen
//                once, whatever is frozen or thawed meanwhile. Segments whose begin its snapshot
//                does not see it leaves out, and rows of masks whose end it sees (SeenRuns).
// Masks          Scans take them with the set, so that each row is in a mask or dead there. Point
//                reads find them at the segment, under an epoch guard from before they read the
//                row map word: there they stay until no guard from before the words were emptied
//                is left.
// Moves          A row may move from its segment to a new one (compactor.h): no snapshot sees a
//                difference. While a segment's rows do nobody thaws or ends them: who wants to
//                waits, without sleeping, for as long as the words of a segment take.
// Dead segments  Of one whose rows all are dead, what is known is let go once every transaction
//                from before has ended (Hollow): its number stays, as copies go on naming it. Who
//                took a set before keeps all of it.
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

#include "base/epoch.h"
#include "base/mutex.h"
#include "colstore/segment_reader.h"
#include "engine/dead_rows.h"
#include "engine/delete_mask.h"
#include "mvcc/visibility.h"
#include "rowstore/segmented_array.h"
#include "rowstore/table_store.h"

namespace omendb::engine {

// A segment of a table. Immutable but for its begin and its masks. Of a hollow one only what is not
// in its file is known: all of its rows are dead for every transaction.
class FrozenSegment {
 public:
  FrozenSegment() = default;
  ~FrozenSegment() {
    delete masks_.load(std::memory_order_relaxed);
    delete older_.load(std::memory_order_relaxed);
  }
  FrozenSegment(const FrozenSegment&) = delete;
  FrozenSegment& operator=(const FrozenSegment&) = delete;
  // XX001 when it is not one of a table: no row ids.
  static Result<std::shared_ptr<const FrozenSegment>> Make(
      std::shared_ptr<const colstore::SegmentReader> reader);
  // The same without what its file tells. Requires: no row of it can be seen, or come back.
  std::shared_ptr<const FrozenSegment> Hollow() const;
  bool is_hollow() const { return reader_ == nullptr; }
  // Requires: it is not hollow.
  const std::shared_ptr<const colstore::SegmentReader>& reader() const { return reader_; }
  uint64_t file_id() const { return file_id_; }
  uint32_t rows() const { return rows_; }
  // Begin of its rows, as of a version: 0, a mark, a timestamp, or infinity (loading was undone).
  const std::atomic<uint64_t>& begin() const { return begin_; }
  void set_begin(uint64_t word) const { begin_.store(word, std::memory_order_release); }
  // End of one of its rows, as of a version. The caller holds an epoch guard.
  const std::atomic<uint64_t>& EndOf(uint32_t row) const {
    const DeleteMasks* const masks = masks_.load(std::memory_order_seq_cst);
    return masks == nullptr ? kNeverEnded : EndIn(*masks, row);
  }
  // The version that a row replaces, one of an older segment; 0: none, or no snapshot sees it. The
  // caller holds an epoch guard.
  rowstore::VersionRef OlderOf(uint32_t row) const {
    const OlderVersions* const older = older_.load(std::memory_order_acquire);
    return older == nullptr ? 0 : (*older)[row].load(std::memory_order_acquire);
  }
  void SetOlder(uint32_t row, rowstore::VersionRef ref) const {
    OlderVersions* const older = older_.load(std::memory_order_acquire);
    if (older != nullptr) (*older)[row].store(ref, std::memory_order_release);
  }
  // Before it is published: its rows are going to replace others.
  void MakeOlder() const { older_.store(new OlderVersions(rows()), std::memory_order_release); }
  bool has_older() const { return older_.load(std::memory_order_acquire) != nullptr; }
  // Whether all snapshots see its rows: then what anybody has seen of one of them is that.
  bool is_settled() const { return begin_.load(std::memory_order_acquire) == 0; }
  // Begin of hot copies of its rows when its own is 0: every snapshot since sees it. What was
  // loaded before the last start has none of its own.
  Timestamp settled() const { return settled_; }
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
  // Whether each of its rows is known to have a word of its own in the row map.
  bool rows_have_words() const { return rows_have_words_.load(std::memory_order_acquire); }
  void set_rows_have_words() const { rows_have_words_.store(true, std::memory_order_release); }
  // Whether its rows are moving: they stay as they are, then lie elsewhere.
  bool is_moving() const { return is_moving_.load(std::memory_order_acquire); }
  void set_keys_are_entered() const { keys_are_entered_.store(true, std::memory_order_release); }

 private:
  friend class FrozenTable;
  using OlderVersions = std::vector<std::atomic<rowstore::VersionRef>>;
  static const std::atomic<uint64_t> kNeverEnded;
  static const std::atomic<uint64_t>& EndIn(const DeleteMasks& masks, uint32_t row);
  // The zone of the row ids, if it tells them all.
  const colstore::Zone* row_id_sequence() const;

  std::shared_ptr<const colstore::SegmentReader> reader_;
  uint64_t file_id_ = 0;
  uint32_t rows_ = 0;
  Timestamp settled_;
  std::vector<int32_t> positions_;  // by column id
  mutable std::atomic<uint64_t> begin_{0};
  mutable std::atomic<bool> keys_are_entered_{false};
  mutable std::atomic<bool> rows_have_words_{false};
  mutable std::atomic<bool> is_moving_{false};              // changes under FrozenTable's mu_
  mutable std::atomic<const DeleteMasks*> masks_{nullptr};  // null: none
  mutable std::atomic<OlderVersions*> older_{nullptr};      // by row; null: none
  // FrozenTable's: see NoteDead; 0: it was not noted.
  mutable uint64_t dead_at_ = 0;
};

struct Run {
  std::shared_ptr<const FrozenSegment> segment;
  std::shared_ptr<DeadRows> dead;
  std::shared_ptr<const DeleteMasks> masks;  // null: none

  // Whether a reader at `snapshot` may see a row of it.
  bool IsSeen(const mvcc::TxnTable& txns, const mvcc::Snapshot& snapshot) const {
    return live_rows() > 0 && mvcc::IsSeen(txns, snapshot, segment->begin());
  }
  uint32_t live_rows() const { return segment->rows() - dead->count(); }
  // Those of live_rows() that somebody has deleted, or is deleting.
  uint32_t masked_rows() const;
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
    const uint64_t prev = header.prev.load(std::memory_order_acquire);
    if (!rowstore::IsCopy(prev)) return false;
    return rowstore::FrozenSegmentOf(prev) >= runs.size() || Has(prev);
  }
};

// The set as a snapshot sees it: in it, rows of masks whose end is seen are dead.
std::shared_ptr<const RunSet> SeenRuns(std::shared_ptr<const RunSet> runs,
                                       const mvcc::TxnTable& txns, const mvcc::Snapshot& snapshot);

class FrozenTable {
 public:
  explicit FrozenTable(EpochManager& epochs) : epochs_(epochs) {}

  // No segment there is, or was since the start, lacks a column up to this id.
  size_t columns_min() const { return columns_min_.load(std::memory_order_acquire); }
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
    if (segment.is_hollow()) return HollowIsRead();
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
  // and marks the frozen row dead. False when `frozen` is not the head any more, has an end, or is
  // moving.
  bool Thaw(rowstore::TableStore& store, RowId row, rowstore::VersionRef frozen,
            rowstore::VersionRef fresh, uint64_t begin);
  // Takes Thaw back, in a segment that only the caller's transaction sees.
  void Refreeze(rowstore::TableStore& store, RowId row, rowstore::VersionRef fresh,
                rowstore::VersionRef frozen);
  // Nobody sees a row of the segment any more: loading it was undone.
  void Abandon(uint64_t segment);
  // ---- Rows that move to another segment --------------------------------------------------------
  // From now on no row of these segments is thawed or gets an end, until EndMove.
  void BeginMove(std::span<const uint64_t> segments);
  void EndMove(std::span<const uint64_t> segments);
  // Adds a segment whose rows, but for the dead ones, lie at `from` until now: in one step they are
  // dead there. Their words are the caller's to turn, before EndMove. Returns its number.
  uint64_t PublishMoved(std::shared_ptr<const FrozenSegment> segment, DeadRows dead,
                        std::span<const rowstore::VersionRef> from);

  // ---- Segments whose rows are all dead ---------------------------------------------------------
  // Those that were not noted yet.
  std::vector<uint64_t> NewlyDead() const;
  // Who has a snapshot of `ts` or later has found no row in them.
  void NoteDead(std::span<const uint64_t> segments, Timestamp ts);
  // Makes those hollow that were noted and that no transaction is older than: `oldest` is the
  // least timestamp that one has. `is_needed(number, segment)` tells of those whose keys or entries
  // are asked for. Returns how many.
  size_t HollowDead(uint64_t oldest,
                    const std::function<bool(uint64_t, const FrozenSegment&)>& is_needed);

  // ---- Rows deleted where they lie -------------------------------------------------------------
  // As FrozenSegment::EndOf.
  const std::atomic<uint64_t>& EndOf(rowstore::VersionRef frozen) const {
    return SegmentOf(frozen).EndOf(rowstore::FrozenRowOf(frozen));
  }
  // A new mask of the segment, with this end, of rows that are deleted, or replaced; null when
  // there are so many that looking through them would be slow.
  std::shared_ptr<DeleteMask> AddMask(uint64_t segment, uint64_t end,
                                      std::shared_ptr<Replacement> replacement = nullptr);
  // Adds the row to its segment's mask. False when `frozen` is not the head any more, has an end,
  // or is moving.
  bool Delete(const rowstore::TableStore& store, RowId row, rowstore::VersionRef frozen,
              DeleteMask& mask);
  // Takes that back.
  void Undelete(rowstore::VersionRef frozen, DeleteMask& mask);
  // Takes the mask back: its rows were never deleted.
  void DropMask(uint64_t segment, DeleteMask& mask);
  // The rows of the mask are dead for good: no snapshot sees them, and no row map word names them.
  // Then, when no epoch guard from before is left, Unlist.
  void SettleMask(uint64_t segment, const DeleteMask& mask);
  void Unlist(uint64_t segment, const DeleteMask& mask);

  // ---- Rows replaced where they lie ------------------------------------------------------------
  // As FrozenSegment::OlderOf.
  rowstore::VersionRef OlderOf(rowstore::VersionRef frozen) const {
    return SegmentOf(frozen).OlderOf(rowstore::FrozenRowOf(frozen));
  }
  // The rows of the segment replace nothing that a snapshot sees, or never replaced it.
  void DropOlder(uint64_t segment);

  // ---- Recovery --------------------------------------------------------------------------------
  // A row of a segment was changed: as the copy of Thaw, but nobody looks.
  void MarkDead(rowstore::VersionRef frozen);

  // What readers keep in memory, without cached blocks.
  size_t memory_bytes() const;

 private:
  uint64_t Add(std::shared_ptr<const FrozenSegment> segment, DeadRows dead) OMEN_REQUIRES(mu_);
  void SetMoving(std::span<const uint64_t> segments, bool is_moving);
  // Whether its row may get an end, or a copy.
  bool MayChange(rowstore::VersionRef frozen) const OMEN_REQUIRES(mu_) {
    return !SegmentOf(frozen).is_moving() && !IsDeleted(frozen);
  }
  // Of who has found the row there before it moved, without a snapshot: garbage collection.
  static Status HollowIsRead();
  // A mask that no set taken by runs() shares.
  DeadRows& OwnMask(uint64_t segment) OMEN_REQUIRES(mu_);
  RunSet& OwnRuns() OMEN_REQUIRES(mu_);
  // Changes the masks of a segment where point reads find them. The caller retires what it returns,
  // without mu_.
  static const DeleteMasks* Replace(const FrozenSegment& segment, DeleteMasks masks);
  void RetireList(const DeleteMasks* list);
  // Whether a mask that was not taken back has it.
  bool IsDeleted(rowstore::VersionRef frozen) const OMEN_REQUIRES(mu_);
  // Whether no row of it can be seen by who begins now, or come back, and something is known of it.
  static bool IsDead(const Run& run);

  EpochManager& epochs_;
  mutable Mutex mu_;
  std::shared_ptr<RunSet> current_ OMEN_GUARDED_BY(mu_) = std::make_shared<RunSet>();
  // How often runs() gave the set away; what was made at the same count is not shared.
  mutable uint64_t given_ OMEN_GUARDED_BY(mu_) = 0;
  uint64_t runs_made_ OMEN_GUARDED_BY(mu_) = 0;
  std::vector<uint64_t> masks_made_ OMEN_GUARDED_BY(mu_);
  std::atomic<uint64_t> segments_count_{0};
  std::atomic<size_t> columns_min_{SIZE_MAX};
  rowstore::SegmentedArray<std::atomic<const FrozenSegment*>, 3> segments_;
};

}  // namespace omendb::engine
