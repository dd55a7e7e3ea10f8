// The log beside the disk under it: wal_bench [directory]
//
// Append alone, commits per second with 1, 2, 4, 8, 16 committers against a plain loop of write and
// fdatasync in the same directory, the processor time of each commit, bandwidth of large records,
// of record files, and of reading back.
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "base/check.h"
#include "env/record_file.h"
#include "wal/log_reader.h"
#include "wal/log_writer.h"

namespace omendb::wal {
namespace {

using Clock = std::chrono::steady_clock;

double SecondsSince(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

double ProcessorSeconds() {
  struct rusage usage;
  OMEN_CHECK(::getrusage(RUSAGE_SELF, &usage) == 0);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// Lets committers wait for their own LSN.
class Committers : public DurableObserver {
 public:
  void OnDurable(Lsn durable) override {
    durable_.store(durable.value(), std::memory_order_release);
    durable_.notify_all();
  }
  void OnFailure(const Status&) override { OMEN_CHECK(false); }
  void Await(Lsn lsn) {
    uint64_t seen = durable_.load(std::memory_order_acquire);
    while (seen < lsn.value()) {
      durable_.wait(seen);
      seen = durable_.load(std::memory_order_acquire);
    }
  }

 private:
  std::atomic<uint64_t> durable_{0};
};

void BenchDisk(const std::string& path, size_t bytes) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  OMEN_CHECK(fd >= 0 && ::posix_fallocate(fd, 0, 16 << 20) == 0 && ::fsync(fd) == 0);
  const std::string data(bytes, 'x');
  const auto begin = Clock::now();
  off_t offset = 0;
  int syncs = 0;
  for (; SecondsSince(begin) < 1.5; ++syncs, offset += static_cast<off_t>(bytes)) {
    OMEN_CHECK(::pwrite(fd, data.data(), bytes, offset) == static_cast<ssize_t>(bytes));
    OMEN_CHECK(::fdatasync(fd) == 0);
  }
  std::printf("plain write + fdatasync of %zu bytes: %.0f per second\n", bytes,
              syncs / SecondsSince(begin));
  ::close(fd);
  std::filesystem::remove(path);
}

void BenchCommits(env::Env& env, const std::string& dir, int thread_count, size_t bytes) {
  Committers committers;
  auto log = OpenLogWriter(env, dir, {.system_id = 1}, FirstLsn(), &committers);
  OMEN_CHECK(log.ok());
  const std::string payload(bytes, 'x');
  std::atomic<bool> stop{false};
  std::atomic<uint64_t> commits{0};
  const double processor = ProcessorSeconds();
  const auto begin = Clock::now();
  std::vector<std::thread> threads;
  for (int t = 0; t < thread_count; ++t) {
    threads.emplace_back([&] {
      while (!stop.load(std::memory_order_relaxed)) {
        auto end = (*log)->Append(1, payload, Durability::kSync);
        OMEN_CHECK(end.ok());
        committers.Await(*end);
        commits.fetch_add(1, std::memory_order_relaxed);
      }
    });
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(2000));
  stop.store(true);
  for (std::thread& thread : threads) thread.join();
  const double seconds = SecondsSince(begin);
  const LogStats stats = (*log)->stats();
  std::printf(
      "%2d committers of %zu bytes: %.0f commits/s, %.2f commits per sync, sync %.0f us, "
      "%.1f us processor time per commit\n",
      thread_count, bytes, static_cast<double>(commits.load()) / seconds,
      static_cast<double>(stats.synced_requests) / static_cast<double>(stats.syncs),
      static_cast<double>(stats.sync_micros) / static_cast<double>(stats.syncs),
      (ProcessorSeconds() - processor) * 1e6 / static_cast<double>(commits.load()));
  OMEN_CHECK((*log)->Close().ok());
  std::filesystem::remove_all(dir);
}

void BenchAppend(env::Env& env, const std::string& dir) {
  auto log = OpenLogWriter(env, dir, {.system_id = 1, .fsync = false}, FirstLsn(), nullptr);
  OMEN_CHECK(log.ok());
  const std::string payload(100, 'x');
  constexpr int kCount = 2'000'000;
  const auto begin = Clock::now();
  for (int i = 0; i < kCount; ++i) {
    OMEN_CHECK((*log)->Append(1, payload, Durability::kAsync).ok());
  }
  const double seconds = SecondsSince(begin);
  std::printf("append of 100 bytes: %.0f ns (with the flusher writing beside it), %lu waits\n",
              seconds * 1e9 / kCount, static_cast<unsigned long>((*log)->stats().append_waits));
  OMEN_CHECK((*log)->Close().ok());
}

void BenchRead(env::Env& env, const std::string& dir) {
  const auto begin = Clock::now();
  auto reader = OpenLogReader(env, dir, FirstLsn(), {.system_id = 1});
  OMEN_CHECK(reader.ok());
  Record record;
  uint64_t count = 0;
  while (true) {
    const auto more = (*reader)->Next(&record);
    OMEN_CHECK(more.ok());
    if (!*more) break;
    ++count;
  }
  const double seconds = SecondsSince(begin);
  std::printf("read back: %.1f million records/s, %.0f MB/s\n",
              static_cast<double>(count) / seconds / 1e6,
              static_cast<double>((*reader)->end().value()) / seconds / 1e6);
  std::filesystem::remove_all(dir);
}

void BenchBulk(env::Env& env, const std::string& dir) {
  auto log = OpenLogWriter(env, dir, {.system_id = 1}, FirstLsn(), nullptr);
  OMEN_CHECK(log.ok());
  const std::string payload(256 * 1024, 'x');
  constexpr int kCount = 2048;
  const auto begin = Clock::now();
  Lsn end;
  for (int i = 0; i < kCount; ++i) end = *(*log)->Append(1, payload, Durability::kAsync);
  OMEN_CHECK((*log)->WaitDurable(end).ok());
  std::printf("bulk load, synced at the end: %.0f MB/s, %lu syncs\n",
              kCount * 0.262144 / SecondsSince(begin),
              static_cast<unsigned long>((*log)->stats().syncs));
  OMEN_CHECK((*log)->Close().ok());
  std::filesystem::remove_all(dir);
}

void BenchRecordFile(env::Env& env, const std::string& path) {
  const std::string record(200, 'r');
  constexpr int kCount = 5'000'000;
  auto begin = Clock::now();
  auto writer = env::RecordFileWriter::Create(env, path, {});
  OMEN_CHECK(writer.ok());
  for (int i = 0; i < kCount; ++i) OMEN_CHECK((*writer)->Append(record).ok());
  const double buffered = SecondsSince(begin);
  OMEN_CHECK((*writer)->Finish().ok());
  std::printf("record file of 1 GB: written at %.0f MB/s, with its sync %.0f MB/s\n",
              kCount * 204e-6 / buffered, kCount * 204e-6 / SecondsSince(begin));
  begin = Clock::now();
  auto reader = env::RecordFileReader::Open(env, path, {});
  OMEN_CHECK(reader.ok());
  std::string_view view;
  int count = 0;
  while (*(*reader)->Next(&view)) ++count;
  OMEN_CHECK(count == kCount);
  std::printf("record file read: %.0f MB/s\n", kCount * 204e-6 / SecondsSince(begin));
  std::filesystem::remove(path);
}

void Run(const std::string& dir) {
  auto env = env::NewPosixEnv();
  std::filesystem::create_directories(dir);
  BenchBulk(*env, dir + "/log");
  for (const int threads : {1, 2, 4, 8, 16}) {
    BenchDisk(dir + "/plain", 300);  // Beside each, since disks are not the same all the time.
    BenchCommits(*env, dir + "/log", threads, 300);
  }
  BenchAppend(*env, dir + "/log");
  BenchRead(*env, dir + "/log");
  BenchRecordFile(*env, dir + "/records");
  std::filesystem::remove(dir);  // Stays if something else is in it.
}

}  // namespace
}  // namespace omendb::wal

int main(int argc, char** argv) {
  omendb::wal::Run(argc > 1 ? argv[1] : "wal-bench");
  return 0;
}
