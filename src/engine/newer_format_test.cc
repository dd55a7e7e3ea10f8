// Files of a newer program are told as such, not as damage, and are left as they are.
#include <gtest/gtest.h>

#include "base/bytes.h"
#include "base/crc32c.h"
#include "base/sqlstate.h"
#include "engine/manifest.h"
#include "engine/segments_fixture.h"
#include "env/record_file.h"

namespace omendb::engine {
namespace {

constexpr uint64_t kFileMax = 1 << 26;
// Of the header of every kind of file.
constexpr size_t kVersionAt = 8;
constexpr size_t kHeaderCrcAt = 60;
constexpr size_t kSegmentTailBytes = 48;
constexpr size_t kSegmentTailCrcAt = 44;

class NewerFormatTest : public SegmentsTest {
 protected:
  NewerFormatTest() {
    Fill(e_, 300, rows_);
    EXPECT_TRUE(e_.Freeze().ok());
    EXPECT_TRUE(e_.db->Checkpoint().ok());
    e_.db.reset();
  }
  std::string Read(const std::string& path) const {
    return *env::ReadFileToString(*e_.env, path, kFileMax);
  }
  std::string PathOf(const std::string& dir, std::string_view part) const {
    const std::vector<std::string> names = *e_.env->List(dir);
    for (const std::string& name : names) {
      if (name.find(part) != std::string::npos) return env::JoinPath(dir, name);
    }
    ADD_FAILURE() << "no " << part << " in " << dir;
    return "";
  }
  // The version of 64 bytes at `at` that begin with a magic and end, or go on, with their CRC.
  static void RaiseVersion(std::string& bytes, size_t at, size_t crc_at) {
    const auto version = LoadLe<uint32_t>(bytes.data() + at + kVersionAt);
    StoreLe<uint32_t>(bytes.data() + at + kVersionAt, version + 1);
    StoreLe<uint32_t>(bytes.data() + at + crc_at,
                      Crc32c(std::string_view(bytes).substr(at, crc_at)));
  }
  void RaiseVersionOf(const std::string& path) {
    std::string bytes = Read(path);
    RaiseVersion(bytes, 0, kHeaderCrcAt);
    ASSERT_TRUE(env::ReplaceFile(*e_.env, path, bytes).ok());
  }
  // Writes a record file anew with its first record changed.
  void ChangeFirstRecord(const std::string& path, env::RecordFileKind kind, size_t at, char value) {
    const auto manifest = ReadManifest(*e_.env, "data");
    env::RecordFileOptions options;
    options.kind = kind;
    if (kind == env::RecordFileKind::kCheckpoint) options.system_id = (*manifest)->system_id;
    std::vector<std::string> records;
    {
      auto reader = env::RecordFileReader::Open(*e_.env, path, options);
      ASSERT_TRUE(reader.ok());
      for (std::string_view record; *(*reader)->Next(&record);) records.emplace_back(record);
    }
    records.front()[at] = value;
    auto writer = env::RecordFileWriter::Create(*e_.env, path, options);
    ASSERT_TRUE(writer.ok());
    for (const std::string& record : records) ASSERT_TRUE((*writer)->Append(record).ok());
    ASSERT_TRUE((*writer)->Finish().ok());
  }
  std::map<std::string, std::string> Contents(const std::string& dir) const {
    std::map<std::string, std::string> contents;
    const std::vector<std::string> names = *e_.env->List(dir);
    for (const std::string& name : names) {
      const std::string path = env::JoinPath(dir, name);
      if (e_.env->List(path).ok()) {
        contents.merge(Contents(path));
      } else if (name != "lock") {
        contents[path] = Read(path);
      }
    }
    return contents;
  }
  void ExpectNewer(const std::string& path) {
    const auto before = Contents("data");
    const auto opened = Database::Open(*e_.env, SmallOptions());
    ASSERT_FALSE(opened.ok());
    const std::string told = opened.status().ToString();
    EXPECT_TRUE(opened.status().Is(sqlstate::kFeatureNotSupported)) << told;
    EXPECT_NE(told.find("newer version of OmenDB"), std::string::npos) << told;
    EXPECT_NE(told.find(path), std::string::npos) << told;
    EXPECT_EQ(Contents("data"), before);
  }

  Engine e_{SmallOptions()};
  Pairs rows_;
};

TEST_F(NewerFormatTest, ManifestFile) {
  RaiseVersionOf("data/manifest");
  ExpectNewer("data/manifest");
}

TEST_F(NewerFormatTest, Manifest) {
  ChangeFirstRecord("data/manifest", env::RecordFileKind::kManifest, 0, 2);
  ExpectNewer("data/manifest");
}

TEST_F(NewerFormatTest, CheckpointFile) {
  const std::string path = PathOf("data", "checkpoint-");
  RaiseVersionOf(path);
  ExpectNewer(path);
}

TEST_F(NewerFormatTest, RecordOfACheckpoint) {
  const std::string path = PathOf("data", "checkpoint-");
  ChangeFirstRecord(path, env::RecordFileKind::kCheckpoint, 0, 77);
  ExpectNewer(path);
}

TEST_F(NewerFormatTest, CatalogOfACheckpoint) {
  const std::string path = PathOf("data", "checkpoint-");
  ChangeFirstRecord(path, env::RecordFileKind::kCheckpoint, 1, 77);
  ExpectNewer(path);
}

TEST_F(NewerFormatTest, Log) {
  const std::string path = PathOf("data/wal", ".wal");
  RaiseVersionOf(path);
  ExpectNewer(path);
}

TEST_F(NewerFormatTest, Segment) {
  const std::string path = PathOf("data/segments", ".seg");
  std::string bytes = Read(path);
  RaiseVersion(bytes, bytes.size() - kSegmentTailBytes, kSegmentTailCrcAt);
  ASSERT_TRUE(env::ReplaceFile(*e_.env, path, bytes).ok());
  ExpectNewer(path);
  RaiseVersionOf(path);
  ExpectNewer(path);
}

}  // namespace
}  // namespace omendb::engine
