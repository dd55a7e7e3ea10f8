#include "types/binary_io.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/bytes.h"
#include "base/sqlstate.h"
#include "types/array.h"
#include "types/binary_numeric.h"
#include "types/calendar.h"
#include "types/datetime_math.h"
#include "types/json.h"
#include "types/text_parsers.h"

namespace omendb::types {
namespace {

// Dates and timestamps travel as days and microseconds from 2000-01-01.
constexpr int32_t kEpoch2000Days = 10957;
constexpr int64_t kEpoch2000Micros = kEpoch2000Days * kMicrosPerDay;
constexpr char kJsonbVersion = 1;

Status WrongSize(std::string_view bytes, size_t wanted) {
  if (bytes.size() < wanted) {
    return Status(sqlstate::kProtocolViolation, "insufficient data left in message");
  }
  return Status(sqlstate::kInvalidBinaryRepresentation, "incorrect binary data format");
}

template <typename T>
Result<T> ReadFixed(std::string_view bytes) {
  if (bytes.size() != sizeof(T)) return WrongSize(bytes, sizeof(T));
  return LoadBe<T>(bytes.data());
}

template <typename T>
void Put(T value, std::string& out) {
  char buffer[sizeof(T)];
  StoreBe<T>(buffer, value);
  out.append(buffer, sizeof(T));
}

Result<Value> ReceiveDate(std::string_view bytes) {
  OMEN_ASSIGN(auto bits, ReadFixed<uint32_t>(bytes));
  auto days = static_cast<int32_t>(bits);
  if (days == INT32_MAX) return Value::Int32(kDateInfinity);
  if (days == INT32_MIN) return Value::Int32(kDateMinusInfinity);
  int64_t from_1970 = int64_t{days} + kEpoch2000Days;
  if (from_1970 < kDateMin || from_1970 > kDateMax) {
    return Status(sqlstate::kDatetimeFieldOverflow, "date out of range");
  }
  return Value::Int32(static_cast<int32_t>(from_1970));
}

void SendDate(int32_t days, std::string& out) {
  int32_t sent = days - (IsFiniteDate(days) ? kEpoch2000Days : 0);
  if (days == kDateMinusInfinity) sent = INT32_MIN;
  Put<uint32_t>(static_cast<uint32_t>(sent), out);
}

Result<Value> ReceiveTime(const SqlType& type, std::string_view bytes) {
  OMEN_ASSIGN(auto bits, ReadFixed<uint64_t>(bytes));
  auto micros = static_cast<int64_t>(bits);
  if (micros < 0 || micros > kMicrosPerDay) {
    return Status(sqlstate::kDatetimeFieldOverflow, "time out of range");
  }
  return Value::Int64(RoundMicros(micros, type.typmod));
}

Result<Value> ReceiveTimestamp(const SqlType& type, std::string_view bytes) {
  OMEN_ASSIGN(auto bits, ReadFixed<uint64_t>(bytes));
  auto micros = static_cast<int64_t>(bits);
  if (micros == INT64_MAX) return Value::Int64(kTimestampInfinity);
  if (micros == INT64_MIN) return Value::Int64(kTimestampMinusInfinity);
  int64_t from_1970 = 0;
  if (__builtin_add_overflow(micros, kEpoch2000Micros, &from_1970) || from_1970 < kTimestampMin ||
      !IsFinite(from_1970)) {
    return Status(sqlstate::kDatetimeFieldOverflow, "timestamp out of range");
  }
  return Value::Int64(RoundTimestamp(from_1970, type.typmod));
}

void SendTimestamp(int64_t micros, std::string& out) {
  int64_t sent = micros - (IsFinite(micros) ? kEpoch2000Micros : 0);
  if (micros == kTimestampMinusInfinity) sent = INT64_MIN;
  Put<uint64_t>(static_cast<uint64_t>(sent), out);
}

Result<Value> ReceiveInterval(const SqlType& type, std::string_view bytes) {
  if (bytes.size() != 16) return WrongSize(bytes, 16);
  Interval interval{static_cast<int32_t>(LoadBe<uint32_t>(bytes.data() + 12)),
                    static_cast<int32_t>(LoadBe<uint32_t>(bytes.data() + 8)),
                    static_cast<int64_t>(LoadBe<uint64_t>(bytes.data()))};
  OMEN_ASSIGN(interval, CoerceInterval(interval, type.typmod));
  return Value::OfInterval(interval);
}

Result<Value> ReceiveUuid(std::string_view bytes) {
  if (bytes.size() != 16) return WrongSize(bytes, 16);
  auto high = LoadBe<uint64_t>(bytes.data()) ^ (uint64_t{1} << 63);
  auto low = LoadBe<uint64_t>(bytes.data() + 8);
  return Value::I128(static_cast<Int128>(static_cast<unsigned __int128>(high) << 64 | low));
}

void SendUuid(Int128 value, std::string& out) {
  auto bits = static_cast<unsigned __int128>(value);
  Put<uint64_t>(static_cast<uint64_t>(bits >> 64) ^ (uint64_t{1} << 63), out);
  Put<uint64_t>(static_cast<uint64_t>(bits), out);
}

Result<Value> ReceiveJsonb(std::string_view bytes, Arena& arena) {
  if (bytes.empty()) return WrongSize(bytes, 1);
  if (bytes.front() != kJsonbVersion) {
    return Status(sqlstate::kInternalError,
                  "unsupported jsonb version number " +
                      std::to_string(static_cast<unsigned char>(bytes.front())));
  }
  return ParseText({TypeKind::kJsonb}, bytes.substr(1), arena, IoSettings());
}

constexpr uint32_t kInt2Oid = 21;
constexpr uint32_t kOidOid = 26;

Status ArrayError(std::string message) {
  return Status(sqlstate::kInvalidBinaryRepresentation, std::move(message));
}

// int32 dimensions, has-nulls flag, element type; then for each dimension its size and lower bound;
// then the elements, each with its length.
struct ArrayHeader {
  uint32_t count = 0;
};

Result<ArrayHeader> ReadArrayHeader(const SqlType& element, std::string_view& rest) {
  if (rest.size() < 12) return WrongSize(rest, 12);
  auto dimensions = LoadBe<uint32_t>(rest.data());
  auto flags = LoadBe<uint32_t>(rest.data() + 4);
  auto element_oid = LoadBe<uint32_t>(rest.data() + 8);
  rest.remove_prefix(12);
  if (dimensions > 6) {
    return Status(sqlstate::kProgramLimitExceeded,
                  "number of array dimensions (" +
                      std::to_string(static_cast<int32_t>(dimensions)) +
                      ") exceeds the maximum allowed (6)");
  }
  if (flags > 1) return ArrayError("invalid array flags");
  if (element_oid != TypeOid(element)) {
    return Status(sqlstate::kDatatypeMismatch,
                  "binary data has array element type " + std::to_string(element_oid) +
                      " instead of expected " + std::to_string(TypeOid(element)));
  }
  if (dimensions == 0) return ArrayHeader{};
  if (dimensions > 1) return NotSupported("an array of more than one dimension");
  if (rest.size() < 8) return WrongSize(rest, 8);
  auto count = LoadBe<uint32_t>(rest.data());
  auto lower_bound = LoadBe<uint32_t>(rest.data() + 4);
  rest.remove_prefix(8);
  // The vectors count from 0, arrays from 1.
  if (lower_bound > 1) return NotSupported("an array with a lower bound other than 1");
  if (count > rest.size() / 4) {
    return ArrayError("insufficient data left in message");
  }
  return ArrayHeader{count};
}

Result<Value> ReceiveArray(const SqlType& element, std::string_view bytes, Arena& arena) {
  std::string_view rest = bytes;
  OMEN_ASSIGN(ArrayHeader header, ReadArrayHeader(element, rest));
  ArrayBuilder builder(element);
  for (uint32_t i = 0; i < header.count; ++i) {
    if (rest.size() < 4) return ArrayError("insufficient data left in message");
    auto size = static_cast<int32_t>(LoadBe<uint32_t>(rest.data()));
    rest.remove_prefix(4);
    if (size == -1) {
      builder.Append(Value::Null());
      continue;
    }
    if (size < -1 || static_cast<size_t>(size) > rest.size()) {
      return ArrayError("insufficient data left in message");
    }
    OMEN_ASSIGN(Value value,
                ReceiveBinary(element, rest.substr(0, static_cast<size_t>(size)), arena));
    builder.Append(value);
    rest.remove_prefix(static_cast<size_t>(size));
  }
  if (!rest.empty()) return ArrayError("incorrect binary data format");
  return builder.Finish(arena);
}

void SendArray(const SqlType& element, uint32_t lower_bound, std::string_view bytes,
               std::string& out) {
  ArrayReader reader(element, bytes);
  Put<uint32_t>(reader.size() > 0 || lower_bound == 0 ? 1 : 0, out);
  Put<uint32_t>(reader.has_nulls() ? 1 : 0, out);
  Put<uint32_t>(TypeOid(element), out);
  if (reader.size() == 0 && lower_bound != 0) return;
  Put<uint32_t>(reader.size(), out);
  Put<uint32_t>(lower_bound, out);
  for (uint32_t i = 0; i < reader.size(); ++i) {
    if (reader.IsNull(i)) {
      Put<uint32_t>(UINT32_MAX, out);
      continue;
    }
    size_t at = out.size();
    out.append(4, '\0');
    SendBinary(element, reader.At(i), out);
    StoreBe<uint32_t>(out.data() + at, static_cast<uint32_t>(out.size() - at - 4));
  }
}

Result<Value> ReceiveScalar(const SqlType& type, std::string_view bytes, Arena& arena) {
  switch (type.kind) {
    case TypeKind::kBool: {
      if (bytes.size() != 1) return WrongSize(bytes, 1);
      return Value::Bool(bytes.front() != 0);
    }
    case TypeKind::kInt2: {
      OMEN_ASSIGN(auto bits, ReadFixed<uint16_t>(bytes));
      return Value::Int16(static_cast<int16_t>(bits));
    }
    case TypeKind::kInt4:
    case TypeKind::kOid:
    case TypeKind::kRegclass:
    case TypeKind::kRegtype:
    case TypeKind::kRegproc:
    case TypeKind::kRegnamespace: {
      OMEN_ASSIGN(auto bits, ReadFixed<uint32_t>(bytes));
      return Value::Int32(static_cast<int32_t>(bits));
    }
    case TypeKind::kInt8: {
      OMEN_ASSIGN(auto bits, ReadFixed<uint64_t>(bytes));
      return Value::Int64(static_cast<int64_t>(bits));
    }
    case TypeKind::kFloat4: {
      OMEN_ASSIGN(auto bits, ReadFixed<uint32_t>(bytes));
      return Value::Float32(std::bit_cast<float>(bits));
    }
    case TypeKind::kFloat8: {
      OMEN_ASSIGN(auto bits, ReadFixed<uint64_t>(bytes));
      return Value::Float64(std::bit_cast<double>(bits));
    }
    case TypeKind::kNumeric:
      return ReceiveNumeric(type, bytes, arena);
    case TypeKind::kBytea:
      return Value::String(bytes);
    case TypeKind::kDate:
      return ReceiveDate(bytes);
    case TypeKind::kTime:
      return ReceiveTime(type, bytes);
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampTz:
      return ReceiveTimestamp(type, bytes);
    case TypeKind::kInterval:
      return ReceiveInterval(type, bytes);
    case TypeKind::kUuid:
      return ReceiveUuid(bytes);
    case TypeKind::kJsonb:
      return ReceiveJsonb(bytes, arena);
    case TypeKind::kInt2vector:
      return ReceiveArray({TypeKind::kInt2}, bytes, arena);
    case TypeKind::kOidvector:
      return ReceiveArray({TypeKind::kOid}, bytes, arena);
    case TypeKind::kUnknown:
    case TypeKind::kText:
    case TypeKind::kVarchar:
    case TypeKind::kBpchar:
    case TypeKind::kName:
    case TypeKind::kChar:
    case TypeKind::kJson:
    case TypeKind::kVoid:
    case TypeKind::kRecord:
      return ParseText(type, bytes, arena, IoSettings());
  }
  return NotSupported("binary input of type " + FormatType(type));
}

}  // namespace

Result<Value> ReceiveBinary(const SqlType& type, std::string_view bytes, Arena& arena) {
  if (type.is_array) return ReceiveArray(type.element(), bytes, arena);
  return ReceiveScalar(type, bytes, arena);
}

void SendBinary(const SqlType& type, const Value& value, std::string& out) {
  if (type.is_array) return SendArray(type.element(), 1, value.str(), out);
  switch (type.kind) {
    case TypeKind::kBool:
      out += value.boolean ? '\1' : '\0';
      return;
    case TypeKind::kInt2:
      return Put<uint16_t>(static_cast<uint16_t>(value.i16), out);
    case TypeKind::kInt4:
    case TypeKind::kFloat4:
    case TypeKind::kOid:
    case TypeKind::kRegclass:
    case TypeKind::kRegtype:
    case TypeKind::kRegproc:
    case TypeKind::kRegnamespace:
      return Put<uint32_t>(static_cast<uint32_t>(value.i32), out);
    case TypeKind::kInt8:
    case TypeKind::kFloat8:
    case TypeKind::kTime:
      return Put<uint64_t>(static_cast<uint64_t>(value.i64), out);
    case TypeKind::kNumeric:
      return SendNumeric(type, value, out);
    case TypeKind::kDate:
      return SendDate(value.i32, out);
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampTz:
      return SendTimestamp(value.i64, out);
    case TypeKind::kInterval:
      Put<uint64_t>(static_cast<uint64_t>(value.interval.micros), out);
      Put<uint32_t>(static_cast<uint32_t>(value.interval.days), out);
      Put<uint32_t>(static_cast<uint32_t>(value.interval.months), out);
      return;
    case TypeKind::kUuid:
      return SendUuid(value.i128, out);
    case TypeKind::kJsonb:
      out += kJsonbVersion;
      out += value.str();
      return;
    case TypeKind::kInt2vector:
      return SendArray({TypeKind::kInt2}, 0, value.str(), out);
    case TypeKind::kOidvector:
      return SendArray({TypeKind::kOid}, 0, value.str(), out);
    default:
      out += value.str();
      return;
  }
}

}  // namespace omendb::types
