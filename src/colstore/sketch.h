// sketch.h - about how many distinct values a column has (base/hyperloglog.h); sketches of segments
// can be merged.
//
// Format         docs/formats/segment.md, "Sections" and "Keys and hashes"
// Thread safety  Value type.
// Cost           1 KiB.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

#include "base/bytes.h"
#include "base/hyperloglog.h"
#include "colstore/encode.h"
#include "types/value.h"

namespace omendb::colstore {

class DistinctSketch {
 public:
  void Add(uint64_t hash) {
    uint8_t& slot = registers_[hyperloglog::RegisterOf(hash)];
    slot = std::max(slot, hyperloglog::RankOf(hash));
  }
  // All values of the cells that are not NULL.
  void AddCells(const types::SqlType& type, const ColumnCells& column);
  void Merge(const DistinctSketch& other);
  const hyperloglog::Registers& registers() const { return registers_; }
  uint64_t Estimate() const { return hyperloglog::Estimate(registers_); }

  void Serialize(std::string& out) const;
  // False when the bytes are no sketch.
  bool Parse(ByteReader& in);

 private:
  hyperloglog::Registers registers_{};
};

// The hash of a value for sketches: equal values (types::Compare is 0) have equal hashes.
uint64_t SketchHash(const types::SqlType& type, const types::Value& value);

}  // namespace omendb::colstore
