// deepest_overlap.h - of ranges of keys the most that have a key in common: which segments, or
// index runs, are worth merging.
//
// Thread safety  A pure function.
// Cost           Each range looks at those that are open where it begins.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace omendb::engine {

struct KeySpan {
  size_t item;
  std::string_view first;
  std::string_view last;
};

// Requires: they are sorted by their first keys. Not more than `most` are looked for.
inline std::vector<KeySpan> DeepestOverlap(const std::vector<KeySpan>& spans, size_t most) {
  std::vector<KeySpan> open;
  std::vector<KeySpan> deepest;
  for (const KeySpan& span : spans) {
    std::erase_if(open, [&](const KeySpan& other) { return other.last < span.first; });
    open.push_back(span);
    if (open.size() > deepest.size()) deepest = open;
    if (deepest.size() == most) break;
  }
  return deepest;
}

}  // namespace omendb::engine
