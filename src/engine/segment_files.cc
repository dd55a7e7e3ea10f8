#include "engine/segment_files.h"

#include <algorithm>
#include <charconv>

namespace omendb::engine {
namespace {

constexpr std::string_view kSuffix = ".seg";
constexpr std::string_view kRunSuffix = ".idx";
constexpr std::string_view kTemporarySuffix = ".tmp";
constexpr size_t kDigits = 20;

std::string DigitsOf(uint64_t file_id) {
  const std::string digits = std::to_string(file_id);
  return std::string(kDigits - digits.size(), '0') + digits;
}

// False when it is no number of the type.
template <typename T>
bool ParseNumber(std::string_view digits, T* number) {
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), *number);
  return error == std::errc() && end == digits.data() + digits.size();
}

// What a name says; no segment: it is none of ours.
struct Name {
  explicit Name(std::string_view name) {
    is_temporary = name.ends_with(kTemporarySuffix);
    if (is_temporary) name.remove_suffix(kTemporarySuffix.size());
    is_run = name.ends_with(kRunSuffix);
    if (!is_run && !name.ends_with(kSuffix)) return;
    name.remove_suffix(kSuffix.size());
    uint64_t id = 0;
    if (!ParseNumber(name.substr(0, kDigits), &id)) return;
    name.remove_prefix(std::min(kDigits, name.size()));
    const bool whole =
        is_run ? name.starts_with('.') && ParseNumber(name.substr(1), &index) : name.empty();
    if (whole) segment = id;
  }
  uint64_t segment = 0;
  uint32_t index = 0;
  bool is_run = false;
  bool is_temporary = false;
};

}  // namespace

std::string SegmentFiles::PathOf(uint64_t file_id) const {
  return env::JoinPath(dir_, DigitsOf(file_id) + std::string(kSuffix));
}

std::string SegmentFiles::PathOfRun(uint64_t file_id, Oid index) const {
  return env::JoinPath(
      dir_, DigitsOf(file_id) + "." + std::to_string(index.value()) + std::string(kRunSuffix));
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

SegmentFiles::MakingIndex::MakingIndex(SegmentFiles& files, Oid index)
    : files_(files), index_(index) {
  MutexLock lock(files_.mu_);
  files_.made_.insert(index_);
}

SegmentFiles::MakingIndex::~MakingIndex() {
  MutexLock lock(files_.mu_);
  files_.made_.erase(index_);
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

void SegmentFiles::RemoveUnused(const std::function<Used()>& used, bool at_start) {
  const auto names = env_.List(dir_);
  if (!names.ok()) return;  // No segment was ever made.
  Used reserved;
  {
    MutexLock lock(mu_);
    reserved = {reserved_, made_};
    if (at_start) {
      for (const std::string& file : *names) next_id_ = std::max(next_id_, Name(file).segment + 1);
    }
  }
  Used keep = used();
  keep.segments.merge(reserved.segments);
  keep.indexes.merge(reserved.indexes);
  for (const std::string& file : *names) {
    const Name name(file);
    if (name.segment == 0) continue;
    bool is_used = keep.segments.contains(name.segment);
    if (name.is_run) {
      is_used =
          is_used && keep.indexes.contains(Oid(name.index)) && !(at_start && name.is_temporary);
    }
    if (!is_used) (void)env_.Remove(env::JoinPath(dir_, file));
  }
}

}  // namespace omendb::engine
