#include "colstore/sketch.h"

#include <algorithm>
#include <cmath>

#include "colstore/hash.h"
#include "types/key_encoding.h"

namespace omendb::colstore {
namespace {

using types::PhysicalType;
using types::TypeKind;

constexpr uint32_t kSparseMax = 340;  // registers; beyond, all of them take less

uint64_t HashFloat(double value) {
  if (value == 0) value = 0;  // -0
  if (std::isnan(value)) value = std::nan("");
  return HashInt(std::bit_cast<uint64_t>(value));
}

bool HashesAsBytes(const types::SqlType& type) {
  switch (type.kind) {
    case TypeKind::kText:
    case TypeKind::kVarchar:
    case TypeKind::kName:
    case TypeKind::kBytea:
      return !type.is_array;
    default:
      return false;
  }
}

}  // namespace

uint64_t SketchHash(const types::SqlType& type, const types::Value& value) {
  switch (types::PhysicalTypeOf(type)) {
    case PhysicalType::kBool8:
      return HashInt(value.boolean ? 1 : 0);
    case PhysicalType::kInt16:
      return HashInt(static_cast<uint64_t>(int64_t{value.i16}));
    case PhysicalType::kInt32:
      return HashInt(static_cast<uint64_t>(int64_t{value.i32}));
    case PhysicalType::kInt64:
      return HashInt(static_cast<uint64_t>(value.i64));
    case PhysicalType::kInt128:
      return HashBytes({reinterpret_cast<const char*>(&value.i128), 16});
    case PhysicalType::kFloat32:
      return HashFloat(value.f32);
    case PhysicalType::kFloat64:
      return HashFloat(value.f64);
    case PhysicalType::kInterval:
    case PhysicalType::kString:
      break;
  }
  if (HashesAsBytes(type)) return HashBytes(value.str());
  std::string key;
  types::AppendKey(type, value, {}, key);
  return HashBytes(key);
}

void DistinctSketch::AddCells(const types::SqlType& type, const ColumnCells& column) {
  const auto size = static_cast<size_t>(types::PhysicalSize(column.physical));
  if (IsInteger(column.physical)) {
    for (uint32_t i = 0; i < column.rows; ++i) {
      if (column.is_null(i)) continue;
      Add(HashInt(static_cast<uint64_t>(LoadInt(column.physical, column.cells + i * size))));
    }
    return;
  }
  for (uint32_t i = 0; i < column.rows; ++i) {
    if (column.is_null(i)) continue;
    Add(SketchHash(type, types::LoadCell(column.physical, column.cells + i * size)));
  }
}

void DistinctSketch::Merge(const DistinctSketch& other) {
  for (size_t i = 0; i < registers_.size(); ++i) {
    registers_[i] = std::max(registers_[i], other.registers_[i]);
  }
}

void DistinctSketch::Serialize(std::string& out) const {
  ByteWriter writer(out);
  const auto used = static_cast<uint16_t>(
      std::count_if(registers_.begin(), registers_.end(), [](uint8_t r) { return r != 0; }));
  writer.Put<uint16_t>(used);
  for (size_t i = 0; i < registers_.size(); ++i) {
    if (used <= kSparseMax && registers_[i] == 0) continue;
    if (used <= kSparseMax) writer.Put<uint16_t>(static_cast<uint16_t>(i));
    writer.Put<uint8_t>(registers_[i]);
  }
}

bool DistinctSketch::Parse(ByteReader& in) {
  registers_.fill(0);
  const auto used = in.Get<uint16_t>();
  if (used > registers_.size()) return false;
  const size_t stored = used <= kSparseMax ? used : registers_.size();
  for (size_t i = 0; i < stored; ++i) {
    const size_t index = used <= kSparseMax ? in.Get<uint16_t>() : i;
    const auto rank = in.Get<uint8_t>();
    if (index >= registers_.size() || rank > hyperloglog::kRankMax) return false;
    registers_[index] = rank;
  }
  return !in.failed();
}

}  // namespace omendb::colstore
