#include "engine/segment_files.h"

#include <charconv>

namespace omendb::engine {
namespace {

constexpr std::string_view kSuffix = ".seg";
constexpr size_t kDigits = 20;

std::string NameOf(uint64_t file_id) {
  const std::string digits = std::to_string(file_id);
  return std::string(kDigits - digits.size(), '0') + digits + std::string(kSuffix);
}

// 0 when it is not the name of a segment.
uint64_t IdOf(std::string_view name) {
  if (name.size() != kDigits + kSuffix.size() || !name.ends_with(kSuffix)) return 0;
  uint64_t id = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + kDigits, id);
  return error == std::errc() && end == name.data() + kDigits ? id : 0;
}

}  // namespace

std::string SegmentFiles::PathOf(uint64_t file_id) const {
  return env::JoinPath(dir_, NameOf(file_id));
}

Result<std::shared_ptr<const FrozenSegment>> SegmentFiles::Open(uint64_t file_id) {
  OMEN_ASSIGN(auto reader,
              colstore::SegmentReader::Open(env_, PathOf(file_id), {system_id_, &cache_}));
  if (reader->file_id() != file_id) {
    return env::DamagedFile(reader->path(), 0, "it is another segment");
  }
  {
    MutexLock lock(mu_);
    next_id_ = std::max(next_id_, file_id + 1);
  }
  return FrozenSegment::Make(std::move(reader));
}

Result<uint64_t> SegmentFiles::Reserve() {
  OMEN_ASSIGN(const bool exists, env_.Exists(dir_));
  if (!exists) {
    OMEN_TRY(env_.CreateDir(dir_));
    OMEN_TRY(env_.SyncDir(env::DirName(dir_)));
  }
  MutexLock lock(mu_);
  reserved_.insert(next_id_);
  return next_id_++;
}

void SegmentFiles::Release(uint64_t file_id) {
  MutexLock lock(mu_);
  reserved_.erase(file_id);
}

void SegmentFiles::RemoveUnused(const std::function<std::set<uint64_t>()>& used) {
  const auto names = env_.List(dir_);
  if (!names.ok()) return;  // No segment was ever made.
  std::set<uint64_t> keep;
  {
    MutexLock lock(mu_);
    keep = reserved_;
  }
  keep.merge(used());
  for (const std::string& name : *names) {
    std::string_view base = name;
    if (base.ends_with(".tmp")) base.remove_suffix(4);
    const uint64_t id = IdOf(base);
    if (id != 0 && !keep.contains(id)) (void)env_.Remove(env::JoinPath(dir_, name));
  }
}

}  // namespace omendb::engine
