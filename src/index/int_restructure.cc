// int_restructure.cc - how leaves are rebuilt, cut and merged, and what is replaced retired.
//
// Every function is entered with the leaf's lock held. What it does in the foreground is bounded by
// one leaf: at most kModelKeysMax entries are gathered and dealt again, and one inner node per
// level is copied.
#include <algorithm>

#include "index/int_tree.h"
#include "index/run_fit.h"

namespace omendb::index {

namespace {

// A plain leaf that takes no more than this is not worth packing.
constexpr uint32_t kSmallBytes = 1024;
// Two leaves with no more entries than this together become one.
constexpr size_t kMergeMax = 224;

}  // namespace

// The leaf's entries, of the places from `begin` on, before `end`, in memory of the thread: they
// are there until the next call.
std::span<const Entry> IntTree::Gathered(const Leaf& leaf, uint32_t begin, uint32_t end) {
  // Kept, since malloc hands memory of this size back to the kernel at once, and then each
  // rebuilding pays for its pages anew.
  thread_local std::vector<Entry> entries;
  const size_t room = leaf.count.get() + Bucket::kCapacity;
  if (entries.size() < room) entries.resize(room);
  return {entries.data(), Gather(leaf, begin, end, entries.data())};
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
  const size_t before = entries->size();
  entries->resize(before + leaf.count.get() + Bucket::kCapacity);
  entries->resize(Gather(leaf, 0, leaf.End(), entries->data() + before) - entries->data());
}

// Returns where the entries end. A bucket's worth of places behind that is written, too.
OMEN_INDEX_CLONES Entry* IntTree::Gather(const Leaf& leaf, uint32_t begin, uint32_t end,
                                         Entry* to) {
  for (uint32_t i = begin; i < end; i = leaf.After(i)) {
    const Chain chain = leaf.ChainAt(i);
    const Bucket& bucket = *chain.bucket;
    bucket.CopySlots(to);
    to += bucket.count();
    for (const Spare* spare = chain.Next(bucket.next()); spare != nullptr;
         spare = chain.Next(spare->next())) {
      for (int k = 0; k < spare->count(); ++k) *to++ = spare->At(k);
    }
  }
  return to;
}

bool IntTree::MakeRoom(Leaf* leaf, uint32_t place, uint64_t key) {
  return leaf->is_model() ? MakeRoomModel(leaf, key) : MakeRoomPlain(leaf, place, key);
}

// One more spare for a full chain. False: it is long, or spares are used up.
bool IntTree::LinkSpare(Leaf* leaf, const Chain& chain, uint64_t key) {
  int length = 0;
  chain.HasRoom(&length);
  const bool beyond = key - leaf->base.get() > leaf->span.get();  // Or below.
  if (beyond || length >= kChainMax || leaf->spares_used >= leaf->spare_limit) return false;
  if (leaf->spares_used == leaf->spare_capacity) AddSpares(leaf, leaf->spares_used + 1);
  leaf->spares.At(leaf->spares_used++)->Clear();
  chain.Link(leaf->spares_used);
  return true;
}

bool IntTree::MakeRoomModel(Leaf* leaf, uint64_t key) {
  const bool below = key < leaf->base.get();
  const uint64_t start = Ticks();
  const uint64_t top = Outermost(*leaf, true), bottom = Outermost(*leaf, false);
  const bool above_all = key > top;
  // Below the line's first bucket, or in order: others are better dealt anew.
  const bool below_all = key < bottom && (below || bottom == leaf->latest.get());
  if (!above_all && !below_all) {
    const KeyRun run = RunAt(*leaf, key);
    return Recut(leaf, Gathered(*leaf), false, run.width > 0 ? &run : nullptr, start);
  }
  const uint32_t count = leaf->count.get();
  // A leaf made empty, along a line, for the run that has filled it.
  const bool planned = leaf->built_count == 0;
  const bool grown = !planned && count >= leaf->built_count + leaf->built_count / 2;
  if (grown && count <= kModelKeysMax / 2 && leaf->Reaches(above_all) &&
      Extend(leaf, Gathered(*leaf), above_all)) {
    return true;
  }
  // Short of the line's end there is no room because keys come denser than it was made for.
  const bool broke = planned && key - leaf->base.get() <= leaf->span.get();
  ModelPlan plan;
  const bool known = !broke && PlanNext(*leaf, above_all, &plan);
  if (above_all) {
    SealAndAppend(leaf, top, known ? &plan : nullptr);
  } else {
    SealAndPrepend(leaf, bottom, known ? &plan : nullptr);
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
    rebuilds_.fetch_add(1, std::memory_order_relaxed);
    return true;
  }
  const auto is_model = [](const LeafPlan& plan) { return plan.model; };
  if (!leaf->is_model() && leaf->groups() > 1 &&
      std::none_of(plans.begin(), plans.end(), is_model)) {
    SplitGroups(leaf, leaf->groups() / 2, plain_only ? sticky - 1 : kStickyGenerations);
    return false;
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

// Unlocks the leaf.
void IntTree::AfterErase(Leaf* leaf, uint64_t key) {
  if (leaf->count.get() >= leaf->shrink_below.get()) {
    if (!leaf->is_model()) MergeBuckets(leaf, key);
    leaf->lock.Unlock();
    return;
  }
  const std::span<const Entry> entries = Gathered(*leaf);
  {
    MutexLock lock(structure_mu_);
    if (TryMerge(leaf, entries)) {
      merges_.fetch_add(1, std::memory_order_relaxed);
      return;
    }
  }
  if (entries.size() > kMergeMax || leaf->is_model() || leaf->bytes > kSmallBytes) {
    if (!Recut(leaf, entries, leaf->sticky_plain > 0, nullptr, 0)) return;
  } else {
    leaf->shrink_below.set(std::max<uint32_t>(1, leaf->count.get() / 3));
  }
  leaf->lock.Unlock();
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
    other->lock.Unlock();
    return false;
  }
  RetireMemory(*leaf);
  Leaf* const news[] = {joined};
  ReplaceLocked(olds, news);
  return true;
}

}  // namespace omendb::index
