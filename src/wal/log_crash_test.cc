// The log when things go wrong: power failures, failing calls, full disks, damage.
#include <gtest/gtest.h>

#include <algorithm>

#include "base/sqlstate.h"
#include "testing/fault_env.h"
#include "testing/mem_env.h"
#include "testing/prng.h"
#include "wal/format.h"
#include "wal/wal_test_util.h"

namespace omendb::wal {
namespace {

using testutil::CrashLoss;
using testutil::FaultEnv;
using testutil::MemEnv;
using testutil::Prng;

Result<std::unique_ptr<LogWriter>> TryOpen(env::Env& env, Lsn end,
                                           DurableObserver* observer = nullptr,
                                           const LogOptions& options = SmallOptions()) {
  return OpenLogWriter(env, kLogDir, options, end, observer);
}

// Appends until `count` records were taken, syncing now and then. Returns what was taken.
std::vector<LogEntry> AppendSome(LogWriter& log, Prng& prng, int count, size_t fixed_bytes = 0) {
  std::vector<LogEntry> taken;
  for (int i = 0; i < count; ++i) {
    const size_t bytes = fixed_bytes > 0     ? fixed_bytes
                         : prng.Chance(0.03) ? prng.Below(12000)
                                             : prng.Below(400);
    const std::string payload = prng.Bytes(bytes);
    const auto end =
        log.Append(7, payload, prng.Chance(0.3) ? Durability::kSync : Durability::kAsync);
    if (!end.ok()) break;
    taken.push_back({7, payload, *end});
    if (prng.Chance(0.2)) (void)log.WaitDurable(*end);
  }
  return taken;
}

bool IsPrefix(const std::vector<LogEntry>& part, const std::vector<LogEntry>& whole) {
  return part.size() <= whole.size() && std::equal(part.begin(), part.end(), whole.begin());
}

// A chain of lives, each ended by a power failure at a random moment. `fixed_bytes` > 0 makes all
// records one length, so that stale ones lie just where new ones end.
void LiveAndDie(uint64_t seed, size_t fixed_bytes) {
  Prng prng(seed);
  auto env = std::make_unique<MemEnv>();
  std::vector<LogEntry> history;  // What the log must hold.
  for (int life = 0; life < 6; ++life) {
    const auto recovered = ReadLog(*env);
    ASSERT_TRUE(recovered.ok()) << "seed " << seed << ": " << recovered.status().ToString();
    ASSERT_EQ(recovered->entries, history) << "seed " << seed;
    auto log = TryOpen(*env, recovered->end);
    ASSERT_TRUE(log.ok()) << log.status().ToString();
    const auto taken = AppendSome(**log, prng, 40, fixed_bytes);
    history.insert(history.end(), taken.begin(), taken.end());
    const Lsn durable = (*log)->durable_lsn();
    auto crashed = env->CrashClone(prng());
    const auto after = ReadLog(*crashed);
    ASSERT_TRUE(after.ok()) << "seed " << seed << ": " << after.status().ToString();
    ASSERT_TRUE(IsPrefix(after->entries, history)) << "seed " << seed;
    ASSERT_GE(after->end, durable) << "seed " << seed << ": lost what was durable";
    history = after->entries;
    log->reset();
    env = std::move(crashed);
  }
}

TEST(LogCrashTest, WhatWasDurableIsThereAndTheRestIsAPrefix) {
  for (uint64_t seed = 1; seed <= 60; ++seed) LiveAndDie(seed, 0);
}

TEST(LogCrashTest, StaleRecordsNeverComeBack) {
  for (uint64_t seed = 1; seed <= 60; ++seed) LiveAndDie(seed, 300);
}

TEST(LogCrashTest, ACrashAtAnyFileCallIsSurvived) {
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    MemEnv base;
    FaultEnv env(base);
    Prng moments(seed);
    std::unique_ptr<MemEnv> crashed;
    std::atomic<uint64_t> durable_before{0};
    uint64_t durable_at_crash = 0;
    const uint64_t moment = moments.Below(150);
    Mutex hook_mu;
    env.SetHook([&](testutil::FaultOp, const std::string&) {
      MutexLock lock(hook_mu);
      if (env.op_count() < moment || crashed != nullptr) return;
      durable_at_crash = durable_before.load();
      crashed = base.CrashClone(seed);
    });
    Prng prng(seed);
    std::vector<LogEntry> history;
    for (int session = 0; session < 3; ++session) {
      const auto contents = ReadLog(env);
      ASSERT_TRUE(contents.ok());
      auto log = TryOpen(env, contents->end);
      ASSERT_TRUE(log.ok());
      for (int i = 0; i < 10; ++i) {
        for (LogEntry& entry : AppendSome(**log, prng, 5)) history.push_back(std::move(entry));
        durable_before.store((*log)->durable_lsn().value());
      }
    }
    if (crashed == nullptr) continue;
    const auto after = ReadLog(*crashed);
    ASSERT_TRUE(after.ok()) << "seed " << seed << ": " << after.status().ToString();
    EXPECT_TRUE(IsPrefix(after->entries, history)) << "seed " << seed;
    EXPECT_GE(after->end.value(), durable_at_crash) << "seed " << seed;
  }
}

// The control: a log that does not sync must be seen to lose what it called durable. If this test
// fails, the ones above prove nothing.
TEST(LogCrashTest, WithoutSyncsDurableRecordsAreLost) {
  for (const bool lying_disk : {false, true}) {
    int lost = 0;
    for (uint64_t seed = 1; seed <= 20; ++seed) {
      MemEnv env;
      if (lying_disk) env.SetSyncMode(testutil::SyncMode::kLies);
      LogOptions options = SmallOptions();
      options.fsync = lying_disk;
      Prng prng(seed);
      auto log = TryOpen(env, FirstLsn(), nullptr, options);
      ASSERT_TRUE(log.ok());
      AppendSome(**log, prng, 40);
      ASSERT_TRUE((*log)->WaitDurable((*log)->appended_lsn()).ok());
      const auto after = ReadLog(*env.CrashClone(seed));
      if (!after.ok() || after->end < (*log)->durable_lsn()) ++lost;
    }
    EXPECT_GT(lost, 10) << (lying_disk ? "disk lies" : "fsync off");
  }
}

TEST(LogCrashTest, KillingTheProcessLosesNothingWritten) {
  MemEnv env;
  Prng prng(1);
  auto log = TryOpen(env, FirstLsn());
  const auto taken = AppendSome(**log, prng, 100);
  ASSERT_TRUE((*log)->WaitDurable(taken.back().end).ok());
  EXPECT_EQ(ReadLog(*env.CrashClone(1, CrashLoss::kNothing))->entries, taken);
}

// ---- Failing calls.

TEST(LogFaultTest, AFailureOfAnyCallLosesNothingDurable) {
  uint64_t faults_seen = 0;
  for (uint64_t call = 0; call < 400; ++call) {
    MemEnv base;
    FaultEnv env(base);
    env.AddRule({.skip = call, .times = 1, .error = 5, .short_write = 0.6});
    RecordingObserver observer;
    Prng prng(call);
    std::vector<LogEntry> taken;
    Lsn durable = FirstLsn();
    {
      auto log = TryOpen(env, FirstLsn(), &observer);
      if (log.ok()) {
        taken = AppendSome(**log, prng, 60);
        (void)(*log)->RemoveBefore(FirstLsn());
        (void)(*log)->Close();
        durable = (*log)->durable_lsn();
        const Status failure = observer.failure();
        EXPECT_EQ(failure.ok(), !(*log)->status().Is(sqlstate::kIoError));
        if (!failure.ok()) {
          EXPECT_EQ(failure.error().radius, Radius::kDatabase);
          EXPECT_EQ((*log)->Append(1, "x", Durability::kSync).status().ToString(),
                    failure.ToString());
        } else if (env.fault_count() == 0) {
          EXPECT_EQ(durable, (*log)->appended_lsn());
        }
      } else {
        EXPECT_GT(env.fault_count(), 0U);
      }
    }
    if (env.fault_count() == 0) break;
    ++faults_seen;
    for (const CrashLoss loss : {CrashLoss::kRandom, CrashLoss::kNothing}) {
      const auto after = ReadLog(*base.CrashClone(call, loss));
      ASSERT_TRUE(after.ok()) << "call " << call << ": " << after.status().ToString();
      EXPECT_TRUE(IsPrefix(after->entries, taken)) << "call " << call;
      EXPECT_GE(after->end, durable) << "call " << call;
    }
  }
  EXPECT_GT(faults_seen, 50U);
}

TEST(LogFaultTest, AFailedSyncIsFinal) {
  MemEnv base;
  FaultEnv env(base);
  RecordingObserver observer;
  LogOptions options = SmallOptions();
  options.spare_segments = 0;  // The only syncs are the flusher's.
  auto log = TryOpen(env, FirstLsn(), &observer, options);
  ASSERT_TRUE(log.ok());
  const auto first = (*log)->Append(1, "durable", Durability::kSync);
  ASSERT_TRUE((*log)->WaitDurable(*first).ok());
  env.AddRule({.ops = testutil::kOpSync, .times = 1});
  const auto second = (*log)->Append(1, "unknown", Durability::kSync);
  ASSERT_TRUE(second.ok());
  EXPECT_TRUE((*log)->WaitDurable(*second).Is(sqlstate::kIoError));
  EXPECT_TRUE((*log)->WaitDurable(*first).ok());
  // The next sync would succeed, and would prove nothing.
  EXPECT_TRUE((*log)->Append(1, "more", Durability::kSync).status().Is(sqlstate::kIoError));
  EXPECT_EQ((*log)->durable_lsn(), *first);
  EXPECT_TRUE((*log)->Close().Is(sqlstate::kIoError));
  EXPECT_GE(ReadLog(*base.CrashClone(1, CrashLoss::kAll))->end, *first);
}

TEST(LogFaultTest, AFullDiskRefusesAppendsAndRecovers) {
  MemEnv env;
  env.SetCapacity(6 * 4096);
  RecordingObserver observer;
  auto log = TryOpen(env, FirstLsn(), &observer);
  ASSERT_TRUE(log.ok());
  std::vector<LogEntry> taken;
  Status full;
  while (taken.size() < 1000) {
    const auto end = (*log)->Append(1, std::string(100, 'x'), Durability::kSync);
    if (!end.ok()) {
      full = end.status();
      break;
    }
    taken.push_back({1, std::string(100, 'x'), *end});
  }
  EXPECT_TRUE(full.Is(sqlstate::kDiskFull)) << full.ToString();
  EXPECT_NE(full.ToString().find("No space left on device"), std::string::npos);
  EXPECT_EQ(full.error().radius, Radius::kStatement);
  // What was taken is durable, the log is readable and well.
  ASSERT_TRUE((*log)->WaitDurable(taken.back().end).ok());
  EXPECT_TRUE((*log)->status().ok());
  EXPECT_EQ(ReadLog(env)->entries, taken);
  EXPECT_TRUE(
      (*log)->Append(1, std::string(100, 'x'), Durability::kSync).status().Is(sqlstate::kDiskFull));
  // A record too long for the space there is leaves room for shorter ones once there is space.
  EXPECT_TRUE((*log)
                  ->Append(1, std::string(40000, 'x'), Durability::kSync)
                  .status()
                  .Is(sqlstate::kDiskFull));
  env.SetCapacity(100 * 4096);
  for (int i = 0; i < 50; ++i) {
    const auto end = (*log)->Append(1, std::string(100, 'y'), Durability::kSync);
    ASSERT_TRUE(end.ok()) << end.status().ToString();
    taken.push_back({1, std::string(100, 'y'), *end});
  }
  ASSERT_TRUE((*log)->Close().ok());
  EXPECT_EQ(ReadLog(env)->entries, taken);
  EXPECT_TRUE(observer.failure().ok());
}

// ---- Damage.

// A closed log of several syncs. `last_sync` gets where the last one began.
std::vector<LogEntry> MakeLog(MemEnv& env, Lsn* last_sync) {
  Prng prng(11);
  auto log = TryOpen(env, FirstLsn());
  EXPECT_TRUE(log.ok());
  std::vector<LogEntry> taken;
  for (int i = 0; i < 24; ++i) {
    *last_sync = (*log)->durable_lsn();
    const std::string payload = prng.Bytes(prng.Below(900));
    const auto end = (*log)->Append(1, payload, Durability::kSync);
    EXPECT_TRUE((*log)->WaitDurable(*end).ok());
    taken.push_back({1, payload, *end});
  }
  EXPECT_TRUE((*log)->Close().ok());
  return taken;
}

// What lies at `lsn` is the unused end of a segment: whatever it holds, no record is there.
bool InUnusedEnd(const std::vector<LogEntry>& log, uint64_t lsn) {
  const uint64_t segment_end = (lsn / 4096 + 1) * 4096;
  for (const LogEntry& entry : log) {
    const uint64_t end = entry.end.value();
    if (end <= lsn && end < segment_end && segment_end - end < kRecordBytesMin) return true;
  }
  return false;
}

TEST(LogDamageTest, EveryFlippedBitIsFound) {
  MemEnv env;
  Lsn last_sync;
  const auto taken = MakeLog(env, &last_sync);
  const uint64_t end = taken.back().end.value();
  Prng prng(12);
  int refused = 0;
  for (uint64_t lsn = 0; lsn < end; ++lsn) {
    const std::string path = std::string(kLogDir) + "/" + SegmentName(lsn / 4096 * 4096);
    const int bit = static_cast<int>(prng.Below(8));
    ASSERT_TRUE(env.FlipBit(path, lsn % 4096, bit).ok());
    const auto damaged = ReadLog(env);
    const auto known = ReadLog(env, FirstLsn(), {.system_id = 77, .must_reach = Lsn(end)});
    ASSERT_TRUE(env.FlipBit(path, lsn % 4096, bit).ok());
    if (InUnusedEnd(taken, lsn)) {
      ASSERT_TRUE(damaged.ok()) << damaged.status().ToString();
      EXPECT_EQ(damaged->entries, taken);
      continue;
    }
    // With the end known every flip is found; without, all but those of the last sync.
    EXPECT_TRUE(known.status().Is(sqlstate::kDataCorrupted)) << lsn;
    if (lsn < last_sync.value()) {
      ASSERT_FALSE(damaged.ok()) << "lsn " << lsn << " bit " << bit;
      EXPECT_TRUE(damaged.status().Is(sqlstate::kDataCorrupted));
      EXPECT_NE(damaged.status().ToString().find("\"" + path + "\" is damaged at offset"),
                std::string::npos)
          << lsn << ": " << damaged.status().ToString();
      ++refused;
    } else {
      ASSERT_TRUE(damaged.ok());
      EXPECT_EQ(damaged->entries.size(), taken.size() - 1);
    }
  }
  EXPECT_GT(refused, 8000);
  EXPECT_EQ(ReadLog(env)->entries, taken);
}

TEST(LogDamageTest, AMissingOrShortSegmentIsFound) {
  for (const bool truncate : {false, true}) {
    for (uint64_t start = 0;; start += 4096) {
      MemEnv env;
      Lsn last_sync;
      const auto taken = MakeLog(env, &last_sync);
      if (start + 4096 > last_sync.value()) break;
      const std::string path = std::string(kLogDir) + "/" + SegmentName(start);
      ASSERT_TRUE((truncate ? env.Truncate(path, 100) : env.Remove(path)).ok());
      const auto damaged = ReadLog(env);
      ASSERT_FALSE(damaged.ok()) << start;
      EXPECT_TRUE(damaged.status().Is(sqlstate::kDataCorrupted));
      // Of the first one only the folder is known: reading starts at a position in it.
      const std::string named = !truncate && start == 0 ? kLogDir : SegmentName(start);
      EXPECT_NE(damaged.status().ToString().find(named), std::string::npos)
          << damaged.status().ToString();
    }
  }
}

TEST(LogDamageTest, AnotherFoldersLogIsRefused) {
  MemEnv env;
  Lsn last_sync;
  MakeLog(env, &last_sync);
  const auto other = ReadLog(env, FirstLsn(), {.system_id = 78});
  EXPECT_TRUE(other.status().Is(sqlstate::kDataCorrupted));
  EXPECT_NE(other.status().ToString().find("another data folder"), std::string::npos);
  LogOptions options = SmallOptions();
  options.system_id = 78;
  EXPECT_FALSE(TryOpen(env, ReadLog(env)->end, nullptr, options).ok());
}

TEST(LogDamageTest, ALogThatEndsTooEarlyIsRefusedWhenTheEndIsKnown) {
  MemEnv env;
  EXPECT_TRUE(ReadLog(env)->entries.empty());
  const auto gone = ReadLog(env, FirstLsn(), {.system_id = 77, .must_reach = Lsn(5000)});
  EXPECT_TRUE(gone.status().Is(sqlstate::kDataCorrupted));
  EXPECT_TRUE(ReadLog(env, Lsn(5000)).status().Is(sqlstate::kDataCorrupted));
  Lsn last_sync;
  const auto taken = MakeLog(env, &last_sync);
  const Lsn end = taken.back().end;
  EXPECT_TRUE(ReadLog(env, FirstLsn(), {.system_id = 77, .must_reach = end}).ok());
  EXPECT_FALSE(
      ReadLog(env, FirstLsn(), {.system_id = 77, .must_reach = Lsn(end.value() + 8)}).ok());
  EXPECT_FALSE(ReadLog(env, Lsn(end.value() + 1'000'000)).ok());
}

}  // namespace
}  // namespace omendb::wal
