// Foreign keys of rows that are updated or deleted where they lie in segments.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "engine/bulk_update_fixture.h"

namespace omendb::engine {
namespace {

constexpr int32_t kRows = 3000;

// Table "t" refers with v = 10 * id to table "p", which has 0, 5, 10, ...
class ForeignKeysTest : public BulkUpdateTest {
 protected:
  ForeignKeysTest() {
    spec_ = {};
    Fill(e_, kRows);
    e_.CreateTable({.name = "p"});
    auto txn = e_.Begin();
    StatementContext context = e_.Statement(*txn);
    auto parents = e_.Open(context, "p");
    for (int32_t id = 0; id < 10 * kRows; id += 5) {
      const types::Value row[] = {Int(id), Int(0), Text("parent")};
      EXPECT_TRUE(parents->Insert(context, row).ok());
    }
    EXPECT_TRUE(e_.Commit(*txn).ok());
    EXPECT_TRUE(e_.Freeze("p").ok());
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
    def.constraints.push_back(key);
    ASSERT_TRUE(e_.db->EditCatalog(*txn).Put(def).ok());
    ASSERT_TRUE(e_.Commit(*txn).ok());
  }
  // A whole statement.
  Status AddAndCheck(txn::Transaction& txn, int32_t from, int32_t to, int32_t by) {
    StatementContext context = e_.Statement(txn);
    OMEN_ASSIGN(const RowOutcome done, Add(e_, context, from, to, by));
    EXPECT_EQ(done, RowOutcome::kDone);
    return e_.db->CheckConstraints(context, /*at_commit=*/false);
  }
  // Deletes parents of these ids, or locks them.
  Status EachParent(
      txn::Transaction& txn, int32_t from, int32_t to,
      const std::function<Result<RowResult>(StatementContext&, Relation&, const RowRef&)>& act) {
    StatementContext context = e_.Statement(txn);
    auto parents = e_.Open(context, "p");
    for (int32_t id = from; id < to; id += 5) {
      const types::Value key[] = {Int(id)};
      OMEN_ASSIGN(const auto row,
                  parents->Lookup(context, parents->table().primary_key()->oid, key));
      EXPECT_TRUE(row.has_value());
      OMEN_ASSIGN(const RowResult done, act(context, *parents, *row));
      EXPECT_EQ(done.outcome, RowOutcome::kDone);
    }
    return e_.db->CheckConstraints(context, /*at_commit=*/false);
  }
  Status DeleteParents(txn::Transaction& txn, int32_t from, int32_t to) {
    return EachParent(txn, from, to,
                      [](StatementContext& context, Relation& parents, const RowRef& row) {
                        return parents.Delete(context, row);
                      });
  }
  bool IsLocked(int32_t parent) {
    auto txn = e_.Begin();
    const Status locked =
        EachParent(*txn, parent, parent + 1,
                   [](StatementContext& context, Relation& parents, const RowRef& row) {
                     return parents.Lock(context, row, RowLockMode::kUpdate, LockWait::kNoWait);
                   });
    EXPECT_TRUE(locked.ok() || locked.Is(sqlstate::kLockNotAvailable)) << locked.ToString();
    return !locked.ok();
  }

  Engine e_;
};

TEST_F(ForeignKeysTest, NewKeysAreCheckedWhereRowsAreReplaced) {
  auto txn = e_.Begin();
  ASSERT_TRUE(AddAndCheck(*txn, 0, kRows, 5).ok());
  EXPECT_EQ(e_.db->stats().rows_thawed, 0U);  // None went to a page.
  ASSERT_TRUE(e_.Commit(*txn).ok());
  Add(expected_, 0, kRows, 5);
  CheckAndCrash(e_, 1);
  txn = e_.Begin();
  const Status missing = AddAndCheck(*txn, 0, kRows, 3);
  EXPECT_TRUE(missing.Is(sqlstate::kForeignKeyViolation)) << missing.ToString();
  EXPECT_EQ(missing.error().detail, "Key (v)=(8) is not present in table \"p\".");
  e_.db->Abort(*txn);
  CheckAndCrash(e_, 2);
}

TEST_F(ForeignKeysTest, RowsThatKeepTheirKeysLockNothing) {
  auto txn = e_.Begin();
  ASSERT_TRUE(AddAndCheck(*txn, 0, kRows, 0).ok());
  EXPECT_FALSE(IsLocked(10));
  ASSERT_TRUE(AddAndCheck(*txn, 1, 2, 5).ok());
  EXPECT_TRUE(IsLocked(15));
  EXPECT_FALSE(IsLocked(25));
}

TEST_F(ForeignKeysTest, AllReferencedRowsAreLockedUntilTheEnd) {
  auto txn = e_.Begin();
  ASSERT_TRUE(AddAndCheck(*txn, 0, kRows, 5).ok());
  for (const int32_t parent : {5, 15, 5 + 10 * 1500, 10 * kRows - 5}) {
    EXPECT_TRUE(IsLocked(parent)) << parent;
  }
  EXPECT_FALSE(IsLocked(10));
  ASSERT_TRUE(e_.Commit(*txn).ok());
  for (const int32_t parent : {5, 15, 5 + 10 * 1500, 10 * kRows - 5}) {
    EXPECT_FALSE(IsLocked(parent)) << parent;
  }
}

TEST_F(ForeignKeysTest, WhoDeletesAReferencedRowWaitsForWhoRefersToIt) {
  for (const bool commits : {false, true}) {
    auto referring = e_.Begin();
    ASSERT_TRUE(AddAndCheck(*referring, 0, kRows, 5).ok());
    auto deleting = e_.Begin();
    Status deleted;
    std::thread waiting([&] { deleted = DeleteParents(*deleting, 20'005, 20'006); });
    while (e_.db->stats().transactions_waiting == 0) std::this_thread::yield();
    if (commits) {
      ASSERT_TRUE(e_.Commit(*referring).ok());
    } else {
      e_.db->Abort(*referring);
    }
    waiting.join();
    EXPECT_EQ(deleted.ok(), !commits) << deleted.ToString();
    EXPECT_TRUE(deleted.ok() || deleted.Is(sqlstate::kForeignKeyViolation));
    e_.db->Abort(*deleting);
  }
}

TEST_F(ForeignKeysTest, WhoRefersToARowThatIsBeingDeletedWaits) {
  for (const bool commits : {false, true}) {
    auto deleting = e_.Begin();
    ASSERT_TRUE(DeleteParents(*deleting, 15'005, 15'006).ok());
    auto referring = e_.Begin();
    Status referred;
    std::thread waiting([&] { referred = AddAndCheck(*referring, 0, kRows, 5); });
    while (e_.db->stats().transactions_waiting == 0) std::this_thread::yield();
    if (commits) {
      ASSERT_TRUE(e_.Commit(*deleting).ok());
    } else {
      e_.db->Abort(*deleting);
    }
    waiting.join();
    EXPECT_EQ(referred.ok(), !commits) << referred.ToString();
    EXPECT_TRUE(referred.ok() || referred.Is(sqlstate::kForeignKeyViolation));
    e_.db->Abort(*referring);
  }
  CheckAndCrash(e_, 3);
}

TEST_F(ForeignKeysTest, ManyReferencedRowsAreDeletedAtOnce) {
  // No index has the keys of "t".
  auto txn = e_.Begin();
  const Status referred = DeleteParents(*txn, 5, 10 * kRows);
  EXPECT_TRUE(referred.Is(sqlstate::kForeignKeyViolation)) << referred.ToString();
  EXPECT_EQ(referred.error().detail, "Key (id)=(10) is still referenced from table \"t\".");
  e_.db->Abort(*txn);
  txn = e_.Begin();
  ASSERT_TRUE(AddAndCheck(*txn, 1, kRows, 5).ok());
  Delete(e_, *txn, 2, kRows);
  const Status free = DeleteParents(*txn, 20, 10 * kRows);
  EXPECT_TRUE(free.ok()) << free.ToString();
  ASSERT_TRUE(e_.Commit(*txn).ok());
  Add(expected_, 1, kRows, 5);
  Erase(expected_, 2, kRows);
  CheckAndCrash(e_, 4);
}

// The events of a savepoint go with it.
TEST_F(ForeignKeysTest, KeysThatAreTakenBackAreNotChecked) {
  auto txn = e_.Begin();
  ASSERT_TRUE(AddAndCheck(*txn, 0, 100, 5).ok());
  const uint64_t mark = txn->Mark();
  StatementContext context = e_.Statement(*txn);
  ASSERT_TRUE(Add(e_, context, 0, kRows, 3).ok());
  txn->RollbackTo(mark);
  EXPECT_TRUE(e_.db->CheckConstraints(context, /*at_commit=*/false).ok());
  ASSERT_TRUE(AddAndCheck(*txn, 50, kRows, 0).ok());
  ASSERT_TRUE(e_.Commit(*txn).ok());
  Add(expected_, 0, 100, 5);
  CheckAndCrash(e_, 5);
}

// Each row refers to a parent whenever somebody looks.
TEST_F(ForeignKeysTest, NoRowIsLeftWithoutItsParent) {
  std::atomic<bool> stop{false};
  std::atomic<uint64_t> deleted{0};
  std::thread deleting([&] {
    ThreadWaiter waiter;
    for (int32_t round = 0; !stop; ++round) {
      auto txn = e_.Begin();
      const int32_t parent = 5 + 10 * (round * 7 % kRows);
      StatementContext context = e_.Statement(*txn);
      context.waiter = &waiter;
      auto parents = e_.Open(context, "p");
      const types::Value key[] = {Int(parent)};
      const auto row = parents->Lookup(context, parents->table().primary_key()->oid, key);
      if (!row.ok() || !row->has_value()) continue;
      const auto done = parents->Delete(context, **row);
      if (!done.ok() || done->outcome != RowOutcome::kDone) continue;
      if (!e_.db->CheckConstraints(context, false).ok()) continue;
      if (e_.db->Commit(*txn, waiter).ok()) ++deleted;
    }
  });
  uint64_t referred = 0;
  for (int32_t round = 0; round < 200; ++round) {
    const int32_t from = round * 37 % (kRows - 20);
    auto txn = e_.Begin();
    if (!AddAndCheck(*txn, from, from + 20, round % 2 == 0 ? 5 : 0).ok()) continue;
    if (e_.Commit(*txn).ok()) ++referred;
  }
  while (deleted == 0) std::this_thread::yield();
  stop = true;
  deleting.join();
  EXPECT_GT(referred, 0U);
  auto txn = e_.Begin();
  StatementContext context = e_.Statement(*txn);
  auto parents = e_.Open(context, "p");
  for (const auto& [id, v] : Scan(e_, *txn)) {
    const types::Value key[] = {Int(v)};
    const auto row = parents->Lookup(context, parents->table().primary_key()->oid, key);
    ASSERT_TRUE(row.ok() && row->has_value()) << "row " << id << " refers to " << v;
  }
}

}  // namespace
}  // namespace omendb::engine
