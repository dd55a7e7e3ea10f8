#include "engine/change_rates.h"

#include <gtest/gtest.h>

namespace omendb::engine {
namespace {

constexpr uint64_t kHorizon = 10'000;
constexpr uint64_t kRows = ChangeRates::kRangeRows;

// `count` changes spread over `ms`, beginning at `from`.
void Change(ChangeRates& rates, uint64_t row, uint64_t count, uint64_t from, uint64_t ms) {
  for (uint64_t i = 0; i < count; ++i) rates.Note(RowId(row), from + i * ms / count, kHorizon);
}

TEST(ChangeRates, WhatNobodyChangedIsCalm) {
  ChangeRates rates;
  EXPECT_TRUE(rates.IsCalm(RowId(5), 1000, 1, kHorizon));
  EXPECT_TRUE(rates.IsCalm(RowId(kRows * 1000), kRows * 2000, 1, kHorizon));
}

TEST(ChangeRates, ASteadyRateIsFoundAndForgotten) {
  ChangeRates rates;
  // 20 % of the range in each horizon, for ten of them.
  Change(rates, 1, kRows * 2, 0, 10 * kHorizon);
  EXPECT_FALSE(rates.IsCalm(RowId(1), kRows, 10 * kHorizon, kHorizon));
  EXPECT_FALSE(rates.IsCalm(RowId(kRows - 1), kRows, 10 * kHorizon, kHorizon));  // a neighbour
  EXPECT_TRUE(rates.IsCalm(RowId(kRows), kRows * 2, 10 * kHorizon, kHorizon));   // another range
  // Three half-lives later the expected part is 0.18 / 8.
  EXPECT_TRUE(rates.IsCalm(RowId(1), kRows, 13 * kHorizon, kHorizon));
}

TEST(ChangeRates, HysteresisKeepsTheMiddleAsItWas) {
  // 7 % in each horizon lies between the two bounds.
  ChangeRates calm;
  Change(calm, 1, kRows * 7 / 10, 0, 10 * kHorizon);
  EXPECT_TRUE(calm.IsCalm(RowId(1), kRows, 10 * kHorizon, kHorizon));
  ChangeRates restless;
  Change(restless, 1, kRows * 2, 0, 10 * kHorizon);
  EXPECT_FALSE(restless.IsCalm(RowId(1), kRows, 10 * kHorizon, kHorizon));
  Change(restless, 1, kRows * 7 / 10, 10 * kHorizon, 10 * kHorizon);
  EXPECT_FALSE(restless.IsCalm(RowId(1), kRows, 20 * kHorizon, kHorizon));
}

TEST(ChangeRates, RowsOfASmallTableChangeOftener) {
  ChangeRates rates;
  Change(rates, 1, 100, 0, kHorizon);
  EXPECT_TRUE(rates.IsCalm(RowId(1), kRows, kHorizon, kHorizon));
  EXPECT_FALSE(rates.IsCalm(RowId(1), 100, kHorizon, kHorizon));
}

TEST(ChangeRates, AClockThatStandsStillChangesNothing) {
  ChangeRates rates;
  for (int i = 0; i < 1000; ++i) rates.Note(RowId(1), 7, kHorizon);
  EXPECT_FALSE(rates.IsCalm(RowId(1), 1000, 7, kHorizon));
  EXPECT_FALSE(rates.IsCalm(RowId(1), 1000, 3, kHorizon));
}

}  // namespace
}  // namespace omendb::engine
