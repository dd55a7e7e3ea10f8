// overlay_env.h - reads through to another Env and keeps every change in memory: what runs on it
// sees its own changes, and the files below stay as they are. For checking a database, not for
// serving.
//
// Thread safety  As Env.
// Ownership      Borrows the Env below, which must outlive it.
// Cost           A file that is changed is copied into memory whole.
// Durability     None: Sync and SyncDir do nothing.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "env/env.h"

namespace omendb::env {

class OverlayEnv : public Env {
 public:
  explicit OverlayEnv(Env& below) : below_(below) {}

  Result<std::unique_ptr<WritableFile>> NewWritableFile(const std::string& path,
                                                        const WritableOptions& options) override;
  Result<std::unique_ptr<RandomAccessFile>> NewRandomAccessFile(const std::string& path) override;
  Result<std::unique_ptr<SequentialFile>> NewSequentialFile(const std::string& path) override;
  Status Rename(const std::string& from, const std::string& to) override;
  Status Remove(const std::string& path) override;
  Status RemoveDir(const std::string& path) override;
  Result<std::vector<std::string>> List(const std::string& dir) override;
  Status CreateDir(const std::string& dir) override;
  Status SyncDir(const std::string& dir) override;
  Result<bool> Exists(const std::string& path) override;
  Result<uint64_t> FileSize(const std::string& path) override;
  Status Truncate(const std::string& path, uint64_t bytes) override;
  // Of the Env below: whoever serves the folder must be kept out.
  Result<std::unique_ptr<FileLock>> LockFile(const std::string& path) override;
  int64_t NowMicros() override { return below_.NowMicros(); }
  SteadyTime SteadyNow() override { return below_.SteadyNow(); }

 private:
  // The bytes of a file that was changed. Open files keep it.
  struct Content {
    Mutex mu;
    std::string bytes OMEN_GUARDED_BY(mu);
  };
  class MemoryWriter;
  class MemoryReader;

  // The file in memory, or null when it is not there.
  std::shared_ptr<Content> FindChanged(const std::string& path);
  bool IsGone(const std::string& path);
  // The file in memory, copied from below if need be. 58P01 if there is none.
  Result<std::shared_ptr<Content>> CopyUp(const std::string& path);
  void Put(const std::string& path, std::shared_ptr<Content> content);

  Env& below_;
  Mutex mu_;
  std::map<std::string, std::shared_ptr<Content>> changed_ OMEN_GUARDED_BY(mu_);
  std::set<std::string> gone_ OMEN_GUARDED_BY(mu_);  // Files of below that were removed here.
  std::set<std::string> dirs_ OMEN_GUARDED_BY(mu_);  // Made here.
};

}  // namespace omendb::env
