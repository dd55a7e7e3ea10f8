// text_io.h - PostgreSQL's text input and output functions.
//
// ParseText answers what the type's input function answers for the text and the type's modifier, as
// COPY and parameters in text format do: varchar(3) of 'abcd' is an error here (an explicit cast
// truncates: casts.h), numeric(5,2) rounds. FormatText answers what the output function does.
//
// Thread safety  Pure functions; settings are the session's.
// Ownership      A parsed string either borrows `text` or lies in the arena: keep both.
// Errors         PostgreSQL 15's messages and SQLSTATEs; no detail is invented.
// See            PostgreSQL 15, chapter 8; appendix B for dates.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/status.h"
#include "types/time_zone.h"
#include "types/type.h"
#include "types/value.h"

namespace omendb::types {

enum class DateStyle : uint8_t { kIso, kSql, kPostgres, kGerman };
enum class DateOrder : uint8_t { kYmd, kDmy, kMdy };
enum class IntervalStyle : uint8_t { kPostgres, kPostgresVerbose, kSqlStandard, kIso8601 };
enum class ByteaOutput : uint8_t { kHex, kEscape };

// The session settings that text depends on.
struct IoSettings {
  DateStyle date_style = DateStyle::kIso;
  DateOrder date_order = DateOrder::kMdy;
  IntervalStyle interval_style = IntervalStyle::kPostgres;
  ByteaOutput bytea_output = ByteaOutput::kHex;
  int extra_float_digits = 1;
  std::shared_ptr<const TimeZone> time_zone = TimeZone::Utc();
  // Start of the transaction, for 'now' and 'today': microseconds since 1970-01-01 UTC.
  int64_t now_micros = 0;
};

Result<Value> ParseText(const SqlType& type, std::string_view text, Arena& arena,
                        const IoSettings& settings);
// Appends. Requires: !value.is_null.
void FormatText(const SqlType& type, const Value& value, const IoSettings& settings,
                std::string& out);

// "ISO, MDY" and the like, as SET datestyle takes it, changing what it names. 22023 otherwise.
Status ParseDateStyle(std::string_view text, IoSettings& settings);
std::string FormatDateStyle(const IoSettings& settings);
Status ParseIntervalStyle(std::string_view text, IoSettings& settings);
std::string_view FormatIntervalStyle(const IoSettings& settings);

// 22021 naming the first bad bytes: `invalid byte sequence for encoding "UTF8": 0xff`. NUL is bad.
Status ValidateUtf8(std::string_view text);
// How many characters valid UTF-8 has.
size_t Utf8Length(std::string_view text);
// The first `characters` characters.
std::string_view Utf8Prefix(std::string_view text, size_t characters);

}  // namespace omendb::types
