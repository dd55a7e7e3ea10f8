#include "engine/packed_entries.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

#include "base/bytes.h"

namespace omendb::engine {
namespace {

std::string EntryOf(const std::string& key, RowId row) {
  char bytes[8];
  StoreBe<uint64_t>(bytes, row.value());
  return key + std::string(bytes, sizeof(bytes));
}

// Keys end with a byte that they have nowhere else, as encoded ones do: none begins another.
std::string RandomKey(std::mt19937& random) {
  std::string key;
  for (size_t size = random() % 6; size > 0; --size) {
    key.push_back(static_cast<char>(1 + random() % 3));
  }
  key.push_back('\0');
  return key;
}

struct Lists {
  explicit Lists(uint32_t seed) : random(seed) {
    for (uint64_t segment = 0; segment < 4; ++segment) {
      std::vector<PackedEntries::Entry> entries(random() % 200);
      for (PackedEntries::Entry& entry : entries) {
        entry = {RandomKey(random), RowId(1 + random() % 1000)};
        all.insert(EntryOf(entry.key, entry.row));
        parts.resize(segment + 1);
        parts[segment].insert(EntryOf(entry.key, entry.row));
      }
      parts.resize(segment + 1);
      packed.Add(segment, std::make_shared<const PackedEntries>(std::move(entries)));
    }
  }
  std::mt19937 random;
  PackedLists packed;
  std::vector<std::multiset<std::string>> parts;  // by segment
  std::multiset<std::string> all;
};

TEST(PackedEntries, CursorsGiveAllInOrderFromAnyBound) {
  for (uint32_t seed = 1; seed <= 50; ++seed) {
    Lists lists(seed);
    for (int i = 0; i < 40; ++i) {
      const std::string bound =
          i == 0 ? std::string() : EntryOf(RandomKey(lists.random), RowId(lists.random() % 1000));
      std::vector<std::string> found;
      for (PackedCursor cursor(lists.packed.all(), bound, /*backward=*/false); !cursor.at_end();
           cursor.Next()) {
        found.emplace_back(cursor.entry());
      }
      const auto from = lists.all.lower_bound(bound);
      EXPECT_EQ(found, std::vector<std::string>(from, lists.all.end()));
      found.clear();
      for (PackedCursor cursor(lists.packed.all(), bound, /*backward=*/true); !cursor.at_end();
           cursor.Next()) {
        found.emplace_back(cursor.entry());
      }
      std::reverse(found.begin(), found.end());
      const auto end = bound.empty() ? lists.all.end() : from;
      EXPECT_EQ(found, std::vector<std::string>(lists.all.begin(), end));
    }
  }
}

TEST(PackedEntries, RowsAreFoundByTheirKey) {
  for (uint32_t seed = 1; seed <= 50; ++seed) {
    Lists lists(seed);
    for (int i = 0; i < 100; ++i) {
      const std::string key = RandomKey(lists.random);
      std::vector<std::string> found;
      const auto all = lists.packed.all();
      for (const PackedLists::Listed& listed : *all) {
        std::vector<RowId> rows;
        listed.entries->Find(key, PackedEntries::HashOf(key), rows);
        for (const RowId row : rows) found.push_back(EntryOf(key, row));
      }
      std::sort(found.begin(), found.end());
      const auto from = lists.all.lower_bound(EntryOf(key, RowId(0)));
      const auto end = lists.all.upper_bound(EntryOf(key, RowId(UINT64_MAX)));
      EXPECT_EQ(found, std::vector<std::string>(from, end));
      EXPECT_EQ(lists.packed.CountRange(EntryOf(key, RowId(0)), EntryOf(key, RowId(UINT64_MAX))),
                found.size());
    }
    EXPECT_EQ(lists.packed.CountRange("", ""), lists.all.size());
  }
}

TEST(PackedEntries, AListThatIsRemovedIsGoneAndOthersStay) {
  Lists lists(7);
  const auto before = lists.packed.all();
  lists.packed.Remove(1);
  EXPECT_EQ(before->size(), 4u);
  EXPECT_EQ(lists.packed.CountRange("", ""), lists.all.size() - lists.parts[1].size());
  for (const uint64_t segment : {0, 2, 3, 9}) lists.packed.Remove(segment);
  EXPECT_TRUE(lists.packed.empty());
  EXPECT_EQ(lists.packed.all(), nullptr);
  EXPECT_EQ(lists.packed.memory_bytes(), 0u);
}

TEST(PackedEntries, IntegersTakeFewBytes) {
  std::vector<PackedEntries::Entry> entries;
  for (uint32_t i = 0; i < 100'000; ++i) {
    char key[4];
    StoreBe<uint32_t>(key, 7 * i);
    entries.push_back({std::string(1, '\1') + std::string(key, 4), RowId(5'000'000 + i)});
  }
  std::shuffle(entries.begin(), entries.end(), std::mt19937(1));
  const PackedEntries packed(std::move(entries));
  EXPECT_EQ(packed.size(), 100'000u);
  EXPECT_LT(packed.memory_bytes(), 900'000u);
}

}  // namespace
}  // namespace omendb::engine
