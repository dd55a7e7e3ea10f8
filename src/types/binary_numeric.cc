#include "types/binary_numeric.h"

#include <algorithm>
#include <vector>

#include "base/bytes.h"
#include "base/sqlstate.h"
#include "types/numeric.h"

namespace omendb::types {
namespace {

constexpr int kDigitBase = 10000;
constexpr int kDigitDecimals = 4;
constexpr uint16_t kPositive = 0x0000;
constexpr uint16_t kNegative = 0x4000;
constexpr uint16_t kNan = 0xC000;
constexpr uint16_t kPlusInfinity = 0xD000;
constexpr uint16_t kMinusInfinity = 0xF000;
constexpr size_t kHeaderBytes = 8;
// Digits that text of a value in range can need; more is refused before any work.
constexpr uint16_t kDigitsMax = 1000;

Status BadNumeric(std::string_view what) {
  return Status(sqlstate::kInvalidBinaryRepresentation,
                "invalid " + std::string(what) + " in external \"numeric\" value");
}

void PutBe16(int value, std::string& out) {
  char bytes[2];
  StoreBe<uint16_t>(bytes, static_cast<uint16_t>(value));
  out.append(bytes, 2);
}

// The number as decimal text: digits before and behind the point.
std::string DecimalText(bool negative, int weight, const std::vector<uint16_t>& digits) {
  std::string text = negative ? "-0" : "0";
  auto append = [&text](int digit) {
    for (int divisor = kDigitBase / 10; divisor > 0; divisor /= 10) {
      text += static_cast<char>('0' + digit / divisor % 10);
    }
  };
  auto digit_at = [&digits](int i) {
    return i >= 0 && i < static_cast<int>(digits.size()) ? static_cast<int>(digits[i]) : 0;
  };
  for (int i = 0; i <= weight; ++i) append(digit_at(i));
  text += '.';
  for (int i = weight + 1; i < static_cast<int>(digits.size()); ++i) append(digit_at(i));
  return text;
}

}  // namespace

Result<Value> ReceiveNumeric(const SqlType& type, std::string_view bytes) {
  if (bytes.size() < kHeaderBytes) {
    return Status(sqlstate::kProtocolViolation, "insufficient data left in message");
  }
  const uint16_t count = LoadBe<uint16_t>(bytes.data());
  const auto weight = static_cast<int16_t>(LoadBe<uint16_t>(bytes.data() + 2));
  const uint16_t sign = LoadBe<uint16_t>(bytes.data() + 4);
  const uint16_t scale = LoadBe<uint16_t>(bytes.data() + 6);
  if (sign == kNan || sign == kPlusInfinity || sign == kMinusInfinity) {
    return NotSupported("numeric NaN or infinity");
  }
  if (sign != kPositive && sign != kNegative) return BadNumeric("sign");
  if (scale > 0x3FFF) return BadNumeric("scale");
  if (bytes.size() != kHeaderBytes + size_t{count} * 2) {
    return Status(sqlstate::kInvalidBinaryRepresentation, "incorrect binary data format");
  }
  if (count > kDigitsMax || weight > kDigitsMax || weight < -kDigitsMax) {
    return NumericOverflow(type);
  }
  std::vector<uint16_t> digits(count);
  for (size_t i = 0; i < count; ++i) {
    digits[i] = LoadBe<uint16_t>(bytes.data() + kHeaderBytes + i * 2);
    if (digits[i] >= kDigitBase) return BadNumeric("digit");
  }
  int shown_weight = weight;
  if (weight < -1) {  // Leading zero digits behind the point.
    digits.insert(digits.begin(), static_cast<size_t>(-1 - weight), 0);
    shown_weight = -1;
  }
  return ParseNumeric(DecimalText(sign == kNegative, shown_weight, digits), type);
}

void SendNumeric(const SqlType& type, const Value& value, std::string& out) {
  Int128 units = NumericUnits(type, value);
  int scale = type.numeric_scale();
  if (type.numeric_unconstrained()) {
    for (; scale > 0 && units % 10 == 0; --scale) units /= 10;
  }
  const bool negative = units < 0;
  auto magnitude = static_cast<unsigned __int128>(negative ? -units : units);
  // Base-10000 digits behind the point must be whole: pad the last one with zeros.
  const int pad = (kDigitDecimals - scale % kDigitDecimals) % kDigitDecimals;
  std::vector<int> digits;  // least significant first
  // The last digit takes what is left of the scale, so that no product can overflow.
  if (pad != 0) {
    auto divisor = static_cast<unsigned __int128>(PowerOfTen(kDigitDecimals - pad));
    digits.push_back(static_cast<int>(magnitude % divisor) * static_cast<int>(PowerOfTen(pad)));
    magnitude /= divisor;
  }
  for (; magnitude != 0; magnitude /= kDigitBase) {
    digits.push_back(static_cast<int>(magnitude % kDigitBase));
  }
  const int fraction_digits = (scale + pad) / kDigitDecimals;
  int weight = static_cast<int>(digits.size()) - fraction_digits - 1;
  while (!digits.empty() && digits.back() == 0) {
    digits.pop_back();
    --weight;
  }
  const auto first_used = std::find_if(digits.begin(), digits.end(), [](int d) { return d != 0; });
  digits.erase(digits.begin(), first_used);
  PutBe16(static_cast<int>(digits.size()), out);
  PutBe16(digits.empty() ? 0 : weight, out);
  PutBe16(negative ? kNegative : kPositive, out);
  PutBe16(scale, out);
  for (auto digit = digits.rbegin(); digit != digits.rend(); ++digit) PutBe16(*digit, out);
}

}  // namespace omendb::types
