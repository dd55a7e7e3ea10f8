// format.h - segments and records as bytes. Pure; see docs/formats/wal.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "wal/log_writer.h"

namespace omendb::wal {

inline constexpr uint64_t kSegmentHeaderBytes = 64;
inline constexpr uint64_t kRecordHeaderBytes = 20;
inline constexpr uint64_t kRecordAlign = 8;
// The shortest record; less room than this at the end of a segment stays zero.
inline constexpr uint64_t kRecordBytesMin = 24;
inline constexpr uint32_t kFormatVersion = 1;

static_assert(kSegmentHeaderBytes % kRecordAlign == 0);
static_assert(kRecordBytesMin % kRecordAlign == 0 && kRecordBytesMin >= kRecordHeaderBytes);

// On disk: do not renumber.
enum class Part : uint8_t { kWhole = 1, kFirst = 2, kMiddle = 3, kLast = 4 };

struct SegmentHeader {
  uint32_t version = kFormatVersion;
  uint64_t system_id = 0;
  uint64_t start = 0;  // LSN
  uint64_t segment_bytes = 0;
  uint64_t end() const { return start + segment_bytes; }
};

std::string EncodeSegmentHeader(const SegmentHeader& header);
// Nothing if magic or checksum do not fit. The version is for the caller to judge.
std::optional<SegmentHeader> DecodeSegmentHeader(std::string_view bytes);

std::string SegmentName(uint64_t start);
// The start LSN, or nothing if `name` is not a segment's.
std::optional<uint64_t> ParseSegmentName(std::string_view name);

struct RecordHeader {
  uint32_t payload_bytes = 0;
  uint64_t lsn = 0;
  uint64_t durable = 0;  // The log was known to be synced up to here; 0 = says nothing.
  RecordKind kind = 0;
  Part part = Part::kWhole;
};

constexpr uint64_t PaddedRecordBytes(uint64_t payload_bytes) {
  return (kRecordHeaderBytes + payload_bytes + kRecordAlign - 1) / kRecordAlign * kRecordAlign;
}

// Writes kRecordHeaderBytes to `out`. `payload_crc` is Crc32c(payload).
void EncodeRecordHeader(const RecordHeader& header, uint64_t system_id, uint32_t payload_crc,
                        char* out);

// The record that begins at `lsn`, where `bytes` runs from there to the end of the segment; nothing
// if there is no whole and valid one.
std::optional<RecordHeader> DecodeRecord(std::string_view bytes, uint64_t lsn, uint64_t system_id);

}  // namespace omendb::wal
