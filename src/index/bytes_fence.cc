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

// Behind its fence: whether its cells are much too wide, or its heads tell its keys apart no
// longer.
bool ShouldBeRenewed(const BytesLeaf& leaf) {
  return BytesLeaf::SkipOf(leaf.low.get(), leaf.high.get()) >= leaf.skip + kSkipMissed ||
         leaf.next_words + 1u < leaf.cell_words;
}

}  // namespace

// So many keys have come in order to the leaf, `key` the last of them. Unlocks it.
void BytesTree::GoOn(BytesLeaf* leaf, std::string_view key) {
  switch (leaf->in_order) {
    case BytesLeaf::kRun:
      run_.store(leaf, std::memory_order_release);
      pool_->Prepare(leaf->cell_words);  // For what will lie beyond a fence.
      break;
    case BytesLeaf::kFenceSoon:
      if (leaf->alike != 0 || full_leaves_.get() >= kLeavesPerFence) PrepareFence(leaf, key);
      break;
    case BytesLeaf::kFenceLate:
      if (leaf->alike == 0) PrepareFence(leaf, key);
      break;
    case BytesLeaf::kFenceSoon + 1:
    case BytesLeaf::kFenceLate + 1:
      if (leaf->next_words != 0) PutFence(leaf, key);
      break;
    case BytesLeaf::kFenceSoon + 2:
    case BytesLeaf::kFenceLate + 2:
      if (leaf->next_words != 0 && ShouldBeRenewed(*leaf)) return Renew(leaf);
      leaf->next_words = 0;
      break;
    case BytesLeaf::kSizesAhead:
      ChooseNext(leaf, key);
      break;
    default:
      pool_->Prepare(leaf->next_words == 0 ? leaf->cell_words : leaf->next_words);
  }
  leaf->lock.Unlock();
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

// Whether the leaf shall end sooner (downward: begin later), and memory for what it holds if so.
void BytesTree::PrepareFence(BytesLeaf* leaf, std::string_view key) {
  const std::string_view fence = FenceFor(*leaf, key);
  if (fence.empty()) return;
  const std::string_view end = BytesLeaf::KeyOf((leaf->latest > 0 ? leaf->low : leaf->high).get());
  BytesKeySizes sizes;
  sizes.Add(*leaf);
  const size_t skip = CommonPrefix(fence, end);
  leaf->next_skip = BytesLeaf::kNone;  // A split must not take it for its own.
  leaf->next_words = static_cast<uint16_t>(sizes.ChooseWords(static_cast<uint32_t>(skip)));
  pool_->Prepare(leaf->next_words);
}

// Another leaf, an empty one, takes the end of the range where no keys are expected.
void BytesTree::PutFence(BytesLeaf* leaf, std::string_view key) {
  const std::string_view fence = FenceFor(*leaf, key);
  // A reader on its way to the root would not see that it has shrunk.
  if (fence.empty() || root_.load(std::memory_order_relaxed).is_leaf()) {
    leaf->next_words = 0;
    return;
  }
  const uint32_t leaves = full_leaves_.get();
  if (leaf->alike == 0 && leaves >= kLeavesPerFence) full_leaves_.set(leaves - kLeavesPerFence);
  BytesRecord* const bound = NewRecord(fence);
  leaf->alike = 1;  // No other fence.
  if (leaf->latest > 0) {
    BytesLeaf* const beyond = pool_->New(bound, leaf->high.get(), leaf->cell_words);
    PutBehind(*leaf, leaf, {bound, BytesRef(beyond)});
    leaf->KeepBefore(leaf->count.get(), bound);
  } else {
    BytesLeaf* const beyond = pool_->New(leaf->low.get(), bound, leaf->cell_words);
    PutBehind(*leaf, beyond, {bound, BytesRef(leaf)});
    leaf->KeepFrom(0, bound);
  }
}

// Makes the leaf anew for its longer prefix, with smaller cells. It is dead then.
void BytesTree::Renew(BytesLeaf* leaf) {
  BytesRecord* const low = leaf->low.get();
  BytesLeaf* const part = pool_->New(low, leaf->high.get(), leaf->next_words);
  std::vector<BytesRecord*> dropped;
  CopyEntries(*leaf, 0, leaf->count.get(), part, &dropped);
  part->latest = leaf->latest;
  part->in_order = leaf->in_order;
  part->alike = leaf->alike;
  OMEN_CHECK(part->lock.TryLock());  // Until it is known where keys go on: it may be retired then.
  {
    MutexLock lock(structure_mu_);
    const Path path = FindPath(BytesLeaf::KeyOf(low));
    if (path.empty()) {
      root_.store(BytesRef(part), std::memory_order_release);
    } else {
      path.back().node->SetChild(path.back().place, BytesRef(part));
    }
  }
  run_.store(part, std::memory_order_release);
  part->lock.Unlock();
  KillLeaf(leaf);
  for (BytesRecord* record : dropped) RetireRecord(record);
}

}  // namespace omendb::index
