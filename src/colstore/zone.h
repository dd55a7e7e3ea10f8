// zone.h - what is known of the values of a block or a segment without reading them.
//
// Format         docs/formats/segment.md, "Zones"
// Thread safety  Value types.
// Ownership      A zone owns the bytes of its string bounds: its Values point into itself, so it is
//                read through min() and max().
// Invariants     Every value that is not NULL is within [min, max] by types::Compare.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "colstore/encode.h"
#include "types/value.h"

namespace omendb::colstore {

// Rows with a value in the range are asked for; without bounds, rows that are not NULL.
struct ValueRange {
  std::optional<types::Value> lower;
  std::optional<types::Value> upper;
  bool lower_inclusive = true;
  bool upper_inclusive = true;
};

class Zone {
 public:
  // Of the cells of a block.
  static Zone Of(const types::SqlType& type, const ColumnCells& column);
  // Becomes the zone of both; the other's rows come behind.
  void Merge(const types::SqlType& type, const Zone& other);

  void Serialize(const types::SqlType& type, std::string& out) const;
  // False when the bytes are no zone.
  bool Parse(const types::SqlType& type, ByteReader& in);

  uint32_t rows() const { return rows_; }
  void set_rows(uint32_t rows) { rows_ = rows; }
  uint32_t nulls() const { return nulls_; }
  bool has_range() const { return has_range_; }
  // Whether min (max) is a value of the rows, and not only a bound of them.
  bool min_exact() const { return min_exact_; }
  bool max_exact() const { return max_exact_; }
  bool has_sum() const { return has_sum_; }
  // Whether the values, 64-bit integers, are min, min + 1, ... in the order of the rows.
  bool is_sequence() const { return is_sequence_; }
  types::Int128 sum() const { return sum_; }
  // Requires: has_range(). Borrowed from the zone.
  types::Value min() const { return ValueOf(min_, min_text_); }
  types::Value max() const { return ValueOf(max_, max_text_); }

  // False only when no row can be in the range.
  bool MayMatch(const types::SqlType& type, const ValueRange& range) const;

 private:
  types::Value ValueOf(const types::Value& value, const std::string& text) const {
    return is_text_ ? types::Value::String(text) : value;
  }
  void SetRange(const types::SqlType& type, const types::Value& low, const types::Value& high);
  void SetIntegers(const ColumnCells& column, bool summed);
  void SetWide(const ColumnCells& column);
  void SetValues(const types::SqlType& type, const ColumnCells& column);

  uint32_t rows_ = 0;
  uint32_t nulls_ = 0;
  bool has_range_ = false;
  bool min_exact_ = false;
  bool max_exact_ = false;
  bool has_sum_ = false;
  bool is_sequence_ = false;
  bool is_text_ = false;
  types::Value min_ = types::Value::Null();
  types::Value max_ = types::Value::Null();
  std::string min_text_;
  std::string max_text_;
  types::Int128 sum_ = 0;
};

// Whether the type's values have an order that zones can use.
bool HasZoneRange(const types::SqlType& type);
// Whether the cells add up: booleans, integers, numerics.
bool HasZoneSum(const types::SqlType& type);

}  // namespace omendb::colstore
