// The record file reader against arbitrary files. With an even first byte the rest is the file;
// with an odd one it changes a valid file, and what is read must be a prefix of what was written.
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/check.h"
#include "env/record_file.h"
#include "testing/mem_env.h"

namespace omendb::env {
namespace {

constexpr RecordFileOptions kOptions{.system_id = 7, .block_bytes = 200};

std::vector<std::string> Read(Env& env) {
  std::vector<std::string> records;
  auto reader = RecordFileReader::Open(env, "/f", kOptions);
  if (!reader.ok()) return records;
  std::string_view record;
  while (true) {
    const auto more = (*reader)->Next(&record);
    if (!more.ok() || !*more) return records;
    records.emplace_back(record);
  }
}

void WriteFile(Env& env, std::string_view bytes) { OMEN_CHECK(ReplaceFile(env, "/f", bytes).ok()); }

void ReadChanged(std::string_view input) {
  testutil::MemEnv env;
  ByteReader reader(input);
  std::vector<std::string> written;
  auto writer = RecordFileWriter::Create(env, "/f", kOptions);
  OMEN_CHECK(writer.ok());
  const int count = reader.Get<uint8_t>() % 16;
  for (int i = 0; i < count; ++i) {
    written.emplace_back(reader.Get<uint8_t>(), static_cast<char>('a' + i));
    OMEN_CHECK((*writer)->Append(written.back()).ok());
  }
  OMEN_CHECK((*writer)->Finish().ok());
  auto file = ReadFileToString(env, "/f", 1 << 20);
  OMEN_CHECK(file.ok());
  while (reader.remaining() >= 3) {
    const uint16_t where = reader.Get<uint16_t>();
    (*file)[where % file->size()] = reader.Get<char>();
  }
  WriteFile(env, *file);
  const std::vector<std::string> read = Read(env);
  OMEN_CHECK(read.size() <= written.size());
  OMEN_CHECK(std::equal(read.begin(), read.end(), written.begin()));
}

}  // namespace
}  // namespace omendb::env

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (data[0] % 2 == 0) {
    omendb::testutil::MemEnv env;
    omendb::env::WriteFile(env, rest);
    omendb::env::Read(env);
  } else {
    omendb::env::ReadChanged(rest);
  }
  return 0;
}
