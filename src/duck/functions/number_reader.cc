// to_number: a text read along a pattern. What the text has instead of a pattern's character is
// mostly skipped rather than refused, as PostgreSQL does.
#include <cctype>

#include "base/sqlstate.h"
#include "duck/functions/number_format.h"
#include "duck/functions/number_pattern.h"
#include "types/text_io.h"

namespace omendb::duck {

namespace {

using Part = NumberPattern::Part;
using Sign = NumberPattern::Sign;

class Reader {
 public:
  Reader(const NumberPattern& pattern, std::string_view text) : p_(pattern), text_(text) {}

  ReadNumber Run() {
    for (const NumberPattern::Piece& piece : p_.pieces) {
      if (at_end()) break;
      Read(piece);
    }
    if (digits_.ends_with('.')) digits_.pop_back();
    return {sign_ + digits_, p_.whole + p_.shifted + behind_point_, behind_point_, p_.shifted};
  }

 private:
  bool at_end() const { return at_ >= text_.size(); }
  bool IsDigitAt(size_t i) const {
    return i < text_.size() && std::isdigit(static_cast<unsigned char>(text_[i])) != 0;
  }
  bool HasDigits() const { return !digits_.empty() && digits_ != "."; }

  void SkipNoData(int count) {
    for (; count > 0 && !at_end(); --count) {
      if (std::string_view("0123456789.,+-").find(text_[at_]) != std::string_view::npos) return;
      at_ += types::Utf8Prefix(text_.substr(at_), 1).size();
    }
  }

  void TakeSign(bool take_minus, bool take_plus) {
    if (take_minus && text_[at_] == '-') {
      sign_ = "-";
      ++at_;
    } else if (take_plus && text_[at_] == '+') {
      sign_ = "+";
      ++at_;
    } else {
      SkipNoData(1);
    }
  }

  void TakeLeadingSign() {
    const bool minus = text_[at_] == '-' || (p_.brackets && text_[at_] == '<');
    if (!minus && text_[at_] != '+') return;
    sign_ = minus ? "-" : "+";
    ++at_;
  }

  // Whether a digit or the point was read.
  bool TakeDigit() {
    if (IsDigitAt(at_)) {
      if (point_ && behind_point_ == p_.fraction) return false;
      digits_ += text_[at_];
      if (point_) ++behind_point_;
      return true;
    }
    if (!p_.point || point_ || text_[at_] != '.') return false;
    digits_ += '.';
    point_ = true;
    return true;
  }

  // A sign behind what may be the last digit.
  void TakeTrailingSign(bool was_read) {
    if (p_.sign != Sign::kNone) {
      if (!was_read || at_ + 1 >= text_.size() || IsDigitAt(at_ + 1)) return;
      const char next = text_[at_ + 1];
      if (next != '-' && next != '+') return;
      sign_ = std::string(1, next);
      ++at_;
    } else if (!was_read && (p_.plus || p_.minus) && (text_[at_] == '-' || text_[at_] == '+')) {
      sign_ = std::string(1, text_[at_]);
    }
  }

  void ReadPlace(Part part) {
    if (text_[at_] == ' ') ++at_;
    if (at_end()) return;
    if (sign_.empty() && part != Part::kPoint && !HasDigits()) TakeLeadingSign();
    if (at_end()) return;
    const bool full = point_ && behind_point_ == p_.fraction && IsDigitAt(at_);
    const bool was_read = TakeDigit();
    if (!full && sign_.empty() && HasDigits()) TakeTrailingSign(was_read);
    if (!at_end()) ++at_;
  }

  void Read(const NumberPattern::Piece& piece) {
    switch (piece.part) {
      case Part::kNine:
      case Part::kZero:
      case Part::kPoint:
        return ReadPlace(piece.part);
      case Part::kComma:
      case Part::kGroup:
        if (!p_.fill && text_[at_] == ',') ++at_;
        return;
      case Part::kCurrency:
        return SkipNoData(1);
      case Part::kMinus:
        return TakeSign(true, false);
      case Part::kPlus:
        return TakeSign(false, true);
      case Part::kSign:
        return TakeSign(true, true);
      case Part::kOrdinal:
        return SkipNoData(2);
      case Part::kText:
        for (size_t i = types::Utf8Length(piece.text); i > 0 && !at_end(); --i) {
          at_ += types::Utf8Prefix(text_.substr(at_), 1).size();
        }
        return;
      default:
        return;
    }
  }

  const NumberPattern& p_;
  const std::string_view text_;
  size_t at_ = 0;
  std::string sign_;
  std::string digits_;
  bool point_ = false;
  int behind_point_ = 0;
};

}  // namespace

Result<ReadNumber> ParseNumber(std::string_view text, std::string_view pattern) {
  OMEN_ASSIGN(const NumberPattern parsed, ParseNumberPattern(pattern));
  for (const auto& [refused, name] : {std::pair(parsed.exponent, "EEEE"), {parsed.roman, "RN"}}) {
    if (refused) {
      return Status(sqlstate::kFeatureNotSupported,
                    "\"" + std::string(name) + "\" not supported for input");
    }
  }
  return Reader(parsed, text).Run();
}

}  // namespace omendb::duck
