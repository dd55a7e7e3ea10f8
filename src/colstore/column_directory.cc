#include "colstore/column_directory.h"

#include <algorithm>

#include "base/check.h"
#include "base/sqlstate.h"

namespace omendb::colstore {
namespace {

// The other columns of a group: far below what an offset holds.
constexpr uint64_t kGapBytesMax = uint64_t{kKeyColumnsMax} * kGroupBlocks * kBlockBytesMax;

Status Damaged(const char* what) { return Status(sqlstate::kDataCorrupted, what); }

}  // namespace

Result<ColumnDirectory> ColumnDirectory::Parse(const SegmentFooter& footer, uint32_t column,
                                               std::string_view content, DistinctSketch* sketch) {
  const ColumnFooter& info = footer.columns[column];
  ColumnDirectory directory;
  directory.type_ = info.column.type;
  directory.rows_ = footer.rows;
  directory.blocks_.reserve(footer.blocks_count());
  ByteReader in(content);
  uint64_t offset = info.blocks.offset;
  uint64_t bytes_sum = 0;
  const bool is_grouped = footer.IsGrouped(column);
  for (uint32_t block = 0; block < footer.blocks_count(); ++block) {
    if (is_grouped && block > 0 && block % kGroupBlocks == 0) {
      const uint64_t gap = in.GetVarint();
      if (gap > kGapBytesMax) return Damaged("it has a wrong gap");
      offset += gap;
    }
    const uint64_t bytes = in.GetVarint();
    if (bytes < kBlockHeaderBytes || bytes > kBlockBytesMax) return Damaged("it has a wrong size");
    directory.blocks_.push_back(
        {offset, static_cast<uint32_t>(bytes), static_cast<uint32_t>(directory.zones_.size())});
    offset += AlignUp(bytes);
    bytes_sum += AlignUp(bytes);
    const size_t begin = in.position();
    if (Zone zone; !zone.Parse(info.column.type, in)) return Damaged("it has a wrong zone");
    directory.zones_ += content.substr(begin, in.position() - begin);
  }
  directory.zones_.shrink_to_fit();
  DistinctSketch parsed;
  if (!parsed.Parse(in) || in.remaining() != 0) return Damaged("it has a wrong sketch");
  if (sketch != nullptr) *sketch = parsed;
  if (bytes_sum != info.blocks.bytes) return Damaged("its sizes do not add up");
  return directory;
}

Zone ColumnDirectory::zone(uint32_t block) const {
  ByteReader in(std::string_view(zones_).substr(blocks_[block].zone_at));
  Zone zone;
  zone.set_rows(std::min(kBlockRows, rows_ - block * kBlockRows));
  OMEN_CHECK(zone.Parse(type_, in));
  return zone;
}

}  // namespace omendb::colstore
