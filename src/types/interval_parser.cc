#include "types/interval_parser.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <iterator>

#include "types/calendar.h"
#include "types/text_parsers.h"

namespace omendb::types {
namespace {

using Error = DateTimeError;

enum class Unit : uint8_t {
  kNone,
  kMicrosecond,
  kMillisecond,
  kSecond,
  kMinute,
  kHour,
  kDay,
  kWeek,
  kMonth,
  kYear,
  kDecade,
  kCentury,
  kMillennium,
  kOther,
  kAgo,
  kIgnored,
};

// Bits of the units seen; a fraction of a second counts as all of them below it.
using Mask = uint32_t;
constexpr Mask Bit(Unit unit) { return 1u << static_cast<int>(unit); }
constexpr Mask kAllSeconds = Bit(Unit::kSecond) | Bit(Unit::kMillisecond) | Bit(Unit::kMicrosecond);
constexpr Mask kClock = Bit(Unit::kHour) | Bit(Unit::kMinute) | kAllSeconds;

struct UnitWord {
  std::string_view name;  // Compared in its first ten letters, as PostgreSQL does.
  Unit unit;
};

// In order of name.
constexpr UnitWord kUnitWords[] = {
    {"ago", Unit::kAgo},
    {"c", Unit::kCentury},
    {"cent", Unit::kCentury},
    {"centuries", Unit::kCentury},
    {"century", Unit::kCentury},
    {"d", Unit::kDay},
    {"day", Unit::kDay},
    {"days", Unit::kDay},
    {"dec", Unit::kDecade},
    {"decade", Unit::kDecade},
    {"decades", Unit::kDecade},
    {"decs", Unit::kDecade},
    {"h", Unit::kHour},
    {"hour", Unit::kHour},
    {"hours", Unit::kHour},
    {"hr", Unit::kHour},
    {"hrs", Unit::kHour},
    {"m", Unit::kMinute},
    {"microsecon", Unit::kMicrosecond},
    {"mil", Unit::kMillennium},
    {"millennia", Unit::kMillennium},
    {"millennium", Unit::kMillennium},
    {"millisecon", Unit::kMillisecond},
    {"mils", Unit::kMillennium},
    {"min", Unit::kMinute},
    {"mins", Unit::kMinute},
    {"minute", Unit::kMinute},
    {"minutes", Unit::kMinute},
    {"mon", Unit::kMonth},
    {"mons", Unit::kMonth},
    {"month", Unit::kMonth},
    {"months", Unit::kMonth},
    {"ms", Unit::kMillisecond},
    {"msec", Unit::kMillisecond},
    {"msecond", Unit::kMillisecond},
    {"mseconds", Unit::kMillisecond},
    {"msecs", Unit::kMillisecond},
    {"qtr", Unit::kOther},
    {"quarter", Unit::kOther},
    {"s", Unit::kSecond},
    {"sec", Unit::kSecond},
    {"second", Unit::kSecond},
    {"seconds", Unit::kSecond},
    {"secs", Unit::kSecond},
    {"timezone", Unit::kOther},
    {"us", Unit::kMicrosecond},
    {"usec", Unit::kMicrosecond},
    {"usecond", Unit::kMicrosecond},
    {"useconds", Unit::kMicrosecond},
    {"usecs", Unit::kMicrosecond},
    {"w", Unit::kWeek},
    {"week", Unit::kWeek},
    {"weeks", Unit::kWeek},
    {"y", Unit::kYear},
    {"year", Unit::kYear},
    {"years", Unit::kYear},
    {"yr", Unit::kYear},
    {"yrs", Unit::kYear},
};

Unit FindUnit(std::string_view lower) {
  lower = lower.substr(0, 10);
  auto less = [](const UnitWord& word, std::string_view name) { return word.name < name; };
  auto it = std::lower_bound(std::begin(kUnitWords), std::end(kUnitWords), lower, less);
  if (it != std::end(kUnitWords) && it->name == lower) return it->unit;
  return FindDateWord(lower).kind == WordKind::kIgnored ? Unit::kIgnored : Unit::kNone;
}

bool AddTo(int64_t value, int64_t factor, int64_t& sum) {
  int64_t product = 0;
  return !__builtin_mul_overflow(value, factor, &product) &&
         !__builtin_add_overflow(sum, product, &sum);
}

// Sums of the parts; false means a field overflowed.
class Accumulator {
 public:
  explicit Accumulator(IntervalFields& fields) : fields_(fields) {}

  bool Add(Unit unit, int64_t value, double fraction) {
    switch (unit) {
      case Unit::kMicrosecond:
        return AddTo(value, 1, fields_.micros) && AddMicros(fraction, 1);
      case Unit::kMillisecond:
        return AddTo(value, 1000, fields_.micros) && AddMicros(fraction, 1000);
      case Unit::kSecond:
        return AddClock(value, fraction, kMicrosPerSecond);
      case Unit::kMinute:
        return AddClock(value, fraction, kMicrosPerMinute);
      case Unit::kHour:
        return AddClock(value, fraction, kMicrosPerHour);
      case Unit::kDay:
        return AddDays(value, 1) && AddMicros(fraction, kMicrosPerDay);
      case Unit::kWeek:
        return AddDays(value, 7) && AddDayFraction(fraction, 7);
      case Unit::kMonth:
        return AddMonths(value) && AddDayFraction(fraction, 30);
      case Unit::kYear:
        return AddYears(value, fraction, 1);
      case Unit::kDecade:
        return AddYears(value, fraction, 10);
      case Unit::kCentury:
        return AddYears(value, fraction, 100);
      case Unit::kMillennium:
        return AddYears(value, fraction, 1000);
      default:
        return false;
    }
  }
  bool AddDayFraction(double fraction, int scale) {
    if (fraction == 0) return true;
    fraction *= scale;
    auto days = static_cast<int64_t>(fraction);
    if (!AddDays(days, 1)) return false;
    return AddMicros(fraction - static_cast<double>(days), kMicrosPerDay);
  }

 private:
  static bool IsInt32(int64_t value) { return value >= INT32_MIN && value <= INT32_MAX; }
  bool AddClock(int64_t value, double fraction, int64_t scale) {
    return AddTo(value, scale, fields_.micros) && AddMicros(fraction, scale);
  }
  bool AddDays(int64_t value, int64_t factor) {
    return IsInt32(value) && AddTo(value, factor, fields_.days) && IsInt32(fields_.days);
  }
  bool AddMonths(int64_t value) {
    return IsInt32(value) && AddTo(value, 1, fields_.months) && IsInt32(fields_.months);
  }
  bool AddYears(int64_t value, double fraction, int64_t scale) {
    if (!IsInt32(value) || !AddTo(value, scale, fields_.years) || !IsInt32(fields_.years)) {
      return false;
    }
    return AddMonths(static_cast<int64_t>(std::rint(fraction * static_cast<double>(scale) * 12)));
  }
  bool AddMicros(double fraction, int64_t scale) {
    if (fraction == 0) return true;
    fraction *= static_cast<double>(scale);
    auto micros = static_cast<int64_t>(fraction);
    fraction -= static_cast<double>(micros);
    if (fraction > 0.5) ++micros;
    if (fraction < -0.5) --micros;
    return AddTo(micros, 1, fields_.micros);
  }

  IntervalFields& fields_;
};

// ".5" at the front of `text`, which moves behind it.
Error TakeFraction(std::string_view& text, double& fraction) {
  size_t size = 1;
  while (size < text.size() && IsDigit(text[size])) ++size;
  fraction = size == 1 ? 0 : std::strtod(std::string(text.substr(0, size)).c_str(), nullptr);
  text.remove_prefix(size);
  return Error::kNone;
}

class Decoder {
 public:
  Decoder(const DateTimeTokens& tokens, int32_t range, IntervalFields& fields)
      : tokens_(tokens), range_(range), fields_(fields), sums_(fields) {}

  Error Run(IntervalStyle style);

 private:
  Error DecodeToken(const DateTimeToken& token);
  Error DecodeNumber(std::string_view text);
  Error DecodeClock(std::string_view text);
  Error DecodeWord(std::string_view text);
  Unit UnitOfRange() const;
  static Error Negate(int64_t& value) {
    return __builtin_sub_overflow(int64_t{0}, value, &value) ? Error::kFieldOverflow : Error::kNone;
  }
  Error NegateAll();

  const DateTimeTokens& tokens_;
  const int32_t range_;
  IntervalFields& fields_;
  Accumulator sums_;
  Unit unit_ = Unit::kNone;  // Of the number at hand: tokens are read from the last on.
  Mask seen_ = 0;
  Mask found_ = 0;
  bool force_negative_ = false;
  bool is_before_ = false;
};

Unit Decoder::UnitOfRange() const {
  switch (range_) {
    case kRangeYear:
      return Unit::kYear;
    case kRangeMonth:
    case kRangeYear | kRangeMonth:
      return Unit::kMonth;
    case kRangeDay:
      return Unit::kDay;
    case kRangeHour:
    case kRangeDay | kRangeHour:
      return Unit::kHour;
    case kRangeMinute:
    case kRangeHour | kRangeMinute:
    case kRangeDay | kRangeHour | kRangeMinute:
      return Unit::kMinute;
    default:
      return Unit::kSecond;
  }
}

// "04:05:06.7", "04:05"; behind it, nearer the front, come days.
Error Decoder::DecodeClock(std::string_view text) {
  int64_t parts[3] = {0, 0, 0};
  int32_t micros = 0;
  Error error = TakeInt(text, parts[0], INT64_MAX);
  if (error != Error::kNone) return error;
  if (!text.starts_with(':')) return Error::kBadFormat;
  text.remove_prefix(1);
  if ((error = TakeIntOrZero(text, parts[1])) != Error::kNone) return error;
  bool minutes_first =
      text.starts_with('.') || (text.empty() && range_ == (kRangeMinute | kRangeSecond));
  if (minutes_first) {
    if (parts[0] > INT32_MAX) return Error::kFieldOverflow;
    parts[2] = parts[1];
    parts[1] = parts[0];
    parts[0] = 0;
  } else if (text.starts_with(':')) {
    text.remove_prefix(1);
    if ((error = TakeIntOrZero(text, parts[2])) != Error::kNone) return error;
  }
  if (text.starts_with('.')) {
    if ((error = ParseFractionalSecond(text, micros)) != Error::kNone) return error;
  } else if (!text.empty()) {
    return Error::kBadFormat;
  }
  if (parts[0] < 0 || parts[1] > 59 || parts[2] > 60) return Error::kFieldOverflow;
  fields_.micros = micros;
  if (!AddTo(parts[0], kMicrosPerHour, fields_.micros) ||
      !AddTo(parts[1], kMicrosPerMinute, fields_.micros) ||
      !AddTo(parts[2], kMicrosPerSecond, fields_.micros)) {
    return Error::kFieldOverflow;
  }
  found_ = kClock;
  unit_ = Unit::kDay;
  return Error::kNone;
}

// strtoi64 reads sign and digits; an empty number before a point is zero.
Error TakeNumber(std::string_view& text, int64_t& value) {
  bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  size_t size = 0;
  while (size < text.size() && IsDigit(text[size])) ++size;
  value = 0;
  std::string digits = (negative ? "-" : "") + std::string(text.substr(0, size));
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error == std::errc::result_out_of_range) return Error::kFieldOverflow;
  text.remove_prefix(size);
  return Error::kNone;
}

Error Decoder::DecodeNumber(std::string_view text) {
  if (unit_ == Unit::kNone) unit_ = UnitOfRange();
  bool negative = text.starts_with('-');
  std::string_view rest = text;
  int64_t value = 0;
  double fraction = 0;
  Error error = TakeNumber(rest, value);
  if (error != Error::kNone) return error;
  if (rest.starts_with('-')) {
    // Years and months: "1-2".
    rest.remove_prefix(1);
    int64_t months = 0;
    if ((error = TakeNumber(rest, months)) != Error::kNone) return error;
    if (months < 0 || months >= 12) return Error::kFieldOverflow;
    if (!rest.empty()) return Error::kBadFormat;
    unit_ = Unit::kMonth;
    if (negative) months = -months;
    if (__builtin_mul_overflow(value, int64_t{12}, &value) ||
        __builtin_add_overflow(value, months, &value)) {
      return Error::kFieldOverflow;
    }
  } else if (rest.starts_with('.')) {
    TakeFraction(rest, fraction);
    if (!rest.empty()) return Error::kBadFormat;
    if (negative) fraction = -fraction;
  } else if (!rest.empty()) {
    return Error::kBadFormat;
  }
  if (force_negative_) {
    if (value > 0) value = -value;
    if (fraction > 0) fraction = -fraction;
  }
  if (static_cast<int>(unit_) > static_cast<int>(Unit::kMillennium)) return Error::kBadFormat;
  if (!sums_.Add(unit_, value, fraction)) return Error::kFieldOverflow;
  found_ = unit_ == Unit::kSecond && fraction != 0 ? kAllSeconds : Bit(unit_);
  // What stands before hours without a unit is days: "3 04:05".
  if (unit_ == Unit::kHour) unit_ = Unit::kDay;
  return Error::kNone;
}

Error Decoder::DecodeWord(std::string_view text) {
  Unit unit = FindUnit(text);
  if (unit == Unit::kIgnored) return Error::kNone;
  if (unit == Unit::kNone) return Error::kBadFormat;
  if (unit == Unit::kAgo) is_before_ = true;
  unit_ = unit;
  return Error::kNone;
}

Error Decoder::DecodeToken(const DateTimeToken& token) {
  switch (token.kind) {
    case TokenKind::kTime: {
      Error error = DecodeClock(token.text);
      if (error == Error::kNone && force_negative_ && fields_.micros > 0) {
        fields_.micros = -fields_.micros;
      }
      return error;
    }
    case TokenKind::kZone: {
      // A signed time, or else a signed number.
      bool clock = token.text.find(':', 1) != std::string_view::npos;
      int64_t before = fields_.micros;
      Unit unit = unit_;
      if (clock && DecodeClock(token.text.substr(1)) == Error::kNone) {
        return token.text.front() == '-' ? Negate(fields_.micros) : Error::kNone;
      }
      fields_.micros = before;
      unit_ = unit;
      return DecodeNumber(token.text);
    }
    case TokenKind::kDate:
    case TokenKind::kNumber:
      return DecodeNumber(token.text);
    case TokenKind::kWord:
    case TokenKind::kSpecial:
      return DecodeWord(token.text);
  }
  return Error::kBadFormat;
}

Error Decoder::NegateAll() {
  int64_t* parts[] = {&fields_.years, &fields_.months, &fields_.days, &fields_.micros};
  for (int64_t* part : parts) {
    if (Error error = Negate(*part); error != Error::kNone) return error;
  }
  return Error::kNone;
}

Error Decoder::Run(IntervalStyle style) {
  // The SQL standard's leading minus is the sign of every field.
  if (style == IntervalStyle::kSqlStandard && tokens_.size() > 0) {
    force_negative_ = tokens_[0].text.starts_with('-');
    for (size_t i = 1; i < tokens_.size(); ++i) {
      char first = tokens_[i].text.front();
      if (first == '-' || first == '+') force_negative_ = false;
    }
  }
  for (size_t i = tokens_.size(); i > 0; --i) {
    found_ = 0;
    Error error = DecodeToken(tokens_[i - 1]);
    if (error != Error::kNone) return error;
    if ((found_ & seen_) != 0) return Error::kBadFormat;
    seen_ |= found_;
  }
  if (seen_ == 0) return Error::kBadFormat;
  return is_before_ ? NegateAll() : Error::kNone;
}

// Reads what stands behind the P.
class Iso8601Decoder {
 public:
  Iso8601Decoder(std::string_view text, IntervalFields& fields)
      : rest_(text), fields_(fields), sums_(fields) {}

  Error Run();

 private:
  Error TakeDecimal(int64_t& value, double& fraction);
  Error DateUnit(char unit, int64_t value, double fraction);
  Error TimeUnit(char unit, int64_t value, double fraction);
  Error AlternativeDate(char delimiter, int64_t value, double fraction);
  Error AlternativeTime(char delimiter, int64_t value, double fraction);
  Error Sum(Unit unit, int64_t value, double fraction) {
    return sums_.Add(unit, value, fraction) ? Error::kNone : Error::kFieldOverflow;
  }

  std::string_view rest_;
  IntervalFields& fields_;
  Accumulator sums_;
  bool in_date_ = true;
  bool has_field_ = false;
  bool done_ = false;
  size_t digits_ = 0;  // Of the last number, before its point.
};

Error Iso8601Decoder::TakeDecimal(int64_t& value, double& fraction) {
  bool signed_number = rest_.starts_with('-') || rest_.starts_with('+');
  size_t size = signed_number ? 1 : 0;
  bool negative = rest_.starts_with('-');
  size_t start = size;
  while (size < rest_.size() && IsDigit(rest_[size])) ++size;
  bool digits = size > start;
  bool point = size < rest_.size() && rest_[size] == '.';
  if (!digits && !point) return Error::kBadFormat;
  std::string whole = (negative ? "-" : "") + std::string(rest_.substr(start, size - start));
  value = 0;
  if (digits) {
    auto [end, error] = std::from_chars(whole.data(), whole.data() + whole.size(), value);
    if (error != std::errc()) return Error::kFieldOverflow;
  }
  rest_.remove_prefix(size);
  digits_ = size - start;
  fraction = 0;
  if (!point) return Error::kNone;
  TakeFraction(rest_, fraction);
  if (negative) fraction = -fraction;
  return Error::kNone;
}

Error Iso8601Decoder::DateUnit(char unit, int64_t value, double fraction) {
  switch (unit) {
    case 'Y':
      return Sum(Unit::kYear, value, fraction);
    case 'M':
      return Sum(Unit::kMonth, value, fraction);
    case 'W':
      return Sum(Unit::kWeek, value, fraction);
    case 'D':
      return Sum(Unit::kDay, value, fraction);
    default:
      return AlternativeDate(unit, value, fraction);
  }
}

// "0001-02-03" or "00010203" behind the P; T, the end, or a dash follows the first number.
Error Iso8601Decoder::AlternativeDate(char delimiter, int64_t value, double fraction) {
  if (has_field_ || (delimiter != 'T' && delimiter != '\0' && delimiter != '-')) {
    return Error::kBadFormat;
  }
  if (delimiter != '-' && digits_ == 8) {
    // YYYYMMDD.
    Error error = Sum(Unit::kYear, value / 10000, 0);
    if (error == Error::kNone) error = Sum(Unit::kMonth, value / 100 % 100, 0);
    if (error == Error::kNone) error = Sum(Unit::kDay, value % 100, fraction);
    done_ = delimiter == '\0';
    in_date_ = false;
    has_field_ = false;
    return error;
  }
  Error error = Sum(Unit::kYear, value, fraction);
  done_ = delimiter == '\0';
  if (delimiter == 'T') in_date_ = false;
  if (delimiter != '-') return error;
  constexpr Unit kUnits[] = {Unit::kMonth, Unit::kDay};
  for (Unit unit : kUnits) {
    if (error != Error::kNone) return error;
    if ((error = TakeDecimal(value, fraction)) != Error::kNone) return error;
    if ((error = Sum(unit, value, fraction)) != Error::kNone) return error;
    if (rest_.empty()) {
      done_ = true;
      return Error::kNone;
    }
    char next = rest_.front();
    rest_.remove_prefix(1);
    if (next == 'T') {
      in_date_ = false;
      has_field_ = false;
      return Error::kNone;
    }
    if (next != '-' || unit == Unit::kDay) return Error::kBadFormat;
  }
  return Error::kBadFormat;
}

Error Iso8601Decoder::TimeUnit(char unit, int64_t value, double fraction) {
  switch (unit) {
    case 'H':
      return Sum(Unit::kHour, value, fraction);
    case 'M':
      return Sum(Unit::kMinute, value, fraction);
    case 'S':
      return Sum(Unit::kSecond, value, fraction);
    default:
      return AlternativeTime(unit, value, fraction);
  }
}

// "04:05:06" or "040506" behind the T.
Error Iso8601Decoder::AlternativeTime(char delimiter, int64_t value, double fraction) {
  if (has_field_ || (delimiter != '\0' && delimiter != ':')) return Error::kBadFormat;
  done_ = true;
  if (delimiter == '\0' && digits_ == 6) {
    Error error = Sum(Unit::kHour, value / 10000, 0);
    if (error == Error::kNone) error = Sum(Unit::kMinute, value / 100 % 100, 0);
    if (error == Error::kNone) error = Sum(Unit::kSecond, value % 100, fraction);
    return error;
  }
  Error error = Sum(Unit::kHour, value, fraction);
  if (delimiter == '\0') return error;
  constexpr Unit kUnits[] = {Unit::kMinute, Unit::kSecond};
  for (Unit unit : kUnits) {
    if (error != Error::kNone) return error;
    if ((error = TakeDecimal(value, fraction)) != Error::kNone) return error;
    if ((error = Sum(unit, value, fraction)) != Error::kNone) return error;
    if (rest_.empty()) return Error::kNone;
    if (rest_.front() != ':' || unit == Unit::kSecond) return Error::kBadFormat;
    rest_.remove_prefix(1);
  }
  return Error::kBadFormat;
}

Error Iso8601Decoder::Run() {
  while (!rest_.empty() && !done_) {
    if (rest_.front() == 'T') {
      in_date_ = false;
      has_field_ = false;
      rest_.remove_prefix(1);
      continue;
    }
    int64_t value = 0;
    double fraction = 0;
    Error error = TakeDecimal(value, fraction);
    if (error != Error::kNone) return error;
    char unit = '\0';
    if (!rest_.empty()) {
      unit = rest_.front();
      rest_.remove_prefix(1);
    }
    bool was_date = in_date_;
    error = in_date_ ? DateUnit(unit, value, fraction) : TimeUnit(unit, value, fraction);
    if (error != Error::kNone) return error;
    if (was_date == in_date_) has_field_ = true;
  }
  return Error::kNone;
}

}  // namespace

DateTimeError DecodeInterval(const DateTimeTokens& tokens, int32_t range, IntervalStyle style,
                             IntervalFields& fields) {
  return Decoder(tokens, range, fields).Run(style);
}

DateTimeError DecodeIso8601Interval(std::string_view text, IntervalFields& fields) {
  if (text.size() < 2 || text.front() != 'P') return DateTimeError::kBadFormat;
  return Iso8601Decoder(text.substr(1), fields).Run();
}

}  // namespace omendb::types
