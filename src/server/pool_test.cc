#include "server/pool.h"

#include <gtest/gtest.h>

#include <atomic>

namespace omendb::server {
namespace {

void Await(const std::shared_ptr<WaitPoint>& point) {
  ThreadWaiter waiter;
  EXPECT_TRUE(waiter.Wait(point, kNoDeadline, nullptr).ok());
}

TEST(PoolTest, RunsEveryTask) {
  AnalyticalPool pool(2);
  std::atomic<int> ran{0};
  std::vector<std::shared_ptr<WaitPoint>> done;
  for (int i = 0; i < 200; ++i) {
    done.push_back(std::make_shared<WaitPoint>());
    pool.Submit([&](Waiter&) { ++ran; }, done.back());
  }
  for (const auto& point : done) Await(point);
  EXPECT_EQ(ran, 200);
}

TEST(PoolTest, NeverRunsMoreThanItAdmits) {
  AnalyticalPool pool(3);
  std::atomic<int> running{0};
  std::atomic<int> most{0};
  std::vector<std::shared_ptr<WaitPoint>> done;
  for (int i = 0; i < 300; ++i) {
    done.push_back(std::make_shared<WaitPoint>());
    pool.Submit(
        [&](Waiter&) {
          const int now = ++running;
          int seen = most;
          while (seen < now && !most.compare_exchange_weak(seen, now)) {
          }
          --running;
        },
        done.back());
  }
  for (const auto& point : done) Await(point);
  EXPECT_LE(most, 3);
}

// The thread that has signalled the end of a task takes the next one, however soon it comes.
TEST(PoolTest, TasksOneAfterAnotherShareAThread) {
  AnalyticalPool pool(4);
  for (int i = 0; i < 5000; ++i) {
    const auto done = std::make_shared<WaitPoint>();
    pool.Submit([](Waiter&) {}, done);
    Await(done);
  }
  EXPECT_EQ(pool.threads(), 1u);
}

TEST(PoolTest, WaitingTasksMakeRoomForTheOneTheyWaitFor) {
  AnalyticalPool pool(2);
  std::vector<std::shared_ptr<WaitPoint>> released;
  std::vector<std::shared_ptr<WaitPoint>> done;
  for (int i = 0; i < 8; ++i) {
    released.push_back(std::make_shared<WaitPoint>());
    done.push_back(std::make_shared<WaitPoint>());
    pool.Submit([point = released.back()](
                    Waiter& waiter) { EXPECT_TRUE(waiter.Wait(point, kNoDeadline, nullptr).ok()); },
                done.back());
  }
  const auto last = std::make_shared<WaitPoint>();
  pool.Submit(
      [&](Waiter&) {
        for (const auto& point : released) point->Signal();
      },
      last);
  Await(last);
  for (const auto& point : done) Await(point);
}

TEST(PoolTest, ACancelledWaitKeepsTheCount) {
  AnalyticalPool pool(1);
  CancelFlag cancel;
  cancel.Set(CancelFlag::Reason::kUserRequest);
  const auto first = std::make_shared<WaitPoint>();
  pool.Submit(
      [&](Waiter& waiter) {
        EXPECT_EQ(waiter.Wait(std::make_shared<WaitPoint>(), kNoDeadline, &cancel).sqlstate(),
                  "57014");
      },
      first);
  Await(first);
  EXPECT_EQ(pool.active(), 0);
  const auto second = std::make_shared<WaitPoint>();
  pool.Submit([](Waiter&) {}, second);
  Await(second);
}

}  // namespace
}  // namespace omendb::server
