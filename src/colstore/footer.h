// footer.h - header, footer and tail of a segment: what opening it needs.
//
// Format         docs/formats/segment.md
// Thread safety  Value types and pure functions.
// Errors         XX001 with what is wrong; the caller adds the file.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/status.h"
#include "colstore/format.h"
#include "colstore/sketch.h"
#include "colstore/zone.h"
#include "types/key_encoding.h"

namespace omendb::colstore {

struct SegmentColumn {
  ColumnId id;
  types::SqlType type;
};

// A column of the key: its position among the segment's columns.
struct SegmentKeyColumn {
  uint32_t column = 0;
  types::KeyOptions options;
};

// Where something lies in the file.
struct Extent {
  uint64_t offset = 0;
  uint64_t bytes = 0;
};

// As footers have it: u64, u32.
void PutExtent(const Extent& extent, ByteWriter& writer);
Extent GetExtent(ByteReader& in);

struct ColumnFooter {
  SegmentColumn column;
  Extent blocks;
  Extent section;
  Zone zone;
};

struct SegmentFooter {
  uint32_t version = kFormatVersion;  // of the file; in its tail
  Oid storage;
  uint32_t rows = 0;
  Timestamp min_ts;
  Timestamp max_ts;
  std::vector<ColumnFooter> columns;
  std::vector<SegmentKeyColumn> key;
  Extent key_index;
  Extent key_filter;
  std::string min_key;
  std::string max_key;

  uint32_t blocks_count() const { return BlocksOf(rows); }
  uint32_t rows_of(uint32_t block) const {
    return block + 1 < blocks_count() ? kBlockRows : rows - block * kBlockRows;
  }
  // Columns that lookups by key read: those of the key, in its order, then that of the row ids,
  // unless it is one of them or its zone tells all. None without a key.
  std::vector<uint32_t> LookupColumns() const;
  // Those of them whose blocks lie in groups, to be read together; none, or two and more.
  std::vector<uint32_t> GroupedColumns() const;
  bool IsGrouped(uint32_t column) const;
  // Whether the key is one column that the index takes as a 64-bit integer.
  bool has_integer_key() const;

  std::string Serialize() const;
  static Result<SegmentFooter> Parse(std::string_view bytes);
};

// Whether the key is one column that serves as a 64-bit key: a native integer, ascending. `first`
// is the type of its first column.
bool IsIntegerKey(const std::vector<SegmentKeyColumn>& key, const types::SqlType& first);

struct SegmentHeader {
  uint64_t system_id = 0;
  uint64_t file_id = 0;
};
std::string SerializeHeader(const SegmentHeader& header);
// `bytes` has kHeaderBytes.
Result<SegmentHeader> ParseHeader(std::string_view bytes);

struct SegmentTail {
  uint32_t version = kFormatVersion;
  Extent footer;
  uint64_t file_id = 0;
  uint64_t file_bytes = 0;
  uint32_t footer_crc = 0;
};
std::string SerializeTail(const SegmentTail& tail);
// `bytes` has kTailBytes.
Result<SegmentTail> ParseTail(std::string_view bytes);

// What a column's section holds, for who writes it; column_directory.h reads it.
struct ColumnSection {
  std::vector<Extent> blocks;
  std::vector<Zone> zones;  // by block
  DistinctSketch sketch;

  std::string Serialize(const types::SqlType& type, bool is_grouped) const;
};

}  // namespace omendb::colstore
