// Trees of byte strings of which much is erased: what is left lies in few leaves.
#include <gtest/gtest.h>

#include <cstdio>
#include <deque>
#include <string>

#include "index/bytes_index.h"

namespace omendb::index {
namespace {

std::string KeyOf(uint32_t group, uint32_t number) {
  char text[80];
  std::snprintf(text, sizeof(text), "https://host/%07u/articles/of/it/%06u", group, number);
  return text;
}

void ExpectEmpty(const BytesIndex& index) {
  EXPECT_EQ(index.Size(), 0u);
  EXPECT_EQ(index.Stats().plain_leaves, 1u);
  EXPECT_EQ(index.Stats().depth, 1u);
  EXPECT_TRUE(index.Validate().ok()) << index.Validate().ToString();
}

// New keys at the end, the oldest erased: as many leaves as keys need, however long it goes on.
TEST(BytesIndexEmptyingTest, AQueueDoesNotGrow) {
  for (const uint32_t in_group : {40U, 300U}) {
    EpochManager epochs;
    BytesIndex index(epochs);
    std::deque<std::string> queue;
    constexpr uint32_t kKeys = 1'500'000;
    for (uint32_t i = 0; i < kKeys; ++i) {
      queue.push_back(KeyOf(i / in_group, i % in_group));
      ASSERT_FALSE(index.Insert(queue.back(), i));
      if (queue.size() > 20'000) {
        ASSERT_TRUE(index.Erase(queue.front()));
        queue.pop_front();
      }
    }
    EXPECT_LE(index.Stats().plain_leaves, queue.size() / 36) << in_group;
    for (; !queue.empty(); queue.pop_front()) ASSERT_TRUE(index.Erase(queue.front()));
    ExpectEmpty(index);
  }
}

TEST(BytesIndexEmptyingTest, WhatIsLeftLiesInFewLeaves) {
  constexpr uint32_t kKeys = 100'000;
  for (const uint32_t kept_of : {16U, 64U, 640U}) {
    for (const bool upward : {true, false}) {
      EpochManager epochs;
      BytesIndex index(epochs);
      for (uint32_t i = 0; i < kKeys; ++i) ASSERT_FALSE(index.Insert(KeyOf(0, i), i));
      for (uint32_t i = 0; i < kKeys; ++i) {
        const uint32_t key = upward ? i : kKeys - 1 - i;
        if (key % kept_of == 0) continue;
        ASSERT_TRUE(index.Erase(KeyOf(0, key)));
      }
      const uint64_t leaves_most = index.Size() / 16 + 1;
      EXPECT_LE(index.Stats().plain_leaves, leaves_most) << kept_of << (upward ? " up" : " down");
      EXPECT_TRUE(index.Validate().ok()) << index.Validate().ToString();
      for (uint32_t key = 0; key < kKeys; key += kept_of) {
        ASSERT_EQ(index.Lookup(KeyOf(0, key)), key);
      }
      for (uint32_t key = 0; key < kKeys; key += kept_of) ASSERT_TRUE(index.Erase(KeyOf(0, key)));
      ExpectEmpty(index);
    }
  }
}

}  // namespace
}  // namespace omendb::index
