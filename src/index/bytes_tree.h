// bytes_tree.h - the tree behind BytesIndex. The scheme is that of int_tree.h: immutable inner
// nodes, version-locked leaves of constant range, one mutex for the structure.
//
// Lock order   leaf lock, then structure mutex; under the structure mutex leaves are only tried.
#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/epoch.h"
#include "base/mutex.h"
#include "base/status.h"
#include "index/bytes_index.h"
#include "index/bytes_leaf_pool.h"
#include "index/bytes_node.h"
#include "index/counters.h"

namespace omendb::index {

class BytesTree {
 public:
  explicit BytesTree(EpochManager& epochs);
  ~BytesTree();

  bool Find(std::string_view key, uint64_t* value) const;
  size_t LookupBatch(std::span<const std::string_view> keys, std::span<uint64_t> values,
                     std::span<bool> found) const;
  std::optional<uint64_t> Insert(std::string_view key, uint64_t value, bool replace);
  std::optional<uint64_t> Update(std::string_view key, uint64_t value, const uint64_t* expected);
  std::optional<uint64_t> Erase(std::string_view key, const uint64_t* expected);
  Status BulkLoad(std::span<const BytesEntry> entries);

  // Appends to `batch` until it holds `count`. *more: keys beyond the last one may exist.
  void ScanForward(std::string_view low, bool inclusive, BytesBatch& batch, size_t count,
                   bool* more) const;
  // From below `high` (from the very end when it is null) downwards.
  void ScanBackward(const std::string* high, bool inclusive, BytesBatch& batch, size_t count,
                    bool* more) const;

  size_t Size() const { return static_cast<size_t>(size_.Sum()); }
  size_t CountRange(std::string_view low, std::string_view high) const;
  size_t MemoryBytes() const;
  IndexStats Stats() const;
  Status Validate() const;

 private:
  struct Step {
    BytesInner* node;
    uint32_t place;
  };
  using Path = std::vector<Step>;

  BytesRef FindLeafRef(std::string_view key) const {
    BytesRef node = root_.load(std::memory_order_acquire);
    while (!node.is_leaf()) node = node.inner()->child(node.inner()->Find(key));
    return node;
  }
  BytesRef FindLeafAndNext(std::string_view key, BytesRef* next) const;
  BytesLeaf* FindLeaf(std::string_view key) const { return FindLeafRef(key).leaf(); }
  // The leaf that holds the keys just below `high`; the last leaf when it is null.
  BytesLeaf* FindLeafBelow(const std::string* high, bool inclusive) const;
  BytesLeaf* LockLeaf(std::string_view key);
  void Count(std::string_view key) const;

  // With cells for keys of these sizes.
  BytesLeaf* NewLeaf(std::string low, std::string high, bool has_high,
                     std::span<const uint32_t> key_sizes);
  BytesInner* NewInner(std::span<const BytesChild> children);
  BytesRef BuildLevels(std::vector<BytesChild> level);
  void InsertInto(BytesLeaf* leaf, uint32_t at, std::string_view key, uint64_t value);
  // Records that the copies do without are added to `dropped`.
  void CopyEntries(const BytesLeaf& from, uint32_t begin, uint32_t end, BytesLeaf* to,
                   std::vector<BytesRecord*>* dropped);
  void ForEachLeaf(const std::function<void(const BytesLeaf&, uint32_t depth)>& visit) const;
  void FreeTree(BytesRef root);

  void SplitLeaf(BytesLeaf* leaf, std::string_view key);
  void AfterErase(BytesLeaf* leaf);
  bool TryMerge(BytesLeaf* leaf) OMEN_REQUIRES(structure_mu_);
  Path FindPath(std::string_view key) const;
  void Replace(std::span<BytesLeaf* const> olds, std::span<BytesLeaf* const> news)
      OMEN_REQUIRES(structure_mu_);
  void ReplaceChildren(const Path& path, size_t depth, uint32_t place, uint32_t removed,
                       std::vector<BytesChild> added) OMEN_REQUIRES(structure_mu_);
  void RetireLeaf(BytesLeaf* leaf);
  void RetireInner(BytesInner* inner);
  void RetireRecord(BytesRecord* record);
  double Rank(std::string_view key) const;

  EpochManager& epochs_;
  BytesLeafPool* pool_;         // Counted.
  std::atomic<BytesRef> root_;  // Release by the structure's writers, acquire by everyone.
  mutable Mutex structure_mu_;
  std::atomic<size_t> inner_bytes_{0};
  ShardedCounter size_, record_bytes_;
  mutable LookupCounters counters_;
  std::atomic<uint64_t> splits_{0}, merges_{0};
};

}  // namespace omendb::index
