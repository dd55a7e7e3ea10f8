// Rows of segments that are replaced there, and get new keys in secondary and unique indexes.
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>
#include <thread>

#include "engine/bulk_update_fixture.h"
#include "engine/entry_cursor.h"
#include "engine/relation_impl.h"

namespace omendb::engine {
namespace {

using Values = std::vector<std::pair<int32_t, int32_t>>;  // id, v
constexpr BulkUpdate::Limits kOneByOne{
    .rows_min = 1 << 20, .rest_min = 1 << 20, .segment_rows = 1 << 17};

class BulkUpdateKeysTest : public BulkUpdateTest {
 protected:
  // In all secondary indexes, those that are packed too, and those in runs.
  struct Entries {
    size_t count = 0;
    bool packed = false;
    // Runs go on having what nobody needs any more.
    bool Are(size_t wanted) const { return kLetGo ? count >= wanted : count == wanted; }
  };
  static Entries EntriesOf(Engine& e) {
    auto txn = e.Begin();
    StatementContext context = e.Statement(*txn);
    auto relation = e.Open(context);
    Entries entries;
    const auto indexes = static_cast<RelationImpl&>(*relation).storage().indexes();
    for (const auto& index : *indexes) {
      if (index->is_row_map()) continue;
      EntryCursor cursor(*index, index->BoundsOf({}), /*backward=*/false);
      RowId row;
      std::string_view key;
      for (;;) {
        const Result<bool> more = cursor.Next(&row, &key);
        EXPECT_TRUE(more.ok()) << more.status().ToString();
        if (!more.ok() || !*more) break;
        ++entries.count;
      }
      entries.packed = entries.packed || !index->packed().empty();
    }
    return entries;
  }
  // Until entries of old versions are gone, and nothing is packed.
  static bool HasEntries(Engine& e, size_t count) {
    return Eventually([&] {
      const Entries entries = EntriesOf(e);
      return entries.Are(count) && !entries.packed;
    });
  }
  // One statement that gives rows these values, in this order.
  Result<RowOutcome> Set(Engine& e, StatementContext& context, const Values& values,
                         BulkUpdate::Limits limits = kSmallSegments,
                         BulkUpdate::Beside beside = BulkUpdate::Beside::kNothing) {
    auto relation = e.Open(context);
    BulkUpdate updates(context, relation, {&kColumns[1], 1}, limits, beside);
    for (const auto& [id, v] : values) {
      const auto seen = Find(e, context, id);
      EXPECT_TRUE(seen.has_value()) << id;
      const types::Value row[] = {Int(id), Int(v), Text("set")};
      OMEN_ASSIGN(const RowResult result, updates.Update(*seen, row));
      if (result.outcome != RowOutcome::kDone) return result.outcome;
    }
    return updates.Finish();
  }
};

TEST_F(BulkUpdateKeysTest, EntriesOfBothVersionsStayAsLongAsASnapshotSeesTheOld) {
  spec_.secondary = {{1}, {2, 1}};
  Engine e;
  Fill(e, 3000);
  auto old = e.Begin(kRr);
  const Pairs all = expected_;
  Check(e, *old, all);
  const uint64_t before = e.db->stats().hot_bytes;
  AddAndCommit(e, 0, 3000, 7, 2);
  AddAndCommit(e, 0, 2000, 3);
  EXPECT_LE(e.db->stats().hot_bytes, before);
  EXPECT_TRUE(EntriesOf(e).Are(2 * (3000 + 1500 + 2000)));
  EXPECT_TRUE(EntriesOf(e).packed);
  Check(e, expected_);
  Check(e, *old, all);
  old.reset();
  EXPECT_TRUE(HasEntries(e, 2 * 3000));
  Check(e, expected_);
  e.Crash(1);
  Check(e, expected_);
}

TEST_F(BulkUpdateKeysTest, WhatIsUndoneLeavesNoEntries) {
  spec_.secondary = {{1}};
  Engine e;
  Fill(e, 2000);
  auto txn = e.Begin();
  Add(e, *txn, 0, 2000, 1);
  const uint64_t mark = txn->Mark();
  Add(e, *txn, 0, 2000, 1);
  EXPECT_TRUE(EntriesOf(e).Are(3 * 2000u));
  txn->RollbackTo(mark);
  EXPECT_TRUE(EntriesOf(e).Are(2 * 2000u));
  e.db->Abort(*txn);
  EXPECT_TRUE(EntriesOf(e).Are(2000u));
  EXPECT_FALSE(EntriesOf(e).packed);
  Check(e, expected_);
}

// Rows get their first keys back, and these go as those of the oldest versions; then that is
// undone.
TEST_F(BulkUpdateKeysTest, EntriesThatOnlyUndoneVersionsHaveAreNotLeft) {
  spec_.secondary = {{1}};
  Engine e;
  Fill(e, 100);
  auto old = e.Begin(kRr);
  Check(e, *old, expected_);
  AddAndCommit(e, 0, 100, 10);
  auto txn = e.Begin();
  Add(e, *txn, 0, 100, -10);
  old.reset();
  EXPECT_TRUE(Reclaimed(e, 100));
  Pairs back = expected_;
  Add(back, 0, 100, -10);
  Check(e, *txn, back);
  e.db->Abort(*txn);
  EXPECT_TRUE(HasEntries(e, 100));
  CheckAndCrash(e, 1);
}

// The same, but it is committed: its entries are there when those of the oldest are not.
TEST_F(BulkUpdateKeysTest, EntriesThatComeBackAreThereWhenTheOldestAreGone) {
  spec_.secondary = {{1}};
  Engine e;
  Fill(e, 100);
  auto old = e.Begin(kRr);
  Check(e, *old, expected_);
  AddAndCommit(e, 0, 100, 10);
  auto reader = e.Begin(kRr);
  Check(e, *reader, expected_);
  const Pairs between = expected_;
  AddAndCommit(e, 0, 100, -10);
  old.reset();
  EXPECT_TRUE(Reclaimed(e, 100));
  Check(e, *reader, between);
  Check(e, expected_);
  reader.reset();
  EXPECT_TRUE(HasEntries(e, 100));
  CheckAndCrash(e, 2);
}

// Keys that come back, rows that go to pages, rows that are deleted: each while entries are packed.
TEST_F(BulkUpdateKeysTest, EntriesOfRowsThatChangeAgainAreNeitherLostNorLeft) {
  spec_.secondary = {{1}};
  Engine e;
  Fill(e, 1000);
  auto old = e.Begin(kRr);
  const Pairs all = expected_;
  Check(e, *old, all);
  AddAndCommit(e, 0, 1000, 5);
  AddAndCommit(e, 0, 500, -5);
  auto txn = e.Begin();
  for (int32_t i = 400; i < 700; i += 3) {
    Change(e, *txn, i, -i);
    expected_[i] = -i;
  }
  Delete(e, *txn, 701, 800);
  ASSERT_TRUE(e.Commit(*txn).ok());
  Erase(expected_, 701, 800);
  txn = e.Begin();
  for (int32_t i = 701; i < 720; ++i) {
    ASSERT_TRUE(Insert(e, *txn, i, 10 * i).ok());  // The key it had at first.
    expected_[i] = 10 * i;
  }
  ASSERT_TRUE(e.Commit(*txn).ok());
  Check(e, expected_);
  Check(e, *old, all);
  old.reset();
  EXPECT_TRUE(HasEntries(e, expected_.size()));
  Check(e, expected_);
  ASSERT_TRUE(e.Freeze().ok());
  Check(e, expected_);
  e.Crash(2);
  Check(e, expected_);
}

TEST_F(BulkUpdateKeysTest, RangesAreInOrderWithSomeEntriesPacked) {
  spec_.secondary = {{1}};
  Engine e;
  Fill(e, 1000);
  auto old = e.Begin(kRr);
  Check(e, *old, expected_);
  AddAndCommit(e, 0, 1000, 4005, 3);
  AddAndCommit(e, 0, 1000, -1, 5);
  auto txn = e.Begin();
  StatementContext context = e.Statement(*txn);
  auto relation = e.Open(context);
  const Oid index = relation->table().indexes[1].oid;
  std::vector<int32_t> sorted;
  for (const auto& [id, v] : expected_) sorted.push_back(v);
  std::sort(sorted.begin(), sorted.end());
  std::mt19937 random(3);
  for (int i = 0; i < 300; ++i) {
    const auto low = static_cast<int32_t>(random() % 14'500) - 10;
    const int32_t high = low + static_cast<int32_t>(random() % 2000);
    KeyRange range{.lower = Int(low), .upper = Int(high), .backward = i % 2 == 1};
    std::vector<int32_t> found;
    const auto visit = [&](RowRef ref) -> Result<bool> {
      types::Value v;
      OMEN_TRY(relation->Read(ref, {&kColumns[1], 1}, e.arena, &v));
      found.push_back(v.i32);
      return found.size() < 100 || i % 4 < 2;
    };
    ASSERT_TRUE(relation->ScanIndex(context, index, range, visit).ok());
    std::vector<int32_t> wanted(std::lower_bound(sorted.begin(), sorted.end(), low),
                                std::upper_bound(sorted.begin(), sorted.end(), high));
    if (range.backward) std::reverse(wanted.begin(), wanted.end());
    if (i % 4 >= 2 && wanted.size() > 100) wanted.resize(100);
    EXPECT_EQ(found, wanted) << low << " " << high;
  }
}

// ---- Unique keys --------------------------------------------------------------------------------

// Random statements, of which some give a key before it is free: those together and those one by
// one end alike, on rows in segments, in pages, and not there any more.
TEST_F(BulkUpdateKeysTest, UniqueKeysAreJudgedRowByRow) {
  spec_.unique = {{1}};
  spec_.secondary = {};
  int done = 0;
  int refused = 0;
  for (uint32_t seed = 1; seed <= 25; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    Engine together;
    Engine one_by_one;
    Fill(together, 60);
    Fill(one_by_one, 60);
    Pairs rows = expected_;
    for (int round = 0; round < 8; ++round) {
      if (round % 2 == 1) {  // Some to pages, and one goes.
        const auto gone = static_cast<int32_t>(random() % 60);
        for (Engine* e : {&together, &one_by_one}) {
          auto txn = e->Begin();
          for (auto& [id, v] : rows) {
            if (id % 7 == round % 7) Change(*e, *txn, id, v);
          }
          if (rows.contains(gone)) Change(*e, *txn, gone, std::nullopt);
          ASSERT_TRUE(e->Commit(*txn).ok());
        }
        rows.erase(gone);
      }
      // All move by as much, or some to where one may be.
      Values values;
      const auto by = static_cast<int32_t>(random() % 3) * 10 - 10;
      const bool shift = random() % 2 == 0;
      for (const auto& [id, v] : rows) {
        if (shift) {
          values.emplace_back(id, v + by);
        } else if (random() % 3 != 0) {
          values.emplace_back(id, static_cast<int32_t>(random() % 4000));
        }
      }
      if (shift && by > 0) std::reverse(values.begin(), values.end());
      if (random() % 3 == 0) std::shuffle(values.begin(), values.end(), random);
      std::vector<Status> ends;
      for (Engine* e : {&together, &one_by_one}) {
        const BulkUpdate::Limits small{
            .rows_min = 1, .rest_min = 1, .segment_rows = 10 + static_cast<uint32_t>(round)};
        auto txn = e->Begin();
        StatementContext context = e->Statement(*txn);
        const auto set = Set(*e, context, values, e == &together ? small : kOneByOne);
        ends.push_back(set.status());
        if (set.ok()) {
          ASSERT_EQ(*set, RowOutcome::kDone);
          ASSERT_TRUE(e->Commit(*txn).ok());
        }
      }
      ASSERT_EQ(ends[0].ToString(), ends[1].ToString());
      ++(ends[0].ok() ? done : refused);
      if (ends[0].ok()) {
        for (const auto& [id, v] : values) rows[id] = v;
      } else {
        ASSERT_TRUE(ends[0].Is(sqlstate::kUniqueViolation));
      }
      Check(together, rows);
      Check(one_by_one, rows);
    }
    EXPECT_TRUE(HasEntries(together, rows.size()));
    together.Crash(seed);
    Check(together, rows);
  }
  EXPECT_GT(done, 20);
  EXPECT_GT(refused, 20);
}

TEST_F(BulkUpdateKeysTest, NullsOfUniqueKeysAreNoConflict) {
  spec_.unique = {{1}};
  spec_.secondary = {};
  Engine e;
  Fill(e, 100);
  auto txn = e.Begin();
  StatementContext context = e.Statement(*txn);
  {
    auto relation = e.Open(context);
    BulkUpdate updates(context, relation, {&kColumns[1], 1}, kSmallSegments);
    for (int32_t i = 0; i < 50; ++i) {
      const types::Value row[] = {Int(i), types::Value::Null(), Text("null")};
      ASSERT_TRUE(updates.Update(*Find(e, context, i), row).ok());
    }
    const auto finished = updates.Finish();
    ASSERT_TRUE(finished.ok()) << finished.status().ToString();
  }
  // Their old keys are free.
  ASSERT_TRUE(Insert(e, *txn, 1000, 10).ok());
  EXPECT_TRUE(Insert(e, *txn, 1001, 510).Is(sqlstate::kUniqueViolation));
}

// A key is free from the moment on when its row is deleted, as if each row were changed at once.
TEST_F(BulkUpdateKeysTest, RowsAreDeletedInTheirTurn) {
  spec_.unique = {{1}};
  spec_.secondary = {};
  Engine e;
  Fill(e, 3000);
  for (const bool in_time : {true, false}) {
    auto txn = e.Begin();
    StatementContext context = e.Statement(*txn);
    auto relation = e.Open(context);
    BulkUpdate updates(context, relation, {&kColumns[1], 1}, kSmallSegments);
    const auto set = [&](int32_t id, int32_t v) {
      const types::Value row[] = {Int(id), Int(v), Text("set")};
      return updates.Update(*Find(e, context, id), row).status();
    };
    const auto remove = [&](int32_t id) { return updates.Delete(*Find(e, context, id)).status(); };
    ASSERT_TRUE(set(0, -1).ok());
    // Row 1 gets what row 2 has, row 3 what row 4 has, and so on.
    Status done;
    for (int32_t id = 1; id < 2998 && done.ok(); id += 2) {
      if (in_time || id < 2500) done = remove(id + 1);
      if (done.ok()) done = set(id, 10 * (id + 1));
      if (done.ok() && !in_time && id >= 2500) done = remove(id + 1);
    }
    if (done.ok()) done = updates.Finish().status();
    if (!in_time) {
      EXPECT_TRUE(done.Is(sqlstate::kUniqueViolation)) << done.ToString();
      EXPECT_EQ(done.error().detail, "Key (v)=(25020) already exists.");
      break;
    }
    ASSERT_TRUE(done.ok()) << done.ToString();
    EXPECT_EQ(e.db->stats().rows_thawed, 0U);
    e.db->Abort(*txn);
    Check(e, expected_);
  }
  CheckAndCrash(e, 1);
}

// Before rows are inserted, what came before them is done.
TEST_F(BulkUpdateKeysTest, KeysAreFreeOnceTheRowsBeforeAreApplied) {
  spec_.unique = {{1}};
  spec_.secondary = {};
  Engine e;
  Fill(e, 3000);
  {
    auto txn = e.Begin();
    StatementContext context = e.Statement(*txn);
    auto relation = e.Open(context);
    BulkUpdate updates(context, relation, {&kColumns[1], 1}, kSmallSegments);
    for (int32_t id = 0; id < 2500; ++id) {
      const types::Value row[] = {Int(id), Int(-1 - id), Text("set")};
      ASSERT_TRUE(updates.Update(*Find(e, context, id), row).ok());
      expected_[id] = -1 - id;
    }
    ASSERT_TRUE(updates.Delete(*Find(e, context, 2500)).ok());
    expected_.erase(2500);
    ASSERT_EQ(*updates.Apply(), RowOutcome::kDone);
    for (const int32_t id : {2490, 2500}) {
      const types::Value row[] = {Int(10'000 + id), Int(10 * id), Text("its key is free")};
      ASSERT_TRUE(relation->Insert(context, row).ok());
      expected_[10'000 + id] = 10 * id;
    }
    const types::Value row[] = {Int(2700), Int(-2700), Text("set")};
    ASSERT_TRUE(updates.Update(*Find(e, context, 2700), row).ok());
    expected_[2700] = -2700;
    ASSERT_EQ(*updates.Finish(), RowOutcome::kDone);
    ASSERT_TRUE(e.Commit(*txn).ok());
  }
  CheckAndCrash(e, 2);
}

// Where the statement does more than update, unique keys change when their rows come.
TEST_F(BulkUpdateKeysTest, BesideOtherChangesUniqueKeysChangeAtOnce) {
  spec_.unique = {{1}};
  spec_.secondary = {{2}};
  Engine e;
  Fill(e, 100);
  auto txn = e.Begin();
  StatementContext context = e.Statement(*txn);
  auto relation = e.Open(context);
  BulkUpdate updates(context, relation, {&kColumns[1], 1}, kSmallSegments,
                     BulkUpdate::Beside::kOthers);
  const types::Value moved[] = {Int(5), Int(-5), Text("moved")};
  ASSERT_TRUE(updates.Update(*Find(e, context, 5), moved).ok());
  const types::Value row[] = {Int(100), Int(50), Text("its key is free")};
  ASSERT_TRUE(relation->Insert(context, row).ok());
  ASSERT_TRUE(updates.Finish().ok());
  ASSERT_TRUE(e.Commit(*txn).ok());
  expected_[5] = -5;
  expected_[100] = 50;
  Check(e, expected_);
}

// Another transaction has the key, or gives it up, and has not ended.
class UniqueConflictTest : public BulkUpdateKeysTest,
                           public ::testing::WithParamInterface<std::tuple<bool, bool>> {
 protected:
  UniqueConflictTest() {
    spec_.unique = {{1}};
    spec_.secondary = {};
  }
  bool commits() const { return std::get<0>(GetParam()); }
  bool gives_up() const { return std::get<1>(GetParam()); }
  static void End(Engine& e, txn::Transaction& txn, bool commits) {
    if (commits) {
      ASSERT_TRUE(e.Commit(txn).ok());
    } else {
      e.db->Abort(txn);
    }
  }
};
INSTANTIATE_TEST_SUITE_P(Ends, UniqueConflictTest,
                         ::testing::Combine(::testing::Bool(), ::testing::Bool()));

TEST_P(UniqueConflictTest, AReplacingStatementWaitsForWhoHasTheKey) {
  Engine e;
  Fill(e, 100);
  auto first = e.Begin();
  // Row 5 has 50; row 7 gives up 70, or a new row takes 71.
  if (gives_up()) {
    Delete(e, *first, 7, 8);
  } else {
    ASSERT_TRUE(Insert(e, *first, 1000, 71).ok());
  }
  const int32_t wanted = gives_up() ? 70 : 71;
  auto second = e.Begin();
  StatementContext context = e.Statement(*second);
  Result<RowOutcome> set = RowOutcome::kDone;
  std::thread waiting([&] { set = Set(e, context, {{3, 31}, {5, wanted}, {6, 61}}); });
  while (e.db->stats().transactions_waiting == 0) std::this_thread::yield();
  End(e, *first, commits());
  waiting.join();
  if (commits() && gives_up()) expected_.erase(7);
  if (commits() && !gives_up()) expected_[1000] = 71;
  ASSERT_EQ(set.ok(), commits() == gives_up()) << set.status().ToString();
  if (set.ok()) {
    ASSERT_TRUE(e.Commit(*second).ok());
    expected_[3] = 31;
    expected_[5] = wanted;
    expected_[6] = 61;
  } else {
    EXPECT_TRUE(set.status().Is(sqlstate::kUniqueViolation));
    e.db->Abort(*second);
  }
  Check(e, expected_);
  EXPECT_TRUE(HasEntries(e, expected_.size()));
}

TEST_P(UniqueConflictTest, OthersWaitForTheReplacingTransaction) {
  Engine e;
  Fill(e, 100);
  auto first = e.Begin();
  StatementContext context = e.Statement(*first);
  const auto set = Set(e, context, {{5, 51}, {6, 61}});
  ASSERT_TRUE(set.ok()) << set.status().ToString();
  auto second = e.Begin();
  Status inserted;
  std::thread waiting([&] { inserted = Insert(e, *second, 1000, gives_up() ? 50 : 51); });
  while (e.db->stats().transactions_waiting == 0) std::this_thread::yield();
  End(e, *first, commits());
  waiting.join();
  if (commits()) {
    expected_[5] = 51;
    expected_[6] = 61;
  }
  ASSERT_EQ(inserted.ok(), commits() == gives_up()) << inserted.ToString();
  if (inserted.ok()) {
    ASSERT_TRUE(e.Commit(*second).ok());
    expected_[1000] = gives_up() ? 50 : 51;
  } else {
    EXPECT_TRUE(inserted.Is(sqlstate::kUniqueViolation));
    e.db->Abort(*second);
  }
  Check(e, expected_);
}

// ---- Rows found by their keys (ON CONFLICT) -----------------------------------------------------

TEST_F(BulkUpdateKeysTest, OnlyWhatTheSnapshotSeesIsGatheredWhenItWasFoundByItsKey) {
  Engine e;
  Fill(e, 100);
  auto txn = e.Begin();
  StatementContext context = e.Statement(*txn);
  auto relation = e.Open(context);
  const BulkUpdate updates(context, relation, {&kColumns[1], 1}, kSmallSegments);
  const types::Value row[] = {Int(5), Int(0), Text("proposed")};
  RowRef found;
  ASSERT_FALSE(relation->InsertOrFind(context, row, {}, &found)->has_value());
  EXPECT_TRUE(updates.Gathers(found));
  AddAndCommit(e, 0, 100, 1);  // By another transaction, and since.
  ASSERT_FALSE(relation->InsertOrFind(context, row, {}, &found)->has_value());
  EXPECT_TRUE(rowstore::IsFrozen(found.version));
  EXPECT_FALSE(updates.Gathers(found));
  const types::Value in_page[] = {Int(1000), Int(0), Text("in a page")};
  const auto inserted = relation->Insert(context, in_page);
  ASSERT_TRUE(inserted.ok());
  EXPECT_FALSE(updates.Gathers(*inserted));
}

}  // namespace
}  // namespace omendb::engine
