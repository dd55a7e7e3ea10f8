#include "types/text_io.h"

#include "base/sqlstate.h"
#include "types/array.h"
#include "types/big_numeric.h"
#include "types/json.h"
#include "types/numeric.h"
#include "types/text_parsers.h"

namespace omendb::types {
namespace {

Result<Value> ParseJson(std::string_view text) {
  OMEN_TRY(ValidateUtf8(text));
  OMEN_TRY(ValidateJson(text));
  return Value::String(text);
}

Result<Value> ParseJsonb(std::string_view text, Arena& arena) {
  OMEN_TRY(ValidateUtf8(text));
  std::string normal;
  OMEN_TRY(NormalizeJsonb(text, normal));
  return Value::String(arena.Copy(normal));
}

// int2vector and oidvector: numbers with blanks between.
SqlType VectorElement(TypeKind kind) {
  return {kind == TypeKind::kInt2vector ? TypeKind::kInt2 : TypeKind::kOid};
}

Result<Value> ParseVector(const SqlType& type, std::string_view text, Arena& arena) {
  SqlType element = VectorElement(type.kind);
  ArrayBuilder builder(element);
  std::string_view rest = TrimSpace(text);
  while (!rest.empty()) {
    size_t size = 0;
    while (size < rest.size() && !IsSpace(rest[size])) ++size;
    std::string_view item = rest.substr(0, size);
    OMEN_ASSIGN(Value value,
                element.kind == TypeKind::kOid ? ParseOid(item) : ParseInteger(element, item));
    builder.Append(value);
    rest = TrimSpace(rest.substr(size));
  }
  return builder.Finish(arena);
}

void FormatVector(const SqlType& type, const Value& value, std::string& out) {
  SqlType element = VectorElement(type.kind);
  ArrayReader reader(element, value.str());
  for (uint32_t i = 0; i < reader.size(); ++i) {
    if (i > 0) out += ' ';
    Value item = reader.At(i);
    int64_t number = item.i16;
    if (element.kind == TypeKind::kOid) number = static_cast<uint32_t>(item.i32);
    AppendInteger(number, out);
  }
}

Result<Value> ParseScalar(const SqlType& type, std::string_view text, Arena& arena,
                          const IoSettings& settings) {
  switch (type.kind) {
    case TypeKind::kInt2:
    case TypeKind::kInt4:
    case TypeKind::kInt8:
      return ParseInteger(type, text);
    case TypeKind::kUnknown:
    case TypeKind::kText:
    case TypeKind::kVarchar:
    case TypeKind::kBpchar:
    case TypeKind::kName:
    case TypeKind::kChar:
      return ParseString(type, text, arena);
    case TypeKind::kBool:
      return ParseBool(text);
    case TypeKind::kFloat4:
      return ParseFloat4(text);
    case TypeKind::kFloat8:
      return ParseFloat8(text);
    case TypeKind::kNumeric:
      if (type.numeric_unconstrained()) {
        OMEN_ASSIGN(const BigNumeric number, ParseBig(text));
        return ToValue(number, arena);
      }
      return ParseNumeric(text, type);
    case TypeKind::kBytea:
      return ParseBytea(text, arena);
    case TypeKind::kDate:
      return ParseDate(text, settings);
    case TypeKind::kTime:
      return ParseTime(type, text, settings);
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampTz:
      return ParseTimestamp(type, text, settings);
    case TypeKind::kInterval:
      return ParseInterval(type, text, settings);
    case TypeKind::kUuid:
      return ParseUuid(text);
    case TypeKind::kJson:
      return ParseJson(text);
    case TypeKind::kJsonb:
      return ParseJsonb(text, arena);
    case TypeKind::kOid:
    case TypeKind::kRegclass:
    case TypeKind::kRegtype:
    case TypeKind::kRegproc:
    case TypeKind::kRegnamespace:
      return ParseOid(text);
    case TypeKind::kInt2vector:
    case TypeKind::kOidvector:
      return ParseVector(type, text, arena);
    case TypeKind::kVoid:
      return Value::String({});
    case TypeKind::kRecord:
      return Status(sqlstate::kFeatureNotSupported,
                    "input of anonymous composite types is not implemented");
  }
  return NotSupported("input of type " + FormatType(type));
}

}  // namespace

Result<Value> ParseText(const SqlType& type, std::string_view text, Arena& arena,
                        const IoSettings& settings) {
  Result<Value> result = type.is_array ? ParseArrayText(type, text, arena, settings)
                                       : ParseScalar(type, text, arena, settings);
  // An error message that quotes the input must itself be text.
  if (!result.ok() && !type.is_string()) OMEN_TRY(ValidateUtf8(text));
  return result;
}

void FormatText(const SqlType& type, const Value& value, const IoSettings& settings,
                std::string& out) {
  if (type.is_array) return FormatArrayText(type, value, settings, out);
  switch (type.kind) {
    case TypeKind::kBool:
      out += value.boolean ? 't' : 'f';
      return;
    case TypeKind::kInt2:
      return AppendInteger(value.i16, out);
    case TypeKind::kInt4:
      return AppendInteger(value.i32, out);
    case TypeKind::kInt8:
      return AppendInteger(value.i64, out);
    case TypeKind::kFloat4:
      return AppendFloat4(value.f32, settings.extra_float_digits, out);
    case TypeKind::kFloat8:
      return AppendFloat8(value.f64, settings.extra_float_digits, out);
    case TypeKind::kNumeric:
      if (type.numeric_unconstrained()) return AppendBig(value.str(), out);
      return AppendNumeric(type, value, out);
    case TypeKind::kBytea:
      return AppendBytea(value.str(), settings.bytea_output, out);
    case TypeKind::kDate:
      return AppendDate(value.i32, settings, out);
    case TypeKind::kTime:
      return AppendTime(value.i64, out);
    case TypeKind::kTimestamp:
      return AppendTimestamp(value.i64, settings, out);
    case TypeKind::kTimestampTz:
      return AppendTimestampTz(value.i64, settings, out);
    case TypeKind::kInterval:
      return AppendInterval(value.interval, settings.interval_style, out);
    case TypeKind::kUuid:
      return AppendUuid(value.i128, out);
    case TypeKind::kOid:
    case TypeKind::kRegclass:
    case TypeKind::kRegtype:
    case TypeKind::kRegproc:
    case TypeKind::kRegnamespace:
      return AppendInteger(static_cast<uint32_t>(value.i32), out);
    case TypeKind::kInt2vector:
    case TypeKind::kOidvector:
      return FormatVector(type, value, out);
    case TypeKind::kUnknown:
    case TypeKind::kText:
    case TypeKind::kVarchar:
    case TypeKind::kBpchar:
    case TypeKind::kName:
    case TypeKind::kChar:
    case TypeKind::kJson:
    case TypeKind::kJsonb:
    case TypeKind::kVoid:
    case TypeKind::kRecord:
      out += value.str();
      return;
  }
}

}  // namespace omendb::types
