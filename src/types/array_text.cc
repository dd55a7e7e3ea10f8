#include <algorithm>

#include "base/sqlstate.h"
#include "types/array.h"
#include "types/text_parsers.h"

namespace omendb::types {
namespace {

constexpr char kDelimiter = ',';  // pg_type.typdelim of every type of ours.
// PostgreSQL's MaxArraySize: 1 GB of Datums.
constexpr uint32_t kElementsMax = 134217727;

Status Malformed(std::string_view text, std::string detail) {
  return Status(sqlstate::kInvalidTextRepresentation,
                "malformed array literal: \"" + std::string(text) + "\"")
      .WithDetail(std::move(detail));
}

// Reads "{...}" item by item.
class ArrayScanner {
 public:
  explicit ArrayScanner(std::string_view text) : text_(text), rest_(text) {}

  // Up to behind the opening brace.
  Status Open();
  // True when an item was read, false at the closing brace.
  Result<bool> Next();
  // Nothing but blanks may follow the closing brace.
  Status Close();

  bool item_is_null() const { return !quoted_ && EqualsIgnoreCase(item_, "null"); }
  std::string_view item() const { return item_; }

 private:
  void SkipBlanks() {
    while (!rest_.empty() && IsSpace(rest_.front())) rest_.remove_prefix(1);
  }
  Status ReadQuoted();
  Status ReadUnquoted();
  Status Unexpected(char c) {
    return Malformed(text_, "Unexpected \"" + std::string(1, c) + "\" character.");
  }
  Status EndOfInput() { return Malformed(text_, "Unexpected end of input."); }

  std::string_view text_;
  std::string_view rest_;
  std::string item_;
  bool quoted_ = false;
  bool first_ = true;
};

Status ArrayScanner::Open() {
  SkipBlanks();
  if (!rest_.empty() && rest_.front() == '[') {
    return NotSupported("an array literal with explicit bounds");
  }
  if (rest_.empty() || rest_.front() != '{') {
    return Malformed(text_, "Array value must start with \"{\" or dimension information.");
  }
  rest_.remove_prefix(1);
  return Status::Ok();
}

Status ArrayScanner::ReadQuoted() {
  quoted_ = true;
  rest_.remove_prefix(1);
  while (!rest_.empty() && rest_.front() != '"') {
    if (rest_.front() == '\\') rest_.remove_prefix(1);
    if (rest_.empty()) return EndOfInput();
    item_.push_back(rest_.front());
    rest_.remove_prefix(1);
  }
  if (rest_.empty()) return EndOfInput();
  rest_.remove_prefix(1);
  SkipBlanks();
  if (rest_.empty()) return EndOfInput();
  if (rest_.front() == '"' || rest_.front() == '{' || rest_.front() == '\\') {
    return Unexpected(rest_.front());
  }
  if (rest_.front() != kDelimiter && rest_.front() != '}') {
    return Malformed(text_, "Unexpected array element.");
  }
  return Status::Ok();
}

Status ArrayScanner::ReadUnquoted() {
  size_t kept = 0;  // Length without trailing blanks; an escaped character counts.
  while (!rest_.empty() && rest_.front() != kDelimiter && rest_.front() != '}') {
    char c = rest_.front();
    if (c == '"') return Malformed(text_, "Unexpected array element.");
    if (c == '{') return Unexpected(c);
    if (c == '\\') {
      rest_.remove_prefix(1);
      if (rest_.empty()) return EndOfInput();
      quoted_ = true;  // As in PostgreSQL: an escape anywhere is not NULL.
    }
    item_.push_back(rest_.front());
    if (c == '\\' || !IsSpace(c)) kept = item_.size();
    rest_.remove_prefix(1);
  }
  if (rest_.empty()) return EndOfInput();
  item_.resize(kept);
  if (item_.empty()) return Unexpected(rest_.front());
  return Status::Ok();
}

Result<bool> ArrayScanner::Next() {
  item_.clear();
  quoted_ = false;
  SkipBlanks();
  if (rest_.empty()) return EndOfInput();
  if (rest_.front() == '}' && first_) {
    rest_.remove_prefix(1);
    return false;
  }
  if (!first_) {
    char separator = rest_.front();
    rest_.remove_prefix(1);
    if (separator == '}') return false;
    SkipBlanks();
    if (rest_.empty()) return EndOfInput();
  }
  first_ = false;
  if (rest_.front() == '{') return NotSupported("an array of more than one dimension");
  if (rest_.front() == '"') {
    OMEN_TRY(ReadQuoted());
  } else {
    OMEN_TRY(ReadUnquoted());
  }
  return true;
}

Status ArrayScanner::Close() {
  SkipBlanks();
  if (rest_.empty()) return Status::Ok();
  return Malformed(text_, "Junk after closing right brace.");
}

bool NeedsQuotes(std::string_view item) {
  if (item.empty() || EqualsIgnoreCase(item, "null")) return true;
  return std::any_of(item.begin(), item.end(), [](char c) {
    return c == '"' || c == '\\' || c == '{' || c == '}' || c == kDelimiter || IsSpace(c);
  });
}

void AppendItem(std::string_view item, std::string& out) {
  if (!NeedsQuotes(item)) {
    out += item;
    return;
  }
  out += '"';
  for (char c : item) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  out += '"';
}

}  // namespace

Result<Value> ParseArrayText(const SqlType& type, std::string_view text, Arena& arena,
                             const IoSettings& settings) {
  ArrayScanner scanner(text);
  OMEN_TRY(scanner.Open());
  SqlType element = type.element();
  ArrayBuilder builder(element);
  while (true) {
    OMEN_ASSIGN(bool more, scanner.Next());
    if (!more) break;
    if (builder.size() == kElementsMax) {
      return Status(sqlstate::kProgramLimitExceeded, "array size exceeds the maximum allowed (" +
                                                         std::to_string(kElementsMax) + ")");
    }
    if (scanner.item_is_null()) {
      builder.Append(Value::Null());
      continue;
    }
    OMEN_ASSIGN(Value value, ParseText(element, scanner.item(), arena, settings));
    builder.Append(value);
  }
  OMEN_TRY(scanner.Close());
  return builder.Finish(arena);
}

void FormatArrayText(const SqlType& type, const Value& value, const IoSettings& settings,
                     std::string& out) {
  SqlType element = type.element();
  ArrayReader reader(element, value.str());
  std::string item;
  out += '{';
  for (uint32_t i = 0; i < reader.size(); ++i) {
    if (i > 0) out += kDelimiter;
    if (reader.IsNull(i)) {
      out += "NULL";
      continue;
    }
    item.clear();
    FormatText(element, reader.At(i), settings, item);
    AppendItem(item, out);
  }
  out += '}';
}

}  // namespace omendb::types
