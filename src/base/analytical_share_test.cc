#include "base/analytical_share.h"

#include <gtest/gtest.h>

namespace omendb {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Nanos = AnalyticalShare::Nanos;

// A machine of four processors on which one thread of analytics runs without end, but for pauses.
class AnalyticalShareTest : public ::testing::Test {
 protected:
  AnalyticalShare Make(double share) {
    return AnalyticalShare({.share = share,
                            .processors = 4,
                            .statements = [this] { return statements_; },
                            .now = [this] { return now_; },
                            .idle = [this] { return idle_; }});
  }

  // Returns how many processors analytics had. `threads`: what it wants; `idle` and `statements`
  // are the machine's in each second.
  double Run(AnalyticalShare& share, double threads, seconds time, double idle,
             uint64_t statements) {
    const Nanos end = now_ + time;
    Nanos used{0};
    const uint64_t before = statements_;
    const Nanos begin = now_;
    const Nanos idle_before = idle_;
    const auto pass = [&](Nanos span) {
      now_ += span;
      const double passed = std::chrono::duration<double>(now_ - begin).count();
      idle_ = idle_before + Nanos(static_cast<int64_t>(idle * passed * 1e9));
      statements_ = before + static_cast<uint64_t>(static_cast<double>(statements) * passed);
    };
    while (now_ < end) {
      const Nanos piece = milliseconds(1);
      pass(piece);
      const Nanos used_now(static_cast<int64_t>(static_cast<double>(piece.count()) * threads));
      used += used_now;
      pass(share.Use(used_now));
    }
    return std::chrono::duration<double>(used).count() /
           std::chrono::duration<double>(now_ - begin).count();
  }

  Nanos now_ = seconds(1);
  Nanos idle_{0};
  uint64_t statements_ = 0;
};

TEST_F(AnalyticalShareTest, IsEverythingWithoutTransactions) {
  AnalyticalShare share = Make(0.25);
  EXPECT_DOUBLE_EQ(Run(share, 4, seconds(2), 0, 0), 4);
  EXPECT_DOUBLE_EQ(Run(share, 4, seconds(2), 0, 20), 4);  // A few are no load.
  EXPECT_DOUBLE_EQ(share.limit(), 4);
}

TEST_F(AnalyticalShareTest, IsTheLeastWhereNothingIsIdle) {
  AnalyticalShare share = Make(0.25);
  Run(share, 4, seconds(1), 0, 10'000);
  EXPECT_DOUBLE_EQ(share.limit(), 1);
  EXPECT_NEAR(Run(share, 4, seconds(2), 0, 10'000), 1, 0.02);
  // Who wants less does not pause.
  EXPECT_DOUBLE_EQ(Run(share, 0.5, seconds(2), 0, 10'000), 0.5);
}

TEST_F(AnalyticalShareTest, HasWhatIsIdle) {
  AnalyticalShare share = Make(0.25);
  Run(share, 4, seconds(1), 0, 10'000);
  Run(share, 4, seconds(1), 1.2, 10'000);  // Less than a third: kept for transactions.
  EXPECT_DOUBLE_EQ(share.limit(), 1);
  Run(share, 4, seconds(1), 2.5, 10'000);
  EXPECT_DOUBLE_EQ(share.limit(), 4);
  EXPECT_DOUBLE_EQ(Run(share, 4, seconds(1), 2.5, 10'000), 4);
}

TEST_F(AnalyticalShareTest, IsEverythingAgainWhenTransactionsEnd) {
  AnalyticalShare share = Make(0.25);
  Run(share, 4, seconds(1), 0, 10'000);
  Run(share, 4, seconds(1), 0, 0);
  EXPECT_DOUBLE_EQ(Run(share, 4, seconds(1), 0, 0), 4);
}

TEST_F(AnalyticalShareTest, OfOneIsNoLimit) {
  AnalyticalShare share = Make(1);
  EXPECT_DOUBLE_EQ(Run(share, 4, seconds(2), 0, 10'000), 4);
}

TEST(AnalyticalShareMachineTest, TellsTimes) {
  const Nanos now = AnalyticalShare::ReadNow();
  EXPECT_GT(now.count(), 0);
  EXPECT_GE(AnalyticalShare::ReadNow(), now);
  EXPECT_GE(AnalyticalShare::ReadIdle().count(), 0);
}

}  // namespace
}  // namespace omendb
