#include "types/time_words.h"

#include <algorithm>

namespace omendb::types {
namespace {

constexpr std::string_view kTimeWords[] = {"now", "today", "tomorrow", "yesterday"};

bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

bool IsTimeWord(std::string_view word) {
  return std::any_of(std::begin(kTimeWords), std::end(kTimeWords), [&](std::string_view known) {
    return std::equal(word.begin(), word.end(), known.begin(), known.end(),
                      [](char a, char b) { return (a | 0x20) == b; });
  });
}

}  // namespace

bool MayNameTheTime(std::string_view text) {
  for (size_t i = 0; i < text.size();) {
    if (text[i] == '\\') return true;
    const size_t begin = i;
    while (i < text.size() && IsLetter(text[i])) ++i;
    if (i > begin && IsTimeWord(text.substr(begin, i - begin))) return true;
    if (i == begin) ++i;
  }
  return false;
}

bool IsDateOrTime(TypeKind kind) {
  return kind == TypeKind::kDate || kind == TypeKind::kTime || kind == TypeKind::kTimestamp ||
         kind == TypeKind::kTimestampTz;
}

}  // namespace omendb::types
