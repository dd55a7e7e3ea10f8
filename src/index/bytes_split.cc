// bytes_split.cc - how a full leaf of the byte-string index becomes two.
//
// The part with fewer entries moves to a new leaf. Keys in order move nothing: they begin an empty
// leaf beside the full one. What such a leaf will hold is known by then, so it gets no more of the
// range than the keys that begin as those before it: its prefix is long from the start, and nothing
// has to be written again when it is full. What lies beyond is a third leaf's.
#include <algorithm>

#include "index/bytes_tree.h"

namespace omendb::index {

namespace {

// Bytes of prefix that are worth another leaf, or a leaf made anew. Why 4: half of a head still
// tells the keys of a leaf apart, mostly.
constexpr uint32_t kSkipLost = 4;
// So many of them are left to the heads.
constexpr uint32_t kSkipSpared = 3;

// Where a full leaf is cut for a key that goes to `at`. Keys in order leave what is behind them in
// one leaf and go on in it; at its end, in the next one.
uint32_t CutFor(const BytesLeaf& leaf, uint32_t at) {
  const uint32_t n = leaf.count.get();
  const bool upward = at == leaf.latest + 1 || (at == n && leaf.high.get() == nullptr);
  const bool downward = at == leaf.latest || (at == 0 && leaf.low.get() == nullptr);
  return upward || downward ? at : n / 2;
}

// Keys that are put together here; kept, so that a split asks nothing of malloc for them.
struct Scratch {
  std::string before, after, outer;
};
thread_local Scratch scratch;

// A string between the entries on either side of the cut, above those before it. The key that is
// to come goes left if keys go upward.
std::string_view BoundAt(const BytesLeaf& leaf, uint32_t cut, std::string_view key, uint32_t at) {
  const uint32_t n = leaf.count.get();
  const bool key_before = cut == at && cut < n && (cut == 0 || at != leaf.latest);
  const bool key_after = cut == at && !key_before;
  if (!key_before) leaf.ReadKeyAt(cut - 1, &scratch.before);
  if (!key_after) leaf.ReadKeyAt(cut, &scratch.after);
  return Separator(key_before ? key : scratch.before, key_after ? key : scratch.after);
}

// Whether a leaf that is left with [low, high) would waste memory, or its heads no longer tell its
// keys apart.
bool Outgrown(const BytesLeaf& leaf, const BytesRecord* low, const BytesRecord* high,
              const BytesKeySizes& sizes) {
  const uint32_t skip = BytesLeaf::SkipOf(low, high);
  if (skip == leaf.skip) return false;
  return skip >= leaf.skip + kSkipLost + kSkipSpared ||
         sizes.ChooseWords(skip) + 1 < leaf.cell_words;
}

// Where the keys end (downward: begin) that begin as all of the leaf's and the next one do. Empty
// unless that is inside [low, high) and a leaf up to there, or from there, has a longer prefix.
std::string_view FenceFor(const BytesLeaf& leaf, std::string_view key, bool upward,
                          const BytesRecord* low, const BytesRecord* high) {
  std::string& fence = scratch.outer;
  leaf.ReadKeyAt(upward ? 0 : leaf.count.get() - 1, &fence);
  const size_t shared = CommonPrefix(fence, key);
  // Shorter, for more keys to come before it, while that is worth another leaf.
  const size_t least = BytesLeaf::SkipOf(low, high) + kSkipLost + 1;
  fence.resize(shared <= least ? shared : std::max(least, shared - kSkipSpared));
  if (upward) {
    while (!fence.empty() && static_cast<uint8_t>(fence.back()) == UINT8_MAX) fence.pop_back();
    if (!fence.empty()) ++fence.back();
  }
  if (fence <= BytesLeaf::KeyOf(low) || (high != nullptr && fence >= high->key())) return {};
  const size_t skip = CommonPrefix(fence, (upward ? low : high)->key());
  return skip < BytesLeaf::SkipOf(low, high) + kSkipLost ? std::string_view() : fence;
}

}  // namespace

void BytesTree::CopyEntries(const BytesLeaf& from, uint32_t begin, uint32_t end, BytesLeaf* to,
                            std::vector<BytesRecord*>* dropped) {
  for (uint32_t i = begin; i < end; ++i) {
    if (to->AppendCell(from, i)) continue;
    const std::string key = from.KeyAt(i);
    const uint64_t value = from.cell_at(i)->get();
    BytesRecord* record = from.outside_at(i) ? BytesLeaf::RecordOf(from.cell_at(i)) : nullptr;
    if (record != nullptr && !to->Fits(key)) {
      to->InsertAt(to->count.get(), key, value, record);
      continue;
    }
    if (record != nullptr) dropped->push_back(record);
    InsertInto(to, to->count.get(), key, value);
  }
}

// Makes two leaves of the full one and unlocks it. The one with more entries stays where it is, if
// it may.
void BytesTree::SplitLeaf(BytesLeaf* leaf, std::string_view key, uint32_t at) {
  const uint32_t n = leaf->count.get(), cut = CutFor(*leaf, at);
  BytesRecord* const low = leaf->low.get();
  BytesRecord* const high = leaf->high.get();
  BytesRecord* const middle = NewRecord(BoundAt(*leaf, cut, key, at));
  BytesRecord* const fence = NewFence(*leaf, key, cut, middle);
  BytesKeySizes sizes;
  sizes.Add(*leaf);
  const bool keep_left = cut >= n - cut;
  // A reader on its way to the root would not see that it has shrunk.
  const bool stays =
      !root_.load(std::memory_order_relaxed).is_leaf() &&
      !(keep_left ? Outgrown(*leaf, low, middle, sizes) : Outgrown(*leaf, middle, high, sizes));
  std::vector<BytesRecord*> dropped;
  const auto take = [&](uint32_t begin, uint32_t end, BytesRecord* from, BytesRecord* to) {
    // Cells for keys as all of the leaf's: it may be still to be filled.
    BytesLeaf* part = NewLeaf(from, begin == end && fence != nullptr ? fence : to, sizes);
    CopyEntries(*leaf, begin, end, part, &dropped);
    return part;
  };
  BytesLeaf* const left = stays && keep_left ? leaf : take(0, cut, low, middle);
  BytesLeaf* const right = stays && !keep_left ? leaf : take(cut, n, middle, high);
  BytesLeaf* const empty = cut == n ? right : cut == 0 ? left : nullptr;
  // Where the next keys in order are expected. Locked until that is known to others.
  BytesLeaf* next = nullptr;
  if (cut == at) next = empty != nullptr ? empty : at == leaf->latest ? right : left;
  if (next != nullptr && next != leaf) OMEN_CHECK(next->lock.TryLock());
  PutBehind(*leaf, left, {middle, BytesRef(right)});
  if (fence != nullptr) next = PutFence(empty, fence, cut == n ? high : middle, sizes);
  if (next != nullptr) run_.store(next, std::memory_order_release);
  if (next != nullptr && next != leaf) next->lock.UnlockUnchanged();
  if (!stays) {
    KillLeaf(leaf);
  } else {
    keep_left ? leaf->KeepBefore(cut, middle) : leaf->KeepFrom(cut, middle);
    leaf->latest = keep_left && cut == at ? at - 1 : BytesLeaf::kNone;
    leaf->lock.UnlockChanged();
  }
  for (BytesRecord* record : dropped) RetireRecord(record);
  splits_.fetch_add(1, std::memory_order_relaxed);
}

// Null: the empty part of the split is not cut again, or there is none.
BytesRecord* BytesTree::NewFence(const BytesLeaf& leaf, std::string_view key, uint32_t cut,
                                 const BytesRecord* middle) {
  if (cut != 0 && cut != leaf.count.get()) return nullptr;
  const bool upward = cut != 0;
  const std::string_view fence = FenceFor(leaf, key, upward, upward ? middle : leaf.low.get(),
                                          upward ? leaf.high.get() : middle);
  return fence.empty() ? nullptr : NewRecord(fence);
}

// Makes the tree lead to another empty leaf behind the empty one, which is locked and ends at the
// fence already. Returns the one where keys in order go on, locked; the other is not.
BytesLeaf* BytesTree::PutFence(BytesLeaf* empty, BytesRecord* fence, BytesRecord* high,
                               const BytesKeySizes& sizes) {
  BytesLeaf* const beyond = NewLeaf(fence, high, sizes);
  OMEN_CHECK(beyond->lock.TryLock());
  PutBehind(*empty, empty, {fence, BytesRef(beyond)});
  // The longer prefix is theirs.
  const bool upward = empty->skip >= beyond->skip;
  (upward ? beyond : empty)->lock.UnlockUnchanged();
  return upward ? empty : beyond;
}

// Makes the tree lead to the two that take the place of the leaf.
void BytesTree::PutBehind(const BytesLeaf& leaf, BytesLeaf* left, const BytesChild& right) {
  MutexLock lock(structure_mu_);
  const Path path = FindPath(BytesLeaf::KeyOf(leaf.low.get()));
  const uint32_t place = path.empty() ? 0 : path.back().place;
  if (!path.empty() && path.back().node->TrySplit(place, BytesRef(left), right)) return;
  ReplaceChildren(path, path.size, place, 1, {{leaf.low.get(), BytesRef(left)}, right});
}

}  // namespace omendb::index
