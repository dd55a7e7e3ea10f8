#include "wal/format.h"

#include <algorithm>
#include <cstdio>

#include "base/bytes.h"
#include "base/check.h"
#include "base/crc32c.h"

namespace omendb::wal {
namespace {

constexpr std::string_view kMagic = "OMENWAL1";
constexpr std::string_view kNameSuffix = ".wal";
constexpr size_t kNameDigits = 16;
constexpr uint32_t kBehindUnknown = UINT32_MAX;

// Bytes 4 to 19 of the header are `fields`.
uint32_t RecordCrc(std::string_view fields, uint64_t lsn, uint64_t system_id,
                   uint32_t payload_crc) {
  char covered[32];
  StoreLe(covered, system_id);
  StoreLe(covered + 8, lsn);
  fields.copy(covered + 16, 16);
  return Crc32c({covered, sizeof(covered)}, payload_crc);
}

}  // namespace

std::string EncodeSegmentHeader(const SegmentHeader& header) {
  std::string out;
  ByteWriter writer(out);
  writer.PutRaw(kMagic);
  writer.Put<uint32_t>(header.version);
  writer.Put<uint32_t>(kSegmentHeaderBytes);
  writer.Put<uint64_t>(header.system_id);
  writer.Put<uint64_t>(header.start);
  writer.Put<uint64_t>(header.segment_bytes);
  out.resize(kSegmentHeaderBytes - sizeof(uint32_t), '\0');
  writer.Put<uint32_t>(Crc32c(out));
  return out;
}

std::optional<SegmentHeader> DecodeSegmentHeader(std::string_view bytes) {
  if (bytes.size() < kSegmentHeaderBytes || !bytes.starts_with(kMagic)) return std::nullopt;
  const std::string_view checked = bytes.substr(0, kSegmentHeaderBytes - sizeof(uint32_t));
  if (LoadLe<uint32_t>(bytes.data() + checked.size()) != Crc32c(checked)) return std::nullopt;
  return SegmentHeader{.version = LoadLe<uint32_t>(bytes.data() + 8),
                       .system_id = LoadLe<uint64_t>(bytes.data() + 16),
                       .start = LoadLe<uint64_t>(bytes.data() + 24),
                       .segment_bytes = LoadLe<uint64_t>(bytes.data() + 32)};
}

std::string SegmentName(uint64_t start) {
  char digits[kNameDigits + 1];
  std::snprintf(digits, sizeof(digits), "%016llx", static_cast<unsigned long long>(start));
  return std::string(digits).append(kNameSuffix);
}

std::optional<uint64_t> ParseSegmentName(std::string_view name) {
  if (name.size() != kNameDigits + kNameSuffix.size() || !name.ends_with(kNameSuffix)) {
    return std::nullopt;
  }
  uint64_t start = 0;
  for (const char c : name.substr(0, kNameDigits)) {
    const bool digit = c >= '0' && c <= '9';
    if (!digit && !(c >= 'a' && c <= 'f')) return std::nullopt;
    start = start << 4 | static_cast<uint64_t>(digit ? c - '0' : c - 'a' + 10);
  }
  return start;
}

void EncodeRecordHeader(const RecordHeader& header, uint64_t system_id, uint32_t payload_crc,
                        char* out) {
  OMEN_DCHECK(header.kind != 0 && header.durable <= header.lsn);
  const uint64_t behind = header.lsn - header.durable;
  StoreLe(out + 4, header.payload_bytes);
  StoreLe(out + 8, static_cast<uint32_t>(header.lsn));
  StoreLe(out + 12, static_cast<uint32_t>(std::min<uint64_t>(behind, kBehindUnknown)));
  out[16] = static_cast<char>(header.kind);
  out[17] = static_cast<char>(header.part);
  StoreLe(out + 18, uint16_t{0});
  StoreLe(out, RecordCrc({out + 4, 16}, header.lsn, system_id, payload_crc));
}

std::optional<RecordHeader> DecodeRecord(std::string_view bytes, uint64_t lsn, uint64_t system_id) {
  if (bytes.size() < kRecordBytesMin) return std::nullopt;
  const char* p = bytes.data();
  // The cheap tests come first: a search for records tries every eighth byte.
  if (LoadLe<uint32_t>(p + 8) != static_cast<uint32_t>(lsn)) return std::nullopt;
  const auto kind = static_cast<RecordKind>(p[16]);
  const auto part = static_cast<uint8_t>(p[17]);
  if (kind == 0 || part < 1 || part > 4 || LoadLe<uint16_t>(p + 18) != 0) return std::nullopt;
  const auto payload_bytes = LoadLe<uint32_t>(p + 4);
  const uint64_t total = PaddedRecordBytes(payload_bytes);
  if (total > bytes.size()) return std::nullopt;
  const uint32_t payload_crc = Crc32c(bytes.substr(kRecordHeaderBytes, payload_bytes));
  if (LoadLe<uint32_t>(p) != RecordCrc({p + 4, 16}, lsn, system_id, payload_crc)) {
    return std::nullopt;
  }
  for (uint64_t i = kRecordHeaderBytes + payload_bytes; i < total; ++i) {
    if (p[i] != '\0') return std::nullopt;
  }
  const auto behind = LoadLe<uint32_t>(p + 12);
  return RecordHeader{.payload_bytes = payload_bytes,
                      .lsn = lsn,
                      .durable = behind == kBehindUnknown || behind > lsn ? 0 : lsn - behind,
                      .kind = kind,
                      .part = static_cast<Part>(part)};
}

Lsn FirstLsn() { return Lsn(kSegmentHeaderBytes); }

}  // namespace omendb::wal
