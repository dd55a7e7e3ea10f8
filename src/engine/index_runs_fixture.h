// index_runs_fixture.h - a table of which entries of secondary indexes lie in runs: for tests of
// what is found (index_runs_test.cc) and of the files (index_run_files_test.cc).
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "base/sqlstate.h"
#include "engine/relation_impl.h"
#include "engine/segments_fixture.h"

namespace omendb::engine {

// Table t (id, v, s): v is unique, s is one of five texts or NULL and has an index with id behind.
class IndexRunsTest : public SegmentsTest {
 protected:
  static constexpr int32_t kOfSegment = 2600;

  static types::Value TextOf(int32_t id) {
    static constexpr const char* kTexts[] = {"a", "bb", "ccc", "dddd",
                                             "a longer one of many bytes"};
    return id % 6 == 5 ? types::Value::Null() : Text(kTexts[id % 6]);
  }
  static int32_t ValueOf(int32_t id) { return static_cast<int32_t>(id * 7919LL % 100'003); }
  void Add(Engine& e, int32_t first, int32_t count) { Put(e, first, count, TextOf); }
  void Put(Engine& e, int32_t first, int32_t count,
           const std::function<types::Value(int32_t)>& text_of) {
    auto txn = e.Begin();
    StatementContext context = e.Statement(*txn);
    auto relation = e.Open(context);
    for (int32_t id = first; id < first + count; ++id) {
      const types::Value row[] = {Int(id), Int(ValueOf(id)), text_of(id)};
      ASSERT_TRUE(relation->Insert(context, row).ok()) << id;
      expected_[id] = ValueOf(id);
    }
    ASSERT_TRUE(e.Commit(*txn).ok());
  }
  // Segments of kOfSegment rows each, and a few rows in pages.
  void Build(Engine& e, int32_t segments = 3) {
    e.CreateTable({.unique = {{1}}, .secondary = {{2, 0}}});
    for (int32_t i = 0; i < segments; ++i) {
      Add(e, i * kOfSegment, kOfSegment);
      ASSERT_TRUE(e.Freeze().ok());
    }
    Add(e, segments * kOfSegment, 100);
  }
  static std::vector<std::shared_ptr<TableIndex>> IndexesOf(Engine& e) {
    auto txn = e.Begin();
    StatementContext context = e.Statement(*txn);
    auto relation = e.Open(context);
    std::vector<std::shared_ptr<TableIndex>> found;
    const auto indexes = static_cast<RelationImpl&>(*relation).storage().indexes();
    for (const auto& index : *indexes) {
      if (!index->is_row_map()) found.push_back(index);
    }
    return found;
  }
  // Segments of which runs are listed, in both indexes.
  static size_t Listed(Engine& e) {
    size_t count = 0;
    for (const auto& index : IndexesOf(e)) {
      for (const auto& listed : index->runs().all()) count += listed.segments.size();
    }
    return count;
  }
  static bool LetAllGo(Engine& e, size_t runs) {
    return Eventually([&] { return Listed(e) == runs; });
  }
  // v of the rows with this v, by the unique index.
  Result<std::optional<int32_t>> FindByValue(Engine& e, int32_t v) {
    auto txn = e.Begin();
    StatementContext context = e.Statement(*txn);
    auto relation = e.Open(context);
    const types::Value key[] = {Int(v)};
    OMEN_ASSIGN(const auto found, relation->Lookup(context, relation->table().indexes[1].oid, key));
    if (!found) return std::optional<int32_t>();
    types::Value id;
    const ColumnId column[] = {ColumnId(1)};
    OMEN_TRY(relation->Read(*found, column, e.arena, &id));
    return std::optional<int32_t>(id.i32);
  }
  // Ids in the order of index `number`.
  Result<std::vector<int32_t>> Range(Engine& e, size_t number, const KeyRange& range,
                                     const std::function<void(size_t)>& visited = nullptr) {
    auto txn = e.Begin();
    StatementContext context = e.Statement(*txn);
    auto relation = e.Open(context);
    std::vector<int32_t> ids;
    const auto visit = [&](RowRef row) -> Result<bool> {
      const ColumnId column[] = {ColumnId(1)};
      types::Value id;
      OMEN_TRY(relation->Read(row, column, e.arena, &id));
      ids.push_back(id.i32);
      if (visited) visited(ids.size());
      return true;
    };
    OMEN_TRY(relation->ScanIndex(context, relation->table().indexes[number].oid, range, visit));
    return ids;
  }
  std::vector<int32_t> ExpectedByValue(int32_t low, int32_t high, bool backward) const {
    std::vector<std::pair<int32_t, int32_t>> found;
    for (const auto& [id, v] : expected_) {
      if (v >= low && v < high) found.emplace_back(v, id);
    }
    std::sort(found.begin(), found.end());
    if (backward) std::reverse(found.begin(), found.end());
    std::vector<int32_t> ids;
    for (const auto& [v, id] : found) ids.push_back(id);
    return ids;
  }
  void CheckRanges(Engine& e) {
    std::mt19937 random(7);
    for (int i = 0; i < 40; ++i) {
      KeyRange range;
      const auto low = static_cast<int32_t>(random() % 110'000) - 5000;
      const auto high = low + static_cast<int32_t>(random() % 20'000);
      range.lower = Int(low);
      range.upper = Int(high);
      range.upper_inclusive = false;
      range.backward = i % 2 == 0;
      const auto found = Range(e, 1, range);
      ASSERT_TRUE(found.ok()) << found.status().ToString();
      EXPECT_EQ(*found, ExpectedByValue(low, high, range.backward)) << low << " " << high;
    }
    for (int32_t text = 0; text < 5; ++text) {
      KeyRange range;
      range.equal = {TextOf(text)};
      range.backward = text % 2 == 0;
      const auto found = Range(e, 2, range);
      ASSERT_TRUE(found.ok());
      std::vector<int32_t> wanted;
      for (const auto& [id, v] : expected_) {
        if (id % 6 == text) wanted.push_back(id);
      }
      if (range.backward) std::reverse(wanted.begin(), wanted.end());
      EXPECT_EQ(*found, wanted) << text;
    }
  }
  void CheckPoints(Engine& e, int32_t step = 13) {
    std::map<int32_t, int32_t> by_value;
    for (const auto& [id, v] : expected_) by_value[v] = id;
    for (int32_t v = 0; v < 100'003; v += step) {
      const auto found = FindByValue(e, v);
      ASSERT_TRUE(found.ok()) << found.status().ToString();
      const auto wanted = by_value.find(v);
      EXPECT_EQ(*found, wanted == by_value.end() ? std::nullopt : std::optional(wanted->second));
    }
  }
  // Every so manieth row of the first segment, in one transaction.
  void Update(Engine& e, int32_t step, const std::function<int32_t(int32_t)>& value_of) {
    auto txn = e.Begin();
    StatementContext context = e.Statement(*txn);
    auto relation = e.Open(context);
    for (int32_t id = 0; id < kOfSegment; id += step) {
      const auto seen = Find(e, context, id);
      ASSERT_TRUE(seen.has_value());
      const types::Value row[] = {Int(id), Int(value_of(id)), TextOf(id)};
      const auto done = relation->Update(context, *seen, row);
      ASSERT_TRUE(done.ok() && done->outcome == RowOutcome::kDone);
      expected_[id] = value_of(id);
    }
    ASSERT_TRUE(e.Commit(*txn).ok());
  }
  void CheckAll(Engine& e) {
    CheckRanges(e);
    CheckPoints(e);
    CheckIndexes(e, expected_);
  }

  const FanInScope unmerged_{FanInScope::kNever};  // unless a test says otherwise
  std::deque<std::string> texts_;                  // of values
};

}  // namespace omendb::engine
