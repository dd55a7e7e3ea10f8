#include "engine/key_boxes.h"

#include <algorithm>
#include <limits>

#include "base/bytes.h"

namespace omendb::engine {
namespace {

// The first bytes of a column's encoding, behind the mark of a value.
uint64_t PartOf(std::string_view encoded) {
  char bytes[sizeof(uint64_t)] = {};
  if (encoded.size() > 1) encoded.copy(bytes, sizeof(bytes), 1);
  return LoadBe<uint64_t>(bytes);
}

uint64_t PartOf(const KeyColumn& column, const types::Value& value) {
  std::string key;
  types::AppendKey(column.type, value, column.options, key);
  return PartOf(key);
}

}  // namespace

KeyParts PartsOfKey(std::span<const KeyColumn> columns, std::string_view key) {
  KeyParts parts;
  if (columns.empty()) {
    parts.at[parts.count++] = LoadBe<uint64_t>(key.data());
    return parts;
  }
  for (const KeyColumn& column : columns.first(std::min(columns.size(), KeyParts::kMax))) {
    const size_t length = types::KeyLength(column.type, column.options, key);
    if (length == 0) break;
    parts.at[parts.count++] = PartOf(key.substr(0, length));
    key.remove_prefix(length);
  }
  return parts;
}

bool KeyBox::Meets(const KeyBox& other) const {
  for (size_t i = 0; i < std::min(low.count, other.low.count); ++i) {
    if (other.high.at[i] < low.at[i] || other.low.at[i] > high.at[i]) return false;
  }
  return true;
}

void KeyBox::Merge(const KeyBox& other) {
  low.count = high.count = std::min(low.count, other.low.count);
  for (size_t i = 0; i < low.count; ++i) {
    low.at[i] = std::min(low.at[i], other.low.at[i]);
    high.at[i] = std::max(high.at[i], other.high.at[i]);
  }
}

KeyBox BoxOfSegment(std::span<const KeyColumn> columns, const colstore::SegmentFooter& footer) {
  KeyBox box;
  box.low.count = box.high.count = KeyParts::kMax;
  box.high.at.fill(std::numeric_limits<uint64_t>::max());
  // The first column's range is that of the keys.
  const std::span<const KeyColumn> first = columns.first(std::min<size_t>(columns.size(), 1));
  const KeyParts least = PartsOfKey(first, footer.min_key);
  if (least.count > 0) {
    box.low.at[0] = least.at[0];
    box.high.at[0] = PartsOfKey(first, footer.max_key).at[0];
  }
  for (size_t i = 1; i < std::min(columns.size(), KeyParts::kMax); ++i) {
    const colstore::Zone& zone = footer.columns[footer.key[i].column].zone;
    if (!zone.has_range()) continue;
    const uint64_t a = PartOf(columns[i], zone.min());
    const uint64_t b = PartOf(columns[i], zone.max());
    box.low.at[i] = std::min(a, b);  // The other way round when it descends.
    box.high.at[i] = std::max(a, b);
  }
  return box;
}

void KeyBoxes::Add(const KeyBox& box) {
  if (boxes_.size() % kHullBoxes == 0) {
    hulls_.push_back(box);
  } else {
    hulls_.back().Merge(box);
  }
  boxes_.push_back(box);
}

}  // namespace omendb::engine
