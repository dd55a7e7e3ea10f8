// What leaves indexes for their share of the memory, and what comes back.
#include "engine/key_budget.h"

#include <gtest/gtest.h>

#include "engine/bulk_update_fixture.h"
#include "engine/relation_impl.h"

namespace omendb::engine {
namespace {

std::atomic<uint64_t> passes{0};
std::atomic<uint64_t> share_now{0};
uint64_t CountedShare() {
  passes.fetch_add(1);
  return share_now.load();
}

class KeyBudgetTest : public SegmentsTest {
 protected:
  static constexpr int32_t kOfSegment = 2600;

  KeyBudgetTest() { share_now = uint64_t{1} << 60; }
  const FanInScope unmerged_{FanInScope::kNever};

  static std::string TextOf(int32_t id, size_t bytes) {
    std::string text = std::to_string(id * 7919LL % 100'003);
    text.resize(bytes, 'x');
    return text;
  }
  void Add(Engine& e, const std::string& table, int32_t first, size_t text_bytes) {
    auto txn = e.Begin();
    StatementContext context = e.Statement(*txn);
    auto relation = e.Open(context, table);
    for (int32_t id = first; id < first + kOfSegment; ++id) {
      const std::string text = TextOf(id, text_bytes);
      const types::Value row[] = {Int(id), Int(id), Text(text)};
      ASSERT_TRUE(relation->Insert(context, row).ok()) << id;
    }
    ASSERT_TRUE(e.Commit(*txn).ok());
  }
  void Build(Engine& e, const TableSpec& spec, int32_t segments, size_t text_bytes) {
    e.CreateTable(spec);
    for (int32_t i = 0; i < segments; ++i) {
      Add(e, spec.name, i * kOfSegment, text_bytes);
      ASSERT_TRUE(e.Freeze(spec.name).ok());
    }
  }
  static std::shared_ptr<TableIndex> IndexOf(Engine& e, const std::string& table, size_t number) {
    auto txn = e.Begin();
    StatementContext context = e.Statement(*txn);
    auto relation = e.Open(context, table);
    return (*static_cast<RelationImpl&>(*relation).storage().indexes())[number];
  }
  static bool MorePasses(uint64_t count) {
    const uint64_t first = passes.load();
    return Eventually([&] { return passes.load() >= first + count; });
  }
  // Ids by an index, in order.
  static Status Visit(Engine& e, const std::string& table, size_t number) {
    auto txn = e.Begin();
    StatementContext context = e.Statement(*txn);
    auto relation = e.Open(context, table);
    const auto visit = [](RowRef) -> Result<bool> { return true; };
    return relation->ScanIndex(context, relation->table().indexes[number].oid, {}, visit);
  }

 private:
  const ShareScope share_{&CountedShare};
};

// Entries that do not fit do not go and come again and again.
TEST_F(KeyBudgetTest, WideEntriesComeToRest) {
  Engine e;
  Build(e, {.secondary = {{2}}}, 4, 400);
  const auto index = IndexOf(e, "t", 1);
  const uint64_t all = IndexOf(e, "t", 0)->memory_bytes() + index->memory_bytes();
  for (const uint64_t share : {all * 9 / 10, all / 2, all / 4, all / 10}) {
    share_now = share;
    ASSERT_TRUE(MorePasses(30));
    const uint64_t moves = index->runs().moves();
    ASSERT_TRUE(MorePasses(100));
    EXPECT_EQ(index->runs().moves(), moves) << share << " of " << all;
    EXPECT_FALSE(index->runs().all().empty());
  }
  share_now = uint64_t{1} << 60;
  EXPECT_TRUE(Eventually([&] { return index->runs().all().empty(); }));
}

// While others move.
TEST_F(KeyBudgetTest, ADamagedRunIsMendedWhileKeysMove) {
  Engine e;
  share_now = 1;
  Build(e, {.secondary = {{2}}}, 3, 20);
  ASSERT_TRUE(Eventually([&] { return IndexOf(e, "t", 1)->runs().all().size() == 3; }));
  ASSERT_TRUE(e.db->Close().ok());
  e.db.reset();
  const std::string first = "data/segments/" + *SegmentFiles(*e.env, ".idx").begin();
  ASSERT_TRUE(e.env->FlipBit(first, 100, 1).ok());
  KeyBudget::share_for_tests = &ShareInTurn;
  e.Open();
  EXPECT_TRUE(Eventually([&] { return e.db->VerifySegments().empty(); }));
  EXPECT_TRUE(Visit(e, "t", 1).ok());
}

// Where one run cannot be written, others are; where none of an index can, others of other tables.
TEST_F(KeyBudgetTest, WhatCannotLeaveDoesNotKeepTheOthers) {
  for (const int error : {EIO, ENOSPC}) {
    testutil::MemEnv disk;
    testutil::FaultEnv watched(disk);
    Engine e(SmallOptions());
    ASSERT_TRUE(e.db->Close().ok());
    e.OpenOn(watched);
    e.CreateTable({.name = "a", .secondary = {{2}}});
    const Oid first = IndexOf(e, "a", 1)->storage();
    const std::string run = "0001." + std::to_string(first.value()) + ".idx";
    watched.AddRule({.ops = testutil::kOpAppend, .path_contains = run, .error = error});
    for (int32_t i = 0; i < 2; ++i) {
      Add(e, "a", i * kOfSegment, 20);
      ASSERT_TRUE(e.Freeze("a").ok());
    }
    Build(e, {.name = "b", .secondary = {{2}}}, 2, 20);
    share_now = 1;
    EXPECT_TRUE(Eventually([&] { return IndexOf(e, "b", 1)->runs().all().size() == 2; }));
    if (error == EIO) {
      EXPECT_TRUE(Eventually([&] { return IndexOf(e, "a", 1)->runs().Has(1); }));
    }
    EXPECT_FALSE(IndexOf(e, "a", 1)->runs().Has(0));
    watched.ClearRules();
    EXPECT_TRUE(Eventually([&] { return IndexOf(e, "a", 1)->runs().all().size() == 2; }));
    EXPECT_TRUE(Visit(e, "a", 1).ok());
    e.db.reset();
  }
}

// Entries come back while the new versions of their rows are being undone: who looks whether a row
// still has the key may begin at the new version and not get from there to the old one any more.
TEST_F(BulkUpdateTest, ReplacingIsUndoneWhileEntriesComeBack) {
  const ShareScope in_turn(&ShareInTurn);
  Engine e;
  spec_ = {.secondary = {{1}}};
  Fill(e, 400);
  for (int round = 0; round < 4000 && !HasFailure(); ++round) {
    auto txn = e.Begin();
    Add(e, *txn, 0, 400, 1);
    e.db->Abort(*txn);
    txn.reset();
    CheckIndexes(e, expected_);
  }
}

}  // namespace
}  // namespace omendb::engine
