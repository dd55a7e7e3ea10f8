// What others do to a leaf of keys in order, between the inserts that prepare its fence.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "index/bytes_index.h"

namespace omendb::index {
namespace {

using Keys = std::vector<std::string>;

// Keys of a group begin alike; tests put others in between.
std::string KeyOf(int group, int i, const char* end = "") {
  char key[80];
  std::snprintf(key, sizeof(key), "https://host/%04d/articles/of/it/%04d", group, i);
  return key + std::string(end);
}

// The index and what it should hold.
class Pair {
 public:
  void Insert(const std::string& key) {
    const bool added = map_.emplace(key, next_).second;
    ASSERT_EQ(index_.Insert(key, next_).has_value(), !added);
    ++next_;
  }
  void Upsert(const std::string& key) {
    map_[key] = next_;
    index_.Upsert(key, next_++);
  }
  void Update(const std::string& key) {
    const auto at = map_.find(key);
    if (at == map_.end()) return;
    at->second = next_;
    ASSERT_TRUE(index_.Update(key, next_++).has_value());
  }
  void Erase(const std::string& key) {
    ASSERT_EQ(index_.Erase(key).has_value(), map_.erase(key) == 1);
  }
  void ExpectAlike() {
    ASSERT_TRUE(index_.Validate().ok()) << index_.Validate().ToString();
    ASSERT_EQ(index_.Size(), map_.size());
    for (const auto& [key, value] : map_) ASSERT_EQ(index_.Lookup(key), value) << key;
  }
  const BytesIndex& index() const { return index_; }

 private:
  EpochManager epochs_;
  BytesIndex index_{epochs_};
  std::map<std::string, uint64_t> map_;
  uint64_t next_ = 1;
};

// `group` begins with 0 to 90 keys in order; then something else is done, and they go on.
constexpr int kFull = 400, kSteps = 90;

using Between = std::function<void(Pair&, int group, int latest, int step)>;

struct Case {
  const char* name;
  Between between;
};

// Of the cells of the leaf and of the copy one may be too small for it.
template <int kBytes>
void LongerBy(Pair& pair, int group, int latest, int step) {
  const std::string end(kBytes, 'x');
  pair.Insert(KeyOf(group, std::min(latest, latest + step), end.c_str()));
}

const Case kCases[] = {
    {"nothing", [](Pair&, int, int, int) {}},
    {"a value is changed",
     [](Pair& pair, int group, int latest, int step) { pair.Update(KeyOf(group, latest - step)); }},
    {"a value is replaced",
     [](Pair& pair, int group, int latest, int) { pair.Upsert(KeyOf(group, latest)); }},
    {"the last key is erased",
     [](Pair& pair, int group, int latest, int) { pair.Erase(KeyOf(group, latest)); }},
    {"a key comes before the last",
     [](Pair& pair, int group, int latest, int step) {
       pair.Insert(KeyOf(group, std::min(latest, latest - step), "b"));
     }},
    {"one comes at the other end",
     [](Pair& pair, int group, int, int) { pair.Insert(KeyOf(group, 0, "/first")); }},
    {"one comes beyond the group",
     [](Pair& pair, int group, int, int step) { pair.Insert(KeyOf(group + step, 9999)); }},
    {"one comes that is longer", LongerBy<3>},
    {"one comes that is much longer", LongerBy<14>},
    {"one comes that does not fit",
     [](Pair& pair, int group, int latest, int step) {
       pair.Insert(KeyOf(group, latest + step, std::string(200, 'x').c_str()));
     }},
};

class BytesFenceTest : public ::testing::TestWithParam<Case> {};

TEST_P(BytesFenceTest, NothingIsLostBetweenItsSteps) {
  for (const int step : {1, -1}) {
    for (int before = 0; before <= kSteps; ++before) {
      Pair pair;
      const int first = step > 0 ? 1000 : 3000;
      pair.Insert(KeyOf(step > 0 ? 0 : 9, 0));
      // Full leaves, of wide cells, then a group of which nothing is known: its first leaf gets a
      // fence, and the next one.
      const std::string wide(30, 'w');
      for (int i = 0; i < kFull; ++i) pair.Insert(KeyOf(4, first + i * step, wide.c_str()));
      const int group = 4 + step;
      for (int i = 0; i < before; ++i) pair.Insert(KeyOf(group, first + i * step));
      const int latest = first + (before - 1) * step;
      GetParam().between(pair, group, latest, step);
      for (int i = before; i < kSteps + 100; ++i) pair.Insert(KeyOf(group, first + i * step));
      ASSERT_NO_FATAL_FAILURE(pair.ExpectAlike()) << before << " keys, step " << step;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Cases, BytesFenceTest, ::testing::ValuesIn(kCases), [](const auto& at) {
  std::string name = at.param.name;
  std::replace(name.begin(), name.end(), ' ', '_');
  return name;
});

// A run that ends there leaves nothing behind (which the sanitizers see).
TEST(BytesFenceTest, ARunMayEndBetweenItsSteps) {
  for (int keys = 1; keys <= kSteps; ++keys) {
    Pair pair;
    pair.Insert(KeyOf(0, 0));
    for (int group = 1; group < 20; ++group) {
      for (int i = 0; i < (group < 5 ? kFull : keys); ++i) pair.Insert(KeyOf(group, i));
    }
    ASSERT_NO_FATAL_FAILURE(pair.ExpectAlike());
  }
}

// What a fence is for: the leaves of a group cut off what its keys begin with, so their cells are
// small. Without fences the first leaf of each would hold whole keys.
TEST(BytesFenceTest, LeavesOfAGroupHoldOnlyTheRestOfItsKeys) {
  constexpr int kGroups = 60, kEach = 250;
  for (const bool downward : {false, true}) {
    Pair pair;
    for (int g = 0; g < kGroups; ++g) {
      for (int i = 0; i < kEach; ++i) {
        pair.Insert(downward ? KeyOf(kGroups - g, kEach - i) : KeyOf(g, i));
      }
    }
    ASSERT_NO_FATAL_FAILURE(pair.ExpectAlike());
    const size_t each = pair.index().MemoryBytes() / (kGroups * kEach);
    EXPECT_LT(each, 40u) << (downward ? "down" : "up");
  }
}

}  // namespace
}  // namespace omendb::index
