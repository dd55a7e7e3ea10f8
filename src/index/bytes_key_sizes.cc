#include "index/bytes_key_sizes.h"

#include <cstring>

namespace omendb::index {

void BytesKeySizes::Add(const BytesLeaf& leaf) {
  if (AddFull(leaf)) return;
  for (uint32_t i = 0; i < leaf.count.get(); ++i) Add(leaf.KeySizeAt(i));
}

// False: cells are free.
OMEN_INDEX_CLONES bool BytesKeySizes::AddFull(const BytesLeaf& leaf) {
  constexpr uint32_t kCells = BytesLeaf::kCapacity;
  if (leaf.count.get() < kCells || count_ > kMost - kCells) return false;
  uint8_t lengths[kCells];
  std::memcpy(lengths, static_cast<const void*>(leaf.lengths), kCells);
  uint32_t* const sizes = sizes_ + count_;
  for (uint32_t i = 0; i < kCells; ++i) sizes[i] = leaf.skip + lengths[i];
  AddOutside(leaf, lengths, sizes);
  uint32_t least = UINT32_MAX, greatest = 0;
  for (uint32_t i = 0; i < kCells; ++i) {
    least = std::min(least, sizes[i]);
    greatest = std::max(greatest, sizes[i]);
  }
  least_ = std::min(least_, least);
  greatest_ = std::max(greatest_, greatest);
  count_ += kCells;
  return true;
}

// Of keys in records the sizes instead of what stands for them.
void BytesKeySizes::AddOutside(const BytesLeaf& leaf, const uint8_t* lengths, uint32_t* sizes) {
  const uint8_t* const end = lengths + BytesLeaf::kCapacity;
  for (const uint8_t* at = lengths;; ++at) {
    const auto left = static_cast<size_t>(end - at);
    at = static_cast<const uint8_t*>(std::memchr(at, BytesLeaf::kOutside, left));
    if (at == nullptr) return;
    const auto cell = static_cast<uint32_t>(at - lengths);
    sizes[cell] = BytesLeaf::RecordOf(leaf.cell(cell))->size;
  }
}

// What the keys of more than `above` bytes cost where their cells are too small.
[[gnu::always_inline]] inline size_t BytesKeySizes::CostOutside(uint32_t above) const {
  // Beside their own bytes: malloc's header, the size, and a cache miss.
  constexpr uint32_t kOutsideCost = 32, kStep = BytesLeaf::kCapacity;
  uint32_t bytes = 0, keys = 0;
  for (const uint32_t* block = sizes_; block < sizes_ + count_; block += kStep) {
    for (size_t i = 0; i < kStep; ++i) {  // Sizes are less than 2^31.
      const bool beyond = static_cast<int32_t>(block[i]) > static_cast<int32_t>(above);
      bytes += beyond ? block[i] : 0;
      keys += beyond ? 1 : 0;
    }
  }
  return bytes + size_t{keys} * kOutsideCost;
}

OMEN_INDEX_CLONES uint32_t BytesKeySizes::ChooseWords(uint32_t skip) const {
  if (count_ == 0) return BytesLeaf::kCellWordsMin;
  static constexpr uint32_t kMin = BytesLeaf::kCellWordsMin, kMax = BytesLeaf::kCellWordsMax;
  const auto words_for = [skip](uint32_t size) {
    return std::clamp((size - skip + 7) / 8 + 1, kMin, kMax + 1);
  };
  const uint32_t least = words_for(least_), greatest = words_for(greatest_);
  if (least == greatest) return least > kMax ? kMin : least;
  uint32_t best = kMax;
  size_t least_cost = SIZE_MAX;
  const auto consider = [&](uint32_t words) {
    const size_t cost = size_t{count_} * words * 8 + CostOutside(skip + (words - 1) * 8);
    if (cost > least_cost) return;
    least_cost = cost;
    best = words;
  };
  // More words than the greatest key needs are of no use; with fewer than the least needs all lie
  // outside, best with the fewest.
  for (uint32_t words = std::min(greatest, kMax); words >= least; --words) consider(words);
  if (least > kMin) consider(kMin);
  return best;
}

}  // namespace omendb::index
