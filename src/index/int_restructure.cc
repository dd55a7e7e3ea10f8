// int_restructure.cc - how leaves split, grow, are rebuilt and merge.
//
// Every function is entered with the leaf's lock held. What it does in the foreground is bounded by
// one leaf: at most kModelKeysMax entries are gathered and dealt again, and one inner node per
// level is copied.
#include <algorithm>
#include <bit>

#include "index/int_tree.h"
#include "index/run_fit.h"

namespace omendb::index {

namespace {

// A plain leaf this full, and not built so, was filled by keys in order, not at random (which
// leaves about 70 %).
constexpr uint32_t kInOrderCount = kPlainBuckets * Bucket::kCapacity * 8 / 10;
// A run has a gap between keys to itself that is so many of its steps wide; a narrower one says
// that keys of the leaf lie between those of the run.
constexpr uint64_t kGapSteps = 16;
// How much further than its keys so far a leaf reaches that is extended for keys in order.
constexpr uint32_t kExtendTimes = 4;
// Keys a leaf is made for that goes on where one filled in order ends.
constexpr uint32_t kNextKeys = kModelKeysMax * 15 / 16;
// After a failed fit this many generations of splits do not try again.
constexpr uint32_t kStickyGenerations = 3;
// Two leaves with no more entries than this together become one.
constexpr size_t kMergeMax = 224;
// Buckets with fewer entries than this look for a neighbour to join, up to kJoinMax together.
constexpr int kJoinBelow = 5;
constexpr int kJoinMax = 12;
// Inner nodes with fewer children than this join a neighbour, up to kInnerJoinMax together.
constexpr size_t kInnerJoinBelow = Inner::kFanout / 4;
constexpr size_t kInnerJoinMax = Inner::kFanout * 3 / 4;
// A sealed leaf whose block takes more than this per key is packed first.
constexpr size_t kSealedBytesMax = 23;

// Whether nothing lies beyond the leaf.
bool Reaches(const Leaf& leaf, bool upward) {
  return upward ? leaf.last == UINT64_MAX : leaf.low == 0;
}

uint64_t SlotMask(uint32_t slot) { return uint64_t{1} << slot; }

}  // namespace

// What a leaf is gathered into. One for each thread, since malloc hands memory of this size back to
// the kernel at once, and then each rebuild pays for its pages anew. Not reentrant.
std::vector<Entry>& IntTree::Gathered(const Leaf& leaf) {
  thread_local std::vector<Entry> entries;
  entries.clear();
  Gather(leaf, &entries);
  return entries;
}

void IntTree::RetireBlock(char* block, size_t bytes) {
  struct Context {
    LeafMemory* memory;
    size_t bytes;
  };
  memory_->Ref();
  epochs_.Retire(
      block,
      [](void* p, void* c) {
        auto* context = static_cast<Context*>(c);
        context->memory->Free(p, context->bytes);
        context->memory->Unref();
        delete context;
      },
      new Context{memory_, bytes}, bytes);
}

void IntTree::RetireMemory(const Leaf& leaf) {
  struct Pieces {
    LeafMemory* memory;
    std::vector<std::pair<char*, size_t>> all;
  };
  auto* pieces = new Pieces{memory_, {}};
  leaf.ForEachPiece([pieces](char* at, size_t bytes) { pieces->all.emplace_back(at, bytes); });
  memory_->Ref();
  epochs_.Retire(
      pieces,
      [](void* p, void*) {
        auto* retired = static_cast<Pieces*>(p);
        for (const auto& [at, bytes] : retired->all) retired->memory->Free(at, bytes);
        retired->memory->Unref();
        delete retired;
      },
      nullptr, leaf.bytes);
}

void IntTree::RetireLeafHeader(Leaf* leaf) {
  memory_->Ref();
  epochs_.Retire(
      leaf,
      [](void* p, void* c) {
        static_cast<LeafMemory*>(c)->FreeCell(p);
        static_cast<LeafMemory*>(c)->Unref();
      },
      memory_, sizeof(Leaf));
}

void IntTree::RetireInner(Inner* inner) {
  inner_bytes_.fetch_sub(sizeof(Inner), std::memory_order_relaxed);
  epochs_.Retire(
      inner, [](void* p, void*) { Inner::Free(static_cast<Inner*>(p)); }, nullptr, sizeof(Inner));
}

void IntTree::Gather(const Leaf& leaf, std::vector<Entry>* entries) {
  entries->reserve(entries->size() + leaf.count.get());
  const uint32_t n = leaf.buckets.get();
  for (uint32_t i = 0; i < n; ++i) {
    const Chain chain = leaf.ChainAt(i);
    const Bucket& bucket = *chain.bucket;
    for (int k = 0; k < bucket.count(); ++k) entries->push_back(bucket.At(k));
    for (const Spare* spare = chain.Next(bucket.next()); spare != nullptr;
         spare = chain.Next(spare->next())) {
      for (int k = 0; k < spare->count(); ++k) entries->push_back(spare->At(k));
    }
  }
}

bool IntTree::MakeRoom(Leaf* leaf, uint64_t key) {
  return leaf->is_model() ? MakeRoomModel(leaf, key) : MakeRoomPlain(leaf, key);
}

// --- Plain leaves -------------------------------------------------------------------------------

bool IntTree::MakeRoomPlain(Leaf* leaf, uint64_t key) {
  if (leaf->buckets.get() < leaf->bucket_capacity) {
    SplitBucket(leaf, leaf->RoutePlain(key), key);
    return true;
  }
  if (leaf->bucket_capacity < kPlainBuckets) {
    GrowPlain(leaf);
    return true;
  }
  return SplitPlain(leaf, key);
}

void IntTree::SplitBucket(Leaf* leaf, uint32_t place, uint64_t key) {
  const auto fresh_slot = static_cast<uint32_t>(std::countr_one(leaf->slots_used));
  Bucket& full = leaf->bucket_array()[leaf->slot[place].get()];
  Bucket& fresh = leaf->bucket_array()[fresh_slot];
  fresh.Clear();
  const int n = full.count();
  const int rank = full.Rank(key);
  // Keys that come in order leave full buckets behind; the rest is cut in the middle.
  const bool in_order = rank == 0 || rank == n || full.keys[rank - 1].get() == leaf->latest ||
                        full.keys[rank].get() == leaf->latest;
  const int keep = in_order ? rank : n / 2;
  for (int i = keep; i < n; ++i) {
    const Entry entry = full.At(i);
    fresh.InsertAt(i - keep, entry.key, entry.value);
  }
  const uint64_t boundary = keep == n   ? full.keys[n - 1].get()
                            : keep == 0 ? full.keys[0].get() - 1
                                        : full.keys[keep].get() - 1;
  for (int i = n; i-- > keep;) full.RemoveAt(i);

  const uint32_t used = leaf->buckets.get();
  for (uint32_t i = used; i > place; --i) {
    leaf->upper[i].set(leaf->upper[i - 1].get());
    leaf->slot[i].set(leaf->slot[i - 1].get());
  }
  leaf->upper[place].set(boundary);
  leaf->slot[place + 1].set(static_cast<uint8_t>(fresh_slot));
  leaf->slots_used |= static_cast<uint32_t>(SlotMask(fresh_slot));
  leaf->buckets.set(used + 1);
}

void IntTree::GrowPlain(Leaf* leaf) {
  const uint32_t used = leaf->buckets.get();
  const uint32_t capacity = std::min(kPlainBuckets, leaf->bucket_capacity * 2);
  const size_t bytes = capacity * sizeof(Bucket);
  auto* block = static_cast<char*>(memory_->Allocate(bytes));
  auto* buckets = reinterpret_cast<Bucket*>(block);
  for (uint32_t i = 0; i < used; ++i) {
    buckets[i].CopyFrom(leaf->bucket_array()[leaf->slot[i].get()]);
  }
  RetireBlock(leaf->block.get(), leaf->bytes);
  leaf->block.set_release(block);
  leaf->bytes = static_cast<uint32_t>(bytes);
  leaf->bucket_capacity = capacity;
  leaf->slots_used = (uint32_t{1} << used) - 1;
  for (uint32_t i = 0; i < used; ++i) leaf->slot[i].set(static_cast<uint8_t>(i));
}

IntTree::Neighbours IntTree::NeighboursOf(const Leaf& leaf, uint64_t key) {
  const uint32_t place = leaf.RoutePlain(key);
  const Bucket& own = *leaf.ChainAt(place).bucket;
  const int rank = own.Rank(key), n = own.count();
  Neighbours found;
  if (rank > 0) found.below = own.keys[rank - 1].get();
  if (rank < n) found.above = own.keys[rank].get();
  // Erasing leaves buckets empty, at the ends too.
  for (uint32_t i = place; i-- > 0 && !found.below;) {
    const Bucket& bucket = *leaf.ChainAt(i).bucket;
    if (bucket.count() > 0) found.below = bucket.keys[bucket.count() - 1].get();
  }
  for (uint32_t i = place + 1; i < leaf.buckets.get() && !found.above; ++i) {
    const Bucket& bucket = *leaf.ChainAt(i).bucket;
    if (bucket.count() > 0) found.above = bucket.keys[0].get();
  }
  return found;
}

// Whether keys come one after the other, with no others between them and ahead of them.
bool IntTree::HasGapToItself(const Leaf& leaf, uint64_t key, const Neighbours& next) {
  if (next.below == leaf.latest) {
    const uint64_t gap = next.above.value_or(leaf.last) - key;
    return gap / kGapSteps >= key - leaf.latest || (!next.above && Reaches(leaf, true));
  }
  if (next.above != leaf.latest) return false;
  const uint64_t gap = key - next.below.value_or(leaf.low);
  return gap / kGapSteps >= leaf.latest - key || (!next.below && Reaches(leaf, false));
}

// Keys in order need no look at the other entries: gathering them takes longer than all the rest.
bool IntTree::SplitPlain(Leaf* leaf, uint64_t key) {
  const uint64_t start = Ticks();
  const Neighbours next = NeighboursOf(*leaf, key);
  const auto& [below, above] = next;
  const uint32_t count = leaf->count.get();
  const bool near =
      count != leaf->built_count && leaf->RoutePlain(leaf->latest) == leaf->RoutePlain(key);
  const bool run_was_here = leaf->from_run || leaf->built_count < count / 4;
  const bool in_order =
      near ? HasGapToItself(*leaf, key, next) : count >= kInOrderCount && run_was_here;
  if (!in_order) return Recut(leaf, Gathered(*leaf), leaf->sticky_plain > 0, nullptr, start);
  if (!above) {
    if (Reaches(*leaf, true) && Extend(leaf, Gathered(*leaf), true)) return true;
    SealAndAppend(leaf, *below);
  } else if (!below) {
    if (Reaches(*leaf, false) && Extend(leaf, Gathered(*leaf), false)) return true;
    SealAndPrepend(leaf, *above);
  } else {
    SplitAt(leaf, key);
  }
  return false;
}

// Cuts the entries anew. One piece is built in place (true); several replace the leaf (false).
bool IntTree::Recut(Leaf* leaf, std::span<const Entry> entries, bool plain_only, const KeyRun* run,
                    uint64_t start) {
  const uint64_t low = leaf->low;
  const uint32_t filled = leaf->filled.get();
  const size_t inserts = entries.size() - std::min<size_t>(entries.size(), leaf->built_count);
  const bool in_place = RecutNow(leaf, entries, plain_only, run);
  if (start != 0) ObserveRebuild(low, filled, Ticks() - start, inserts);
  return in_place;
}

bool IntTree::RecutNow(Leaf* leaf, std::span<const Entry> entries, bool plain_only,
                       const KeyRun* run) {
  const uint32_t sticky = leaf->sticky_plain;
  FillLevels levels = LevelsFor(leaf->low);
  std::vector<LeafPlan> plans;
  if (run != nullptr) {
    const double growth = GrowthOf(entries, *run);
    run_growth_.store(run->expected + (growth - run->expected) / 4, std::memory_order_relaxed);
    plans = PartitionRun(entries, *run, growth, LimitsOf(levels));
  }
  if (plans.empty()) plans = Partition(entries, Fill::kGrow, plain_only, LimitsOf(levels));
  if (levels.density() == FillLevels::kPacked) levels.SetDensity(FillLevels::kUsual);
  if (plans.size() <= 1) {
    RetireMemory(*leaf);
    if (plans.empty()) {  // The last key of a leaf without a neighbour to merge with went.
      FillPlain(leaf, entries, Fill::kGrow);
    } else {
      FillLeaf(leaf, entries, plans.front());
    }
    leaf->filled.set(levels.Pack());
    leaf->from_run = false;
    rebuilds_.fetch_add(1, std::memory_order_relaxed);
    return true;
  }
  const auto news = BuildLeaves(entries, plans, leaf->low, leaf->last);
  for (Leaf* part : news) {
    part->filled.set(levels.Pack());
    if (!part->is_model()) part->sticky_plain = plain_only ? sticky - 1 : kStickyGenerations;
  }
  RetireMemory(*leaf);
  Leaf* const olds[] = {leaf};
  Replace(olds, news);
  splits_.fetch_add(1, std::memory_order_relaxed);
  return false;
}

// --- Keys in order ------------------------------------------------------------------------------

Leaf* IntTree::MoveToNewHeader(Leaf* leaf, uint64_t low, uint64_t last) {
  Leaf* moved = NewLeaf(low, last);
  moved->base.set(leaf->base.get());
  moved->span.set(leaf->span.get());
  moved->factor.set(leaf->factor.get());
  moved->block.set_release(leaf->block.get());
  moved->shape.set(leaf->shape.get());
  moved->buckets.set(leaf->buckets.get());
  moved->count.set(leaf->count.get());
  moved->shrink_below.set(leaf->shrink_below.get());
  moved->bucket_capacity = leaf->bucket_capacity;
  moved->slots_used = leaf->slots_used;
  moved->spare_capacity = leaf->spare_capacity;
  moved->spares_used = leaf->spares_used;
  moved->spare_limit = leaf->spare_limit;
  moved->bytes = leaf->bytes;
  moved->built_count = leaf->built_count;
  moved->sticky_plain = leaf->sticky_plain;
  moved->filled.set(leaf->filled.get());
  moved->from_run = leaf->from_run;
  for (uint32_t i = 0; i < kPlainBuckets; ++i) {
    moved->upper[i].set(leaf->upper[i].get());
    moved->slot[i].set(leaf->slot[i].get());
  }
  for (uint32_t i = 0; i < SpareTable::kSegments; ++i) {
    moved->spares.words[i].set(leaf->spares.words[i].get());
  }
  return moved;
}

// Only where nothing lies beyond: keys that come in order between others may stop at any time, and
// the room would stay empty.
bool IntTree::Extend(Leaf* leaf, std::span<const Entry> entries, bool upward) {
  if (!Reaches(*leaf, upward)) return false;
  ModelPlan plan;
  const bool fits = upward ? FitAppendLeaf(entries, kExtendTimes, leaf->last, &plan)
                           : FitPrependLeaf(entries, kExtendTimes, leaf->low, &plan);
  if (!fits) return false;
  RetireMemory(*leaf);
  FillModel(leaf, entries, plan);
  rebuilds_.fetch_add(1, std::memory_order_relaxed);
  return true;
}

// Keys in order have filled the leaf from the middle: what is below them and they stay together,
// what is above becomes a leaf of its own, both full.
void IntTree::SplitAt(Leaf* leaf, uint64_t key) {
  const std::vector<Entry>& entries = Gathered(*leaf);
  const auto above = std::upper_bound(entries.begin(), entries.end(), key,
                                      [](uint64_t k, const Entry& e) { return k < e.key; });
  const auto at = static_cast<size_t>(above - entries.begin());
  const LeafPlan plans[] = {{0, at}, {at, entries.size()}};
  const auto news = BuildLeaves(entries, plans, leaf->low, leaf->last);
  for (Leaf* part : news) part->from_run = true;
  RetireMemory(*leaf);
  Leaf* const olds[] = {leaf};
  Replace(olds, news);
  splits_.fetch_add(1, std::memory_order_relaxed);
}

std::vector<Leaf*> IntTree::Sealed(Leaf* leaf, uint64_t low, uint64_t last) {
  if (leaf->bytes <= leaf->count.get() * kSealedBytesMax) {
    return {MoveToNewHeader(leaf, low, last)};
  }
  const std::vector<Entry>& entries = Gathered(*leaf);
  const auto plans = Partition(entries, Fill::kDense, false);
  RetireMemory(*leaf);
  return BuildLeaves(entries, plans, low, last);
}

// The empty leaf next to one that keys in order have filled. At the end of the index they go on, it
// is taken, as they came: the same line, so that nothing is moved until that leaf is full too.
void IntTree::FillNext(Leaf* next, const Leaf& filled, bool upward) {
  const uint32_t count = filled.count.get();
  // Not more keys than may be gathered when the leaf is cut one day.
  const auto scaled = [count](uint64_t of) {
    return static_cast<uint64_t>(static_cast<unsigned __int128>(of) * std::min(count, kNextKeys) /
                                 std::max<uint32_t>(1, count));
  };
  const uint64_t span = scaled(filled.span.get());
  const bool even = filled.is_model() && count > kModelKeysMax / 2 &&
                    span <= next->last - next->low && filled.bytes <= count * kSealedBytesMax;
  if (!even || !Reaches(*next, upward)) {
    // What has filled one plain leaf fills the next: it is not to grow step by step.
    const bool goes_on = !filled.is_model() && count >= kInOrderCount;
    FillPlain(next, {}, Fill::kGrow, goes_on ? kPlainBuckets : kPlainBucketsMin);
    return;
  }
  ModelPlan plan;
  plan.buckets = static_cast<uint32_t>(scaled(filled.buckets.get())) + 1;
  plan.model = LinearModel::Make(upward ? next->low : next->last - span, span, plan.buckets);
  const auto spares = static_cast<uint32_t>(scaled(filled.spares_used));
  plan.spare_room = spares;
  plan.spare_limit = spares + spares / 16 + plan.buckets / 32 + 1;
  FillModel(next, {}, plan);
}

// The leaf is done with: it keeps its keys, up to `top`, and what lies above them becomes a leaf of
// its own.
void IntTree::SealAndAppend(Leaf* leaf, uint64_t top) {
  std::vector<Leaf*> news = Sealed(leaf, leaf->low, top);
  news.push_back(NewLeaf(top + 1, leaf->last));
  FillNext(news.back(), *leaf, true);
  Leaf* const olds[] = {leaf};
  Replace(olds, news);
  splits_.fetch_add(1, std::memory_order_relaxed);
}

void IntTree::SealAndPrepend(Leaf* leaf, uint64_t bottom) {
  std::vector<Leaf*> news = Sealed(leaf, bottom, leaf->last);
  news.insert(news.begin(), NewLeaf(leaf->low, bottom - 1));
  FillNext(news.front(), *leaf, false);
  Leaf* const olds[] = {leaf};
  Replace(olds, news);
  splits_.fetch_add(1, std::memory_order_relaxed);
}

// --- Model leaves -------------------------------------------------------------------------------

// Width 0: the key inserted last is elsewhere.
KeyRun IntTree::RunAt(const Leaf& leaf, uint64_t key) const {
  const uint64_t width = leaf.span.get() / leaf.buckets.get();
  const bool upward = leaf.latest < key;
  const uint64_t distance = upward ? key - leaf.latest : leaf.latest - key;
  if (leaf.count.get() == leaf.built_count || distance / 2 > width) return {};
  return {key, upward, width, run_growth_.load(std::memory_order_relaxed)};
}

bool IntTree::MakeRoomModel(Leaf* leaf, uint64_t key) {
  const Chain chain = leaf->ChainAt(leaf->Route(key));
  int length = 0;
  chain.HasRoom(&length);
  const bool below = key < leaf->base.get();
  const bool beyond = below || key - leaf->base.get() > leaf->span.get();
  if (!beyond && length < kChainMax && leaf->spares_used < leaf->spare_limit) {
    if (leaf->spares_used == leaf->spare_capacity) AddSpares(leaf, leaf->spares_used + 1);
    leaf->spares.At(leaf->spares_used++)->Clear();
    chain.Link(leaf->spares_used);
    return true;
  }
  const uint64_t start = Ticks();
  const uint64_t top = Outermost(*leaf, true), bottom = Outermost(*leaf, false);
  const bool above_all = key > top;
  // Below the line's first bucket, or in order: others are better dealt anew.
  const bool below_all = key < bottom && (below || bottom == leaf->latest);
  if (!above_all && !below_all) {
    const KeyRun run = RunAt(*leaf, key);
    return Recut(leaf, Gathered(*leaf), false, run.width > 0 ? &run : nullptr, start);
  }
  const uint32_t count = leaf->count.get();
  const bool grown = count >= leaf->built_count + leaf->built_count / 2;
  if (grown && count <= kModelKeysMax / 2 && Reaches(*leaf, above_all) &&
      Extend(leaf, Gathered(*leaf), above_all)) {
    return true;
  }
  if (above_all) {
    SealAndAppend(leaf, top);
  } else {
    SealAndPrepend(leaf, bottom);
  }
  return false;
}

// The greatest or smallest key. Requires: the leaf is not empty.
uint64_t IntTree::Outermost(const Leaf& leaf, bool upward) {
  const uint32_t n = leaf.buckets.get();
  for (uint32_t i = 0; i < n; ++i) {
    const Chain chain = leaf.ChainAt(upward ? n - 1 - i : i);
    const Bucket& bucket = *chain.bucket;
    if (bucket.count() == 0) continue;
    if (!upward) return bucket.keys[0].get();
    uint64_t top = bucket.keys[bucket.count() - 1].get();
    for (const Spare* spare = chain.Next(bucket.next()); spare != nullptr && spare->count() > 0;
         spare = chain.Next(spare->next())) {
      top = spare->keys[spare->count() - 1].get();
    }
    return top;
  }
  OMEN_CHECK(false);
  return 0;
}

// --- Shrinking ----------------------------------------------------------------------------------

// Unlocks the leaf.
void IntTree::AfterErase(Leaf* leaf, uint64_t key) {
  if (leaf->count.get() >= leaf->shrink_below.get()) {
    if (!leaf->is_model()) MergeBuckets(leaf, key);
    leaf->lock.UnlockChanged();
    return;
  }
  const std::vector<Entry>& entries = Gathered(*leaf);
  {
    MutexLock lock(structure_mu_);
    if (TryMerge(leaf, entries)) {
      merges_.fetch_add(1, std::memory_order_relaxed);
      return;
    }
  }
  if (entries.size() > kMergeMax || leaf->is_model() || leaf->bytes > Arena::kGranule) {
    if (!Recut(leaf, entries, leaf->sticky_plain > 0, nullptr, 0)) return;
  } else {
    leaf->shrink_below.set(std::max<uint32_t>(1, leaf->count.get() / 3));
  }
  leaf->lock.UnlockChanged();
}

void IntTree::MergeBuckets(Leaf* leaf, uint64_t key) {
  const uint32_t used = leaf->buckets.get();
  const uint32_t at = leaf->RoutePlain(key);
  if (used < 2 || leaf->bucket_array()[leaf->slot[at].get()].count() >= kJoinBelow) return;
  const uint32_t left = at + 1 < used ? at : at - 1;
  Bucket& to = leaf->bucket_array()[leaf->slot[left].get()];
  const uint32_t gone = leaf->slot[left + 1].get();
  const Bucket& from = leaf->bucket_array()[gone];
  if (to.count() + from.count() > kJoinMax) return;
  for (int i = 0; i < from.count(); ++i) {
    to.InsertAt(to.count(), from.keys[i].get(), from.values[i].get());
  }
  leaf->upper[left].set(leaf->upper[left + 1].get());
  for (uint32_t i = left + 1; i + 1 < used; ++i) {
    leaf->upper[i].set(leaf->upper[i + 1].get());
    leaf->slot[i].set(leaf->slot[i + 1].get());
  }
  leaf->upper[used - 1].set(UINT64_MAX);
  leaf->slots_used &= ~static_cast<uint32_t>(SlotMask(gone));
  leaf->buckets.set(used - 1);
}

// Joins the leaf with a neighbour below the same parent. True: both replaced (dead, unlocked).
bool IntTree::TryMerge(Leaf* leaf, std::span<const Entry> entries) {
  const Path path = FindPath(leaf->low);
  if (path.empty() || path.back().node->count() < 2) return false;
  const auto [parent, place] = path.back();
  const bool right = place + 1 < parent->count();
  Leaf* other = parent->child(right ? place + 1 : place - 1).leaf();
  if (!other->lock.TryLock()) return false;
  Leaf* const olds[] = {right ? leaf : other, right ? other : leaf};
  const uint64_t low = olds[0]->low, last = olds[1]->last;
  Leaf* joined = nullptr;
  if (entries.empty()) {
    joined = MoveToNewHeader(other, low, last);
  } else if (entries.size() + other->count.get() <= kMergeMax) {
    std::vector<Entry> both;
    for (const Leaf* old : olds) Gather(*old, &both);
    joined = NewLeaf(low, last);
    FillPlain(joined, both, Fill::kGrow);
    RetireMemory(*other);
  } else {
    other->lock.UnlockUnchanged();
    return false;
  }
  RetireMemory(*leaf);
  Leaf* const news[] = {joined};
  ReplaceLocked(olds, news);
  return true;
}

// --- Inner nodes --------------------------------------------------------------------------------

IntTree::Path IntTree::FindPath(uint64_t key) const {
  Path path;
  NodeRef node = root_.load(std::memory_order_acquire);
  while (!node.is_leaf()) {
    const uint32_t place = node.inner()->Find(key);
    path.push_back({node.inner(), place});
    node = node.inner()->child(place);
  }
  return path;
}

void IntTree::Replace(std::span<Leaf* const> olds, std::span<Leaf* const> news) {
  MutexLock lock(structure_mu_);
  ReplaceLocked(olds, news);
}

void IntTree::ReplaceLocked(std::span<Leaf* const> olds, std::span<Leaf* const> news) {
  const Path path = FindPath(olds[0]->low);
  std::vector<ChildEntry> added;
  for (Leaf* leaf : news) added.push_back({leaf->low, NodeRef(leaf)});
  ReplaceChildren(path, path.size(), path.empty() ? 0 : path.back().place,
                  static_cast<uint32_t>(olds.size()), std::move(added));
  UpdateDirectory(olds, news);
  for (Leaf* leaf : olds) {
    leaf->lock.UnlockDead();
    RetireLeafHeader(leaf);
  }
}

// Puts `added` in place of `removed` children, from `place` on, of path[depth - 1]; depth 0: of the
// root itself.
void IntTree::ReplaceChildren(const Path& path, size_t depth, uint32_t place, uint32_t removed,
                              std::vector<ChildEntry> added) {
  if (depth == 0) {
    while (added.size() > Inner::kFanout) {  // Cannot be, with leaves cut into a few dozen.
      added = {{added.front().low, BuildLevels(added)}};
    }
    root_.store(added.size() == 1 ? added.front().node : NodeRef(NewInner(added)),
                std::memory_order_release);
    return;
  }
  Inner* node = path[depth - 1].node;
  if (added.size() == 1 && removed == 1) {
    node->SetChild(place, added.front().node);
    return;
  }
  if (removed == 1 && node->count() + added.size() <= Inner::kFanout + 1) {
    const NodeRef spliced(Inner::MakeSpliced(*node, place, added));
    inner_bytes_.fetch_add(sizeof(Inner), std::memory_order_relaxed);
    if (depth == 1) {
      root_.store(spliced, std::memory_order_release);
    } else {
      path[depth - 2].node->SetChild(path[depth - 2].place, spliced);
    }
    RetireInner(node);
    return;
  }
  std::vector<ChildEntry> children;
  children.reserve(2 * Inner::kFanout);  // A neighbour's may come too.
  for (uint32_t i = 0; i < place; ++i) children.push_back({node->separator(i), node->child(i)});
  children.insert(children.end(), added.begin(), added.end());
  for (uint32_t i = place + removed; i < node->count(); ++i) {
    children.push_back({node->separator(i), node->child(i)});
  }
  const bool at_end = place + removed == node->count();
  uint32_t up_place = depth >= 2 ? path[depth - 2].place : 0;
  uint32_t up_removed = 1;
  std::vector<ChildEntry> above;
  if (children.size() == 1 && depth == 1) {
    root_.store(children.front().node, std::memory_order_release);
    RetireInner(node);
    return;
  }
  Inner* joined = nullptr;
  if (children.size() < kInnerJoinBelow && depth >= 2 && path[depth - 2].node->count() >= 2) {
    const Inner& parent = *path[depth - 2].node;
    const bool right = up_place + 1 < parent.count();
    Inner* other = parent.child(right ? up_place + 1 : up_place - 1).inner();
    if (other->count() + children.size() <= kInnerJoinMax) {
      std::vector<ChildEntry> theirs;
      for (uint32_t i = 0; i < other->count(); ++i) {
        theirs.push_back({other->separator(i), other->child(i)});
      }
      children.insert(right ? children.end() : children.begin(), theirs.begin(), theirs.end());
      if (!right) --up_place;
      up_removed = 2;
      joined = other;
    }
  }
  const size_t n = children.size();
  const size_t nodes = (n + Inner::kFanout - 1) / Inner::kFanout;
  for (size_t i = 0; i < nodes; ++i) {
    // Growing at the end leaves full nodes behind.
    const size_t begin = at_end ? i * Inner::kFanout : n * i / nodes;
    const size_t end = at_end ? std::min(n, begin + Inner::kFanout) : n * (i + 1) / nodes;
    const std::span<const ChildEntry> part(children.data() + begin, end - begin);
    above.push_back({part.front().low, NodeRef(NewInner(part))});
  }
  ReplaceChildren(path, depth - 1, up_place, up_removed, std::move(above));
  // Only now does no path lead to them: a reader who came after they were retired but before that
  // would not hold them back.
  RetireInner(node);
  if (joined != nullptr) RetireInner(joined);
}

}  // namespace omendb::index
