#include "types/regex.h"

#include <re2/re2.h>

#include <cctype>

#include "base/sqlstate.h"

namespace omendb::types {

namespace {

Status InvalidRegex(const std::string& reason) {
  return Status(sqlstate::kInvalidRegularExpression, "invalid regular expression: " + reason);
}

// PostgreSQL's words for what RE2 found wrong.
Status CompileError(const re2::RE2& re) {
  switch (re.error_code()) {
    case re2::RE2::ErrorMissingParen:
    case re2::RE2::ErrorUnexpectedParen:
      return InvalidRegex("parentheses () not balanced");
    case re2::RE2::ErrorMissingBracket:
      return InvalidRegex("brackets [] not balanced");
    case re2::RE2::ErrorBadCharRange:
      return InvalidRegex("invalid character range");
    case re2::RE2::ErrorBadCharClass:
      return InvalidRegex("invalid character class");
    case re2::RE2::ErrorRepeatArgument:
    case re2::RE2::ErrorRepeatOp:
      return InvalidRegex("quantifier operand invalid");
    case re2::RE2::ErrorRepeatSize:
      return InvalidRegex("invalid repetition count(s)");
    case re2::RE2::ErrorBadEscape:
    case re2::RE2::ErrorTrailingBackslash:
      return InvalidRegex("invalid escape \\ sequence");
    default:
      return InvalidRegex(re.error());
  }
}

bool HasLazyQuantifier(std::string_view pattern) {
  for (size_t i = 0; i + 1 < pattern.size(); ++i) {
    if (pattern[i] == '\\') {
      ++i;
    } else if (pattern[i + 1] == '?' &&
               (pattern[i] == '*' || pattern[i] == '+' || pattern[i] == '?' || pattern[i] == '}')) {
      return true;
    }
  }
  return false;
}

// One escape behind a backslash.
Status TranslateEscape(char c, bool in_class, std::string& out) {
  if (!in_class && (c == 'm' || c == 'M' || c == 'y')) {
    out += "\\b";  // Exact beside word characters, where these stand.
    return Status::Ok();
  }
  if (!in_class && c == 'Y') {
    out += "\\B";
    return Status::Ok();
  }
  if (!in_class && c == 'Z') {
    out += "\\z";
    return Status::Ok();
  }
  if (c >= '1' && c <= '9') return NotSupported("a back reference in a regular expression");
  if (c == 'e') {
    out += "\\x1b";
    return Status::Ok();
  }
  out += '\\';
  out += c;
  return Status::Ok();
}

}  // namespace

Result<RegexFlags> ParseRegexFlags(std::string_view letters) {
  RegexFlags flags;
  for (const char c : letters) {
    switch (c) {
      case 'g':
        flags.global = true;
        break;
      case 'i':
        flags.ignore_case = true;
        break;
      case 'c':
        flags.ignore_case = false;
        break;
      case 'n':
      case 'm':
        flags.dot_stops = flags.lines = true;
        break;
      case 'p':
        flags.dot_stops = true;
        flags.lines = false;
        break;
      case 'w':
        flags.dot_stops = false;
        flags.lines = true;
        break;
      case 's':
        flags.dot_stops = flags.lines = false;
        break;
      case 'q':
        flags.literal = true;
        break;
      case 'x':
        flags.expanded = true;
        break;
      case 't':
        flags.expanded = false;
        break;
      case 'e':
        break;
      case 'b':
        return NotSupported("a basic regular expression");
      default:
        return Status(sqlstate::kInvalidParameterValue,
                      std::string("invalid regular expression option: \"") + c + "\"");
    }
  }
  return flags;
}

Result<std::string> TranslateRegex(std::string_view pattern) {
  std::string out;
  bool in_class = false;
  for (size_t i = 0; i < pattern.size(); ++i) {
    const char c = pattern[i];
    const std::string_view rest = pattern.substr(i);
    if (c == '\\' && i + 1 < pattern.size()) {
      OMEN_TRY(TranslateEscape(pattern[++i], in_class, out));
      continue;
    }
    if (in_class) {
      if (rest.starts_with("[:<:]") || rest.starts_with("[:>:]")) {
        return NotSupported("[[:<:]] in a regular expression");
      }
      if (rest.starts_with("[:")) {
        const size_t end = rest.find(":]");
        if (end != std::string_view::npos) {
          out += rest.substr(0, end + 2);
          i += end + 1;
          continue;
        }
      }
      if (c == ']') in_class = false;
      out += c == '[' ? "\\[" : std::string(1, c);
      continue;
    }
    if (rest.starts_with("(?=") || rest.starts_with("(?!") || rest.starts_with("(?<")) {
      return NotSupported("look-around in a regular expression");
    }
    if (c == '[') {
      in_class = true;
      out += c;
      if (i + 1 < pattern.size() && pattern[i + 1] == '^') out += pattern[++i];
      if (i + 1 < pattern.size() && pattern[i + 1] == ']') {
        out += "\\]";
        ++i;
      }
      continue;
    }
    out += c;
  }
  return out;
}

Regex::Regex(std::unique_ptr<re2::RE2> re) : re_(std::move(re)) {}
Regex::~Regex() = default;

Result<std::shared_ptr<const Regex>> Regex::Compile(std::string_view pattern,
                                                    const RegexFlags& flags) {
  RegexFlags used = flags;
  std::string text;
  bool lazy = false;
  if (flags.literal || pattern.starts_with("***=")) {
    if (pattern.starts_with("***=")) pattern.remove_prefix(4);
    text = re2::RE2::QuoteMeta(re2::StringPiece(pattern.data(), pattern.size()));
  } else {
    if (pattern.starts_with("***:")) pattern.remove_prefix(4);
    // Leading options: (?i)
    const size_t close = pattern.find(')');
    if (pattern.starts_with("(?") && close != std::string_view::npos && pattern.size() > 2 &&
        std::isalpha(static_cast<unsigned char>(pattern[2])) != 0) {
      OMEN_ASSIGN(const RegexFlags leading, ParseRegexFlags(pattern.substr(2, close - 2)));
      used.ignore_case = used.ignore_case || leading.ignore_case;
      used.dot_stops = used.dot_stops || leading.dot_stops;
      used.lines = used.lines || leading.lines;
      used.expanded = used.expanded || leading.expanded;
      pattern.remove_prefix(close + 1);
    }
    if (used.expanded) return NotSupported("the expanded syntax of regular expressions");
    OMEN_ASSIGN(text, TranslateRegex(pattern));
    lazy = HasLazyQuantifier(pattern);
  }
  text = std::string(used.lines ? "(?m)" : "") + text;
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_case_sensitive(!used.ignore_case);
  options.set_dot_nl(!used.dot_stops);
  options.set_longest_match(!lazy);
  auto re = std::make_unique<re2::RE2>(re2::StringPiece(text.data(), text.size()), options);
  if (!re->ok()) return CompileError(*re);
  return std::shared_ptr<const Regex>(new Regex(std::move(re)));
}

int Regex::group_count() const { return re_->NumberOfCapturingGroups(); }

bool Regex::Match(std::string_view text, size_t from, std::vector<Group>& groups) const {
  std::vector<re2::StringPiece> found(static_cast<size_t>(group_count()) + 1);
  const re2::StringPiece piece(text.data(), text.size());
  if (!re_->Match(piece, from, text.size(), re2::RE2::UNANCHORED, found.data(),
                  static_cast<int>(found.size()))) {
    return false;
  }
  groups.clear();
  for (const auto& group : found) {
    if (group.data() == nullptr) {
      groups.emplace_back(std::nullopt);
    } else {
      groups.emplace_back(std::pair(static_cast<size_t>(group.data() - text.data()), group.size()));
    }
  }
  return true;
}

}  // namespace omendb::types
