// text_parsers.h - the pieces of text_io.h, one group of types in each source file.
//
// Internal to this folder; what each piece promises is in text_io.h.
#pragma once

#include <string>
#include <string_view>

#include "base/status.h"
#include "types/text_io.h"
#include "types/type.h"
#include "types/value.h"

namespace omendb::types {

inline bool IsDigit(char c) { return c >= '0' && c <= '9'; }
inline bool IsAlpha(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
inline bool IsSpace(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
inline char ToLower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
inline std::string_view TrimSpace(std::string_view s) {
  while (!s.empty() && IsSpace(s.front())) s.remove_prefix(1);
  while (!s.empty() && IsSpace(s.back())) s.remove_suffix(1);
  return s;
}
// `lower` is in lower case.
inline bool EqualsIgnoreCase(std::string_view s, std::string_view lower) {
  if (s.size() != lower.size()) return false;
  for (size_t i = 0; i < s.size(); ++i) {
    if (ToLower(s[i]) != lower[i]) return false;
  }
  return true;
}

// 22P02 `invalid input syntax for type integer: "abc"`.
Status InvalidInput(std::string_view type, std::string_view text);

Result<Value> ParseBool(std::string_view text);
Result<Value> ParseInteger(const SqlType& type, std::string_view text);
Result<Value> ParseOid(std::string_view text);
Result<Value> ParseFloat4(std::string_view text);
Result<Value> ParseFloat8(std::string_view text);
void AppendInteger(int64_t value, std::string& out);
void AppendFloat4(float value, int extra_float_digits, std::string& out);
void AppendFloat8(double value, int extra_float_digits, std::string& out);

Result<Value> ParseString(const SqlType& type, std::string_view text, Arena& arena);
Result<Value> ParseBytea(std::string_view text, Arena& arena);
void AppendBytea(std::string_view bytes, ByteaOutput output, std::string& out);
Result<Value> ParseUuid(std::string_view text);
void AppendUuid(Int128 value, std::string& out);
// Whether a string longer than its modifier allows is cut or refused.
enum class Overlong { kTruncate, kRefuseUnlessBlanks };
// The value of a varchar(n), char(n) or name column; pads char(n) with blanks.
Result<Value> CoerceString(const SqlType& type, std::string_view text, Overlong overlong,
                           Arena& arena);

Result<Value> ParseDate(std::string_view text, const IoSettings& settings);
Result<Value> ParseTime(const SqlType& type, std::string_view text, const IoSettings& settings);
Result<Value> ParseTimestamp(const SqlType& type, std::string_view text,
                             const IoSettings& settings);
Result<Value> ParseInterval(const SqlType& type, std::string_view text, const IoSettings& settings);
void AppendDate(int32_t days, const IoSettings& settings, std::string& out);
void AppendTime(int64_t micros, std::string& out);
void AppendTimestamp(int64_t micros, const IoSettings& settings, std::string& out);
void AppendTimestampTz(int64_t micros, const IoSettings& settings, std::string& out);
void AppendInterval(const Interval& interval, IntervalStyle style, std::string& out);

}  // namespace omendb::types
