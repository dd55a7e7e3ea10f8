// table_store.h - the row versions of one table: pages, slots, and the map from row id to newest
// version. Knows nothing of keys, transactions or visibility.
//
// Rows           RowId -> RowWord: the newest version's ref, with flag bits. Versions of a row are
//                chained by `prev`, newest first. Rows that a segment has in the order of their ids
//                take no word each until one of them changes: theirs stays 0, whose page the kernel
//                need not have, and one word for kRangeRows of them tells where they begin.
// Slots          Fresh slots come from the page of a lane; a few lanes keep concurrent writers off
//                each other's lines. Slots freed by garbage collection gather on their page; a page
//                with enough of them waits in a list to become a lane's next page.
// Thread safety  Any thread. Reading a version needs an epoch guard or a snapshot that sees it.
// Lock order     Lane::mu, then mu_.
// Ownership      Owns pages and, through them, string bytes; accounts both to MemoryAccount.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/ids.h"
#include "base/mutex.h"
#include "rowstore/memory_account.h"
#include "rowstore/page.h"
#include "rowstore/segmented_array.h"
#include "types/chunk.h"

namespace omendb::rowstore {

// Flags of a row map word, above the version ref.
inline constexpr uint64_t kRowLocked = 1ULL << 63;  // The lock manager may hold locks on this row.
inline constexpr uint64_t kRowGone = 1ULL << 62;    // Collected; its index entries are going away.
constexpr VersionRef HeadOf(uint64_t row_word) { return row_word & (kRowGone - 1); }

class TableStore {
 public:
  explicit TableStore(MemoryAccount& memory);
  ~TableStore();
  TableStore(const TableStore&) = delete;
  TableStore& operator=(const TableStore&) = delete;

  // The layout with exactly these columns: always the same object for the same columns.
  std::shared_ptr<const Layout> InternLayout(std::span<const types::PhysicalType> columns);

  // No page has fewer columns than this.
  size_t columns_min() const { return columns_min_.load(std::memory_order_acquire); }

  // ---- Versions --------------------------------------------------------------------------------
  struct SlotRange {
    Page* page = nullptr;  // null: out of memory
    uint32_t first = 0;
    uint32_t count = 0;
    VersionRef ref(uint32_t i = 0) const { return MakeRef(page->number(), first + i); }
  };
  // One slot, begin = kInfinity (dead) until the caller publishes it.
  SlotRange Allocate(const std::shared_ptr<const Layout>& layout);
  // 1 to `count` adjacent fresh slots.
  SlotRange AllocateRange(const std::shared_ptr<const Layout>& layout, uint32_t count);
  // Fills a slot's cells and header but `begin`.
  void Write(const SlotRange& slot, RowId row, VersionRef prev,
             std::span<const types::Value> cells);
  // Fills the cells of fresh slots from rows `first`, ... of the chunk, column by column, and their
  // headers but `begin` and row id.
  void WriteColumns(const SlotRange& slots, const types::Chunk& chunk, uint32_t first);
  // Frees the slots for reuse. Nobody may reach them: retire them through the epochs first.
  void Free(std::span<const VersionRef> refs);

  Page& page(VersionRef ref) const { return *pages_[PageOf(ref)].load(std::memory_order_acquire); }
  VersionHeader& header(VersionRef ref) const { return page(ref).header(SlotOf(ref)); }
  // Pages are numbered 1..pages_count(); the newest may be null for a moment.
  uint64_t pages_count() const { return pages_count_.load(std::memory_order_acquire); }
  Page* page_at(uint64_t number) const {
    std::atomic<Page*>* entry = pages_.Find(number);
    return entry == nullptr ? nullptr : entry->load(std::memory_order_acquire);
  }

  // ---- Pages whose rows move away --------------------------------------------------------------
  // Takes the page from everybody who allocates from it: the caller's until ReturnPage or DropPage.
  // Null when it is not there, taken already, or just changing hands.
  Page* TakePage(uint64_t number);
  void ReturnPage(Page& page);
  // Takes the page out of the table; then, when no reader can reach it any more, DestroyPage.
  void DropPage(Page& page);
  void DestroyPage(Page* page);
  // Drops full pages of which every slot was given back, all but a few: the caller's to destroy.
  std::vector<Page*> DropEmptyPages();

  // ---- Rows ------------------------------------------------------------------------------------
  // Reserves `count` adjacent new row ids and returns the first.
  RowId ReserveRows(uint64_t count);
  // For recovery: row ids up to and including `last` are taken.
  void RaiseRows(RowId last);
  uint64_t rows_reserved() const { return next_row_.load(std::memory_order_relaxed) - 1; }
  // 0 too where the row id was never reserved: an index run may have entries of rows that were dead
  // at a start, or that a crash has lost.
  uint64_t row_word(RowId id, std::memory_order order = std::memory_order_acquire) const {
    const std::atomic<uint64_t>* at = rows_.Find(id.value());
    const uint64_t word = at != nullptr ? at->load(order) : 0;
    return word != 0 ? word : RangeWord(id);
  }
  VersionRef head(RowId id) const { return HeadOf(row_word(id)); }
  // The word itself, for who changes it. Requires: the row id was reserved.
  std::atomic<uint64_t>& row(RowId id) const;
  // What row_word() reads.
  const void* word_address(RowId id) const { return rows_.Find(id.value()); }
  // Of new rows, which are reserved.
  void SetNewRow(RowId id, VersionRef ref) {
    rows_[id.value()].store(ref, std::memory_order_release);
  }
  // Of new rows, or at recovery of rows without a head: `count` of them from `first` on lie in a
  // segment one behind the other.
  void SetNewRange(RowId first, uint32_t count, VersionRef frozen);
  // Of rows that take no word each, about how many there are.
  uint64_t rows_in_ranges() const { return rows_in_ranges_.load(std::memory_order_relaxed); }
  // Memory of the words, about.
  uint64_t row_map_bytes() const { return (rows_reserved() - rows_in_ranges()) * sizeof(uint64_t); }
  // Replaces the head, keeping kRowLocked. False when the head is no longer `expected`, or gone.
  bool SetHead(RowId id, VersionRef expected, VersionRef desired);

  // ---- Recovery, one thread --------------------------------------------------------------------
  // Puts a committed version of a row in place of the one there was.
  void Restore(RowId id, const std::shared_ptr<const Layout>& layout, Timestamp ts,
               std::span<const types::Value> cells);
  void RestoreDelete(RowId id);
  // The row lies in a segment from now on.
  void RestoreFrozen(RowId id, VersionRef frozen);
  // So do rows that nothing was known of.
  void RestoreFrozenRange(RowId first, uint32_t count, VersionRef frozen);

  // Live rows, uncommitted ones included: what planners need.
  void AddRows(int64_t delta) { rows_count_.fetch_add(delta, std::memory_order_relaxed); }
  uint64_t rows_count() const {
    const int64_t n = rows_count_.load(std::memory_order_relaxed);
    return n < 0 ? 0 : static_cast<uint64_t>(n);
  }
  const MemoryAccount& memory() const { return memory_; }
  uint64_t memory_bytes() const { return memory_bytes_.load(std::memory_order_relaxed); }

 private:
  static constexpr int kLanes = 4;
  static constexpr uint64_t kRangeRows = 1024;
  struct alignas(64) Lane {
    Mutex mu;
    Page* page OMEN_GUARDED_BY(mu) = nullptr;
    // Slots of `page` that were freed and are this lane's to give out again.
    std::array<uint64_t, kPageSlots / 64> reusable OMEN_GUARDED_BY(mu) = {};
    uint32_t reusable_count OMEN_GUARDED_BY(mu) = 0;
  };
  Lane& LockLane();
  // What the word of a row in a range would be; 0 when it is in none.
  uint64_t RangeWord(RowId id) const {
    const std::atomic<uint64_t>* first = ranges_.Find(id.value() / kRangeRows);
    const uint64_t word = first == nullptr ? 0 : first->load(std::memory_order_acquire);
    return word == 0 ? 0 : word + id.value() % kRangeRows;
  }
  void EnsureRows(uint64_t first, uint64_t count);
  bool NextPage(Lane& lane, const std::shared_ptr<const Layout>& layout) OMEN_REQUIRES(lane.mu);
  bool TakeReusable(Lane& lane, uint32_t* slot) OMEN_REQUIRES(lane.mu);
  Page* NewPage(const std::shared_ptr<const Layout>& layout);
  void ReleaseLane(Lane& lane) OMEN_REQUIRES(lane.mu);
  void Charge(size_t bytes);
  void Discharge(size_t bytes);

  MemoryAccount& memory_;
  std::atomic<uint64_t> memory_bytes_{0};
  std::atomic<int64_t> rows_count_{0};
  std::atomic<size_t> columns_min_{SIZE_MAX};
  std::atomic<uint64_t> next_row_{1};
  SegmentedArray<std::atomic<uint64_t>, 8> rows_;
  SegmentedArray<std::atomic<uint64_t>, 4> ranges_;  // by row id / kRangeRows
  mutable std::atomic<uint64_t> rows_in_ranges_{0};  // without words of their own
  SegmentedArray<std::atomic<Page*>, 3> pages_;
  std::atomic<uint64_t> pages_count_{0};
  std::array<Lane, kLanes> lanes_;
  Mutex mu_;
  std::vector<Page*> reuse_ OMEN_GUARDED_BY(mu_);       // Pages with free slots that no lane has.
  std::vector<uint64_t> emptied_ OMEN_GUARDED_BY(mu_);  // Pages that were empty at a moment.
  std::vector<std::shared_ptr<const Layout>> layouts_ OMEN_GUARDED_BY(mu_);
};

}  // namespace omendb::rowstore
