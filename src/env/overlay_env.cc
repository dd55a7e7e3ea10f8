#include "env/overlay_env.h"

#include <algorithm>
#include <cerrno>

namespace omendb::env {

class OverlayEnv::MemoryWriter : public WritableFile {
 public:
  MemoryWriter(std::shared_ptr<Content> content, uint64_t offset)
      : content_(std::move(content)), position_(offset) {}
  Status Append(std::string_view data) override {
    MutexLock lock(content_->mu);
    const uint64_t end = position_ + data.size();
    if (content_->bytes.size() < end) content_->bytes.resize(end, '\0');
    content_->bytes.replace(position_, data.size(), data);
    position_ = end;
    return Status::Ok();
  }
  Status Sync() override { return Status::Ok(); }
  Status Preallocate(uint64_t bytes) override {
    MutexLock lock(content_->mu);
    if (content_->bytes.size() < bytes) content_->bytes.resize(bytes, '\0');
    return Status::Ok();
  }
  Status Close() override { return Status::Ok(); }
  uint64_t position() const override { return position_; }

 private:
  const std::shared_ptr<Content> content_;
  uint64_t position_;
};

class OverlayEnv::MemoryReader : public RandomAccessFile, public SequentialFile {
 public:
  explicit MemoryReader(std::shared_ptr<Content> content) : content_(std::move(content)) {}
  Result<size_t> Read(uint64_t offset, std::span<char> out) const override {
    MutexLock lock(content_->mu);
    if (offset >= content_->bytes.size()) return size_t{0};
    return content_->bytes.copy(out.data(), out.size(), offset);
  }
  Result<size_t> Read(std::span<char> out) override {
    OMEN_ASSIGN(const size_t got, Read(position_, out));
    position_ += got;
    return got;
  }

 private:
  const std::shared_ptr<Content> content_;
  uint64_t position_ = 0;
};

std::shared_ptr<OverlayEnv::Content> OverlayEnv::FindChanged(const std::string& path) {
  MutexLock lock(mu_);
  const auto it = changed_.find(path);
  return it == changed_.end() ? nullptr : it->second;
}

bool OverlayEnv::IsGone(const std::string& path) {
  MutexLock lock(mu_);
  return gone_.contains(path);
}

void OverlayEnv::Put(const std::string& path, std::shared_ptr<Content> content) {
  MutexLock lock(mu_);
  changed_[path] = std::move(content);
  gone_.erase(path);
}

Result<std::shared_ptr<OverlayEnv::Content>> OverlayEnv::CopyUp(const std::string& path) {
  if (auto content = FindChanged(path); content != nullptr) return content;
  if (IsGone(path)) return ErrnoToStatus(ENOENT, "open file", path);
  OMEN_ASSIGN(std::string bytes, ReadFileToString(below_, path, UINT64_MAX));
  auto content = std::make_shared<Content>();
  {
    MutexLock lock(content->mu);
    content->bytes = std::move(bytes);
  }
  Put(path, content);
  return content;
}

Result<std::unique_ptr<WritableFile>> OverlayEnv::NewWritableFile(const std::string& path,
                                                                  const WritableOptions& options) {
  OMEN_ASSIGN(const bool exists, Exists(path));
  if (exists && options.mode == OpenMode::kCreateNew) {
    return ErrnoToStatus(EEXIST, "open file", path);
  }
  std::shared_ptr<Content> content;
  if (options.mode == OpenMode::kExisting) {
    OMEN_ASSIGN(content, CopyUp(path));
  } else {
    OMEN_ASSIGN(const bool has_dir, Exists(DirName(path)));
    if (!has_dir) return ErrnoToStatus(ENOENT, "open file", path);
    content = std::make_shared<Content>();
    Put(path, content);
  }
  return std::unique_ptr<WritableFile>(
      std::make_unique<MemoryWriter>(std::move(content), options.offset));
}

Result<std::unique_ptr<RandomAccessFile>> OverlayEnv::NewRandomAccessFile(const std::string& path) {
  if (auto content = FindChanged(path); content != nullptr) {
    return std::unique_ptr<RandomAccessFile>(std::make_unique<MemoryReader>(std::move(content)));
  }
  if (IsGone(path)) return ErrnoToStatus(ENOENT, "open file", path);
  return below_.NewRandomAccessFile(path);
}

Result<std::unique_ptr<SequentialFile>> OverlayEnv::NewSequentialFile(const std::string& path) {
  if (auto content = FindChanged(path); content != nullptr) {
    return std::unique_ptr<SequentialFile>(std::make_unique<MemoryReader>(std::move(content)));
  }
  if (IsGone(path)) return ErrnoToStatus(ENOENT, "open file", path);
  return below_.NewSequentialFile(path);
}

Status OverlayEnv::Rename(const std::string& from, const std::string& to) {
  OMEN_ASSIGN(auto content, CopyUp(from));
  Put(to, std::move(content));
  return Remove(from);
}

Status OverlayEnv::Remove(const std::string& path) {
  OMEN_ASSIGN(const bool exists, Exists(path));
  if (!exists) return ErrnoToStatus(ENOENT, "remove file", path);
  MutexLock lock(mu_);
  changed_.erase(path);
  gone_.insert(path);
  return Status::Ok();
}

Status OverlayEnv::RemoveDir(const std::string& path) {
  OMEN_ASSIGN(const std::vector<std::string> names, List(path));
  if (!names.empty()) return ErrnoToStatus(ENOTEMPTY, "remove directory", path);
  MutexLock lock(mu_);
  dirs_.erase(path);
  gone_.insert(path);
  return Status::Ok();
}

Result<std::vector<std::string>> OverlayEnv::List(const std::string& dir) {
  OMEN_ASSIGN(const bool exists, Exists(dir));
  if (!exists) return ErrnoToStatus(ENOENT, "open directory", dir);
  OMEN_ASSIGN(const bool is_below, below_.Exists(dir));
  std::vector<std::string> below;
  if (is_below) {
    OMEN_ASSIGN(below, below_.List(dir));
  }
  std::set<std::string> names(below.begin(), below.end());
  MutexLock lock(mu_);
  for (const std::string& path : gone_) {
    if (DirName(path) == dir) names.erase(path.substr(path.rfind('/') + 1));
  }
  for (const auto& entry : changed_) {
    if (DirName(entry.first) == dir) names.insert(entry.first.substr(entry.first.rfind('/') + 1));
  }
  for (const std::string& path : dirs_) {
    if (DirName(path) == dir) names.insert(path.substr(path.rfind('/') + 1));
  }
  return std::vector<std::string>(names.begin(), names.end());
}

Status OverlayEnv::CreateDir(const std::string& dir) {
  OMEN_ASSIGN(const bool exists, Exists(dir));
  if (exists) return Status::Ok();
  OMEN_ASSIGN(const bool has_parent, Exists(DirName(dir)));
  if (!has_parent) return ErrnoToStatus(ENOENT, "create directory", dir);
  MutexLock lock(mu_);
  dirs_.insert(dir);
  gone_.erase(dir);
  return Status::Ok();
}

Status OverlayEnv::SyncDir(const std::string& dir) {
  OMEN_ASSIGN(const bool exists, Exists(dir));
  return exists ? Status::Ok() : ErrnoToStatus(ENOENT, "open directory", dir);
}

Result<bool> OverlayEnv::Exists(const std::string& path) {
  {
    MutexLock lock(mu_);
    if (changed_.contains(path) || dirs_.contains(path)) return true;
    if (gone_.contains(path)) return false;
  }
  return below_.Exists(path);
}

Result<uint64_t> OverlayEnv::FileSize(const std::string& path) {
  if (auto content = FindChanged(path); content != nullptr) {
    MutexLock lock(content->mu);
    return static_cast<uint64_t>(content->bytes.size());
  }
  if (IsGone(path)) return ErrnoToStatus(ENOENT, "stat file", path);
  return below_.FileSize(path);
}

Status OverlayEnv::Truncate(const std::string& path, uint64_t bytes) {
  OMEN_ASSIGN(const auto content, CopyUp(path));
  MutexLock lock(content->mu);
  content->bytes.resize(bytes, '\0');
  return Status::Ok();
}

Result<std::unique_ptr<FileLock>> OverlayEnv::LockFile(const std::string& path) {
  return below_.LockFile(path);
}

}  // namespace omendb::env
