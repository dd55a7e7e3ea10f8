// maps.h - adapters of the ordered maps that are compared.
#pragma once

#include <absl/container/btree_map.h>

#include <algorithm>
#include <map>
#include <string>
#include <string_view>

#include "bench/index/subject.h"
#include "index/bytes_index.h"
#include "index/int_index.h"

namespace omendb::bench {

// What a peer's nodes ask for, malloc's own overhead not counted (in the peer's favour).
template <int kTag>
struct Counted {
  static inline size_t bytes = 0;
};
template <typename T, int kTag>
struct CountingAllocator {
  using value_type = T;
  template <typename U>
  struct rebind {
    using other = CountingAllocator<U, kTag>;
  };
  CountingAllocator() = default;
  template <typename U>
  CountingAllocator(const CountingAllocator<U, kTag>&) {}  // NOLINT
  T* allocate(size_t n) {
    Counted<kTag>::bytes += n * sizeof(T);
    return std::allocator<T>().allocate(n);
  }
  void deallocate(T* p, size_t n) {
    Counted<kTag>::bytes -= n * sizeof(T);
    std::allocator<T>().deallocate(p, n);
  }
  template <typename U>
  bool operator==(const CountingAllocator<U, kTag>&) const {
    return true;
  }
};

// Heap bytes of a key beside the node itself.
inline size_t HeapBytes(uint64_t) { return 0; }
inline size_t HeapBytes(const std::string& key) {
  return key.capacity() > 15 ? key.capacity() + 1 : 0;
}

template <typename Key, typename Tree, int kTag>
class StdLike {
 public:
  template <typename Pairs>
  void Load(const Pairs& sorted) {
    for (const auto& pair : sorted) {
      auto it = tree_.emplace_hint(tree_.end(), pair.key, pair.value);
      heap_ += HeapBytes(it->first);
    }
  }
  bool Find(const Key& key, uint64_t* value) const {
    auto it = tree_.find(key);
    if (it == tree_.end()) return false;
    *value = it->second;
    return true;
  }
  bool Insert(const Key& key, uint64_t value) {
    auto [it, inserted] = tree_.emplace(key, value);
    if (inserted) heap_ += HeapBytes(it->first);
    return inserted;
  }
  bool Erase(const Key& key) { return tree_.erase(key) != 0; }
  size_t Scan(const Key& from, size_t n, uint64_t* sum) const {
    size_t seen = 0;
    for (auto it = tree_.lower_bound(from); it != tree_.end() && seen < n; ++it, ++seen) {
      *sum += it->second;
    }
    return seen;
  }
  size_t Bytes() const { return Counted<kTag>::bytes + heap_; }

 private:
  Tree tree_;
  size_t heap_ = 0;
};

template <typename Key>
struct AbslMap : StdLike<Key,
                         absl::btree_map<Key, uint64_t, std::less<Key>,
                                         CountingAllocator<std::pair<const Key, uint64_t>, 1>>,
                         1> {
  static std::string Name() { return "absl"; }
};
template <typename Key>
struct StdMap : StdLike<Key,
                        std::map<Key, uint64_t, std::less<Key>,
                                 CountingAllocator<std::pair<const Key, uint64_t>, 2>>,
                        2> {
  static std::string Name() { return "std::map"; }
};

class OursInt {
 public:
  static std::string Name() { return "omendb"; }
  OursInt() : index_(epochs_) {}
  template <typename Pairs>
  void Load(const Pairs& sorted) {
    std::vector<index::Entry> entries;
    for (const auto& pair : sorted) entries.push_back({pair.key, pair.value});
    const Status status = index_.BulkLoad(entries);
    OMEN_CHECK(status.ok());
  }
  bool Find(uint64_t key, uint64_t* value) const {
    const auto found = index_.Lookup(key);
    if (found) *value = *found;
    return found.has_value();
  }
  size_t Batch(std::span<const uint64_t> keys) const {
    uint64_t values[64];
    bool found[64];
    return index_.LookupBatch(keys, {values, keys.size()}, {found, keys.size()});
  }
  bool Insert(uint64_t key, uint64_t value) { return !index_.Insert(key, value).has_value(); }
  bool Erase(uint64_t key) { return index_.Erase(key).has_value(); }
  size_t Scan(uint64_t from, size_t n, uint64_t* sum) const {
    constexpr size_t kAtOnce = 128;
    index::Entry out[kAtOnce];
    index::IntCursor cursor(index_);
    cursor.SeekForward(from);
    size_t seen = 0;
    while (seen < n) {
      const size_t got = cursor.Next({out, std::min(n - seen, kAtOnce)});
      for (size_t i = 0; i < got; ++i) *sum += out[i].value;
      seen += got;
      if (got == 0) break;
    }
    return seen;
  }
  size_t Bytes() const { return index_.MemoryBytes(); }
  index::IntIndex& index() { return index_; }

 private:
  EpochManager epochs_;
  index::IntIndex index_;
};

class OursBytes {
 public:
  static std::string Name() { return "omendb"; }
  OursBytes() : index_(epochs_) {}
  template <typename Pairs>
  void Load(const Pairs& sorted) {
    std::vector<index::BytesEntry> entries;
    for (const auto& pair : sorted) entries.push_back({pair.key, pair.value});
    const Status status = index_.BulkLoad(entries);
    OMEN_CHECK(status.ok());
  }
  bool Find(const std::string& key, uint64_t* value) const {
    const auto found = index_.Lookup(key);
    if (found) *value = *found;
    return found.has_value();
  }
  size_t Batch(std::span<const std::string> keys) const {
    std::string_view views[64];
    uint64_t values[64];
    bool found[64];
    for (size_t i = 0; i < keys.size(); ++i) views[i] = keys[i];
    return index_.LookupBatch({views, keys.size()}, {values, keys.size()}, {found, keys.size()});
  }
  bool Insert(const std::string& key, uint64_t value) {
    return !index_.Insert(key, value).has_value();
  }
  bool Erase(const std::string& key) { return index_.Erase(key).has_value(); }
  size_t Scan(const std::string& from, size_t n, uint64_t* sum) const {
    constexpr size_t kAtOnce = 1024;
    index::BytesCursor cursor(index_);
    cursor.SeekForward(from);
    size_t seen = 0;
    while (seen < n) {
      const size_t got = cursor.Next(batch_, std::min(n - seen, kAtOnce));
      for (size_t i = 0; i < got; ++i) *sum += batch_.value(i);
      seen += got;
      if (got == 0) break;
    }
    return seen;
  }
  size_t Bytes() const { return index_.MemoryBytes(); }
  index::BytesIndex& index() { return index_; }

 private:
  EpochManager epochs_;
  index::BytesIndex index_;
  mutable index::BytesBatch batch_;
};

}  // namespace omendb::bench
