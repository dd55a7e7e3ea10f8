// big_encoding.cc - numerics as bytes that order as they do.
#include <algorithm>
#include <array>
#include <span>

#include "base/bytes.h"
#include "base/check.h"
#include "types/big_numeric.h"
#include "types/numeric.h"

namespace omendb::types {
namespace {

constexpr uint8_t kMinusInfinityMark = 0x10, kNegativeMark = 0x20, kZeroMark = 0x40,
                  kPositiveMark = 0x60, kInfinityMark = 0x80, kNaNMark = 0xA0;
constexpr int kWeightBias = 0x4000;
// Above every scale: a group where another number ends is the greater one.
constexpr unsigned kGroupBias = 0x4000;
constexpr int kGroupDigits = 4;
constexpr unsigned kGroupBase = 10000;
constexpr size_t kScaleBytes = 2, kGroupBytes = 2;
// Mark and weight stand before the groups.
constexpr size_t kHeadBytes = 3;
// Groups that always fit 128 bits.
constexpr size_t kSmallGroupsMax = 9;
constexpr int kSmallDigitsMax = 38;

void Put16(uint16_t value, std::string& out) {
  char buffer[2];
  StoreBe<uint16_t>(buffer, value);
  out.append(buffer, 2);
}

// Writes a non-zero value given by its groups, the greatest first.
template <typename GroupAt>
void PutGroups(bool negative, int weight, size_t count, int scale, GroupAt group_at,
               std::string& out) {
  const auto flip = static_cast<uint16_t>(negative ? 0xFFFF : 0);
  out.push_back(static_cast<char>(negative ? kNegativeMark : kPositiveMark));
  Put16(static_cast<uint16_t>(static_cast<unsigned>(weight + kWeightBias) ^ flip), out);
  for (size_t i = 0; i < count; ++i) {
    Put16(static_cast<uint16_t>((group_at(i) + kGroupBias) ^ flip), out);
  }
  if (negative) Put16(0xFFFF, out);
  Put16(static_cast<uint16_t>(scale), out);
}

// Of groups that stand the lowest first; one of them is not zero.
void PutLowestFirst(bool negative, int weight, std::span<const unsigned> groups, int scale,
                    std::string& out) {
  size_t zeros = 0;
  while (groups[zeros] == 0) ++zeros;
  PutGroups(
      negative, weight, groups.size() - zeros, scale,
      [&](size_t i) { return groups[groups.size() - 1 - i]; }, out);
}

void PutMark(uint8_t mark, int scale, std::string& out) {
  out.push_back(static_cast<char>(mark));
  Put16(static_cast<uint16_t>(scale), out);
}

// Zeros that the lowest group needs behind the last digit.
int PaddingOf(int scale) { return (kGroupDigits - scale % kGroupDigits) % kGroupDigits; }

// The parts of an encoded finite value that is not zero.
struct Groups {
  explicit Groups(std::string_view bytes)
      : negative(static_cast<uint8_t>(bytes.front()) == kNegativeMark) {
    const uint16_t flip = negative ? 0xFFFF : 0;
    weight = (LoadBe<uint16_t>(bytes.data() + 1) ^ flip) - kWeightBias;
    scale = LoadBe<uint16_t>(bytes.data() + bytes.size() - kScaleBytes);
    const size_t tail = kScaleBytes + (negative ? kGroupBytes : 0);
    data = bytes.data() + kHeadBytes;
    count = (bytes.size() - kHeadBytes - tail) / kGroupBytes;
  }
  unsigned At(size_t i) const {
    const uint16_t flip = negative ? 0xFFFF : 0;
    return static_cast<unsigned>(LoadBe<uint16_t>(data + i * kGroupBytes) ^ flip) - kGroupBias;
  }
  // value = all groups as one number * 10^exponent
  int exponent() const { return (weight + 1 - static_cast<int>(count)) * kGroupDigits; }

  bool negative;
  int weight;
  int scale;
  const char* data;
  size_t count;
};

bool IsGrouped(std::string_view bytes) {
  const auto mark = static_cast<uint8_t>(bytes.front());
  return mark == kNegativeMark || mark == kPositiveMark;
}

}  // namespace

std::string_view BigKey(std::string_view bytes) {
  return bytes.substr(0, bytes.size() - std::min(bytes.size(), kScaleBytes));
}

int BigScale(std::string_view bytes) {
  return LoadBe<uint16_t>(bytes.data() + bytes.size() - kScaleBytes);
}

bool IsBigEncoding(std::string_view bytes) {
  if (bytes.size() <= kScaleBytes || BigScale(bytes) > kBigScaleMax) return false;
  switch (static_cast<uint8_t>(bytes.front())) {
    case kMinusInfinityMark:
    case kZeroMark:
    case kInfinityMark:
    case kNaNMark:
      return bytes.size() == 1 + kScaleBytes;
    case kNegativeMark:
    case kPositiveMark:
      break;
    default:
      return false;
  }
  const bool negative = static_cast<uint8_t>(bytes.front()) == kNegativeMark;
  const size_t around = kHeadBytes + kScaleBytes + (negative ? kGroupBytes : 0);
  if (bytes.size() <= around || (bytes.size() - around) % kGroupBytes != 0) return false;
  const Groups groups(bytes);
  for (size_t i = 0; i < groups.count; ++i) {
    if (groups.At(i) >= kGroupBase) return false;
  }
  return true;
}

void AppendBigBytes(Int128 units, int scale, std::string& out) {
  if (units == 0) return PutMark(kZeroMark, scale, out);
  constexpr std::array<unsigned, 5> kPowers{1, 10, 100, 1000, 10000};
  const bool negative = units < 0;
  auto rest = static_cast<unsigned __int128>(negative ? -units : units);
  const int padding = PaddingOf(scale);
  std::array<unsigned, 12> groups{};  // the lowest first
  size_t count = 0;
  const auto take = [&](unsigned base) {
    unsigned group;
    if (rest <= UINT64_MAX) {
      const auto low = static_cast<uint64_t>(rest);
      group = static_cast<unsigned>(low % base);
      rest = low / base;
    } else {
      group = static_cast<unsigned>(rest % base);
      rest /= base;
    }
    return group;
  };
  groups[count++] = take(kPowers[static_cast<size_t>(kGroupDigits - padding)]) *
                    kPowers[static_cast<size_t>(padding)];
  while (rest != 0) groups[count++] = take(kGroupBase);
  const int weight = static_cast<int>(count) - 1 - (scale + padding) / kGroupDigits;
  PutLowestFirst(negative, weight, {groups.data(), count}, scale, out);
}

void AppendWholeBytes(int64_t whole, int scale, std::string& out) {
  if (whole == 0) return PutMark(kZeroMark, scale, out);
  std::array<unsigned, 5> groups{};  // the lowest first
  size_t count = 0;
  for (uint64_t rest = static_cast<uint64_t>(std::abs(whole)); rest != 0; rest /= kGroupBase) {
    groups[count++] = static_cast<unsigned>(rest % kGroupBase);
  }
  PutLowestFirst(whole < 0, static_cast<int>(count) - 1, {groups.data(), count}, scale, out);
}

void AppendBigBytes(const BigNumeric& value, std::string& out) {
  switch (value.kind) {
    case BigNumeric::Kind::kNaN:
      return PutMark(kNaNMark, 0, out);
    case BigNumeric::Kind::kInfinity:
      return PutMark(kInfinityMark, 0, out);
    case BigNumeric::Kind::kMinusInfinity:
      return PutMark(kMinusInfinityMark, 0, out);
    case BigNumeric::Kind::kFinite:
      break;
  }
  const mpz_class magnitude = abs(value.units);
  if (magnitude == 0) return PutMark(kZeroMark, value.scale, out);
  const int padding = PaddingOf(value.scale);
  std::string digits = magnitude.get_str();
  digits.append(static_cast<size_t>(padding), '0');
  digits.insert(0, (kGroupDigits - digits.size() % kGroupDigits) % kGroupDigits, '0');
  size_t count = digits.size() / kGroupDigits;
  const int weight = static_cast<int>(count) - 1 - (value.scale + padding) / kGroupDigits;
  const auto group_at = [&](size_t i) {
    unsigned group = 0;
    for (size_t k = 0; k < kGroupDigits; ++k) {
      group = group * 10 + static_cast<unsigned>(digits[i * kGroupDigits + k] - '0');
    }
    return group;
  };
  while (group_at(count - 1) == 0) --count;
  PutGroups(value.units < 0, weight, count, value.scale, group_at, out);
}

std::optional<SmallNumeric> DecodeSmall(std::string_view bytes) {
  if (bytes.size() <= kScaleBytes) return std::nullopt;
  if (static_cast<uint8_t>(bytes.front()) == kZeroMark) return SmallNumeric{0, BigScale(bytes)};
  if (!IsGrouped(bytes)) return std::nullopt;
  const Groups groups(bytes);
  if (groups.count > kSmallGroupsMax) return std::nullopt;
  // The groups end behind the last digit shown, or before it.
  const int shift = groups.exponent() + groups.scale;
  if (static_cast<int>(groups.count) * kGroupDigits + std::max(0, shift) > kSmallDigitsMax) {
    return std::nullopt;
  }
  Int128 units = 0;
  for (size_t i = 0; i < groups.count; ++i) units = units * kGroupBase + groups.At(i);
  units = shift >= 0 ? units * PowerOfTen(shift) : units / PowerOfTen(-shift);
  return SmallNumeric{groups.negative ? -units : units, groups.scale};
}

BigNumeric DecodeBig(std::string_view bytes) {
  if (const auto small = DecodeSmall(bytes)) return BigNumeric::Of(small->units, small->scale);
  OMEN_CHECK(bytes.size() > kScaleBytes);
  switch (static_cast<uint8_t>(bytes.front())) {
    case kNaNMark:
      return BigNumeric::NaN();
    case kInfinityMark:
      return BigNumeric::Infinity();
    case kMinusInfinityMark:
      return BigNumeric::Infinity(true);
    default:
      break;
  }
  const Groups groups(bytes);
  std::string digits;
  digits.reserve(groups.count * kGroupDigits);
  for (size_t i = 0; i < groups.count; ++i) {
    const unsigned group = groups.At(i);
    for (unsigned power = kGroupBase / 10; power != 0; power /= 10) {
      digits.push_back(static_cast<char>('0' + group / power % 10));
    }
  }
  BigNumeric value;
  value.scale = groups.scale;
  value.units = mpz_class(digits, 10);
  const int shift = groups.exponent() + groups.scale;
  if (shift >= 0) {
    value.units *= BigPowerOfTen(shift);
  } else {
    value.units /= BigPowerOfTen(-shift);
  }
  if (groups.negative) value.units = -value.units;
  return value;
}

Value ToValue(const BigNumeric& value, Arena& arena) {
  std::string bytes;
  AppendBigBytes(value, bytes);
  return Value::String(arena.Copy(bytes));
}

Value ToValue(Int128 units, int scale, Arena& arena) {
  std::string bytes;
  AppendBigBytes(units, scale, bytes);
  return Value::String(arena.Copy(bytes));
}

}  // namespace omendb::types
