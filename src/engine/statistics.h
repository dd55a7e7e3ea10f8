// statistics.h - what planners want to know of a column, kept on every insert: smallest and
// greatest value, whether there were NULLs, and a HyperLogLog sketch of distinct values.
//
// Deletes and updates do not shrink it: bounds stay valid bounds, counts are estimates.
//
// Thread safety  Any thread; relaxed atomics, so a figure may lag.
// Cost           A few nanoseconds a value; 1 KiB a column.
// See            base/hyperloglog.h, colstore/sketch.h, whose hash it uses: sketches of segments
//                are merged into it.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/hyperloglog.h"
#include "base/mutex.h"
#include "colstore/sketch.h"
#include "colstore/zone.h"
#include "engine/relation.h"
#include "types/type.h"
#include "types/value.h"

namespace omendb::engine {

class ColumnSketch {
 public:
  explicit ColumnSketch(types::SqlType type);
  const types::SqlType& type() const { return type_; }
  void Add(const types::Value& value);
  // All rows of a segment at once, dead ones too, from what it tells of the column.
  void AddSegment(const colstore::Zone& zone, const colstore::DistinctSketch& sketch);
  ColumnStatistics Get(uint64_t rows_count) const;

 private:
  void AddRange(int64_t min, int64_t max);
  void AddRank(size_t slot, uint8_t rank);

  const types::SqlType type_;
  const types::PhysicalType physical_;
  const bool has_range_;  // Compares as a signed integer: bounds are kept.
  std::atomic<int64_t> min_{INT64_MAX};
  std::atomic<int64_t> max_{INT64_MIN};
  std::atomic<bool> has_nulls_{false};
  std::array<std::atomic<uint8_t>, hyperloglog::kRegisters> registers_{};
};

using Sketches = std::vector<std::shared_ptr<ColumnSketch>>;

class TableStatistics {
 public:
  // A sketch for each column; what is there for a column of the same type is kept.
  Sketches Ensure(const std::vector<types::SqlType>& columns);

 private:
  Mutex mu_;
  Sketches sketches_ OMEN_GUARDED_BY(mu_);
};

}  // namespace omendb::engine
