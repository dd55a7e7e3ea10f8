#include "types/value.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"
#include "types/array.h"
#include "types/big_numeric.h"
#include "types/json.h"

namespace omendb::types {
namespace {

constexpr size_t kArenaAlignment = 16;
constexpr size_t kFirstBlockBytes = 4096;
constexpr size_t kBlockBytesMax = size_t{1} << 20;  // Growth by doubling stops here.

template <typename T>
int ThreeWay(T a, T b) {
  return a < b ? -1 : (b < a ? 1 : 0);
}

template <typename T>
int CompareFloat(T a, T b) {
  bool a_nan = std::isnan(a);
  bool b_nan = std::isnan(b);
  if (a_nan || b_nan) return static_cast<int>(a_nan) - static_cast<int>(b_nan);
  return ThreeWay(a, b);
}

int CompareBytes(std::string_view a, std::string_view b) {
  size_t common = std::min(a.size(), b.size());
  int order = common == 0 ? 0 : std::memcmp(a.data(), b.data(), common);
  if (order != 0) return order;
  return ThreeWay(a.size(), b.size());
}

// As PostgreSQL's array_cmp: element by element, NULL after every value, then the shorter first.
int CompareArrays(const SqlType& element, std::string_view a, std::string_view b) {
  ArrayReader left(element, a);
  ArrayReader right(element, b);
  size_t common = std::min(left.size(), right.size());
  for (size_t i = 0; i < common; ++i) {
    Value x = left.At(i);
    Value y = right.At(i);
    if (x.is_null || y.is_null) {
      if (x.is_null != y.is_null) return x.is_null ? 1 : -1;
      continue;
    }
    int order = Compare(element, x, y);
    if (order != 0) return order;
  }
  return ThreeWay(left.size(), right.size());
}

int CompareScalars(const SqlType& type, const Value& a, const Value& b) {
  switch (type.kind) {
    case TypeKind::kOid:
    case TypeKind::kRegclass:
    case TypeKind::kRegtype:
    case TypeKind::kRegproc:
    case TypeKind::kRegnamespace:
      return ThreeWay(static_cast<uint32_t>(a.i32), static_cast<uint32_t>(b.i32));
    case TypeKind::kBpchar:
      return CompareBytes(TrimBlanks(a.str()), TrimBlanks(b.str()));
    case TypeKind::kJsonb:
      return CompareJsonb(a.str(), b.str());
    case TypeKind::kInt2vector:
      return CompareArrays({TypeKind::kInt2}, a.str(), b.str());
    case TypeKind::kOidvector:
      return CompareArrays({TypeKind::kOid}, a.str(), b.str());
    default:
      break;
  }
  if (type.numeric_unconstrained()) return CompareBytes(BigKey(a.str()), BigKey(b.str()));
  switch (PhysicalTypeOf(type)) {
    case PhysicalType::kBool8:
      return ThreeWay(a.boolean, b.boolean);
    case PhysicalType::kInt16:
      return ThreeWay(a.i16, b.i16);
    case PhysicalType::kInt32:
      return ThreeWay(a.i32, b.i32);
    case PhysicalType::kInt64:
      return ThreeWay(a.i64, b.i64);
    case PhysicalType::kInt128:
      return ThreeWay(a.i128, b.i128);
    case PhysicalType::kFloat32:
      return CompareFloat(a.f32, b.f32);
    case PhysicalType::kFloat64:
      return CompareFloat(a.f64, b.f64);
    case PhysicalType::kInterval:
      return ThreeWay(IntervalSortKey(a.interval), IntervalSortKey(b.interval));
    case PhysicalType::kString:
      return CompareBytes(a.str(), b.str());
  }
  return 0;
}

}  // namespace

char* Arena::Allocate(size_t bytes) {
  size_t rounded = (bytes + kArenaAlignment - 1) & ~(kArenaAlignment - 1);
  if (rounded == 0) rounded = kArenaAlignment;
  if (static_cast<size_t>(end_ - next_) < rounded) {
    size_t grown =
        blocks_.empty() ? kFirstBlockBytes : std::min(blocks_.back().size * 2, kBlockBytesMax);
    size_t size = std::max(grown, rounded);
    // new[] of char is aligned to __STDCPP_DEFAULT_NEW_ALIGNMENT__, 16 on every platform of ours.
    blocks_.push_back({std::unique_ptr<char[]>(new char[size]), size});
    next_ = blocks_.back().data.get();
    end_ = next_ + size;
    reserved_ += size;
  }
  char* result = next_;
  next_ += rounded;
  return result;
}

std::string_view Arena::Copy(std::string_view bytes) {
  char* data = Allocate(bytes.size());
  if (!bytes.empty()) std::memcpy(data, bytes.data(), bytes.size());
  return {data, bytes.size()};
}

void Arena::Reset() {
  if (blocks_.empty()) return;
  auto largest = std::max_element(blocks_.begin(), blocks_.end(),
                                  [](const Block& a, const Block& b) { return a.size < b.size; });
  std::swap(blocks_.front(), *largest);
  blocks_.resize(1);
  next_ = blocks_.front().data.get();
  end_ = next_ + blocks_.front().size;
  reserved_ = blocks_.front().size;
}

Value CopyTo(Arena& arena, PhysicalType type, const Value& value) {
  if (value.is_null || type != PhysicalType::kString) return value;
  return Value::String(arena.Copy(value.str()));
}

int Compare(const SqlType& type, const Value& a, const Value& b) {
  OMEN_DCHECK(!a.is_null && !b.is_null);
  if (type.is_array) return CompareArrays(type.element(), a.str(), b.str());
  return CompareScalars(type, a, b);
}

Int128 IntervalSortKey(const Interval& interval) {
  constexpr Int128 kMicrosPerDay = Int128{86400} * 1000000;
  Int128 days = Int128{interval.months} * 30 + interval.days;
  return days * kMicrosPerDay + interval.micros;
}

std::string_view TrimBlanks(std::string_view text) {
  size_t size = text.size();
  while (size > 0 && text[size - 1] == ' ') --size;
  return text.substr(0, size);
}

}  // namespace omendb::types
