#include "types/array.h"

#include <algorithm>
#include <cstring>

#include "base/bytes.h"
#include "base/check.h"
#include "base/sqlstate.h"

namespace omendb::types {
namespace {

constexpr uint32_t kHasNulls = uint32_t{1} << 31;

}  // namespace

ArrayReader::ArrayReader(const SqlType& element, std::string_view bytes)
    : physical_(PhysicalTypeOf(element)),
      value_bytes_(static_cast<uint32_t>(PhysicalSize(physical_))) {
  OMEN_DCHECK(bytes.size() >= sizeof(uint32_t));
  auto header = LoadLe<uint32_t>(bytes.data());
  count_ = header & ~kHasNulls;
  values_ = bytes.data() + sizeof(uint32_t);
  if ((header & kHasNulls) != 0) {
    validity_ = values_;
    values_ += (count_ + 7) / 8;
  }
}

bool ArrayReader::IsNull(uint32_t index) const {
  if (validity_ == nullptr) return false;
  return ((static_cast<unsigned char>(validity_[index / 8]) >> (index % 8)) & 1) == 0;
}

Value ArrayReader::At(uint32_t index) const {
  OMEN_DCHECK(index < count_);
  if (IsNull(index)) return Value::Null();
  if (physical_ != PhysicalType::kString) {
    return LoadCell(physical_, values_ + size_t{index} * value_bytes_);
  }
  auto end_at = [this](uint32_t i) { return LoadLe<uint32_t>(values_ + size_t{i} * 4); };
  uint32_t begin = index == 0 ? 0 : end_at(index - 1);
  return Value::String({values_ + size_t{count_} * 4 + begin, end_at(index) - begin});
}

void ArrayBuilder::Append(const Value& value) {
  valid_.push_back(!value.is_null);
  has_nulls_ |= value.is_null;
  if (physical_ == PhysicalType::kString) {
    if (!value.is_null) values_.append(value.str());
    ends_.push_back(static_cast<uint32_t>(values_.size()));
    return;
  }
  char cell[16] = {};
  if (!value.is_null) StoreCell(physical_, cell, value);
  values_.append(cell, static_cast<size_t>(PhysicalSize(physical_)));
}

Value ArrayBuilder::Finish(Arena& arena) {
  uint32_t count = size();
  size_t bitmap_bytes = has_nulls_ ? (count + 7) / 8 : 0;
  size_t bytes = 4 + bitmap_bytes + ends_.size() * 4 + values_.size();
  char* data = arena.Allocate(bytes);
  StoreLe<uint32_t>(data, count | (has_nulls_ ? kHasNulls : 0));
  char* p = data + 4;
  std::memset(p, 0, bitmap_bytes);
  for (uint32_t i = 0; bitmap_bytes > 0 && i < count; ++i) {
    if (valid_[i]) p[i / 8] = static_cast<char>(p[i / 8] | (1 << (i % 8)));
  }
  p += bitmap_bytes;
  if (!ends_.empty()) std::memcpy(p, ends_.data(), ends_.size() * 4);
  p += ends_.size() * 4;
  if (!values_.empty()) std::memcpy(p, values_.data(), values_.size());
  has_nulls_ = false;
  valid_.clear();
  values_.clear();
  ends_.clear();
  return Value::String({data, bytes});
}

Status ValidateArray(const SqlType& element, std::string_view bytes) {
  Status corrupt(sqlstate::kDataCorrupted, "malformed array value");
  if (bytes.size() < 4) return corrupt;
  auto header = LoadLe<uint32_t>(bytes.data());
  size_t count = header & ~kHasNulls;
  size_t fixed = 4 + ((header & kHasNulls) != 0 ? (count + 7) / 8 : 0);
  PhysicalType physical = PhysicalTypeOf(element);
  if (physical != PhysicalType::kString) {
    size_t expected = fixed + count * static_cast<size_t>(PhysicalSize(physical));
    return bytes.size() == expected ? Status::Ok() : corrupt;
  }
  size_t strings = fixed + count * 4;
  if (bytes.size() < strings) return corrupt;
  uint32_t previous = 0;
  for (size_t i = 0; i < count; ++i) {
    auto end = LoadLe<uint32_t>(bytes.data() + fixed + i * 4);
    if (end < previous) return corrupt;
    previous = end;
  }
  return bytes.size() == strings + previous ? Status::Ok() : corrupt;
}

}  // namespace omendb::types
