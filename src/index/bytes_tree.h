// bytes_tree.h - the tree behind BytesIndex: versions on inner nodes and leaves, one mutex for the
// structure.
//
// Reading      root -> inner nodes -> leaf. A node's version is read before it is searched and
//              asked for again when that of the child has been read: then the child covered the key
//              at the version read of it.
// Splitting    gives the smaller part of a full leaf to a new one. The node above takes it in under
//              its version while the leaf is still locked; then the leaf lets go of what moved. So
//              whoever comes by the old way finds the node's version changed, and who was there
//              before finds the leaf's.
// Other ways   of changing the structure make new nodes; those replaced are dead.
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
#include "index/bytes_key_sizes.h"
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
  // From the root down.
  struct Path {
    static constexpr size_t kMax = 24;
    Step steps[kMax];
    size_t size = 0;

    void Push(const Step& step) {
      OMEN_CHECK(size < kMax);
      steps[size++] = step;
    }
    bool empty() const { return size == 0; }
    const Step& back() const { return steps[size - 1]; }
    const Step& operator[](size_t i) const { return steps[i]; }
  };

  // A leaf and the node that led to it.
  struct Way {
    BytesRef ref;
    const BytesInner* above =
        nullptr;  // Null: the leaf is the root, which is never split in place.
    uint64_t version = 0;

    BytesLeaf* leaf() const { return ref.leaf(); }
    // To be asked when a version of the leaf has been read or its lock taken: whether the leaf then
    // covered what was looked for.
    [[gnu::always_inline]] bool Stands() const {
      return above == nullptr || above->lock.Unchanged(version);
    }
  };
  // What a run has put into `of` so far, copied to `part`, which ends (downward: begins) at `bound`
  // and is in no node yet. It counts while the lock of `of` shows `version`.
  struct Ahead {
    const BytesLeaf* of = nullptr;
    BytesLeaf* part = nullptr;
    BytesRecord* bound = nullptr;
    uint64_t version = 0;
  };
  // `choose` is given an inner node and names the place to go on.
  template <typename Choose>
  [[gnu::always_inline]] Way Descend(const Choose& choose) const {
    for (uint32_t round = 0;; Pause(round++)) {
      Way way{root_.load(std::memory_order_acquire)};
      bool stands = true;
      while (stands && !way.ref.is_leaf()) {
        const BytesInner* inner = way.ref.inner();
        const uint64_t version = inner->lock.Read();
        stands = VersionLock::Readable(version) && way.Stands();
        way = {inner->child(choose(*inner)), inner, version};
      }
      if (stands) return way;
    }
  }
  Way FindWay(std::string_view key) const {
    return Descend([key](const BytesInner& inner) { return inner.Find(key); });
  }
  static void Pause(uint32_t round);
  // *place: of the leaf in the node above.
  Way FindWayAndPlace(std::string_view key, uint32_t* place) const;
  static BytesRef Behind(const Way& way, uint32_t place);
  template <typename Covers, typename First>
  static bool CopyForward(BytesRef ref, BytesRef next, std::string_view within,
                          const Covers& covers, const First& first, BytesBatch& batch, size_t count,
                          const BytesRecord** high);
  static void FollowForward(const Way& way, uint32_t place, BytesBatch& batch, size_t count,
                            const BytesRecord** high);
  // To the leaf that holds the keys just below `high`; the last leaf when it is null.
  Way FindWayBelow(const std::string* high, bool inclusive) const;
  BytesLeaf* LockLeaf(std::string_view key);
  // The leaf where keys in order came last, if it covers `key`.
  BytesLeaf* LockRun(std::string_view key);
  void Count(std::string_view key) const;

  // With cells for keys of these sizes.
  BytesLeaf* NewLeaf(BytesRecord* low, BytesRecord* high, const BytesKeySizes& sizes);
  BytesRecord* NewRecord(std::string_view key);
  BytesInner* NewInner(std::span<const BytesChild> children);
  BytesRef BuildLevels(std::vector<BytesChild> level);
  void InsertInto(BytesLeaf* leaf, uint32_t at, std::string_view key, uint64_t value);
  // Records that the copies do without are added to `dropped`.
  void CopyEntries(const BytesLeaf& from, uint32_t begin, uint32_t end, BytesLeaf* to,
                   std::vector<BytesRecord*>* dropped);
  void CopyEntry(const BytesLeaf& from, uint32_t at, BytesLeaf* to,
                 std::vector<BytesRecord*>* dropped);
  void ForEachLeaf(const std::function<void(const BytesLeaf&, uint32_t depth)>& visit) const;
  void FreeTree(BytesRef root);

  // --- bytes_fence.cc, bytes_split.cc, bytes_restructure.cc; the caller holds the leaf's lock ---
  void GoOn(BytesLeaf* leaf, std::string_view key);
  void CountFullLeaf();
  static void ChooseNext(BytesLeaf* leaf, std::string_view key);
  void PrepareFence(BytesLeaf* leaf, std::string_view key);
  Ahead NewAhead(const BytesLeaf& leaf, std::string_view fence);
  void Drop(const Ahead& ahead);
  void CopyAhead(BytesLeaf* leaf, std::string_view key);
  Ahead TakeAhead(const BytesLeaf& leaf, std::string_view key);
  static bool CopyLatest(const BytesLeaf& leaf, std::string_view key, const Ahead& ahead);
  void PutFence(BytesLeaf* leaf, std::string_view key);
  void GiveToRun(BytesLeaf* leaf, BytesLeaf* part, BytesRecord* bound);
  void SplitLeaf(BytesLeaf* leaf, std::string_view key, uint32_t at);
  void PutBehind(const BytesLeaf& leaf, BytesLeaf* left, const BytesChild& right);
  void AfterErase(BytesLeaf* leaf);
  bool TryMerge(BytesLeaf* leaf) OMEN_REQUIRES(structure_mu_);
  Path FindPath(std::string_view key) const OMEN_REQUIRES(structure_mu_);
  std::optional<Step> LastAbove(const BytesLeaf& leaf) const OMEN_REQUIRES(structure_mu_);
  void PrepareSplit(const BytesLeaf& leaf);
  void ReplaceChildren(const Path& path, size_t depth, uint32_t place, uint32_t removed,
                       std::vector<BytesChild> added) OMEN_REQUIRES(structure_mu_);
  void KillLeaf(BytesLeaf* leaf);
  void KillInner(BytesInner* inner) OMEN_REQUIRES(structure_mu_);
  void RetireRecord(BytesRecord* record);
  double Rank(std::string_view key) const;

  EpochManager& epochs_;
  BytesLeafPool* pool_;         // Counted.
  std::atomic<BytesRef> root_;  // Release by the structure's writers, acquire by everyone.
  // Where keys in order come, null if they do not; never a leaf that has been retired.
  std::atomic<BytesLeaf*> run_{nullptr};
  Relaxed<uint32_t> full_leaves_{0};  // Of keys in order, since the last fences: bytes_fence.cc.
  mutable Mutex structure_mu_;
  Ahead ahead_ OMEN_GUARDED_BY(structure_mu_);
  // Where a child was put in last, null if that node is no longer: keys in order come there again.
  Step last_ OMEN_GUARDED_BY(structure_mu_) = {};
  std::atomic<size_t> inner_bytes_{0};
  ShardedCounter size_, record_bytes_;
  mutable LookupCounters counters_;
  std::atomic<uint64_t> splits_{0}, merges_{0};
};

}  // namespace omendb::index
