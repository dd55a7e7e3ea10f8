#include "index/static_index.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/crc32c.h"
#include "base/sqlstate.h"

namespace omendb::index {

namespace {

constexpr uint32_t kMagic = 0x58494d4f;  // "OMIX"
constexpr uint32_t kVersion = 1;
constexpr size_t kHeaderBytes = 4 + 4 + 8 + 8 + 8 + 4 + 4 + 8;

using Wide = __int128;

Status Damaged(const std::string& what) {
  return Status(sqlstate::kDataCorrupted, "static index: " + what);
}

// A slope as a fraction; x > 0 always. Compared exactly.
struct Slope {
  Wide y = 0;
  Wide x = 1;
};
bool Less(Slope a, Slope b) { return a.y * b.x < b.y * a.x; }

}  // namespace

Result<StaticIndex> StaticIndex::Build(std::span<const uint64_t> keys) {
  for (size_t i = 1; i < keys.size(); ++i) {
    if (keys[i - 1] <= keys[i]) continue;
    return Status(
        sqlstate::kInvalidParameterValue,
        "static index needs sorted keys: key " + std::to_string(i) + " is below the one before it");
  }
  StaticIndex index;
  index.count_ = keys.size();
  if (keys.empty()) return index;
  index.first_key_ = keys.front();
  index.last_key_ = keys.back();
  index.BuildKnots(keys);
  const size_t fences = keys.size() / kBlockKeys + 1;
  // A knot is two words, a fence one.
  bool good = index.knot_keys_.size() * 2 <= fences || fences <= 2;
  if (good) {
    const uint64_t error = index.MeasureError(keys);
    index.max_error_ = static_cast<uint32_t>(std::min<uint64_t>(error, UINT32_MAX));
    good = 2 * error <= kBlockKeys;
  }
  if (!good) index.BuildFences(keys);
  return index;
}

// Greedy spline over (distinct key, first position). The corridor is narrowed point by point; when
// a point falls outside, the point before it becomes a knot.
void StaticIndex::BuildKnots(std::span<const uint64_t> keys) {
  const auto add = [this](uint64_t key, uint64_t position) {
    knot_keys_.push_back(key);
    knot_positions_.push_back(position);
  };
  add(keys[0], 0);
  uint64_t previous_key = keys[0], previous_position = 0;
  Slope low, high;
  bool open = false;
  for (size_t i = 1; i < keys.size(); ++i) {
    if (keys[i] == keys[i - 1]) continue;
    const uint64_t base_key = knot_keys_.back(), base_position = knot_positions_.back();
    Wide x = keys[i] - base_key;
    Wide y = i - base_position;
    if (open) {
      const Slope at{y, x};
      if (Less(at, low) || Less(high, at)) {
        add(previous_key, previous_position);
        x = keys[i] - previous_key;
        y = i - previous_position;
        open = false;
      }
    }
    const Slope above{y + kErrorAim, x}, below{y - kErrorAim, x};
    if (!open || Less(above, high)) high = above;
    if (!open || Less(low, below)) low = below;
    open = true;
    previous_key = keys[i];
    previous_position = i;
  }
  if (previous_key != knot_keys_.back()) add(previous_key, previous_position);
}

void StaticIndex::BuildFences(std::span<const uint64_t> keys) {
  fences_ = true;
  max_error_ = kBlockKeys;
  knot_keys_.clear();
  knot_positions_.clear();
  for (size_t i = 0; i < keys.size(); i += kBlockKeys) knot_keys_.push_back(keys[i]);
  knot_positions_.shrink_to_fit();
}

size_t StaticIndex::FindSegment(uint64_t key) const {
  const auto it = std::upper_bound(knot_keys_.begin(), knot_keys_.end(), key);
  return it == knot_keys_.begin() ? 0 : static_cast<size_t>(it - knot_keys_.begin()) - 1;
}

// Integer interpolation between the two knots: exact, monotone, no overflow in 128 bits.
uint64_t StaticIndex::Predict(size_t segment, uint64_t key) const {
  if (segment + 1 >= knot_keys_.size()) return knot_positions_.back();
  const uint64_t x = key - knot_keys_[segment];
  const uint64_t width = knot_keys_[segment + 1] - knot_keys_[segment];
  const uint64_t height = knot_positions_[segment + 1] - knot_positions_[segment];
  return knot_positions_[segment] +
         static_cast<uint64_t>(static_cast<unsigned __int128>(x) * height / width);
}

// Over every key, and over the keys between neighbours, whose lower bound is the upper neighbour:
// the prediction is monotone, so it is enough to look just above each key.
uint64_t StaticIndex::MeasureError(std::span<const uint64_t> keys) const {
  uint64_t error = 0;
  size_t segment = 0;
  const auto look = [&](uint64_t key, uint64_t truth) {
    while (segment + 1 < knot_keys_.size() && knot_keys_[segment + 1] <= key) ++segment;
    const uint64_t predicted = Predict(segment, key);
    error = std::max(error, predicted > truth ? predicted - truth : truth - predicted);
  };
  for (size_t i = 0; i < keys.size(); ++i) {
    if (i > 0 && keys[i] == keys[i - 1]) continue;
    look(keys[i], i);
    size_t next = i + 1;
    while (next < keys.size() && keys[next] == keys[i]) ++next;
    if (next < keys.size() && keys[next] != keys[i] + 1) look(keys[i] + 1, next);
  }
  return error;
}

PositionRange StaticIndex::LowerBound(uint64_t key) const {
  if (count_ == 0 || key <= first_key_) return {0, 0};
  if (key > last_key_) return {count_, count_};
  if (fences_) {
    // The last fence below the key; with repeated keys the lower bound may be the fence itself.
    const auto it = std::lower_bound(knot_keys_.begin(), knot_keys_.end(), key);
    const auto block = static_cast<uint64_t>(it - knot_keys_.begin()) - 1;
    return {block * kBlockKeys, std::min(count_, (block + 1) * kBlockKeys)};
  }
  const uint64_t predicted = Predict(FindSegment(key), key);
  return {predicted > max_error_ ? predicted - max_error_ : 0,
          std::min(count_, predicted + max_error_)};
}

size_t StaticIndex::MemoryBytes() const {
  return sizeof(*this) + (knot_keys_.capacity() + knot_positions_.capacity()) * sizeof(uint64_t);
}

std::string StaticIndex::Serialize() const {
  std::string out;
  ByteWriter writer(out);
  writer.Put<uint32_t>(kMagic);
  writer.Put<uint32_t>(kVersion);
  writer.Put<uint64_t>(count_);
  writer.Put<uint64_t>(first_key_);
  writer.Put<uint64_t>(last_key_);
  writer.Put<uint32_t>(max_error_);
  writer.Put<uint32_t>(fences_ ? 1 : 0);
  writer.Put<uint64_t>(knot_keys_.size());
  for (const uint64_t key : knot_keys_) writer.Put<uint64_t>(key);
  for (const uint64_t position : knot_positions_) writer.Put<uint64_t>(position);
  writer.Put<uint32_t>(Crc32c(out));
  return out;
}

Result<StaticIndex> StaticIndex::Parse(std::string_view image) {
  if (image.size() < kHeaderBytes + 4) {
    return Damaged("truncated: " + std::to_string(image.size()) + " bytes, the header alone has " +
                   std::to_string(kHeaderBytes + 4));
  }
  const std::string_view body = image.substr(0, image.size() - 4);
  if (Crc32c(body) != LoadLe<uint32_t>(image.data() + body.size())) {
    return Damaged("checksum mismatch over " + std::to_string(body.size()) + " bytes");
  }
  ByteReader reader(body);
  if (reader.Get<uint32_t>() != kMagic) return Damaged("not a static index: wrong magic");
  const auto version = reader.Get<uint32_t>();
  if (version != kVersion) return Damaged("unknown version " + std::to_string(version));
  StaticIndex index;
  index.count_ = reader.Get<uint64_t>();
  index.first_key_ = reader.Get<uint64_t>();
  index.last_key_ = reader.Get<uint64_t>();
  index.max_error_ = reader.Get<uint32_t>();
  const auto kind = reader.Get<uint32_t>();
  const auto knots = reader.Get<uint64_t>();
  if (kind > 1) return Damaged("unknown kind " + std::to_string(kind));
  index.fences_ = kind == 1;
  const uint64_t words = reader.remaining() / 8;
  if (reader.remaining() % 8 != 0 || knots > words ||
      words != (index.fences_ ? knots : 2 * knots)) {
    return Damaged(std::to_string(knots) + " knots do not fill " +
                   std::to_string(reader.remaining()) + " bytes");
  }
  for (uint64_t i = 0; i < knots; ++i) index.knot_keys_.push_back(reader.Get<uint64_t>());
  for (uint64_t i = 0; i < words - knots; ++i) {
    index.knot_positions_.push_back(reader.Get<uint64_t>());
  }
  const uint64_t expected_fences = (index.count_ + kBlockKeys - 1) / kBlockKeys;
  if (index.fences_ && knots != expected_fences) return Damaged("wrong number of fences");
  if ((knots == 0) != (index.count_ == 0)) return Damaged("no knots");
  for (uint64_t i = 1; i < knots; ++i) {
    const bool ascending = index.fences_
                               ? index.knot_keys_[i - 1] <= index.knot_keys_[i]
                               : index.knot_keys_[i - 1] < index.knot_keys_[i] &&
                                     index.knot_positions_[i - 1] < index.knot_positions_[i];
    if (!ascending) return Damaged("knot " + std::to_string(i) + " is out of order");
  }
  if (!index.fences_ && 2 * uint64_t{index.max_error_} > kBlockKeys) {
    return Damaged("an error wider than a block");
  }
  return index;
}

}  // namespace omendb::index
