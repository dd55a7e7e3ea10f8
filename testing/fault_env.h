// fault_env.h - wraps an Env and makes chosen calls fail.
//
// Thread safety  Any thread. Rules are tried in the order they were added; the first that fires
//                decides.
// Ownership      Borrows the wrapped Env, which must outlive it. Files it opened borrow the
// FaultEnv.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "env/env.h"
#include "testing/prng.h"

namespace omendb::testutil {

// Kinds of calls; rules take them or'ed together.
enum FaultOp : uint32_t {
  kOpOpenWrite = 1 << 0,
  kOpOpenRead = 1 << 1,
  kOpRead = 1 << 2,
  kOpAppend = 1 << 3,
  kOpSync = 1 << 4,
  kOpPreallocate = 1 << 5,
  kOpClose = 1 << 6,
  kOpRename = 1 << 7,
  kOpRemove = 1 << 8,
  kOpList = 1 << 9,
  kOpCreateDir = 1 << 10,
  kOpSyncDir = 1 << 11,
  kOpStat = 1 << 12,
  kOpTruncate = 1 << 13,
  kOpLock = 1 << 14,
  kOpAll = (1 << 15) - 1,
  // The calls that change what is on disk.
  kOpWrites = kOpOpenWrite | kOpAppend | kOpSync | kOpPreallocate | kOpRename | kOpRemove |
              kOpCreateDir | kOpSyncDir | kOpTruncate,
};

struct FaultRule {
  uint32_t ops = kOpAll;
  std::string path_contains;    // Empty = any path. For Rename, the source.
  uint64_t skip = 0;            // Lets so many matching calls pass first.
  uint64_t times = UINT64_MAX;  // Then fails so many.
  double probability = 1.0;     // Of each call that would fail.
  int error = 5;                // errno; EIO.
  // An Append that fails first writes this share of its bytes (0 = none).
  double short_write = 0.0;
};

class FaultEnv : public env::Env {
 public:
  explicit FaultEnv(env::Env& base, uint64_t seed = 1);
  ~FaultEnv() override;

  void AddRule(FaultRule rule);
  void ClearRules();
  // Bytes by which files may still grow before ENOSPC; removing or shrinking gives bytes back.
  // UINT64_MAX (the default) = no limit.
  void SetSpaceBudget(uint64_t bytes);

  // Calls so far, and how many of them were made to fail.
  uint64_t op_count() const { return op_count_.load(); }
  uint64_t fault_count() const { return fault_count_.load(); }

  // Called before each call, outside locks: the place to take a crash clone. Set before use.
  using Hook = std::function<void(FaultOp op, const std::string& path)>;
  void SetHook(Hook hook) { hook_ = std::move(hook); }

  Result<std::unique_ptr<env::WritableFile>> NewWritableFile(
      const std::string& path, const env::WritableOptions& options) override;
  Result<std::unique_ptr<env::RandomAccessFile>> NewRandomAccessFile(
      const std::string& path) override;
  Result<std::unique_ptr<env::SequentialFile>> NewSequentialFile(const std::string& path) override;
  Status Rename(const std::string& from, const std::string& to) override;
  Status Remove(const std::string& path) override;
  Status RemoveDir(const std::string& path) override;
  Result<std::vector<std::string>> List(const std::string& dir) override;
  Status CreateDir(const std::string& dir) override;
  Status SyncDir(const std::string& dir) override;
  Result<bool> Exists(const std::string& path) override;
  Result<uint64_t> FileSize(const std::string& path) override;
  Status Truncate(const std::string& path, uint64_t bytes) override;
  Result<std::unique_ptr<env::FileLock>> LockFile(const std::string& path) override;
  int64_t NowMicros() override { return base_.NowMicros(); }
  SteadyTime SteadyNow() override { return base_.SteadyNow(); }

 private:
  friend class FaultWritableFile;
  friend class FaultRandomAccessFile;
  friend class FaultSequentialFile;

  struct ActiveRule {
    FaultRule rule;
    uint64_t seen = 0;
    uint64_t fired = 0;
  };

  // The injected error of this call, or Ok. `short_write` gets the rule's share.
  Status Check(FaultOp op, const std::string& path, std::string_view action,
               double* short_write = nullptr);
  // Takes `bytes` of the budget: the number granted.
  uint64_t TakeSpace(uint64_t bytes);
  void GiveSpace(uint64_t bytes);

  env::Env& base_;
  Hook hook_;
  std::atomic<uint64_t> op_count_{0};
  std::atomic<uint64_t> fault_count_{0};
  Mutex mu_;
  std::vector<ActiveRule> rules_ OMEN_GUARDED_BY(mu_);
  Prng prng_ OMEN_GUARDED_BY(mu_);
  uint64_t space_ OMEN_GUARDED_BY(mu_) = UINT64_MAX;
};

}  // namespace omendb::testutil
