#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>

#include "base/sqlstate.h"
#include "types/calendar.h"
#include "types/datetime_fields.h"
#include "types/text_parsers.h"

namespace omendb::types {
namespace {

bool IsAlnum(char c) { return IsAlpha(c) || IsDigit(c); }
bool IsPunctuation(char c) { return c > ' ' && c < 0x7F && !IsAlnum(c); }
bool IsDateDelimiter(char c) { return c == '-' || c == '/' || c == '.'; }

// From `pos` while `accept` holds.
template <typename Accept>
size_t SkipWhile(std::string_view s, size_t pos, Accept accept) {
  while (pos < s.size() && accept(s[pos])) ++pos;
  return pos;
}

constexpr size_t kTextBytesMax = 128 + 25;  // MAXDATELEN + MAXDATEFIELDS: PostgreSQL's buffer.

struct DateWord {
  std::string_view name;
  WordKind kind;
  int value;
};

constexpr DateWord Special(std::string_view name, Reserved value) {
  return {name, WordKind::kReserved, static_cast<int>(value)};
}

// In order of name. Units are named by the letter that stands for them.
constexpr DateWord kDateWords[] = {
    Special("-infinity", Reserved::kMinusInfinity),
    {"ad", WordKind::kAdBc, 0},
    Special("allballs", Reserved::kAllBalls),
    {"am", WordKind::kAmPm, 0},
    {"apr", WordKind::kMonth, 4},
    {"april", WordKind::kMonth, 4},
    {"at", WordKind::kIgnored, 0},
    {"aug", WordKind::kMonth, 8},
    {"august", WordKind::kMonth, 8},
    {"bc", WordKind::kAdBc, 1},
    {"d", WordKind::kUnit, 'd'},
    {"dec", WordKind::kMonth, 12},
    {"december", WordKind::kMonth, 12},
    {"dow", WordKind::kUnit, '?'},
    {"doy", WordKind::kUnit, '?'},
    {"dst", WordKind::kDaylight, 3600},
    Special("epoch", Reserved::kEpoch),
    {"feb", WordKind::kMonth, 2},
    {"february", WordKind::kMonth, 2},
    {"fri", WordKind::kDayOfWeek, 5},
    {"friday", WordKind::kDayOfWeek, 5},
    {"h", WordKind::kUnit, 'h'},
    Special("infinity", Reserved::kInfinity),
    {"isodow", WordKind::kUnit, '?'},
    {"isoyear", WordKind::kUnit, '?'},
    {"j", WordKind::kUnit, 'j'},
    {"jan", WordKind::kMonth, 1},
    {"january", WordKind::kMonth, 1},
    {"jd", WordKind::kUnit, 'j'},
    {"jul", WordKind::kMonth, 7},
    {"julian", WordKind::kUnit, 'j'},
    {"july", WordKind::kMonth, 7},
    {"jun", WordKind::kMonth, 6},
    {"june", WordKind::kMonth, 6},
    {"m", WordKind::kUnit, 'm'},
    {"mar", WordKind::kMonth, 3},
    {"march", WordKind::kMonth, 3},
    {"may", WordKind::kMonth, 5},
    {"mm", WordKind::kUnit, 'n'},
    {"mon", WordKind::kDayOfWeek, 1},
    {"monday", WordKind::kDayOfWeek, 1},
    {"nov", WordKind::kMonth, 11},
    {"november", WordKind::kMonth, 11},
    Special("now", Reserved::kNow),
    {"oct", WordKind::kMonth, 10},
    {"october", WordKind::kMonth, 10},
    {"on", WordKind::kIgnored, 0},
    {"pm", WordKind::kAmPm, 1},
    {"s", WordKind::kUnit, 's'},
    {"sat", WordKind::kDayOfWeek, 6},
    {"saturday", WordKind::kDayOfWeek, 6},
    {"sep", WordKind::kMonth, 9},
    {"sept", WordKind::kMonth, 9},
    {"september", WordKind::kMonth, 9},
    {"sun", WordKind::kDayOfWeek, 0},
    {"sunday", WordKind::kDayOfWeek, 0},
    {"t", WordKind::kIsoTime, 't'},
    {"thu", WordKind::kDayOfWeek, 4},
    {"thur", WordKind::kDayOfWeek, 4},
    {"thurs", WordKind::kDayOfWeek, 4},
    {"thursday", WordKind::kDayOfWeek, 4},
    Special("today", Reserved::kToday),
    Special("tomorrow", Reserved::kTomorrow),
    {"tue", WordKind::kDayOfWeek, 2},
    {"tues", WordKind::kDayOfWeek, 2},
    {"tuesday", WordKind::kDayOfWeek, 2},
    {"wed", WordKind::kDayOfWeek, 3},
    {"wednesday", WordKind::kDayOfWeek, 3},
    {"weds", WordKind::kDayOfWeek, 3},
    {"y", WordKind::kUnit, 'y'},
    Special("yesterday", Reserved::kYesterday),
};

std::string OutOfRangeMessage(std::string_view what, std::string_view text) {
  return std::string(what) + " out of range: \"" + std::string(text) + "\"";
}

}  // namespace

Status DateTimeStatus(DateTimeError error, std::string_view type, std::string_view text,
                      std::string_view zone) {
  switch (error) {
    case DateTimeError::kFieldOverflow:
      return Status(sqlstate::kDatetimeFieldOverflow,
                    OutOfRangeMessage("date/time field value", text));
    case DateTimeError::kMonthDayOverflow:
      return Status(sqlstate::kDatetimeFieldOverflow,
                    OutOfRangeMessage("date/time field value", text))
          .WithHint("Perhaps you need a different \"datestyle\" setting.");
    case DateTimeError::kIntervalOverflow:
      return Status(sqlstate::kIntervalFieldOverflow,
                    OutOfRangeMessage("interval field value", text));
    case DateTimeError::kZoneOverflow:
      return Status(SqlState("22009"), OutOfRangeMessage("time zone displacement", text));
    case DateTimeError::kUnknownZone:
      return Status(sqlstate::kInvalidParameterValue,
                    "time zone \"" + std::string(zone) + "\" not recognized");
    default:
      return Status(
          sqlstate::kInvalidDatetimeFormat,
          "invalid input syntax for type " + std::string(type) + ": \"" + std::string(text) + "\"");
  }
}

WordMeaning FindDateWord(std::string_view lower) {
  auto less = [](const DateWord& word, std::string_view name) { return word.name < name; };
  auto it = std::lower_bound(std::begin(kDateWords), std::end(kDateWords), lower, less);
  if (it == std::end(kDateWords) || it->name != lower) return {WordKind::kUnknown, 0};
  return {it->kind, it->value};
}

DateTimeError TakeInt(std::string_view& text, int64_t& value, int64_t max) {
  bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  if (text.empty() || !IsDigit(text.front())) return DateTimeError::kBadFormat;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || value > max) return DateTimeError::kFieldOverflow;
  if (negative) value = -value;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  return DateTimeError::kNone;
}

DateTimeError TakeIntOrZero(std::string_view& text, int64_t& value) {
  value = 0;
  if (text.empty() || !IsDigit(text.front())) return DateTimeError::kNone;
  return TakeInt(text, value);
}

DateTimeError ParseFractionalSecond(std::string_view text, int32_t& micros) {
  std::string_view digits = text.substr(1);
  if (!std::all_of(digits.begin(), digits.end(), IsDigit)) return DateTimeError::kBadFormat;
  if (digits.size() <= 6) {
    micros = 0;
    for (size_t i = 0; i < 6; ++i) micros = micros * 10 + (i < digits.size() ? digits[i] - '0' : 0);
    return DateTimeError::kNone;
  }
  double fraction = std::strtod(std::string(text).c_str(), nullptr);
  micros = static_cast<int32_t>(std::rint(fraction * 1000000));
  return DateTimeError::kNone;
}

DateTimeError ParseZoneOffset(std::string_view text, int32_t& seconds_east) {
  if (!text.starts_with('+') && !text.starts_with('-')) return DateTimeError::kBadFormat;
  std::string_view rest = text.substr(1);
  int64_t hour = 0, minute = 0, second = 0;
  if (DateTimeError e = TakeInt(rest, hour); e != DateTimeError::kNone) {
    return e == DateTimeError::kFieldOverflow ? DateTimeError::kZoneOverflow : e;
  }
  if (rest.starts_with(':')) {
    rest.remove_prefix(1);
    if (TakeInt(rest, minute) != DateTimeError::kNone) return DateTimeError::kBadFormat;
    if (rest.starts_with(':')) {
      rest.remove_prefix(1);
      if (TakeInt(rest, second) != DateTimeError::kNone) return DateTimeError::kBadFormat;
    }
  } else if (rest.empty() && text.size() > 3) {
    minute = hour % 100;
    hour /= 100;
  }
  if (hour < 0 || hour > 15 || minute < 0 || minute > 59 || second < 0 || second > 59) {
    return DateTimeError::kZoneOverflow;
  }
  if (!rest.empty()) return DateTimeError::kBadFormat;
  auto magnitude = static_cast<int32_t>(hour * 3600 + minute * 60 + second);
  seconds_east = text.front() == '-' ? -magnitude : magnitude;
  return DateTimeError::kNone;
}

DateTimeError DateTimeTokens::Add(TokenKind kind, size_t begin, size_t end) {
  if (count_ == kTokensMax) return DateTimeError::kBadFormat;
  tokens_[count_++] = {kind, std::string_view(text_).substr(begin, end - begin)};
  return DateTimeError::kNone;
}

DateTimeError DateTimeTokens::Split(std::string_view text) {
  if (text.size() > kTextBytesMax) return DateTimeError::kBadFormat;
  text_.assign(text);
  for (char& c : text_) c = ToLower(c);
  count_ = 0;
  for (size_t pos = 0; pos < text_.size();) {
    if (IsSpace(text_[pos])) {
      ++pos;
      continue;
    }
    DateTimeError error = SplitOne(pos);
    if (error != DateTimeError::kNone) return error;
  }
  return DateTimeError::kNone;
}

DateTimeError DateTimeTokens::SplitOne(size_t& pos) {
  char c = text_[pos];
  if (IsDigit(c)) return SplitNumeric(pos);
  if (c == '.') {
    size_t begin = pos;
    pos = SkipWhile(text_, pos + 1, IsDigit);
    return Add(TokenKind::kNumber, begin, pos);
  }
  if (IsAlpha(c)) return SplitWord(pos);
  if (c == '+' || c == '-') return SplitSigned(pos);
  if (!IsPunctuation(c)) return DateTimeError::kBadFormat;
  ++pos;
  return DateTimeError::kNone;
}

// A number, a time "04:05:06.7", or a date "2024-01-31", "31.1.2024", "31-jan-2024".
DateTimeError DateTimeTokens::SplitNumeric(size_t& pos) {
  size_t begin = pos;
  pos = SkipWhile(text_, pos, IsDigit);
  if (pos == text_.size()) return Add(TokenKind::kNumber, begin, pos);
  char delimiter = text_[pos];
  if (delimiter == ':') {
    pos = SkipWhile(text_, pos, [](char c) { return IsDigit(c) || c == ':' || c == '.'; });
    return Add(TokenKind::kTime, begin, pos);
  }
  if (!IsDateDelimiter(delimiter)) return Add(TokenKind::kNumber, begin, pos);
  ++pos;
  if (pos < text_.size() && IsDigit(text_[pos])) {
    TokenKind kind = delimiter == '.' ? TokenKind::kNumber : TokenKind::kDate;
    pos = SkipWhile(text_, pos, IsDigit);
    if (pos < text_.size() && text_[pos] == delimiter) {
      kind = TokenKind::kDate;
      pos = SkipWhile(text_, pos, [&](char c) { return IsDigit(c) || c == delimiter; });
    }
    return Add(kind, begin, pos);
  }
  pos = SkipWhile(text_, pos, [&](char c) { return IsAlnum(c) || c == delimiter; });
  return Add(TokenKind::kDate, begin, pos);
}

// A word, or a date or zone that begins with one: "jan-31-2024", "europe/berlin", "est5edt".
DateTimeError DateTimeTokens::SplitWord(size_t& pos) {
  size_t begin = pos;
  pos = SkipWhile(text_, pos, IsAlpha);
  bool is_date = false;
  if (pos < text_.size()) {
    char c = text_[pos];
    is_date = IsDateDelimiter(c);
    if (c == '+' || IsDigit(c)) {
      std::string_view word = std::string_view(text_).substr(begin, pos - begin);
      is_date = FindDateWord(word).kind == WordKind::kUnknown;
    }
  }
  if (!is_date) return Add(TokenKind::kWord, begin, pos);
  pos = SkipWhile(text_, pos, [](char c) {
    return c == '+' || c == '-' || c == '/' || c == '_' || c == '.' || c == ':' || IsAlnum(c);
  });
  return Add(TokenKind::kDate, begin, pos);
}

// "+02:00", "-infinity", "- 3": blanks behind the sign go.
DateTimeError DateTimeTokens::SplitSigned(size_t& pos) {
  size_t begin = pos++;
  size_t body = SkipWhile(text_, pos, IsSpace);
  if (body == text_.size()) return DateTimeError::kBadFormat;
  if (body > pos) {
    text_[body - 1] = text_[begin];
    begin = body - 1;
  }
  if (IsDigit(text_[body])) {
    pos = SkipWhile(text_, body,
                    [](char c) { return IsDigit(c) || c == ':' || c == '.' || c == '-'; });
    return Add(TokenKind::kZone, begin, pos);
  }
  if (!IsAlpha(text_[body])) return DateTimeError::kBadFormat;
  pos = SkipWhile(text_, body, IsAlpha);
  return Add(TokenKind::kSpecial, begin, pos);
}

}  // namespace omendb::types
