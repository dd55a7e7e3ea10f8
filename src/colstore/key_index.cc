#include "colstore/key_index.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/sqlstate.h"
#include "colstore/format.h"

namespace omendb::colstore {
namespace {

using index::PositionRange;
using index::StaticIndex;

// The 8 bytes of `key` behind the first `skip`, as a number that orders as they do.
uint64_t PrefixOf(std::string_view key, size_t skip) {
  char bytes[8] = {};
  const std::string_view rest = key.substr(std::min(skip, key.size()), 8);
  if (!rest.empty()) std::memcpy(bytes, rest.data(), rest.size());
  return LoadBe<uint64_t>(bytes);
}

size_t CommonBytes(std::string_view a, std::string_view b) {
  const size_t size = std::min(a.size(), b.size());
  return static_cast<size_t>(std::mismatch(a.begin(), a.begin() + size, b.begin()).first -
                             a.begin());
}

// The greatest number of equal neighbours.
uint64_t LongestRun(std::span<const uint64_t> sorted) {
  uint64_t longest = 0, run = 0;
  for (size_t i = 0; i < sorted.size(); ++i) {
    run = i > 0 && sorted[i] == sorted[i - 1] ? run + 1 : 1;
    longest = std::max(longest, run);
  }
  return longest;
}

void Begin(KeyIndexKind kind, std::string_view common, std::string& out) {
  ByteWriter writer(out);
  writer.Put<uint8_t>(static_cast<uint8_t>(kind));
  writer.PutString(common);
}

Status Damaged(const char* what) { return Status(sqlstate::kDataCorrupted, what); }

}  // namespace

Result<std::string> KeyIndex::BuildIntegers(std::span<const uint64_t> keys) {
  std::string out;
  Begin(KeyIndexKind::kIntegers, {}, out);
  OMEN_ASSIGN(const StaticIndex model, StaticIndex::Build(keys));
  return out + model.Serialize();
}

Result<std::string> KeyIndex::BuildBytes(std::span<const std::string_view> keys) {
  const size_t skip = keys.empty() ? 0 : CommonBytes(keys.front(), keys.back());
  std::vector<uint64_t> prefixes;
  prefixes.reserve(keys.size());
  for (const std::string_view key : keys) prefixes.push_back(PrefixOf(key, skip));
  OMEN_ASSIGN(const StaticIndex model, StaticIndex::Build(prefixes));
  const std::string_view common = keys.empty() ? std::string_view() : keys.front().substr(0, skip);
  std::string out;
  // Both ends of a window are off by twice the error at most.
  if (4 * uint64_t{model.max_error()} + LongestRun(prefixes) <= kBlockRows) {
    Begin(KeyIndexKind::kPrefixes, common, out);
    return out + model.Serialize();
  }
  Begin(KeyIndexKind::kFences, common, out);
  ByteWriter writer(out);
  for (size_t i = kBlockRows; i < keys.size(); i += kBlockRows) {
    writer.PutString(keys[i].substr(skip));
  }
  return out;
}

Result<KeyIndex> KeyIndex::Parse(std::string_view content, uint32_t rows) {
  ByteReader in(content);
  KeyIndex index;
  index.rows_ = rows;
  index.kind_ = static_cast<KeyIndexKind>(in.Get<uint8_t>());
  index.common_ = std::string(in.GetString());
  if (in.failed()) return Damaged("it is cut off");
  if (index.kind_ != KeyIndexKind::kFences) {
    OMEN_ASSIGN(index.model_, StaticIndex::Parse(content.substr(in.position())));
    if (index.model_.size() != rows) return Damaged("its number of keys is wrong");
    if (index.kind_ > KeyIndexKind::kFences) return Damaged("its kind is unknown");
    return index;
  }
  for (uint32_t block = 1; block < BlocksOf(rows); ++block) {
    index.fences_.emplace_back(in.GetString());
  }
  if (in.failed() || in.remaining() != 0) return Damaged("its fences are wrong");
  if (!std::is_sorted(index.fences_.begin(), index.fences_.end())) {
    return Damaged("its fences are not sorted");
  }
  return index;
}

PositionRange KeyIndex::Find(std::string_view key) const {
  const size_t same = CommonBytes(key, common_);
  if (same < common_.size()) {
    const bool below =
        same == key.size() || static_cast<uint8_t>(key[same]) < static_cast<uint8_t>(common_[same]);
    return below ? PositionRange{0, 0} : PositionRange{rows_, rows_};
  }
  if (kind_ == KeyIndexKind::kFences) {
    const std::string_view rest = key.substr(common_.size());
    const auto it = std::upper_bound(fences_.begin(), fences_.end(), rest);
    const auto block = static_cast<uint64_t>(it - fences_.begin());
    return {block * kBlockRows, std::min<uint64_t>(rows_, (block + 1) * kBlockRows)};
  }
  const uint64_t prefix = PrefixOf(key, common_.size());
  const uint64_t begin = model_.LowerBound(prefix).begin;
  const uint64_t end = prefix == UINT64_MAX ? rows_ : model_.LowerBound(prefix + 1).end;
  return {begin, end};
}

size_t KeyIndex::memory_bytes() const {
  size_t bytes = common_.size() + model_.MemoryBytes();
  for (const std::string& fence : fences_) bytes += fence.size() + sizeof(fence);
  return bytes;
}

}  // namespace omendb::colstore
