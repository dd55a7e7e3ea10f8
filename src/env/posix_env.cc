// Env over POSIX and Linux calls. Every descriptor is close-on-exec; EINTR is retried everywhere
// but after fdatasync and close, where trying again would hide a lost write.
#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>

#include "base/check.h"
#include "base/sqlstate.h"
#include "env/env.h"

namespace omendb::env {
namespace {

// Retries a call that a signal interrupted.
template <typename Call>
auto Retry(Call call) {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() { Close(); }
  int get() const { return fd_; }
  int Close() {
    const int fd = std::exchange(fd_, -1);
    return fd < 0 ? 0 : ::close(fd);
  }

 private:
  int fd_;
};

Result<Descriptor> Open(const std::string& path, int flags) {
  const int fd = Retry([&] { return ::open(path.c_str(), flags | O_CLOEXEC, 0600); });
  if (fd < 0) return ErrnoToStatus(errno, "open file", path);
  return Descriptor(fd);
}

Result<size_t> ReadFully(int fd, uint64_t offset, std::span<char> out, const std::string& path) {
  size_t done = 0;
  while (done < out.size()) {
    const ssize_t n = Retry([&] {
      return ::pread(fd, out.data() + done, out.size() - done, static_cast<off_t>(offset + done));
    });
    if (n < 0) return ErrnoToStatus(errno, "read file", path);
    if (n == 0) break;
    done += static_cast<size_t>(n);
  }
  return done;
}

class PosixWritableFile : public WritableFile {
 public:
  PosixWritableFile(std::string path, Descriptor fd, const WritableOptions& options)
      : path_(std::move(path)),
        fd_(std::move(fd)),
        position_(options.offset),
        write_behind_bytes_(options.write_behind_bytes),
        write_behind_from_(options.offset) {}

  Status Append(std::string_view data) override {
    while (!data.empty()) {
      const ssize_t n = Retry([&] {
        return ::pwrite(fd_.get(), data.data(), data.size(), static_cast<off_t>(position_));
      });
      // POSIX allows a short count without an error; a count of zero would loop for ever.
      if (n <= 0) return ErrnoToStatus(n < 0 ? errno : ENOSPC, "write to file", path_);
      position_ += static_cast<uint64_t>(n);
      data.remove_prefix(static_cast<size_t>(n));
    }
    StartWriteBehind();
    return Status::Ok();
  }

  Status Sync() override {
    if (::fdatasync(fd_.get()) != 0) return ErrnoToStatus(errno, "fsync file", path_);
    return Status::Ok();
  }

  Status Preallocate(uint64_t bytes) override {
    struct stat info;
    if (::fstat(fd_.get(), &info) != 0) return ErrnoToStatus(errno, "stat file", path_);
    const auto size = static_cast<uint64_t>(info.st_size);
    if (size >= bytes) return Status::Ok();
    const int result = Retry([&] {
      return ::fallocate(fd_.get(), 0, static_cast<off_t>(size), static_cast<off_t>(bytes - size));
    });
    if (result == 0) return Status::Ok();
    if (errno != EOPNOTSUPP) return ErrnoToStatus(errno, "extend file", path_);
    return WriteZeros(size, bytes);
  }

  Status Close() override {
    if (fd_.Close() != 0) return ErrnoToStatus(errno, "close file", path_);
    return Status::Ok();
  }

  uint64_t position() const override { return position_; }

 private:
  void StartWriteBehind() {
    if (write_behind_bytes_ == 0 || position_ - write_behind_from_ < write_behind_bytes_) return;
    // A hint: whatever it answers, Sync finds out.
    (void)::sync_file_range(fd_.get(), static_cast<off_t>(write_behind_from_),
                            static_cast<off_t>(position_ - write_behind_from_),
                            SYNC_FILE_RANGE_WRITE);
    write_behind_from_ = position_;
  }

  // For file systems without fallocate.
  Status WriteZeros(uint64_t from, uint64_t to) {
    const std::string zeros(64 * 1024, '\0');
    while (from < to) {
      const size_t size = std::min<uint64_t>(zeros.size(), to - from);
      const ssize_t n =
          Retry([&] { return ::pwrite(fd_.get(), zeros.data(), size, static_cast<off_t>(from)); });
      if (n <= 0) return ErrnoToStatus(n < 0 ? errno : ENOSPC, "extend file", path_);
      from += static_cast<uint64_t>(n);
    }
    return Status::Ok();
  }

  const std::string path_;
  Descriptor fd_;
  uint64_t position_;
  const uint64_t write_behind_bytes_;
  uint64_t write_behind_from_;
};

class PosixRandomAccessFile : public RandomAccessFile {
 public:
  PosixRandomAccessFile(std::string path, Descriptor fd)
      : path_(std::move(path)), fd_(std::move(fd)) {}
  Result<size_t> Read(uint64_t offset, std::span<char> out) const override {
    return ReadFully(fd_.get(), offset, out, path_);
  }

 private:
  const std::string path_;
  const Descriptor fd_;
};

class PosixSequentialFile : public SequentialFile {
 public:
  PosixSequentialFile(std::string path, Descriptor fd)
      : path_(std::move(path)), fd_(std::move(fd)) {
    // A hint for read-ahead; its failure changes nothing.
    (void)::posix_fadvise(fd_.get(), 0, 0, POSIX_FADV_SEQUENTIAL);
  }
  Result<size_t> Read(std::span<char> out) override {
    OMEN_ASSIGN(const size_t got, ReadFully(fd_.get(), offset_, out, path_));
    offset_ += got;
    return got;
  }

 private:
  const std::string path_;
  const Descriptor fd_;
  uint64_t offset_ = 0;
};

class PosixFileLock : public FileLock {
 public:
  explicit PosixFileLock(Descriptor fd) : fd_(std::move(fd)) {}

 private:
  const Descriptor fd_;  // Closing it gives the lock up.
};

int OpenFlags(OpenMode mode) {
  switch (mode) {
    case OpenMode::kCreateNew:
      return O_WRONLY | O_CREAT | O_EXCL;
    case OpenMode::kTruncate:
      return O_WRONLY | O_CREAT | O_TRUNC;
    case OpenMode::kExisting:
      return O_WRONLY;
  }
  return O_WRONLY;
}

class PosixEnv : public Env {
 public:
  Result<std::unique_ptr<WritableFile>> NewWritableFile(const std::string& path,
                                                        const WritableOptions& options) override {
    OMEN_CHECK(options.offset == 0 || options.mode == OpenMode::kExisting);
    OMEN_ASSIGN(Descriptor fd, Open(path, OpenFlags(options.mode)));
    return std::unique_ptr<WritableFile>(
        std::make_unique<PosixWritableFile>(path, std::move(fd), options));
  }
  Result<std::unique_ptr<RandomAccessFile>> NewRandomAccessFile(const std::string& path) override {
    OMEN_ASSIGN(Descriptor fd, Open(path, O_RDONLY));
    return std::unique_ptr<RandomAccessFile>(
        std::make_unique<PosixRandomAccessFile>(path, std::move(fd)));
  }
  Result<std::unique_ptr<SequentialFile>> NewSequentialFile(const std::string& path) override {
    OMEN_ASSIGN(Descriptor fd, Open(path, O_RDONLY));
    return std::unique_ptr<SequentialFile>(
        std::make_unique<PosixSequentialFile>(path, std::move(fd)));
  }

  Status Rename(const std::string& from, const std::string& to) override {
    if (::rename(from.c_str(), to.c_str()) != 0) return ErrnoToStatus(errno, "rename file", from);
    return Status::Ok();
  }
  Status Remove(const std::string& path) override {
    if (::unlink(path.c_str()) != 0) return ErrnoToStatus(errno, "remove file", path);
    return Status::Ok();
  }
  Status RemoveDir(const std::string& path) override {
    if (::rmdir(path.c_str()) != 0) return ErrnoToStatus(errno, "remove directory", path);
    return Status::Ok();
  }
  Result<std::vector<std::string>> List(const std::string& dir) override;
  Status CreateDir(const std::string& dir) override {
    if (::mkdir(dir.c_str(), 0700) == 0) return Status::Ok();
    const int error = errno;
    struct stat info;
    if (error == EEXIST && ::stat(dir.c_str(), &info) == 0 && S_ISDIR(info.st_mode)) {
      return Status::Ok();
    }
    return ErrnoToStatus(error, "create directory", dir);
  }
  Status SyncDir(const std::string& dir) override {
    OMEN_ASSIGN(Descriptor fd, Open(dir, O_RDONLY | O_DIRECTORY));
    if (::fsync(fd.get()) != 0) return ErrnoToStatus(errno, "fsync directory", dir);
    return Status::Ok();
  }
  Result<bool> Exists(const std::string& path) override {
    struct stat info;
    if (::stat(path.c_str(), &info) == 0) return true;
    if (errno == ENOENT || errno == ENOTDIR) return false;
    return ErrnoToStatus(errno, "stat file", path);
  }
  Result<uint64_t> FileSize(const std::string& path) override {
    struct stat info;
    if (::stat(path.c_str(), &info) != 0) return ErrnoToStatus(errno, "stat file", path);
    return static_cast<uint64_t>(info.st_size);
  }
  Status Truncate(const std::string& path, uint64_t bytes) override {
    if (Retry([&] { return ::truncate(path.c_str(), static_cast<off_t>(bytes)); }) != 0) {
      return ErrnoToStatus(errno, "truncate file", path);
    }
    return Status::Ok();
  }
  Result<std::unique_ptr<FileLock>> LockFile(const std::string& path) override;

  int64_t NowMicros() override {
    struct timespec now;
    ::clock_gettime(CLOCK_REALTIME, &now);
    return int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1000;
  }
  SteadyTime SteadyNow() override { return std::chrono::steady_clock::now(); }
};

Result<std::vector<std::string>> PosixEnv::List(const std::string& dir) {
  DIR* stream = ::opendir(dir.c_str());
  if (stream == nullptr) return ErrnoToStatus(errno, "open directory", dir);
  std::vector<std::string> names;
  errno = 0;
  for (const dirent* entry = ::readdir(stream); entry != nullptr; entry = ::readdir(stream)) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
    errno = 0;
  }
  const int error = errno;
  ::closedir(stream);
  if (error != 0) return ErrnoToStatus(error, "read directory", dir);
  std::sort(names.begin(), names.end());
  return names;
}

Result<std::unique_ptr<FileLock>> PosixEnv::LockFile(const std::string& path) {
  OMEN_ASSIGN(Descriptor fd, Open(path, O_RDWR | O_CREAT));
  // flock belongs to the open file, so a second lock of this process is refused too.
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return ErrnoToStatus(errno, "lock file", path);
    char holder[32] = {};
    const ssize_t n = ::pread(fd.get(), holder, sizeof(holder) - 1, 0);
    Status busy(sqlstate::kObjectInUse, "lock file \"" + path + "\" is held by another server");
    if (n <= 0) return busy;
    return std::move(busy).WithDetail("The other process has PID " +
                                      std::to_string(std::atol(holder)) + ".");
  }
  // The number only serves the message above; the lock is the descriptor.
  const std::string pid = std::to_string(::getpid()) + "\n";
  if (::ftruncate(fd.get(), 0) != 0 ||
      ::pwrite(fd.get(), pid.data(), pid.size(), 0) != static_cast<ssize_t>(pid.size())) {
    return ErrnoToStatus(errno, "write to file", path);
  }
  return std::unique_ptr<FileLock>(std::make_unique<PosixFileLock>(std::move(fd)));
}

}  // namespace

std::unique_ptr<Env> NewPosixEnv() { return std::make_unique<PosixEnv>(); }

}  // namespace omendb::env
