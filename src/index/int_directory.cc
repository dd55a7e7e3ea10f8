// int_directory.cc - keeping the directory over the leaves; see directory.h.
#include <algorithm>

#include "index/int_tree.h"

namespace omendb::index {

namespace {

// Fewer leaves than this are found as fast through the root.
constexpr size_t kLeavesMin = 4;
// The range a directory covers leaves out this share of the leaves at an end where they reach far.
constexpr double kTail = 0.01;

}  // namespace

Leaf* IntTree::LeafAt(double share) const {
  NodeRef node = root_.load(std::memory_order_acquire);
  while (!node.is_leaf()) {
    const uint32_t count = node.inner()->count();
    const double exact = share * count;
    const auto place = std::min(count - 1, static_cast<uint32_t>(exact));
    share = std::min(1.0, exact - place);
    node = node.inner()->child(place);
  }
  return node.leaf();
}

void IntTree::NewDirectory() {
  if (leaves_ < kLeavesMin) return;
  const Leaf* first = LeafAt(0);
  const Leaf* last = LeafAt(1);
  // A model leaf knows where its keys begin and end; of others the inner bound is taken.
  uint64_t base = first->is_model() ? first->base.get() : first->last;
  uint64_t end = last->is_model() ? last->base.get() + last->span.get() : last->low;
  const uint64_t early = LeafAt(kTail)->low, late = LeafAt(1 - kTail)->low;
  if (end <= base || late <= early) return;
  // A few outliers must not take all cells: without them, if that is a quarter of the range.
  if ((late - early) < (end - base) / 4) {
    base = std::max(base, early);
    end = std::min(end, late);
  }
  if (end <= base) return;
  directory_.store(new Directory(base, end, leaves_), std::memory_order_release);
}

void IntTree::DropDirectory() {
  Directory* old = directory_.load(std::memory_order_acquire);
  if (old == nullptr) return;
  directory_.store(nullptr, std::memory_order_release);
  descends_.store(true, std::memory_order_relaxed);
  epochs_.Retire(
      old, [](void* p, void*) { delete static_cast<Directory*>(p); }, nullptr, old->bytes());
}

void IntTree::FillDirectory(size_t cells) {
  Directory* directory = directory_.load(std::memory_order_acquire);
  if (directory == nullptr || directory->complete()) return;
  while (cells > 0 && !directory->complete()) {
    cells -= directory->FillFrom(Descend(directory->next_key()), cells);
  }
  if (directory->useless()) directory->SwitchOff();
  descends_.store(directory->useless(), std::memory_order_relaxed);
}

void IntTree::UpdateDirectory(std::span<Leaf* const> olds, std::span<Leaf* const> news) {
  leaves_ += news.size();
  leaves_ -= olds.size();
  RegisterForTuning();
  for (Leaf* old : olds) run_.compare_exchange_strong(old, news.front());
  if (olds.front()->low == 0) first_.store(news.front(), std::memory_order_release);
  if (olds.back()->last == UINT64_MAX) last_.store(news.back(), std::memory_order_release);
  Directory* directory = directory_.load(std::memory_order_acquire);
  if (directory != nullptr) directory->Replace(olds, news);
  // One that has twice as many leaves to serve, or a third, makes place for another.
  const size_t built_for = directory == nullptr ? kLeavesMin / 2 : directory->leaves();
  if (leaves_ >= 2 * built_for || leaves_ * 3 < built_for) {
    DropDirectory();
    NewDirectory();
  }
  FillDirectory(Directory::kCellsPerStep);
}

}  // namespace omendb::index
