// array.h - one-dimensional arrays: their encoding as one blob, and their text form.
//
// Encoding       u32 count | (bit 31: has NULLs), then
//                has NULLs: a bitmap of ceil(count / 8) bytes, bit i set = element i is not NULL;
//                fixed-size elements: count * PhysicalSize bytes, NULLs as zeros;
//                strings: u32 end[count] (offset behind element i), then the bytes of all.
//                Little-endian, unaligned. The element type is implied by the column's SqlType;
//                int2vector and oidvector are arrays of int2 and oid. The empty array is 4 bytes.
// Thread safety  A reader is a view over bytes; a builder belongs to one thread.
// Errors         Text that is no array: 22P02 with PostgreSQL's message. Several dimensions or a
//                lower bound other than 1: 0A000.
// Invariants     ArrayReader trusts its bytes (they were made by ArrayBuilder); bytes from outside
//                pass ValidateArray first.
// See            PostgreSQL 15, section 8.15 "Arrays".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "types/type.h"
#include "types/value.h"

namespace omendb::types {

struct IoSettings;

class ArrayReader {
 public:
  ArrayReader(const SqlType& element, std::string_view bytes);
  uint32_t size() const { return count_; }
  bool IsNull(uint32_t index) const;
  // Borrows from the array's bytes.
  Value At(uint32_t index) const;
  // Fixed-size elements: the first of `size()` unaligned values.
  const char* values() const { return values_; }
  bool has_nulls() const { return validity_ != nullptr; }

 private:
  PhysicalType physical_;
  uint32_t value_bytes_;
  uint32_t count_ = 0;
  const char* validity_ = nullptr;
  const char* values_ = nullptr;  // Fixed-size values, or the end offsets of strings.
};

class ArrayBuilder {
 public:
  explicit ArrayBuilder(const SqlType& element) : physical_(PhysicalTypeOf(element)) {}
  // Copies the bytes of strings.
  void Append(const Value& value);
  uint32_t size() const { return static_cast<uint32_t>(valid_.size()); }
  // The encoded array in `arena`; the builder is empty again.
  Value Finish(Arena& arena);

 private:
  PhysicalType physical_;
  bool has_nulls_ = false;
  std::vector<bool> valid_;
  std::string values_;  // Fixed-size values, or all strings' bytes.
  std::vector<uint32_t> ends_;
};

// XX001 when `bytes` is not an encoded array of `element`.
Status ValidateArray(const SqlType& element, std::string_view bytes);

// "{1,NULL,\"a b\"}" of array type `type`; elements by ParseText and FormatText.
Result<Value> ParseArrayText(const SqlType& type, std::string_view text, Arena& arena,
                             const IoSettings& settings);
void FormatArrayText(const SqlType& type, const Value& value, const IoSettings& settings,
                     std::string& out);

}  // namespace omendb::types
