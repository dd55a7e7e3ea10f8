#include "engine/manifest.h"

#include "base/bytes.h"
#include "base/newer_format.h"
#include "base/sqlstate.h"
#include "env/record_file.h"

namespace omendb::engine {
namespace {

constexpr uint32_t kFormatVersion = 1;
constexpr char kFileName[] = "manifest";

env::RecordFileOptions Options() {
  env::RecordFileOptions options;
  options.kind = env::RecordFileKind::kManifest;
  return options;
}

}  // namespace

Result<std::optional<Manifest>> ReadManifest(env::Env& env, const std::string& dir) {
  const std::string path = env::JoinPath(dir, kFileName);
  OMEN_ASSIGN(const bool exists, env.Exists(path));
  if (!exists) return std::optional<Manifest>();
  OMEN_ASSIGN(auto reader, env::RecordFileReader::Open(env, path, Options()));
  std::string_view record;
  OMEN_ASSIGN(const bool found, reader->Next(&record));
  ByteReader in(record);
  const auto version = in.Get<uint32_t>();
  if (found && version > kFormatVersion) {
    return WrittenByNewer("\"" + path + "\"", "format version", version);
  }
  Manifest manifest;
  manifest.system_id = in.Get<uint64_t>();
  manifest.checkpoint_file = std::string(in.GetString());
  manifest.checkpoint_ts = Timestamp(in.Get<uint64_t>());
  manifest.redo_start = Lsn(in.Get<uint64_t>());
  manifest.must_reach = Lsn(in.Get<uint64_t>());
  if (!found || in.failed() || version == 0) {
    return Status(sqlstate::kDataCorrupted, "\"" + path + "\" is damaged: no manifest in it");
  }
  return std::optional<Manifest>(std::move(manifest));
}

Status WriteManifest(env::Env& env, const std::string& dir, const Manifest& manifest) {
  std::string record;
  ByteWriter out(record);
  out.Put<uint32_t>(kFormatVersion);
  out.Put<uint64_t>(manifest.system_id);
  out.PutString(manifest.checkpoint_file);
  out.Put<uint64_t>(manifest.checkpoint_ts.value());
  out.Put<uint64_t>(manifest.redo_start.value());
  out.Put<uint64_t>(manifest.must_reach.value());
  const std::string path = env::JoinPath(dir, kFileName);
  const std::string fresh = path + ".new";
  OMEN_ASSIGN(auto writer, env::RecordFileWriter::Create(env, fresh, Options()));
  OMEN_TRY(writer->Append(record));
  OMEN_TRY(writer->Finish());
  OMEN_TRY(env.Rename(fresh, path));
  return env.SyncDir(dir);
}

}  // namespace omendb::engine
