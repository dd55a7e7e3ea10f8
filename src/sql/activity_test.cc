#include "sql/activity.h"

#include <gtest/gtest.h>

#include <thread>

namespace omendb::sql {
namespace {

using State = ActivitySlot::State;

class ActivityTest : public testing::Test {
 protected:
  CancelFlag cancel_;
  ActivitySlot slot_{ActivityEntry{}, cancel_};
};

TEST_F(ActivityTest, AStatementIsActiveUntilItsEndAndStaysAsTheLastOne) {
  EXPECT_EQ(slot_.Copy().state, "idle");
  EXPECT_EQ(slot_.Copy().query, "");
  slot_.SetQuery("SELECT 1");
  EXPECT_EQ(slot_.Copy().state, "active");
  slot_.SetState(State::kIdleInTransaction, 7);
  const ActivityEntry entry = slot_.Copy();
  EXPECT_EQ(entry.state, "idle in transaction");
  EXPECT_EQ(entry.query, "SELECT 1");
  EXPECT_EQ(entry.transaction_start, 7);
  EXPECT_EQ(entry.query_start, 7);
  slot_.SetState(State::kIdle, 0);
  EXPECT_EQ(slot_.Copy().transaction_start, 0);
  EXPECT_EQ(slot_.Copy().query_start, 7);
}

TEST_F(ActivityTest, TheTextIsCutAndTheSameOneIsKept) {
  const auto text = std::make_shared<const std::string>(5000, 'x');
  slot_.SetQuery(text);
  slot_.SetQuery(text);
  EXPECT_EQ(slot_.Copy().query, std::string(1024, 'x'));
  EXPECT_EQ(text.use_count(), 2);
  slot_.SetQuery(std::string_view("SELECT 2"));
  EXPECT_EQ(text.use_count(), 1);
  slot_.SetQuery(std::string_view("SELECT 2"));
  EXPECT_EQ(slot_.Copy().query, "SELECT 2");
}

TEST_F(ActivityTest, ATextIsCutBetweenCharacters) {
  std::string text(1023, 'x');
  slot_.SetQuery(std::string_view(text + "\u00e9"));
  EXPECT_EQ(slot_.Copy().query, text);
  slot_.SetQuery(std::make_shared<const std::string>(text + "\u00e9"));
  EXPECT_EQ(slot_.Copy().query, text);
  text.pop_back();
  slot_.SetQuery(std::string_view(text + "\u00e9y"));
  EXPECT_EQ(slot_.Copy().query, text + "\u00e9");
}

// State and times of two different statements are never seen together.
TEST_F(ActivityTest, AReaderSeesOneStatementAtATime) {
  std::atomic<bool> stop{false};
  std::thread reader([&] {
    while (!stop) {
      const ActivityEntry entry = slot_.Copy();
      if (entry.state == "active" || entry.query.empty()) continue;
      EXPECT_EQ(entry.query_start, entry.transaction_start);
      EXPECT_EQ(entry.query_start, entry.state_change);
      EXPECT_EQ(entry.state, entry.query_start % 2 == 0 ? "idle in transaction"
                                                        : "idle in transaction (aborted)");
    }
  });
  const auto even = std::make_shared<const std::string>("even");
  const auto odd = std::make_shared<const std::string>("odd");
  for (int64_t i = 1; i < 200'000; ++i) {
    slot_.SetQuery(i % 8 < 4 ? even : odd);
    slot_.SetState(i % 2 == 0 ? State::kIdleInTransaction : State::kIdleAborted, i);
  }
  stop = true;
  reader.join();
}

}  // namespace
}  // namespace omendb::sql
