// bytes_key_sizes.h - how wide the cells of a leaf of byte strings shall be, by the keys it is made
// for.
//
// Thread safety  None: a local of whoever makes a leaf.
#pragma once

#include <algorithm>
#include <cstdint>

#include "index/bytes_leaf.h"

namespace omendb::index {

// The sizes of the keys of a leaf that is to be made, or of two.
class BytesKeySizes {
 public:
  void Add(uint32_t size) {
    sizes_[count_++] = size;
    least_ = std::min(least_, size);
    greatest_ = std::max(greatest_, size);
  }
  // Of a leaf that is locked.
  void Add(const BytesLeaf& leaf);
  // The size of cells with which they take the least memory, the first `skip` bytes left out.
  uint32_t ChooseWords(uint32_t skip) const;

 private:
  static constexpr uint32_t kMost = 2 * BytesLeaf::kCapacity;
  bool AddFull(const BytesLeaf& leaf);
  static void AddOutside(const BytesLeaf& leaf, const uint8_t* lengths, uint32_t* sizes);
  size_t CostOutside(uint32_t above) const;

  uint32_t sizes_[kMost] = {};  // Zeros behind: loops of a known length are made of vectors.
  uint32_t count_ = 0;
  uint32_t least_ = UINT32_MAX, greatest_ = 0;
};

}  // namespace omendb::index
