// page.h - a hot page: up to 2048 row versions, each column an array as DuckDB's vectors have it.
//
//   one allocation:  Page | headers[capacity] | per column: cells[capacity], validity words
//
// Thread safety  A slot is written by the one transaction that allocated it, then published by the
//                release store of `begin`; from then on its cells never change until the slot is
//                freed, which nobody does while a snapshot or an epoch guard can reach it.
//                Validity words are shared by 64 slots and changed with atomic operations.
// Ownership      Owns the bytes of strings longer than 12 bytes: one allocation for each version,
//                found through its first long string.
// See            docs/decisions/2026-11-28-hot-pages.md
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/ids.h"
#include "mvcc/snapshot.h"
#include "types/chunk.h"
#include "types/type.h"
#include "types/value.h"

namespace omendb::rowstore {

inline constexpr uint32_t kPageSlotBits = 11;
inline constexpr uint32_t kPageSlots = 1U << kPageSlotBits;

// Names a version within its table: page number and slot. 0 = none (page numbers start at 1).
using VersionRef = uint64_t;
constexpr VersionRef MakeRef(uint64_t page, uint32_t slot) { return page << kPageSlotBits | slot; }
constexpr uint64_t PageOf(VersionRef ref) { return ref >> kPageSlotBits; }
constexpr uint32_t SlotOf(VersionRef ref) { return ref & (kPageSlots - 1); }

// A version that lies in no page but in a segment of the table: which segment, which row of it.
// What it replaces, its segment knows (engine/frozen_table.h).
inline constexpr VersionRef kFrozen = 1ULL << 61;
inline constexpr uint32_t kFrozenRowBits = 18;
constexpr VersionRef MakeFrozenRef(uint64_t segment, uint32_t row) {
  return kFrozen | segment << kFrozenRowBits | row;
}
constexpr bool IsFrozen(VersionRef ref) { return (ref & kFrozen) != 0; }
constexpr uint64_t FrozenSegmentOf(VersionRef ref) {
  return (ref & (kFrozen - 1)) >> kFrozenRowBits;
}
constexpr uint32_t FrozenRowOf(VersionRef ref) { return ref & ((1U << kFrozenRowBits) - 1); }

// One cache line half: what a point read needs to judge a version.
struct VersionHeader {
  std::atomic<uint64_t> begin;
  std::atomic<uint64_t> end;
  // Older version of the row; kReinserted marks that the row was deleted in between. A frozen ref
  // has kReplaced where it was not. With neither: this version is a copy of that one, made so that
  // it can be changed (see engine/frozen_table.h).
  std::atomic<uint64_t> prev;
  uint64_t row_id;
};
static_assert(sizeof(VersionHeader) == 32);
inline constexpr uint64_t kReinserted = 1ULL << 63;
inline constexpr uint64_t kReplaced = 1ULL << 62;
// Whether the version with this prev is a copy of a frozen one.
constexpr bool IsCopy(uint64_t prev) {
  return IsFrozen(prev) && (prev & (kReinserted | kReplaced)) == 0;
}
// The older version, 0 when there is none. Of a copy: 0, what the copied one replaces is its
// segment's to tell.
constexpr VersionRef OlderOf(uint64_t prev) {
  return IsCopy(prev) ? 0 : prev & ~(kReinserted | kReplaced);
}
// What a version has as prev whose older one is this; 0: none.
constexpr uint64_t PrevOf(VersionRef older, bool reinserted) {
  if (older == 0) return 0;
  return older | (reinserted ? kReinserted : IsFrozen(older) ? kReplaced : 0);
}

// The columns of a page: physical types by position. Immutable, shared by pages.
class Layout {
 public:
  explicit Layout(std::vector<types::PhysicalType> columns);
  const std::vector<types::PhysicalType>& columns() const { return columns_; }
  size_t columns_count() const { return columns_.size(); }
  // Positions of the columns that may own bytes.
  const std::vector<uint32_t>& string_columns() const { return string_columns_; }
  // Bytes of all cells of one row.
  size_t row_bytes() const { return row_bytes_; }

 private:
  std::vector<types::PhysicalType> columns_;
  std::vector<uint32_t> string_columns_;
  size_t row_bytes_ = 0;
};

class Page {
 public:
  struct Deleter {
    void operator()(Page* page) const;
  };
  using Ptr = std::unique_ptr<Page, Deleter>;

  static Ptr Create(uint64_t number, uint32_t capacity, std::shared_ptr<const Layout> layout);

  uint64_t number() const { return number_; }
  uint32_t capacity() const { return capacity_; }
  const Layout& layout() const { return *layout_; }
  size_t bytes() const { return bytes_; }

  VersionHeader& header(uint32_t slot) { return headers_[slot]; }
  const VersionHeader& header(uint32_t slot) const { return headers_[slot]; }
  char* cells(uint32_t column) { return columns_[column].cells; }
  const char* cells(uint32_t column) const { return columns_[column].cells; }
  const uint64_t* validity(uint32_t column) const { return columns_[column].validity; }
  // Whether any slot of the column was ever NULL; then validity() must be looked at.
  bool has_nulls(uint32_t column) const {
    return columns_[column].has_nulls.load(std::memory_order_acquire);
  }

  bool is_null(uint32_t column, uint32_t slot) const {
    if (!has_nulls(column)) [[likely]]
      return false;
    std::atomic_ref<uint64_t> word(columns_[column].validity[slot >> 6]);
    return (word.load(std::memory_order_relaxed) >> (slot & 63) & 1) == 0;
  }
  void SetNull(uint32_t column, uint32_t slot);
  // Only needed for slots that were used before: fresh slots are valid.
  void SetValid(uint32_t column, uint32_t slot);
  types::Value Read(uint32_t column, uint32_t slot) const {
    if (is_null(column, slot)) return types::Value::Null();
    const Column& c = columns_[column];
    return types::LoadCell(c.type, c.cells + size_t{slot} * c.size);
  }

  // Writes all cells of a slot; strings are copied. Values past the layout are ignored, missing
  // ones are NULL. Returns the bytes allocated for strings.
  size_t WriteRow(uint32_t slot, std::span<const types::Value> row);
  // The same for `count` fresh slots from `slot` on, column by column.
  size_t WriteRows(uint32_t slot, uint32_t count, const types::Chunk& chunk, uint32_t first_row);
  // Frees the strings of a slot. Returns the bytes freed.
  size_t FreeStrings(uint32_t slot);

  // Slots [0, used) may hold versions; the others were never written.
  uint32_t used() const { return used_.load(std::memory_order_acquire); }

  // ---- The clean mark: the page is full, every version is stamped and not ended
  // ------------------ Called after a version of this page got an end, or a slot was freed or
  // reused.
  void Touch() {
    modifications_.fetch_add(1, std::memory_order_acq_rel);
    clean_.store(0, std::memory_order_release);
  }
  // The greatest begin timestamp of the page when it is known to be clean, else 0.
  uint64_t clean_timestamp() const {
    const uint64_t clean = clean_.load(std::memory_order_acquire);
    if (clean == 0) return 0;
    const uint64_t modifications = modifications_.load(std::memory_order_acquire);
    const bool same = modifications << kCleanTimestampBits == (clean & ~kCleanTimestampMask);
    return same ? clean & kCleanTimestampMask : 0;
  }
  // Looks at every version and remembers the page as clean when it is.
  void TryMarkClean();

  // ---- Freezing --------------------------------------------------------------------------------
  // Whether every slot is free, or holds the only version of its row, begun at `newest_max` or
  // before and not ended. Requires: nobody allocates from the page (TableStore::TakePage).
  bool IsSettled(uint64_t newest_max) const;
  // Given back and not taken again.
  bool is_free(uint32_t slot) const {
    return (freed_[slot >> 6].load(std::memory_order_acquire) >> (slot & 63) & 1) != 0;
  }
  // The version of the table's set of segments that has all rows of this page; 0 = none has.
  uint64_t frozen_at() const { return frozen_at_.load(std::memory_order_acquire); }
  void set_frozen_at(uint64_t version) { frozen_at_.store(version, std::memory_order_release); }
  // A version whose `prev` is frozen is about to be written here: scans must look at each version.
  void NoteThawed() { thawed_.store(true, std::memory_order_release); }

 private:
  friend class TableStore;
  void WriteFixed(uint32_t column, uint32_t slot, uint32_t count, const types::ColumnView& view,
                  uint32_t first_row);
  struct Column {
    char* cells;
    uint64_t* validity;
    std::atomic<bool> has_nulls;  // release in SetNull; never cleared.
    types::PhysicalType type;
    uint8_t size;  // of a cell
  };
  Page(uint64_t number, uint32_t capacity, std::shared_ptr<const Layout> layout, size_t bytes);

  static constexpr int kCleanTimestampBits = 44;
  static constexpr uint64_t kCleanTimestampMask = (1ULL << kCleanTimestampBits) - 1;

  // What a lookup reads comes first: one cache line.
  VersionHeader* headers_ = nullptr;
  Column* columns_ = nullptr;
  // modifications (low 20 bits) << 44 | timestamp. A reader compares the modifications, so a writer
  // that ends a version between the check and the store cannot leave a false mark.
  std::atomic<uint64_t> clean_{0};
  std::atomic<uint32_t> modifications_{0};
  std::atomic<uint32_t> used_{0};
  const std::shared_ptr<const Layout> layout_;
  const uint64_t number_;
  const uint32_t capacity_;
  const size_t bytes_;
  std::atomic<uint64_t> frozen_at_{0};
  std::atomic<bool> thawed_{false};

  // ---- Free slots, see TableStore --------------------------------------------------------------
  std::atomic<uint64_t> freed_[kPageSlots / 64] = {};  // Given back and not yet taken again.
  std::atomic<uint32_t> freed_count_{0};
  std::atomic<bool> claimed_{true};  // A lane allocates from it, or it waits in the reuse list.
};

}  // namespace omendb::rowstore
