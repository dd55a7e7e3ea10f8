// env.h - files, directories and clocks behind an interface that tests replace.
//
// Everything OmenDB keeps on disk goes through Env: PosixEnv in production, MemEnv (crash clone)
// and FaultEnv (injected errors) in tests. See testing/.
//
// Thread safety  Env: any thread. RandomAccessFile: any thread. WritableFile, SequentialFile: one
//                caller at a time.
// Ownership      The caller owns what New... returns; Env must outlive it.
// Durability     A file's bytes survive a power failure once Sync returned Ok; its name (creation,
//                rename, removal) once SyncDir of its directory did. Sync does not imply SyncDir.
// Units          Offsets and sizes are bytes.
// Errors         53100 no space or quota; 58P01 no such file; 58P02 already exists; 42501
//                permission; 58030 every other failure. Messages read as PostgreSQL's:
//                could not write to file "path": No space left on device
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "base/waiter.h"

namespace omendb::env {

enum class OpenMode {
  kCreateNew,  // 58P02 if the file exists.
  kTruncate,   // Creates, or empties what is there.
  kExisting,   // 58P01 if there is none. Writing starts at WritableOptions::offset.
};

struct WritableOptions {
  OpenMode mode = OpenMode::kTruncate;
  // With kExisting: where the first Append writes. Bytes beyond it stay until overwritten.
  uint64_t offset = 0;
  // After each so many appended bytes the system is asked to start writing them out, so that the
  // final Sync of a large file is short. 0 = never.
  uint64_t write_behind_bytes = 0;
};

class WritableFile {
 public:
  virtual ~WritableFile() = default;
  // Writes all of `data` at position() and moves it on. After an error the position is undefined
  // and any part of `data` may be in the file.
  virtual Status Append(std::string_view data) = 0;
  // fdatasync: data and size are durable on Ok. After an error nothing is known of what was
  // appended since the last Ok, and trying again proves nothing.
  virtual Status Sync() = 0;
  // Makes the file at least `bytes` long (new bytes read as zero) with its space set aside.
  virtual Status Preallocate(uint64_t bytes) = 0;
  // Closing does not sync. The destructor closes too, without telling errors.
  virtual Status Close() = 0;
  virtual uint64_t position() const = 0;
};

class RandomAccessFile {
 public:
  virtual ~RandomAccessFile() = default;
  // Fills `out` from `offset`; returns how many bytes there were, less than asked only at the end.
  virtual Result<size_t> Read(uint64_t offset, std::span<char> out) const = 0;
};

class SequentialFile {
 public:
  virtual ~SequentialFile() = default;
  // As RandomAccessFile::Read from where the last Read ended. 0 = end of file.
  virtual Result<size_t> Read(std::span<char> out) = 0;
};

// Holds the lock until destroyed (or until the process ends, however it ends).
class FileLock {
 public:
  virtual ~FileLock() = default;
};

class Env {
 public:
  virtual ~Env() = default;

  virtual Result<std::unique_ptr<WritableFile>> NewWritableFile(const std::string& path,
                                                                const WritableOptions& options) = 0;
  virtual Result<std::unique_ptr<RandomAccessFile>> NewRandomAccessFile(
      const std::string& path) = 0;
  virtual Result<std::unique_ptr<SequentialFile>> NewSequentialFile(const std::string& path) = 0;

  // Replaces `to` if it exists, atomically. Both must be on one file system.
  virtual Status Rename(const std::string& from, const std::string& to) = 0;
  // A file. 58P01 if there is none.
  virtual Status Remove(const std::string& path) = 0;
  // An empty directory.
  virtual Status RemoveDir(const std::string& path) = 0;
  // Names (not paths) in `dir`, sorted, without "." and "..".
  virtual Result<std::vector<std::string>> List(const std::string& dir) = 0;
  // Ok if it is there already. Parents must exist.
  virtual Status CreateDir(const std::string& dir) = 0;
  virtual Status SyncDir(const std::string& dir) = 0;
  // True for files and directories.
  virtual Result<bool> Exists(const std::string& path) = 0;
  virtual Result<uint64_t> FileSize(const std::string& path) = 0;
  // Shortens or extends (with zeros). Durable only after a Sync of the file.
  virtual Status Truncate(const std::string& path, uint64_t bytes) = 0;
  // Takes an exclusive lock on `path`, creating the file; never waits. 55006 if another process,
  // or this one, holds it.
  virtual Result<std::unique_ptr<FileLock>> LockFile(const std::string& path) = 0;

  // Wall clock, microseconds since 1970-01-01 00:00 UTC. May jump.
  virtual int64_t NowMicros() = 0;
  // Never goes back.
  virtual SteadyTime SteadyNow() = 0;
};

// The real thing. Stateless but for the locks it holds; one per process is enough.
std::unique_ptr<Env> NewPosixEnv();

// The Status for a failed system call: `action` reads as in `could not <action> "<path>"`, e.g.
// "write to file". `error` is an errno.
Status ErrnoToStatus(int error, std::string_view action, std::string_view path);

// XX001 `file "path" is damaged at offset N: what`.
Status DamagedFile(std::string_view path, uint64_t offset, std::string_view what);

// `dir` + "/" + `name`.
std::string JoinPath(std::string_view dir, std::string_view name);
// The directory part of `path`: "." if it has none.
std::string DirName(std::string_view path);

// The whole file. 54000 if it is longer than `bytes_max`.
Result<std::string> ReadFileToString(Env& env, const std::string& path, uint64_t bytes_max);

// Replaces `path` by `contents` so that after a crash either the old or the new contents are there,
// whole: writes path + ".tmp", syncs it, renames it, syncs the directory. On an error the old
// contents are still what a restart sees, or the new ones if only the last step failed; path +
// ".tmp" is removed, if it can be.
Status ReplaceFile(Env& env, const std::string& path, std::string_view contents);

}  // namespace omendb::env
