// datetime_fields.h - the text of a date, time or timestamp taken apart into fields.
//
// PostgreSQL reads dates in two steps, and so do we, since what it accepts follows from how it does
// it: split the text into typed tokens (number, date, time, zone, word), then let each token say
// which fields it is, given the fields seen before and DateOrder.
//
// Internal to this folder. Thread safety: pure.
// See            PostgreSQL 15, appendix B.1 "Date/Time Input Interpretation".
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/status.h"
#include "types/text_io.h"
#include "types/time_zone.h"

namespace omendb::types {

enum class DateTimeError : uint8_t {
  kNone,
  kBadFormat,         // 22007 invalid input syntax for type ...
  kFieldOverflow,     // 22008 date/time field value out of range
  kMonthDayOverflow,  // The same with a hint about datestyle.
  kIntervalOverflow,  // 22015 interval field value out of range
  kZoneOverflow,      // 22009 time zone displacement out of range
  kUnknownZone,       // 22023 time zone "x" not recognized
};
// `zone` is the name for kUnknownZone. Requires: error != kNone.
Status DateTimeStatus(DateTimeError error, std::string_view type, std::string_view text,
                      std::string_view zone = {});

enum class TokenKind : uint8_t { kNumber, kDate, kTime, kZone, kWord, kSpecial };

struct DateTimeToken {
  TokenKind kind;
  std::string_view text;  // Words in lower case.
};

// The tokens of one text, and the lower-case copy they point into.
class DateTimeTokens {
 public:
  DateTimeError Split(std::string_view text);
  size_t size() const { return count_; }
  const DateTimeToken& operator[](size_t i) const { return tokens_[i]; }

 private:
  static constexpr size_t kTokensMax = 25;  // PostgreSQL's MAXDATEFIELDS.
  DateTimeError Add(TokenKind kind, size_t begin, size_t end);
  DateTimeError SplitOne(size_t& pos);
  DateTimeError SplitNumeric(size_t& pos);
  DateTimeError SplitWord(size_t& pos);
  DateTimeError SplitSigned(size_t& pos);

  std::string text_;
  std::array<DateTimeToken, kTokensMax> tokens_;
  size_t count_ = 0;
};

struct DateTimeFields {
  enum class Kind : uint8_t { kFields, kEpoch, kInfinity, kMinusInfinity };
  Kind kind = Kind::kFields;
  int64_t year = 0;  // Astronomical once decoded.
  int month = 0;
  int day = 0;
  int hour = 0;
  int minute = 0;
  int second = 0;
  int32_t micros = 0;
  bool has_offset = false;
  int32_t seconds_east = 0;
  std::shared_ptr<const TimeZone> zone;  // A named zone in the text.

  int64_t TimeMicros() const;
  int64_t Days() const;  // Since 1970-01-01.
};

enum class DateTimeShape : uint8_t {
  kDateTime,  // A date must be there.
  kTimeOnly,  // A time must be there.
};
// `unknown_zone` receives the name for kUnknownZone.
DateTimeError DecodeDateTime(const DateTimeTokens& tokens, DateTimeShape shape,
                             const IoSettings& settings, DateTimeFields& fields,
                             std::string& unknown_zone);

// What a word means, in a date or time.
enum class WordKind : uint8_t {
  kUnknown,
  kIgnored,
  kMonth,
  kDayOfWeek,
  kAmPm,
  kAdBc,
  kUnit,
  kIsoTime,
  kDaylight,
  kReserved,
};
enum class Reserved : uint8_t {
  kInfinity,
  kMinusInfinity,
  kEpoch,
  kNow,
  kToday,
  kTomorrow,
  kYesterday,
  kAllBalls,
};
struct WordMeaning {
  WordKind kind;
  int value;
};
WordMeaning FindDateWord(std::string_view lower);

// Digits behind a point, as microseconds, rounded; `text` begins with the point.
DateTimeError ParseFractionalSecond(std::string_view text, int32_t& micros);
// "+02", "-0530", "+05:30:15" to seconds east.
DateTimeError ParseZoneOffset(std::string_view text, int32_t& seconds_east);
// An int at the front of `text`, which moves behind it, as strtol reads (no blanks);
// kFieldOverflow.
DateTimeError TakeInt(std::string_view& text, int64_t& value, int64_t max = INT32_MAX);
// The same behind a colon, where PostgreSQL takes no digits for zero: "12:" is "12:00".
DateTimeError TakeIntOrZero(std::string_view& text, int64_t& value);

}  // namespace omendb::types
