// The log reader against arbitrary segments. The first byte of the input chooses:
//   0  the rest is the one segment, as it is;
//   1  the rest is records with their checksums put right, so that lengths, parts and kinds are
//      believed;
//   2  a valid log is written, then changed by the rest; what is read must be a prefix of it.
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/check.h"
#include "base/crc32c.h"
#include "testing/mem_env.h"
#include "wal/format.h"
#include "wal/log_buffer.h"
#include "wal/log_reader.h"

namespace omendb::wal {
namespace {

constexpr uint64_t kSystemId = 7;
constexpr uint64_t kSegmentBytes = 4096;
constexpr char kDir[] = "/wal";

void WriteSegment(testutil::MemEnv& env, uint64_t start, std::string_view bytes) {
  auto file = env.NewWritableFile(env::JoinPath(kDir, SegmentName(start)), {});
  OMEN_CHECK(file.ok() && (*file)->Append(bytes).ok());
}

// Reads to the end or to an error. Checks what holds of any log.
std::vector<std::string> Read(testutil::MemEnv& env) {
  std::vector<std::string> payloads;
  auto reader = OpenLogReader(env, kDir, FirstLsn(), {.system_id = kSystemId});
  if (!reader.ok()) return payloads;
  Record record;
  uint64_t before = FirstLsn().value();
  while (true) {
    const auto more = (*reader)->Next(&record);
    if (!more.ok() || !*more) break;
    OMEN_CHECK(record.begin.value() == before && record.end.value() > before);
    OMEN_CHECK(record.kind != 0);
    before = record.end.value();
    payloads.emplace_back(record.payload);
  }
  return payloads;
}

std::string WithHeader(uint64_t start, std::string_view rest) {
  return EncodeSegmentHeader(
             {.system_id = kSystemId, .start = start, .segment_bytes = kSegmentBytes})
      .append(rest);
}

// Walks over what may be records and makes each one's position and checksum right.
void FixRecords(std::string& segment, uint64_t start) {
  uint64_t offset = kSegmentHeaderBytes;
  while (offset + kRecordBytesMin <= segment.size()) {
    char* p = segment.data() + offset;
    const uint64_t payload_bytes = LoadLe<uint32_t>(p + 4) % 1024;
    if (offset + PaddedRecordBytes(payload_bytes) > segment.size()) return;
    const uint64_t lsn = start + offset;
    const uint64_t behind = LoadLe<uint32_t>(p + 12) % (lsn + 1);
    const RecordHeader header{.payload_bytes = static_cast<uint32_t>(payload_bytes),
                              .lsn = lsn,
                              .durable = lsn - behind,
                              .kind = static_cast<RecordKind>(p[16] == 0 ? 1 : p[16]),
                              .part = static_cast<Part>(p[17])};
    const uint32_t crc = Crc32c({p + kRecordHeaderBytes, payload_bytes});
    EncodeRecordHeader(header, kSystemId, crc, p);
    for (uint64_t i = kRecordHeaderBytes + payload_bytes; i < PaddedRecordBytes(payload_bytes);
         ++i) {
      p[i] = '\0';
    }
    offset += PaddedRecordBytes(payload_bytes);
  }
}

void ReadFixed(std::string_view input) {
  testutil::MemEnv env;
  OMEN_CHECK(env.CreateDir(kDir).ok());
  for (uint64_t start = 0; start < 3 * kSegmentBytes; start += kSegmentBytes) {
    const size_t size = std::min<size_t>(input.size(), kSegmentBytes - kSegmentHeaderBytes);
    std::string segment = WithHeader(start, input.substr(0, size));
    FixRecords(segment, start);
    WriteSegment(env, start, segment);
    input.remove_prefix(size);
  }
  Read(env);
}

void ReadChanged(std::string_view input) {
  ByteReader reader(input);
  LogBuffer buffer({.system_id = kSystemId, .start = 0, .segment_bytes = kSegmentBytes}, 0,
                   kSegmentBytes);
  std::vector<std::string> written;
  const int count = reader.Get<uint8_t>() % 24;
  for (int i = 0; i < count; ++i) {
    written.emplace_back(reader.Get<uint8_t>() * 9, static_cast<char>('a' + i));
    const uint64_t durable = buffer.position() - buffer.position() % 1024;
    buffer.Append(1, written.back(), Crc32c(written.back()), durable);
  }
  std::string log;
  buffer.Take(log);
  while (reader.remaining() >= 3 && !log.empty()) {
    const uint16_t where = reader.Get<uint16_t>();
    log[where % log.size()] = reader.Get<char>();
  }
  testutil::MemEnv env;
  OMEN_CHECK(env.CreateDir(kDir).ok());
  for (uint64_t start = 0; start < log.size(); start += kSegmentBytes) {
    WriteSegment(env, start, std::string_view(log).substr(start, kSegmentBytes));
  }
  const std::vector<std::string> read = Read(env);
  OMEN_CHECK(read.size() <= written.size());
  OMEN_CHECK(std::equal(read.begin(), read.end(), written.begin()));
}

}  // namespace
}  // namespace omendb::wal

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 3) {
    case 0: {
      omendb::testutil::MemEnv env;
      OMEN_CHECK(env.CreateDir(omendb::wal::kDir).ok());
      omendb::wal::WriteSegment(env, 0, rest);
      omendb::wal::Read(env);
      break;
    }
    case 1:
      omendb::wal::ReadFixed(rest);
      break;
    default:
      omendb::wal::ReadChanged(rest);
  }
  return 0;
}
