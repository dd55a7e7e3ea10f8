#include "engine/freeze_job.h"

#include <gtest/gtest.h>

#include "base/sqlstate.h"
#include "engine/compaction.h"
#include "engine/engine_fixture.h"
#include "engine/relation_impl.h"

namespace omendb::engine {
namespace {

constexpr uint64_t kAge = 64'000;

class FreezeJobTest : public testing::Test {
 protected:
  FreezeJobTest() { e_.CreateTable({}); }

  // One pass at this time; what it asked to freeze.
  std::vector<FreezeSelection> Pass(uint64_t now_ms, uint64_t newest_visible) {
    std::vector<FreezeSelection> asked;
    job_.Run(now_ms, newest_visible, *e_.db->catalog(),
             [&](Oid, const FreezeSelection& selection) -> Result<uint64_t> {
               asked.push_back(selection);
               if (failing_) return Status(sqlstate::kDiskFull, "no space");
               return moved_;
             });
    return asked;
  }

  Engine e_;
  rowstore::MemoryAccount memory_{1000};
  FreezeJob job_{kAge, memory_};
  bool failing_ = false;
  uint64_t moved_ = 0;  // by each pass
};

TEST_F(FreezeJobTest, AsksForWhatWasCommittedSoLongAgo) {
  // A commit each second.
  for (uint64_t second = 0; second < 64; ++second) {
    EXPECT_TRUE(Pass(second * 1000, second + 1).empty()) << second;
  }
  uint64_t passes = 0;
  for (uint64_t second = 64; second < 200; ++second) {
    for (const FreezeSelection& selection : Pass(second * 1000, second + 1)) {
      ++passes;
      EXPECT_EQ(selection.settled_by, second - 64 + 1);
      EXPECT_EQ(selection.now_ms, second * 1000);
      EXPECT_EQ(selection.calm_for_ms, kAge);
      EXPECT_EQ(selection.rows_min, FreezeJob::kRowsMin);
    }
  }
  EXPECT_EQ(passes, 200u / 8 - 8);  // eight times in the age
}

TEST_F(FreezeJobTest, TakesEverythingWhenMemoryIsShort) {
  EXPECT_TRUE(Pass(0, 10).empty());
  memory_.Add(700);
  EXPECT_TRUE(Pass(1000, 11).empty());
  memory_.SetOther(60);
  for (uint64_t second = 2; second < 5; ++second) {
    const auto asked = Pass(second * 1000, 12);
    ASSERT_EQ(asked.size(), 2u);
    EXPECT_EQ(asked[0].settled_by, UINT64_MAX);
    EXPECT_EQ(asked[0].calm_for_ms, 0u);
    EXPECT_EQ(asked[0].rows_min, FreezeJob::kRowsMinUnderPressure);
  }
}

// Segments that overlap: with each pass some, and nothing of the kind while memory is short.
TEST_F(FreezeJobTest, PutsSomeInOrderAndComesAgain) {
  EXPECT_TRUE(Pass(0, 1).empty());
  moved_ = 100;
  for (uint64_t second = 0; second < 3; ++second) {
    const auto asked = Pass(kAge + second * 1000, 2);
    ASSERT_EQ(asked.size(), 1u) << second;
    EXPECT_EQ(asked[0].overlapping_min, FreezeJob::kOverlappingMin);
    EXPECT_EQ(asked[0].merges_max, 1u);
    EXPECT_FALSE(asked[0].pause());
    memory_.Add(800);
    EXPECT_TRUE(asked[0].pause());
    memory_.Remove(800);
  }
  moved_ = 0;
  EXPECT_EQ(Pass(kAge + 3000, 2).size(), 1u);
  EXPECT_EQ(Pass(kAge + 4000, 2).size(), 0u);
  // First what is in pages; only when there is nothing, what is sparse or small.
  memory_.Add(800);
  const auto asked = Pass(kAge + 5000, 2);
  ASSERT_EQ(asked.size(), 2u);
  EXPECT_EQ(asked[0].merges_max, 0u);
  EXPECT_EQ(asked[1].merges_max, 1u);
  for (const FreezeSelection& selection : asked) EXPECT_EQ(selection.overlapping_min, 0u);
  moved_ = 1;
  EXPECT_EQ(Pass(kAge + 6000, 2).size(), 1u);
}

// After 1, 2, 4, ... seconds, and a minute at most.
TEST_F(FreezeJobTest, CountsFailuresAndPausesLongerEachTime) {
  failing_ = true;
  memory_.Add(1000);
  std::vector<uint64_t> tried;
  for (uint64_t second = 0; second < 200; ++second) {
    if (!Pass(second * 1000, 1).empty()) tried.push_back(second);
  }
  EXPECT_EQ(tried, (std::vector<uint64_t>{0, 1, 3, 7, 15, 31, 63, 123, 183}));
  EXPECT_EQ(job_.failures(), tried.size());
  failing_ = false;
  EXPECT_EQ(Pass(243'000, 1).size(), 2u);
  failing_ = true;
  EXPECT_EQ(Pass(244'000, 1).size(), 1u);
  EXPECT_EQ(Pass(245'000, 1).size(), 1u);  // The pause is short again.
  EXPECT_EQ(Pass(246'000, 1).size(), 0u);
}

// A table that is frozen, and so asked again at once, leaves the pause of another as it is; nobody
// pauses for a lock.
TEST_F(FreezeJobTest, EachTableHasItsOwnPause) {
  e_.CreateTable({.name = "other"});
  ASSERT_EQ(e_.db->catalog()->all_tables().size(), 2u);
  const Oid broken = e_.db->catalog()->all_tables()[0]->oid;
  for (const SqlState& state : {sqlstate::kDiskFull, sqlstate::kLockNotAvailable}) {
    const bool is_lock = state == sqlstate::kLockNotAvailable;
    FreezeJob job(kAge, memory_);
    std::vector<uint64_t> tried;
    uint64_t frozen = 0;
    for (uint64_t second = 0; second < 130; ++second) {
      const uint64_t now_ms = second * 1000;
      job.Run(now_ms, 1, *e_.db->catalog(),
              [&](Oid table, const FreezeSelection&) -> Result<uint64_t> {
                if (table != broken) return ++frozen;
                tried.push_back(second);
                return Status(state, "not now");
              });
    }
    EXPECT_EQ(frozen, 130 - kAge / 1000);  // with each pass
    if (is_lock) {
      EXPECT_EQ(tried.size(), frozen);
    } else {
      EXPECT_EQ(tried, (std::vector<uint64_t>{64, 65, 67, 71, 79, 95, 127}));
    }
  }
}

TEST_F(FreezeJobTest, ZeroIsNever) {
  FreezeJob never(0, memory_);
  memory_.Add(1000);
  for (uint64_t second = 0; second < 10; ++second) {
    never.Run(second * 1'000'000, 1, *e_.db->catalog(),
              [](Oid, const FreezeSelection&) -> Result<uint64_t> {
                ADD_FAILURE();
                return uint64_t{0};
              });
  }
}

// The thread of the database.
class FreezeJobThread : public testing::Test {
 protected:
  // Rows [first, first + count) in one transaction.
  Status Insert(Engine& e, int32_t first, int32_t count) {
    auto txn = e.Begin();
    StatementContext context = e.Statement(*txn);
    auto relation = e.Open(context);
    for (int32_t i = first; i < first + count; ++i) {
      const types::Value row[] = {Int(i), Int(i), Text("a text that is longer than a cell")};
      const Status inserted = relation->Insert(context, row).status();
      if (inserted.ok()) continue;
      e.db->Abort(*txn);
      return inserted;
    }
    return e.Commit(*txn);
  }
  size_t Count(Engine& e) {
    auto txn = e.Begin();
    StatementContext context = e.Statement(*txn);
    return ScanPairs(context, *e.Open(context)).size();
  }
};

TEST_F(FreezeJobThread, FreezesWhatIsOld) {
  Engine e({.freeze_after_ms = 100});
  e.CreateTable({});
  constexpr int32_t kRows = 3 * static_cast<int32_t>(FreezeJob::kRowsMin);
  ASSERT_TRUE(Insert(e, 0, kRows).ok());
  EXPECT_TRUE(Eventually([&] { return e.db->stats().rows_frozen == uint64_t{kRows}; }));
  EXPECT_EQ(Count(e), size_t{kRows});
}

// Rows in no order of their keys, frozen in parts: in the end no key is in many segments.
TEST_F(FreezeJobThread, PutsInOrderWhatOverlaps) {
  constexpr int32_t kParts = 12;
  constexpr int32_t kPart = 500;
  const FullRowsScope full_rows(kPart);
  Engine e({.freeze_after_ms = 100});
  e.CreateTable({});
  for (int32_t part = 0; part < kParts; ++part) {
    auto txn = e.Begin();
    StatementContext context = e.Statement(*txn);
    auto relation = e.Open(context);
    for (int32_t i = 0; i < kPart; ++i) {
      const types::Value row[] = {Int(i * kParts + part), Int(i), Text("text")};
      ASSERT_TRUE(relation->Insert(context, row).ok());
    }
    ASSERT_TRUE(e.Commit(*txn).ok());
    ASSERT_TRUE(e.Freeze().ok());
  }
  auto txn = e.Begin();
  StatementContext context = e.Statement(*txn);
  auto relation = e.Open(context);
  const auto& table = dynamic_cast<const RelationImpl&>(*relation).storage();
  EXPECT_TRUE(Eventually([&] {
    const auto set = table.frozen().runs();
    CompactionRules rules;
    rules.full_rows = kPart;
    rules.overlapping_min = FreezeJob::kOverlappingMin;
    rules.is_sorted = [](const FrozenSegment&) { return true; };
    rules.memory_of = [](const FrozenSegment&) { return uint64_t{0}; };
    return set->runs.size() > size_t{kParts} && SegmentsToCompact(*set, rules).empty();
  }));
  EXPECT_EQ(ScanPairs(context, *relation).size(), size_t{kParts * kPart});
}

// Three times as many rows as memory has room for: whoever meets the limit tries again.
TEST_F(FreezeJobThread, MakesRoomInMemory) {
  Engine e({.memory_bytes = 24 << 20, .freeze_after_ms = 3'600'000});
  e.CreateTable({});
  constexpr int32_t kBatch = 5000;
  constexpr int32_t kRows = 80 * kBatch;
  for (int32_t first = 0; first < kRows; first += kBatch) {
    EXPECT_TRUE(Eventually([&] {
      const Status inserted = Insert(e, first, kBatch);
      EXPECT_TRUE(inserted.ok() || inserted.Is(sqlstate::kOutOfMemory)) << inserted.ToString();
      return inserted.ok();
    })) << first;
  }
  EXPECT_GT(e.db->stats().rows_frozen, uint64_t{kRows / 2});
  EXPECT_EQ(Count(e), size_t{kRows});
}

}  // namespace
}  // namespace omendb::engine
