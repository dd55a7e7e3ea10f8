// int_tuning.cc - self-tuning of a tree: timing sampled operations, and filling leaves as the
// tuners of the regions say.
//
// Leaves that are rebuilt because they are full follow the levels of their slice from then on.
// Those nobody inserts into are rewritten here, a few a step and without holding anybody up:
// neighbours are read as a reader would, the new leaves are built, and then they are put in place
// if no writer came in between.
#include <algorithm>

#include "index/int_tree.h"
#include "index/tuning_counts.h"

namespace omendb::index {

namespace {

// Trees with fewer leaves than this fit into the caches: nothing to gain. Why 32: two regions with
// four leaves a slice.
constexpr size_t kLeavesMin = 32;
constexpr size_t kLeavesPerRegion = 16;
// What one step may do: look at so many headers and read so many entries, a millisecond's work.
constexpr size_t kHeadersPerStep = 512;
constexpr size_t kEntriesPerStep = 16'384;
// Leaves are rewritten in groups of up to so many entries, as many as a leaf may hold.
constexpr size_t kGroupEntries = kModelKeysMax;
// Walks over the leaves until those that rest are as they should be: one to see how many entries
// each has, one to see that it still has, one for what the levels were when the walk had passed.
constexpr uint64_t kWalksToSettle = 3;
// Steps from the beginning of a walk to that of the next at least: half a second in which a leaf is
// not inserted into shows that it rests.
constexpr uint64_t kStepsPerWalk = 25;
// Rewriting to pack is worth it if it leaves at most this share of the memory.
constexpr double kPackedShare = 0.95;

thread_local uint64_t rebuilds_of_thread = 0;

size_t BytesOf(const Leaf& leaf) { return leaf.bytes + sizeof(Leaf); }

FillLevels FilledAs(const Leaf& leaf) { return FillLevels::Unpack(leaf.filled.get()); }

// In the index's own count and in that of the process.
void CountTwice(std::atomic<uint64_t>& own, std::atomic<uint64_t>& of_process, uint64_t n) {
  own.fetch_add(n, std::memory_order_relaxed);
  of_process.fetch_add(n, std::memory_order_relaxed);
}

// Whether the leaf should be rewritten, were nobody to insert into it. What comes in order at an
// end of the index finds its leaves full or growing, and is left alone.
bool Differs(const Leaf& leaf, FillLevels target) {
  if (leaf.low == 0 || leaf.last == UINT64_MAX) return false;
  const bool ours = (leaf.filled.get() & Leaf::kTuned) != 0;
  return (target.density() == FillLevels::kPacked || ours) && FilledAs(leaf) != target;
}

}  // namespace

// --- Timing -------------------------------------------------------------------------------------

void IntTree::Observe(Operation operation, uint64_t key, uint64_t ticks, uint64_t units) const {
  EpochGuard guard(epochs_);
  TuningMap* map = tuning_map_.load(std::memory_order_acquire);
  if (map != nullptr) map->Observe(operation, key, ticks, units);
}

bool IntTree::FindTimed(uint64_t key, uint64_t* value) const {
  const uint64_t start = Ticks();
  const bool found = FindAgain(key, value, true);
  Observe(Operation::kLookup, key, Ticks() - start, 1);
  return found;
}

bool IntTree::InsertTimed(uint64_t key, uint64_t value, bool replace, uint64_t* existing) {
  const uint64_t rebuilds = rebuilds_of_thread;
  const uint64_t start = Ticks();
  const bool found = InsertNow(key, value, replace, existing);
  // Rebuilding is measured by itself, all of it.
  if (rebuilds == rebuilds_of_thread) Observe(Operation::kWrite, key, Ticks() - start, 1);
  return found;
}

void IntTree::ObserveRebuild(uint64_t low, uint32_t filled, uint64_t ticks, size_t inserts) const {
  ++rebuilds_of_thread;
  TuningMap* map = tuning_map_.load(std::memory_order_acquire);
  if (map != nullptr) map->ObserveRebuild(low, FillLevels::Unpack(filled), ticks, inserts);
}

FillLevels IntTree::LevelsFor(uint64_t key) const {
  const TuningMap* map = tuning_map_.load(std::memory_order_acquire);
  return map == nullptr ? FillLevels{} : map->LevelsOf(key);
}

// --- Steps --------------------------------------------------------------------------------------

void IntTree::RegisterForTuning() {
  if (!tunable_ || registered_ || leaves_ < kLeavesMin) return;
  registered_ = true;
  TuningThread::Instance().Add(this,
                               [](void* tree) { return static_cast<IntTree*>(tree)->Tune(); });
}

bool IntTree::Tune() {
  if (!tunable_) return false;
  MutexLock lock(tuning_mu_);
  TuningMap* map = UpdateTuningMap();
  if (map == nullptr) return false;
  const bool used = StepTuners(*map);
  WalkLeaves(*map);
  return used;
}

// Null while the tree is too small. A map is made anew when the leaves have doubled in number, or
// are a third; its regions begin with the levels that held there.
TuningMap* IntTree::UpdateTuningMap() {
  size_t leaves = 0;
  {
    MutexLock lock(structure_mu_);
    leaves = leaves_;
  }
  TuningMap* old = tuning_map_.load(std::memory_order_acquire);
  const bool fits = leaves < map_leaves_ * 2 && leaves * 3 > map_leaves_;
  if (leaves < kLeavesMin || (old != nullptr && fits)) return old;
  EpochGuard guard(epochs_);
  const size_t regions = std::min(TuningMap::kRegionsMax, leaves / kLeavesPerRegion);
  const size_t slices = regions * TuningMap::kSlicesPerRegion;
  std::vector<uint64_t> lows{0};
  for (size_t i = 1; i < slices; ++i) {
    const uint64_t low = LeafAt(static_cast<double>(i) / static_cast<double>(slices))->low;
    if (low > lows.back()) lows.push_back(low);
  }
  lows.resize(lows.size() / TuningMap::kSlicesPerRegion * TuningMap::kSlicesPerRegion);
  if (lows.empty()) return old;  // A tree that is all on one side, for now.
  std::vector<FillLevels> levels;
  for (size_t i = 0; i < lows.size(); i += TuningMap::kSlicesPerRegion) {
    levels.push_back(old == nullptr ? FillLevels{}
                                    : tuners_[old->RegionOf(lows[i])].tuner.levels());
  }
  auto* map = new TuningMap(std::move(lows), levels);
  tuners_.clear();
  for (const FillLevels of_region : levels) tuners_.push_back({Tuner(of_region), 0});
  map_leaves_ = leaves;
  samples_ = 0;
  tuning_map_.store(map, std::memory_order_release);
  if (old != nullptr) epochs_.RetireObject(old);
  return map;
}

bool IntTree::StepTuners(TuningMap& map) {
  uint64_t samples = 0;
  for (size_t i = 0; i < tuners_.size(); ++i) {
    auto& [tuner, settled_at] = tuners_[i];
    const RegionSums totals = map.Totals(i);
    for (const ArmSums& arm : totals.arms) {
      for (const CostSums& sums : arm) samples += sums.count;
    }
    if (tuner.settling() && walks_ >= settled_at) tuner.Settled(totals);
    const Tuner::Verdict verdict = tuner.Step(totals);
    if (verdict == Tuner::Verdict::kWait) continue;
    CountVerdict(verdict);
    map.Set(i, tuner.levels(), tuner.trial());
    settled_at = walks_ + kWalksToSettle;
  }
  return samples != std::exchange(samples_, samples);
}

void IntTree::CountVerdict(Tuner::Verdict verdict) {
  TuningCounts& all = process_tuning_counts;
  switch (verdict) {
    case Tuner::Verdict::kWait:
      return;
    case Tuner::Verdict::kTry:
      return CountTwice(trials_, all.trials, 1);
    case Tuner::Verdict::kKeep:
      return CountTwice(trials_kept_, all.kept, 1);
    case Tuner::Verdict::kRevert:
      return CountTwice(trials_reverted_, all.reverted, 1);
  }
}

// --- Rewriting ----------------------------------------------------------------------------------

void IntTree::WalkLeaves(const TuningMap& map) {
  if (walk_key_ == 0 && steps_ < kStepsPerWalk) {
    ++steps_;
    return;
  }
  ++steps_;
  size_t headers = 0, entries = 0;
  Group group;
  while (headers < kHeadersPerStep && entries < kEntriesPerStep) {
    EpochGuard guard(epochs_);
    const Path path = FindPath(walk_key_);
    if (path.empty()) return;
    const auto [parent, first] = path.back();
    group.leaves.clear();
    size_t size = 0;
    uint32_t place = first;
    for (; place < parent->count() && headers < kHeadersPerStep; ++place, ++headers) {
      Leaf* leaf = parent->child(place).leaf();
      const uint32_t count = leaf->count.get();
      const bool rests = leaf->seen_count == count;
      const FillLevels target = map.LevelsOf(leaf->low);
      const bool wanted = rests && Differs(*leaf, target);
      const bool joins = wanted && size + count <= kGroupEntries &&
                         (group.leaves.empty() || target == group.target);
      if (!joins && !group.leaves.empty()) break;
      leaf->seen_count = count;
      if (!joins) continue;
      group.target = target;
      group.leaves.push_back(leaf);
      size += count;
    }
    const uint64_t last = parent->child(std::max(place, first + 1) - 1).leaf()->last;
    walk_key_ = last + 1;  // 0 after the last leaf.
    entries += size;
    if (!group.leaves.empty() && Rewrite(group)) {
      CountTwice(rewritten_, process_tuning_counts.leaves_rewritten, group.leaves.size());
    }
    if (walk_key_ == 0) {
      ++walks_;
      steps_ = 0;
      return;
    }
  }
}

// As a reader: true if no writer disturbed it.
bool IntTree::ReadGroup(Group& group) {
  group.entries.clear();
  group.versions.clear();
  for (const Leaf* leaf : group.leaves) {
    const uint64_t version = leaf->lock.Read();
    if (!VersionLock::Readable(version)) return false;
    const size_t begin = group.entries.size(), count = leaf->count.get();
    group.entries.resize(begin + count);
    bool valid = true;
    if (count > 0) {
      CopyForward(*leaf, version, leaf->low, std::span(group.entries).subspan(begin), &valid);
    }
    if (!valid || !leaf->lock.Unchanged(version)) return false;
    group.versions.push_back(version);
  }
  return !group.entries.empty();
}

// False when a writer came, or nothing would be gained.
bool IntTree::Rewrite(Group& group) {
  if (!ReadGroup(group)) return false;
  const bool pack = group.target.density() == FillLevels::kPacked;
  const Fill fill = pack ? Fill::kDense : Fill::kGrow;
  const auto plans = Partition(group.entries, fill, false, LimitsOf(group.target));
  const auto news =
      BuildLeaves(group.entries, plans, group.leaves.front()->low, group.leaves.back()->last);
  size_t before = 0, after = 0;
  bool was_loose = false;
  for (const Leaf* leaf : group.leaves) {
    before += BytesOf(*leaf);
    was_loose |= FilledAs(*leaf).density() != FillLevels::kPacked;
  }
  for (Leaf* leaf : news) {
    after += BytesOf(*leaf);
    leaf->filled.set(group.target.Pack() | Leaf::kTuned);
    leaf->seen_count = leaf->count.get();
  }
  const bool gains = !pack || !was_loose ||
                     static_cast<double>(after) <= kPackedShare * static_cast<double>(before);
  if (gains && ReplaceGroup(group, news)) return true;
  Discard(news);
  if (!gains) {  // As good as packed: not to be looked at again.
    for (Leaf* leaf : group.leaves) leaf->filled.set(group.target.Pack());
  }
  return false;
}

bool IntTree::ReplaceGroup(const Group& group, std::span<Leaf* const> news) {
  const std::vector<Leaf*>& olds = group.leaves;
  MutexLock lock(structure_mu_);
  const Path path = FindPath(olds.front()->low);
  const auto [parent, place] = path.back();
  bool same = place + olds.size() <= parent->count();
  for (uint32_t i = 0; same && i < olds.size(); ++i) {
    same = parent->child(place + i) == NodeRef(olds[i]);
  }
  size_t locked = 0;
  while (same && locked < olds.size() && olds[locked]->lock.TryLockAt(group.versions[locked])) {
    ++locked;
  }
  if (locked < olds.size()) {
    while (locked > 0) olds[--locked]->lock.Unlock();
    return false;
  }
  for (const Leaf* leaf : olds) RetireMemory(*leaf);
  ReplaceLocked(olds, news);
  return true;
}

// Of leaves that nobody else has seen.
void IntTree::Discard(std::span<Leaf* const> leaves) {
  for (Leaf* leaf : leaves) {
    leaf->ForEachPiece([this](char* at, size_t bytes) { memory_->Free(at, bytes); });
    memory_->FreeCell(leaf);
  }
}

}  // namespace omendb::index
