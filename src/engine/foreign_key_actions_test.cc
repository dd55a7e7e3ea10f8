// ON DELETE and ON UPDATE of rows that lie in segments, where they are changed.
#include <gtest/gtest.h>

#include <thread>

#include "engine/bulk_update_fixture.h"
#include "engine/foreign_key_run.h"

namespace omendb::engine {
namespace {

using catalog::ReferentialAction;
constexpr int32_t kRows = 5000;
constexpr int32_t kBy = 1'000'000;  // what parents' keys are moved by

// Table "t" refers with v = 10 * id to table "p".
class ForeignKeyActionsTest : public BulkUpdateTest {
 protected:
  void SetUp() override {
    spec_ = {};
    Fill(e_, kRows);
    e_.CreateTable({.name = "p"});
    auto txn = e_.Begin();
    StatementContext context = e_.Statement(*txn);
    auto parents = e_.Open(context, "p");
    for (int32_t id = 0; id < kRows; ++id) {
      const types::Value row[] = {Int(10 * id), Int(0), Text("parent")};
      ASSERT_TRUE(parents->Insert(context, row).ok());
    }
    ASSERT_TRUE(e_.Commit(*txn).ok());
    ASSERT_TRUE(e_.Freeze("p").ok());
    Refer();
  }
  void Refer() {
    auto txn = e_.Begin();
    StatementContext context = e_.Statement(*txn);
    const catalog::TableDef parents = *e_.Table(context, "p");
    catalog::TableDef def = *e_.Table(context);
    catalog::ConstraintDef key;
    key.oid = e_.db->NewOid();
    key.name = "t_v_fkey";
    key.kind = catalog::ConstraintKind::kForeignKey;
    key.columns = {ColumnId(2)};
    key.referenced_table = parents.oid;
    key.referenced_columns = {ColumnId(1)};
    key.referenced_index = parents.primary_key()->oid;
    key.on_delete = ReferentialAction::kSetNull;
    key.on_update = ReferentialAction::kCascade;
    def.constraints.push_back(key);
    ASSERT_TRUE(e_.db->EditCatalog(*txn).Put(def).ok());
    ASSERT_TRUE(e_.Commit(*txn).ok());
  }
  // One statement that gives the parents of rows [from, to) other keys.
  Status MoveParents(txn::Transaction& txn, int32_t from, int32_t to, ThreadWaiter* waiter = {}) {
    StatementContext context = e_.Statement(txn);
    if (waiter != nullptr) context.waiter = waiter;
    auto parents = e_.Open(context, "p");
    BulkUpdate updates(context, parents, {&kColumns[0], 1}, kSmallSegments);
    for (int32_t id = from; id < to; ++id) {
      const types::Value key[] = {Int(10 * id)};
      OMEN_ASSIGN(const auto seen,
                  parents->Lookup(context, parents->table().primary_key()->oid, key));
      const types::Value row[] = {Int(10 * id + kBy), Int(0), Text("moved")};
      OMEN_ASSIGN(const RowResult moved, updates.Update(*seen, row));
      EXPECT_EQ(moved.outcome, RowOutcome::kDone);
    }
    OMEN_ASSIGN(const RowOutcome finished, updates.Finish());
    EXPECT_EQ(finished, RowOutcome::kDone);
    return e_.db->CheckConstraints(context, /*at_commit=*/false);
  }
  Status DeleteParents(txn::Transaction& txn, int32_t from, int32_t to) {
    StatementContext context = e_.Statement(txn);
    auto parents = e_.Open(context, "p");
    for (int32_t id = from; id < to; ++id) {
      const types::Value key[] = {Int(10 * id)};
      OMEN_ASSIGN(const auto seen,
                  parents->Lookup(context, parents->table().primary_key()->oid, key));
      OMEN_TRY(parents->Delete(context, *seen).status());
    }
    return e_.db->CheckConstraints(context, /*at_commit=*/false);
  }
  std::optional<int32_t> ValueOf(int32_t id) {
    auto txn = e_.Begin();
    StatementContext context = e_.Statement(*txn);
    types::Value v;
    EXPECT_TRUE(
        e_.Open(context)->Read(*Find(e_, context, id), {&kColumns[1], 1}, e_.arena, &v).ok());
    return v.is_null ? std::nullopt : std::optional(v.i32);
  }
  // The rows whose v is NULL.
  std::set<int32_t> Orphans() {
    auto txn = e_.Begin();
    StatementContext context = e_.Statement(*txn);
    auto scan = e_.Open(context)->OpenScan(context, {.columns = {kColumns[0], kColumns[1]}});
    auto worker = scan->NewWorker();
    std::set<int32_t> orphans;
    types::Chunk chunk;
    while (*scan->Next(*worker, chunk, nullptr)) {
      for (uint32_t i = 0; i < chunk.rows_count; ++i) {
        if (chunk.columns[1].Get(i).is_null) orphans.insert(chunk.columns[0].Get(i).i32);
      }
    }
    return orphans;
  }
  static std::set<int32_t> Ids(int32_t from, int32_t to) {
    std::set<int32_t> ids;
    for (int32_t id = from; id < to; ++id) ids.insert(id);
    return ids;
  }

  KnobScope<ForeignKeyRun::one_by_one> one_by_one_{0};
  Engine e_;
};

TEST_F(ForeignKeyActionsTest, NewKeysCascadeToRowsWhereTheyLie) {
  auto txn = e_.Begin();
  ASSERT_TRUE(MoveParents(*txn, 10, kRows).ok());
  EXPECT_EQ(e_.db->stats().rows_thawed, 0U);  // None went to a page.
  ASSERT_TRUE(e_.Commit(*txn).ok());
  Add(expected_, 10, kRows, kBy);
  CheckAndCrash(e_, 1);
}

TEST_F(ForeignKeyActionsTest, RowsLoseTheirParentsWhereTheyLie) {
  auto txn = e_.Begin();
  ASSERT_TRUE(DeleteParents(*txn, 7, kRows).ok());
  EXPECT_EQ(e_.db->stats().rows_thawed, 0U);
  ASSERT_TRUE(e_.Commit(*txn).ok());
  EXPECT_EQ(Orphans(), Ids(7, kRows));
  e_.Crash(2);
  EXPECT_EQ(Orphans(), Ids(7, kRows));
}

TEST_F(ForeignKeyActionsTest, WhatIsGoneBackToIsAsBefore) {
  auto txn = e_.Begin();
  ASSERT_TRUE(MoveParents(*txn, 0, 3000).ok());
  const uint64_t mark = txn->Mark();
  ASSERT_TRUE(DeleteParents(*txn, 3000, kRows).ok());
  txn->RollbackTo(mark);
  ASSERT_TRUE(MoveParents(*txn, 4000, kRows).ok());
  ASSERT_TRUE(e_.Commit(*txn).ok());
  Add(expected_, 0, 3000, kBy);
  Add(expected_, 4000, kRows, kBy);
  CheckAndCrash(e_, 3);
  txn = e_.Begin();
  ASSERT_TRUE(DeleteParents(*txn, 3000, 4000).ok());
  e_.db->Abort(*txn);
  CheckAndCrash(e_, 4);
}

// Another transaction changes referring rows meanwhile: what it made of them counts.
class ActionConflictTest : public ForeignKeyActionsTest {
 protected:
  // It has done this to rows when their parents' keys are changed, and then commits.
  void Run(const std::function<void(StatementContext&, Relation&)>& act) {
    auto other = e_.Begin();
    StatementContext context = e_.Statement(*other);
    act(context, *e_.Open(context));
    ASSERT_TRUE(e_.db->CheckConstraints(context, false).ok());
    auto txn = e_.Begin();
    Status moved;
    ThreadWaiter waiter;
    std::thread waiting([&] { moved = MoveParents(*txn, 0, kRows, &waiter); });
    while (e_.db->stats().transactions_waiting == 0) std::this_thread::yield();
    ASSERT_TRUE(e_.Commit(*other).ok());
    waiting.join();
    ASSERT_TRUE(moved.ok()) << moved.ToString();
    ASSERT_TRUE(e_.Commit(*txn).ok());
    Add(expected_, 0, kRows, kBy);
  }
  RowRef Seen(StatementContext& context, int32_t id) { return *Find(e_, context, id); }
};

TEST_F(ActionConflictTest, AnotherColumnOfARowStaysAsItIsThen) {
  Run([&](StatementContext& context, Relation& children) {
    const types::Value row[] = {Int(1234), Int(12340), Text("theirs")};
    ASSERT_TRUE(children.Update(context, Seen(context, 1234), row).ok());
  });
  CheckAndCrash(e_, 1);
  auto txn = e_.Begin();
  StatementContext context = e_.Statement(*txn);
  types::Value s;
  ASSERT_TRUE(e_.Open(context)->Read(Seen(context, 1234), {&kColumns[2], 1}, e_.arena, &s).ok());
  EXPECT_EQ(s.str(), "theirs");
}

TEST_F(ActionConflictTest, ARowThatRefersToNothingByThenIsLeft) {
  Run([&](StatementContext& context, Relation& children) {
    const types::Value row[] = {Int(1234), types::Value::Null(), Text("theirs")};
    ASSERT_TRUE(children.Update(context, Seen(context, 1234), row).ok());
  });
  EXPECT_EQ(ValueOf(1234), std::nullopt);
  EXPECT_EQ(ValueOf(1235), 12350 + kBy);
}

TEST_F(ActionConflictTest, ARowThatWasDeletedIsGone) {
  Run([&](StatementContext& context, Relation& children) {
    ASSERT_TRUE(children.Delete(context, Seen(context, 1234)).ok());
  });
  expected_.erase(1234);
  CheckAndCrash(e_, 2);
}

// Whether it is updated with others or alone.
TEST_F(ActionConflictTest, ARowWithAnotherPrimaryKeyIsFoundAgain) {
  Run([&](StatementContext& context, Relation& children) {
    const types::Value row[] = {Int(-1234), Int(12340), Text("theirs")};
    ASSERT_TRUE(children.Update(context, Seen(context, 1234), row).ok());
  });
  expected_.erase(1234);
  expected_[-1234] = 12340 + kBy;
  CheckAndCrash(e_, 3);
}

class OneByOneConflictTest : public ActionConflictTest {
 protected:
  KnobScope<ForeignKeyRun::one_by_one> all_{uint64_t{1} << 30};
};

TEST_F(OneByOneConflictTest, ARowWithAnotherPrimaryKeyIsFoundAgain) {
  Run([&](StatementContext& context, Relation& children) {
    const types::Value row[] = {Int(-1234), Int(12340), Text("theirs")};
    ASSERT_TRUE(children.Update(context, Seen(context, 1234), row).ok());
  });
  expected_.erase(1234);
  expected_[-1234] = 12340 + kBy;
  CheckAndCrash(e_, 3);
}

}  // namespace
}  // namespace omendb::engine
