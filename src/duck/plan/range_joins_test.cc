#include "duck/plan/range_joins.h"

#include <gtest/gtest.h>

namespace omendb::duck {
namespace {

TEST(RangeJoins, OnlyALostRowIsAMatterOfMemory) {
  const duckdb::InternalException lost(
      "Attempting to dereference an optional pointer that is not set");
  EXPECT_TRUE(TellsOfLostRows(duckdb::ErrorData(lost)));
  const duckdb::InternalException other("Failed to bind column reference \"a\"");
  EXPECT_FALSE(TellsOfLostRows(duckdb::ErrorData(other)));
  const duckdb::InvalidInputException said("cannot dereference an optional pointer");
  EXPECT_FALSE(TellsOfLostRows(duckdb::ErrorData(said)));
}

}  // namespace
}  // namespace omendb::duck
