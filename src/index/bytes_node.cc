#include "index/bytes_node.h"

namespace omendb::index {

BytesInner::BytesInner(std::span<const BytesChild> children)
    : count_(static_cast<uint32_t>(children.size())) {
  OMEN_CHECK(!children.empty() && children.size() <= kFanout);
  if (count_ > 1) {
    const std::string_view first = children[1].low;
    prefix_size_ = static_cast<uint32_t>(CommonPrefix(first, children.back().low));
    if (prefix_size_ > 0 && prefix_size_ <= 8) {
      prefix_mask_ = ~uint64_t{0} << (64 - 8 * prefix_size_);
      prefix_head_ = HeadOf(first, 0) & prefix_mask_;
    }
  }
  size_t text_bytes = 0;
  for (const BytesChild& child : children) text_bytes += child.low.size();
  text_.reserve(text_bytes);
  for (uint32_t i = 0; i < count_; ++i) {
    ends_[i] = static_cast<uint32_t>(text_.size());
    text_ += children[i].low;
    heads_[i] = i == 0 ? 0 : HeadOf(children[i].low, prefix_size_);
    children_[i].store(children[i].node, std::memory_order_relaxed);
  }
  ends_[count_] = static_cast<uint32_t>(text_.size());
  for (uint32_t i = count_; i < kFanout + kCellMax; ++i) heads_[i] = UINT64_MAX;
  for (uint32_t i = 0; i < kGroup; ++i) tops_[i] = heads_[i * kGroup];
  use_model_ = FitModel();
}

// In strides that run over the end, as Inner::FillCells.
void BytesInner::FillCells(uint32_t begin, uint32_t end, uint32_t child) {
  do {
    std::memset(cells_ + begin, static_cast<int>(child), kCellStride);
    begin += kCellStride;
  } while (begin < end);
}

// As Inner::FitModel, over the heads; equal heads share a cell.
bool BytesInner::FitModel() {
  if (count_ < 8) return false;
  const uint32_t cell_count = count_ * kCellsPerChild;
  const uint64_t base = heads_[1];
  model_ = LinearModel::Make(base, heads_[count_ - 1] - base, cell_count);
  uint32_t filled = 0;  // Cells written.
  for (uint32_t next = 1; next < count_; ++next) {
    // A cell names the child before its first separator; so do the empty ones before it.
    const auto cell = static_cast<uint32_t>(model_(heads_[next]));
    if (cell >= filled) FillCells(filled, cell + 1, next - 1);
    filled = cell + 1;
    if (next - cells_[cell] > kCellMax) return false;
  }
  FillCells(filled, cell_count, count_ - 1);
  return true;
}

// The number of separators, the first not counted, whose head is below `head`.
uint32_t BytesInner::CountBelow(uint64_t head) const {
  if (use_model_) {
    const uint64_t first = cells_[model_(head)];
    Prefetch(children_ + first);
    uint64_t at = first;
    for (uint32_t i = 1; i <= kCellMax; ++i) at += heads_[first + i] < head;
    return static_cast<uint32_t>(std::min<uint64_t>(at, count_ - 1));
  }
  const uint32_t group = LastBelow(tops_, head);
  // The child is needed next: its line need not wait for that of the heads.
  Prefetch(children_ + group * kGroup);
  Prefetch(children_ + group * kGroup + kGroup / 2);
  return group * kGroup + LastBelow(heads_ + group * kGroup, head);
}

uint32_t BytesInner::Find(std::string_view key, bool below) const {
  if (count_ == 1) return 0;
  if (prefix_size_ > 0) {
    const int order = ComparePrefix(key);
    if (order != 0) return order < 0 ? 0 : count_ - 1;
  }
  const uint64_t head = HeadOf(key, prefix_size_);
  uint32_t first = CountBelow(head);
  uint32_t end = first;  // Separators first + 1 ... end have this head.
  while (end + 1 < count_ && heads_[end + 1] == head) ++end;
  while (first < end) {
    const uint32_t middle = first + (end - first + 1) / 2;
    const int order = separator(middle).compare(key);
    if (order < 0 || (order == 0 && !below)) {
      first = middle;
    } else {
      end = middle - 1;
    }
  }
  return first;
}

}  // namespace omendb::index
