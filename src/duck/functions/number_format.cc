#include "duck/functions/number_format.h"

#include <cctype>
#include <vector>

#include "base/sqlstate.h"

namespace omendb::duck {

namespace {

struct Template {
  // '9', '0', ',' or other text, in order; '.' once.
  std::vector<std::string> pieces;
  size_t whole_digits = 0;
  size_t fraction_digits = 0;
  size_t first_zero = SIZE_MAX;  // Index among the whole digits of the first '0'.
  bool fill = false;
  bool sign_before = false;  // S, SG in front; otherwise a blank or '-'
  bool sign_behind = false;  // S, MI behind
  bool minus_only = false;   // MI
  bool brackets = false;     // PR
};

bool Is(std::string_view rest, std::string_view word) {
  if (rest.size() < word.size()) return false;
  for (size_t i = 0; i < word.size(); ++i) {
    if (std::toupper(static_cast<unsigned char>(rest[i])) != word[i]) return false;
  }
  return true;
}

Result<Template> ParseTemplate(std::string_view pattern) {
  Template t;
  bool fraction = false;
  for (size_t i = 0; i < pattern.size();) {
    const std::string_view rest = pattern.substr(i);
    const char c = rest[0];
    if (Is(rest, "FM")) {
      t.fill = true;
      i += 2;
    } else if (Is(rest, "EEEE") || Is(rest, "RN") || Is(rest, "TH") || c == 'V' || c == 'v') {
      return NotSupported("the pattern \"" + std::string(pattern) + "\" in to_char");
    } else if (Is(rest, "MI")) {
      t.minus_only = true;
      (t.pieces.empty() ? t.sign_before : t.sign_behind) = true;
      i += 2;
    } else if (Is(rest, "PR")) {
      t.brackets = true;
      i += 2;
    } else if (Is(rest, "SG") || Is(rest, "PL")) {
      (t.pieces.empty() ? t.sign_before : t.sign_behind) = true;
      i += 2;
    } else if (c == 'S' || c == 's') {
      (t.pieces.empty() ? t.sign_before : t.sign_behind) = true;
      ++i;
    } else if (c == '9' || c == '0') {
      if (fraction) {
        ++t.fraction_digits;
      } else {
        if (c == '0' && t.first_zero == SIZE_MAX) t.first_zero = t.whole_digits;
        ++t.whole_digits;
      }
      t.pieces.emplace_back(1, c);
      ++i;
    } else if (c == '.' || c == 'D' || c == 'd') {
      fraction = true;
      t.pieces.emplace_back(".");
      ++i;
    } else if (c == ',' || c == 'G' || c == 'g') {
      t.pieces.emplace_back(",");
      ++i;
    } else if (c == 'L' || c == 'l') {
      t.pieces.emplace_back(" ");
      ++i;
    } else if (c == '"') {
      std::string text;
      size_t end = 1;
      for (; end < rest.size() && rest[end] != '"'; ++end) text += rest[end];
      t.pieces.push_back("\"" + text);
      i += std::min(end + 1, rest.size());
    } else {
      t.pieces.push_back(std::string("\"") + c);
      ++i;
    }
  }
  return t;
}

struct Digits {
  bool negative = false;
  std::string whole;  // Without leading zeros.
  std::string fraction;
};

// Rounds half away from zero to `scale` digits behind the point.
Digits Round(std::string_view number, size_t scale) {
  Digits d;
  if (!number.empty() && (number[0] == '-' || number[0] == '+')) {
    d.negative = number[0] == '-';
    number.remove_prefix(1);
  }
  const size_t point = number.find('.');
  d.whole = number.substr(0, point);
  if (point != std::string_view::npos) d.fraction = number.substr(point + 1);
  const bool up = d.fraction.size() > scale && d.fraction[scale] >= '5';
  d.fraction.resize(scale, '0');
  if (up) {
    std::string all = d.whole + d.fraction;
    size_t i = all.size();
    while (i > 0 && all[i - 1] == '9') all[--i] = '0';
    if (i > 0) {
      ++all[i - 1];
    } else {
      all.insert(all.begin(), '1');
    }
    d.whole = all.substr(0, all.size() - scale);
    d.fraction = all.substr(all.size() - scale);
  }
  d.whole.erase(0, std::min(d.whole.find_first_not_of('0'), d.whole.size()));
  if (d.whole.empty() && d.fraction.find_first_not_of('0') == std::string::npos) d.negative = false;
  return d;
}

}  // namespace

Result<std::string> FormatNumber(std::string_view number, std::string_view pattern) {
  OMEN_ASSIGN(const Template t, ParseTemplate(pattern));
  const Digits digits = Round(number, t.fraction_digits);
  const bool overflow = digits.whole.size() > t.whole_digits ||
                        number.find_first_of("eEnN") != std::string_view::npos;
  const size_t leading = overflow ? 0 : t.whole_digits - digits.whole.size();
  std::string body;
  size_t whole = 0;
  size_t fraction = 0;
  bool started = false;
  bool behind_point = false;
  // With FM, nines behind the point that hold trailing zeros vanish.
  size_t shown = digits.fraction.size();
  if (t.fill) {
    while (shown > 0 && digits.fraction[shown - 1] == '0') --shown;
  }
  size_t zeros_behind = 0;
  for (const std::string& piece : t.pieces) {
    if (piece == ".") {
      behind_point = true;
      // A number below one still shows its zero when there is room only as PostgreSQL does: not.
      body += '.';
    } else if (piece == ",") {
      body += started ? "," : (t.fill ? "" : " ");
    } else if (piece == "9" || piece == "0") {
      if (behind_point) {
        if (piece == "0") zeros_behind = fraction + 1;
        if (overflow) {
          body += '#';
        } else if (fraction < shown || piece == "0" || !t.fill) {
          body += digits.fraction[fraction];
        }
        ++fraction;
        continue;
      }
      if (overflow) {
        body += '#';
        started = true;
      } else if (whole >= leading) {
        body += digits.whole[whole - leading];
        started = true;
      } else if (whole >= t.first_zero) {
        body += '0';
        started = true;
      } else if (!t.fill) {
        body += ' ';
      }
      ++whole;
    } else {
      body += piece[0] == '"' ? piece.substr(1) : piece;
    }
  }
  (void)zeros_behind;
  if (!behind_point && !started && !overflow && t.whole_digits > 0) {
    // to_char(0, '9') shows the zero.
    if (t.fill) {
      body += '0';
    } else {
      body.back() = '0';
    }
  }
  const size_t first = body.find_first_not_of(' ');
  const std::string blanks = body.substr(0, first == std::string::npos ? body.size() : first);
  const std::string rest = first == std::string::npos ? "" : body.substr(first);
  if (t.brackets)
    return digits.negative ? blanks + "<" + rest + ">" : (t.fill ? body : " " + body + " ");
  const std::string sign = digits.negative ? "-" : t.minus_only ? (t.fill ? "" : " ") : "+";
  if (t.sign_behind) return body + sign;
  if (t.sign_before) return t.minus_only ? sign + body : blanks + sign + rest;
  if (digits.negative) return blanks + "-" + rest;
  return t.fill ? body : " " + body;
}

}  // namespace omendb::duck
