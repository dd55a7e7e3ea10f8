// bytes_split.cc - how a full leaf of the byte-string index becomes two.
//
// The part with fewer entries moves to a new leaf. Keys in order move nothing: they begin an empty
// leaf beside the full one (what happens to that: bytes_fence.cc).
#include <algorithm>
#include <optional>

#include "index/bytes_tree.h"

namespace omendb::index {

namespace {

// Bytes of prefix that are worth a leaf made anew.
constexpr uint32_t kSkipLost = 7;

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
  std::string before, after;
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

// The sizes of a leaf's keys, when they are first asked for.
class LazySizes {
 public:
  explicit LazySizes(const BytesLeaf& leaf) : leaf_(leaf) {}
  const BytesKeySizes& get() const {
    if (!sizes_) sizes_.emplace().Add(leaf_);
    return *sizes_;
  }

 private:
  const BytesLeaf& leaf_;
  mutable std::optional<BytesKeySizes> sizes_;
};

// Whether a leaf that is left with [low, high) would waste memory, or its heads no longer tell its
// keys apart.
bool Outgrown(const BytesLeaf& leaf, const BytesRecord* low, const BytesRecord* high,
              const LazySizes& sizes) {
  const uint32_t skip = BytesLeaf::SkipOf(low, high);
  if (skip == leaf.skip) return false;
  if (skip >= leaf.skip + kSkipLost) return true;
  return !leaf.cells_fit && sizes.get().ChooseWords(skip) + 1 < leaf.cell_words;
}

// Bytes with which all of the leaf's keys and the next one in order begin.
uint32_t AlikeFrom(const BytesLeaf& leaf, std::string_view key, bool upward) {
  leaf.ReadKeyAt(upward ? 0 : leaf.count.get() - 1, &scratch.before);
  return static_cast<uint32_t>(CommonPrefix(scratch.before, key));
}

}  // namespace

void BytesTree::CopyEntries(const BytesLeaf& from, uint32_t begin, uint32_t end, BytesLeaf* to,
                            std::vector<BytesRecord*>* dropped) {
  if (to->count.get() == 0 && to->CopyRange(from, begin, end)) return;
  for (uint32_t i = begin; i < end; ++i) {
    if (!to->AppendCell(from, i)) CopyEntry(from, i, to, dropped);
  }
}

void BytesTree::CopyEntry(const BytesLeaf& from, uint32_t at, BytesLeaf* to,
                          std::vector<BytesRecord*>* dropped) {
  const std::string key = from.KeyAt(at);
  const uint64_t value = from.cell_at(at)->get();
  BytesRecord* record = from.outside_at(at) ? BytesLeaf::RecordOf(from.cell_at(at)) : nullptr;
  if (record != nullptr && !to->Fits(key)) {
    to->InsertAt(to->count.get(), key, value, record);
    return;
  }
  if (record != nullptr) dropped->push_back(record);
  InsertInto(to, to->count.get(), key, value);
}

// Makes two leaves of the full one and unlocks it. The one with more entries stays where it is, if
// it may.
void BytesTree::SplitLeaf(BytesLeaf* leaf, std::string_view key, uint32_t at) {
  const uint32_t n = leaf->count.get(), cut = CutFor(*leaf, at);
  BytesRecord* const low = leaf->low.get();
  BytesRecord* const high = leaf->high.get();
  BytesRecord* const middle = NewRecord(BoundAt(*leaf, cut, key, at));
  const LazySizes sizes(*leaf);
  const bool keep_left = cut >= n - cut;
  // A reader on its way to the root would not see that it has shrunk.
  const bool stays =
      !root_.load(std::memory_order_relaxed).is_leaf() &&
      !(keep_left ? Outgrown(*leaf, low, middle, sizes) : Outgrown(*leaf, middle, high, sizes));
  std::vector<BytesRecord*> dropped;
  const auto take = [&](uint32_t begin, uint32_t end, BytesRecord* from, BytesRecord* to) {
    // Cells for keys as all of the leaf's: it may be still to be filled.
    const uint32_t skip = BytesLeaf::SkipOf(from, to);
    const bool known = begin == end && leaf->next_words != 0 && leaf->next_skip == skip;
    const uint32_t words = known ? leaf->next_words : sizes.get().ChooseWords(skip);
    BytesLeaf* part = pool_->New(from, to, words);
    CopyEntries(*leaf, begin, end, part, &dropped);
    return part;
  };
  BytesLeaf* const left = stays && keep_left ? leaf : take(0, cut, low, middle);
  BytesLeaf* const right = stays && !keep_left ? leaf : take(cut, n, middle, high);
  BytesLeaf* const empty = cut == n ? right : cut == 0 ? left : nullptr;
  // Where the next keys in order are expected. Locked until that is known to others.
  BytesLeaf* next = nullptr;
  if (cut == at) next = empty != nullptr ? empty : at == leaf->latest ? right : left;
  if (empty != nullptr) {
    empty->alike = AlikeFrom(*leaf, key, cut != 0);
    CountFullLeaf();
  }
  if (next != nullptr && next != leaf) OMEN_CHECK(next->lock.TryLock());
  PutBehind(*leaf, left, {middle, BytesRef(right)});
  if (next != nullptr) run_.store(next, std::memory_order_release);
  if (next != nullptr && next != leaf) next->lock.Unlock();
  if (!stays) {
    KillLeaf(leaf);
  } else {
    keep_left ? leaf->KeepBefore(cut, middle) : leaf->KeepFrom(cut, middle);
    leaf->latest = keep_left && cut == at ? at - 1 : BytesLeaf::kNone;
    leaf->next_words = 0;
    leaf->cells_fit = false;
    leaf->lock.Unlock();
  }
  for (BytesRecord* record : dropped) RetireRecord(record);
  splits_.fetch_add(1, std::memory_order_relaxed);
}

// Where the leaf is in the node that took in a child last, if that is near it.
std::optional<BytesTree::Step> BytesTree::LastAbove(const BytesLeaf& leaf) const {
  if (last_.node == nullptr) return std::nullopt;
  // A run goes on in what was put in, or, past a fence, in the leaf behind it.
  const uint32_t first = std::max(last_.place, 1u) - 1;
  const uint32_t end = std::min(last_.place + 3, last_.node->count());
  for (uint32_t place = first; place < end; ++place) {
    if (last_.node->child(place).leaf() == &leaf) return Step{last_.node, place};
  }
  return std::nullopt;
}

// Makes the tree lead to the two that take the place of the leaf.
void BytesTree::PutBehind(const BytesLeaf& leaf, BytesLeaf* left, const BytesChild& right) {
  MutexLock lock(structure_mu_);
  const auto try_split = [&](const Step& step) OMEN_REQUIRES(structure_mu_) {
    if (!step.node->TrySplit(step.place, BytesRef(left), right)) return false;
    last_ = step;
    return true;
  };
  if (const std::optional<Step> step = LastAbove(leaf); step && try_split(*step)) return;
  const Path path = FindPath(BytesLeaf::KeyOf(leaf.low.get()));
  if (!path.empty() && try_split(path.back())) return;
  const uint32_t place = path.empty() ? 0 : path.back().place;
  ReplaceChildren(path, path.size, place, 1, {{leaf.low.get(), BytesRef(left)}, right});
}

}  // namespace omendb::index
