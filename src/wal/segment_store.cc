#include "wal/segment_store.h"

#include <algorithm>

#include "base/sqlstate.h"

namespace omendb::wal {
namespace {

// Zeros are written and synced piece by piece, so that commits get their turn on the disk.
constexpr uint64_t kZeroBytes = 1 << 20;

Status WriteZeros(env::WritableFile& file, uint64_t bytes) {
  const std::string zeros(std::min(bytes, kZeroBytes), '\0');
  while (bytes > 0) {
    const uint64_t size = std::min<uint64_t>(bytes, zeros.size());
    OMEN_TRY(file.Append(std::string_view(zeros).substr(0, size)));
    OMEN_TRY(file.Sync());
    bytes -= size;
  }
  return Status::Ok();
}

}  // namespace

Result<std::vector<uint64_t>> ListSegments(env::Env& env, const std::string& dir) {
  OMEN_ASSIGN(const bool exists, env.Exists(dir));
  std::vector<uint64_t> starts;
  if (!exists) return starts;
  OMEN_ASSIGN(const std::vector<std::string> names, env.List(dir));
  for (const std::string& name : names) {
    if (const auto start = ParseSegmentName(name); start.has_value()) starts.push_back(*start);
  }
  std::sort(starts.begin(), starts.end());
  return starts;
}

Status SegmentStore::Open() {
  OMEN_ASSIGN(const bool exists, env_.Exists(dir_));
  if (!exists) {
    OMEN_TRY(env_.CreateDir(dir_));
    OMEN_TRY(env_.SyncDir(env::DirName(dir_)));
  }
  OMEN_ASSIGN(const std::vector<uint64_t> starts, ListSegments(env_, dir_));
  MutexLock lock(mu_);
  for (const uint64_t start : starts) segments_[start] = PathOf(start);
  return Status::Ok();
}

std::vector<uint64_t> SegmentStore::Starts() const {
  MutexLock lock(mu_);
  std::vector<uint64_t> starts;
  for (const auto& segment : segments_) starts.push_back(segment.first);
  return starts;
}

Status SegmentStore::Prepare(uint64_t start, Fill fill) {
  const std::string path = PathOf(start);
  const std::string old = TakeRecycled();
  if (old.empty()) {
    OMEN_TRY(Create(path, fill));
  } else {
    OMEN_TRY(env_.Rename(old, path));
  }
  OMEN_TRY(env_.SyncDir(dir_));
  MutexLock lock(mu_);
  segments_[start] = path;
  ++(old.empty() ? created_count_ : recycled_count_);
  return Status::Ok();
}

Status SegmentStore::Create(const std::string& path, Fill fill) {
  Status status;
  {
    OMEN_ASSIGN(auto file, env_.NewWritableFile(path, {.mode = env::OpenMode::kTruncate}));
    status = file->Preallocate(segment_bytes_);
    if (status.ok() && fill == Fill::kZero) status = WriteZeros(*file, segment_bytes_);
    if (status.ok()) status = file->Sync();
    if (status.ok()) status = file->Close();
  }
  // On a full disk the half-made file would only take space away; that it is in the way of nothing
  // is all that matters, so a second failure is not told.
  if (!status.ok()) (void)env_.Remove(path);
  return status;
}

std::string SegmentStore::TakeRecycled() {
  MutexLock lock(mu_);
  if (recycled_.empty()) return {};
  std::string path = std::move(recycled_.back());
  recycled_.pop_back();
  return path;
}

Status SegmentStore::RemoveAfter(uint64_t start) {
  std::vector<std::string> paths;
  {
    MutexLock lock(mu_);
    for (auto it = segments_.upper_bound(start); it != segments_.end();) {
      paths.push_back(it->second);
      it = segments_.erase(it);
    }
  }
  for (const std::string& path : paths) {
    OMEN_TRY(env_.Remove(path));
  }
  return paths.empty() ? Status::Ok() : env_.SyncDir(dir_);
}

Status SegmentStore::RemoveBefore(uint64_t lsn) {
  std::vector<std::string> paths;
  {
    MutexLock lock(mu_);
    while (segments_.size() >= 2 && std::next(segments_.begin())->first <= lsn) {
      paths.push_back(segments_.begin()->second);
      segments_.erase(segments_.begin());
    }
  }
  for (const std::string& path : paths) {
    OMEN_ASSIGN(const uint64_t bytes, env_.FileSize(path));
    {
      MutexLock lock(mu_);
      if (bytes == segment_bytes_ && recycled_.size() < static_cast<size_t>(recycled_max_)) {
        recycled_.push_back(path);
        continue;
      }
    }
    OMEN_TRY(env_.Remove(path));
  }
  return Status::Ok();
}

uint64_t SegmentStore::created() const {
  MutexLock lock(mu_);
  return created_count_;
}
uint64_t SegmentStore::recycled() const {
  MutexLock lock(mu_);
  return recycled_count_;
}

}  // namespace omendb::wal
