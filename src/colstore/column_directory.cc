#include "colstore/column_directory.h"

#include <algorithm>

#include "base/check.h"
#include "base/sqlstate.h"

namespace omendb::colstore {
namespace {

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
  for (uint32_t block = 0; block < footer.blocks_count(); ++block) {
    const uint64_t bytes = in.GetVarint();
    if (bytes < kBlockHeaderBytes || bytes > kBlockBytesMax) return Damaged("it has a wrong size");
    directory.blocks_.push_back(
        {offset, static_cast<uint32_t>(bytes), static_cast<uint32_t>(directory.zones_.size())});
    offset += AlignUp(bytes);
    const size_t begin = in.position();
    if (Zone zone; !zone.Parse(info.column.type, in)) return Damaged("it has a wrong zone");
    directory.zones_ += content.substr(begin, in.position() - begin);
  }
  directory.zones_.shrink_to_fit();
  DistinctSketch parsed;
  if (!parsed.Parse(in) || in.remaining() != 0) return Damaged("it has a wrong sketch");
  if (sketch != nullptr) *sketch = parsed;
  if (offset != info.blocks.offset + info.blocks.bytes) return Damaged("its sizes do not add up");
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
