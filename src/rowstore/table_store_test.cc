#include "rowstore/table_store.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <thread>
#include <vector>

namespace omendb::rowstore {
namespace {

class RowMap : public testing::Test {
 protected:
  MemoryAccount memory_{uint64_t{1} << 30};
  TableStore store_{memory_};
};

TEST_F(RowMap, RangesAndWordsReadAlike) {
  std::mt19937_64 random(11);
  std::map<uint64_t, uint64_t> model;
  for (uint64_t segment = 1; segment <= 40; ++segment) {
    const uint32_t count = 1 + static_cast<uint32_t>(random() % 9000);
    const RowId first = store_.ReserveRows(count);
    const bool in_segment = random() % 3 != 0;
    for (uint32_t i = 0; i < count; ++i) {
      const VersionRef ref = in_segment ? MakeFrozenRef(segment, i) : MakeRef(segment, i);
      model[first.value() + i] = ref;
      if (!in_segment) store_.SetNewRow(RowId(first.value() + i), ref);
    }
    if (in_segment) store_.SetNewRange(first, count, MakeFrozenRef(segment, 0));
    for (int change = 0; change < 200; ++change) {
      const RowId row(1 + random() % store_.rows_reserved());
      uint64_t& word = model[row.value()];
      if (random() % 2 == 0) {
        const VersionRef ref = random() % 4 == 0 ? kRowGone : MakeRef(1000, change);
        EXPECT_FALSE(store_.SetHead(row, HeadOf(word) + 1, ref));
        EXPECT_TRUE(store_.SetHead(row, word & ~kRowLocked, ref));
        word = ref | (word & kRowLocked);
      } else {
        store_.row(row).fetch_xor(kRowLocked);
        word ^= kRowLocked;
      }
    }
  }
  for (const auto& [row, word] : model) {
    ASSERT_EQ(store_.row_word(RowId(row)), word) << row;
    ASSERT_EQ(store_.head(RowId(row)), HeadOf(word)) << row;
  }
}

TEST_F(RowMap, RowsOfLoadedSegmentsTakeHardlyAnyMemory) {
  constexpr uint32_t kRows = 100'000;
  const RowId first = store_.ReserveRows(kRows);
  EXPECT_EQ(store_.row_map_bytes(), kRows * 8);
  store_.SetNewRange(first, kRows, MakeFrozenRef(3, 0));
  EXPECT_LT(store_.row_map_bytes(), uint64_t{2} * 1024 * 8);
}

TEST_F(RowMap, ARangeIsRestoredAndItsRowsDeletedForGood) {
  store_.RestoreFrozenRange(RowId(5000), 4000, MakeFrozenRef(2, 7));
  EXPECT_EQ(store_.rows_reserved(), 8999U);
  EXPECT_EQ(store_.rows_count(), 4000U);
  EXPECT_EQ(store_.head(RowId(4999)), 0U);
  EXPECT_EQ(store_.head(RowId(5000)), MakeFrozenRef(2, 7));
  EXPECT_EQ(store_.head(RowId(8999)), MakeFrozenRef(2, 4006));
  for (const uint64_t row : {5001, 7000}) {  // A word of its own, and in a range.
    store_.RestoreDelete(RowId(row));
    EXPECT_EQ(store_.head(RowId(row)), 0U) << row;
  }
  EXPECT_EQ(store_.rows_count(), 3998U);
  store_.RestoreFrozen(RowId(7000), MakeFrozenRef(9, 1));
  EXPECT_EQ(store_.head(RowId(7000)), MakeFrozenRef(9, 1));
  EXPECT_EQ(store_.head(RowId(7001)), MakeFrozenRef(2, 2008));
}

TEST_F(RowMap, OfManyWhoChangeARowOfARangeOneSucceeds) {
  constexpr uint32_t kRows = 20'000;
  constexpr int kThreads = 4;
  const RowId first = store_.ReserveRows(kRows);
  store_.SetNewRange(first, kRows, MakeFrozenRef(1, 0));
  std::vector<uint32_t> changed(kThreads);
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (uint32_t i = 0; i < kRows; ++i) {
        const RowId row(first.value() + i);
        store_.row(row).fetch_or(kRowLocked);
        if (store_.SetHead(row, MakeFrozenRef(1, i), MakeRef(1, t))) ++changed[t];
        ASSERT_NE(store_.head(row), MakeFrozenRef(1, i));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  uint32_t sum = 0;
  for (const uint32_t count : changed) sum += count;
  EXPECT_EQ(sum, kRows);
  for (uint32_t i = 0; i < kRows; ++i) {
    EXPECT_NE(store_.row_word(RowId(first.value() + i)) & kRowLocked, 0U);
  }
}

}  // namespace
}  // namespace omendb::rowstore
