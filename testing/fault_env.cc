#include "testing/fault_env.h"

#include <algorithm>
#include <cerrno>

namespace omendb::testutil {

using env::ErrnoToStatus;

class FaultWritableFile : public env::WritableFile {
 public:
  FaultWritableFile(FaultEnv& owner, std::unique_ptr<env::WritableFile> base, std::string path,
                    uint64_t file_bytes)
      : owner_(owner), base_(std::move(base)), path_(std::move(path)), file_bytes_(file_bytes) {}

  Status Append(std::string_view data) override {
    double share = 0;
    Status fault = owner_.Check(kOpAppend, path_, "write to file", &share);
    if (!fault.ok()) {
      const auto part = static_cast<size_t>(static_cast<double>(data.size()) * share);
      // The injected error is the one to tell, whatever becomes of the part.
      if (part > 0) (void)AppendWithin(data.substr(0, part));
      return fault;
    }
    return AppendWithin(data);
  }
  Status Sync() override {
    OMEN_TRY(owner_.Check(kOpSync, path_, "fsync file"));
    return base_->Sync();
  }
  Status Preallocate(uint64_t bytes) override {
    OMEN_TRY(owner_.Check(kOpPreallocate, path_, "extend file"));
    if (bytes > file_bytes_) {
      const uint64_t growth = bytes - file_bytes_;
      const uint64_t granted = owner_.TakeSpace(growth);
      if (granted < growth) {
        owner_.GiveSpace(granted);
        return ErrnoToStatus(ENOSPC, "extend file", path_);
      }
      file_bytes_ = bytes;
    }
    return base_->Preallocate(bytes);
  }
  Status Close() override {
    OMEN_TRY(owner_.Check(kOpClose, path_, "close file"));
    return base_->Close();
  }
  uint64_t position() const override { return base_->position(); }

 private:
  // Writes what the space budget lets through.
  Status AppendWithin(std::string_view data) {
    const uint64_t end = base_->position() + data.size();
    if (end <= file_bytes_) return base_->Append(data);
    const uint64_t growth = end - file_bytes_;
    const uint64_t granted = owner_.TakeSpace(growth);
    const size_t size = data.size() - (growth - granted);
    OMEN_TRY(base_->Append(data.substr(0, size)));
    file_bytes_ = std::max(file_bytes_, base_->position());
    return granted == growth ? Status::Ok() : ErrnoToStatus(ENOSPC, "write to file", path_);
  }

  FaultEnv& owner_;
  const std::unique_ptr<env::WritableFile> base_;
  const std::string path_;
  uint64_t file_bytes_;
};

class FaultRandomAccessFile : public env::RandomAccessFile {
 public:
  FaultRandomAccessFile(FaultEnv& owner, std::unique_ptr<env::RandomAccessFile> base,
                        std::string path)
      : owner_(owner), base_(std::move(base)), path_(std::move(path)) {}
  Result<size_t> Read(uint64_t offset, std::span<char> out) const override {
    OMEN_TRY(owner_.Check(kOpRead, path_, "read file"));
    return base_->Read(offset, out);
  }

 private:
  FaultEnv& owner_;
  const std::unique_ptr<env::RandomAccessFile> base_;
  const std::string path_;
};

class FaultSequentialFile : public env::SequentialFile {
 public:
  FaultSequentialFile(FaultEnv& owner, std::unique_ptr<env::SequentialFile> base, std::string path)
      : owner_(owner), base_(std::move(base)), path_(std::move(path)) {}
  Result<size_t> Read(std::span<char> out) override {
    OMEN_TRY(owner_.Check(kOpRead, path_, "read file"));
    return base_->Read(out);
  }

 private:
  FaultEnv& owner_;
  const std::unique_ptr<env::SequentialFile> base_;
  const std::string path_;
};

FaultEnv::FaultEnv(env::Env& base, uint64_t seed) : base_(base), prng_(seed) {}
FaultEnv::~FaultEnv() = default;

void FaultEnv::AddRule(FaultRule rule) {
  MutexLock lock(mu_);
  rules_.push_back({std::move(rule)});
}
void FaultEnv::ClearRules() {
  MutexLock lock(mu_);
  rules_.clear();
}
void FaultEnv::SetSpaceBudget(uint64_t bytes) {
  MutexLock lock(mu_);
  space_ = bytes;
}

Status FaultEnv::Check(FaultOp op, const std::string& path, std::string_view action,
                       double* short_write) {
  if (hook_) hook_(op, path);
  op_count_.fetch_add(1);
  MutexLock lock(mu_);
  for (ActiveRule& active : rules_) {
    const FaultRule& rule = active.rule;
    if ((rule.ops & op) == 0 || path.find(rule.path_contains) == std::string::npos) continue;
    if (active.seen++ < rule.skip || active.fired >= rule.times) continue;
    if (!prng_.Chance(rule.probability)) continue;
    ++active.fired;
    fault_count_.fetch_add(1);
    if (short_write != nullptr) *short_write = rule.short_write;
    return ErrnoToStatus(rule.error, action, path);
  }
  return Status::Ok();
}

uint64_t FaultEnv::TakeSpace(uint64_t bytes) {
  MutexLock lock(mu_);
  if (space_ == UINT64_MAX) return bytes;
  const uint64_t granted = std::min(bytes, space_);
  space_ -= granted;
  if (granted < bytes) fault_count_.fetch_add(1);
  return granted;
}

void FaultEnv::GiveSpace(uint64_t bytes) {
  MutexLock lock(mu_);
  if (space_ != UINT64_MAX) space_ += bytes;
}

Result<std::unique_ptr<env::WritableFile>> FaultEnv::NewWritableFile(
    const std::string& path, const env::WritableOptions& options) {
  OMEN_TRY(Check(kOpOpenWrite, path, "open file"));
  OMEN_ASSIGN(const bool exists, base_.Exists(path));
  uint64_t bytes = 0;
  if (exists) {
    OMEN_ASSIGN(bytes, base_.FileSize(path));
  }
  OMEN_ASSIGN(auto file, base_.NewWritableFile(path, options));
  if (options.mode == env::OpenMode::kTruncate) {
    GiveSpace(bytes);
    bytes = 0;
  }
  return std::unique_ptr<env::WritableFile>(
      std::make_unique<FaultWritableFile>(*this, std::move(file), path, bytes));
}

Result<std::unique_ptr<env::RandomAccessFile>> FaultEnv::NewRandomAccessFile(
    const std::string& path) {
  OMEN_TRY(Check(kOpOpenRead, path, "open file"));
  OMEN_ASSIGN(auto file, base_.NewRandomAccessFile(path));
  return std::unique_ptr<env::RandomAccessFile>(
      std::make_unique<FaultRandomAccessFile>(*this, std::move(file), path));
}

Result<std::unique_ptr<env::SequentialFile>> FaultEnv::NewSequentialFile(const std::string& path) {
  OMEN_TRY(Check(kOpOpenRead, path, "open file"));
  OMEN_ASSIGN(auto file, base_.NewSequentialFile(path));
  return std::unique_ptr<env::SequentialFile>(
      std::make_unique<FaultSequentialFile>(*this, std::move(file), path));
}

Status FaultEnv::Rename(const std::string& from, const std::string& to) {
  OMEN_TRY(Check(kOpRename, from, "rename file"));
  return base_.Rename(from, to);
}

Status FaultEnv::Remove(const std::string& path) {
  OMEN_TRY(Check(kOpRemove, path, "remove file"));
  OMEN_ASSIGN(const uint64_t bytes, base_.FileSize(path));
  OMEN_TRY(base_.Remove(path));
  GiveSpace(bytes);
  return Status::Ok();
}

Status FaultEnv::RemoveDir(const std::string& path) {
  OMEN_TRY(Check(kOpRemove, path, "remove directory"));
  return base_.RemoveDir(path);
}

Result<std::vector<std::string>> FaultEnv::List(const std::string& dir) {
  OMEN_TRY(Check(kOpList, dir, "open directory"));
  return base_.List(dir);
}

Status FaultEnv::CreateDir(const std::string& dir) {
  OMEN_TRY(Check(kOpCreateDir, dir, "create directory"));
  return base_.CreateDir(dir);
}

Status FaultEnv::SyncDir(const std::string& dir) {
  OMEN_TRY(Check(kOpSyncDir, dir, "fsync directory"));
  return base_.SyncDir(dir);
}

Result<bool> FaultEnv::Exists(const std::string& path) {
  OMEN_TRY(Check(kOpStat, path, "stat file"));
  return base_.Exists(path);
}

Result<uint64_t> FaultEnv::FileSize(const std::string& path) {
  OMEN_TRY(Check(kOpStat, path, "stat file"));
  return base_.FileSize(path);
}

Status FaultEnv::Truncate(const std::string& path, uint64_t bytes) {
  OMEN_TRY(Check(kOpTruncate, path, "truncate file"));
  OMEN_ASSIGN(const uint64_t before, base_.FileSize(path));
  if (bytes > before) {
    const uint64_t granted = TakeSpace(bytes - before);
    if (granted < bytes - before) {
      GiveSpace(granted);
      return ErrnoToStatus(ENOSPC, "truncate file", path);
    }
  }
  OMEN_TRY(base_.Truncate(path, bytes));
  if (bytes < before) GiveSpace(before - bytes);
  return Status::Ok();
}

Result<std::unique_ptr<env::FileLock>> FaultEnv::LockFile(const std::string& path) {
  OMEN_TRY(Check(kOpLock, path, "lock file"));
  return base_.LockFile(path);
}

}  // namespace omendb::testutil
