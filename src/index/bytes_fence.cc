// bytes_fence.cc - what is done for keys in order between two splits of the byte-string index, one
// thing in one insert, so that none of them waits for all of it.
//
// A leaf begun by keys in order gets no more of the range than the keys that begin as those so far
// do, as soon as a few tell: its prefix is long then, its heads tell its keys apart, and nothing
// has to be written again when it is full. What lies beyond is another leaf's.
#include <algorithm>

#include "index/bytes_tree.h"

namespace omendb::index {

namespace {

// Bytes of prefix that are worth another leaf, and a leaf made anew. Why 4: half of a head still
// tells the keys of a leaf apart, mostly.
constexpr uint32_t kSkipLost = 4, kSkipMissed = 7;
// So many of what keys have in common are left to the heads.
constexpr uint32_t kSkipSpared = 3;

// A fence by the few keys of its leaf alone may leave it nearly empty. So there must have been this
// many full leaves for each; a few may be saved up.
constexpr uint32_t kLeavesPerFence = 4, kLeavesSaved = 16;

thread_local std::string scratch;

// Where the keys end (downward: begin) that begin as those in order so far and `key`, the last of
// them, do; put together in `scratch`. Empty unless that is inside the leaf's range and a leaf up
// to there, or from there, has a longer prefix.
std::string_view FenceFor(const BytesLeaf& leaf, std::string_view key) {
  const uint32_t n = leaf.count.get(), at = leaf.latest;
  const bool upward = at > 0;
  if (upward && at + 1 != n) return {};
  const BytesRecord* const low = leaf.low.get();
  const BytesRecord* const high = leaf.high.get();
  std::string& fence = scratch;
  leaf.ReadKeyAt(upward ? 0 : n - 1, &fence);
  const size_t before = leaf.alike == 0 ? SIZE_MAX : leaf.alike;
  const size_t alike = std::min(before, CommonPrefix(fence, key));
  // Shorter, for more keys to come before it, while that is worth another leaf.
  const size_t skip = BytesLeaf::SkipOf(low, high), least = skip + kSkipLost + 1;
  if (alike < skip + kSkipLost) return {};
  fence.resize(alike <= least ? alike : std::max(least, alike - kSkipSpared));
  if (upward) {
    while (!fence.empty() && static_cast<uint8_t>(fence.back()) == UINT8_MAX) fence.pop_back();
    if (!fence.empty()) ++fence.back();
  }
  if (fence <= BytesLeaf::KeyOf(low) || (high != nullptr && fence >= high->key())) return {};
  const size_t common = CommonPrefix(fence, BytesLeaf::KeyOf(upward ? low : high));
  return common < skip + kSkipLost ? std::string_view() : fence;
}

// Whether the run goes upward.
bool GoesUp(const BytesLeaf& leaf) { return leaf.latest > 0; }

}  // namespace

// So many keys have come in order to the leaf, `key` the last of them. Unlocks it.
void BytesTree::GoOn(BytesLeaf* leaf, std::string_view key) {
  switch (leaf->in_order) {
    case BytesLeaf::kRun:
      run_.store(leaf, std::memory_order_release);
      break;
    case BytesLeaf::kFenceSoon:
      if (leaf->alike != 0 || full_leaves_.get() >= kLeavesPerFence) PrepareFence(leaf, key);
      break;
    case BytesLeaf::kFenceLate:
      if (leaf->alike == 0) PrepareFence(leaf, key);
      break;
    case BytesLeaf::kFenceSoon + BytesLeaf::kToAsk:
    case BytesLeaf::kFenceLate + BytesLeaf::kToAsk:
      if (leaf->next_words != 0) pool_->Prepare(leaf->next_words, leaf->used.get());
      break;
    case BytesLeaf::kFenceSoon + BytesLeaf::kToCopy:
    case BytesLeaf::kFenceLate + BytesLeaf::kToCopy:
      if (leaf->next_words != 0) CopyAhead(leaf, key);
      break;
    case BytesLeaf::kFenceSoon + BytesLeaf::kToPut:
    case BytesLeaf::kFenceLate + BytesLeaf::kToPut:
      if (leaf->next_words != 0) PutFence(leaf, key);
      break;
    case BytesLeaf::kSizesAhead:
      ChooseNext(leaf, key);
      break;
    default:
      pool_->Prepare(leaf->next_words == 0 ? leaf->cell_words : leaf->next_words);
      PrepareSplit(*leaf);
  }
  leaf->lock.Unlock();
}

// What the node above will write to.
void BytesTree::PrepareSplit(const BytesLeaf& leaf) {
  MutexLock lock(structure_mu_);
  if (const std::optional<Step> step = LastAbove(leaf)) step->node->PrefetchForSplit(step->place);
}

// A leaf that keys in order have filled. (What others count meanwhile may be lost.)
void BytesTree::CountFullLeaf() {
  full_leaves_.set(std::min(full_leaves_.get() + 1, kLeavesSaved));
}

// What a split will ask: the cells of the leaf that begins then, and whether those of this one are
// wider than they should be.
void BytesTree::ChooseNext(BytesLeaf* leaf, std::string_view key) {
  BytesKeySizes sizes;
  sizes.Add(*leaf);
  const bool upward = leaf->latest > 0;
  const std::string_view low = BytesLeaf::KeyOf(leaf->low.get());
  const std::string_view high = BytesLeaf::KeyOf(leaf->high.get());
  const auto skip_with = [key](std::string_view end) {
    return static_cast<uint32_t>(CommonPrefix(key, end));
  };
  leaf->next_skip = skip_with(upward ? high : low);
  leaf->next_words = static_cast<uint16_t>(sizes.ChooseWords(leaf->next_skip));
  const uint32_t own = std::max(leaf->skip, skip_with(upward ? low : high));
  leaf->cells_fit = sizes.ChooseWords(own) + 1 >= leaf->cell_words;
}

// Whether the run shall have a leaf that ends sooner (downward: begins later), and memory for it if
// so.
void BytesTree::PrepareFence(BytesLeaf* leaf, std::string_view key) {
  const std::string_view fence = FenceFor(*leaf, key);
  if (fence.empty()) return;
  const std::string_view end = BytesLeaf::KeyOf((GoesUp(*leaf) ? leaf->low : leaf->high).get());
  BytesKeySizes sizes;
  sizes.Add(*leaf);
  const size_t skip = CommonPrefix(fence, end);
  leaf->next_skip = BytesLeaf::kNone;  // A split must not take it for its own.
  leaf->next_words = static_cast<uint16_t>(sizes.ChooseWords(static_cast<uint32_t>(skip)));
  pool_->Provide(leaf->next_words);
}

// An empty leaf for the run up to (downward: from) `fence`.
BytesTree::Ahead BytesTree::NewAhead(const BytesLeaf& leaf, std::string_view fence) {
  BytesRecord* const bound = NewRecord(fence);
  BytesRecord* const low = GoesUp(leaf) ? leaf.low.get() : bound;
  BytesRecord* const high = GoesUp(leaf) ? bound : leaf.high.get();
  return {&leaf, pool_->New(low, high, leaf.next_words), bound,
          leaf.lock.Read() + VersionLock::kStep};  // The next one to lock it shall be the run.
}

// Of one that is in no node: nothing but the bound is its own.
void BytesTree::Drop(const Ahead& ahead) {
  if (ahead.part == nullptr) return;
  pool_->Delete(ahead.part);
  record_bytes_.Add(-static_cast<int64_t>(BytesRecord::Bytes(ahead.bound->size)));
  BytesRecord::Free(ahead.bound);
}

// One insert ahead of the fence: its leaf, with what the run has put here so far.
void BytesTree::CopyAhead(BytesLeaf* leaf, std::string_view key) {
  const std::string_view fence = FenceFor(*leaf, key);
  // A reader on its way to the root would not see that it has shrunk.
  if (fence.empty() || root_.load(std::memory_order_relaxed).is_leaf()) {
    leaf->next_words = 0;
    return;
  }
  Ahead ahead = NewAhead(*leaf, fence);
  if (!ahead.part->CopyRange(*leaf, 0, leaf->count.get())) {
    Drop(ahead);
    ahead = {};
  }
  {
    MutexLock lock(structure_mu_);
    std::swap(ahead, ahead_);
  }
  Drop(ahead);
}

// The copy made ahead of the leaf, `key` added, if nobody else has held its lock since. Otherwise
// none.
BytesTree::Ahead BytesTree::TakeAhead(const BytesLeaf& leaf, std::string_view key) {
  Ahead ahead;
  {
    MutexLock lock(structure_mu_);
    std::swap(ahead, ahead_);
  }
  const bool stands = ahead.of == &leaf && ahead.version == leaf.lock.Read();
  if (stands && CopyLatest(leaf, key, ahead)) return ahead;
  Drop(ahead);
  return {};
}

// False: the key did not go on where the others end, lies beyond the bound, or is in a record in
// one of the two leaves only.
bool BytesTree::CopyLatest(const BytesLeaf& leaf, std::string_view key, const Ahead& ahead) {
  BytesLeaf* const part = ahead.part;
  const bool upward = part->high.get() == ahead.bound;
  const uint32_t at = upward ? part->count.get() : 0;
  if (leaf.latest != at || (key < ahead.bound->key()) != upward) return false;
  const Word* const cell = leaf.cell_at(at);
  const bool outside = leaf.outside_at(at);
  if (outside == part->Fits(key)) return false;
  part->InsertAt(at, key, cell->get(), outside ? BytesLeaf::RecordOf(cell) : nullptr);
  return true;
}

// What the run has put here goes to a leaf of its own, which ends (downward: begins) where keys
// that begin so do; this one keeps the rest of its range, where no keys are expected.
void BytesTree::PutFence(BytesLeaf* leaf, std::string_view key) {
  std::vector<BytesRecord*> dropped;
  Ahead ahead = TakeAhead(*leaf, key);
  if (ahead.part == nullptr) {
    const std::string_view fence = FenceFor(*leaf, key);
    if (fence.empty()) {
      leaf->next_words = 0;
      return;
    }
    ahead = NewAhead(*leaf, fence);
    CopyEntries(*leaf, 0, leaf->count.get(), ahead.part, &dropped);
  }
  const uint32_t leaves = full_leaves_.get();
  if (leaf->alike == 0 && leaves >= kLeavesPerFence) full_leaves_.set(leaves - kLeavesPerFence);
  GiveToRun(leaf, ahead.part, ahead.bound);
  for (BytesRecord* record : dropped) RetireRecord(record);
}

// The tree leads to both, and the run's entries are no longer here.
void BytesTree::GiveToRun(BytesLeaf* leaf, BytesLeaf* part, BytesRecord* bound) {
  const bool upward = GoesUp(*leaf);
  part->latest = leaf->latest;
  part->in_order = leaf->in_order;
  part->alike = 1;                   // No other fence.
  OMEN_CHECK(part->lock.TryLock());  // Until it is known where keys go on: it may be retired then.
  PutBehind(*leaf, upward ? part : leaf, {bound, BytesRef(upward ? leaf : part)});
  run_.store(part, std::memory_order_release);
  part->lock.Unlock();
  upward ? leaf->KeepFrom(leaf->count.get(), bound) : leaf->KeepBefore(0, bound);
  leaf->latest = BytesLeaf::kNone;
  leaf->in_order = leaf->alike = leaf->next_words = 0;
  leaf->cells_fit = false;
}

}  // namespace omendb::index
