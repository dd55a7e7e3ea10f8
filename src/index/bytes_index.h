// bytes_index.h - the updatable index over unique byte strings in memcmp order.
//
// For text, numeric, uuid and composite keys through the order-preserving encoding of
// types/key_encoding.h, and for secondary indexes with keys made unique by a row id at their end.
// Keys are copied in.
//
// Thread safety, ownership, errors: as IntIndex (int_index.h). Key length: up to 2^31 - 1 bytes.
#pragma once

#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/epoch.h"
#include "base/status.h"
#include "index/index_types.h"

namespace omendb::index {

struct BytesEntry {
  std::string_view key;
  uint64_t value = 0;
};

class BytesIndex {
 public:
  explicit BytesIndex(EpochManager& epochs, IndexOptions options = {});
  ~BytesIndex();
  BytesIndex(const BytesIndex&) = delete;
  BytesIndex& operator=(const BytesIndex&) = delete;

  // The meaning of each: as in IntIndex.
  bool Find(std::string_view key, uint64_t* value) const;
  std::optional<uint64_t> Lookup(std::string_view key) const {
    uint64_t value = 0;
    if (!Find(key, &value)) return std::nullopt;
    return value;
  }
  std::optional<uint64_t> Insert(std::string_view key, uint64_t value);
  std::optional<uint64_t> Upsert(std::string_view key, uint64_t value);
  std::optional<uint64_t> Update(std::string_view key, uint64_t value);
  bool CompareExchange(std::string_view key, uint64_t expected, uint64_t desired);
  std::optional<uint64_t> Erase(std::string_view key);
  bool EraseIf(std::string_view key, uint64_t expected);

  size_t LookupBatch(std::span<const std::string_view> keys, std::span<uint64_t> values,
                     std::span<bool> found) const;
  Status BulkLoad(std::span<const BytesEntry> entries);

  size_t Size() const;
  // Keys in [low, high): an estimate, exact for small ranges. An empty `high` means no upper end.
  size_t CountRange(std::string_view low, std::string_view high) const;
  size_t MemoryBytes() const;
  IndexStats Stats() const;
  Status Validate() const;

 private:
  friend class BytesCursor;
  class Impl;
  std::unique_ptr<Impl> impl_;
};

// A batch of entries copied out. Keys are views into the batch, valid until it is filled again.
class BytesBatch {
  // More than a key's bytes may be written: words, and vectors, are stored whole.
  static constexpr size_t kSlack = 16;
  struct Item {
    size_t offset;
    size_t size;
    uint64_t value;
  };

 public:
  size_t size() const { return count_; }
  bool empty() const { return count_ == 0; }
  std::string_view key(size_t i) const {
    return {bytes_.data() + items_[i].offset, items_[i].size};
  }
  uint64_t value(size_t i) const { return items_[i].value; }
  void Clear() {
    used_ = 0;
    count_ = 0;
  }
  void Append(std::string_view key, uint64_t value) {
    std::memcpy(Extend(key.size(), value), key.data(), key.size());
  }
  // Room for so many more: the next ones move nothing.
  void Reserve(size_t entries, size_t key_bytes) {
    if (used_ + key_bytes + kSlack > bytes_.size()) bytes_.resize(2 * (used_ + key_bytes) + kSlack);
    if (items_.size() < count_ + entries) items_.resize(2 * count_ + entries);
  }
  // Adds an entry and returns where its key is to be written; kSlack bytes more may be.
  char* Extend(size_t key_size, uint64_t value) {
    const size_t offset = used_;
    used_ += key_size;
    if (used_ + kSlack > bytes_.size()) bytes_.resize(2 * used_ + kSlack);
    if (items_.size() == count_) items_.resize(2 * count_ + 1);
    items_[count_++] = {offset, key_size, value};
    return bytes_.data() + offset;
  }
  // Writes entries of keys that are known to fit, without asking for each. Room must have been
  // reserved, and nothing else is done with the batch, until Done.
  class Writer {
   public:
    explicit Writer(BytesBatch& batch)
        : batch_(batch),
          bytes_(batch.bytes_.data()),
          used_(batch.used_),
          next_(batch.items_.data() + batch.count_) {}
    // As BytesBatch::Extend.
    [[gnu::always_inline]] char* Extend(size_t key_size, uint64_t value) {
      *next_++ = {used_, key_size, value};
      char* const out = bytes_ + used_;
      used_ += key_size;
      return out;
    }
    // The batch holds what was written.
    void Done() {
      batch_.used_ = used_;
      batch_.count_ = static_cast<size_t>(next_ - batch_.items_.data());
    }

   private:
    BytesBatch& batch_;
    char* const bytes_;
    size_t used_;
    Item* next_;
  };
  // Drops the entries from `count` on.
  void Truncate(size_t count) {
    if (count >= count_) return;
    used_ = items_[count].offset;
    count_ = count;
  }

 private:
  std::string bytes_;  // Its first used_ bytes count.
  size_t used_ = 0;
  std::vector<Item> items_;  // Its first count_ count.
  size_t count_ = 0;
};

// As IntCursor. Bounds are copied.
class BytesCursor {
 public:
  explicit BytesCursor(const BytesIndex& index) : index_(&index) {}
  // The smallest key >= `low` comes first.
  void SeekForward(std::string_view low);
  // The greatest key < `high` (or <= `high`, with `inclusive`) comes first. SeekLast: from the end.
  void SeekBackward(std::string_view high, bool inclusive = true);
  void SeekLast();
  // Replaces the content of `batch` by up to `count` entries. Returns batch.size().
  size_t Next(BytesBatch& batch, size_t count);

 private:
  const BytesIndex* index_;
  Direction direction_ = Direction::kForward;
  std::string bound_;
  bool inclusive_ = true;
  bool unbounded_ = false;
  bool done_ = false;
};

}  // namespace omendb::index
