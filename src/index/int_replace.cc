// int_replace.cc - putting leaves in the place of others, in copies of the inner nodes above them,
// under the structure mutex.
#include <algorithm>

#include "base/check.h"
#include "index/int_tree.h"

namespace omendb::index {

namespace {

// Inner nodes with fewer children than this join a neighbour, up to kInnerJoinMax together.
constexpr size_t kInnerJoinBelow = Inner::kFanout / 4;
constexpr size_t kInnerJoinMax = Inner::kFanout * 3 / 4;

// Whether the leaves, in order, cover [low, last]. If they did not a dead leaf would stay in its
// place, and whoever looks for a key of it would do so for ever.
bool Cover(std::span<Leaf* const> leaves, uint64_t low, uint64_t last) {
  for (const Leaf* leaf : leaves) {
    if (leaf->low != low || leaf->last < low) return false;
    low = leaf->last + 1;
  }
  return leaves.back()->last == last;
}

}  // namespace

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
  OMEN_CHECK(Cover(news, olds.front()->low, olds.back()->last));
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
