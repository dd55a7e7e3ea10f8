#include "index/bytes_node.h"

#include <algorithm>

#include "index/shift.h"

namespace omendb::index {

BytesInner::BytesInner(std::span<const BytesChild> children)
    : count_(static_cast<uint32_t>(children.size())) {
  OMEN_CHECK(!children.empty() && children.size() <= kFanout);
  const uint32_t count = count_.get();
  if (count > 1) SetPrefix(children[1].low->key(), children.back().low->key());
  for (uint32_t i = 0; i < count; ++i) {
    lows_[i].set(reinterpret_cast<uint64_t>(children[i].low));
    heads_[i].set(i == 0 ? 0 : HeadOf(children[i].low->key(), prefix_size_));
    tails_[i].set(i == 0 ? 0 : HeadOf(children[i].low->key(), prefix_size_ + 8));
    children_[i].set(children[i].node.bits());
  }
  for (uint32_t i = count; i < kFanout + kCellMax; ++i) heads_[i].set(UINT64_MAX);
  for (uint32_t i = 0; i < kGroup; ++i) tops_[i].set(heads_[i * kGroup].get());
  const bool fits = FitModel();
  use_model_.set(fits ? 1 : 0);
  refit_at_ = RefitAt(count);
}

void BytesInner::SetPrefix(std::string_view first, std::string_view last) {
  prefix_size_ = static_cast<uint32_t>(CommonPrefix(first, last));
  if (prefix_size_ > 8 * kPrefixWords) return;
  prefix_mask_ = ~(~uint64_t{0} >> (8 * (prefix_size_ % 8)));
  for (uint32_t w = 0; w * 8 < prefix_size_; ++w) {
    prefix_[w] = HeadOf(first.substr(0, prefix_size_), w * 8);
  }
}

// Over the heads; equal heads share a cell.
bool BytesInner::FitModel() {
  const uint32_t count = count_.get();
  if (count < kModelMin) return false;
  cell_count_ = count * kCellsPerChild;
  return FitCells(heads_, count, cell_count_, &model_, cells_);
}

// The number of separators, the first not counted, whose head is below `head`, at most `last`.
inline uint32_t BytesInner::LastBelowAll(uint64_t head, uint32_t last) const {
  if (uses_model()) {
    const uint32_t first = cells_[model_(head)].get();
    Prefetch(children_ + first);
    uint32_t at = first;
    for (uint32_t i = 1; i <= kCellMax; ++i) at += heads_[first + i].get() < head;
    return std::min(at, last);
  }
  const uint32_t group = LastBelow(tops_, head);
  // The child is needed next: its line need not wait for that of the heads.
  Prefetch(children_ + group * kGroup);
  Prefetch(children_ + group * kGroup + kGroup / 2);
  return std::min(group * kGroup + LastBelow(heads_ + group * kGroup, head), last);
}

OMEN_INDEX_CLONES uint32_t BytesInner::Find(std::string_view key, bool below) const {
  const uint32_t last = count() - 1;
  if (last == 0) return 0;
  if (prefix_size_ > 0) {
    const int order = ComparePrefix(key);
    if (order != 0) return order < 0 ? 0 : last;
  }
  const uint64_t head = HeadOf(key, prefix_size_);
  uint32_t first = LastBelowAll(head, last);
  uint32_t end = first;  // Separators first + 1 ... end have this head.
  while (end < last && heads_[end + 1].get() == head) ++end;
  return first == end ? first : FindAmong(key, below, first, end);
}

// As Find, among the separators first + 1 ... end, whose heads are the key's.
uint32_t BytesInner::FindAmong(std::string_view key, bool below, uint32_t first,
                               uint32_t end) const {
  const uint64_t tail = HeadOf(key, prefix_size_ + 8);
  while (first < end) {
    const uint32_t middle = first + (end - first + 1) / 2;
    const uint64_t its = tails_[middle].get();
    const int order = its != tail ? (its < tail ? -1 : 1) : separator(middle).compare(key);
    if (order < 0 || (order == 0 && !below)) {
      first = middle;
    } else {
      end = middle - 1;
    }
  }
  return first;
}

bool BytesInner::SharesPrefix(std::string_view key) const {
  return key.size() >= prefix_size_ && ComparePrefix(key) == 0;
}

// Every cell after that of a new separator begins later by one. A cell that becomes too full ends
// the model.
[[gnu::always_inline]] inline void BytesInner::CountIn(uint64_t head, uint32_t count) {
  const auto cell = static_cast<uint32_t>(model_(head));
  CountUpCells(cells_, cell + 1, cell_count_);
  const uint32_t end = cell + 1 < cell_count_ ? cells_[cell + 1].get() : count - 1;
  if (end - cells_[cell].get() <= kCellMax) return;
  use_model_.set(0);
  refit_at_ = RefitAt(count);
}

OMEN_INDEX_CLONES_INSERT bool BytesInner::TrySplit(uint32_t place, BytesRef left,
                                                   const BytesChild& right) {
  const uint32_t count = count_.get(), at = place + 1;
  if (count < 2 || count == kFanout || !SharesPrefix(right.low->key())) return false;
  if (!uses_model() && count >= refit_at_) return false;
  const uint64_t head = HeadOf(right.low->key(), prefix_size_);
  OMEN_CHECK(lock.TryLock());
  // A place is filled before the count says that it is there.
  ShiftUp(children_, at, count);
  ShiftUp(lows_, at, count);
  children_[at].set_release(right.node.bits());
  lows_[at].set_release(reinterpret_cast<uint64_t>(right.low));
  SetChild(place, left);
  count_.set_release(count + 1);
  ShiftUp(heads_, at, count);
  ShiftUp(tails_, at, count);
  heads_[at].set(head);
  tails_[at].set(HeadOf(right.low->key(), prefix_size_ + 8));
  for (uint32_t i = at / kGroup; i <= count / kGroup; ++i) tops_[i].set(heads_[i * kGroup].get());
  if (uses_model()) CountIn(head, count + 1);
  lock.Unlock();
  return true;
}

}  // namespace omendb::index
