#include "base/epoch.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

namespace omendb {
namespace {

std::atomic<int> live{0};
struct Counted {
  explicit Counted(uint64_t v) : value(v), check(~v) { live.fetch_add(1); }
  ~Counted() {
    value = 0;
    check = 0;
    live.fetch_sub(1);
  }
  uint64_t value;
  uint64_t check;
};

TEST(EpochTest, ObjectOutlivesTheGuardThatCouldSeeIt) {
  EpochManager manager;
  {
    EpochGuard guard(manager);
    manager.RetireObject(new Counted(1));
    manager.Collect();
    manager.Collect();
    EXPECT_EQ(live.load(), 1);
    {
      EpochGuard nested(manager);
      manager.Collect();
    }
    manager.Collect();
    EXPECT_EQ(live.load(), 1) << "leaving a nested guard must not end the outer one";
  }
  manager.Collect();
  EXPECT_EQ(live.load(), 0);
  EXPECT_EQ(manager.pending(), 0u);
}

TEST(EpochTest, DestructorRunsWhatIsPending) {
  {
    EpochManager manager;
    for (int i = 0; i < 10; ++i) manager.RetireObject(new Counted(i));
  }
  EXPECT_EQ(live.load(), 0);
}

TEST(EpochTest, ThreadsMayEndBeforeAndAfterTheManager) {
  auto manager = std::make_unique<EpochManager>();
  for (int i = 0; i < 8; ++i) {
    std::thread([&] {
      EpochGuard guard(*manager);
      manager->RetireObject(new Counted(i));
    }).join();
  }
  std::atomic<bool> entered{false}, destroyed{false};
  std::thread survivor([&] {
    { EpochGuard guard(*manager); }
    entered = true;
    while (!destroyed) std::this_thread::yield();
  });
  while (!entered) std::this_thread::yield();
  manager.reset();
  destroyed = true;
  survivor.join();
  EXPECT_EQ(live.load(), 0);
}

TEST(EpochTest, TwoManagersInOneThreadAreIndependent) {
  EpochManager a, b;
  EpochGuard guard(a);
  b.RetireObject(new Counted(1));
  { EpochGuard other(b); }
  b.Collect();
  EXPECT_EQ(live.load(), 0) << "a guard of one manager must not hold back another's objects";
}

TEST(EpochTest, ReadersNeverSeeAFreedObject) {
  EpochManager manager;
  std::atomic<Counted*> shared{new Counted(0)};
  std::atomic<bool> stop{false};
  std::atomic<uint64_t> reads{0};
  std::vector<std::thread> readers;
  for (int i = 0; i < 3; ++i) {
    readers.emplace_back([&] {
      while (!stop.load(std::memory_order_relaxed)) {
        EpochGuard guard(manager);
        const Counted* object = shared.load(std::memory_order_acquire);
        ASSERT_EQ(object->value, ~object->check);
        reads.fetch_add(1, std::memory_order_relaxed);
      }
    });
  }
  uint64_t i = 0;
  while (i < 20000 || reads.load() < 1000) {
    manager.RetireObject(shared.exchange(new Counted(++i), std::memory_order_acq_rel));
  }
  stop = true;
  for (auto& reader : readers) reader.join();
  delete shared.load();
  manager.Collect();
  EXPECT_EQ(live.load(), 0);
}

// Retirements free what is due by themselves, without waiting, and hold back a bounded amount.
TEST(Epoch, RetiringFreesWithoutCollect) {
  EpochManager manager;
  std::atomic<bool> entered{false}, leave{false};
  std::thread other([&] {
    { EpochGuard guard(manager); }
    entered = true;
    while (!leave.load()) std::this_thread::yield();
  });
  while (!entered.load()) std::this_thread::yield();
  for (int i = 0; i < 200000; ++i) {
    manager.RetireObject(new Counted(i));
    ASSERT_LE(manager.pending(), 20000u);
  }
  EXPECT_GT(live.load(), 0) << "the newest are still pending";
  leave = true;
  other.join();
  manager.Collect();
  EXPECT_EQ(live.load(), 0);
}

// No other thread may look, so there is nothing to wait for.
TEST(Epoch, ThreadThatIsAloneHoldsBackLittle) {
  EpochManager manager;
  const auto retire = [&manager](int i) {
    EpochGuard guard(manager);
    manager.RetireObject(new Counted(i));
  };
  for (int i = 0; i < 10000; ++i) {
    retire(i);
    ASSERT_LE(manager.pending(), 128u);
  }
  manager.Collect();
  EXPECT_EQ(live.load(), 0);
}

TEST(Epoch, ThreadThatIsAloneKeepsWhatItsOwnGuardMaySee) {
  EpochManager manager;
  {
    EpochGuard guard(manager);
    for (int i = 0; i < 10000; ++i) manager.RetireObject(new Counted(i));
    EXPECT_EQ(live.load(), 10000);
  }
  manager.Collect();
  EXPECT_EQ(live.load(), 0);
}

TEST(Epoch, RetiringFreesNothingThatAGuardMaySee) {
  EpochManager manager;
  std::atomic<Counted*> shared{new Counted(7)};
  std::atomic<bool> entered{false}, leave{false};
  std::thread reader([&] {
    EpochGuard guard(manager);
    const Counted* object = shared.load(std::memory_order_acquire);
    entered = true;
    while (!leave.load()) std::this_thread::yield();
    ASSERT_EQ(object->value, ~object->check);
  });
  while (!entered.load()) std::this_thread::yield();
  manager.RetireObject(shared.exchange(nullptr, std::memory_order_acq_rel));
  for (int i = 0; i < 50000; ++i) manager.RetireObject(new Counted(i));
  EXPECT_EQ(manager.pending(), 50001u);
  leave = true;
  reader.join();
  manager.Collect();
  EXPECT_EQ(live.load(), 0);
}

}  // namespace
}  // namespace omendb
