#include "colstore/entry_block.h"

#include <algorithm>

#include "base/check.h"

namespace omendb::colstore {
namespace {

// Number of entries, the least row id.
constexpr size_t kHeadBytes = 12;

}  // namespace

void AppendRowId(RowId row, std::string& key) {
  char bytes[kRowIdBytes];
  StoreBe<uint64_t>(bytes, row.value());
  key.append(bytes, kRowIdBytes);
}

std::string EntryBlock::Encode(std::span<const IndexEntry> entries) {
  uint64_t first_row = UINT64_MAX;
  for (const IndexEntry& entry : entries) first_row = std::min(first_row, entry.row.value());
  std::string starts;
  std::string packed;
  ByteWriter starts_out(starts);
  ByteWriter out(packed);
  for (size_t i = 0; i < entries.size(); ++i) {
    const bool begins = i % kGroupEntries == 0;
    if (begins) starts_out.Put(static_cast<uint32_t>(packed.size()));
    const std::string_view key = entries[i].key;
    const size_t shared = begins ? 0 : CommonPrefix(entries[i - 1].key, key);
    out.PutVarint(shared);
    out.PutVarint(key.size() - shared);
    out.PutRaw(key.substr(shared));
    out.PutVarint(entries[i].row.value() - first_row);
  }
  OMEN_CHECK(packed.size() <= UINT32_MAX);
  std::string bytes;
  bytes.reserve(kHeadBytes + starts.size() + packed.size());
  ByteWriter head(bytes);
  head.Put(static_cast<uint32_t>(entries.size()));
  head.Put(first_row);
  head.PutRaw(starts);
  head.PutRaw(packed);
  return bytes;
}

void EntryBlock::Attach(std::string_view bytes) {
  size_ = LoadLe<uint32_t>(bytes.data());
  first_row_ = LoadLe<uint64_t>(bytes.data() + 4);
  starts_ = bytes.data() + kHeadBytes;
  packed_ = bytes.substr(kHeadBytes + 4 * size_t{groups()});
}

bool EntryBlock::Parse(std::string_view bytes) {
  if (bytes.size() < kHeadBytes) return false;
  const uint64_t size = LoadLe<uint32_t>(bytes.data());
  if (bytes.size() < kHeadBytes + 4 * ((size + kGroupEntries - 1) / kGroupEntries)) return false;
  Attach(bytes);
  for (uint32_t group = 0; group < groups(); ++group) {
    if (LoadLe<uint32_t>(starts_ + 4 * size_t{group}) > packed_.size()) return false;
    ByteReader in = GroupAt(group);
    uint64_t before = 0;  // bytes of the key before
    const uint32_t count = std::min(kGroupEntries, size_ - group * kGroupEntries);
    for (uint32_t i = 0; i < count; ++i) {
      const uint64_t shared = in.GetVarint();
      const uint64_t rest = in.GetVarint();
      (void)in.GetRaw(rest);
      (void)in.GetVarint();
      if (in.failed() || shared > before) return false;
      before = shared + rest;
    }
  }
  return true;
}

void EntryBlock::Unpack(uint32_t group, std::string* entries) const {
  const uint32_t count = std::min(kGroupEntries, size_ - group * kGroupEntries);
  ByteReader in = GroupAt(group);
  for (uint32_t i = 0; i < count; ++i) {
    const uint64_t shared = in.GetVarint();
    const uint64_t rest = in.GetVarint();
    entries[i].assign(i == 0 ? std::string_view() : std::string_view(entries[i - 1]), 0, shared);
    entries[i].append(in.GetRaw(rest));
    AppendRowId(RowId(first_row_ + in.GetVarint()), entries[i]);
  }
  OMEN_CHECK(!in.failed());
}

bool EntryBlock::BeginsBelow(uint32_t group, std::string_view bound) const {
  ByteReader in = GroupAt(group);
  (void)in.GetVarint();  // Nothing is shared.
  const std::string_view key = in.GetRaw(in.GetVarint());
  const int order = key.compare(bound.substr(0, key.size()));
  if (order != 0) return order < 0;
  char row[kRowIdBytes];
  StoreBe<uint64_t>(row, first_row_ + in.GetVarint());
  return std::string_view(row, kRowIdBytes) < bound.substr(key.size());
}

uint32_t EntryBlock::LowerBound(std::string_view bound) const {
  // The first group that begins at or behind the bound; what is sought may be in the one before.
  uint32_t low = 0;
  uint32_t high = groups();
  while (low < high) {
    const uint32_t middle = low + (high - low) / 2;
    if (BeginsBelow(middle, bound)) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  if (low == 0) return 0;
  Cursor cursor(*this);
  uint32_t at = (low - 1) * kGroupEntries;
  const uint32_t end = std::min(size_, low * kGroupEntries);
  while (at < end && cursor.EntryAt(at) < bound) ++at;
  return at;
}

std::string_view EntryBlock::Cursor::EntryAt(uint32_t at) {
  const uint32_t group = at / kGroupEntries;
  if (group != group_) {
    block_->Unpack(group, unpacked_.data());
    group_ = group;
  }
  return unpacked_[at % kGroupEntries];
}

}  // namespace omendb::colstore
