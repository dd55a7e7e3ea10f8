#include "engine/sequences.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <thread>

#include "base/sqlstate.h"

namespace omendb::engine {
namespace {

catalog::SequenceDef Sequence() {
  catalog::SequenceDef sequence;
  sequence.oid = Oid(16384);
  sequence.name = "s";
  return sequence;
}

// A log that remembers the newest state, as recovery would find it.
struct FakeLog {
  SequenceStore::State newest;
  int records = 0;
  bool broken = false;
  SequenceStore::Log Function() {
    return [this](Oid, const SequenceStore::State& state) -> Status {
      if (broken) return Status(sqlstate::kIoError, "log is broken");
      newest = state;
      ++records;
      return Status::Ok();
    };
  }
};

TEST(SequenceStoreTest, CountsFromStartAndLogsOnceForManyValues) {
  FakeLog log;
  SequenceStore store(log.Function());
  for (int64_t expected = 1; expected <= 32; ++expected) {
    EXPECT_EQ(store.Next(Sequence()).value(), expected);
  }
  EXPECT_EQ(log.records, 1);
  EXPECT_EQ(store.Next(Sequence()).value(), 33);
  EXPECT_EQ(log.records, 2);
}

TEST(SequenceStoreTest, ACrashNeverRepeatsAValue) {
  for (int taken = 1; taken <= 100; ++taken) {
    FakeLog log;
    SequenceStore store(log.Function());
    int64_t last = 0;
    for (int i = 0; i < taken; ++i) last = store.Next(Sequence()).value();
    SequenceStore recovered(log.Function());
    recovered.Restore(Oid(16384), log.newest);
    EXPECT_GT(recovered.Next(Sequence()).value(), last);
  }
}

TEST(SequenceStoreTest, EndsWithAnErrorOrCycles) {
  FakeLog log;
  SequenceStore store(log.Function());
  catalog::SequenceDef sequence = Sequence();
  sequence.max_value = 3;
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(store.Next(sequence).ok());
  const Status end = store.Next(sequence).status();
  EXPECT_EQ(end.ToString(), "2200H: nextval: reached maximum value of sequence \"s\" (3)");
  EXPECT_EQ(store.Get(sequence).last_value, 3);
  sequence.cycle = true;
  EXPECT_EQ(store.Next(sequence).value(), 1);
}

TEST(SequenceStoreTest, ReachesTheExtremesOfItsTypeWithoutOverflow) {
  FakeLog log;
  SequenceStore store(log.Function());
  catalog::SequenceDef sequence = Sequence();
  ASSERT_TRUE(store.Set(sequence, {INT64_MAX - 1, true}).ok());
  EXPECT_EQ(store.Next(sequence).value(), INT64_MAX);
  EXPECT_EQ(store.Next(sequence).status().sqlstate(), "2200H");
  sequence.oid = Oid(16385);
  sequence.increment = -1;
  sequence.min_value = INT64_MIN;
  sequence.max_value = -1;
  sequence.start = INT64_MIN;
  EXPECT_EQ(store.Next(sequence).value(), INT64_MIN);
  EXPECT_EQ(store.Next(sequence).status().error().message,
            "nextval: reached minimum value of sequence \"s\" (-9223372036854775808)");
}

TEST(SequenceStoreTest, SetTakesEffectAtOnceAndIsLogged) {
  FakeLog log;
  SequenceStore store(log.Function());
  ASSERT_TRUE(store.Next(Sequence()).ok());
  ASSERT_TRUE(store.Set(Sequence(), {100, false}).ok());
  EXPECT_EQ(log.newest.last_value, 100);
  EXPECT_EQ(store.Next(Sequence()).value(), 100);
  EXPECT_EQ(store.Next(Sequence()).value(), 101);
}

TEST(SequenceStoreTest, AFailedLogGivesNoValue) {
  FakeLog log;
  SequenceStore store(log.Function());
  log.broken = true;
  EXPECT_EQ(store.Next(Sequence()).status().sqlstate(), "58030");
  log.broken = false;
  EXPECT_EQ(store.Next(Sequence()).value(), 1);
}

TEST(SequenceStoreTest, ThreadsNeverGetTheSameValue) {
  FakeLog log;
  SequenceStore store(log.Function());
  constexpr int kThreads = 4;
  constexpr int kValues = 2000;
  std::vector<std::vector<int64_t>> taken(kThreads);
  std::vector<std::thread> threads;
  for (auto& mine : taken) {
    threads.emplace_back([&store, &mine] {
      for (int i = 0; i < kValues; ++i) mine.push_back(store.Next(Sequence()).value());
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::set<int64_t> all;
  for (const auto& mine : taken) all.insert(mine.begin(), mine.end());
  EXPECT_EQ(all.size(), static_cast<size_t>(kThreads) * kValues);
  EXPECT_EQ(*all.rbegin(), kThreads * kValues);
}

}  // namespace
}  // namespace omendb::engine
