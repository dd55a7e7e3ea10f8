// int_tree.h - the tree behind IntIndex: immutable inner nodes over version-locked leaves.
//
// Reading      root -> inner nodes (no versions: they never change) -> leaf, read optimistically.
// Writing      the same descent, then the leaf's lock; most writes touch one bucket.
// Restructure  a leaf that is full (or nearly empty) is gathered, cut anew by fit.h, and either
//              rebuilt in place (its header keeps its identity) or replaced by other leaves in a
//              new copy of its parent, under the structure mutex. Replaced leaves are marked dead;
//              whoever still finds one starts again.
//
// Lock order   leaf lock, then structure mutex; under the structure mutex leaves are only tried.
//              Before both: the tuning lock.
// Files        int_tree.cc point operations, int_restructure.cc (with int_plain.cc and
//              int_groups.cc for leaves that are plain, int_runs.cc and int_seal.cc for keys in
//              order, int_replace.cc for the nodes above), int_build.cc and int_fill.cc,
//              int_scan.cc, int_directory.cc the short way from the root to the leaves,
//              int_tuning.cc.
#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "base/epoch.h"
#include "base/mutex.h"
#include "base/status.h"
#include "index/counters.h"
#include "index/directory.h"
#include "index/fit.h"
#include "index/index_types.h"
#include "index/inner.h"
#include "index/leaf.h"
#include "index/leaf_memory.h"
#include "index/run_fit.h"
#include "index/tuning_map.h"
#include "index/tuning_thread.h"

namespace omendb::index {

class IntTree {
 public:
  IntTree(EpochManager& epochs, IndexOptions options);
  ~IntTree();

  bool Find(uint64_t key, uint64_t* value) const {
    Answer answer = Answer::kSampled;
    if (!descends_.load(std::memory_order_relaxed)) {
      answer = TryFind(key, value);
    } else if (!SampleThis()) [[likely]] {
      answer = TryDescend(key, value);
    }
    if (answer <= Answer::kAbsent) [[likely]]
      return answer == Answer::kFound;
    return FindSlowly(answer, key, value);
  }
  size_t LookupBatch(std::span<const uint64_t> keys, std::span<uint64_t> values,
                     std::span<bool> found) const;
  // Inserts if absent; with `replace` an existing value is overwritten. True and *existing set if
  // one was there.
  bool Insert(uint64_t key, uint64_t value, bool replace, uint64_t* existing) {
    if (TimeThisWrite()) [[unlikely]]
      return InsertTimed(key, value, replace, existing);
    return InsertNow(key, value, replace, existing);
  }
  // Overwrites an existing value, only if it is `*expected` when given. Returns the value found.
  std::optional<uint64_t> Update(uint64_t key, uint64_t value, const uint64_t* expected);
  // Removes, only if the value is `*expected` when given. Returns the value found.
  std::optional<uint64_t> Erase(uint64_t key, const uint64_t* expected);

  Status BulkLoad(std::span<const Entry> entries);
  // Entries >= low going up, or <= high going down, into `out`. Sets *more to whether keys beyond
  // the last one copied may exist.
  size_t ScanForward(uint64_t low, std::span<Entry> out, bool* more) const;
  size_t ScanBackward(uint64_t high, std::span<Entry> out, bool* more) const;

  size_t Size() const { return static_cast<size_t>(size_.Sum()); }
  size_t CountRange(uint64_t low, uint64_t high) const;
  size_t MemoryBytes() const;
  IndexStats Stats() const;
  Status Validate() const;
  // A step of self-tuning. True: the tree was in use since the last one.
  bool Tune();

 private:
  // One step of a descent: the node and the child taken.
  struct Step {
    Inner* node;
    uint32_t place;
  };
  using Path = std::vector<Step>;
  // A neighbour of a full bucket with less room is not worth the lines it takes to read and write.
  static constexpr int kRoomMin = 4;
  // After a failed fit this many generations of splits do not try again.
  static constexpr uint32_t kStickyGenerations = 3;

  [[gnu::always_inline]] Leaf* FindLeaf(uint64_t key) const {
    const Directory* directory = directory_.load(std::memory_order_acquire);
    if (directory != nullptr) {
      Leaf* leaf = directory->Find(key);
      if (leaf != nullptr) return leaf;
    }
    return Descend(key);
  }
  [[gnu::always_inline]] Leaf* Descend(uint64_t key) const {
    NodeRef node = root_.load(std::memory_order_acquire);
    while (!node.is_leaf()) {
      const Inner* inner = node.inner();
      node = inner->child(inner->Find(key));
    }
    return node.leaf();
  }
  // As FindLeaf, for inserts: in order they come where the last ones did or at the ends, beyond
  // what the directory covers.
  [[gnu::always_inline]] Leaf* FindLeafInOrder(uint64_t key) const {
    const Directory* directory = directory_.load(std::memory_order_acquire);
    if (directory != nullptr) {
      Leaf* leaf = directory->Find(key);
      if (leaf != nullptr) return leaf;
    }
    Leaf* run = run_.load(std::memory_order_acquire);
    if (key >= run->low && key <= run->last) return run;
    Leaf* first = first_.load(std::memory_order_acquire);
    if (key <= first->last) return first;
    Leaf* last = last_.load(std::memory_order_acquire);
    return key >= last->low ? last : Descend(key);
  }
  Leaf* LockLeaf(uint64_t key);
  // kAgain: a writer was there. kSampled: to be counted. kDescend: the directory does not know.
  enum class Answer { kFound, kAbsent, kAgain, kSampled, kDescend };
  Answer TryFind(uint64_t key, uint64_t* value) const;
  Answer TryDescend(uint64_t key, uint64_t* value) const;
  static Answer ReadLeaf(const Leaf* leaf, uint64_t key, uint64_t* value);
  bool FindSlowly(Answer answer, uint64_t key, uint64_t* value) const;
  // As Find, repeated until no writer disturbs it; counted if it is one of the sample.
  bool FindAgain(uint64_t key, uint64_t* value, bool sampled) const;

  // --- int_insert.cc ---
  // Where a key goes, read as a reader does: so it is if the leaf's lock is taken at `version`.
  struct Spot {
    Leaf* leaf;
    uint64_t version;
    Bucket* bucket;
    uint64_t meta;  // Of the bucket.
    int rank;       // Of the key in it.
  };
  bool FindInRun(uint64_t key, Spot* spot) const;
  static bool FindAhead(Leaf* leaf, uint64_t key, Spot* spot);
  bool InsertNow(uint64_t key, uint64_t value, bool replace, uint64_t* existing);
  bool InsertLocked(Leaf* leaf, uint64_t key, uint64_t value, bool replace, uint64_t* existing);
  bool Inserted(Leaf* leaf, uint64_t key);
  template <bool kInRun>
  bool InsertAt(const Spot& spot, uint64_t key, uint64_t value, bool replace, uint64_t* existing);

  // --- int_build.cc ---
  void FillLeaf(Leaf* leaf, std::span<const Entry> entries, const LeafPlan& plan);
  // The leaves of `plans` side by side, covering [low, last].
  std::vector<Leaf*> BuildLeaves(std::span<const Entry> entries, std::span<const LeafPlan> plans,
                                 uint64_t low, uint64_t last);
  NodeRef BuildLevels(std::vector<ChildEntry> level);
  Inner* NewInner(std::span<const ChildEntry> children);
  void ForEachLeaf(const std::function<void(const Leaf&, uint32_t depth)>& visit) const;
  static bool BoundsAreWithin(const Leaf& leaf);

  // --- int_fill.cc ---
  Leaf* NewLeaf(uint64_t low, uint64_t last);
  void FillModel(Leaf* leaf, std::span<const Entry> entries, const ModelPlan& plan);
  void MakeBuckets(Leaf* leaf, uint32_t buckets);
  Bucket* AddSegment(Leaf* leaf, uint32_t s);
  static void FillSpares(Leaf* leaf, Bucket* bucket, std::span<const Entry> entries);
  void FitSegments(Leaf* leaf);
  static bool SegmentsAreThere(const Leaf& leaf);
  void AddSpares(Leaf* leaf, uint32_t wanted);
  void FillPlain(Leaf* leaf, std::span<const Entry> entries, Fill fill);
  uint64_t NewBucket(std::span<const Entry> entries);

  // --- int_restructure.cc; there and in the next two the caller holds the leaf's lock ---
  // Makes room for `key` in its bucket, which is at `place`. False when the leaf was replaced
  // (dead, lock gone).
  bool MakeRoom(Leaf* leaf, uint32_t place, uint64_t key);
  bool MakeRoomModel(Leaf* leaf, uint64_t key);
  bool LinkSpare(Leaf* leaf, const Chain& chain, uint64_t key);
  // `run`: null if keys do not come in order. `start`: when the rebuilding began, for self-tuning;
  // 0: not to be measured.
  bool Recut(Leaf* leaf, std::span<const Entry> entries, bool plain_only, const KeyRun* run,
             uint64_t start);
  bool RecutNow(Leaf* leaf, std::span<const Entry> entries, bool plain_only, const KeyRun* run);
  void AfterErase(Leaf* leaf, uint64_t key);
  bool TryMerge(Leaf* leaf, std::span<const Entry> entries) OMEN_REQUIRES(structure_mu_);
  static void Gather(const Leaf& leaf, std::vector<Entry>* entries);
  static Entry* Gather(const Leaf& leaf, uint32_t begin, uint32_t end, Entry* to);
  static std::span<const Entry> Gathered(const Leaf& leaf, uint32_t begin, uint32_t end);
  static std::span<const Entry> Gathered(const Leaf& leaf) { return Gathered(leaf, 0, leaf.End()); }
  void RetireBlock(char* block, size_t bytes);
  void RetireMemory(const Leaf& leaf);
  void RetireLeafHeader(Leaf* leaf);
  void RetireInner(Inner* inner);

  // --- int_plain.cc ---
  bool MakeRoomPlain(Leaf* leaf, uint32_t place, uint64_t key);
  static void PrefetchBeside(const Leaf& leaf, uint32_t place);
  // Whether the key follows the one inserted before it.
  enum class KeyOrder { kNone, kUpward, kDownward };
  static KeyOrder OrderAt(const Leaf& leaf, uint32_t place, uint64_t key);
  static bool FewFit(const Bucket& full, int rank, uint64_t key, uint64_t before);
  static bool ShareBucket(Leaf* leaf, uint32_t place, int rank, KeyOrder order);
  void SplitBucket(Leaf* leaf, uint32_t place, int rank, KeyOrder order);
  void MergeBuckets(Leaf* leaf, uint64_t key);

  // --- int_groups.cc ---
  static bool ShareGroup(Leaf* leaf, uint32_t place, KeyOrder order);
  static void MoveBuckets(Leaf* leaf, uint32_t from, uint32_t to, uint32_t count);
  static uint32_t CutAt(uint32_t at, uint32_t count, KeyOrder order);
  void SplitGroup(Leaf* leaf, uint32_t place, KeyOrder order);
  bool SplitPlain(Leaf* leaf, uint64_t key, KeyOrder order);
  void SplitGroups(Leaf* leaf, uint32_t cut, uint32_t sticky);
  static uint32_t CountGroups(const Leaf& leaf, uint32_t begin, uint32_t end);
  static void TakeGroups(Leaf* to, const Leaf& from, uint32_t begin, uint32_t end, uint32_t count);
  void MergeGroups(Leaf* leaf, uint32_t g);

  // --- int_runs.cc ---
  void SetRun(Leaf* leaf) {
    if (run_.load(std::memory_order_relaxed) != leaf) run_.store(leaf, std::memory_order_release);
  }
  // The keys from `low` to `high` go to the bucket, and the next insert is expected there.
  void SetRun(Leaf* leaf, const Bucket* bucket, uint64_t low, uint64_t high) {
    SetRun(leaf);
    leaf->run_low.set(low);
    leaf->run_high.set(high);
    leaf->run_bucket.set_release(reinterpret_cast<uint64_t>(bucket));
  }
  void NoteRun(Leaf* leaf, uint64_t key);
  static bool RunBounds(const Leaf& leaf, uint32_t place, uint64_t key, uint64_t* low,
                        uint64_t* high);
  static bool RunIsThere(const Leaf& leaf);
  bool AddBucket(Leaf* leaf, uint64_t key, uint64_t value);
  KeyRun RunAt(const Leaf& leaf, uint64_t key) const;
  // Rebuilds the leaf with room for keys in order beyond those it has. False: not worth it.
  bool Extend(Leaf* leaf, std::span<const Entry> entries, bool upward);
  static uint32_t OutermostPlace(const Leaf& leaf, bool upward);
  static uint64_t Outermost(const Leaf& leaf, bool upward);

  // --- int_seal.cc ---
  // Requires: `top` (`bottom`) is the leaf's greatest (smallest) key.
  void SealAndAppend(Leaf* leaf, uint64_t top, const ModelPlan* plan);
  void SealAndPrepend(Leaf* leaf, uint64_t bottom, const ModelPlan* plan);
  // The leaf's keys in leaves covering [low, last]: its own memory as far as that is not wasteful,
  // the rest packed.
  std::vector<Leaf*> Sealed(Leaf* leaf, uint64_t low, uint64_t last, bool upward);
  std::vector<Leaf*> SealedInParts(Leaf* leaf, uint64_t low, uint64_t last, bool upward);
  static uint32_t WellFilled(const Leaf& leaf, bool upward);
  static size_t BytesWithin(const Leaf& leaf, uint64_t low, uint64_t last);
  Leaf* MoveToNewHeader(Leaf* leaf, uint64_t low, uint64_t last);
  bool PlanAfterPlain(const Leaf& filled, ModelPlan* plan);
  static bool PlanFor(double keys, double width, bool uneven, ModelPlan* plan);
  static bool PlanNext(const Leaf& filled, bool upward, ModelPlan* plan);
  void FillNext(Leaf* next, uint32_t sticky, bool upward, const ModelPlan* plan);

  // --- int_replace.cc ---
  // Puts `news` where `olds` (locked, neighbours below one parent) were; olds die.
  void Replace(std::span<Leaf* const> olds, std::span<Leaf* const> news);
  void ReplaceLocked(std::span<Leaf* const> olds, std::span<Leaf* const> news)
      OMEN_REQUIRES(structure_mu_);
  void ReplaceChildren(const Path& path, size_t depth, uint32_t place, uint32_t removed,
                       std::vector<ChildEntry> added) OMEN_REQUIRES(structure_mu_);
  Path FindPath(uint64_t key) const;

  // --- int_directory.cc ---
  // Writes the directory's cells of replaced leaves, and a few that are still to be filled.
  void UpdateDirectory(std::span<Leaf* const> olds, std::span<Leaf* const> news)
      OMEN_REQUIRES(structure_mu_);
  void FillDirectory(size_t cells) OMEN_REQUIRES(structure_mu_);
  void NewDirectory() OMEN_REQUIRES(structure_mu_);
  void DropDirectory() OMEN_REQUIRES(structure_mu_);
  // The leaf at this share of the way through the tree.
  Leaf* LeafAt(double share) const;

  // --- int_scan.cc ---
  static size_t CopyForward(const Leaf& leaf, uint64_t version, uint64_t low, std::span<Entry> out,
                            bool* valid);
  static size_t CopyBackward(const Leaf& leaf, uint64_t version, uint64_t high,
                             std::span<Entry> out, bool* valid);
  size_t ScanForwardNow(uint64_t low, std::span<Entry> out, bool* more) const;
  size_t ScanBackwardNow(uint64_t high, std::span<Entry> out, bool* more) const;
  double Rank(uint64_t key) const;
  static constexpr uint32_t kLeavesCounted = 8;
  std::optional<size_t> CountInLeaves(uint64_t low, uint64_t high) const;

  // --- int_tuning.cc ---
  bool FindTimed(uint64_t key, uint64_t* value) const;
  bool InsertTimed(uint64_t key, uint64_t value, bool replace, uint64_t* existing);
  void Observe(Operation operation, uint64_t key, uint64_t ticks, uint64_t units) const;
  // Of a leaf that held `low`, was filled as `filled` says and took so many inserts since.
  void ObserveRebuild(uint64_t low, uint32_t filled, uint64_t ticks, size_t inserts) const;
  FillLevels LevelsFor(uint64_t key) const;
  void RegisterForTuning() OMEN_REQUIRES(structure_mu_);
  TuningMap* UpdateTuningMap() OMEN_REQUIRES(tuning_mu_);
  bool StepTuners(TuningMap& map) OMEN_REQUIRES(tuning_mu_);
  void CountVerdict(Tuner::Verdict verdict);
  void WalkLeaves(const TuningMap& map) OMEN_REQUIRES(tuning_mu_);
  // Leaves side by side that one rewriting takes.
  struct Group {
    std::vector<Leaf*> leaves;
    std::vector<uint64_t> versions;
    std::vector<Entry> entries;
    FillLevels target;
  };
  bool Rewrite(Group& group);
  static bool ReadGroup(Group& group);
  bool ReplaceGroup(const Group& group, std::span<Leaf* const> news);
  void Discard(std::span<Leaf* const> leaves);

  EpochManager& epochs_;
  LeafMemory* memory_;  // Counted; see leaf_memory.h.
  // Null while the tree is small. Release by the structure's writers, acquire by everyone.
  std::atomic<Directory*> directory_{nullptr};
  // The directory serves nobody: lookups need not ask it.
  std::atomic<bool> descends_{true};
  std::atomic<NodeRef> root_;  // Release by the structure's writers, acquire by everyone.
  std::atomic<Leaf*> first_{nullptr}, last_{nullptr};  // Likewise; leaves that are not retired.
  // A leaf to which keys came in order. Written by who holds its lock, so that a leaf that has been
  // replaced does not come back.
  std::atomic<Leaf*> run_{nullptr};
  mutable Mutex structure_mu_;  // Inner nodes, root_, directory_, first_, last_.
  size_t leaves_ OMEN_GUARDED_BY(structure_mu_) = 1;
  std::atomic<size_t> inner_bytes_{0};
  ShardedCounter size_;
  mutable LookupCounters counters_;
  std::atomic<uint64_t> splits_{0}, rebuilds_{0}, merges_{0};
  std::atomic<double> run_growth_{
      0.5};  // As GrowthOf said last: a hint for the next leaf of a run.

  // --- Self-tuning ---
  const bool tunable_;
  bool registered_ OMEN_GUARDED_BY(structure_mu_) = false;
  mutable Mutex tuning_mu_;                      // Tune. Taken before leaves and structure_mu_.
  std::atomic<TuningMap*> tuning_map_{nullptr};  // Null: not tuned (yet).
  struct RegionTuner {
    Tuner tuner;
    uint64_t settled_at = 0;  // In walks.
  };
  std::vector<RegionTuner> tuners_ OMEN_GUARDED_BY(tuning_mu_);  // One for each region of the map.
  size_t map_leaves_ OMEN_GUARDED_BY(tuning_mu_) = 0;            // When the map was made.
  uint64_t samples_ OMEN_GUARDED_BY(tuning_mu_) = 0;
  uint64_t walk_key_ OMEN_GUARDED_BY(tuning_mu_) = 0;  // Where the walk over the leaves stands.
  uint64_t walks_ OMEN_GUARDED_BY(tuning_mu_) = 0;     // Completed.
  uint64_t steps_ OMEN_GUARDED_BY(tuning_mu_) = 0;     // Since the walk began.
  std::atomic<uint64_t> trials_{0}, trials_kept_{0}, trials_reverted_{0}, rewritten_{0};
};

}  // namespace omendb::index
