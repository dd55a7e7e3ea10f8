#include "engine/statistics.h"

#include <algorithm>

namespace omendb::engine {
namespace {

using types::PhysicalType;
using types::TypeKind;

bool ComparesAsInteger(const types::SqlType& type) {
  if (type.is_array) return false;
  switch (type.kind) {
    case TypeKind::kInt2:
    case TypeKind::kInt4:
    case TypeKind::kInt8:
    case TypeKind::kDate:
    case TypeKind::kTime:
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampTz:
      return true;
    case TypeKind::kNumeric:
      return types::PhysicalTypeOf(type) != PhysicalType::kInt128 && !type.numeric_unconstrained();
    default:
      return false;
  }
}

int64_t IntegerOf(PhysicalType physical, const types::Value& value) {
  switch (physical) {
    case PhysicalType::kInt16:
      return value.i16;
    case PhysicalType::kInt32:
      return value.i32;
    default:
      return value.i64;
  }
}

types::Value ValueOf(PhysicalType physical, int64_t integer) {
  switch (physical) {
    case PhysicalType::kInt16:
      return types::Value::Int16(static_cast<int16_t>(integer));
    case PhysicalType::kInt32:
      return types::Value::Int32(static_cast<int32_t>(integer));
    default:
      return types::Value::Int64(integer);
  }
}

}  // namespace

ColumnSketch::ColumnSketch(types::SqlType type)
    : type_(type), physical_(types::PhysicalTypeOf(type)), has_range_(ComparesAsInteger(type)) {}

void ColumnSketch::AddRange(int64_t least, int64_t greatest) {
  int64_t min = min_.load(std::memory_order_relaxed);
  while (least < min && !min_.compare_exchange_weak(min, least, std::memory_order_relaxed)) {
  }
  int64_t max = max_.load(std::memory_order_relaxed);
  while (greatest > max && !max_.compare_exchange_weak(max, greatest, std::memory_order_relaxed)) {
  }
}

void ColumnSketch::AddRank(size_t slot, uint8_t rank) {
  std::atomic<uint8_t>& kept = registers_[slot];
  // Losing a race loses one observation of very many.
  if (kept.load(std::memory_order_relaxed) < rank) kept.store(rank, std::memory_order_relaxed);
}

void ColumnSketch::Add(const types::Value& value) {
  if (value.is_null) {
    if (!has_nulls_.load(std::memory_order_relaxed)) {
      has_nulls_.store(true, std::memory_order_relaxed);
    }
    return;
  }
  if (has_range_) {
    const int64_t integer = IntegerOf(physical_, value);
    AddRange(integer, integer);
  }
  const uint64_t hash = colstore::SketchHash(type_, value);
  AddRank(hyperloglog::RegisterOf(hash), hyperloglog::RankOf(hash));
}

void ColumnSketch::AddSegment(const colstore::Zone& zone, const colstore::DistinctSketch& sketch) {
  if (zone.nulls() > 0) has_nulls_.store(true, std::memory_order_relaxed);
  if (has_range_ && zone.has_range()) {
    AddRange(IntegerOf(physical_, zone.min()), IntegerOf(physical_, zone.max()));
  }
  for (size_t i = 0; i < hyperloglog::kRegisters; ++i) AddRank(i, sketch.registers()[i]);
}

ColumnStatistics ColumnSketch::Get(uint64_t rows_count) const {
  ColumnStatistics statistics;
  statistics.may_have_nulls = has_nulls_.load(std::memory_order_relaxed);
  const int64_t min = min_.load(std::memory_order_relaxed);
  const int64_t max = max_.load(std::memory_order_relaxed);
  if (has_range_ && min <= max) {
    statistics.has_min_max = true;
    statistics.min = ValueOf(physical_, min);
    statistics.max = ValueOf(physical_, max);
  }
  hyperloglog::Registers registers;
  for (size_t i = 0; i < registers.size(); ++i) {
    registers[i] = registers_[i].load(std::memory_order_relaxed);
  }
  statistics.distinct_count =
      std::min(hyperloglog::Estimate(registers), std::max<uint64_t>(rows_count, 1));
  return statistics;
}

Sketches TableStatistics::Ensure(const std::vector<types::SqlType>& columns) {
  MutexLock lock(mu_);
  for (size_t i = 0; i < columns.size(); ++i) {
    if (i < sketches_.size() && sketches_[i]->type() == columns[i]) continue;
    auto sketch = std::make_shared<ColumnSketch>(columns[i]);
    if (i < sketches_.size()) {
      sketch->Add(types::Value::Null());  // It has not seen the rows that are there.
      sketches_[i] = std::move(sketch);
    } else {
      sketches_.push_back(std::move(sketch));
    }
  }
  return {sketches_.begin(), sketches_.begin() + static_cast<ptrdiff_t>(columns.size())};
}

}  // namespace omendb::engine
