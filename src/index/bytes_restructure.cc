// bytes_restructure.cc - how leaves and inner nodes of the byte-string index split and merge.
#include <algorithm>

#include "index/bytes_tree.h"

namespace omendb::index {

namespace {

constexpr uint32_t kMergeBelow = BytesLeaf::kCapacity / 4;
constexpr uint32_t kMergeMax = BytesLeaf::kCapacity * 3 / 4;
constexpr size_t kInnerJoinBelow = BytesInner::kFanout / 4;
constexpr size_t kInnerJoinMax = BytesInner::kFanout * 3 / 4;

std::string Separator(std::string_view left, std::string_view right) {
  return std::string(right.substr(0, CommonPrefix(left, right) + 1));
}

std::vector<uint32_t> KeySizes(std::span<BytesLeaf* const> leaves) {
  std::vector<uint32_t> sizes;
  for (const BytesLeaf* leaf : leaves) {
    for (uint32_t i = 0; i < leaf->count.get(); ++i) sizes.push_back(leaf->KeySizeAt(i));
  }
  return sizes;
}

}  // namespace

void BytesTree::RetireRecord(BytesRecord* record) {
  const size_t bytes = BytesRecord::Bytes(record->size);
  record_bytes_.Add(-static_cast<int64_t>(bytes));
  epochs_.Retire(
      record, [](void* p, void*) { BytesRecord::Free(static_cast<BytesRecord*>(p)); }, nullptr,
      bytes);
}

void BytesTree::RetireLeaf(BytesLeaf* leaf) {
  pool_->Ref();
  epochs_.Retire(
      leaf,
      [](void* p, void* c) {
        auto* pool = static_cast<BytesLeafPool*>(c);
        pool->Delete(static_cast<BytesLeaf*>(p));
        pool->Unref();
      },
      pool_, BytesLeaf::Bytes(leaf->cell_words));
}

void BytesTree::RetireInner(BytesInner* inner) {
  inner_bytes_.fetch_sub(inner->bytes(), std::memory_order_relaxed);
  epochs_.RetireObject(inner);
}

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

// Replaces the full leaf, locked, by two. Keys in order leave a full leaf behind.
void BytesTree::SplitLeaf(BytesLeaf* leaf, std::string_view key) {
  const uint32_t n = leaf->count.get();
  const std::string first = leaf->KeyAt(0), last = leaf->KeyAt(n - 1);
  uint32_t cut = n / 2;
  std::string middle;
  if (key > last) {
    cut = n;
    middle = Separator(last, key);
  } else if (key < first) {
    cut = 0;
    middle = Separator(key, first);
  } else {
    middle = Separator(leaf->KeyAt(cut - 1), leaf->KeyAt(cut));
  }
  // All of them for both sides: also for the one that is still to be filled.
  const std::vector<uint32_t> sizes = KeySizes({&leaf, 1});
  BytesLeaf* left = NewLeaf(leaf->low, middle, true, sizes);
  BytesLeaf* right = NewLeaf(middle, leaf->high, leaf->has_high, sizes);
  std::vector<BytesRecord*> dropped;
  CopyEntries(*leaf, 0, cut, left, &dropped);
  CopyEntries(*leaf, cut, n, right, &dropped);
  BytesLeaf* const olds[] = {leaf};
  BytesLeaf* const news[] = {left, right};
  {
    MutexLock lock(structure_mu_);
    Replace(olds, news);
  }
  for (BytesRecord* record : dropped) RetireRecord(record);
  splits_.fetch_add(1, std::memory_order_relaxed);
}

// Unlocks the leaf.
void BytesTree::AfterErase(BytesLeaf* leaf) {
  if (leaf->count.get() < kMergeBelow) {
    MutexLock lock(structure_mu_);
    if (TryMerge(leaf)) {
      merges_.fetch_add(1, std::memory_order_relaxed);
      return;
    }
  }
  leaf->lock.UnlockChanged();
}

bool BytesTree::TryMerge(BytesLeaf* leaf) {
  const Path path = FindPath(leaf->low);
  if (path.empty() || path.back().node->count() < 2) return false;
  const auto [parent, place] = path.back();
  const bool right = place + 1 < parent->count();
  BytesLeaf* other = parent->child(right ? place + 1 : place - 1).leaf();
  if (!other->lock.TryLock()) return false;
  if (leaf->count.get() != 0 && leaf->count.get() + other->count.get() > kMergeMax) {
    other->lock.UnlockUnchanged();
    return false;
  }
  BytesLeaf* const olds[] = {right ? leaf : other, right ? other : leaf};
  BytesLeaf* joined = NewLeaf(olds[0]->low, olds[1]->high, olds[1]->has_high, KeySizes({olds, 2}));
  std::vector<BytesRecord*> dropped;
  for (const BytesLeaf* old : olds) CopyEntries(*old, 0, old->count.get(), joined, &dropped);
  BytesLeaf* const news[] = {joined};
  Replace(olds, news);
  for (BytesRecord* record : dropped) RetireRecord(record);
  return true;
}

BytesTree::Path BytesTree::FindPath(std::string_view key) const {
  Path path;
  BytesRef node = root_.load(std::memory_order_acquire);
  while (!node.is_leaf()) {
    const uint32_t place = node.inner()->Find(key);
    path.push_back({node.inner(), place});
    node = node.inner()->child(place);
  }
  return path;
}

void BytesTree::Replace(std::span<BytesLeaf* const> olds, std::span<BytesLeaf* const> news) {
  const Path path = FindPath(olds[0]->low);
  std::vector<BytesChild> added;
  for (BytesLeaf* leaf : news) added.push_back({leaf->low, BytesRef(leaf)});
  ReplaceChildren(path, path.size(), path.empty() ? 0 : path.back().place,
                  static_cast<uint32_t>(olds.size()), std::move(added));
  for (BytesLeaf* leaf : olds) {
    leaf->lock.UnlockDead();
    RetireLeaf(leaf);
  }
}

// As IntTree::ReplaceChildren.
void BytesTree::ReplaceChildren(const Path& path, size_t depth, uint32_t place, uint32_t removed,
                                std::vector<BytesChild> added) {
  if (depth == 0) {
    root_.store(added.size() == 1 ? added.front().node : BytesRef(NewInner(added)),
                std::memory_order_release);
    return;
  }
  BytesInner* node = path[depth - 1].node;
  if (added.size() == 1 && removed == 1) {
    node->SetChild(place, added.front().node);
    return;
  }
  std::vector<BytesChild> children;
  const auto take = [&children](const BytesInner& from, uint32_t begin, uint32_t end) {
    for (uint32_t i = begin; i < end; ++i) {
      children.push_back({from.separator(i), from.child(i)});
    }
  };
  take(*node, 0, place);
  std::move(added.begin(), added.end(), std::back_inserter(children));
  take(*node, place + removed, node->count());
  const bool at_end = place + removed == node->count();
  uint32_t up_place = depth >= 2 ? path[depth - 2].place : 0;
  uint32_t up_removed = 1;
  if (children.size() == 1 && depth == 1) {
    root_.store(children.front().node, std::memory_order_release);
    RetireInner(node);
    return;
  }
  BytesInner* joined = nullptr;
  if (children.size() < kInnerJoinBelow && depth >= 2 && path[depth - 2].node->count() >= 2) {
    const BytesInner& parent = *path[depth - 2].node;
    const bool right = up_place + 1 < parent.count();
    BytesInner* other = parent.child(right ? up_place + 1 : up_place - 1).inner();
    if (other->count() + children.size() <= kInnerJoinMax) {
      std::vector<BytesChild> mine = std::move(children);
      children.clear();
      if (right) children = std::move(mine);
      take(*other, 0, other->count());
      if (!right) {
        std::move(mine.begin(), mine.end(), std::back_inserter(children));
        --up_place;
      }
      up_removed = 2;
      joined = other;
    }
  }
  const size_t n = children.size();
  const size_t nodes = (n + BytesInner::kFanout - 1) / BytesInner::kFanout;
  std::vector<BytesChild> above;
  for (size_t i = 0; i < nodes; ++i) {
    const size_t begin = at_end ? i * BytesInner::kFanout : n * i / nodes;
    const size_t end = at_end ? std::min(n, begin + BytesInner::kFanout) : n * (i + 1) / nodes;
    const std::span<const BytesChild> part(children.data() + begin, end - begin);
    above.push_back({part.front().low, BytesRef(NewInner(part))});
  }
  ReplaceChildren(path, depth - 1, up_place, up_removed, std::move(above));
  // Only now does no path lead to them: a reader who came after they were retired but before that
  // would not hold them back.
  RetireInner(node);
  if (joined != nullptr) RetireInner(joined);
}

}  // namespace omendb::index
