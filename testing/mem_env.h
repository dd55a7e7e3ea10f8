// mem_env.h - an Env in memory that remembers what is durable, and can die of a power failure.
//
// CrashClone gives the file system as a machine might find it after losing power now:
//  - bytes synced are there;
//  - of bytes written and not synced, each 512-byte sector holds, at random, its state after any of
//    the writes that touched it since the last sync, or none: later writes may be there and earlier
//    ones lost, and a write may be torn at sector borders;
//  - a file's size is that of the last sync or of any later write or truncation;
//  - creations, renames and removals since the last SyncDir are there or lost, each on its own.
//
// Thread safety  Any thread; a clone is one instant.
// Ownership      A clone shares nothing with its origin. Open files keep their content alive after
//                removal, as on POSIX.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "env/env.h"
#include "testing/sim_clock.h"

namespace omendb::testutil {

inline constexpr uint64_t kSectorBytes = 512;

enum class SyncMode {
  kHonest,
  kLies,  // Sync and SyncDir answer Ok and do nothing: the control that must lose data.
};

// What happens to each thing not synced.
enum class CrashLoss {
  kRandom,   // As above.
  kAll,      // Only what was synced is left.
  kNothing,  // As `kill -9`: the system keeps running, nothing is lost.
};

class MemEnv : public env::Env {
 public:
  // `clock` may be null: then the real clocks are used.
  explicit MemEnv(SimClock* clock = nullptr);
  ~MemEnv() override;

  void SetSyncMode(SyncMode mode);
  // Files together may not grow past this: 53100. UINT64_MAX (the default) = no limit.
  void SetCapacity(uint64_t bytes);
  uint64_t used_bytes() const;

  std::unique_ptr<MemEnv> CrashClone(uint64_t seed, CrashLoss loss = CrashLoss::kRandom) const;

  // Flips bit `bit` (0-7) of one byte, durably: damage by the medium.
  Status FlipBit(const std::string& path, uint64_t offset, int bit);

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
  int64_t NowMicros() override;
  SteadyTime SteadyNow() override;

 private:
  struct State;
  // Shared with open files, which may outlive nothing else but do hold their file.
  std::shared_ptr<State> state_;
  SimClock* const clock_;
};

}  // namespace omendb::testutil
