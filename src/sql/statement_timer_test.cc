#include "sql/statement_timer.h"

#include <gtest/gtest.h>

namespace omendb::sql {
namespace {

// A statement's flag that can be waited for.
class Statement {
 public:
  Statement() {
    flag_.OnSet([this] { set_->Signal(); });
  }
  CancelFlag& flag() { return flag_; }
  bool TimesOut() {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    return waiter_.Wait(set_, deadline, nullptr).ok() &&
           flag_.reason() == CancelFlag::Reason::kStatementTimeout;
  }

 private:
  std::shared_ptr<WaitPoint> set_ = std::make_shared<WaitPoint>();
  ThreadWaiter waiter_;
  CancelFlag flag_;
};

constexpr uint64_t kLongMs = 3'600'000;

TEST(StatementTimerTest, AnEarlierDeadlineThanTheOneSleptForCounts) {
  StatementTimer timer;
  Statement late;
  Statement early;
  const uint64_t id = timer.Arm(kLongMs, late.flag());
  timer.Arm(5, early.flag());
  EXPECT_TRUE(early.TimesOut());
  timer.Disarm(id);
  EXPECT_FALSE(late.flag().set());
}

TEST(StatementTimerTest, ALaterDeadlineIsMetThoughNobodyWasWoken) {
  StatementTimer timer;
  Statement ended;
  timer.Disarm(timer.Arm(20, ended.flag()));  // The thread sleeps for it all the same.
  Statement second;
  timer.Arm(40, second.flag());
  EXPECT_TRUE(second.TimesOut());
  EXPECT_FALSE(ended.flag().set());
  Statement third;
  timer.Arm(5, third.flag());
  EXPECT_TRUE(third.TimesOut());
}

TEST(StatementTimerTest, ManyThatEndInTimeLeaveTheNextItsTimeout) {
  StatementTimer timer;
  Statement in_time;
  for (int i = 0; i < 1000; ++i) timer.Disarm(timer.Arm(kLongMs, in_time.flag()));
  Statement late;
  timer.Arm(1, late.flag());
  EXPECT_TRUE(late.TimesOut());
  EXPECT_FALSE(in_time.flag().set());
}

}  // namespace
}  // namespace omendb::sql
