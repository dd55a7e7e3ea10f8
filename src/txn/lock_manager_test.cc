#include "txn/lock_manager.h"

#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <set>
#include <thread>

#include "base/sqlstate.h"
#include "testing/prng.h"

namespace omendb::txn {
namespace {

constexpr uint64_t kTable = 77;
constexpr RowLockMode kModes[] = {RowLockMode::kKeyShare, RowLockMode::kShare,
                                  RowLockMode::kNoKeyUpdate, RowLockMode::kUpdate};

LockKey Row(uint64_t row) { return {LockKind::kRow, kTable, row}; }

// One transaction's way to lock rows: as TransactionImpl does, with shares kept as bits or not.
class Locks {
 public:
  explicit Locks(bool as_bits) : as_bits_(as_bits) {}

  bool Lock(LockOwner owner, uint64_t row, RowLockMode mode) {
    const auto flag = [&] { return flagged_.insert(row).second || true; };
    if (as_bits_ && mode == RowLockMode::kKeyShare && manager_.ShareRow(owner, Row(row), flag)) {
      shared_[owner].insert(row);
      return true;
    }
    const auto held = manager_.Acquire(owner, Row(row), ModeOf(mode), LockWait::kNoWait, {}, flag);
    if (held.ok() && *held) single_[owner].insert(row);
    return held.ok() && *held;
  }
  void End(LockOwner owner) {
    for (const uint64_t row : single_[owner]) {
      manager_.ReleaseAll(owner, Row(row), [&] { flagged_.erase(row); });
    }
    for (const uint64_t row : shared_[owner]) {
      manager_.ReleaseShares(owner, Row(row), [&](uint64_t last) { flagged_.erase(last); });
    }
    single_[owner].clear();
    shared_[owner].clear();
  }
  bool Compatible(LockOwner owner, uint64_t row, RowLockMode mode) {
    return manager_.Compatible(owner, Row(row), ModeOf(mode));
  }
  const std::set<uint64_t>& flagged() const { return flagged_; }

 private:
  const bool as_bits_;
  WaitGraph graph_;
  LockManager manager_{graph_};
  std::map<LockOwner, std::set<uint64_t>> single_;
  std::map<LockOwner, std::set<uint64_t>> shared_;
  std::set<uint64_t> flagged_;
};

TEST(LockManagerTest, SharesKeptAsBitsAreLocksAsAnyOther) {
  constexpr uint64_t kRows[] = {0, 1, 63, 64, 1023, 1024, 5000};
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    SCOPED_TRACE(seed);
    testutil::Prng random(seed);
    Locks bits(/*as_bits=*/true);
    Locks plain(/*as_bits=*/false);
    for (int step = 0; step < 300; ++step) {
      const LockOwner owner = 1 + random.Below(4);
      const uint64_t row = kRows[random.Below(std::size(kRows))];
      const RowLockMode mode = kModes[random.Chance(0.5) ? 0 : random.Below(4)];
      if (random.Below(12) == 0) {
        bits.End(owner);
        plain.End(owner);
      } else {
        ASSERT_EQ(bits.Lock(owner, row, mode), plain.Lock(owner, row, mode));
      }
      ASSERT_EQ(bits.flagged(), plain.flagged());
      for (const RowLockMode asked : kModes) {
        ASSERT_EQ(bits.Compatible(owner, row, asked), plain.Compatible(owner, row, asked));
      }
    }
    for (LockOwner owner = 1; owner <= 4; ++owner) bits.End(owner);
    EXPECT_TRUE(bits.flagged().empty());
  }
}

class WaitingTest : public ::testing::Test {
 protected:
  Result<bool> Update(LockOwner owner, uint64_t row) {
    return manager_.Acquire(owner, Row(row), ModeOf(RowLockMode::kUpdate), LockWait::kWait,
                            {&waiter_, nullptr, 0});
  }
  bool Share(LockOwner owner, uint64_t row) {
    return manager_.ShareRow(owner, Row(row), [] { return true; });
  }
  void Await(size_t waits) {
    while (graph_.size() < waits) std::this_thread::yield();
  }

  ThreadWaiter waiter_;
  WaitGraph graph_;
  LockManager manager_{graph_};
};

TEST_F(WaitingTest, WhoWantsToUpdateWaitsForAllWhoShare) {
  ASSERT_TRUE(Share(1, 5));
  ASSERT_TRUE(Share(2, 5));
  ASSERT_TRUE(Share(1, 6));
  std::atomic<bool> held{false};
  std::thread waiting([&] {
    const auto updated = Update(3, 5);
    held = updated.ok() && *updated;
  });
  Await(1);
  EXPECT_FALSE(Share(4, 5));  // It would have to wait behind.
  EXPECT_TRUE(Share(4, 6));
  std::set<uint64_t> last;
  manager_.ReleaseShares(1, Row(5), [&](uint64_t row) { last.insert(row); });
  EXPECT_TRUE(last.empty());  // Another one shares each.
  EXPECT_EQ(graph_.size(), 1U);
  manager_.ReleaseShares(2, Row(5), [&](uint64_t row) { last.insert(row); });
  waiting.join();
  EXPECT_TRUE(held);
  EXPECT_TRUE(last.empty());
  EXPECT_FALSE(Share(4, 5));
  manager_.ReleaseShares(4, Row(6), [&](uint64_t row) { last.insert(row); });
  EXPECT_EQ(last, std::set<uint64_t>{6});
}

TEST_F(WaitingTest, WhoSharesPassesWhoWaitsForIt) {
  ASSERT_TRUE(Share(1, 5));
  std::thread waiting([&] { EXPECT_TRUE(Update(2, 5).ok()); });
  Await(1);
  const auto own = Update(1, 5);  // Waiting behind the other would never end.
  EXPECT_TRUE(own.ok() && *own);
  manager_.ReleaseAll(1, Row(5));
  manager_.ReleaseShares(1, Row(5), [](uint64_t) {});
  waiting.join();
}

TEST_F(WaitingTest, ACycleOfSharesIsFound) {
  ASSERT_TRUE(Share(1, 5));
  ASSERT_TRUE(Share(2, 6));
  std::thread waiting([&] { EXPECT_TRUE(Update(1, 6).ok()); });
  Await(1);
  const auto closes = Update(2, 5);
  ASSERT_FALSE(closes.ok());
  EXPECT_TRUE(closes.status().Is(sqlstate::kDeadlockDetected));
  manager_.ReleaseShares(2, Row(6), [](uint64_t) {});
  waiting.join();
}

}  // namespace
}  // namespace omendb::txn
