// sketch.h - about how many distinct values a column has: HyperLogLog with 1,024 registers, an
// error of 3%, and sketches of segments can be merged.
//
// Format         docs/formats/segment.md, "Sections" and "Keys and hashes"
// Thread safety  Value type.
// Cost           1 KiB.
// See            Flajolet et al., "HyperLogLog" (2007); Heule et al. (2013) for small counts
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "base/bytes.h"
#include "colstore/encode.h"
#include "types/value.h"

namespace omendb::colstore {

class DistinctSketch {
 public:
  static constexpr int kRegisterBits = 10;

  void Add(uint64_t hash) {
    const auto index = static_cast<uint32_t>(hash >> (64 - kRegisterBits));
    const uint64_t rest = hash << kRegisterBits | uint64_t{1} << (kRegisterBits - 1);
    const auto rank = static_cast<uint8_t>(1 + __builtin_clzll(rest));
    if (registers_[index] < rank) registers_[index] = rank;
  }
  // All values of the cells that are not NULL.
  void AddCells(const types::SqlType& type, const ColumnCells& column);
  void Merge(const DistinctSketch& other);
  uint64_t Estimate() const;

  void Serialize(std::string& out) const;
  // False when the bytes are no sketch.
  bool Parse(ByteReader& in);

 private:
  std::array<uint8_t, 1 << kRegisterBits> registers_{};
};

// The hash of a value for sketches: equal values (types::Compare is 0) have equal hashes.
uint64_t SketchHash(const types::SqlType& type, const types::Value& value);

}  // namespace omendb::colstore
