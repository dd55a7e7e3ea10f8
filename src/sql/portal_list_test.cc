#include "sql/portal_list.h"

#include <gtest/gtest.h>

namespace omendb::sql {
namespace {

PortalState* Open(PortalList& list, const std::string& name) {
  auto portal = list.New();
  portal->name = name;
  PortalState* const opened = portal.get();
  list.Open(std::move(portal));
  return opened;
}

TEST(PortalListTest, FindsByNameUntilClosed) {
  PortalList list;
  PortalState* const unnamed = Open(list, "");
  PortalState* const named = Open(list, "c");
  EXPECT_EQ(list.Find(""), unnamed);
  EXPECT_EQ(list.Find("c"), named);
  EXPECT_EQ(list.Find("d"), nullptr);
  list.Close(*unnamed);
  EXPECT_EQ(list.Find(""), nullptr);
  EXPECT_EQ(list.Find("c"), named);
}

TEST(PortalListTest, APortalThatGetsTheMemoryOfAnotherHasNothingElseOfIt) {
  PortalList list;
  PortalState* const first = Open(list, "first");
  first->state = PortalState::State::kDone;
  first->hold = first->is_cursor = true;
  first->rows_affected = 3;
  first->tag = "SELECT 3";
  first->params.push_back(types::Value::Int32(1));
  first->arena.Copy("bytes");
  first->buffer.rows.emplace_back();
  first->utility_columns.emplace_back();
  list.Close(*first);
  const auto next = list.New();
  EXPECT_EQ(next.get(), first);
  EXPECT_EQ(next->name, "");
  EXPECT_EQ(next->state, PortalState::State::kReady);
  EXPECT_FALSE(next->hold || next->is_cursor);
  EXPECT_EQ(next->rows_affected, 0U);
  EXPECT_EQ(next->tag, "");
  EXPECT_TRUE(next->params.empty() && next->buffer.rows.empty() && next->utility_columns.empty());
  EXPECT_NE(list.New().get(), next.get());
}

TEST(PortalListTest, LargeParametersAreNotKept) {
  PortalList list;
  PortalState* const large = Open(list, "");
  large->arena.Allocate(1 << 20);
  list.Close(*large);
  EXPECT_EQ(list.New()->arena.bytes_reserved(), 0U);
}

TEST(PortalListTest, ClosesThoseThatAreAskedFor) {
  PortalList list;
  for (int i = 0; i < 10; ++i) Open(list, std::to_string(i))->is_cursor = i % 3 != 0;
  list.CloseIf([](const PortalState& portal) { return portal.is_cursor; });
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(list.Find(std::to_string(i)) != nullptr, i % 3 == 0) << i;
  }
}

}  // namespace
}  // namespace omendb::sql
