#include "index/linear_model.h"

#include <gtest/gtest.h>

#include <random>

namespace omendb::index {
namespace {

TEST(LinearModelTest, FirstKeyOfAPosition) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 200'000; ++i) {
    const uint64_t span = random() >> (random() % 64);
    const uint64_t base = random() % 3 == 0 ? 0 : random() % (UINT64_MAX - span);
    const uint64_t positions = 2 + random() % 1023;
    const LinearModel model = LinearModel::Make(base, span, positions);
    const uint64_t position = 1 + random() % (positions - 1);
    if (model(base + span) < position) continue;  // No key is dealt there.
    const uint64_t first = model.FirstAt(position);
    ASSERT_GT(first, base);
    ASSERT_LE(first, base + span);
    ASSERT_GE(model(first), position) << base << " " << span << " " << positions;
    ASSERT_LT(model(first - 1), position) << base << " " << span << " " << positions;
  }
}

}  // namespace
}  // namespace omendb::index
