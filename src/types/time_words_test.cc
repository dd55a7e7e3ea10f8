#include "types/time_words.h"

#include <gtest/gtest.h>

namespace omendb::types {
namespace {

TEST(TimeWords, AreWordsOfAnyCaseAnywhere) {
  for (const char* text : {"now", "Today", "2024-01-01 YESTERDAY", "{now,tomorrow}", " now ",
                           "1now", "{\"n\\ow\"}", "\\"}) {
    EXPECT_TRUE(MayNameTheTime(text)) << text;
  }
}

TEST(TimeWords, AreNoPartsOfOthers) {
  for (const char* text : {"", "unknown", "nowhere", "to day", "2024-01-01", "no'w", "epoch"}) {
    EXPECT_FALSE(MayNameTheTime(text)) << text;
  }
}

}  // namespace
}  // namespace omendb::types
