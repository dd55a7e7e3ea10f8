// wal_test_util.h - what the tests of the log share.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "wal/log_reader.h"
#include "wal/log_writer.h"

namespace omendb::wal {

inline constexpr char kLogDir[] = "/wal";

// Small segments, so that a few records cross many of them.
inline LogOptions SmallOptions() {
  return {.system_id = 77, .segment_bytes = 4096, .recycled_segments_max = 2};
}

struct LogEntry {
  RecordKind kind;
  std::string payload;
  Lsn end;
  friend bool operator==(const LogEntry& a, const LogEntry& b) {
    return a.kind == b.kind && a.payload == b.payload && a.end == b.end;
  }
};

struct LogContents {
  std::vector<LogEntry> entries;
  Lsn end;
};

inline Result<LogContents> ReadLog(env::Env& env, Lsn start = FirstLsn(),
                                   ReaderOptions options = {.system_id = 77}) {
  OMEN_ASSIGN(auto reader, OpenLogReader(env, kLogDir, start, options));
  LogContents contents;
  Record record;
  while (true) {
    OMEN_ASSIGN(const bool more, reader->Next(&record));
    if (!more) break;
    contents.entries.push_back({record.kind, std::string(record.payload), record.end});
  }
  contents.end = reader->end();
  return contents;
}

class RecordingObserver : public DurableObserver {
 public:
  void OnDurable(Lsn durable) override {
    MutexLock lock(mu_);
    EXPECT_GT(durable, durable_) << "OnDurable must grow";
    durable_ = durable;
    ++calls_;
    cv_.NotifyAll();
  }
  void OnFailure(const Status& status) override {
    MutexLock lock(mu_);
    EXPECT_TRUE(failure_.ok()) << "OnFailure must come once";
    failure_ = status;
    cv_.NotifyAll();
  }
  void AwaitDurable(Lsn lsn) {
    MutexLock lock(mu_);
    while (durable_ < lsn && failure_.ok()) cv_.Wait(mu_);
  }
  Lsn durable() const {
    MutexLock lock(mu_);
    return durable_;
  }
  Status failure() const {
    MutexLock lock(mu_);
    return failure_;
  }
  int calls() const {
    MutexLock lock(mu_);
    return calls_;
  }

 private:
  mutable Mutex mu_;
  CondVar cv_;
  Lsn durable_ OMEN_GUARDED_BY(mu_){0};
  Status failure_ OMEN_GUARDED_BY(mu_);
  int calls_ OMEN_GUARDED_BY(mu_) = 0;
};

}  // namespace omendb::wal
