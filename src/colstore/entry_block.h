// entry_block.h - sorted entries of a secondary index, packed to a fifth of what they would take in
// the index: in memory (engine/packed_entries.h), or as a block of an index run (index_run.h).
//
// An entry is a key and a row id. Their order is that of the key's bytes followed by the eight of
// the id, the highest first, which is how an index has them. No key begins another.
//
// Format         docs/formats/index_run.md, "Blocks"
// Thread safety  A parsed block is immutable: any thread. Cursor: one thread at a time.
// Ownership      EntryBlock borrows the bytes; Cursor borrows the block.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/ids.h"

namespace omendb::colstore {

struct IndexEntry {
  std::string_view key;
  RowId row;

  friend bool operator<(const IndexEntry& a, const IndexEntry& b) {
    const int order = a.key.compare(b.key);
    return order != 0 ? order < 0 : a.row < b.row;
  }
};

inline constexpr size_t kRowIdBytes = 8;
// Of an entry as bytes.
inline std::string_view KeyOfEntry(std::string_view entry) {
  return entry.substr(0, entry.size() - kRowIdBytes);
}
inline RowId RowOfEntry(std::string_view entry) {
  return RowId(LoadBe<uint64_t>(entry.data() + entry.size() - kRowIdBytes));
}
// Appends the row id's bytes.
void AppendRowId(RowId row, std::string& key);

class EntryBlock {
 public:
  static constexpr uint32_t kGroupEntries = 16;

  // Requires: they are sorted.
  static std::string Encode(std::span<const IndexEntry> entries);
  // False when the bytes are none. What was accepted is read without going out of bounds.
  bool Parse(std::string_view bytes);
  // The same of bytes that Parse has accepted before.
  void Attach(std::string_view bytes);

  uint32_t size() const { return size_; }
  // The first entry that is not below; size() when there is none.
  uint32_t LowerBound(std::string_view bound) const;

  // Reads entries near each other.
  class Cursor {
   public:
    explicit Cursor(const EntryBlock& block) : block_(&block) {}
    // Valid until the next call. Requires: at < size().
    std::string_view EntryAt(uint32_t at);
    std::string_view KeyAt(uint32_t at) { return KeyOfEntry(EntryAt(at)); }
    RowId RowAt(uint32_t at) { return RowOfEntry(EntryAt(at)); }

   private:
    const EntryBlock* block_;
    uint32_t group_ = UINT32_MAX;
    std::array<std::string, kGroupEntries> unpacked_;
  };

 private:
  uint32_t groups() const { return (size_ + kGroupEntries - 1) / kGroupEntries; }
  ByteReader GroupAt(uint32_t group) const {
    return ByteReader(packed_.substr(LoadLe<uint32_t>(starts_ + 4 * size_t{group})));
  }
  void Unpack(uint32_t group, std::string* entries) const;
  // Whether the first entry of a group is below.
  bool BeginsBelow(uint32_t group, std::string_view bound) const;

  uint32_t size_ = 0;
  uint64_t first_row_ = 0;  // the least
  const char* starts_ = nullptr;
  std::string_view packed_;
};

}  // namespace omendb::colstore
