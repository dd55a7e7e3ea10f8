// format.h - the constants of segment files.
//
// Format         docs/formats/segment.md. Everything here reaches the disk: do not renumber.
// Thread safety  Constants and pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/bytes.h"
#include "base/crc32c.h"
#include "types/chunk.h"

namespace omendb::colstore {

// Version 1, without sequences, can be read, and 2, without groups.
inline constexpr uint32_t kFormatVersion = 3;
inline constexpr uint32_t kVersionWithGroups = 3;
inline constexpr std::string_view kHeaderMagic = "OMENSEGM";
inline constexpr std::string_view kTailMagic = "OMENSEGE";
inline constexpr size_t kHeaderBytes = 64;
inline constexpr size_t kTailBytes = 48;
inline constexpr size_t kSectionHeaderBytes = 8;
inline constexpr size_t kBlockHeaderBytes = 16;
inline constexpr size_t kAlignment = 16;

// One DuckDB vector.
inline constexpr uint32_t kBlockRows = types::kChunkRowsMax;
inline constexpr uint32_t kSegmentRowsMax = 1U << 18;
// So many blocks of a column lie together where columns are grouped.
inline constexpr uint32_t kGroupBlocks = 8;
inline constexpr uint32_t kColumnsMax = 2000;
inline constexpr uint32_t kKeyColumnsMax = 32;
inline constexpr uint32_t kKeyBytesMax = 64 * 1024;
inline constexpr uint32_t kBlockBytesMax = 0x7fffffff;

// Columns that SQL does not see.
inline constexpr ColumnId kRowIdColumn{0};
inline constexpr ColumnId kTimestampColumn{-1};

enum class Encoding : uint8_t {
  kPlain = 1,
  kConstant = 2,
  kFrame = 3,
  kDelta = 4,
  kRuns = 5,
  kDictionary = 6,
  kDecimal = 7,
};

enum class NullForm : uint8_t {
  kNone = 0,
  kBitmap = 1,
  kPositions = 2,
  kComplement = 3,
  kAll = 4,
};

// Values of a delta block that are stored as they are, one in so many: bounds a point read's sum.
inline constexpr uint32_t kDeltaStride = 256;
// The same for the ends of strings.
inline constexpr uint32_t kStringStride = 64;

constexpr size_t AlignUp(size_t bytes) { return (bytes + kAlignment - 1) & ~(kAlignment - 1); }
constexpr uint32_t BlocksOf(uint32_t rows) { return (rows + kBlockRows - 1) / kBlockRows; }

// The CRC that a block or section at `offset` starts from.
inline uint32_t FrameCrcSeed(uint64_t file_id, uint64_t offset) {
  char seed[16];
  StoreLe(seed, file_id);
  StoreLe(seed + 8, offset);
  return Crc32c({seed, sizeof(seed)});
}

}  // namespace omendb::colstore
