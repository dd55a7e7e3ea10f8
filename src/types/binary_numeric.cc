#include "types/binary_numeric.h"

#include <algorithm>
#include <cstdio>
#include <vector>

#include "base/bytes.h"
#include "base/sqlstate.h"
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

}  // namespace

Result<Value> ReceiveNumeric(const SqlType& type, std::string_view bytes) {
  if (bytes.size() < 8) {
    return Status(sqlstate::kProtocolViolation, "insufficient data left in message");
  }
  size_t count = LoadBe<uint16_t>(bytes.data());
  auto weight = static_cast<int16_t>(LoadBe<uint16_t>(bytes.data() + 2));
  auto sign = LoadBe<uint16_t>(bytes.data() + 4);
  auto scale = LoadBe<uint16_t>(bytes.data() + 6);
  std::string_view groups = bytes.substr(8);
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
  if (!any) return NumericFromUnits(type, 0);
  // Leading zero groups do not count towards the size.
  while (LoadBe<uint16_t>(groups.data()) == 0) {
    groups.remove_prefix(2);
    --weight;
  }
  constexpr int kWeightMax = kNumericPrecisionMax / kDigitsOfBase + 1;
  if (weight > kWeightMax) return NumericOverflow(type);
  // Far behind every scale of ours: rounds to zero.
  if (weight < -kWeightMax - 1) return NumericFromUnits(type, 0);
  std::string text = GroupsToText(groups, weight, scale);
  if (sign == kNegative) text.insert(0, 1, '-');
  return ParseNumeric(text, type);
}

void SendNumeric(const SqlType& type, const Value& value, std::string& out) {
  std::string text;
  AppendNumeric(type, value, text);
  bool negative = text.front() == '-';
  if (negative) text.erase(0, 1);
  size_t point = std::min(text.find('.'), text.size());
  std::string fraction = point < text.size() ? text.substr(point + 1) : std::string();
  std::string whole = text.substr(0, point);
  auto scale = static_cast<uint16_t>(fraction.size());
  whole.insert(0, (kDigitsOfBase - whole.size() % kDigitsOfBase) % kDigitsOfBase, '0');
  fraction.append((kDigitsOfBase - fraction.size() % kDigitsOfBase) % kDigitsOfBase, '0');
  int weight = static_cast<int>(whole.size()) / kDigitsOfBase - 1;
  std::string all = whole + fraction;
  std::vector<uint16_t> groups;
  for (size_t i = 0; i < all.size(); i += kDigitsOfBase) {
    groups.push_back(static_cast<uint16_t>(std::stoi(all.substr(i, kDigitsOfBase))));
  }
  size_t first = 0;
  while (first < groups.size() && groups[first] == 0) ++first;
  size_t last = groups.size();
  while (last > first && groups[last - 1] == 0) --last;
  bool zero = first == last;
  Put16(static_cast<uint16_t>(last - first), out);
  Put16(zero ? 0 : static_cast<uint16_t>(static_cast<int16_t>(weight - static_cast<int>(first))),
        out);
  Put16(negative && !zero ? kNegative : kPositive, out);
  Put16(scale, out);
  for (size_t i = first; i < last; ++i) Put16(groups[i], out);
}

}  // namespace omendb::types
