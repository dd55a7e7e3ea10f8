#include "duck/functions/number_pattern.h"

#include <algorithm>
#include <iterator>

#include "base/sqlstate.h"
#include "types/text_io.h"

namespace omendb::duck {

namespace {

using Part = NumberPattern::Part;
using Sign = NumberPattern::Sign;

enum class Word : uint8_t {
  kNine,
  kZero,
  kPoint,
  kComma,
  kGroup,
  kCurrency,
  kMinus,
  kPlus,
  kSignWord,
  kSign,
  kBrackets,
  kOrdinal,
  kRoman,
  kShift,
  kExponent,
  kFill,
  kBlank,
  kNothing,
};

struct WordName {
  std::string_view upper;
  std::string_view lower;
  Word word;
};

// Longer ones before their prefixes.
constexpr WordName kWords[] = {
    {"EEEE", "eeee", Word::kExponent}, {"FM", "fm", Word::kFill},     {"MI", "mi", Word::kMinus},
    {"PL", "pl", Word::kPlus},         {"PR", "pr", Word::kBrackets}, {"RN", "rn", Word::kRoman},
    {"SG", "sg", Word::kSignWord},     {"TH", "th", Word::kOrdinal},  {"9", "9", Word::kNine},
    {"0", "0", Word::kZero},           {".", ".", Word::kPoint},      {"D", "d", Word::kPoint},
    {",", ",", Word::kComma},          {"G", "g", Word::kGroup},      {"L", "l", Word::kCurrency},
    {"C", "c", Word::kNothing},        {"S", "s", Word::kSign},       {"V", "v", Word::kShift},
    {"B", "b", Word::kBlank},
};

Status Contradiction(const char* message) { return Status(sqlstate::kSyntaxError, message); }

class Parser {
 public:
  explicit Parser(std::string_view pattern) : rest_(pattern) {}

  Result<NumberPattern> Run() {
    while (!rest_.empty()) {
      const auto* found =
          std::find_if(std::begin(kWords), std::end(kWords), [&](const WordName& name) {
            return rest_.starts_with(name.upper) || rest_.starts_with(name.lower);
          });
      if (found == std::end(kWords)) {
        TakeText();
        continue;
      }
      if (out_.exponent) {
        return Contradiction(found->word == Word::kExponent
                                 ? "cannot use \"EEEE\" twice"
                                 : "\"EEEE\" must be the last pattern used");
      }
      const bool lower = rest_.starts_with(found->lower);
      rest_.remove_prefix(found->upper.size());
      OMEN_TRY(Take(found->word, lower));
    }
    return std::move(out_);
  }

 private:
  void TakeText() {
    if (rest_[0] == '"') return TakeQuoted();
    if (rest_.starts_with("\\\"")) rest_.remove_prefix(1);
    const std::string_view character = types::Utf8Prefix(rest_, 1);
    rest_.remove_prefix(character.size());
    out_.pieces.push_back({Part::kText, std::string(character)});
  }

  void TakeQuoted() {
    std::string text;
    size_t end = 1;
    for (; end < rest_.size() && rest_[end] != '"'; ++end) {
      if (rest_[end] == '\\' && end + 1 < rest_.size()) ++end;
      text += rest_[end];
    }
    rest_.remove_prefix(std::min(end + 1, rest_.size()));
    out_.pieces.push_back({Part::kText, std::move(text)});
  }

  void Add(Part part, bool lower = false) { out_.pieces.push_back({part, "", lower}); }

  Status Take(Word word, bool lower) {
    switch (word) {
      case Word::kNine:
        return TakeNine();
      case Word::kZero:
        return TakeZero();
      case Word::kPoint:
        if (out_.point) return Contradiction("multiple decimal points");
        if (out_.shift) return Contradiction("cannot use \"V\" and decimal point together");
        out_.point = true;
        Add(Part::kPoint);
        return Status::Ok();
      case Word::kComma:
        Add(Part::kComma);
        return Status::Ok();
      case Word::kGroup:
        Add(Part::kGroup);
        return Status::Ok();
      case Word::kCurrency:
        Add(Part::kCurrency);
        return Status::Ok();
      case Word::kOrdinal:
        Add(Part::kOrdinal, lower);
        return Status::Ok();
      case Word::kRoman:
        out_.roman = true;
        Add(Part::kRoman, lower);
        return Status::Ok();
      case Word::kFill:
        out_.fill = true;
        return Status::Ok();
      case Word::kBlank:
        out_.blank = out_.whole == 0 && out_.fraction == 0 && out_.zero_start == 0;
        return Status::Ok();
      case Word::kNothing:
        return Status::Ok();
      case Word::kShift:
        if (out_.point) return Contradiction("cannot use \"V\" and decimal point together");
        out_.shift = true;
        return Status::Ok();
      case Word::kExponent:
        return TakeExponent();
      default:
        return TakeSign(word);
    }
  }

  Status TakeNine() {
    if (out_.brackets) return Contradiction("\"9\" must be ahead of \"PR\"");
    Add(Part::kNine);
    ++(out_.shift ? out_.shifted : out_.point ? out_.fraction : out_.whole);
    return Status::Ok();
  }

  Status TakeZero() {
    if (out_.brackets) return Contradiction("\"0\" must be ahead of \"PR\"");
    Add(Part::kZero);
    if (out_.zero_start == 0 && !out_.point) out_.zero_start = out_.whole + 1;
    ++(out_.point ? out_.fraction : out_.whole);
    out_.zero_end = out_.whole + out_.fraction;
    return Status::Ok();
  }

  Status TakeExponent() {
    if (out_.blank || out_.fill || out_.sign != Sign::kNone || out_.brackets || out_.minus ||
        out_.plus || out_.roman || out_.shift) {
      return Contradiction("\"EEEE\" is incompatible with other formats")
          .WithDetail("\"EEEE\" may only be used together with digit and decimal point patterns.");
    }
    out_.exponent = true;
    return Status::Ok();
  }

  Status TakeSign(Word word) {
    const bool has_s = out_.sign != Sign::kNone;
    switch (word) {
      case Word::kSign:
        if (has_s) return Contradiction("cannot use \"S\" twice");
        if (out_.plus || out_.minus || out_.brackets) {
          return Contradiction("cannot use \"S\" and \"PL\"/\"MI\"/\"SG\"/\"PR\" together");
        }
        out_.sign = out_.point ? Sign::kBehind : Sign::kBefore;
        if (!out_.point) out_.whole_at_sign = out_.whole;
        Add(Part::kHidden);
        return Status::Ok();
      case Word::kMinus:
        if (has_s) return Contradiction("cannot use \"S\" and \"MI\" together");
        out_.minus = true;
        Add(Part::kMinus);
        return Status::Ok();
      case Word::kPlus:
        if (has_s) return Contradiction("cannot use \"S\" and \"PL\" together");
        out_.plus = true;
        Add(Part::kPlus);
        return Status::Ok();
      case Word::kSignWord:
        if (has_s) return Contradiction("cannot use \"S\" and \"SG\" together");
        out_.plus = out_.minus = true;
        Add(Part::kSign);
        return Status::Ok();
      default:
        if (has_s || out_.plus || out_.minus) {
          return Contradiction("cannot use \"PR\" and \"S\"/\"PL\"/\"MI\"/\"SG\" together");
        }
        out_.brackets = true;
        Add(Part::kHidden);
        return Status::Ok();
    }
  }

  std::string_view rest_;
  NumberPattern out_;
};

}  // namespace

Result<NumberPattern> ParseNumberPattern(std::string_view pattern) { return Parser(pattern).Run(); }

}  // namespace omendb::duck
