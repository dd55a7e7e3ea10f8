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

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/mutex.h"
#include "colstore/entry_block.h"
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
  PackedEntries(const PackedEntries&) = delete;
  PackedEntries& operator=(const PackedEntries&) = delete;

  uint32_t size() const { return block_.size(); }
  size_t memory_bytes() const { return sizeof(*this) + bytes_.capacity() + filter_.memory_bytes(); }
  // Appends the rows that have the key, of this hash.
  void Find(std::string_view key, uint64_t hash, std::vector<RowId>& rows) const;
  static uint64_t HashOf(std::string_view key);
  // The first entry that is not below; size() when there is none.
  uint32_t LowerBound(std::string_view bound) const { return block_.LowerBound(bound); }

  // Reads entries near each other. Borrows the list. One thread at a time.
  class Cursor : public colstore::EntryBlock::Cursor {
   public:
    explicit Cursor(const PackedEntries& entries) : colstore::EntryBlock::Cursor(entries.block_) {}
  };

 private:
  std::string bytes_;
  colstore::EntryBlock block_;  // of bytes_
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
