#include "engine/delete_mask.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

#include "mvcc/snapshot.h"

namespace omendb::engine {
namespace {

constexpr uint64_t kMark = mvcc::WordOf(TxnId(7), 3);

std::string Bytes(const DeleteMask& mask) {
  std::string bytes;
  mask.Serialize(bytes);
  return bytes;
}

std::optional<std::set<uint32_t>> Parsed(uint32_t rows, std::string_view bytes) {
  std::set<uint32_t> found;
  ByteReader in(bytes);
  const bool whole = DeleteMask::Parse(rows, in, [&](uint32_t first, uint32_t count) {
    for (uint32_t row = first; row < first + count; ++row) found.insert(row);
  });
  return whole && in.remaining() == 0 ? std::optional(found) : std::nullopt;
}

TEST(DeleteMaskTest, HasWhatWasAddedAndNotRemoved) {
  std::mt19937 random(1);
  for (const uint32_t rows : {1u, 63u, 64u, 2048u, 2049u, 100'000u}) {
    DeleteMask mask(rows, kMark);
    std::set<uint32_t> expected;
    for (int i = 0; i < 5000; ++i) {
      const auto row = static_cast<uint32_t>(random() % rows);
      if (expected.insert(row).second) {
        mask.Add(row);
      } else if (random() % 2 == 0) {
        mask.Remove(row);
        expected.erase(row);
      }
    }
    ASSERT_EQ(mask.count(), expected.size());
    DeadRows dead(rows);
    dead.Add(rows / 2);
    mask.AddTo(dead);
    for (uint32_t row = 0; row < rows; ++row) {
      ASSERT_EQ(mask.Has(row), expected.contains(row)) << row;
      ASSERT_EQ(dead.Has(row), expected.contains(row) || row == rows / 2) << row;
    }
    EXPECT_EQ(dead.count(), expected.size() + (expected.contains(rows / 2) ? 0 : 1));
    EXPECT_EQ(Parsed(rows, Bytes(mask)), expected);
  }
}

TEST(DeleteMaskTest, AdjacentRowsTakeLittle) {
  constexpr uint32_t kRows = 1 << 17;
  DeleteMask all(kRows, kMark);
  for (uint32_t row = 0; row < kRows; ++row) all.Add(row);
  EXPECT_LT(all.memory_bytes(), kRows / 8 + 1024);
  EXPECT_LT(Bytes(all).size(), 8u);
  DeleteMask one(kRows, kMark);
  one.Add(kRows - 1);
  EXPECT_LT(one.memory_bytes(), 1024u);
}

TEST(DeleteMaskTest, DamagedRunsAreRefused) {
  DeleteMask mask(100, kMark);
  for (const uint32_t row : {3u, 4u, 50u, 99u}) mask.Add(row);
  const std::string bytes = Bytes(mask);
  EXPECT_TRUE(Parsed(100, bytes));
  EXPECT_FALSE(Parsed(99, bytes));
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(Parsed(100, std::string_view(bytes).substr(0, size))) << size;
  }
  std::string none;
  ByteWriter(none).PutVarint(1);  // A run of no rows.
  none.append(2, '\0');
  EXPECT_FALSE(Parsed(100, none));
}

}  // namespace
}  // namespace omendb::engine
