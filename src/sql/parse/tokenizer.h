// tokenizer.h - a light scan of SQL text: enough to lift literals out of a statement and to bound
// how deep it nests, without PostgreSQL's scanner. Tested against pg_query_scan.
//
// Thread safety  Pure functions.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "types/type.h"

namespace omendb::sql {

enum class TokenKind : uint8_t {
  kEnd,
  kWord,
  kQuotedWord,
  kInteger,
  kFloat,
  kString,
  kEscapeString,
  kOtherString,
  kParam,
  kOperator,
  kOpen,
  kClose,
  kComma,
  kSemicolon,
  kDot,
  kOther,
  kBad,
};

struct Token {
  TokenKind kind = TokenKind::kEnd;
  std::string_view text;
  size_t offset = 0;
};

class Tokenizer {
 public:
  explicit Tokenizer(std::string_view text) : text_(text) {}
  Token Next();  // comments and blanks are skipped

 private:
  bool SkipBlanks();
  Token Take(TokenKind kind, size_t length);
  Token QuotedToken(TokenKind kind, size_t prefix, char quote, bool backslash);
  Token NumberToken();
  Token DollarToken();
  Token OperatorToken();
  std::string_view text_;
  size_t at_ = 0;
};

// An upper bound of how deep the parse tree of `text` is, by brackets and chains of operators.
int NestingOf(std::string_view text);

// Runs `work` on a thread with a stack of hundreds of megabytes (reserved, not used) and waits.
void RunWithLargeStack(const std::function<void()>& work);

// A literal lifted out of a statement.
struct LiftedLiteral {
  types::SqlType type;  // int4, int8, numeric, or unknown for strings
  std::string text;     // unquoted
  size_t offset = 0;    // where PostgreSQL says the constant is
};

struct LiftedText {
  bool liftable = false;
  std::string key;  // the text with $n for literals: "select * from t where a = $1 and b = $2"
  std::vector<LiftedLiteral> literals;
};

// Lifts the literals of one statement (a semicolon at the end is dropped). Not liftable: several
// statements, parameters, strings with escapes, no literal at all. `key` includes the types of the
// literals, behind the text.
void LiftLiterals(std::string_view text, LiftedText& out);
// The SQL text of the key.
std::string_view LiftedSql(const LiftedText& lifted);

}  // namespace omendb::sql
