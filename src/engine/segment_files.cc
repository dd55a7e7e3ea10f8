#include "engine/segment_files.h"

#include <algorithm>
#include <charconv>

namespace omendb::engine {
namespace {

constexpr std::string_view kSuffix = ".seg";
constexpr std::string_view kRunSuffix = ".idx";
constexpr std::string_view kTemporarySuffix = ".tmp";
constexpr size_t kDigits = 20;
constexpr size_t kIdentityDigits = 16;  // hexadecimal

std::string DigitsOf(uint64_t file_id) {
  const std::string digits = std::to_string(file_id);
  return std::string(kDigits - digits.size(), '0') + digits;
}

std::string HexOf(uint64_t identity) {
  std::string digits(kIdentityDigits, '0');
  for (size_t i = kIdentityDigits; i-- > 0; identity >>= 4) {
    digits[i] = "0123456789abcdef"[identity & 15];
  }
  return digits;
}

// False when it is no number of the type.
template <typename T>
bool ParseNumber(std::string_view digits, T* number, int base = 10) {
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), *number, base);
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
    if (is_run ? ParseRun(name) : name.empty()) segment = id;
  }
  // What stands between the number and the suffix.
  bool ParseRun(std::string_view rest) {
    if (!rest.starts_with('.')) return false;
    rest.remove_prefix(1);
    const size_t dot = rest.find('.');
    is_merged = dot != std::string_view::npos;
    uint64_t identity = 0;
    return ParseNumber(rest.substr(0, dot), &index) &&
           (!is_merged || ParseNumber(rest.substr(dot + 1), &identity, 16));
  }
  uint64_t segment = 0;
  uint32_t index = 0;
  bool is_run = false;
  bool is_merged = false;  // of several segments
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

std::string SegmentFiles::PathOfMergedRun(uint64_t newest_file_id, Oid index,
                                          uint64_t identity) const {
  return env::JoinPath(dir_, DigitsOf(newest_file_id) + "." + std::to_string(index.value()) + "." +
                                 HexOf(identity) + std::string(kRunSuffix));
}

std::vector<std::string> SegmentFiles::MergedRunsOf(Oid index) {
  MutexLock lock(mu_);
  if (merged_ == nullptr) {
    merged_ = std::make_unique<std::map<Oid, std::vector<std::string>>>();
    const auto names = env_.List(dir_);
    for (const std::string& file : names.ok() ? *names : std::vector<std::string>()) {
      const Name name(file);
      if (name.segment == 0 || !name.is_merged || name.is_temporary) continue;
      (*merged_)[Oid(name.index)].push_back(env::JoinPath(dir_, file));
    }
  }
  const auto found = merged_->find(index);
  return found != merged_->end() ? found->second : std::vector<std::string>();
}

Result<std::shared_ptr<const FrozenSegment>> SegmentFiles::Open(uint64_t file_id) {
  {
    // Whether it can be opened or not: no other file may take its name.
    MutexLock lock(mu_);
    next_id_ = std::max(next_id_, file_id + 1);
  }
  OMEN_ASSIGN(auto reader,
              colstore::SegmentReader::Open(env_, PathOf(file_id), {system_id_, &cache_}));
  if (reader->file_id() != file_id) {
    return env::DamagedFile(reader->path(), 0, "it is another segment");
  }
  return FrozenSegment::Make(std::move(reader));
}

SegmentFiles::WritingRuns::WritingRuns(SegmentFiles& files, Oid index)
    : files_(files), index_(index) {
  MutexLock lock(files_.mu_);
  files_.writing_.insert(index_);
}

SegmentFiles::WritingRuns::~WritingRuns() {
  MutexLock lock(files_.mu_);
  files_.writing_.erase(files_.writing_.find(index_));
}

Result<ReservedFile> SegmentFiles::Reserve() {
  OMEN_ASSIGN(const bool exists, env_.Exists(dir_));
  if (!exists) {
    OMEN_TRY(env_.CreateDir(dir_));
    OMEN_TRY(env_.SyncDir(env::DirName(dir_)));
  }
  MutexLock lock(mu_);
  reserved_.insert(next_id_);
  return ReservedFile(*this, next_id_++);
}

ReservedFile::~ReservedFile() {
  if (files_ == nullptr) return;
  if (!kept_) (void)files_->env().Remove(files_->PathOf(id_));
  files_->Release(id_);
}

void SegmentFiles::Release(uint64_t file_id) {
  MutexLock lock(mu_);
  reserved_.erase(file_id);
}

void SegmentFiles::RemoveUnused(const std::function<Used()>& used, bool at_start) {
  const auto names = env_.List(dir_);
  if (!names.ok()) return;  // No segment was ever made.
  std::set<uint64_t> reserved;
  std::multiset<Oid> writing;
  {
    MutexLock lock(mu_);
    reserved = reserved_;
    writing = writing_;
    merged_.reset();
    if (at_start) {
      for (const std::string& file : *names) next_id_ = std::max(next_id_, Name(file).segment + 1);
    }
  }
  const Used keep = used();
  for (const std::string& file : *names) {
    const Name name(file);
    if (name.segment == 0) continue;
    const std::string path = env::JoinPath(dir_, file);
    const bool is_used =
        name.is_run ? keep.runs.contains(path) || writing.contains(Oid(name.index))
                    : keep.segments.contains(name.segment) || reserved.contains(name.segment);
    if (!is_used) (void)env_.Remove(path);
  }
}

}  // namespace omendb::engine
