// regex.h - PostgreSQL's advanced regular expressions, run by RE2.
//
// RE2 has neither back references nor look-around: such patterns are 0A000. A greedy pattern finds
// the longest of the leftmost matches, as POSIX has it; one with a non-greedy quantifier the first.
//
// Thread safety  A Regex is immutable.
// Errors         2201B for a pattern that is none, 22023 for an unknown option.
// See            PostgreSQL 15, section 9.7.3 "POSIX Regular Expressions".
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace re2 {
class RE2;
}

namespace omendb::types {

// The letters behind a pattern: 'gi'.
struct RegexFlags {
  bool global = false;
  bool ignore_case = false;
  bool literal = false;    // q
  bool expanded = false;   // x
  bool dot_stops = false;  // n, p: . and [^x] do not match a newline
  bool lines = false;      // n, w: ^ and $ match at lines
};
Result<RegexFlags> ParseRegexFlags(std::string_view letters);

// The pattern in RE2's syntax; 0A000 for what it has not.
Result<std::string> TranslateRegex(std::string_view pattern);

class Regex {
 public:
  static Result<std::shared_ptr<const Regex>> Compile(std::string_view pattern,
                                                      const RegexFlags& flags);
  ~Regex();

  // Byte offsets; none for a group that took no part.
  using Group = std::optional<std::pair<size_t, size_t>>;
  // Group 0 is the match. False when there is none at or behind `from`.
  bool Match(std::string_view text, size_t from, std::vector<Group>& groups) const;
  int group_count() const;

 private:
  explicit Regex(std::unique_ptr<re2::RE2> re);
  std::unique_ptr<re2::RE2> re_;
};

}  // namespace omendb::types
