// column_directory.h - where the blocks of a column lie and what their zones say: a column's
// section (docs/formats/segment.md), kept as it is in the file and read zone by zone, since there
// are thousands of them for each million rows.
//
// Thread safety  Immutable.
// Ownership      Owns the bytes.
// Errors         XX001 with what is wrong; the caller adds the file.
// Cost           About 40 bytes a block in memory. zone(): some tens of nanoseconds.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "colstore/footer.h"

namespace omendb::colstore {

class ColumnDirectory {
 public:
  // Everything is checked here. `sketch`, which may be null, gets the distinct sketch, which is not
  // kept.
  static Result<ColumnDirectory> Parse(const SegmentFooter& footer, uint32_t column,
                                       std::string_view content, DistinctSketch* sketch = nullptr);

  uint32_t blocks_count() const { return static_cast<uint32_t>(blocks_.size()); }
  Extent extent(uint32_t block) const { return {blocks_[block].offset, blocks_[block].bytes}; }
  // Whether it begins where the block before ends. Requires: block > 0.
  bool Follows(uint32_t block) const {
    const BlockEntry& before = blocks_[block - 1];
    return blocks_[block].offset == before.offset + AlignUp(before.bytes);
  }
  Zone zone(uint32_t block) const;
  size_t memory_bytes() const {
    return sizeof(*this) + zones_.capacity() + blocks_.capacity() * sizeof(BlockEntry);
  }

 private:
  struct BlockEntry {
    uint64_t offset;
    uint32_t bytes;
    uint32_t zone_at;  // in zones_
  };
  types::SqlType type_;
  uint32_t rows_ = 0;
  std::vector<BlockEntry> blocks_;
  std::string zones_;
};

}  // namespace omendb::colstore
