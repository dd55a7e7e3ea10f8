// index_run_format.h - footer and tail of an index run: what opening it needs.
//
// Format         docs/formats/index_run.md. Everything here reaches the disk: do not renumber.
// Thread safety  Value types and pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "colstore/footer.h"
#include "colstore/index_run.h"

namespace omendb::colstore {

inline constexpr uint32_t kIndexRunVersion = 2;
inline constexpr std::string_view kIndexRunMagic = "OMENIRUN";
inline constexpr size_t kIndexRunTailBytes = 64;
inline constexpr size_t kFrameHeaderBytes = 8;  // CRC, bytes of the content
// A block ends with so many entries, or so many bytes of keys.
inline constexpr size_t kRunBlockEntries = 1024;
inline constexpr size_t kRunBlockKeyBytes = 64 * 1024;
// So many blocks share a filter, which lies behind them: 16 KB of keys that are all different.
inline constexpr uint32_t kRunGroupBlocks = 16;

struct IndexRunFooter {
  uint64_t entries = 0;
  Extent fences;
  std::string min_entry;
  std::string max_entry;
  std::vector<RunSegment> segments;

  std::string Serialize() const;
  bool Parse(std::string_view bytes);
};

struct IndexRunTail {
  Extent footer;
  uint64_t identity = 0;
  uint64_t newest_file_id = 0;
  Oid index;
  uint64_t file_bytes = 0;
  uint32_t footer_crc = 0;

  std::string Serialize() const;
  // False when the bytes are none, or of another version.
  bool Parse(std::string_view bytes);
};

}  // namespace omendb::colstore
