#include "colstore/zone.h"

#include <algorithm>

#include "types/key_encoding.h"

namespace omendb::colstore {
namespace {

using types::Int128;
using types::PhysicalType;
using types::SqlType;
using types::TypeKind;
using types::Value;

constexpr size_t kBoundBytesMax = 24;
enum ZoneFlags : uint8_t {
  kHasRange = 1,
  kMinExact = 2,
  kMaxExact = 4,
  kHasSum = 8,
  kSequence = 16
};

void PutValue(const SqlType& type, const Value& value, std::string& out) {
  const PhysicalType physical = types::PhysicalTypeOf(type);
  if (physical == PhysicalType::kString) {
    ByteWriter(out).PutString(value.str());
    return;
  }
  char cell[16];
  types::StoreCell(physical, cell, value);
  out.append(cell, static_cast<size_t>(types::PhysicalSize(physical)));
}

Value GetValue(const SqlType& type, ByteReader& in, std::string& text) {
  const PhysicalType physical = types::PhysicalTypeOf(type);
  if (physical == PhysicalType::kString) {
    text = std::string(in.GetString());
    return Value::Null();
  }
  const std::string_view cell = in.GetRaw(static_cast<uint64_t>(types::PhysicalSize(physical)));
  return cell.empty() ? Value::Null() : types::LoadCell(physical, cell.data());
}

bool IsNext(int64_t before, int64_t value) { return value > before && value - 1 == before; }

// A bound above every string that begins as `text` does; false when there is none. char(n) compares
// without trailing blanks, so that a bound must not end in one.
bool CutAbove(const SqlType& type, std::string& text) {
  text.resize(kBoundBytesMax);
  if (!types::PrefixSuccessor(text)) return false;
  return type.kind != TypeKind::kBpchar || text.back() != ' ';
}

}  // namespace

bool HasZoneRange(const SqlType& type) {
  switch (type.kind) {
    case TypeKind::kUnknown:
    case TypeKind::kJson:
    case TypeKind::kJsonb:
    case TypeKind::kVoid:
    case TypeKind::kInt2vector:
    case TypeKind::kOidvector:
    case TypeKind::kRecord:
      return false;
    case TypeKind::kNumeric:
      // A bound is cut short, which the encoding of a numeric without precision does not bear.
      return !type.is_array && !type.numeric_unconstrained();
    default:
      return !type.is_array;
  }
}

bool HasZoneSum(const SqlType& type) {
  if (type.is_array) return false;
  switch (type.kind) {
    case TypeKind::kBool:
    case TypeKind::kInt2:
    case TypeKind::kInt4:
    case TypeKind::kInt8:
      return true;
    case TypeKind::kNumeric:
      return !type.numeric_unconstrained();
    default:
      return false;
  }
}

Zone Zone::Of(const SqlType& type, const ColumnCells& column) {
  Zone zone;
  zone.rows_ = column.rows;
  zone.nulls_ = column.nulls;
  zone.has_sum_ = HasZoneSum(type);
  const bool ranged = HasZoneRange(type);
  if (column.nulls == column.rows || (!ranged && !zone.has_sum_)) return zone;
  if (IsInteger(column.physical) && ranged && !types::IsOidLike(type.kind)) {
    zone.SetIntegers(column, zone.has_sum_);
  } else if (column.physical == PhysicalType::kInt128) {
    zone.SetWide(column);
  } else {
    zone.SetValues(type, column);
  }
  return zone;
}

void Zone::SetIntegers(const ColumnCells& column, bool summed) {
  const auto size = static_cast<size_t>(types::PhysicalSize(column.physical));
  int64_t low = INT64_MAX, high = INT64_MIN;
  is_sequence_ = column.nulls == 0 && column.physical == PhysicalType::kInt64;
  for (uint32_t i = 0; i < column.rows; ++i) {
    if (column.is_null(i)) continue;
    const int64_t value = LoadInt(column.physical, column.cells + i * size);
    is_sequence_ = is_sequence_ && (i == 0 || IsNext(high, value));
    low = std::min(low, value);
    high = std::max(high, value);
    if (summed) sum_ += value;
  }
  has_range_ = min_exact_ = max_exact_ = true;
  min_ = types::LoadCell(column.physical, &low);
  max_ = types::LoadCell(column.physical, &high);
}

void Zone::SetWide(const ColumnCells& column) {
  Int128 low = 0, high = 0;
  bool first = true;
  for (uint32_t i = 0; i < column.rows; ++i) {
    if (column.is_null(i)) continue;
    const auto value = LoadLe<Int128>(column.cells + i * size_t{16});
    low = first ? value : std::min(low, value);
    high = first ? value : std::max(high, value);
    first = false;
    if (has_sum_) has_sum_ = !__builtin_add_overflow(sum_, value, &sum_);
  }
  if (!has_sum_) sum_ = 0;
  has_range_ = min_exact_ = max_exact_ = true;
  min_ = Value::I128(low);
  max_ = Value::I128(high);
}

void Zone::SetValues(const SqlType& type, const ColumnCells& column) {
  const auto size = static_cast<size_t>(types::PhysicalSize(column.physical));
  Value low = Value::Null(), high = Value::Null();
  for (uint32_t i = 0; i < column.rows; ++i) {
    if (column.is_null(i)) continue;
    const Value value = types::LoadCell(column.physical, column.cells + i * size);
    if (low.is_null || types::Compare(type, value, low) < 0) low = value;
    if (high.is_null || types::Compare(type, value, high) > 0) high = value;
  }
  SetRange(type, low, high);
}

void Zone::SetRange(const SqlType& type, const Value& low, const Value& high) {
  has_range_ = min_exact_ = max_exact_ = true;
  is_text_ = types::PhysicalTypeOf(type) == PhysicalType::kString;
  min_ = low;
  max_ = high;
  if (!is_text_) return;
  min_ = max_ = Value::Null();
  min_text_ = std::string(low.str().substr(0, kBoundBytesMax));
  min_exact_ = low.text.size <= kBoundBytesMax;
  max_text_ = std::string(high.str().substr(0, kBoundBytesMax + 1));
  max_exact_ = high.text.size <= kBoundBytesMax;
  if (!max_exact_) has_range_ = CutAbove(type, max_text_);
}

void Zone::Merge(const SqlType& type, const Zone& other) {
  const bool empty = nulls_ == rows_, other_empty = other.nulls_ == other.rows_;
  rows_ += other.rows_;
  nulls_ += other.nulls_;
  if (other_empty) return;
  if (empty) {
    const uint32_t rows = rows_, nulls = nulls_;
    *this = other;
    rows_ = rows;
    nulls_ = nulls;
    return;
  }
  has_range_ = has_range_ && other.has_range_;
  has_sum_ = has_sum_ && other.has_sum_ && !__builtin_add_overflow(sum_, other.sum_, &sum_);
  if (!has_sum_) sum_ = 0;
  is_sequence_ = is_sequence_ && other.is_sequence_ && IsNext(max_.i64, other.min_.i64);
  if (!has_range_) return;
  if (types::Compare(type, other.min(), min()) < 0) {
    min_ = other.min_;
    min_text_ = other.min_text_;
    min_exact_ = other.min_exact_;
  }
  if (types::Compare(type, other.max(), max()) > 0) {
    max_ = other.max_;
    max_text_ = other.max_text_;
    max_exact_ = other.max_exact_;
  }
}

void Zone::Serialize(const SqlType& type, std::string& out) const {
  ByteWriter writer(out);
  writer.Put<uint8_t>(static_cast<uint8_t>(
      (has_range_ ? kHasRange : 0) | (min_exact_ ? kMinExact : 0) | (max_exact_ ? kMaxExact : 0) |
      (has_sum_ ? kHasSum : 0) | (is_sequence_ ? kSequence : 0)));
  writer.PutVarint(nulls_);
  if (has_range_) {
    PutValue(type, min(), out);
    PutValue(type, max(), out);
  }
  if (has_sum_) writer.Put<Int128>(sum_);
}

bool Zone::Parse(const SqlType& type, ByteReader& in) {
  const auto flags = in.Get<uint8_t>();
  nulls_ = static_cast<uint32_t>(in.GetVarint());
  has_range_ = (flags & kHasRange) != 0;
  min_exact_ = (flags & kMinExact) != 0;
  max_exact_ = (flags & kMaxExact) != 0;
  has_sum_ = (flags & kHasSum) != 0;
  is_sequence_ = (flags & kSequence) != 0;
  is_text_ = types::PhysicalTypeOf(type) == PhysicalType::kString;
  if (has_range_) {
    min_ = GetValue(type, in, min_text_);
    max_ = GetValue(type, in, max_text_);
  }
  if (has_sum_) sum_ = in.Get<Int128>();
  return !in.failed() && (!has_range_ || HasZoneRange(type));
}

bool Zone::MayMatch(const SqlType& type, const ValueRange& range) const {
  if (nulls_ == rows_) return false;
  if (!has_range_) return true;
  if (range.lower) {
    const int order = types::Compare(type, max(), *range.lower);
    if (order < 0 || (order == 0 && !range.lower_inclusive)) return false;
  }
  if (range.upper) {
    const int order = types::Compare(type, min(), *range.upper);
    if (order > 0 || (order == 0 && !range.upper_inclusive)) return false;
  }
  return true;
}

}  // namespace omendb::colstore
