// Lifting literals: "... SET a = a + -5 WHERE id = 7" becomes "... SET a = a + $1 WHERE id = $2".
#include <algorithm>
#include <charconv>

#include "sql/parse/tokenizer.h"

namespace omendb::sql {
namespace {

constexpr size_t kLiterals = 64;  // More are rare in statements that run as a row plan.
constexpr size_t kTextBytes = 4096;

bool EqualsIgnoreCase(std::string_view a, std::string_view lower) {
  return a.size() == lower.size() &&
         std::equal(a.begin(), a.end(), lower.begin(),
                    [](char x, char y) { return (x >= 'A' && x <= 'Z' ? x + 32 : x) == y; });
}

// Words that an operand may follow. Behind any other word a literal belongs to the word (date
// '...').
bool MayPrecedeOperand(std::string_view word) {
  constexpr std::string_view kWords[] = {"and",     "or",    "not",    "in",    "values",  "select",
                                         "between", "like",  "ilike",  "then",  "else",    "when",
                                         "case",    "limit", "offset", "where", "set",     "from",
                                         "any",     "all",   "some",   "is",    "distinct"};
  return std::any_of(std::begin(kWords), std::end(kWords),
                     [&](std::string_view w) { return EqualsIgnoreCase(word, w); });
}

bool EndsOperand(const Token& token) {
  switch (token.kind) {
    case TokenKind::kWord:
      return !MayPrecedeOperand(token.text);
    case TokenKind::kQuotedWord:
    case TokenKind::kInteger:
    case TokenKind::kFloat:
    case TokenKind::kString:
    case TokenKind::kParam:
    case TokenKind::kClose:
      return true;
    default:
      return false;
  }
}

bool Unquote(std::string_view token, std::string& out) {
  std::string_view body = token.substr(1, token.size() - 2);
  if (body.find('\\') != std::string_view::npos) return false;  // Whatever the setting says.
  out.clear();
  for (size_t i = 0; i < body.size(); ++i) {
    out += body[i];
    if (body[i] == '\'') ++i;
  }
  return true;
}

bool LiftInteger(std::string_view digits, bool negative, LiftedLiteral& literal) {
  int64_t value = 0;
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc() || end != digits.data() + digits.size()) return false;
  literal.type = {value <= INT32_MAX ? types::TypeKind::kInt4 : types::TypeKind::kInt8};
  literal.text = negative ? "-" : "";
  literal.text += digits;
  return true;
}

bool LiftFloat(std::string_view text, bool negative, LiftedLiteral& literal) {
  if (text.find_first_of("eE") != std::string_view::npos) return false;
  size_t point = text.find('.');
  int scale = static_cast<int>(text.size() - point - 1);
  int whole = static_cast<int>(point);
  if (whole + scale > 30) return false;
  literal.type = types::NumericType(std::max(1, whole + scale), scale);
  literal.text = negative ? "-" : "";
  literal.text += text;
  return true;
}

class Lifter {
 public:
  Lifter(std::string_view text, LiftedText& out) : text_(text), out_(out), tokenizer_(text) {}

  bool Run() {
    Token before, previous;
    size_t end = text_.size();
    for (Token token = tokenizer_.Next(); token.kind != TokenKind::kEnd;
         token = tokenizer_.Next()) {
      switch (token.kind) {
        case TokenKind::kBad:
        case TokenKind::kEscapeString:
        case TokenKind::kOtherString:
        case TokenKind::kParam:
          return false;
        case TokenKind::kSemicolon:
          if (tokenizer_.Next().kind != TokenKind::kEnd) return false;
          end = token.offset;
          break;
        case TokenKind::kInteger:
        case TokenKind::kFloat:
        case TokenKind::kString:
          if (previous.kind == TokenKind::kWord && !MayPrecedeOperand(previous.text)) return false;
          if (previous.kind == TokenKind::kString) return false;
          if (!Lift(token, previous, before)) return false;
          break;
        default:
          break;
      }
      if (token.kind == TokenKind::kSemicolon) break;
      before = previous;
      previous = token;
    }
    if (out_.literals.empty()) return false;
    out_.key.append(text_, copied_, end - copied_);
    AppendTypes();
    return true;
  }

 private:
  bool Lift(const Token& token, const Token& previous, const Token& before) {
    if (out_.literals.size() == kLiterals) return false;
    LiftedLiteral literal;
    literal.offset = token.offset;
    const bool negative = token.kind != TokenKind::kString &&
                          previous.kind == TokenKind::kOperator && previous.text == "-" &&
                          !EndsOperand(before);
    if (negative) literal.offset = previous.offset;
    if (token.kind == TokenKind::kInteger) {
      if (!LiftInteger(token.text, negative, literal)) return false;
    } else if (token.kind == TokenKind::kFloat) {
      if (!LiftFloat(token.text, negative, literal)) return false;
    } else {
      literal.type = {types::TypeKind::kUnknown};
      if (!Unquote(token.text, literal.text)) return false;
    }
    out_.key.append(text_, copied_, literal.offset - copied_);
    out_.literals.push_back(std::move(literal));
    out_.key += '$';
    out_.key += std::to_string(out_.literals.size());
    copied_ = token.offset + token.text.size();
    return true;
  }

  void AppendTypes() {
    out_.key += '\0';
    for (const LiftedLiteral& literal : out_.literals) {
      switch (literal.type.kind) {
        case types::TypeKind::kInt4:
          out_.key += 'i';
          break;
        case types::TypeKind::kInt8:
          out_.key += 'l';
          break;
        case types::TypeKind::kNumeric:
          out_.key += 'n';
          out_.key += std::to_string(literal.type.typmod);
          break;
        default:
          out_.key += 's';
          break;
      }
    }
  }

  std::string_view text_;
  LiftedText& out_;
  Tokenizer tokenizer_;
  size_t copied_ = 0;
};

}  // namespace

void LiftLiterals(std::string_view text, LiftedText& out) {
  out.key.clear();
  out.literals.clear();
  out.liftable = text.size() <= kTextBytes && Lifter(text, out).Run();
}

std::string_view LiftedSql(const LiftedText& lifted) {
  return std::string_view(lifted.key).substr(0, lifted.key.find('\0'));
}

}  // namespace omendb::sql
