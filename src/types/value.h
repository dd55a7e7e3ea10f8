// value.h - one SQL value on the row path, and the arena that owns its bytes.
//
// Thread safety  Values are plain data. An Arena belongs to one thread at a time.
// Ownership      A string Value points at bytes it does not own: an Arena, a page kept alive by an
//                epoch guard, or a message buffer. CopyTo moves the bytes into an arena.
// Cost           32 bytes, trivially copyable, no allocation.
#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>
#include <type_traits>
#include <vector>

#include "types/type.h"

namespace omendb::types {

using Int128 = __int128;

// The same bytes as duckdb::interval_t.
struct Interval {
  int32_t months;
  int32_t days;
  int64_t micros;
  friend bool operator==(const Interval&, const Interval&) = default;
};
static_assert(sizeof(Interval) == 16);

// Bump allocator for the bytes of one statement or one result. Reset keeps the largest block.
class Arena {
 public:
  Arena() = default;
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;
  char* Allocate(size_t bytes);  // 16-byte aligned; never null
  std::string_view Copy(std::string_view bytes);
  void Reset();
  size_t bytes_reserved() const { return reserved_; }

 private:
  struct Block {
    std::unique_ptr<char[]> data;
    size_t size;
  };
  std::vector<Block> blocks_;
  char* next_ = nullptr;
  char* end_ = nullptr;
  size_t reserved_ = 0;
};

struct Value {
  struct Text {
    const char* data;
    uint64_t size;
  };
  union {
    bool boolean;
    int16_t i16;
    int32_t i32;  // int4, date; oid and reg* as their bits
    int64_t i64;  // int8, time, timestamp, timestamptz
    float f32;
    double f64;
    Int128 i128;  // uuid, numeric of precision over 18
    Interval interval;
    Text text;
  };
  bool is_null;

  static Value Null() {
    Value v;
    v.i128 = 0;
    v.is_null = true;
    return v;
  }
  static Value Bool(bool b) {
    return Make([&](Value& v) { v.boolean = b; });
  }
  static Value Int16(int16_t i) {
    return Make([&](Value& v) { v.i16 = i; });
  }
  static Value Int32(int32_t i) {
    return Make([&](Value& v) { v.i32 = i; });
  }
  static Value Int64(int64_t i) {
    return Make([&](Value& v) { v.i64 = i; });
  }
  static Value Float32(float f) {
    return Make([&](Value& v) { v.f32 = f; });
  }
  static Value Float64(double f) {
    return Make([&](Value& v) { v.f64 = f; });
  }
  static Value I128(Int128 i) {
    return Make([&](Value& v) { v.i128 = i; });
  }
  static Value OfInterval(Interval i) {
    return Make([&](Value& v) { v.interval = i; });
  }
  // Borrows `s`.
  static Value String(std::string_view s) {
    return Make([&](Value& v) { v.text = {s.data(), s.size()}; });
  }
  std::string_view str() const { return {text.data, text.size}; }

 private:
  template <typename Set>
  static Value Make(Set set) {
    Value v;
    v.i128 = 0;
    v.is_null = false;
    set(v);
    return v;
  }
};
static_assert(std::is_trivially_copyable_v<Value>);

using Row = std::vector<Value>;

// The value with its bytes owned by `arena` (unchanged when it has none).
Value CopyTo(Arena& arena, PhysicalType type, const Value& value);

// Total order of two non-null values of one type: <0, 0, >0. Strings compare by bytes (collation
// "C"); NaN is greater than every other float and equal to itself, as in PostgreSQL; char(n)
// ignores trailing blanks.
int Compare(const SqlType& type, const Value& a, const Value& b);

// The 16 bytes of a string in a page column: the same bytes as duckdb::string_t.
struct StringSlot {
  static constexpr uint32_t kInlineMax = 12;
  uint32_t size;
  char prefix[4];       // First bytes of the string; the inline string continues into `pointer`.
  const char* pointer;  // When size > kInlineMax.

  // Borrows `s` when it is longer than kInlineMax. Unused inline bytes are zero.
  static StringSlot Of(std::string_view s) {
    StringSlot slot;
    slot.size = static_cast<uint32_t>(s.size());
    if (s.size() > kInlineMax) {
      std::memcpy(slot.prefix, s.data(), sizeof(slot.prefix));
      slot.pointer = s.data();
      return slot;
    }
    char* bytes = reinterpret_cast<char*>(&slot) + sizeof(slot.size);
    std::memset(bytes, 0, kInlineMax);
    if (!s.empty()) std::memcpy(bytes, s.data(), s.size());
    return slot;
  }
  bool is_inline() const { return size <= kInlineMax; }
  // Of an inline string: a view into this slot.
  std::string_view view() const {
    const char* inline_bytes = reinterpret_cast<const char*>(this) + sizeof(size);
    return {is_inline() ? inline_bytes : pointer, size};
  }
};
static_assert(sizeof(StringSlot) == 16);

// Loads from and stores to a page column cell of the given physical type; cells are aligned to
// their size or not at all. The cell's validity is the caller's: LoadCell answers a non-null value,
// StoreCell stores the value's bits. LoadCell borrows the cell's bytes (short strings are inline in
// it), StoreCell borrows long strings.
inline Value LoadCell(PhysicalType type, const void* cell) {
  Value v;
  v.i128 = 0;
  v.is_null = false;
  switch (type) {
    case PhysicalType::kBool8:
      v.boolean = *static_cast<const uint8_t*>(cell) != 0;
      break;
    case PhysicalType::kInt16:
      std::memcpy(&v.i16, cell, 2);
      break;
    case PhysicalType::kInt32:
    case PhysicalType::kFloat32:
      std::memcpy(&v.i32, cell, 4);
      break;
    case PhysicalType::kInt64:
    case PhysicalType::kFloat64:
      std::memcpy(&v.i64, cell, 8);
      break;
    case PhysicalType::kInt128:
    case PhysicalType::kInterval:
      std::memcpy(&v.i128, cell, 16);
      break;
    case PhysicalType::kString: {
      auto bytes = static_cast<const char*>(cell);
      uint32_t size;
      std::memcpy(&size, bytes, sizeof(size));
      const char* data = bytes + sizeof(size);
      if (size > StringSlot::kInlineMax) std::memcpy(&data, bytes + 8, sizeof(data));
      v.text = {data, size};
      break;
    }
  }
  return v;
}

inline void StoreCell(PhysicalType type, void* cell, const Value& value) {
  switch (type) {
    case PhysicalType::kBool8:
      *static_cast<uint8_t*>(cell) = value.boolean ? 1 : 0;
      break;
    case PhysicalType::kInt16:
      std::memcpy(cell, &value.i16, 2);
      break;
    case PhysicalType::kInt32:
    case PhysicalType::kFloat32:
      std::memcpy(cell, &value.i32, 4);
      break;
    case PhysicalType::kInt64:
    case PhysicalType::kFloat64:
      std::memcpy(cell, &value.i64, 8);
      break;
    case PhysicalType::kInt128:
    case PhysicalType::kInterval:
      std::memcpy(cell, &value.i128, 16);
      break;
    case PhysicalType::kString: {
      StringSlot slot = StringSlot::Of(value.is_null ? std::string_view() : value.str());
      std::memcpy(cell, &slot, sizeof(slot));
      break;
    }
  }
}

// The number that orders intervals: 30-day months and 24-hour days, in microseconds.
Int128 IntervalSortKey(const Interval& interval);
// Without trailing blanks: what char(n) values compare and cast by.
std::string_view TrimBlanks(std::string_view text);

}  // namespace omendb::types
