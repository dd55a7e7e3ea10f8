#include "sql/parse/tokenizer.h"

#include <pthread.h>

#include <algorithm>

#include "base/check.h"

namespace omendb::sql {
namespace {

bool IsBlank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}
bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsWordStart(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}
bool IsWordPart(char c) { return IsWordStart(c) || IsDigit(c) || c == '$'; }
bool IsOperatorChar(char c) {
  return std::string_view("+-*/<>=~!@#%^&|`?").find(c) != std::string_view::npos;
}

}  // namespace

// False at a comment that does not end.
bool Tokenizer::SkipBlanks() {
  while (at_ < text_.size()) {
    if (IsBlank(text_[at_])) {
      ++at_;
    } else if (text_.compare(at_, 2, "--") == 0) {
      while (at_ < text_.size() && text_[at_] != '\n' && text_[at_] != '\r') ++at_;
    } else if (text_.compare(at_, 2, "/*") == 0) {
      int depth = 0;
      do {
        if (text_.compare(at_, 2, "/*") == 0) {
          ++depth;
          at_ += 2;
        } else if (text_.compare(at_, 2, "*/") == 0) {
          --depth;
          at_ += 2;
        } else {
          ++at_;
        }
      } while (depth > 0 && at_ < text_.size());
      if (depth > 0) return false;
    } else {
      return true;
    }
  }
  return true;
}

Token Tokenizer::Take(TokenKind kind, size_t length) {
  Token token{kind, text_.substr(at_, length), at_};
  at_ = std::min(at_ + length, text_.size());
  return token;
}

Token Tokenizer::QuotedToken(TokenKind kind, size_t prefix, char quote, bool backslash) {
  size_t i = at_ + prefix + 1;
  while (i < text_.size()) {
    if (backslash && text_[i] == '\\') {
      i += 2;
    } else if (text_[i] != quote) {
      ++i;
    } else if (i + 1 < text_.size() && text_[i + 1] == quote) {
      i += 2;
    } else {
      return Take(kind, i + 1 - at_);
    }
  }
  return Take(TokenKind::kBad, text_.size() - at_);
}

Token Tokenizer::NumberToken() {
  size_t i = at_;
  bool is_float = false;
  while (i < text_.size() && IsDigit(text_[i])) ++i;
  if (i < text_.size() && text_[i] == '.' && !(i + 1 < text_.size() && text_[i + 1] == '.')) {
    is_float = true;
    ++i;
    while (i < text_.size() && IsDigit(text_[i])) ++i;
  }
  if (i < text_.size() && (text_[i] == 'e' || text_[i] == 'E')) {
    size_t k = i + 1;
    if (k < text_.size() && (text_[k] == '+' || text_[k] == '-')) ++k;
    if (k < text_.size() && IsDigit(text_[k])) {
      is_float = true;
      while (k < text_.size() && IsDigit(text_[k])) ++k;
      i = k;
    }
  }
  if (i < text_.size() && IsWordStart(text_[i])) return Take(TokenKind::kBad, text_.size() - at_);
  return Take(is_float ? TokenKind::kFloat : TokenKind::kInteger, i - at_);
}

Token Tokenizer::DollarToken() {
  size_t i = at_ + 1;
  if (i < text_.size() && IsDigit(text_[i])) {
    while (i < text_.size() && IsDigit(text_[i])) ++i;
    return Take(TokenKind::kParam, i - at_);
  }
  while (i < text_.size() && IsWordPart(text_[i]) && text_[i] != '$') ++i;
  if (i >= text_.size() || text_[i] != '$') return Take(TokenKind::kBad, text_.size() - at_);
  std::string_view tag = text_.substr(at_, i + 1 - at_);
  size_t end = text_.find(tag, i + 1);
  if (end == std::string_view::npos) return Take(TokenKind::kBad, text_.size() - at_);
  return Take(TokenKind::kOtherString, end + tag.size() - at_);
}

// As scan.l: a comment ends an operator, and a trailing + or - belongs to the next token unless the
// operator has one of ~ ! @ # % ^ & | ` ?.
Token Tokenizer::OperatorToken() {
  size_t length = 0;
  while (at_ + length < text_.size() && IsOperatorChar(text_[at_ + length])) {
    if (length > 0 &&
        (text_.compare(at_ + length, 2, "--") == 0 || text_.compare(at_ + length, 2, "/*") == 0)) {
      break;
    }
    ++length;
  }
  std::string_view op = text_.substr(at_, length);
  if (op.find_first_of("~!@#%^&|`?") == std::string_view::npos) {
    while (length > 1 && (text_[at_ + length - 1] == '+' || text_[at_ + length - 1] == '-')) {
      --length;
    }
  }
  return Take(TokenKind::kOperator, length);
}

Token Tokenizer::Next() {
  if (!SkipBlanks()) return Take(TokenKind::kBad, text_.size() - at_);
  if (at_ >= text_.size()) return Token{TokenKind::kEnd, {}, at_};
  const char c = text_[at_];
  const char next = at_ + 1 < text_.size() ? text_[at_ + 1] : '\0';
  if (IsWordStart(c)) {
    if (next == '\'') {
      if (c == 'e' || c == 'E') return QuotedToken(TokenKind::kEscapeString, 1, '\'', true);
      if (std::string_view("bBxXnN").find(c) != std::string_view::npos) {
        return QuotedToken(TokenKind::kOtherString, 1, '\'', false);
      }
    }
    if ((c == 'u' || c == 'U') && next == '&' && at_ + 2 < text_.size()) {
      char quote = text_[at_ + 2];
      if (quote == '\'') return QuotedToken(TokenKind::kOtherString, 2, '\'', false);
      if (quote == '"') return QuotedToken(TokenKind::kQuotedWord, 2, '"', false);
    }
    size_t length = 1;
    while (at_ + length < text_.size() && IsWordPart(text_[at_ + length])) ++length;
    return Take(TokenKind::kWord, length);
  }
  if (IsDigit(c) || (c == '.' && IsDigit(next))) return NumberToken();
  switch (c) {
    case '"':
      return QuotedToken(TokenKind::kQuotedWord, 0, '"', false);
    case '\'':
      return QuotedToken(TokenKind::kString, 0, '\'', false);
    case '$':
      return DollarToken();
    case '(':
    case '[':
      return Take(TokenKind::kOpen, 1);
    case ')':
    case ']':
      return Take(TokenKind::kClose, 1);
    case ',':
      return Take(TokenKind::kComma, 1);
    case ';':
      return Take(TokenKind::kSemicolon, 1);
    case '.':
      return Take(TokenKind::kDot, next == '.' ? 2 : 1);
    case ':':
      return Take(TokenKind::kOther, next == ':' || next == '=' ? 2 : 1);
    default:
      break;
  }
  if (IsOperatorChar(c)) return OperatorToken();
  return Take(TokenKind::kBad, text_.size() - at_);
}

int NestingOf(std::string_view text) {
  // Every bracket and operator deepens the tree by at most one, every few words likewise (NOT NOT
  // x, a UNION b UNION c); commas and semicolons start afresh at the level of their bracket.
  constexpr size_t kShortText = 400;
  if (text.size() < kShortText) return 0;
  Tokenizer tokenizer(text);
  std::vector<int> levels{0};
  int base = 0, deepest = 0;
  for (Token token = tokenizer.Next(); token.kind != TokenKind::kEnd; token = tokenizer.Next()) {
    switch (token.kind) {
      case TokenKind::kBad:
        return deepest;
      case TokenKind::kOpen:
        base += levels.back() + 1;
        levels.push_back(0);
        break;
      case TokenKind::kClose:
        if (levels.size() > 1) {
          levels.pop_back();
          base -= levels.back() + 1;
        }
        break;
      case TokenKind::kComma:
        levels.back() = 0;
        break;
      case TokenKind::kSemicolon:
        levels.assign(1, 0);
        base = 0;
        break;
      default:
        ++levels.back();
        break;
    }
    deepest = std::max(deepest, base + levels.back());
  }
  return deepest / 2;
}

void RunWithLargeStack(const std::function<void()>& work) {
  constexpr size_t kStackBytes = 256 << 20;
  pthread_attr_t attributes;
  OMEN_CHECK(pthread_attr_init(&attributes) == 0);
  OMEN_CHECK(pthread_attr_setstacksize(&attributes, kStackBytes) == 0);
  pthread_t thread;
  auto run = [](void* argument) -> void* {
    (*static_cast<const std::function<void()>*>(argument))();
    return nullptr;
  };
  OMEN_CHECK(pthread_create(&thread, &attributes, run, const_cast<std::function<void()>*>(&work)) ==
             0);
  pthread_join(thread, nullptr);
  pthread_attr_destroy(&attributes);
}

}  // namespace omendb::sql
