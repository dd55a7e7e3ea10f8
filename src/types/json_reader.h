// json_reader.h - tokens of a JSON text and its grammar, as PostgreSQL 15's parser reads them.
//
// WalkJson drives a handler without recursion, so that the depth of a text costs no stack.
//
// Thread safety  A reader belongs to one thread.
// Errors         As in json.h.
#pragma once

#include <string>
#include <string_view>

#include "base/sqlstate.h"
#include "base/status.h"
#include "types/json.h"

namespace omendb::types {

enum class JsonToken : uint8_t {
  kEnd,
  kObjectBegin,
  kObjectEnd,
  kArrayBegin,
  kArrayEnd,
  kComma,
  kColon,
  kString,
  kNumber,
  kTrue,
  kFalse,
  kNull,
};

// What a string token's escapes need.
enum class JsonStrings {
  kValidate,  // Only well-formed: type json.
  kDecode,    // decoded() is the text the string stands for: type jsonb.
};

class JsonReader {
 public:
  JsonReader(std::string_view text, JsonStrings strings) : rest_(text), strings_(strings) {}
  Status Next();
  JsonToken token() const { return token_; }
  // The token as written, strings with their quotes.
  std::string_view token_text() const { return token_text_; }
  const std::string& decoded() const { return decoded_; }
  // 22P02: `expected` but found this token, or the end of the input.
  Status Unexpected(std::string_view expected) const;

 private:
  Status ReadString();
  Status ReadEscape(size_t& pos);
  Status ReadUnicodeEscape(size_t& pos);
  Status FinishCodePoint(uint32_t unit);
  Status ReadNumber();
  Status ReadWord();
  Status InvalidToken(size_t size) const;
  void Take(JsonToken token, size_t size);

  std::string_view rest_;
  const JsonStrings strings_;
  JsonToken token_ = JsonToken::kEnd;
  std::string_view token_text_;
  std::string decoded_;
  uint32_t high_surrogate_ = 0;
};

inline bool IsJsonScalar(JsonToken token) { return token >= JsonToken::kString; }

// Handler: void Begin(JsonToken), void End(JsonToken), void Key(const JsonReader&),
// Status Scalar(const JsonReader&).
template <typename Handler>
Status WalkJson(std::string_view text, JsonStrings strings, Handler& handler) {
  JsonReader reader(text, strings);
  std::string open;  // '{' or '[' of each container we are in.
  OMEN_TRY(reader.Next());
  auto read_key = [&](std::string_view expected) -> Status {
    if (reader.token() != JsonToken::kString) return reader.Unexpected(expected);
    handler.Key(reader);
    OMEN_TRY(reader.Next());
    if (reader.token() != JsonToken::kColon) return reader.Unexpected("Expected \":\"");
    return reader.Next();
  };
  while (true) {
    // One value begins here.
    if (reader.token() == JsonToken::kObjectBegin || reader.token() == JsonToken::kArrayBegin) {
      bool object = reader.token() == JsonToken::kObjectBegin;
      if (open.size() == static_cast<size_t>(kJsonDepthMax)) {
        return Status(SqlState("54001"), "stack depth limit exceeded");
      }
      open.push_back(object ? '{' : '[');
      handler.Begin(reader.token());
      OMEN_TRY(reader.Next());
      JsonToken end = object ? JsonToken::kObjectEnd : JsonToken::kArrayEnd;
      if (reader.token() != end) {
        if (object) OMEN_TRY(read_key("Expected string or \"}\""));
        continue;
      }
    } else if (IsJsonScalar(reader.token())) {
      OMEN_TRY(handler.Scalar(reader));
      OMEN_TRY(reader.Next());
    } else {
      return reader.Unexpected("Expected JSON value");
    }
    // A value ended, or a container without members is about to.
    while (true) {
      if (open.empty()) {
        if (reader.token() == JsonToken::kEnd) return Status::Ok();
        return reader.Unexpected("Expected end of input");
      }
      bool object = open.back() == '{';
      JsonToken end = object ? JsonToken::kObjectEnd : JsonToken::kArrayEnd;
      if (reader.token() == end) {
        handler.End(end);
        open.pop_back();
        OMEN_TRY(reader.Next());
        continue;
      }
      if (reader.token() != JsonToken::kComma) {
        return reader.Unexpected(object ? "Expected \",\" or \"}\"" : "Expected \",\" or \"]\"");
      }
      OMEN_TRY(reader.Next());
      if (object) OMEN_TRY(read_key("Expected string"));
      break;
    }
  }
}

}  // namespace omendb::types
