// int_build.cc - building leaves side by side, bulk load, inner levels, and the walk that checks
// them.
#include <string>

#include "base/sqlstate.h"
#include "index/int_tree.h"

namespace omendb::index {

namespace {

// Children per inner node at bulk load: room for some splits before the node itself must.
constexpr size_t kBulkFanout = Inner::kFanout * 7 / 8;

Status Invalid(const std::string& what) {
  return Status(sqlstate::kInternalError, "index invariant broken: " + what);
}

}  // namespace

void IntTree::FillLeaf(Leaf* leaf, std::span<const Entry> entries, const LeafPlan& plan) {
  const auto part = entries.subspan(plan.begin, plan.end - plan.begin);
  if (plan.model) {
    FillModel(leaf, part, plan.plan);
  } else {
    FillPlain(leaf, part, plan.fill);
    // That no line fits has been found out.
    if (plan.fill == Fill::kDense) leaf->sticky_plain = kStickyGenerations;
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
  run_.store(level.front().node.leaf(), std::memory_order_release);
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

// See leaf.h, I5.
bool IntTree::BoundsAreWithin(const Leaf& leaf) {
  if (leaf.is_model()) return true;
  uint64_t next = leaf.low;
  for (uint32_t i = 0; i < leaf.End(); i = leaf.After(i)) {
    const uint64_t bound = leaf.GroupAt(i / kGroupSize)->upper[i % kGroupSize].get();
    if (leaf.After(i) >= leaf.End()) return bound == UINT64_MAX;
    if (bound < next || bound >= leaf.last) return false;
    next = bound + 1;
  }
  return true;
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
    if (!BoundsAreWithin(leaf)) status = Invalid("a bucket's bound outside its leaf's range");
    if (!RunIsThere(leaf)) status = Invalid("keys in order are sent to another bucket");
    if (!SegmentsAreThere(leaf)) status = Invalid("a segment of a leaf is not there");
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
  if (status.ok() && Descend(run_.load()->low) != run_.load()) {
    status = Invalid("the leaf of keys in order is not there");
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
