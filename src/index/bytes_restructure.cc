// bytes_restructure.cc - how leaves of the byte-string index merge, and how the nodes above follow
// (bytes_split.cc: how leaves split).
#include "index/bytes_tree.h"
#include "index/regrouping.h"

namespace omendb::index {

namespace {

constexpr uint32_t kMergeBelow = BytesLeaf::kCapacity / 4;
constexpr uint32_t kMergeMax = BytesLeaf::kCapacity * 3 / 4;

}  // namespace

void BytesTree::RetireRecord(BytesRecord* record) {
  const size_t bytes = BytesRecord::Bytes(record->size);
  record_bytes_.Add(-static_cast<int64_t>(bytes));
  epochs_.Retire(
      record, [](void* p, void*) { BytesRecord::Free(static_cast<BytesRecord*>(p)); }, nullptr,
      bytes);
}

void BytesTree::KillLeaf(BytesLeaf* leaf) {
  BytesLeaf* expected = leaf;
  run_.compare_exchange_strong(expected, nullptr);
  leaf->lock.UnlockDead();
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

// Only when no path leads to it any more: a reader who came after it was retired but before that
// would not hold it back.
void BytesTree::KillInner(BytesInner* inner) {
  inner->lock.UnlockDead();
  if (last_.node == inner) last_ = {};
  inner_bytes_.fetch_sub(BytesInner::bytes(), std::memory_order_relaxed);
  epochs_.RetireObject(inner);
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
  leaf->lock.Unlock();
}

bool BytesTree::TryMerge(BytesLeaf* leaf) {
  const Path path = FindPath(BytesLeaf::KeyOf(leaf->low.get()));
  if (path.empty() || path.back().node->count() < 2) return false;
  const auto [parent, place] = path.back();
  const auto locked = [&, node = parent](uint32_t at) -> BytesLeaf* {
    if (at >= node->count()) return nullptr;  // None (or none before the first).
    BytesLeaf* const other = node->child(at).leaf();
    if (!other->lock.TryLock()) return nullptr;
    if (leaf->count.get() == 0 || leaf->count.get() + other->count.get() <= kMergeMax) return other;
    other->lock.Unlock();
    return nullptr;
  };
  BytesLeaf* other = locked(place + 1);
  const bool right = other != nullptr;
  if (!right) other = locked(place - 1);
  if (other == nullptr) return false;
  const uint32_t first = right ? place : place - 1;
  BytesLeaf* const olds[] = {right ? leaf : other, right ? other : leaf};
  BytesKeySizes sizes;
  for (const BytesLeaf* old : olds) sizes.Add(*old);
  BytesRecord* const low = olds[0]->low.get();
  BytesRecord* const bound = olds[1]->low.get();
  BytesLeaf* joined = NewLeaf(low, olds[1]->high.get(), sizes);
  std::vector<BytesRecord*> dropped;
  for (const BytesLeaf* old : olds) CopyEntries(*old, 0, old->count.get(), joined, &dropped);
  ReplaceChildren(path, path.size, first, 2, {{low, BytesRef(joined)}});
  for (BytesLeaf* old : olds) KillLeaf(old);
  RetireRecord(bound);
  for (BytesRecord* record : dropped) RetireRecord(record);
  return true;
}

BytesTree::Path BytesTree::FindPath(std::string_view key) const {
  Path path;
  BytesRef node = root_.load(std::memory_order_acquire);
  while (!node.is_leaf()) {
    const uint32_t place = node.inner()->Find(key);
    path.Push({node.inner(), place});
    node = node.inner()->child(place);
  }
  return path;
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
  Regrouping<BytesInner, BytesChild> group(*node, place, removed, added);
  if (group.children().size() == 1 && depth == 1) {
    root_.store(group.children().front().node, std::memory_order_release);
    KillInner(node);
    return;
  }
  if (depth >= 2) group.Join(*path[depth - 2].node, path[depth - 2].place);
  std::vector<BytesChild> above;
  group.ForEachNode([&](std::span<const BytesChild> part) {
    above.push_back({part.front().low, BytesRef(NewInner(part))});
  });
  ReplaceChildren(path, depth - 1, group.place(), group.removed(), std::move(above));
  KillInner(node);
  if (group.joined() != nullptr) KillInner(group.joined());
}

}  // namespace omendb::index
