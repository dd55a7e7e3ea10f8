// The log while nothing goes wrong: order, layout, group commit, removal.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "base/crc32c.h"
#include "base/sqlstate.h"
#include "testing/fault_env.h"
#include "testing/mem_env.h"
#include "testing/prng.h"
#include "testing/temp_dir.h"
#include "wal/commit_gate.h"
#include "wal/format.h"
#include "wal/log_buffer.h"
#include "wal/wal_test_util.h"

namespace omendb::wal {
namespace {

using testutil::MemEnv;
using testutil::Prng;

std::unique_ptr<LogWriter> Open(env::Env& env, const LogOptions& options, Lsn end,
                                DurableObserver* observer = nullptr) {
  auto log = OpenLogWriter(env, kLogDir, options, end, observer);
  EXPECT_TRUE(log.ok()) << log.status().ToString();
  return std::move(log).value();
}

// Mostly short payloads, some that span several segments.
std::string RandomPayload(Prng& prng) {
  return prng.Bytes(prng.Chance(0.05) ? prng.Below(15000) : prng.Below(300));
}

LogEntry AppendRandom(LogWriter& log, Prng& prng, Durability durability = Durability::kAsync) {
  LogEntry entry{static_cast<RecordKind>(prng.Between(1, 255)), RandomPayload(prng), Lsn(0)};
  auto end = log.Append(entry.kind, entry.payload, durability);
  EXPECT_TRUE(end.ok()) << end.status().ToString();
  entry.end = *end;
  return entry;
}

TEST(FormatTest, SegmentHeadersAndNames) {
  const SegmentHeader header{.system_id = 5, .start = 0xabc000, .segment_bytes = 4096};
  std::string bytes = EncodeSegmentHeader(header);
  ASSERT_EQ(bytes.size(), kSegmentHeaderBytes);
  const auto back = DecodeSegmentHeader(bytes);
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(back->start, header.start);
  EXPECT_EQ(back->end(), 0xabd000U);
  for (size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] ^= 4;
    EXPECT_FALSE(DecodeSegmentHeader(bytes).has_value()) << i;
    bytes[i] ^= 4;
  }
  EXPECT_EQ(SegmentName(0xabc000), "0000000000abc000.wal");
  EXPECT_EQ(ParseSegmentName("0000000000abc000.wal"), 0xabc000U);
  EXPECT_FALSE(ParseSegmentName("0000000000ABC000.wal").has_value());
  EXPECT_FALSE(ParseSegmentName("0000000000abc000.tmp").has_value());
  EXPECT_FALSE(ParseSegmentName("abc.wal").has_value());
}

TEST(FormatTest, ARecordIsValidOnlyWhereItWasWritten) {
  LogBuffer buffer({.system_id = 9, .start = 0, .segment_bytes = 4096}, 0, 4096);
  EXPECT_EQ(buffer.Append(3, "hello", Crc32c("hello"), 40), 64U + 32U);
  std::string bytes;
  buffer.Take(bytes);
  const std::string_view record = std::string_view(bytes).substr(64);
  const auto header = DecodeRecord(record, 64, 9);
  ASSERT_TRUE(header.has_value());
  EXPECT_EQ(header->durable, 40U);
  EXPECT_EQ(header->payload_bytes, 5U);
  EXPECT_FALSE(DecodeRecord(record, 64, 8).has_value());
  EXPECT_FALSE(DecodeRecord(record, 72, 9).has_value());
  EXPECT_FALSE(DecodeRecord(record, 64 + (1ULL << 32), 9).has_value());
  EXPECT_FALSE(DecodeRecord(record.substr(0, 24), 64, 9).has_value());
  for (size_t i = 0; i < record.size(); ++i) {
    std::string damaged(record);
    damaged[i] ^= 1;
    EXPECT_FALSE(DecodeRecord(damaged, 64, 9).has_value()) << i;
  }
}

TEST(LogBufferTest, TheBoundHoldsForEveryPlaceAndLength) {
  Prng prng(1);
  for (int round = 0; round < 2000; ++round) {
    const uint64_t position = 64 + prng.Below((4096 - 64) / 8) * 8;
    LogBuffer buffer({.system_id = 1, .start = 0, .segment_bytes = 4096}, position, 4096);
    const std::string payload(prng.Below(20000), 'x');
    const uint64_t bound = buffer.EndBound(payload.size());
    EXPECT_LE(buffer.Append(1, payload, Crc32c(payload), 0), bound);
    EXPECT_EQ(buffer.position() % kRecordAlign, 0U);
  }
}

TEST(LogTest, ReturnsWhatWasAppendedOverManySegments) {
  Prng prng(2);
  MemEnv env;
  std::vector<LogEntry> written;
  Lsn end = FirstLsn();
  for (int session = 0; session < 8; ++session) {
    auto log = Open(env, SmallOptions(), end);
    for (int i = 0; i < 60; ++i) written.push_back(AppendRandom(*log, prng));
    ASSERT_TRUE(log->Close().ok());
    const auto contents = ReadLog(env);
    ASSERT_TRUE(contents.ok()) << contents.status().ToString();
    EXPECT_EQ(contents->entries, written);
    end = contents->end;
    EXPECT_EQ(end, written.back().end);
  }
  // From any record on.
  for (size_t i = 0; i < written.size(); i += 7) {
    const auto rest = ReadLog(env, written[i].end);
    ASSERT_TRUE(rest.ok()) << rest.status().ToString();
    EXPECT_TRUE(std::equal(rest->entries.begin(), rest->entries.end(), written.begin() + i + 1,
                           written.end()));
  }
}

TEST(LogTest, EndsAtEveryDistanceFromASegmentsEnd) {
  // The unused end of a segment, a header alone, and a boundary hit exactly are all places where a
  // log may stop and go on.
  for (uint64_t bytes = 3900; bytes < 4096; ++bytes) {
    MemEnv env;
    Lsn end = FirstLsn();
    for (const uint64_t size : {bytes, uint64_t{1}, uint64_t{40}}) {
      auto log = Open(env, SmallOptions(), end);
      ASSERT_TRUE(log->Append(1, std::string(size, 'x'), Durability::kSync).ok());
      ASSERT_TRUE(log->Close().ok());
      const auto contents = ReadLog(env);
      ASSERT_TRUE(contents.ok()) << bytes << ": " << contents.status().ToString();
      end = contents->end;
    }
    const auto contents = ReadLog(env);
    ASSERT_EQ(contents->entries.size(), 3U) << bytes;
    EXPECT_EQ(contents->entries[0].payload.size(), bytes);
  }
}

TEST(LogTest, WorksOnTheRealFileSystem) {
  testutil::TempDir temp;
  auto env = env::NewPosixEnv();
  Prng prng(3);
  const std::string dir = temp.File("wal");
  std::vector<LogEntry> written;
  LogOptions options = SmallOptions();
  options.segment_bytes = 64 * 1024;
  auto log = OpenLogWriter(*env, dir, options, FirstLsn(), nullptr);
  ASSERT_TRUE(log.ok()) << log.status().ToString();
  for (int i = 0; i < 500; ++i) written.push_back(AppendRandom(**log, prng));
  ASSERT_TRUE((*log)->WaitDurable(written.back().end).ok());
  auto reader = OpenLogReader(*env, dir, FirstLsn(), {.limit = (*log)->durable_lsn()});
  ASSERT_TRUE(reader.ok());
  Record record;
  for (const LogEntry& entry : written) {
    const auto more = (*reader)->Next(&record);
    ASSERT_TRUE(more.ok() && *more) << more.status().ToString();
    EXPECT_EQ(record.payload, entry.payload);
    EXPECT_EQ(record.end, entry.end);
  }
  EXPECT_FALSE(*(*reader)->Next(&record));
  EXPECT_TRUE((*log)->Close().ok());
}

TEST(LogTest, AnotherSegmentSizeMayFollow) {
  Prng prng(4);
  MemEnv env;
  std::vector<LogEntry> written;
  Lsn end = FirstLsn();
  for (const uint64_t segment_bytes : {4096, 16384, 4096, 8192}) {
    LogOptions options = SmallOptions();
    options.segment_bytes = segment_bytes;
    auto log = Open(env, options, end);
    for (int i = 0; i < 50; ++i) written.push_back(AppendRandom(*log, prng));
    ASSERT_TRUE(log->Close().ok());
    const auto contents = ReadLog(env);
    ASSERT_TRUE(contents.ok()) << contents.status().ToString();
    ASSERT_EQ(contents->entries, written);
    end = contents->end;
  }
}

TEST(LogTest, TheObserverSeesEverythingBecomeDurableInOrder) {
  Prng prng(5);
  MemEnv env;
  RecordingObserver observer;
  auto log = Open(env, SmallOptions(), FirstLsn(), &observer);
  for (int i = 0; i < 50; ++i) {
    const LogEntry entry = AppendRandom(*log, prng, Durability::kSync);
    observer.AwaitDurable(entry.end);
    EXPECT_GE(log->durable_lsn(), entry.end);
    EXPECT_GE(log->appended_lsn(), entry.end);
  }
  EXPECT_GE(observer.calls(), 1);
  EXPECT_TRUE(observer.failure().ok());
}

TEST(LogTest, AsyncRecordsAreSyncedUnasked) {
  MemEnv env;
  RecordingObserver observer;
  LogOptions options = SmallOptions();
  options.async_sync_delay = std::chrono::milliseconds(1);
  auto log = Open(env, options, FirstLsn(), &observer);
  for (int i = 0; i < 3; ++i) {
    const auto end = log->Append(1, "async", Durability::kAsync);
    ASSERT_TRUE(end.ok());
    observer.AwaitDurable(*end);  // Returns, or the test runs into its time limit.
  }
  const auto end = log->Append(1, "asked", Durability::kAsync);
  log->RequestSync();
  observer.AwaitDurable(*end);
}

TEST(LogTest, CommitsThatArriveDuringASyncShareTheNext) {
  MemEnv base;
  testutil::FaultEnv env(base);
  std::atomic<bool> hold{false};
  std::atomic<bool> syncing{false};
  env.SetHook([&](testutil::FaultOp op, const std::string&) {
    if (op != testutil::kOpSync || !hold.load()) return;
    syncing.store(true);
    hold.wait(true);
  });
  LogOptions options = SmallOptions();
  options.segment_bytes = 1 << 20;
  options.spare_segments = 0;  // The only syncs are the flusher's.
  auto log = Open(env, options, FirstLsn());
  hold.store(true);
  ASSERT_TRUE(log->Append(1, "first", Durability::kSync).ok());
  while (!syncing.load()) std::this_thread::yield();
  Lsn last;
  for (int i = 0; i < 100; ++i) last = *log->Append(1, "next", Durability::kSync);
  hold.store(false);
  hold.notify_all();
  ASSERT_TRUE(log->WaitDurable(last).ok());
  const LogStats stats = log->stats();
  EXPECT_EQ(stats.syncs, 2U);
  EXPECT_EQ(stats.synced_requests, 101U);
  EXPECT_EQ(stats.records, 101U);
}

TEST(LogTest, ConcurrentCommittersLoseNothingAndKeepTheirOrder) {
  for (const int thread_count : {1, 8}) {  // One thread first: the scaffolding itself.
    MemEnv env;
    RecordingObserver observer;
    auto log = Open(env, SmallOptions(), FirstLsn(), &observer);
    std::vector<std::thread> threads;
    for (int t = 0; t < thread_count; ++t) {
      threads.emplace_back([&, t] {
        Prng prng(static_cast<uint64_t>(t));
        for (uint32_t i = 0; i < 300; ++i) {
          std::string payload(reinterpret_cast<const char*>(&i), sizeof(i));
          payload += prng.Bytes(prng.Below(400));
          const bool sync = prng.Chance(0.5);
          const auto end = log->Append(static_cast<RecordKind>(t + 1), payload,
                                       sync ? Durability::kSync : Durability::kAsync);
          ASSERT_TRUE(end.ok()) << end.status().ToString();
          if (sync) observer.AwaitDurable(*end);
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    ASSERT_TRUE(log->Close().ok());
    EXPECT_EQ(log->durable_lsn(), log->appended_lsn());
    const auto contents = ReadLog(env);
    ASSERT_TRUE(contents.ok()) << contents.status().ToString();
    ASSERT_EQ(contents->entries.size(), static_cast<size_t>(thread_count) * 300);
    std::vector<uint32_t> next(static_cast<size_t>(thread_count) + 1, 0);
    for (const LogEntry& entry : contents->entries) {
      uint32_t i = 0;
      entry.payload.copy(reinterpret_cast<char*>(&i), sizeof(i));
      EXPECT_EQ(i, next[entry.kind]++);
    }
  }
}

TEST(LogTest, ASmallBufferMakesAppendsWaitAndLosesNothing) {
  Prng prng(6);
  MemEnv env;
  LogOptions options = SmallOptions();
  options.buffer_bytes_max = 1000;
  auto log = Open(env, options, FirstLsn());
  std::vector<LogEntry> written;
  for (int i = 0; i < 300; ++i) written.push_back(AppendRandom(*log, prng, Durability::kSync));
  ASSERT_TRUE(log->Close().ok());
  EXPECT_EQ(ReadLog(env)->entries, written);
  EXPECT_GT(log->stats().append_waits, 0U);
}

TEST(LogTest, OldSegmentsAreReusedAndTheirOldBytesNeverRead) {
  Prng prng(7);
  MemEnv env;
  LogOptions options = SmallOptions();
  auto log = Open(env, options, FirstLsn());
  std::vector<LogEntry> kept;
  for (int round = 0; round < 40; ++round) {
    for (int i = 0; i < 20; ++i) kept.push_back(AppendRandom(*log, prng));
    ASSERT_TRUE(log->WaitDurable(kept.back().end).ok());
    const auto contents = ReadLog(env, kept.front().end);
    ASSERT_TRUE(contents.ok()) << contents.status().ToString();
    EXPECT_TRUE(std::equal(contents->entries.begin(), contents->entries.end(), kept.begin() + 1,
                           kept.end()));
    const Lsn checkpoint = kept[kept.size() / 2].end;
    ASSERT_TRUE(log->RemoveBefore(checkpoint).ok());
    EXPECT_LE(log->oldest_lsn(), checkpoint);
    EXPECT_GE(log->oldest_lsn().value() + 4096, checkpoint.value());
    kept.erase(kept.begin(), kept.begin() + static_cast<ptrdiff_t>(kept.size() / 2));
  }
  EXPECT_GT(log->stats().segments_recycled, 10U);
  ASSERT_TRUE(log->Close().ok());
  // What is left on disk is bounded: the kept part, spares and the reserve.
  EXPECT_LT(env.List(kLogDir)->size(), 60U);
}

TEST(LogTest, ReadingMayStartInsideARecord) {
  MemEnv env;
  auto log = Open(env, SmallOptions(), FirstLsn());
  const auto first = log->Append(1, std::string(10000, 'x'), Durability::kSync);
  const auto second = log->Append(2, "whole", Durability::kSync);
  ASSERT_TRUE(log->Close().ok());
  const Lsn inside(4096 + kSegmentHeaderBytes);
  EXPECT_TRUE(ReadLog(env, inside).status().Is(sqlstate::kDataCorrupted));
  const auto rest = ReadLog(env, inside, {.system_id = 77, .skip_begun = true});
  ASSERT_TRUE(rest.ok()) << rest.status().ToString();
  ASSERT_EQ(rest->entries.size(), 1U);
  EXPECT_EQ(rest->entries[0].payload, "whole");
  EXPECT_EQ(rest->entries[0].end, *second);
  EXPECT_LT(*first, *second);
}

TEST(LogTest, ClosedLogsRefuse) {
  MemEnv env;
  auto log = Open(env, SmallOptions(), FirstLsn());
  ASSERT_TRUE(log->Append(1, "x", Durability::kAsync).ok());
  ASSERT_TRUE(log->Close().ok());
  EXPECT_TRUE(log->Append(1, "x", Durability::kSync).status().Is(sqlstate::kAdminShutdown));
  EXPECT_TRUE(log->status().Is(sqlstate::kAdminShutdown));
  EXPECT_TRUE(log->Close().ok());
  EXPECT_EQ(ReadLog(env)->entries.size(), 1U);
}

TEST(CommitGateTest, OneCommitterIsNeverDelayed) {
  CommitGate gate;
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(gate.target(), 1U);
    gate.OnSync(1, 0, 200);
  }
}

TEST(CommitGateTest, WaitsForThoseReleasedAndThoseQueued) {
  CommitGate gate;
  gate.OnSync(1, 7, 200);
  EXPECT_EQ(gate.target(), 8U);
  EXPECT_GT(gate.patience_micros(), 0);
  EXPECT_LE(gate.patience_micros(), 1000);
  gate.OnWaited(8);
  gate.OnSync(8, 0, 200);
  EXPECT_EQ(gate.target(), 8U);
  gate.OnSync(1, 0, 200);
  EXPECT_EQ(gate.target(), 1U);
}

TEST(CommitGateTest, WaitingInVainHappensLessAndLess) {
  CommitGate gate;
  int waits = 0;
  for (int i = 0; i < 1000; ++i) {
    if (gate.target() > 2) {
      ++waits;
      gate.OnWaited(2);
    }
    gate.OnSync(2, 2, 200);
  }
  EXPECT_LT(waits, 25);
  EXPECT_GT(waits, 5);
}

}  // namespace
}  // namespace omendb::wal
