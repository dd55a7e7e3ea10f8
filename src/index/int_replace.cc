// int_replace.cc - putting leaves in the place of others, in copies of the inner nodes above them,
// under the structure mutex.
#include "base/check.h"
#include "index/int_tree.h"
#include "index/regrouping.h"

namespace omendb::index {

namespace {

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
  Regrouping<Inner, ChildEntry> group(*node, place, removed, added);
  if (group.children().size() == 1 && depth == 1) {
    root_.store(group.children().front().node, std::memory_order_release);
    RetireInner(node);
    return;
  }
  if (depth >= 2) group.Join(*path[depth - 2].node, path[depth - 2].place);
  std::vector<ChildEntry> above;
  group.ForEachNode([&](std::span<const ChildEntry> part) {
    above.push_back({part.front().low, NodeRef(NewInner(part))});
  });
  ReplaceChildren(path, depth - 1, group.place(), group.removed(), std::move(above));
  // Only now does no path lead to them: a reader who came after they were retired but before that
  // would not hold them back.
  RetireInner(node);
  if (group.joined() != nullptr) RetireInner(group.joined());
}

}  // namespace omendb::index
