// wal_dump: shows the log of a stopped database, record by record, and what is wrong with it.
//
//   wal_dump DATA_DIR/wal [first LSN]
//
// Each line: where the record begins and ends, its kind, its bytes, and the first of them in hex.
// The last line says where the log ends, or the damage; then the exit status is 1.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "wal/log_reader.h"
#include "wal/segment_store.h"

namespace omendb::wal {
namespace {

constexpr size_t kBytesShown = 24;

std::string Hex(std::string_view bytes) {
  std::string text;
  for (const char c : bytes.substr(0, kBytesShown)) {
    char digits[3];
    std::snprintf(digits, sizeof(digits), "%02x", static_cast<unsigned char>(c));
    text += digits;
  }
  return bytes.size() > kBytesShown ? text + "..." : text;
}

void Print(const Record& record) {
  std::printf("%016lx-%016lx kind %3u %8zu bytes %s\n",
              static_cast<unsigned long>(record.begin.value()),
              static_cast<unsigned long>(record.end.value()), record.kind, record.payload.size(),
              Hex(record.payload).c_str());
}

Status Dump(env::Env& env, const std::string& dir, uint64_t first) {
  if (first == 0) {
    OMEN_ASSIGN(const std::vector<uint64_t> starts, ListSegments(env, dir));
    for (const uint64_t start : starts) std::printf("segment %s\n", SegmentName(start).c_str());
    if (!starts.empty()) first = starts.front() + FirstLsn().value();
  }
  const Lsn start = first == 0 ? FirstLsn() : Lsn(first);
  OMEN_ASSIGN(auto reader, OpenLogReader(env, dir, start, {.skip_begun = true}));
  Record record;
  uint64_t count = 0;
  while (true) {
    OMEN_ASSIGN(const bool more, reader->Next(&record));
    if (!more) break;
    Print(record);
    ++count;
  }
  std::printf("end of log at %016lx after %lu records\n",
              static_cast<unsigned long>(reader->end().value()), static_cast<unsigned long>(count));
  return Status::Ok();
}

}  // namespace
}  // namespace omendb::wal

int main(int argc, char** argv) {
  if (argc < 2 || argc > 3) {
    std::fprintf(stderr, "usage: wal_dump DATA_DIR/wal [first LSN, 0x for hexadecimal]\n");
    return 2;
  }
  const auto env = omendb::env::NewPosixEnv();
  const uint64_t first = argc == 3 ? std::strtoull(argv[2], nullptr, 0) : 0;
  const omendb::Status status = omendb::wal::Dump(*env, argv[1], first);
  if (status.ok()) return 0;
  std::fprintf(stderr, "%s\n", status.ToString().c_str());
  return 1;
}
