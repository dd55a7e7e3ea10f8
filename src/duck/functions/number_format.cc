#include "duck/functions/number_format.h"

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <cstdio>

#include "base/sqlstate.h"
#include "duck/functions/number_pattern.h"
#include "types/text_io.h"

namespace omendb::duck {

namespace {

using Part = NumberPattern::Part;
using Sign = NumberPattern::Sign;
using Piece = NumberPattern::Piece;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// ---- Digits
// -------------------------------------------------------------------------------------

// The number's text without its sign, with `scale` digits behind the point, rounded half away from
// zero.
std::string Rounded(std::string_view number, size_t scale) {
  const size_t point = std::min(number.find('.'), number.size());
  std::string digits(number.substr(0, point));
  std::string fraction(point < number.size() ? number.substr(point + 1) : "");
  const bool up = fraction.size() > scale && fraction[scale] >= '5';
  fraction.resize(scale, '0');
  digits += fraction;
  if (up) {
    size_t i = digits.size();
    while (i > 0 && digits[i - 1] == '9') digits[--i] = '0';
    if (i > 0) {
      ++digits[i - 1];
    } else {
      digits.insert(digits.begin(), '1');
    }
  }
  if (scale > 0) digits.insert(digits.size() - scale, 1, '.');
  return digits;
}

// 12.34 shifted by 2 is 1234.
std::string Shifted(std::string_view number, size_t places) {
  const size_t point = std::min(number.find('.'), number.size());
  std::string whole(number.substr(0, point));
  std::string fraction(point < number.size() ? number.substr(point + 1) : "");
  if (fraction.size() < places) fraction.resize(places, '0');
  whole += fraction.substr(0, places);
  const size_t first = std::min(whole.find_first_not_of('0'), whole.size() - 1);
  fraction.erase(0, places);
  return whole.substr(first) + (fraction.empty() ? "" : "." + fraction);
}

bool IsNumber(std::string_view text) { return !text.empty() && IsDigit(text[0]); }

// "1.23e+04" with `scale` digits behind the point.
std::string Scientific(std::string_view number, size_t scale) {
  const size_t point = std::min(number.find('.'), number.size());
  std::string digits(number.substr(0, point));
  if (point < number.size()) digits += number.substr(point + 1);
  auto exponent = static_cast<int>(point) - 1;
  const size_t first = digits.find_first_not_of('0');
  if (first == std::string::npos) {
    digits = "0";
    exponent = 0;
  } else {
    digits.erase(0, first);
    exponent -= static_cast<int>(first);
  }
  std::string mantissa = Rounded(digits.substr(0, 1) + "." + digits.substr(1), scale);
  if (mantissa.starts_with("10")) {  // Rounded up from 9.99
    mantissa = Rounded("1.0", scale);
    ++exponent;
  }
  char text[16];
  std::snprintf(text, sizeof(text), "e%c%02d", exponent < 0 ? '-' : '+', std::abs(exponent));
  return mantissa + text;
}

std::string Roman(std::string_view number, bool lower) {
  static constexpr std::pair<int, const char*> kNumerals[] = {
      {1000, "M"}, {900, "CM"}, {500, "D"}, {400, "CD"}, {100, "C"}, {90, "XC"}, {50, "L"},
      {40, "XL"},  {10, "X"},   {9, "IX"},  {5, "V"},    {4, "IV"},  {1, "I"}};
  const int value =
      number.size() > 4 || !IsNumber(number) ? 0 : std::atoi(std::string(number).c_str());
  if (value < 1 || value > 3999) return std::string(15, '#');
  std::string text;
  int rest = value;
  for (const auto& [worth, numeral] : kNumerals) {
    for (; rest >= worth; rest -= worth) text += numeral;
  }
  if (lower) std::transform(text.begin(), text.end(), text.begin(), [](char c) { return c + 32; });
  return text;
}

const char* OrdinalSuffix(std::string_view number, bool lower) {
  const char last = number.back();
  const bool teen = number.size() > 1 && number[number.size() - 2] == '1';
  if (!teen && last == '1') return lower ? "st" : "ST";
  if (!teen && last == '2') return lower ? "nd" : "ND";
  if (!teen && last == '3') return lower ? "rd" : "RD";
  return lower ? "th" : "TH";
}

// ---- Writing
// ------------------------------------------------------------------------------------

// One number by one pattern. Every 9, 0 and point of the pattern is a place; the digits of the
// number begin `spaces_` places behind the first.
class Writer {
 public:
  Writer(const NumberPattern& pattern, std::string number, char sign)
      : p_(pattern), number_(std::move(number)), sign_(sign), s_(pattern.sign) {
    const size_t whole = std::min(number_.find('.'), number_.size());
    const auto places = static_cast<size_t>(whole_places());
    if (p_.roman) {
      // Written as a whole.
    } else if (whole < places) {
      spaces_ = static_cast<int>(places - whole);
    } else if (whole > places) {
      number_ = std::string(places, '#') + "." +
                std::string(static_cast<size_t>(std::max(p_.fraction, 0)), '#');
    }
    zero_start_ = p_.zero_start > 0 ? p_.zero_start - 1 : 0;
    SettleSign();
    count_ = p_.fraction + whole_places() - 1;
    if (p_.fill && p_.point) last_relevant_ = LastRelevant();
    if (!sign_written_ && spaces_ == 0) ++count_;
  }

  std::string Run() {
    for (const Piece& piece : p_.pieces) Write(piece);
    return std::move(out_);
  }

 private:
  static constexpr size_t kNone = std::string::npos;

  int whole_places() const { return p_.whole + p_.shifted; }

  // MI, PL and SG write the sign at their own place, FM no plus.
  void SettleSign() {
    if (p_.plus || p_.minus) {
      sign_written_ = !(p_.plus && !p_.minus);
      return;
    }
    brackets_ = p_.brackets && !(sign_ != '-' && p_.fill);
    sign_written_ = sign_ == '+' && p_.fill && s_ == Sign::kNone;
    if (s_ == Sign::kBefore && p_.whole == p_.whole_at_sign) s_ = Sign::kBehind;
  }

  // With FM, zeros behind the last digit that counts are left out, but where the pattern has a 0.
  size_t LastRelevant() const {
    const size_t point = number_.find('.');
    if (point == std::string::npos) return kNone;
    size_t last = point;
    for (size_t i = point + 1; i < number_.size(); ++i) {
      if (number_[i] != '0') last = i;
    }
    if (p_.zero_end > spaces_) {
      const auto zero = static_cast<size_t>(p_.zero_end - spaces_);
      last = std::max(last, std::min(number_.size() - 1, zero));
    }
    return last;
  }

  bool stops_at_point() const { return last_relevant_ != kNone && number_[last_relevant_] == '.'; }
  // The zero of 0.1 has no place in 9.9.
  bool hides_zero() const {
    return p_.zero_start == 0 && at_ == 0 && number_[0] == '0' && p_.fraction != 0;
  }

  void WriteSign() {
    const bool reached = place_ >= spaces_ || (p_.zero_start > 0 && zero_start_ == place_);
    if (sign_written_ || !reached || (hides_zero() && !stops_at_point())) return;
    if (s_ == Sign::kBehind) return;
    if (s_ == Sign::kBefore) {
      out_ += sign_;
    } else if (brackets_) {
      out_ += sign_ == '+' ? ' ' : '<';
    } else if (sign_ == '-') {
      out_ += '-';
    } else if (!p_.fill) {
      out_ += ' ';
    }
    sign_written_ = true;
  }

  void WriteDigit(Part part) {
    const char c = at_ < number_.size() ? number_[at_] : '\0';
    if (c == '.') {
      if (!stops_at_point() || p_.fill) out_ += '.';
    } else if (last_relevant_ != kNone && at_ > last_relevant_ && part != Part::kZero) {
      // A zero that does not count.
    } else if (hides_zero()) {
      if (!p_.fill) {
        out_ += ' ';
      } else if (stops_at_point()) {
        out_ += '0';
      }
    } else if (c != '\0') {
      out_ += c;
      in_number_ = true;
    }
    if (c != '\0') ++at_;
  }

  void WritePlace(Part part) {
    if (p_.roman) return;
    in_number_ = false;
    WriteSign();
    const bool before = place_ < spaces_;
    if (before && (p_.zero_start == 0 || zero_start_ > place_)) {
      if (!p_.fill) out_ += ' ';
    } else if (before) {
      out_ += '0';
      in_number_ = true;
    } else {
      WriteDigit(part);
    }
    int end = count_ + (spaces_ > 0 ? 1 : 0) + (p_.point ? 1 : 0);
    if (last_relevant_ != kNone && last_relevant_ == at_) end = place_;
    if (place_ + 1 == end) {
      if (sign_written_ && brackets_) {
        out_ += sign_ == '+' ? ' ' : '>';
      } else if (s_ == Sign::kBehind) {
        out_ += sign_;
      }
    }
    ++place_;
  }

  void WriteWhere(char sign) {
    if (sign_ == sign) {
      out_ += sign;
    } else if (!p_.fill) {
      out_ += ' ';
    }
  }

  void Write(const Piece& piece) {
    switch (piece.part) {
      case Part::kNine:
      case Part::kZero:
      case Part::kPoint:
        return WritePlace(piece.part);
      case Part::kComma:
      case Part::kGroup:
        if (in_number_) {
          out_ += ',';
        } else if (!p_.fill) {
          out_ += ' ';
        }
        return;
      case Part::kCurrency:
        out_ += ' ';
        return;
      case Part::kMinus:
        return WriteWhere('-');
      case Part::kPlus:
        return WriteWhere('+');
      case Part::kSign:
        out_ += sign_;
        return;
      case Part::kOrdinal:
        if (p_.roman || number_[0] == '#' || sign_ == '-' || p_.point) return;
        out_ += OrdinalSuffix(number_, piece.lower);
        return;
      case Part::kText:
        out_ += piece.text;
        return;
      case Part::kRoman: {
        const std::string text = Roman(number_, piece.lower);
        if (!p_.fill && text.size() < 15) out_.append(15 - text.size(), ' ');
        out_ += text;
        return;
      }
      case Part::kHidden:
        return;
    }
  }

  const NumberPattern& p_;
  std::string number_;
  const char sign_;
  Sign s_;
  bool brackets_ = false;
  bool sign_written_ = false;
  bool in_number_ = false;  // the last place showed a digit
  int spaces_ = 0;
  int zero_start_ = 0;
  int count_ = 0;
  int place_ = 0;
  size_t at_ = 0;  // in number_
  size_t last_relevant_ = kNone;
  std::string out_;
};

Result<std::string> Format(std::string_view number, const NumberPattern& pattern) {
  const bool negative = number.starts_with('-');
  if (negative) number.remove_prefix(1);
  const auto fraction = static_cast<size_t>(pattern.fraction);
  if (pattern.exponent) {
    if (!IsNumber(number)) {
      std::string hashes(static_cast<size_t>(pattern.whole) + fraction + 6, '#');
      hashes[0] = ' ';
      hashes[static_cast<size_t>(pattern.whole) + 1] = '.';
      return hashes;
    }
    return (negative ? "-" : " ") + Scientific(number, fraction);
  }
  if (pattern.roman) {
    return Writer(pattern, IsNumber(number) && !negative ? Rounded(number, 0) : "0", '+').Run();
  }
  std::string text(number);
  if (IsNumber(number)) {
    if (pattern.shift) text = Shifted(text, static_cast<size_t>(pattern.shifted));
    text = Rounded(text, fraction);
  }
  const bool zero = text.find_first_not_of("0.") == std::string::npos;
  return Writer(pattern, std::move(text), negative && !zero ? '-' : '+').Run();
}

}  // namespace

Result<std::string> FormatNumber(std::string_view number, std::string_view pattern) {
  OMEN_ASSIGN(const NumberPattern parsed, ParseNumberPattern(pattern));
  return Format(number, parsed);
}

Result<std::string> FormatNumber(double number, std::string_view pattern, int digits_max) {
  OMEN_ASSIGN(NumberPattern parsed, ParseNumberPattern(pattern));
  if (!std::isfinite(number)) {
    const char* infinity = number < 0 ? "-Infinity" : "Infinity";
    return Format(std::isnan(number) ? "NaN" : infinity, parsed);
  }
  char text[2 * DBL_MAX_10_EXP + 32];
  if (parsed.exponent) {
    std::snprintf(text, sizeof(text), "% .*e", parsed.fraction, number);
    return std::string(text);
  }
  if (parsed.shift) number *= std::pow(10, parsed.shifted);
  // No more digits than a double has.
  const int digits = std::snprintf(text, sizeof(text), "%.0f", std::fabs(number));
  if (!parsed.roman) {
    parsed.fraction = std::max(0, std::min(parsed.fraction, digits_max - digits));
    std::snprintf(text, sizeof(text), "%.*f", parsed.fraction, std::fabs(number));
  }
  if (parsed.roman) return Writer(parsed, number < 0 ? "0" : text, '+').Run();
  return Writer(parsed, text, std::signbit(number) ? '-' : '+').Run();
}

}  // namespace omendb::duck
