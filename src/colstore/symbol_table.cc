// How a table is made: encode the sample with the table there is, count symbols and pairs of
// neighbours, keep the 255 pieces that save most, and again. Five rounds are enough: a piece
// doubles in length each round, and eight bytes is the longest.
#include "colstore/symbol_table.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <vector>

namespace omendb::colstore {
namespace {

constexpr int kRounds = 5;
// While counting, code 256 + b is byte b without a symbol.
constexpr uint32_t kCodes = 512;
constexpr uint32_t kByteCode = 256;

uint64_t LoadUpTo8(const char* p, size_t left) {
  uint64_t bytes = 0;
  std::memcpy(&bytes, p, left < 8 ? left : 8);
  return bytes;
}
uint64_t FirstBytes(uint64_t bytes, uint32_t length) {
  return length >= 8 ? bytes : bytes & ((uint64_t{1} << 8 * length) - 1);
}
uint32_t SlotOf(uint64_t bytes, uint32_t slots) {
  return static_cast<uint32_t>(bytes * 0x9e3779b97f4a7c15 >> 32) & (slots - 1);
}

}  // namespace

bool SymbolsView::Parse(std::string_view& in) {
  if (in.empty()) return false;
  count = static_cast<uint8_t>(in[0]);
  if (count == 0 || in.size() < 1 + count) return false;
  const auto* at = reinterpret_cast<const uint8_t*>(in.data()) + 1;
  size_t used = 1 + count;
  for (uint32_t i = 0; i < count; ++i) {
    lengths[i] = at[i];
    if (lengths[i] == 0 || lengths[i] > kSymbolBytesMax || in.size() - used < lengths[i]) {
      return false;
    }
    bytes[i] = LoadUpTo8(in.data() + used, lengths[i]);
    used += lengths[i];
  }
  in.remove_prefix(used);
  return true;
}

size_t SymbolsView::DecodedSize(std::string_view stored) const {
  size_t size = 0;
  for (size_t i = 0; i < stored.size(); ++i) {
    const auto code = static_cast<uint8_t>(stored[i]);
    if (code == kEscape) {
      if (++i == stored.size()) return SIZE_MAX;
      ++size;
    } else if (lengths[code] == 0) {
      return SIZE_MAX;
    } else {
      size += lengths[code];
    }
  }
  return size;
}

char* SymbolsView::Decode(std::string_view stored, char* out) const {
  const auto* at = reinterpret_cast<const uint8_t*>(stored.data());
  const uint8_t* const end = at + stored.size();
  while (at < end) {
    const uint8_t code = *at++;
    if (code == kEscape) [[unlikely]] {
      *out++ = static_cast<char>(*at++);
    } else {
      std::memcpy(out, &bytes[code], 8);
      out += lengths[code];
    }
  }
  return out;
}

struct SymbolTable::Counts {
  std::array<uint32_t, kCodes> one{};
  std::vector<uint16_t> two = std::vector<uint16_t>(kCodes * kCodes);
  std::vector<uint32_t> seen;  // Pairs with a count.
};

SymbolTable::SymbolTable() {
  ones_.fill(kNone);
  twos_.fill(kNone);
  longs_.fill(kNone);
}

uint16_t SymbolTable::Match(uint64_t bytes, size_t left) const {
  if (left >= 3) {
    const uint16_t code = longs_[SlotOf(FirstBytes(bytes, 3), kHashSlots)];
    if (code != kNone) {
      const Symbol& symbol = symbols_[code];
      if (symbol.length <= left && FirstBytes(bytes, symbol.length) == symbol.bytes) return code;
    }
  }
  if (left >= 2) {
    const uint16_t code = twos_[SlotOf(FirstBytes(bytes, 2), kHashSlots)];
    if (code != kNone && FirstBytes(bytes, 2) == symbols_[code].bytes) return code;
  }
  return ones_[bytes & 0xff];
}

void SymbolTable::Add(uint64_t bytes, uint32_t length) {
  uint16_t& place = length == 1   ? ones_[bytes & 0xff]
                    : length == 2 ? twos_[SlotOf(bytes, kHashSlots)]
                                  : longs_[SlotOf(FirstBytes(bytes, 3), kHashSlots)];
  if (place != kNone || count_ == kSymbolsMax) return;  // A better one is there.
  symbols_[count_] = {bytes, static_cast<uint8_t>(length)};
  place = static_cast<uint16_t>(count_++);
}

void SymbolTable::Count(std::span<const std::string_view> sample, Counts& counts) const {
  for (const std::string_view string : sample) {
    uint32_t before = kCodes;
    for (size_t at = 0; at < string.size();) {
      const size_t left = string.size() - at;
      const uint64_t bytes = LoadUpTo8(string.data() + at, left);
      const uint16_t code = Match(bytes, left);
      const auto now = code == kNone ? kByteCode + static_cast<uint32_t>(bytes & 0xff) : code;
      at += code == kNone ? 1 : symbols_[code].length;
      ++counts.one[now];
      if (before != kCodes) {
        uint16_t& pair = counts.two[before * kCodes + now];
        if (pair == 0) counts.seen.push_back(before * kCodes + now);
        if (pair < UINT16_MAX) ++pair;
      }
      before = now;
    }
  }
}

SymbolTable SymbolTable::Pick(const SymbolTable& from, const Counts& counts) {
  struct Candidate {
    uint64_t gain;
    uint64_t bytes;
    uint32_t length;
  };
  const auto symbol_of = [&from](uint32_t code) {
    return code >= kByteCode ? Symbol{code - kByteCode, 1} : from.symbols_[code];
  };
  std::vector<Candidate> candidates;
  for (uint32_t code = 0; code < kCodes; ++code) {
    if (counts.one[code] == 0) continue;
    const Symbol symbol = symbol_of(code);
    // A byte without a symbol costs two, so its symbol saves as much as a longer one's byte.
    const uint64_t weight = symbol.length == 1 ? 4 : symbol.length;
    candidates.push_back({counts.one[code] * weight, symbol.bytes, symbol.length});
  }
  for (const uint32_t pair : counts.seen) {
    const Symbol a = symbol_of(pair / kCodes), b = symbol_of(pair % kCodes);
    const uint32_t length = a.length + b.length;
    if (length > kSymbolBytesMax || counts.two[pair] < 2) continue;
    candidates.push_back(
        {uint64_t{counts.two[pair]} * length, a.bytes | b.bytes << 8 * a.length, length});
  }
  std::sort(candidates.begin(), candidates.end(), [](const Candidate& a, const Candidate& b) {
    if (a.gain != b.gain) return a.gain > b.gain;
    return a.length != b.length ? a.length > b.length : a.bytes < b.bytes;
  });
  SymbolTable table;
  for (const Candidate& candidate : candidates) table.Add(candidate.bytes, candidate.length);
  return table;
}

SymbolTable SymbolTable::Build(std::span<const std::string_view> sample) {
  SymbolTable table;
  Counts counts;
  for (int round = 0; round < kRounds; ++round) {
    table.Count(sample, counts);
    table = Pick(table, counts);
    counts.one.fill(0);
    for (const uint32_t pair : counts.seen) counts.two[pair] = 0;
    counts.seen.clear();
  }
  return table;
}

void SymbolTable::Serialize(std::string& out) const {
  out.push_back(static_cast<char>(count_));
  for (uint32_t i = 0; i < count_; ++i) out.push_back(static_cast<char>(symbols_[i].length));
  for (uint32_t i = 0; i < count_; ++i) {
    out.append(reinterpret_cast<const char*>(&symbols_[i].bytes), symbols_[i].length);
  }
}

void SymbolTable::Encode(std::string_view string, std::string& out) const {
  for (size_t at = 0; at < string.size();) {
    const size_t left = string.size() - at;
    const uint64_t bytes = LoadUpTo8(string.data() + at, left);
    const uint16_t code = Match(bytes, left);
    if (code == kNone) {
      out.push_back(static_cast<char>(kEscape));
      out.push_back(string[at++]);
    } else {
      out.push_back(static_cast<char>(code));
      at += symbols_[code].length;
    }
  }
}

size_t SymbolTable::EncodedSize(std::string_view string) const {
  size_t size = 0;
  for (size_t at = 0; at < string.size();) {
    const size_t left = string.size() - at;
    const uint16_t code = Match(LoadUpTo8(string.data() + at, left), left);
    size += code == kNone ? 2 : 1;
    at += code == kNone ? 1 : symbols_[code].length;
  }
  return size;
}

}  // namespace omendb::colstore
