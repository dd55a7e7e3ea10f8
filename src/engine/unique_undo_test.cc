// Keys of unique indexes that are taken, while updates of the rows that have them are undone.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "engine/bulk_update_fixture.h"

namespace omendb::engine {
namespace {

class UniqueUndoTest : public BulkUpdateTest {
 protected:
  static constexpr int32_t kRows = 200;

  UniqueUndoTest() { spec_ = {.unique = {{1}}}; }

  // Inserts keys of rows again and again for some seconds, while `change` is done and undone: none
  // is accepted, since each key is that of a committed row all the time.
  void Run(Engine& e, const std::function<void(txn::Transaction&)>& change) {
    std::atomic<bool> stop{false};
    std::thread undoing([&] {
      while (!stop) {
        auto txn = e.Begin();
        change(*txn);
        e.db->Abort(*txn);
      }
    });
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(3);
    ThreadWaiter waiter;
    bool taken = true;
    for (int32_t i = 0; taken && std::chrono::steady_clock::now() < until; ++i) {
      auto txn = e.Begin();
      StatementContext context = e.Statement(*txn);
      context.waiter = &waiter;
      const types::Value row[] = {Int(100'000 + i), Int(10 * (i % kRows)), Text("again")};
      const Status inserted = e.Open(context)->Insert(context, row).status();
      taken = inserted.Is(sqlstate::kUniqueViolation);
      EXPECT_TRUE(taken) << i << ": " << inserted.ToString();
      e.db->Abort(*txn);
    }
    stop = true;
    undoing.join();
    CheckIndexes(e, expected_);
  }
};

TEST_F(UniqueUndoTest, OfRowsInPages) {
  Engine e;
  SegmentsTest::Fill(e, kRows, expected_, spec_);
  Run(e, [&](txn::Transaction& txn) {
    for (int32_t id = 0; id < kRows; ++id) Change(e, txn, id, 10 * id + 1);
  });
}

TEST_F(UniqueUndoTest, OfRowsReplacedInSegments) {
  Engine e;
  Fill(e, kRows);
  Run(e, [&](txn::Transaction& txn) { Add(e, txn, 0, kRows, 1); });
}

// Readers that have met the new version of a row get to the old one, whatever is undone meanwhile.
TEST_F(UniqueUndoTest, RowsAreSeenWhileTheirReplacingIsUndone) {
  Engine e;
  Fill(e, kRows);
  std::atomic<bool> stop{false};
  std::thread undoing([&] {
    while (!stop) {
      auto txn = e.Begin();
      Add(e, *txn, 0, kRows, 1);
      e.db->Abort(*txn);
    }
  });
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(4);
  auto txn = e.Begin();
  bool found = true;
  for (int32_t i = 0; found && std::chrono::steady_clock::now() < until; ++i) {
    StatementContext context = e.Statement(*txn);
    found = Find(e, context, i % kRows).has_value();
    EXPECT_TRUE(found) << i;
  }
  stop = true;
  undoing.join();
}

}  // namespace
}  // namespace omendb::engine
