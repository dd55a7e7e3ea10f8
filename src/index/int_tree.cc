#include "index/int_tree.h"

#include <algorithm>
#include <thread>

namespace omendb::index {

namespace {

// A writer holds a leaf for tens of nanoseconds, a rebuild for tens of microseconds: spin a little,
// then let somebody else run.
class Backoff {
 public:
  void Pause() {
    if (++rounds_ < 64) {
      CpuRelax();
    } else {
      std::this_thread::yield();
    }
  }
  uint32_t rounds() const { return rounds_; }

 private:
  uint32_t rounds_ = 0;
};

// Keys in flight at once in LookupBatch: enough to keep the memory busy, few enough that what was
// prefetched first is still in the first-level cache when it is used.
constexpr size_t kBatch = 32;
// No version ever: a version never has all bits set.
constexpr uint64_t kUnread = UINT64_MAX;

}  // namespace

IntTree::IntTree(EpochManager& epochs, IndexOptions options)
    : epochs_(epochs), memory_(LeafMemory::Make()), tunable_(options.tuning) {
  Leaf* leaf = NewLeaf(0, UINT64_MAX);
  FillPlain(leaf, {}, Fill::kGrow);
  root_.store(NodeRef(leaf), std::memory_order_release);
  first_.store(leaf, std::memory_order_release);
  last_.store(leaf, std::memory_order_release);
  run_.store(leaf, std::memory_order_release);
}

IntTree::~IntTree() {
  TuningThread::Instance().Remove(this);
  delete tuning_map_.load(std::memory_order_acquire);
  std::vector<NodeRef> nodes{root_.load(std::memory_order_acquire)};
  while (!nodes.empty()) {
    const NodeRef node = nodes.back();
    nodes.pop_back();
    if (node.is_leaf()) {  // The header goes with its slab.
      node.leaf()->ForEachPiece([this](char* at, size_t bytes) { memory_->Free(at, bytes); });
      continue;
    }
    for (uint32_t i = 0; i < node.inner()->count(); ++i) nodes.push_back(node.inner()->child(i));
    Inner::Free(node.inner());
  }
  delete directory_.load(std::memory_order_acquire);
  memory_->Unref();
}

// One attempt in few instructions, so that the processor runs ahead into the next lookup while
// this one waits for memory.
[[gnu::always_inline]] inline IntTree::Answer IntTree::ReadLeaf(const Leaf* leaf, uint64_t key,
                                                                uint64_t* value) {
  const uint64_t version = leaf->lock.Read();
  const Chain chain = leaf->Locate(key);
  // From here on `chain` points into the block that the header named at `version`.
  if (!VersionLock::Readable(version) || !leaf->lock.Unchanged(version)) [[unlikely]] {
    return Answer::kAgain;
  }
  chain.bucket->PrefetchValues();
  const Place place = chain.Find(key);
  if (place.value != nullptr) *value = place.value->get();
  if (!leaf->lock.Unchanged(version)) [[unlikely]]
    return Answer::kAgain;
  return place.value != nullptr ? Answer::kFound : Answer::kAbsent;
}

OMEN_INDEX_CLONES IntTree::Answer IntTree::TryFind(uint64_t key, uint64_t* value) const {
  if (SampleThis()) [[unlikely]]
    return Answer::kSampled;
  EpochGuard guard(epochs_);
  const Directory* directory = directory_.load(std::memory_order_acquire);
  const Leaf* leaf = directory == nullptr ? nullptr : directory->Find(key);
  if (leaf == nullptr) return Answer::kDescend;
  leaf->PrefetchPieces();
  return ReadLeaf(leaf, key, value);
}

OMEN_INDEX_CLONES IntTree::Answer IntTree::TryDescend(uint64_t key, uint64_t* value) const {
  EpochGuard guard(epochs_);
  const Leaf* leaf = Descend(key);
  // Whether it is plain is not known before its first line is there: its misses shall overlap.
  leaf->PrefetchAll();
  return ReadLeaf(leaf, key, value);
}

bool IntTree::FindSlowly(Answer answer, uint64_t key, uint64_t* value) const {
  if (answer == Answer::kDescend) {
    answer = TryDescend(key, value);
    if (answer <= Answer::kAbsent) return answer == Answer::kFound;
  }
  if (answer == Answer::kSampled && TimeThisLookup()) return FindTimed(key, value);
  return FindAgain(key, value, answer == Answer::kSampled);
}

bool IntTree::FindAgain(uint64_t key, uint64_t* value, bool sampled) const {
  EpochGuard guard(epochs_);
  Backoff backoff;
  for (;; backoff.Pause()) {
    const Leaf* leaf = FindLeaf(key);
    const uint64_t version = leaf->lock.Read();
    if (!VersionLock::Readable(version)) continue;
    const bool model = leaf->is_model();
    const Chain chain = leaf->Locate(key);
    if (!leaf->lock.Unchanged(version)) continue;
    const Place place = chain.Find(key);
    if (place.value != nullptr) *value = place.value->get();
    if (!leaf->lock.Unchanged(version)) continue;
    if (sampled) {
      counters_.Count(!model           ? LookupPath::kFallback
                      : place.in_spare ? LookupPath::kCorrection
                                       : LookupPath::kModelHit);
    }
    if (backoff.rounds() > 0) counters_.retries.Add(1);
    return place.value != nullptr;
  }
}

OMEN_INDEX_CLONES size_t IntTree::LookupBatch(std::span<const uint64_t> keys,
                                              std::span<uint64_t> values,
                                              std::span<bool> found) const {
  size_t total = 0;
  EpochGuard guard(epochs_);
  const Leaf* leaves[kBatch];
  uint64_t versions[kBatch];
  Chain chains[kBatch];
  for (size_t at = 0; at < keys.size(); at += kBatch) {
    const size_t n = std::min(kBatch, keys.size() - at);
    for (size_t i = 0; i < n; ++i) {
      leaves[i] = FindLeaf(keys[at + i]);
      Prefetch(leaves[i]);
      leaves[i]->PrefetchAll();
    }
    for (size_t i = 0; i < n; ++i) leaves[i]->PrefetchGroup(keys[at + i]);
    for (size_t i = 0; i < n; ++i) {
      versions[i] = leaves[i]->lock.Read();
      chains[i] = leaves[i]->Locate(keys[at + i]);
      if (!leaves[i]->lock.Unchanged(versions[i]) || !VersionLock::Readable(versions[i])) {
        versions[i] = kUnread;
        continue;
      }
      const char* bucket = reinterpret_cast<const char*>(chains[i].bucket);
      for (size_t line = 0; line < sizeof(Bucket); line += 64) Prefetch(bucket + line);
    }
    for (size_t i = 0; i < n; ++i) {
      bool hit = false;
      uint64_t value = 0;
      if (versions[i] != kUnread) [[likely]] {
        const Place place = chains[i].Find(keys[at + i]);
        hit = place.value != nullptr;
        if (hit) value = place.value->get();
      }
      const bool sampled = SampleThis();
      if (sampled || !leaves[i]->lock.Unchanged(versions[i])) [[unlikely]] {
        hit = FindAgain(keys[at + i], &value, sampled);
      }
      found[at + i] = hit;
      if (hit) values[at + i] = value;
      total += hit;
    }
  }
  return total;
}

OMEN_INDEX_CLONES Leaf* IntTree::LockLeaf(uint64_t key) {
  for (Backoff backoff;; backoff.Pause()) {
    Leaf* leaf = FindLeafInOrder(key);
    // On its way while the lock is taken. Whatever a writer is doing to the header meanwhile, a
    // prefetch of a wrong address does nothing.
    Bucket::PrefetchForWrite(leaf->Locate(key).bucket);
    // A leaf that is not dead covers what its separator said, since ranges are constant.
    if (leaf->lock.TryLock()) return leaf;
  }
}

std::optional<uint64_t> IntTree::Update(uint64_t key, uint64_t value, const uint64_t* expected) {
  EpochGuard guard(epochs_);
  Leaf* leaf = LockLeaf(key);
  const Place place = leaf->Locate(key).Find(key);
  if (place.value == nullptr) {
    leaf->lock.Unlock();
    return std::nullopt;
  }
  const uint64_t existing = place.value->get();
  if (expected != nullptr && *expected != existing) {
    leaf->lock.Unlock();
    return existing;
  }
  place.value->set(value);
  leaf->lock.Unlock();
  return existing;
}

std::optional<uint64_t> IntTree::Erase(uint64_t key, const uint64_t* expected) {
  EpochGuard guard(epochs_);
  Leaf* leaf = LockLeaf(key);
  const Chain chain = leaf->Locate(key);
  const Place place = chain.Find(key);
  if (place.value == nullptr) {
    leaf->lock.Unlock();
    return std::nullopt;
  }
  const uint64_t existing = place.value->get();
  if (expected != nullptr && *expected != existing) {
    leaf->lock.Unlock();
    return existing;
  }
  chain.Erase(key);
  leaf->count.set(leaf->count.get() - 1);
  size_.Add(-1);
  AfterErase(leaf, key);
  return existing;
}

}  // namespace omendb::index
