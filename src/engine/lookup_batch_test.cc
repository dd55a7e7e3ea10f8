// LookupBatch answers as Lookup does, whatever became of the rows.
#include <gtest/gtest.h>

#include <random>

#include "engine/segments_fixture.h"
#include "index/counters.h"

namespace omendb::engine {
namespace {

using types::Value;

constexpr int32_t kRows = 2000;

// Table t (id int, v int, s text): a row map over integers, unique entries over v, and over (v, s).
class LookupBatchTest : public SegmentsTest {
 protected:
  void Fill() {
    e_.CreateTable({.unique = {{1}, {1, 2}}});
    auto txn = e_.Begin();
    StatementContext context = e_.Statement(*txn);
    for (int32_t i = 0; i < kRows; ++i) Insert(context, i);
    ASSERT_TRUE(e_.Commit(*txn).ok());
  }
  // v is unique, and NULL in some rows.
  void Insert(StatementContext& context, int32_t i) {
    texts_[i] = "text " + std::to_string(i % 50);
    const Value row[] = {Int(i), i % 9 == 0 ? Value::Null() : Int(10 * i), Text(texts_[i])};
    ASSERT_TRUE(e_.Open(context)->Insert(context, row).ok());
  }
  uint64_t Freeze() {
    const auto moved = e_.Freeze();
    EXPECT_TRUE(moved.ok()) << moved.status().ToString();
    return moved.ok() ? *moved : 0;
  }
  // Changes v or deletes rows, a random one in `every`.
  void ChangeSome(txn::Transaction& txn, int32_t every) {
    for (int32_t i = 0; i < kRows; ++i) {
      if (random_() % static_cast<uint32_t>(every) != 0) continue;
      StatementContext context = e_.Statement(txn);
      const auto found = Find(e_, context, i);
      if (!found) continue;
      const bool deleted = random_() % 2 == 0;
      ChangeRow(e_, context, *found, i, deleted ? std::nullopt : std::optional(10 * i + 1));
    }
  }
  // A random key: of a row that is there, that was, that never was; with a NULL.
  void AppendRandomKey(const catalog::IndexDef& index, std::vector<Value>& keys) {
    const auto i = static_cast<int32_t>(random_() % (kRows + 200));
    const bool changed = random_() % 3 == 0;
    for (const catalog::IndexKey& key : index.keys) {
      if (random_() % 20 == 0) {
        keys.push_back(Value::Null());
      } else if (key.column == ColumnId(1)) {
        keys.push_back(Int(i));
      } else if (key.column == ColumnId(2)) {
        keys.push_back(Int(10 * i + (changed ? 1 : 0)));
      } else {
        keys.push_back(changed ? Text("changed") : Text(texts_[i % kRows]));
      }
    }
  }
  // Returns how many rows were found.
  size_t Compare(txn::Transaction& txn, const catalog::IndexDef& index, size_t count) {
    StatementContext context = e_.Statement(txn);
    auto relation = e_.Open(context);
    std::vector<Value> keys;
    for (size_t i = 0; i < count; ++i) AppendRandomKey(index, keys);
    // What was in `found` before does not count.
    std::vector<std::optional<RowRef>> found(count, RowRef{RowId(77), 77});
    const Status status = relation->LookupBatch(context, index.oid, keys, found);
    EXPECT_TRUE(status.ok()) << status.ToString();
    size_t hits = 0;
    const size_t width = index.keys.size();
    for (size_t i = 0; i < count; ++i) {
      const auto key = std::span<const Value>(keys).subspan(i * width, width);
      const auto expected = relation->Lookup(context, index.oid, key);
      EXPECT_TRUE(expected.ok());
      EXPECT_EQ(found[i].has_value(), expected->has_value()) << index.name << " " << i;
      if (!found[i] || !*expected) continue;
      ++hits;
      EXPECT_EQ(found[i]->row_id, (*expected)->row_id);
      EXPECT_EQ(found[i]->version, (*expected)->version);
    }
    return hits;
  }
  void CompareAll(txn::Transaction& txn) {
    StatementContext context = e_.Statement(txn);
    const auto table = e_.Table(context);
    for (const catalog::IndexDef& index : table->indexes) {
      size_t hits = 0;
      for (const size_t count : {0, 1, 2, 63, 64, 65, 300, 1000})
        hits += Compare(txn, index, count);
      EXPECT_GT(hits, 500u) << index.name;
    }
  }

  Engine e_;
  std::mt19937 random_{20261129};
  std::string texts_[kRows + 100];
};

TEST_F(LookupBatchTest, AnswersAsLookupsDo) {
  Fill();
  auto old = e_.Begin(txn::IsolationLevel::kRepeatableRead);
  CompareAll(*old);
  auto changing = e_.Begin();
  ChangeSome(*changing, 5);
  CompareAll(*changing);  // its own changes
  auto other = e_.Begin();
  CompareAll(*other);  // somebody's uncommitted ones
  ASSERT_TRUE(e_.Commit(*changing).ok());
  CompareAll(*old);
  CompareAll(*other);
}

TEST_F(LookupBatchTest, FrozenRowsAndCopiesOfThem) {
  Fill();
  ASSERT_EQ(Freeze(), static_cast<uint64_t>(kRows));
  auto txn = e_.Begin();
  CompareAll(*txn);
  ChangeSome(*txn, 3);
  StatementContext context = e_.Statement(*txn);
  for (int32_t i = kRows; i < kRows + 100; ++i) Insert(context, i);
  CompareAll(*txn);
  auto other = e_.Begin();
  CompareAll(*other);
  e_.db->Abort(*txn);
  CompareAll(*other);
}

TEST_F(LookupBatchTest, ARowMapOverText) {
  e_.CreateTable({.columns = {{"s", types::TypeKind::kText}, {"v", types::TypeKind::kInt4}}});
  auto txn = e_.Begin();
  StatementContext context = e_.Statement(*txn);
  auto relation = e_.Open(context);
  for (int32_t i = 0; i < 500; ++i) {
    const std::string text = "a key longer than a cell of the index " + std::to_string(i);
    const Value row[] = {Text(text), Int(i)};
    ASSERT_TRUE(relation->Insert(context, row).ok());
  }
  ASSERT_TRUE(e_.Commit(*txn).ok());
  auto reader = e_.Begin();
  StatementContext reading = e_.Statement(*reader);
  std::vector<std::string> texts;
  for (int32_t i = 0; i < 600; ++i) {
    texts.push_back("a key longer than a cell of the index " + std::to_string(i * 7 % 600));
  }
  std::vector<Value> keys;
  for (const std::string& text : texts) keys.push_back(Text(text));
  std::vector<std::optional<RowRef>> found(keys.size());
  const Oid index = relation->table().primary_key()->oid;
  ASSERT_TRUE(relation->LookupBatch(reading, index, keys, found).ok());
  const ColumnId columns[] = {ColumnId(2)};
  for (int32_t i = 0; i < 600; ++i) {
    const auto& row = found[static_cast<size_t>(i)];
    ASSERT_EQ(row.has_value(), i * 7 % 600 < 500);
    if (!row) continue;
    Value v;
    ASSERT_TRUE(relation->Read(*row, columns, e_.arena, &v).ok());
    EXPECT_EQ(v.i32, i * 7 % 600);
  }
}

TEST_F(LookupBatchTest, CancelEndsIt) {
  Fill();
  auto txn = e_.Begin();
  StatementContext context = e_.Statement(*txn);
  CancelFlag cancel;
  cancel.Set(CancelFlag::Reason::kUserRequest);
  context.cancel = &cancel;
  const std::vector<Value> keys(10, Int(1));
  std::vector<std::optional<RowRef>> found(keys.size());
  auto relation = e_.Open(context);
  const Oid index = relation->table().primary_key()->oid;
  EXPECT_EQ(relation->LookupBatch(context, index, keys, found).sqlstate(), "57014");
}

// EXPLAIN ANALYZE tells of each lookup, those of batches too.
TEST_F(LookupBatchTest, IsTallied) {
  Fill();
  auto txn = e_.Begin();
  StatementContext context = e_.Statement(*txn);
  auto relation = e_.Open(context);
  std::vector<Value> keys;
  for (int32_t i = 0; i < 100; ++i) keys.push_back(Int(i));
  std::vector<std::optional<RowRef>> found(keys.size());
  using index::LookupPath;
  const index::LookupTally tally;
  const Oid index = relation->table().primary_key()->oid;
  ASSERT_TRUE(relation->LookupBatch(context, index, keys, found).ok());
  EXPECT_EQ(tally.count(LookupPath::kModelHit) + tally.count(LookupPath::kCorrection) +
                tally.count(LookupPath::kFallback),
            100u);
}

}  // namespace
}  // namespace omendb::engine
