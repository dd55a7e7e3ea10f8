// Transactions whose changes are in the log before they commit, when a checkpoint begins to read it
// in the middle of them.
#include <gtest/gtest.h>

#include "engine/segments_fixture.h"

namespace omendb::engine {
namespace {

class SpilledRedoTest : public SegmentsTest {
 protected:
  // More than a transaction keeps to itself.
  void InsertMany(Engine& e, txn::Transaction& txn, int32_t first, Pairs* rows) {
    const std::string text(1000, 'x');
    StatementContext context = e.Statement(txn);
    auto relation = e.Open(context);
    for (int32_t id = first; id < first + 1500; ++id) {
      const types::Value row[] = {Int(id), Int(id), Text(text)};
      ASSERT_TRUE(relation->Insert(context, row).ok());
      if (rows != nullptr) (*rows)[id] = id;
    }
  }
};

// One has forgotten some of its changes and ended; another, which began to write in between, goes
// on over the checkpoint. So the log is read from behind the first one's first changes.
TEST_F(SpilledRedoTest, WhatAnEndedTransactionForgetsIsNotLookedFor) {
  for (const bool commits : {true, false}) {
    expected_.clear();
    Engine e;
    e.CreateTable({});
    auto first = e.Begin();
    auto second = e.Begin();
    Pairs of_first;
    InsertMany(e, *first, 0, &of_first);
    const uint64_t savepoint = first->Mark();
    InsertMany(e, *first, 10'000, nullptr);
    Pairs of_second;
    InsertMany(e, *second, 100'000, &of_second);
    first->RollbackTo(savepoint);
    InsertMany(e, *first, 20'000, &of_first);
    if (commits) {
      ASSERT_TRUE(e.Commit(*first).ok());
      expected_ = of_first;
    } else {
      e.db->Abort(*first);
    }
    ASSERT_TRUE(e.db->Checkpoint().ok());
    InsertMany(e, *second, 110'000, &of_second);
    ASSERT_TRUE(e.Commit(*second).ok());
    expected_.insert(of_second.begin(), of_second.end());
    e.Crash(1);
    EXPECT_EQ(Committed(e), expected_);
  }
}

}  // namespace
}  // namespace omendb::engine
