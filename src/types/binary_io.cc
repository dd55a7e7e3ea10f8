#include "types/binary_io.h"

#include <bit>

#include "base/bytes.h"
#include "base/sqlstate.h"
#include "types/array.h"
#include "types/binary_numeric.h"
#include "types/calendar.h"
#include "types/json.h"
#include "types/text_parsers.h"

namespace omendb::types {
namespace {

// Days and microseconds from 1970-01-01 to 2000-01-01, where PostgreSQL's wire counts from.
constexpr int32_t kPostgresEpochDays = 10957;
constexpr int64_t kPostgresEpochMicros = kPostgresEpochDays * kMicrosPerDay;
constexpr uint8_t kJsonbVersion = 1;

template <typename T>
void PutBe(T value, std::string& out) {
  char bytes[sizeof(T)];
  StoreBe<T>(bytes, value);
  out.append(bytes, sizeof(T));
}

// Reads big-endian numbers; a short read sets failed.
class BeReader {
 public:
  explicit BeReader(std::string_view bytes) : bytes_(bytes) {}
  template <typename T>
  T Get() {
    if (bytes_.size() < sizeof(T)) {
      failed_ = true;
      bytes_ = {};
      return 0;
    }
    const T value = LoadBe<T>(bytes_.data());
    bytes_.remove_prefix(sizeof(T));
    return value;
  }
  std::string_view Take(size_t size) {
    if (bytes_.size() < size) {
      failed_ = true;
      bytes_ = {};
      return {};
    }
    const std::string_view taken = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return taken;
  }
  bool failed() const { return failed_; }
  bool at_end() const { return bytes_.empty(); }

 private:
  std::string_view bytes_;
  bool failed_ = false;
};

Status TooFewBytes() {
  return Status(sqlstate::kProtocolViolation, "insufficient data left in message");
}
Status BadFormat() {
  return Status(sqlstate::kInvalidBinaryRepresentation, "incorrect binary data format");
}

template <typename T>
Result<T> ReceiveInt(std::string_view bytes) {
  if (bytes.size() < sizeof(T)) return TooFewBytes();
  if (bytes.size() > sizeof(T)) return BadFormat();
  return LoadBe<T>(bytes.data());
}

Result<Value> ReceiveDate(std::string_view bytes) {
  OMEN_ASSIGN(const uint32_t raw, ReceiveInt<uint32_t>(bytes));
  const auto days = static_cast<int32_t>(raw);
  if (days == INT32_MAX) return Value::Int32(kDateInfinity);
  if (days == INT32_MIN) return Value::Int32(kDateMinusInfinity);
  const int64_t ours = int64_t{days} + kPostgresEpochDays;
  if (ours < kDateMin || ours > kDateMax) {
    return Status(sqlstate::kDatetimeFieldOverflow, "date out of range");
  }
  return Value::Int32(static_cast<int32_t>(ours));
}

Result<Value> ReceiveTimestamp(std::string_view bytes) {
  OMEN_ASSIGN(const uint64_t raw, ReceiveInt<uint64_t>(bytes));
  const auto micros = static_cast<int64_t>(raw);
  if (micros == INT64_MAX) return Value::Int64(kTimestampInfinity);
  if (micros == INT64_MIN) return Value::Int64(kTimestampMinusInfinity);
  int64_t ours = 0;
  if (__builtin_add_overflow(micros, kPostgresEpochMicros, &ours) || ours < kTimestampMin) {
    return Status(sqlstate::kDatetimeFieldOverflow, "timestamp out of range");
  }
  return Value::Int64(ours);
}

Result<Value> ReceiveTime(std::string_view bytes) {
  OMEN_ASSIGN(const uint64_t micros, ReceiveInt<uint64_t>(bytes));
  if (micros > static_cast<uint64_t>(kMicrosPerDay)) {
    return Status(sqlstate::kDatetimeFieldOverflow, "time out of range");
  }
  return Value::Int64(static_cast<int64_t>(micros));
}

Result<Value> ReceiveInterval(std::string_view bytes) {
  BeReader in(bytes);
  Interval interval{};
  interval.micros = static_cast<int64_t>(in.Get<uint64_t>());
  interval.days = static_cast<int32_t>(in.Get<uint32_t>());
  interval.months = static_cast<int32_t>(in.Get<uint32_t>());
  if (in.failed()) return TooFewBytes();
  if (!in.at_end()) return BadFormat();
  return Value::OfInterval(interval);
}

Result<Value> ReceiveUuid(std::string_view bytes) {
  if (bytes.size() != 16) return bytes.size() < 16 ? TooFewBytes() : BadFormat();
  const uint64_t high = LoadBe<uint64_t>(bytes.data()) ^ (1ULL << 63);
  const uint64_t low = LoadBe<uint64_t>(bytes.data() + 8);
  return Value::I128(static_cast<Int128>((static_cast<unsigned __int128>(high) << 64) | low));
}

Result<Value> ReceiveJsonb(std::string_view bytes, Arena& arena) {
  if (bytes.empty()) return TooFewBytes();
  const auto version = static_cast<uint8_t>(bytes.front());
  if (version != kJsonbVersion) {
    return Status(sqlstate::kInternalError,
                  "unsupported jsonb version number " + std::to_string(version));
  }
  return ParseText({TypeKind::kJsonb}, bytes.substr(1), arena, IoSettings());
}

Result<Value> ReceiveArray(const SqlType& type, std::string_view bytes, Arena& arena) {
  const SqlType element = type.element();
  BeReader in(bytes);
  const auto dimensions = static_cast<int32_t>(in.Get<uint32_t>());
  const uint32_t flags = in.Get<uint32_t>();
  const uint32_t oid = in.Get<uint32_t>();
  if (in.failed()) return TooFewBytes();
  if (dimensions < 0 || dimensions > 6 || flags > 1) {
    return Status(sqlstate::kInvalidBinaryRepresentation, "invalid array header");
  }
  if (oid != TypeOid(element)) {
    return Status(sqlstate::kDatatypeMismatch, "binary data has array element type " +
                                                   std::to_string(oid) + " instead of expected " +
                                                   std::to_string(TypeOid(element)));
  }
  ArrayBuilder builder(element);
  if (dimensions == 0) return builder.Finish(arena);
  if (dimensions > 1) return NotSupported("an array of several dimensions");
  const auto count = static_cast<int32_t>(in.Get<uint32_t>());
  const auto lower_bound = static_cast<int32_t>(in.Get<uint32_t>());
  if (in.failed() || count < 0) return BadFormat();
  if (lower_bound != 1) return NotSupported("an array with a lower bound other than 1");
  for (int32_t i = 0; i < count; ++i) {
    const auto size = static_cast<int32_t>(in.Get<uint32_t>());
    if (in.failed()) return TooFewBytes();
    if (size == -1) {
      builder.Append(Value::Null());
      continue;
    }
    if (size < 0) return BadFormat();
    const std::string_view item = in.Take(static_cast<size_t>(size));
    if (in.failed()) return TooFewBytes();
    OMEN_ASSIGN(const Value value, ReceiveBinary(element, item, arena));
    builder.Append(value);
  }
  if (!in.at_end()) return BadFormat();
  return builder.Finish(arena);
}

Result<Value> ReceiveNumber(const SqlType& type, std::string_view bytes) {
  switch (type.kind) {
    case TypeKind::kBool: {
      OMEN_ASSIGN(const uint8_t b, bytes.size() == 1
                                       ? Result<uint8_t>(static_cast<uint8_t>(bytes[0]))
                                       : Result<uint8_t>(BadFormat()));
      return Value::Bool(b != 0);
    }
    case TypeKind::kInt2: {
      OMEN_ASSIGN(const uint16_t i, ReceiveInt<uint16_t>(bytes));
      return Value::Int16(static_cast<int16_t>(i));
    }
    case TypeKind::kInt8: {
      OMEN_ASSIGN(const uint64_t i, ReceiveInt<uint64_t>(bytes));
      return Value::Int64(static_cast<int64_t>(i));
    }
    case TypeKind::kFloat4: {
      OMEN_ASSIGN(const uint32_t i, ReceiveInt<uint32_t>(bytes));
      return Value::Float32(std::bit_cast<float>(i));
    }
    case TypeKind::kFloat8: {
      OMEN_ASSIGN(const uint64_t i, ReceiveInt<uint64_t>(bytes));
      return Value::Float64(std::bit_cast<double>(i));
    }
    default: {  // int4, oid and its kin
      OMEN_ASSIGN(const uint32_t i, ReceiveInt<uint32_t>(bytes));
      return Value::Int32(static_cast<int32_t>(i));
    }
  }
}

void SendArray(const SqlType& type, const Value& value, std::string& out) {
  const SqlType element = type.element();
  const ArrayReader reader(element, value.str());
  PutBe<uint32_t>(reader.size() == 0 ? 0 : 1, out);
  PutBe<uint32_t>(reader.has_nulls() ? 1 : 0, out);
  PutBe<uint32_t>(TypeOid(element), out);
  if (reader.size() == 0) return;
  PutBe<uint32_t>(reader.size(), out);
  PutBe<uint32_t>(1, out);
  for (uint32_t i = 0; i < reader.size(); ++i) {
    if (reader.IsNull(i)) {
      PutBe<uint32_t>(UINT32_MAX, out);
      continue;
    }
    const size_t length_at = out.size();
    PutBe<uint32_t>(0, out);
    SendBinary(element, reader.At(i), out);
    StoreBe<uint32_t>(out.data() + length_at, static_cast<uint32_t>(out.size() - length_at - 4));
  }
}

// int2vector and oidvector travel as arrays of int2 and oid whose lower bound is 0.
SqlType VectorElement(TypeKind kind) {
  return {kind == TypeKind::kInt2vector ? TypeKind::kInt2 : TypeKind::kOid};
}
void SendVector(const SqlType& type, const Value& value, std::string& out) {
  const SqlType element = VectorElement(type.kind);
  const ArrayReader reader(element, value.str());
  PutBe<uint32_t>(1, out);
  PutBe<uint32_t>(0, out);
  PutBe<uint32_t>(TypeOid(element), out);
  PutBe<uint32_t>(reader.size(), out);
  PutBe<uint32_t>(0, out);
  for (uint32_t i = 0; i < reader.size(); ++i) {
    PutBe<uint32_t>(static_cast<uint32_t>(PhysicalSize(PhysicalTypeOf(element))), out);
    SendBinary(element, reader.At(i), out);
  }
}

void SendTimestamp(int64_t micros, std::string& out) {
  if (micros == kTimestampInfinity) return PutBe<uint64_t>(INT64_MAX, out);
  if (micros == kTimestampMinusInfinity) {
    return PutBe<uint64_t>(static_cast<uint64_t>(INT64_MIN), out);
  }
  PutBe<uint64_t>(static_cast<uint64_t>(micros - kPostgresEpochMicros), out);
}

void SendDate(int32_t days, std::string& out) {
  if (days == kDateInfinity) return PutBe<uint32_t>(INT32_MAX, out);
  if (days == kDateMinusInfinity) {
    return PutBe<uint32_t>(static_cast<uint32_t>(INT32_MIN), out);
  }
  PutBe<uint32_t>(static_cast<uint32_t>(days - kPostgresEpochDays), out);
}

void SendUuid(Int128 value, std::string& out) {
  const auto bits = static_cast<unsigned __int128>(value);
  PutBe<uint64_t>(static_cast<uint64_t>(bits >> 64) ^ (1ULL << 63), out);
  PutBe<uint64_t>(static_cast<uint64_t>(bits), out);
}

}  // namespace

Result<Value> ReceiveBinary(const SqlType& type, std::string_view bytes, Arena& arena) {
  if (type.is_array) return ReceiveArray(type, bytes, arena);
  switch (type.kind) {
    case TypeKind::kBool:
    case TypeKind::kInt2:
    case TypeKind::kInt4:
    case TypeKind::kInt8:
    case TypeKind::kFloat4:
    case TypeKind::kFloat8:
    case TypeKind::kOid:
    case TypeKind::kRegclass:
    case TypeKind::kRegtype:
    case TypeKind::kRegproc:
    case TypeKind::kRegnamespace:
      return ReceiveNumber(type, bytes);
    case TypeKind::kNumeric:
      return ReceiveNumeric(type, bytes);
    case TypeKind::kDate:
      return ReceiveDate(bytes);
    case TypeKind::kTime:
      return ReceiveTime(bytes);
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampTz:
      return ReceiveTimestamp(bytes);
    case TypeKind::kInterval:
      return ReceiveInterval(bytes);
    case TypeKind::kUuid:
      return ReceiveUuid(bytes);
    case TypeKind::kBytea:
      return Value::String(bytes);
    case TypeKind::kJsonb:
      return ReceiveJsonb(bytes, arena);
    case TypeKind::kUnknown:
    case TypeKind::kText:
    case TypeKind::kVarchar:
    case TypeKind::kBpchar:
    case TypeKind::kName:
    case TypeKind::kChar:
    case TypeKind::kJson:
      // The binary form of a string is its text.
      return ParseText(type, bytes, arena, IoSettings());
    case TypeKind::kInt2vector:
    case TypeKind::kOidvector:
    case TypeKind::kVoid:
    case TypeKind::kRecord:
      return NotSupported("binary input of type " + FormatType(type));
  }
  return BadFormat();
}

void SendBinary(const SqlType& type, const Value& value, std::string& out) {
  if (type.is_array) return SendArray(type, value, out);
  switch (type.kind) {
    case TypeKind::kBool:
      out.push_back(value.boolean ? 1 : 0);
      return;
    case TypeKind::kInt2:
      return PutBe<uint16_t>(static_cast<uint16_t>(value.i16), out);
    case TypeKind::kInt4:
    case TypeKind::kOid:
    case TypeKind::kRegclass:
    case TypeKind::kRegtype:
    case TypeKind::kRegproc:
    case TypeKind::kRegnamespace:
      return PutBe<uint32_t>(static_cast<uint32_t>(value.i32), out);
    case TypeKind::kInt8:
    case TypeKind::kTime:
      return PutBe<uint64_t>(static_cast<uint64_t>(value.i64), out);
    case TypeKind::kFloat4:
      return PutBe<uint32_t>(std::bit_cast<uint32_t>(value.f32), out);
    case TypeKind::kFloat8:
      return PutBe<uint64_t>(std::bit_cast<uint64_t>(value.f64), out);
    case TypeKind::kNumeric:
      return SendNumeric(type, value, out);
    case TypeKind::kDate:
      return SendDate(value.i32, out);
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampTz:
      return SendTimestamp(value.i64, out);
    case TypeKind::kInterval:
      PutBe<uint64_t>(static_cast<uint64_t>(value.interval.micros), out);
      PutBe<uint32_t>(static_cast<uint32_t>(value.interval.days), out);
      return PutBe<uint32_t>(static_cast<uint32_t>(value.interval.months), out);
    case TypeKind::kUuid:
      return SendUuid(value.i128, out);
    case TypeKind::kJsonb:
      out.push_back(static_cast<char>(kJsonbVersion));
      out += value.str();
      return;
    case TypeKind::kInt2vector:
    case TypeKind::kOidvector:
      return SendVector(type, value, out);
    case TypeKind::kUnknown:
    case TypeKind::kText:
    case TypeKind::kVarchar:
    case TypeKind::kBpchar:
    case TypeKind::kName:
    case TypeKind::kChar:
    case TypeKind::kBytea:
    case TypeKind::kJson:
    case TypeKind::kVoid:
    case TypeKind::kRecord:
      out += value.str();
      return;
  }
}

}  // namespace omendb::types
