// regrouping.h - which inner nodes take the place of one whose children become more or fewer, for
// both kinds of keys.
//
// Thread safety  None: the structure mutex is held.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace omendb::index {

// Inner has kFanout, count(), child(i) and ChildAt(i), which is a Child.
template <typename Inner, typename Child>
class Regrouping {
 public:
  // Of the children of `node`, `removed` from `place` on make way for `added`.
  Regrouping(const Inner& node, uint32_t place, uint32_t removed, std::span<const Child> added)
      : at_end_(place + removed == node.count()) {
    children_.reserve(2 * kFanout);  // A neighbour's may come too.
    Take(node, 0, place);
    children_.insert(children_.end(), added.begin(), added.end());
    Take(node, place + removed, node.count());
  }

  std::span<const Child> children() const { return children_; }
  // Few children are joined with those of a neighbour below `parent`, where the node is at `place`.
  void Join(const Inner& parent, uint32_t place) {
    place_ = place;
    if (children_.size() >= kJoinBelow) return;
    const auto fits = [&](uint32_t at) {
      return parent.child(at).inner()->count() + children_.size() <= kJoinMax;
    };
    // Keys in order leave full nodes behind: where one is ahead, the one behind is asked, too.
    const bool right = place + 1 < parent.count() && fits(place + 1);
    if (!right && (place == 0 || !fits(place - 1))) return;
    Inner* const other = parent.child(right ? place + 1 : place - 1).inner();
    const size_t mine = children_.size();
    Take(*other, 0, other->count());
    if (!right) {
      std::rotate(children_.begin(), children_.begin() + static_cast<ptrdiff_t>(mine),
                  children_.end());
      --place_;
    }
    joined_ = other;
  }
  // What goes from the parent: `removed` children from `place` on, the neighbour among them.
  uint32_t place() const { return place_; }
  uint32_t removed() const { return joined_ == nullptr ? 1 : 2; }
  Inner* joined() const { return joined_; }

  // Calls visit(children) for each new node. Growing at the end leaves full ones behind.
  template <typename Visit>
  void ForEachNode(const Visit& visit) const {
    const size_t n = children_.size(), nodes = (n + kFanout - 1) / kFanout;
    for (size_t i = 0; i < nodes; ++i) {
      const size_t begin = at_end_ ? i * kFanout : n * i / nodes;
      const size_t end = at_end_ ? std::min(n, begin + kFanout) : n * (i + 1) / nodes;
      visit(children().subspan(begin, end - begin));
    }
  }

 private:
  static constexpr size_t kFanout = Inner::kFanout;
  // Nodes with fewer children than this join a neighbour, up to kJoinMax together.
  static constexpr size_t kJoinBelow = kFanout / 4, kJoinMax = kFanout * 3 / 4;

  void Take(const Inner& from, uint32_t begin, uint32_t end) {
    for (uint32_t i = begin; i < end; ++i) children_.push_back(from.ChildAt(i));
  }

  std::vector<Child> children_;
  const bool at_end_;
  uint32_t place_ = 0;
  Inner* joined_ = nullptr;
};

}  // namespace omendb::index
