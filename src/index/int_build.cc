// int_build.cc - filling leaves, bulk load, inner levels, and the walk that checks them.
#include <bit>
#include <string>

#include "base/sqlstate.h"
#include "index/int_tree.h"

namespace omendb::index {

namespace {

// Entries per bucket of a plain leaf when it is built.
constexpr size_t kPlainDensePerBucket = 14;
constexpr size_t kPlainGrowPerBucket = 11;
// Children per inner node at bulk load: room for some splits before the node itself must.
constexpr size_t kBulkFanout = Inner::kFanout * 7 / 8;

uint32_t ShrinkBelow(size_t built) { return built < 12 ? 1 : static_cast<uint32_t>(built / 3); }

Status Invalid(const std::string& what) {
  return Status(sqlstate::kInternalError, "index invariant broken: " + what);
}

}  // namespace

Leaf* IntTree::NewLeaf(uint64_t low, uint64_t last) {
  Leaf* leaf = new (memory_->AllocateCell(sizeof(Leaf))) Leaf;
  leaf->low = low;
  leaf->last = last;
  for (Word& upper : leaf->upper) upper.set(UINT64_MAX);
  for (auto& slot : leaf->slot) slot.set(0);
  leaf->spares.Clear();
  leaf->filled.set(FillLevels{}.Pack());
  return leaf;
}

void IntTree::FillModel(Leaf* leaf, std::span<const Entry> entries, const ModelPlan& plan) {
  leaf->SetModel(plan.model);
  leaf->spares_used = 0;
  leaf->spare_limit = std::min(SpareTable::RoundUp(plan.spare_limit), SpareTable::kMax);
  leaf->count.set(static_cast<uint32_t>(entries.size()));
  leaf->built_count = static_cast<uint32_t>(entries.size());
  leaf->shrink_below.set(ShrinkBelow(entries.size()));
  leaf->sticky_plain = 0;
  MakeBuckets(leaf, plan.buckets);
  leaf->spares.Clear();
  leaf->spare_capacity = 0;
  const uint32_t room = std::min(plan.spare_room, SpareTable::kMax);
  while (leaf->spare_capacity < room) AddSpares(leaf, room);
  uint64_t current = UINT64_MAX;
  int n = 0;
  Bucket* bucket = nullptr;
  Spare* spare = nullptr;
  for (const Entry& entry : entries) {
    const uint64_t at = plan.model(entry.key);
    if (at != current) {
      current = at;
      bucket = leaf->BucketAt(at);
      spare = nullptr;
      n = 0;
    }
    if (n < Bucket::kCapacity) {
      bucket->keys[n].set(entry.key);
      bucket->values[n].set(entry.value);
      bucket->SetCount(++n);
      continue;
    }
    if (spare == nullptr || spare->count() == Spare::kCapacity) {
      OMEN_CHECK(leaf->spares_used < leaf->spare_capacity);
      Spare* next = leaf->spares.At(leaf->spares_used++);
      next->Clear();
      (spare == nullptr ? bucket->SetNext(leaf->spares_used) : spare->SetNext(leaf->spares_used));
      spare = next;
    }
    spare->InsertAt(spare->count(), entry.key, entry.value);
  }
}

// Empty ones. Sets the leaf's bytes.
void IntTree::MakeBuckets(Leaf* leaf, uint32_t buckets) {
  OMEN_CHECK(buckets <= kModelBucketsMax);
  leaf->buckets.set(buckets);
  leaf->bytes = 0;
  for (uint32_t first = 0; first < buckets; first += kSegmentBuckets) {
    const uint32_t n = std::min(kSegmentBuckets, buckets - first);
    const size_t bytes = Arena::RoundUp(n * sizeof(Bucket));
    auto* segment = static_cast<Bucket*>(memory_->Allocate(bytes));
    leaf->upper[first / kSegmentBuckets].set_release(reinterpret_cast<uint64_t>(segment));
    leaf->bytes += static_cast<uint32_t>(bytes);
    for (uint32_t i = 0; i < n; ++i) segment[i].Clear();
  }
}

// Room for a few more, `wanted` in all if they fit into the last segment.
void IntTree::AddSpares(Leaf* leaf, uint32_t wanted) {
  const uint32_t capacity = leaf->spare_capacity;
  const uint32_t segment = capacity / SpareTable::kSegment, has = capacity % SpareTable::kSegment;
  const uint32_t more = std::max(wanted - capacity, leaf->buckets.get() / 8);
  const uint32_t holds = std::min(SpareTable::kSegment, has + SpareTable::RoundUp(more));
  auto* memory = static_cast<char*>(memory_->Allocate(holds * sizeof(Spare)));
  for (uint32_t i = 0; i < has; ++i) {
    reinterpret_cast<Spare*>(memory)[i].CopyFrom(
        *leaf->spares.At(segment * SpareTable::kSegment + i));
  }
  if (has > 0) RetireBlock(leaf->spares.memory(segment), has * sizeof(Spare));
  leaf->spares.Set(segment, memory, holds);
  leaf->spare_capacity += holds - has;
  leaf->bytes += (holds - has) * sizeof(Spare);
}

void IntTree::FillPlain(Leaf* leaf, std::span<const Entry> entries, Fill fill,
                        uint32_t capacity_min) {
  const size_t n = entries.size();
  const size_t per = fill == Fill::kDense ? kPlainDensePerBucket : kPlainGrowPerBucket;
  OMEN_CHECK(n <= size_t{kPlainBuckets} * Bucket::kCapacity);
  const auto used =
      static_cast<uint32_t>(std::clamp<size_t>((n + per - 1) / per, 1, kPlainBuckets));
  // Whole granules where no growth is expected.
  const uint32_t capacity =
      fill == Fill::kDense ? (used + kPlainBucketsMin - 1) / kPlainBucketsMin * kPlainBucketsMin
                           : std::max(capacity_min, std::bit_ceil(used));
  const size_t bytes = capacity * sizeof(Bucket);
  leaf->block.set_release(static_cast<char*>(memory_->Allocate(bytes)));
  leaf->bytes = static_cast<uint32_t>(bytes);
  leaf->spares.Clear();
  leaf->shape.set(0);
  leaf->buckets.set(used);
  leaf->bucket_capacity = capacity;
  leaf->slots_used = used == 32 ? ~uint32_t{0} : (uint32_t{1} << used) - 1;
  leaf->count.set(static_cast<uint32_t>(n));
  leaf->built_count = static_cast<uint32_t>(n);
  leaf->shrink_below.set(ShrinkBelow(n));
  Bucket* buckets = leaf->bucket_array();
  for (uint32_t i = 0; i < kPlainBuckets; ++i) leaf->upper[i].set(UINT64_MAX);
  for (uint32_t i = 0; i < used; ++i) {
    Bucket& bucket = buckets[i];
    bucket.Clear();
    const size_t begin = n * i / used, end = n * (i + 1) / used;
    for (size_t k = begin; k < end; ++k) {
      bucket.InsertAt(static_cast<int>(k - begin), entries[k].key, entries[k].value);
    }
    leaf->slot[i].set(static_cast<uint8_t>(i));
    if (i + 1 < used) leaf->upper[i].set(entries[end].key - 1);
  }
}

void IntTree::FillLeaf(Leaf* leaf, std::span<const Entry> entries, const LeafPlan& plan) {
  const auto part = entries.subspan(plan.begin, plan.end - plan.begin);
  if (plan.model) {
    FillModel(leaf, part, plan.plan);
  } else {
    FillPlain(leaf, part, plan.fill);
  }
}

std::vector<Leaf*> IntTree::BuildLeaves(std::span<const Entry> entries,
                                        std::span<const LeafPlan> plans, uint64_t low,
                                        uint64_t last) {
  std::vector<Leaf*> leaves;
  for (size_t i = 0; i < plans.size(); ++i) {
    const uint64_t end = i + 1 < plans.size() ? entries[plans[i + 1].begin].key - 1 : last;
    Leaf* leaf = NewLeaf(low, end);
    FillLeaf(leaf, entries, plans[i]);
    if (plans[i].fill == Fill::kDense) {
      leaf->filled.set(FillLevels{}.Moved(Knob::kDensity, -1).Pack());
    }
    leaves.push_back(leaf);
    low = end + 1;
  }
  return leaves;
}

Inner* IntTree::NewInner(std::span<const ChildEntry> children) {
  Inner* inner = Inner::Make(children);
  inner_bytes_.fetch_add(sizeof(Inner), std::memory_order_relaxed);
  return inner;
}

NodeRef IntTree::BuildLevels(std::vector<ChildEntry> level) {
  while (level.size() > 1) {
    const size_t nodes = (level.size() + kBulkFanout - 1) / kBulkFanout;
    std::vector<ChildEntry> above;
    for (size_t i = 0; i < nodes; ++i) {
      const size_t begin = level.size() * i / nodes, end = level.size() * (i + 1) / nodes;
      const std::span<const ChildEntry> part(level.data() + begin, end - begin);
      above.push_back({part.front().low, NodeRef(NewInner(part))});
    }
    level = std::move(above);
  }
  return level.front().node;
}

Status IntTree::BulkLoad(std::span<const Entry> entries) {
  for (size_t i = 1; i < entries.size(); ++i) {
    if (entries[i - 1].key < entries[i].key) continue;
    const bool repeated = entries[i - 1].key == entries[i].key;
    return Status(sqlstate::kInvalidParameterValue,
                  "bulk load needs strictly ascending keys: entry " + std::to_string(i) + " (key " +
                      std::to_string(entries[i].key) + ") " +
                      (repeated ? "repeats the key before it" : "is below the one before it"));
  }
  if (Size() != 0) {
    return Status(
        sqlstate::kObjectNotInPrerequisiteState,
        "bulk load needs an empty index; this one holds " + std::to_string(Size()) + " keys");
  }
  if (entries.empty()) return Status::Ok();
  const std::vector<LeafPlan> plans = Partition(entries, Fill::kDense, false);
  memory_->SetPatient(true);
  std::vector<ChildEntry> level;
  for (Leaf* leaf : BuildLeaves(entries, plans, 0, UINT64_MAX)) {
    level.push_back({leaf->low, NodeRef(leaf)});
  }
  memory_->SetPatient(false);
  MutexLock lock(structure_mu_);
  leaves_ = level.size();
  const NodeRef before = root_.load(std::memory_order_acquire);
  first_.store(level.front().node.leaf(), std::memory_order_release);
  last_.store(level.back().node.leaf(), std::memory_order_release);
  root_.store(BuildLevels(std::move(level)), std::memory_order_release);
  DropDirectory();
  NewDirectory();
  FillDirectory(Directory::kCellsMax);
  RegisterForTuning();
  std::vector<NodeRef> nodes{before};
  while (!nodes.empty()) {
    const NodeRef node = nodes.back();
    nodes.pop_back();
    if (node.is_leaf()) {
      RetireMemory(*node.leaf());
      RetireLeafHeader(node.leaf());
      continue;
    }
    for (uint32_t i = 0; i < node.inner()->count(); ++i) nodes.push_back(node.inner()->child(i));
    RetireInner(node.inner());
  }
  size_.Add(static_cast<int64_t>(entries.size()));
  return Status::Ok();
}

void IntTree::ForEachLeaf(const std::function<void(const Leaf&, uint32_t depth)>& visit) const {
  std::vector<std::pair<NodeRef, uint32_t>> nodes{{root_.load(std::memory_order_acquire), 1}};
  while (!nodes.empty()) {
    const auto [node, depth] = nodes.back();
    nodes.pop_back();
    if (node.is_leaf()) {
      visit(*node.leaf(), depth);
      continue;
    }
    for (uint32_t i = node.inner()->count(); i-- > 0;) {
      nodes.emplace_back(node.inner()->child(i), depth + 1);
    }
  }
}

size_t IntTree::MemoryBytes() const {
  EpochGuard guard(epochs_);
  const Directory* directory = directory_.load(std::memory_order_acquire);
  return sizeof(*this) + memory_->MemoryBytes() + inner_bytes_.load(std::memory_order_relaxed) +
         (directory == nullptr ? 0 : directory->bytes());
}

IndexStats IntTree::Stats() const {
  IndexStats stats;
  stats.model_hits = static_cast<uint64_t>(counters_.model_hits.Sum());
  stats.corrections = static_cast<uint64_t>(counters_.corrections.Sum());
  stats.fallbacks = static_cast<uint64_t>(counters_.fallbacks.Sum());
  stats.retries = static_cast<uint64_t>(counters_.retries.Sum());
  stats.splits = splits_.load(std::memory_order_relaxed);
  stats.rebuilds = rebuilds_.load(std::memory_order_relaxed);
  stats.merges = merges_.load(std::memory_order_relaxed);
  stats.trials = trials_.load(std::memory_order_relaxed);
  stats.trials_kept = trials_kept_.load(std::memory_order_relaxed);
  stats.trials_reverted = trials_reverted_.load(std::memory_order_relaxed);
  stats.rewritten = rewritten_.load(std::memory_order_relaxed);
  EpochGuard guard(epochs_);
  ForEachLeaf([&stats](const Leaf& leaf, uint32_t depth) {
    ++(leaf.is_model() ? stats.model_leaves : stats.plain_leaves);
    stats.depth = std::max(stats.depth, depth);
  });
  return stats;
}

Status IntTree::Validate() const {
  MutexLock lock(tuning_mu_);  // Nothing is rewritten meanwhile.
  EpochGuard guard(epochs_);
  Status status;
  size_t total = 0;
  uint64_t next_low = 0;
  bool first = true;
  uint32_t leaf_depth = 0;
  ForEachLeaf([&](const Leaf& leaf, uint32_t depth) {
    if (!status.ok()) return;
    if (leaf_depth == 0) leaf_depth = depth;
    if (depth != leaf_depth) status = Invalid("leaves at different depths");
    if (leaf.low != next_low || (!first && next_low == 0)) status = Invalid("a gap in the ranges");
    if (!VersionLock::Readable(leaf.lock.Read())) status = Invalid("a leaf is locked or dead");
    first = false;
    next_low = leaf.last + 1;
    std::vector<Entry> entries;
    Gather(leaf, &entries);
    total += entries.size();
    if (entries.size() != leaf.count.get()) status = Invalid("a leaf's count is wrong");
    for (size_t i = 0; i < entries.size() && status.ok(); ++i) {
      const uint64_t key = entries[i].key;
      if (key < leaf.low || key > leaf.last) status = Invalid("a key outside its leaf's range");
      if (i > 0 && entries[i - 1].key >= key) status = Invalid("keys out of order");
      if (Descend(key) != &leaf) status = Invalid("an inner node leads elsewhere");
      if (leaf.ChainAt(leaf.Route(key)).Find(key).value == nullptr) {
        status = Invalid("key " + std::to_string(key) + " is not where its leaf looks for it");
      }
    }
  });
  if (status.ok() && (Descend(0) != first_.load() || Descend(UINT64_MAX) != last_.load())) {
    status = Invalid("the first or the last leaf is another");
  }
  const Directory* directory = directory_.load(std::memory_order_acquire);
  if (status.ok() && directory != nullptr && !directory->Valid()) {
    status = Invalid("a cell of the directory names a leaf that does not hold it");
  }
  if (status.ok() && next_low != 0) status = Invalid("the ranges do not reach the greatest key");
  if (status.ok() && total != Size()) status = Invalid("the size is wrong");
  return status;
}

}  // namespace omendb::index
