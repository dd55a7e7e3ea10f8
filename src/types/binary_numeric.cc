#include "types/binary_numeric.h"

#include <algorithm>
#include <cstdio>

#include "base/bytes.h"
#include "base/sqlstate.h"
#include "types/big_numeric.h"
#include "types/numeric.h"

namespace omendb::types {
namespace {

constexpr uint16_t kPositive = 0x0000, kNegative = 0x4000, kNaN = 0xC000, kInfinity = 0xD000,
                   kMinusInfinity = 0xF000;
constexpr uint16_t kScaleMax = 0x3FFF;
constexpr int kBase = 10000;
constexpr int kDigitsOfBase = 4;

Status Invalid(std::string what) {
  return Status(sqlstate::kInvalidBinaryRepresentation,
                "invalid " + what + " in external \"numeric\" value");
}

void Put16(uint16_t value, std::string& out) {
  char buffer[2];
  StoreBe<uint16_t>(buffer, value);
  out.append(buffer, 2);
}

// The lowest digits of `rest` in `base`, which it loses.
unsigned NextGroup(unsigned __int128& rest, unsigned base) {
  if (rest <= UINT64_MAX) {
    auto low = static_cast<uint64_t>(rest);
    rest = low / base;
    return static_cast<unsigned>(low % base);
  }
  auto group = static_cast<unsigned>(rest % base);
  rest /= base;
  return group;
}

// The groups as decimal text: "123" groups with weight 0 is "123", with weight -1 "0.0123".
std::string GroupsToText(std::string_view groups, int weight, int scale) {
  auto count = static_cast<int>(groups.size() / 2);
  std::string text;
  char digits[8];
  auto put = [&](int index) {
    unsigned group = index >= 0 && index < count
                         ? LoadBe<uint16_t>(groups.data() + static_cast<size_t>(index) * 2)
                         : 0;
    std::snprintf(digits, sizeof(digits), "%04u", group % kBase);
    text.append(digits, kDigitsOfBase);
  };
  for (int i = 0; i <= weight; ++i) put(i);
  if (text.empty()) text = "0";
  text += '.';
  // Groups at power -1 and below; index grows as the power falls.
  int fraction_groups = std::max(0, count - 1 - weight);
  for (int i = 0; i < fraction_groups; ++i) put(weight + 1 + i);
  // Digits beyond the shown scale are not part of the value.
  size_t point = text.find('.');
  size_t kept = point + 1 + static_cast<size_t>(scale);
  if (text.size() > kept) text.resize(kept);
  if (text.back() == '.') text.pop_back();
  return text;
}

// Digits behind the scale are not part of the value, as PostgreSQL receives it.
Result<Value> ReceiveBig(std::string_view groups, int weight, int scale, bool negative,
                         Arena& arena) {
  BigNumeric value;
  value.scale = scale;
  std::string digits;
  for (size_t i = 0; i < groups.size(); i += 2) {
    char group[8];
    std::snprintf(group, sizeof(group), "%04u", unsigned{LoadBe<uint16_t>(groups.data() + i)});
    digits.append(group, kDigitsOfBase);
  }
  value.units = mpz_class(digits, 10);
  const int shift = (weight + 1) * kDigitsOfBase - static_cast<int>(digits.size()) + scale;
  if (shift >= 0) {
    value.units *= BigPowerOfTen(shift);
  } else {
    value.units /= BigPowerOfTen(-shift);
  }
  if (negative) value.units = -value.units;
  OMEN_ASSIGN(value, InRange(std::move(value)));
  return ToValue(value, arena);
}

void PutHead(int count, int weight, uint16_t sign, int scale, std::string& out) {
  Put16(static_cast<uint16_t>(count), out);
  Put16(static_cast<uint16_t>(static_cast<int16_t>(weight)), out);
  Put16(sign, out);
  Put16(static_cast<uint16_t>(scale), out);
}

void SendBig(std::string_view bytes, std::string& out) {
  const BigNumeric value = DecodeBig(bytes);
  switch (value.kind) {
    case BigNumeric::Kind::kNaN:
      return PutHead(0, 0, kNaN, 0, out);
    case BigNumeric::Kind::kInfinity:
      return PutHead(0, 0, kInfinity, 0, out);
    case BigNumeric::Kind::kMinusInfinity:
      return PutHead(0, 0, kMinusInfinity, 0, out);
    case BigNumeric::Kind::kFinite:
      break;
  }
  if (value.units == 0) return PutHead(0, 0, kPositive, value.scale, out);
  std::string digits = mpz_class(abs(value.units)).get_str();
  const int padding = (kDigitsOfBase - value.scale % kDigitsOfBase) % kDigitsOfBase;
  digits.append(static_cast<size_t>(padding), '0');
  digits.insert(0, (kDigitsOfBase - digits.size() % kDigitsOfBase) % kDigitsOfBase, '0');
  auto count = static_cast<int>(digits.size()) / kDigitsOfBase;
  const int weight = count - 1 - (value.scale + padding) / kDigitsOfBase;
  const auto group_at = [&](int i) {
    return static_cast<uint16_t>(
        std::stoi(digits.substr(static_cast<size_t>(i) * kDigitsOfBase, kDigitsOfBase)));
  };
  while (group_at(count - 1) == 0) --count;
  PutHead(count, weight, value.units < 0 ? kNegative : kPositive, value.scale, out);
  for (int i = 0; i < count; ++i) Put16(group_at(i), out);
}

}  // namespace

Result<Value> ReceiveNumeric(const SqlType& type, std::string_view bytes, Arena& arena) {
  if (bytes.size() < 8) {
    return Status(sqlstate::kProtocolViolation, "insufficient data left in message");
  }
  size_t count = LoadBe<uint16_t>(bytes.data());
  auto weight = static_cast<int16_t>(LoadBe<uint16_t>(bytes.data() + 2));
  auto sign = LoadBe<uint16_t>(bytes.data() + 4);
  auto scale = LoadBe<uint16_t>(bytes.data() + 6);
  std::string_view groups = bytes.substr(8);
  const bool big = type.numeric_unconstrained();
  if (big && sign == kNaN) return ToValue(BigNumeric::NaN(), arena);
  if (big && (sign == kInfinity || sign == kMinusInfinity)) {
    return ToValue(BigNumeric::Infinity(sign == kMinusInfinity), arena);
  }
  if (sign == kNaN || sign == kInfinity || sign == kMinusInfinity) {
    return NotSupported("numeric value NaN or infinity");
  }
  if (sign != kPositive && sign != kNegative) return Invalid("sign");
  if (scale > kScaleMax) return Invalid("scale");
  if (groups.size() != count * 2) {
    return Status(sqlstate::kInvalidBinaryRepresentation, "incorrect binary data format");
  }
  bool any = false;
  for (size_t i = 0; i < count; ++i) {
    auto group = LoadBe<uint16_t>(groups.data() + i * 2);
    if (group >= kBase) return Invalid("digit");
    if (group != 0) any = true;
  }
  if (!any) return big ? ToValue(0, scale, arena) : NumericFromUnits(type, 0);
  // Leading zero groups do not count towards the size.
  while (LoadBe<uint16_t>(groups.data()) == 0) {
    groups.remove_prefix(2);
    --weight;
  }
  if (big) return ReceiveBig(groups, weight, scale, sign == kNegative, arena);
  constexpr int kWeightMax = kNumericPrecisionMax / kDigitsOfBase + 1;
  if (weight > kWeightMax) return NumericOverflow(type);
  // Far behind every scale of ours: rounds to zero.
  if (weight < -kWeightMax - 1) return NumericFromUnits(type, 0);
  std::string text = GroupsToText(groups, weight, scale);
  if (sign == kNegative) text.insert(0, 1, '-');
  return ParseNumeric(text, type);
}

void SendNumeric(const SqlType& type, const Value& value, std::string& out) {
  if (type.numeric_unconstrained()) return SendBig(value.str(), out);
  Int128 units = NumericUnits(type, value);
  int scale = type.numeric_scale();
  if (type.numeric_legacy()) TrimZeros(units, scale);
  bool negative = units < 0;
  auto rest = static_cast<unsigned __int128>(negative ? -units : units);
  // Groups from the last on; the lowest may hold fewer digits of the number than four.
  int padding = (kDigitsOfBase - scale % kDigitsOfBase) % kDigitsOfBase;
  int weight = -(scale + padding) / kDigitsOfBase - 1;
  uint16_t groups[12];
  int count = 0;
  constexpr int kPowers[] = {1, 10, 100, 1000, 10000};
  auto lowest = kPowers[kDigitsOfBase - padding];
  for (bool first = true; rest != 0; first = false) {
    auto base = static_cast<unsigned>(first ? lowest : kBase);
    unsigned group = NextGroup(rest, base);
    groups[count++] =
        static_cast<uint16_t>(first ? group * static_cast<unsigned>(kPowers[padding]) : group);
    ++weight;
  }
  int last = 0;  // Groups of zeros at the end are not sent.
  while (last < count && groups[last] == 0) ++last;
  bool zero = count == 0;
  Put16(static_cast<uint16_t>(count - last), out);
  Put16(zero ? 0 : static_cast<uint16_t>(static_cast<int16_t>(weight)), out);
  Put16(negative ? kNegative : kPositive, out);
  Put16(static_cast<uint16_t>(scale), out);
  for (int i = count - 1; i >= last; --i) Put16(groups[i], out);
}

}  // namespace omendb::types
