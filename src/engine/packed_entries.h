// packed_entries.h - entries of a secondary index that came with a segment of replaced rows
// (bulk_update.h): sorted, and packed to a fifth of what they would take in the index.
//
// An index has an entry for each version of a row that somebody may see, so a statement that gives
// millions of rows new keys would have to keep as many entries twice. Those of the new versions
// stay here until those of the old ones are gone. Only then they are entered, and the list goes.
//
// Meaning        As an entry of the index: a hint, which readers compare with the version they
//                find. A list is never changed, so it may have entries of rows that have no such
//                key, not yet or not any more; and the index may have the same entry.
// Order          Key, then row id, as the index has them: bytes of the key followed by those of
//                the id.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/mutex.h"
#include "colstore/key_filter.h"

namespace omendb::engine {

// One list. Thread safety: any thread, it never changes.
class PackedEntries {
 public:
  struct Entry {
    std::string key;
    RowId row;
  };
  // In any order.
  explicit PackedEntries(std::vector<Entry> entries);

  uint32_t size() const { return size_; }
  size_t memory_bytes() const {
    return sizeof(*this) + bytes_.capacity() + blocks_.capacity() * sizeof(blocks_[0]) +
           filter_.memory_bytes();
  }
  // Appends the rows that have the key, of this hash.
  void Find(std::string_view key, uint64_t hash, std::vector<RowId>& rows) const;
  static uint64_t HashOf(std::string_view key);
  // The first entry that is not below; size() when there is none.
  uint32_t LowerBound(std::string_view bound) const;

  static constexpr uint32_t kBlockEntries = 16;
  // Reads entries near each other. Borrows the list. One thread at a time.
  class Cursor {
   public:
    explicit Cursor(const PackedEntries& entries) : entries_(&entries) {}
    // Valid until the next call. Requires: at < size().
    std::string_view EntryAt(uint32_t at);
    std::string_view KeyAt(uint32_t at);
    RowId RowAt(uint32_t at);

   private:
    const PackedEntries* entries_;
    uint32_t block_ = UINT32_MAX;
    std::array<std::string, kBlockEntries> unpacked_;
  };

 private:
  void Unpack(uint32_t block, std::string* entries) const;
  // Whether the first entry of a block is below.
  bool BeginsBelow(uint32_t block, std::string_view bound) const;

  uint32_t size_ = 0;
  uint64_t first_row_ = 0;        // the least
  std::vector<uint32_t> blocks_;  // where in bytes_ each begins
  // Entry by entry: varint of how much of the key is that of the one before (in a block's first:
  // 0), varint of how many bytes are not, these, varint of how far the row is from first_row_.
  std::string bytes_;
  colstore::KeyFilter filter_;  // of keys
};

// The lists of one index. Thread safety: any thread.
class PackedLists {
 public:
  struct Listed {
    uint64_t segment;  // by number: its rows have the entries
    std::shared_ptr<const PackedEntries> entries;
  };
  using List = std::vector<Listed>;

  bool empty() const { return count_.load(std::memory_order_acquire) == 0; }
  // Null: none. One once given never changes.
  std::shared_ptr<const List> all() const;
  void Add(uint64_t segment, std::shared_ptr<const PackedEntries> entries);
  void Remove(uint64_t segment);
  bool Has(uint64_t segment) const;
  size_t memory_bytes() const;
  // In [low, high); an empty high has no end.
  uint64_t CountRange(std::string_view low, std::string_view high) const;

 private:
  std::atomic<size_t> count_{0};
  mutable Mutex mu_;
  std::shared_ptr<const List> list_ OMEN_GUARDED_BY(mu_);
};

// The entries of all lists in order, from the first that is not below `bound` on; backward from the
// last that is, or from the last of all where it is empty. Thread safety: one thread at a time.
class PackedCursor {
 public:
  PackedCursor(std::shared_ptr<const PackedLists::List> lists, std::string_view bound,
               bool backward);
  bool at_end() const { return heap_.empty(); }
  // Valid until Next. Requires: not at the end.
  std::string_view entry() { return heap_.front()->entry(); }
  void Next();

 private:
  struct Part {
    std::string_view entry() { return cursor.EntryAt(at); }
    PackedEntries::Cursor cursor;
    uint32_t at;
    uint32_t left;  // entries of the list from here on
  };
  bool ComesLater(Part& a, Part& b) const {
    return backward_ ? a.entry() < b.entry() : b.entry() < a.entry();
  }

  const std::shared_ptr<const PackedLists::List> lists_;
  const bool backward_;
  std::vector<std::unique_ptr<Part>> heap_;  // the next one first
};

}  // namespace omendb::engine
