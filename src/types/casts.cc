#include "types/casts.h"

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <optional>

#include "base/sqlstate.h"
#include "types/array.h"
#include "types/big_numeric.h"
#include "types/calendar.h"
#include "types/datetime_math.h"
#include "types/json_reader.h"
#include "types/numeric.h"
#include "types/text_parsers.h"

namespace omendb::types {
namespace {

using enum TypeKind;

enum class Family : uint8_t { kNumber, kText, kOidLike, kOther };

Family FamilyOf(TypeKind kind) {
  switch (kind) {
    case kInt2:
    case kInt4:
    case kInt8:
    case kNumeric:
    case kFloat4:
    case kFloat8:
      return Family::kNumber;
    case kText:
    case kVarchar:
    case kBpchar:
    case kName:
      return Family::kText;
    case kOid:
    case kRegclass:
    case kRegtype:
    case kRegproc:
    case kRegnamespace:
      return Family::kOidLike;
    default:
      return Family::kOther;
  }
}

bool IsInteger(TypeKind kind) { return kind == kInt2 || kind == kInt4 || kind == kInt8; }

struct CastEntry {
  TypeKind from;
  TypeKind to;
  CastContext context;
};

// The entries of pg_cast outside the families, which have rules.
constexpr CastEntry kEntries[] = {
    {kBool, kInt4, CastContext::kExplicit},
    {kInt4, kBool, CastContext::kExplicit},
    {kDate, kTimestamp, CastContext::kImplicit},
    {kDate, kTimestampTz, CastContext::kImplicit},
    {kTimestamp, kTimestampTz, CastContext::kImplicit},
    {kTime, kInterval, CastContext::kImplicit},
    {kTimestamp, kDate, CastContext::kAssignment},
    {kTimestamp, kTime, CastContext::kAssignment},
    {kTimestampTz, kDate, CastContext::kAssignment},
    {kTimestampTz, kTime, CastContext::kAssignment},
    {kTimestampTz, kTimestamp, CastContext::kAssignment},
    {kInterval, kTime, CastContext::kAssignment},
    {kJson, kJsonb, CastContext::kAssignment},
    {kJsonb, kJson, CastContext::kAssignment},
    {kJsonb, kBool, CastContext::kExplicit},
    {kInt4, kChar, CastContext::kExplicit},
    {kChar, kInt4, CastContext::kExplicit},
    {kChar, kText, CastContext::kImplicit},
    {kText, kChar, CastContext::kAssignment},
    {kVarchar, kChar, CastContext::kAssignment},
    {kBpchar, kChar, CastContext::kAssignment},
};

std::optional<CastContext> FamilyCast(TypeKind from, TypeKind to) {
  Family a = FamilyOf(from);
  Family b = FamilyOf(to);
  if (a == Family::kNumber && b == Family::kNumber) {
    return NumberRank(from) < NumberRank(to) ? CastContext::kImplicit : CastContext::kAssignment;
  }
  if (a == Family::kText && b == Family::kText) {
    return from == kName && to != kText ? CastContext::kAssignment : CastContext::kImplicit;
  }
  if (a == Family::kOidLike && b == Family::kOidLike && (from == kOid || to == kOid)) {
    return CastContext::kImplicit;
  }
  if (IsInteger(from) && b == Family::kOidLike) return CastContext::kImplicit;
  if (a == Family::kOidLike && (to == kInt4 || to == kInt8)) return CastContext::kAssignment;
  if (from == kJsonb && b == Family::kNumber) return CastContext::kExplicit;
  return std::nullopt;
}

// Through the output and input functions: to text by assignment, from text explicitly.
std::optional<CastContext> TextCast(const SqlType& from, const SqlType& to) {
  bool to_text = !to.is_array && FamilyOf(to.kind) == Family::kText;
  bool from_text = !from.is_array && FamilyOf(from.kind) == Family::kText;
  if (to_text) return CastContext::kAssignment;
  if (from_text) return CastContext::kExplicit;
  return std::nullopt;
}

std::optional<CastContext> FindCast(const SqlType& from, const SqlType& to) {
  if (from.kind == kUnknown && !from.is_array) return CastContext::kImplicit;
  if (from.is_array && to.is_array) return FindCast(from.element(), to.element());
  if (from.is_array || to.is_array) return TextCast(from, to);
  if (from.kind == to.kind) return CastContext::kImplicit;
  for (const CastEntry& entry : kEntries) {
    if (entry.from == from.kind && entry.to == to.kind) return entry.context;
  }
  std::optional<CastContext> family = FamilyCast(from.kind, to.kind);
  return family ? family : TextCast(from, to);
}

Status NoCast(const SqlType& from, const SqlType& to) {
  return Status(sqlstate::kCannotCoerce, "cannot cast type " +
                                             FormatType({from.kind, from.is_array}) + " to " +
                                             FormatType({to.kind, to.is_array}));
}

Status OutOfRange(std::string_view what) {
  return Status(sqlstate::kNumericValueOutOfRange, std::string(what) + " out of range");
}

Result<Value> IntegerTo(TypeKind to, Int128 value) {
  switch (to) {
    case kInt2:
      if (value < INT16_MIN || value > INT16_MAX) return OutOfRange("smallint");
      return Value::Int16(static_cast<int16_t>(value));
    case kInt4:
      if (value < INT32_MIN || value > INT32_MAX) return OutOfRange("integer");
      return Value::Int32(static_cast<int32_t>(value));
    default:
      if (value < INT64_MIN || value > INT64_MAX) return OutOfRange("bigint");
      return Value::Int64(static_cast<int64_t>(value));
  }
}

int64_t IntegerOf(TypeKind kind, const Value& value) {
  if (kind == kInt2) return value.i16;
  return kind == kInt4 ? value.i32 : value.i64;
}

// Digits that PostgreSQL trusts of a float: 6 of a real, 15 of a double.
Result<Value> FloatToNumeric(double value, int digits, const SqlType& to, Arena& arena) {
  if (to.numeric_unconstrained()) {
    if (std::isnan(value)) return ToValue(BigNumeric::NaN(), arena);
    if (std::isinf(value)) return ToValue(BigNumeric::Infinity(value < 0), arena);
  }
  if (!std::isfinite(value)) {
    return NotSupported(std::isnan(value) ? "numeric value NaN" : "numeric value infinity");
  }
  char text[64];
  int size = std::snprintf(text, sizeof(text), "%.*g", digits, value);
  if (to.numeric_unconstrained()) {
    OMEN_ASSIGN(const BigNumeric number, ParseBig({text, static_cast<size_t>(size)}));
    return ToValue(number, arena);
  }
  // A float is inexact already: what the numeric of an older database cannot hold rounds.
  SqlType rounding =
      to.numeric_legacy() ? NumericType(kNumericPrecisionMax, kLegacyNumericScale) : to;
  return ParseNumeric({text, static_cast<size_t>(size)}, rounding);
}

Result<Value> FromFloat(double value, int digits, const SqlType& to, Arena& arena) {
  switch (to.kind) {
    case kFloat8:
      return Value::Float64(value);
    case kFloat4: {
      auto narrow = static_cast<float>(value);
      bool overflow = std::isinf(narrow) && !std::isinf(value);
      bool underflow = narrow == 0 && value != 0;
      if (overflow || underflow) {
        return Status(sqlstate::kNumericValueOutOfRange,
                      std::string("value out of range: ") + (overflow ? "overflow" : "underflow"));
      }
      return Value::Float32(narrow);
    }
    case kNumeric:
      return FloatToNumeric(value, digits, to, arena);
    default:
      break;
  }
  double rounded = std::rint(value);
  constexpr double kLimit = 9223372036854775808.0;
  bool fits = rounded >= -kLimit && rounded < kLimit;  // False for NaN.
  if (!fits) {
    return OutOfRange(to.kind == kInt2 ? "smallint" : (to.kind == kInt4 ? "integer" : "bigint"));
  }
  return IntegerTo(to.kind, static_cast<int64_t>(rounded));
}

Result<Value> FromNumeric(Int128 units, int scale, const SqlType& to, Arena& arena) {
  switch (to.kind) {
    case kNumeric: {
      if (to.numeric_unconstrained()) return ToValue(units, scale, arena);
      int cut = scale - to.numeric_scale();
      if (to.numeric_legacy() && cut > 0 && units % PowerOfTen(cut) != 0) {
        return NumericOverflow(to);
      }
      return NumericRescale(units, scale, to);
    }
    case kFloat8:
      return Value::Float64(NumericToDouble(units, scale));
    case kFloat4: {
      std::string text;
      AppendDecimal(units, scale, text);
      return Value::Float32(std::strtof(text.c_str(), nullptr));
    }
    default:
      return IntegerTo(to.kind, DivideRounded(units, PowerOfTen(scale)));
  }
}

const char* IntegerName(TypeKind kind) {
  return kind == kInt2 ? "smallint" : kind == kInt4 ? "integer" : "bigint";
}

// A numeric without precision that is no number: NaN and the infinities.
Result<Value> FromSpecial(const BigNumeric& number, const SqlType& to) {
  const char* name = number.is_nan() ? "NaN" : "infinity";
  if (to.kind != kNumeric) {
    return Status(sqlstate::kFeatureNotSupported,
                  std::string("cannot convert ") + name + " to " + IntegerName(to.kind));
  }
  if (number.is_nan()) return NotSupported("NaN in a numeric with precision");
  return Status(sqlstate::kNumericValueOutOfRange, "numeric field overflow")
      .WithDetail("A field with precision " + std::to_string(to.numeric_precision()) + ", scale " +
                  std::to_string(to.numeric_scale()) + " cannot hold an infinite value.");
}

Result<Value> FromBig(std::string_view bytes, const SqlType& to) {
  if (to.kind == kFloat8) {
    OMEN_ASSIGN(const double number, BigToDouble(bytes));
    return Value::Float64(number);
  }
  if (to.kind == kFloat4) {
    OMEN_ASSIGN(const float number, BigToFloat(bytes));
    return Value::Float32(number);
  }
  const int scale = to.kind == kNumeric ? to.numeric_scale() : 0;
  const auto small = DecodeSmall(bytes);
  std::optional<Int128> units;
  if (small) {
    units = UnitsAt(*small, scale);
    if (to.numeric_legacy() && small->scale > scale &&
        small->units % PowerOfTen(std::min(small->scale - scale, kNumericPrecisionMax)) != 0) {
      return NumericOverflow(to);
    }
  } else {
    const BigNumeric number = DecodeBig(bytes);
    if (!number.is_finite()) return FromSpecial(number, to);
    units = UnitsAt(number, scale);
  }
  if (to.kind != kNumeric) {
    return units ? IntegerTo(to.kind, *units) : OutOfRange(IntegerName(to.kind));
  }
  return units ? NumericRescale(*units, scale, to) : NumericOverflow(to);
}

Result<Value> CastNumber(const SqlType& from, const SqlType& to, const Value& value, Arena& arena) {
  if (from.kind == kFloat8) return FromFloat(value.f64, 15, to, arena);
  if (from.kind == kFloat4) return FromFloat(static_cast<double>(value.f32), 6, to, arena);
  if (from.numeric_unconstrained()) {
    return to.numeric_unconstrained() ? value : FromBig(value.str(), to);
  }
  if (from.kind == kNumeric) {
    return FromNumeric(NumericUnits(from, value), from.numeric_scale(), to, arena);
  }
  int64_t integer = IntegerOf(from.kind, value);
  switch (to.kind) {
    case kFloat4:
      return Value::Float32(static_cast<float>(integer));
    case kFloat8:
      return Value::Float64(static_cast<double>(integer));
    case kNumeric:
      if (to.numeric_unconstrained()) return ToValue(integer, 0, arena);
      return NumericRescale(integer, 0, to);
    default:
      return IntegerTo(to.kind, integer);
  }
}

Result<Value> CastOid(const SqlType& from, const SqlType& to, const Value& value) {
  if (to.kind == kInt8) return Value::Int64(static_cast<uint32_t>(value.i32));
  if (!IsInteger(from.kind)) return value;
  int64_t number = IntegerOf(from.kind, value);
  if (from.kind == kInt8 && (number < 0 || number > UINT32_MAX)) return OutOfRange("OID");
  return Value::Int32(static_cast<int32_t>(number));
}

Result<Value> FromInstant(Result<int64_t> instant) {
  if (!instant.ok()) return std::move(instant).status();
  return Value::Int64(*instant);
}

int64_t TimeOfDay(int64_t micros) {
  return micros - FloorDiv(micros, kMicrosPerDay) * kMicrosPerDay;
}

Result<Value> CastDateTime(TypeKind from, TypeKind to, const Value& value, const TimeZone& zone) {
  if (from == kTime) return Value::OfInterval({0, 0, value.i64});
  if (from == kInterval) return Value::Int64(TimeOfDay(value.interval.micros));
  int64_t timestamp = value.i64;
  if (from == kDate) {
    OMEN_ASSIGN(timestamp, DateToTimestamp(value.i32));
  }
  if (to == kTimestampTz) return FromInstant(LocalToUtc(timestamp, zone));
  if (from == kTimestampTz) {
    OMEN_ASSIGN(timestamp, UtcToLocal(timestamp, zone));
  }
  switch (to) {
    case kDate:
      return Value::Int32(TimestampToDate(timestamp));
    case kTime:
      return IsFinite(timestamp) ? Value::Int64(TimeOfDay(timestamp)) : Value::Null();
    default:
      return Value::Int64(timestamp);
  }
}

Result<Value> CastJsonb(const SqlType& to, std::string_view text, const IoSettings& settings,
                        Arena& arena) {
  if (to.kind == kJson) return Value::String(text);
  JsonReader reader(text, JsonStrings::kValidate);
  OMEN_TRY(reader.Next());
  JsonToken token = reader.token();
  bool wants_bool = to.kind == kBool;
  if (wants_bool && (token == JsonToken::kTrue || token == JsonToken::kFalse)) {
    return Value::Bool(token == JsonToken::kTrue);
  }
  if (!wants_bool && token == JsonToken::kNumber) {
    if (to.kind == kFloat4 || to.kind == kFloat8) return ParseText(to, text, arena, settings);
    OMEN_ASSIGN(Value number, ParseText({kNumeric}, text, arena, settings));
    return CastNumber({kNumeric}, to, number, arena);
  }
  const char* what = "numeric";
  switch (token) {
    case JsonToken::kNull:
      what = "null";
      break;
    case JsonToken::kString:
      what = "string";
      break;
    case JsonToken::kTrue:
    case JsonToken::kFalse:
      what = "boolean";
      break;
    case JsonToken::kArrayBegin:
      what = "array";
      break;
    case JsonToken::kObjectBegin:
      what = "object";
      break;
    default:
      break;
  }
  return Status(sqlstate::kInvalidParameterValue,
                std::string("cannot cast jsonb ") + what + " to type " + FormatType({to.kind}));
}

Result<Value> CastChar(const SqlType& from, const SqlType& to, const Value& value, Arena& arena) {
  if (from.kind == to.kind) return value;
  if (from.kind == kInt4) {
    if (value.i32 < INT8_MIN || value.i32 > INT8_MAX) return OutOfRange("\"char\"");
    auto byte = static_cast<char>(value.i32);
    return Value::String(arena.Copy(std::string_view(&byte, byte == 0 ? 0 : 1)));
  }
  if (to.kind != kInt4) return value;
  return Value::Int32(value.str().empty() ? 0 : static_cast<signed char>(value.str().front()));
}

Result<Value> CastArray(const SqlType& from, const SqlType& to, const Value& value, Arena& arena,
                        CastContext context, const IoSettings& settings) {
  ArrayReader reader(from.element(), value.str());
  ArrayBuilder builder(to.element());
  for (uint32_t i = 0; i < reader.size(); ++i) {
    OMEN_ASSIGN(Value item,
                CastValue(from.element(), to.element(), reader.At(i), arena, context, settings));
    builder.Append(item);
  }
  return builder.Finish(arena);
}

// The value's text, char(n) without its padding.
Value ToText(const SqlType& from, const Value& value, Arena& arena, const IoSettings& settings) {
  if (!from.is_array && from.kind == kBpchar) return Value::String(TrimBlanks(value.str()));
  if (from.is_string() || (from.kind == kUnknown && !from.is_array)) return value;
  std::string text;
  FormatText(from, value, settings, text);
  return Value::String(arena.Copy(text));
}

// Applies what is left of the target's modifier.
Result<Value> Coerce(const SqlType& to, const Value& value, Arena& arena, CastContext context) {
  if (to.is_array || value.is_null) return value;
  switch (to.kind) {
    case kVarchar:
    case kBpchar:
    case kName: {
      Overlong overlong =
          context == CastContext::kExplicit ? Overlong::kTruncate : Overlong::kRefuseUnlessBlanks;
      return CoerceString(to, value.str(), overlong, arena);
    }
    case kTime:
      return Value::Int64(RoundMicros(value.i64, to.typmod));
    case kTimestamp:
    case kTimestampTz:
      return Value::Int64(RoundTimestamp(value.i64, to.typmod));
    case kInterval: {
      OMEN_ASSIGN(Interval interval, CoerceInterval(value.interval, to.typmod));
      return Value::OfInterval(interval);
    }
    default:
      return value;
  }
}

Result<Value> Convert(const SqlType& from, const SqlType& to, const Value& value, Arena& arena,
                      CastContext context, const IoSettings& settings) {
  if (from.is_array && to.is_array) return CastArray(from, to, value, arena, context, settings);
  bool to_text = !to.is_array && FamilyOf(to.kind) == Family::kText;
  if (to_text) {
    bool same = from.kind == to.kind && !from.is_array;
    bool in_full = from.kind == kBool && !from.is_array && to.kind != kName;
    if (in_full) return Value::String(value.boolean ? "true" : "false");
    return same ? value : ToText(from, value, arena, settings);
  }
  bool from_text =
      !from.is_array && (FamilyOf(from.kind) == Family::kText || from.kind == kUnknown);
  if (!to.is_array && (from.kind == kChar || to.kind == kChar) && from.kind != kUnknown) {
    return from_text ? CoerceString(to, value.str(), Overlong::kTruncate, arena)
                     : CastChar(from, to, value, arena);
  }
  if (from_text) {
    // A length is applied behind, by the rules of casts; the fields of an interval say what a
    // literal's numbers are.
    bool literal = from.kind == kUnknown && to.kind == kInterval;
    bool whole = to.is_array || to.kind == kNumeric || literal;
    SqlType parsed = whole ? to : SqlType{to.kind};
    return ParseText(parsed, value.str(), arena, settings);
  }
  if (FamilyOf(from.kind) == Family::kNumber && FamilyOf(to.kind) == Family::kNumber) {
    return CastNumber(from, to, value, arena);
  }
  if (from.kind == to.kind) return value;
  if (FamilyOf(from.kind) == Family::kOidLike || FamilyOf(to.kind) == Family::kOidLike) {
    return CastOid(from, to, value);
  }
  switch (from.kind) {
    case kBool:
      return Value::Int32(value.boolean ? 1 : 0);
    case kInt4:
      return Value::Bool(value.i32 != 0);
    case kJsonb:
      return CastJsonb(to, value.str(), settings, arena);
    case kJson:
      return ParseText(to, value.str(), arena, settings);
    default:
      return CastDateTime(from.kind, to.kind, value, *settings.time_zone);
  }
}

}  // namespace

bool CanCast(const SqlType& from, const SqlType& to, CastContext context) {
  std::optional<CastContext> needed = FindCast(from, to);
  return needed && *needed <= context;
}

Result<Value> CastValue(const SqlType& from, const SqlType& to, const Value& value, Arena& arena,
                        CastContext context, const IoSettings& settings) {
  if (!CanCast(from, to, context)) return NoCast(from, to);
  if (value.is_null) return value;
  if (from == to) return value;
  OMEN_ASSIGN(Value converted, Convert(from, to, value, arena, context, settings));
  return Coerce(to, converted, arena, context);
}

}  // namespace omendb::types
