#include "types/key_encoding.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "base/bytes.h"
#include "base/check.h"
#include "types/array.h"
#include "types/big_numeric.h"
#include "types/json.h"

namespace omendb::types {

bool IsOidLike(TypeKind kind) {
  return kind == TypeKind::kOid || kind == TypeKind::kRegclass || kind == TypeKind::kRegtype ||
         kind == TypeKind::kRegproc || kind == TypeKind::kRegnamespace;
}

namespace {

constexpr char kNullFirst = 0x00;
constexpr char kValueMark = 0x01;
constexpr char kNullLast = 0x02;
constexpr char kArrayEnd = 0x00;

template <typename T>
void AppendBigEndian(T bits, std::string& key) {
  char buffer[sizeof(T)];
  StoreBe<T>(buffer, bits);
  key.append(buffer, sizeof(T));
}

void AppendByte(uint8_t byte, std::string& key) { key.push_back(static_cast<char>(byte)); }

// Signed integers order as unsigned ones with the sign bit flipped.
void AppendSigned(int16_t v, std::string& key) {
  AppendBigEndian<uint16_t>(static_cast<uint16_t>(static_cast<uint16_t>(v) ^ 0x8000u), key);
}
void AppendSigned(int32_t v, std::string& key) {
  AppendBigEndian<uint32_t>(static_cast<uint32_t>(v) ^ 0x80000000u, key);
}
void AppendSigned(int64_t v, std::string& key) {
  AppendBigEndian<uint64_t>(static_cast<uint64_t>(v) ^ (uint64_t{1} << 63), key);
}
void AppendSigned(Int128 v, std::string& key) {
  auto bits = static_cast<unsigned __int128>(v);
  AppendBigEndian<uint64_t>(static_cast<uint64_t>(bits >> 64) ^ (uint64_t{1} << 63), key);
  AppendBigEndian<uint64_t>(static_cast<uint64_t>(bits), key);
}

// One representation for each class of equal floats.
template <typename T>
T CanonicalFloat(T v) {
  if (std::isnan(v)) return std::numeric_limits<T>::quiet_NaN();
  return v == 0 ? T{0} : v;
}

template <typename Bits, typename T>
Bits FloatBits(T v) {
  constexpr Bits kSign = Bits{1} << (sizeof(Bits) * 8 - 1);
  if (std::isnan(v)) return std::numeric_limits<Bits>::max();
  Bits bits = std::bit_cast<Bits>(CanonicalFloat(v));
  return (bits & kSign) != 0 ? static_cast<Bits>(~bits) : static_cast<Bits>(bits | kSign);
}

void AppendString(std::string_view text, std::string& key) {
  size_t zero = text.find('\0');
  while (zero != std::string_view::npos) {
    key.append(text.substr(0, zero + 1));
    AppendByte(0xFF, key);
    text.remove_prefix(zero + 1);
    zero = text.find('\0');
  }
  key.append(text);
  key.append(2, '\0');
}

void AppendArray(const SqlType& element, std::string_view bytes, std::string& key) {
  ArrayReader reader(element, bytes);
  for (uint32_t i = 0; i < reader.size(); ++i) AppendKey(element, reader.At(i), {}, key);
  key.push_back(kArrayEnd);
}

void AppendText(const SqlType& type, std::string_view text, std::string& key) {
  switch (type.kind) {
    case TypeKind::kBpchar:
      return AppendString(TrimBlanks(text), key);
    case TypeKind::kNumeric:
      return AppendString(BigKey(text), key);
    case TypeKind::kJsonb:
      return AppendString(JsonbEqualityForm(text), key);
    case TypeKind::kInt2vector:
      return AppendArray({TypeKind::kInt2}, text, key);
    case TypeKind::kOidvector:
      return AppendArray({TypeKind::kOid}, text, key);
    default:
      return AppendString(text, key);
  }
}

void AppendPayload(const SqlType& type, const Value& value, std::string& key) {
  if (type.is_array) return AppendArray(type.element(), value.str(), key);
  if (IsOidLike(type.kind)) {
    return AppendBigEndian<uint32_t>(static_cast<uint32_t>(value.i32), key);
  }
  switch (PhysicalTypeOf(type)) {
    case PhysicalType::kBool8:
      return AppendByte(value.boolean ? 1 : 0, key);
    case PhysicalType::kInt16:
      return AppendSigned(value.i16, key);
    case PhysicalType::kInt32:
      return AppendSigned(value.i32, key);
    case PhysicalType::kInt64:
      return AppendSigned(value.i64, key);
    case PhysicalType::kInt128:
      return AppendSigned(value.i128, key);
    case PhysicalType::kFloat32:
      return AppendBigEndian(FloatBits<uint32_t>(value.f32), key);
    case PhysicalType::kFloat64:
      return AppendBigEndian(FloatBits<uint64_t>(value.f64), key);
    case PhysicalType::kInterval:
      return AppendSigned(IntervalSortKey(value.interval), key);
    case PhysicalType::kString:
      return AppendText(type, value.str(), key);
  }
}

// Of AppendString, with its end.
size_t StringLength(KeyOptions options, std::string_view encoded) {
  const char zero = options.descending ? '\xFF' : '\0';
  size_t i = encoded.find(zero);
  while (i != std::string_view::npos && i + 1 < encoded.size() && encoded[i + 1] != zero) {
    i = encoded.find(zero, i + 2);
  }
  return std::min(encoded.size(), i == std::string_view::npos ? i : i + 2);
}

constexpr uint64_t kHashSeed = 0x9E3779B97F4A7C15;

uint64_t Mix(uint64_t a, uint64_t b) {
  unsigned __int128 product =
      static_cast<unsigned __int128>(a ^ kHashSeed) * (b ^ 0xD6E8FEB86659FD93);
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

uint64_t HashBytes(std::string_view s) {
  uint64_t hash = Mix(s.size(), kHashSeed);
  while (s.size() >= 8) {
    hash = Mix(hash, LoadLe<uint64_t>(s.data()));
    s.remove_prefix(8);
  }
  uint64_t tail = 0;
  if (!s.empty()) std::memcpy(&tail, s.data(), s.size());
  return Mix(hash, tail);
}

uint64_t Hash128(Int128 v) {
  auto bits = static_cast<unsigned __int128>(v);
  return Mix(static_cast<uint64_t>(bits), static_cast<uint64_t>(bits >> 64));
}

}  // namespace

void AppendKey(const SqlType& type, const Value& value, KeyOptions options, std::string& key) {
  if (value.is_null) {
    key.push_back(options.nulls_first ? kNullFirst : kNullLast);
    return;
  }
  key.push_back(kValueMark);
  size_t start = key.size();
  AppendPayload(type, value, key);
  if (!options.descending) return;
  for (size_t i = start; i < key.size(); ++i) key[i] = static_cast<char>(~key[i]);
}

size_t KeyLength(const SqlType& type, KeyOptions options, std::string_view key) {
  if (key.empty() || key[0] != kValueMark) return key.empty() ? 0 : 1;
  if (type.is_array || type.kind == TypeKind::kInt2vector || type.kind == TypeKind::kOidvector) {
    return 0;
  }
  const PhysicalType physical = PhysicalTypeOf(type);
  if (physical == PhysicalType::kString) return 1 + StringLength(options, key.substr(1));
  return 1 + static_cast<size_t>(PhysicalSize(physical));
}

bool PrefixSuccessor(std::string& key) {
  while (!key.empty() && static_cast<uint8_t>(key.back()) == 0xFF) key.pop_back();
  if (key.empty()) return false;
  key.back() = static_cast<char>(static_cast<uint8_t>(key.back()) + 1);
  return true;
}

bool HasNativeIntKey(const SqlType& type) {
  if (type.is_array) return false;
  switch (type.kind) {
    case TypeKind::kInt2:
    case TypeKind::kInt4:
    case TypeKind::kInt8:
    case TypeKind::kOid:
    case TypeKind::kDate:
    case TypeKind::kTime:
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampTz:
      return true;
    default:
      return false;
  }
}

uint64_t EncodeIntKey(const SqlType& type, const Value& value) {
  OMEN_DCHECK(HasNativeIntKey(type) && !value.is_null);
  constexpr uint64_t kSign = uint64_t{1} << 63;
  switch (type.kind) {
    case TypeKind::kInt2:
      return static_cast<uint64_t>(int64_t{value.i16}) ^ kSign;
    case TypeKind::kInt4:
    case TypeKind::kDate:
      return static_cast<uint64_t>(int64_t{value.i32}) ^ kSign;
    case TypeKind::kOid:
      return static_cast<uint32_t>(value.i32);
    default:
      return static_cast<uint64_t>(value.i64) ^ kSign;
  }
}

Value DecodeIntKey(const SqlType& type, uint64_t key) {
  OMEN_DCHECK(HasNativeIntKey(type));
  auto number = static_cast<int64_t>(key ^ (uint64_t{1} << 63));
  switch (type.kind) {
    case TypeKind::kInt2:
      return Value::Int16(static_cast<int16_t>(number));
    case TypeKind::kInt4:
    case TypeKind::kDate:
      return Value::Int32(static_cast<int32_t>(number));
    case TypeKind::kOid:
      return Value::Int32(static_cast<int32_t>(static_cast<uint32_t>(key)));
    default:
      return Value::Int64(number);
  }
}

uint64_t HashValue(const SqlType& type, const Value& value) {
  if (value.is_null) return kHashSeed;
  switch (PhysicalTypeOf(type)) {
    case PhysicalType::kBool8:
      return Mix(value.boolean, 1);
    case PhysicalType::kInt16:
      return Mix(static_cast<uint64_t>(int64_t{value.i16}), 1);
    case PhysicalType::kInt32:
      return Mix(static_cast<uint64_t>(int64_t{value.i32}), 1);
    case PhysicalType::kInt64:
      return Mix(static_cast<uint64_t>(value.i64), 1);
    case PhysicalType::kInt128:
      return Hash128(value.i128);
    case PhysicalType::kFloat32:
      return Mix(FloatBits<uint32_t>(value.f32), 1);
    case PhysicalType::kFloat64:
      return Mix(FloatBits<uint64_t>(value.f64), 1);
    case PhysicalType::kInterval:
      return Hash128(IntervalSortKey(value.interval));
    case PhysicalType::kString:
      break;
  }
  bool plain = !type.is_array && type.kind != TypeKind::kJsonb;
  if (plain && type.kind == TypeKind::kBpchar) return HashBytes(TrimBlanks(value.str()));
  if (plain && type.kind == TypeKind::kNumeric) return HashBytes(BigKey(value.str()));
  if (plain) return HashBytes(value.str());
  // Equality of these is not equality of their bytes.
  std::string key;
  AppendPayload(type, value, key);
  return HashBytes(key);
}

}  // namespace omendb::types
