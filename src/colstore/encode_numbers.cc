// Integers, 128-bit numbers and floats as packed numbers.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/bytes.h"
#include "colstore/encode_internal.h"

namespace omendb::colstore {
namespace {

using types::Int128;
using types::PhysicalType;
using Unsigned128 = unsigned __int128;

constexpr size_t kFrameHeadBytes = 32;
constexpr double kUnitsMax = 2251799813685248.0;  // 2^51
constexpr uint32_t kDecimalSample = 32;

constexpr uint32_t kRangeSample = 64;

// A base for most of the values. Values below it wrap around and become exceptions, as those far
// above do, so a few outliers on either side cost only themselves.
int64_t PickBase(const int64_t* ints, uint32_t rows) {
  const auto [low, high] = std::minmax_element(ints, ints + rows);
  std::array<int64_t, kRangeSample> sample;
  for (uint32_t i = 0; i < kRangeSample; ++i) sample[i] = ints[uint64_t{i} * rows / kRangeSample];
  std::sort(sample.begin(), sample.end());
  const int64_t usual_low = sample[kRangeSample / 10];
  const auto spread =
      static_cast<uint64_t>(sample[kRangeSample * 9 / 10]) - static_cast<uint64_t>(usual_low);
  const auto range = static_cast<uint64_t>(*high) - static_cast<uint64_t>(*low);
  if (BitsFor(spread) + 3 > BitsFor(range)) return *low;
  int64_t base = usual_low;
  for (uint32_t i = 0; i < rows; ++i) {
    const bool near = ints[i] < base &&
                      static_cast<uint64_t>(usual_low) - static_cast<uint64_t>(ints[i]) <= spread;
    if (near) base = ints[i];
  }
  return base;
}

size_t CellBytes(const ColumnCells& column) {
  return static_cast<size_t>(types::PhysicalSize(column.physical));
}

double FloatAt(const ColumnCells& column, uint32_t row) {
  const char* cell = column.cells + row * CellBytes(column);
  return column.physical == PhysicalType::kFloat64 ? LoadLe<double>(cell)
                                                   : static_cast<double>(LoadLe<float>(cell));
}

// The units of 10^-exponent that decode to the very bits of the cell; false when there are none.
bool UnitsOf(const ColumnCells& column, uint32_t row, int exponent, int64_t* units) {
  const double power = PowerOfTenDouble(exponent);
  const double scaled = FloatAt(column, row) * power;
  if (!(std::abs(scaled) < kUnitsMax - 1)) return false;
  *units = std::llrint(scaled);
  const double back = static_cast<double>(*units) / power;
  const char* cell = column.cells + row * CellBytes(column);
  if (column.physical == PhysicalType::kFloat64) return std::memcmp(&back, cell, 8) == 0;
  const auto single = static_cast<float>(back);
  return std::memcmp(&single, cell, 4) == 0;
}

// The exponent that suits most of a sample, the smallest of equals; -1 when none suits half of it.
int PickExponent(const ColumnCells& column) {
  const uint32_t step = std::max(1U, column.rows / kDecimalSample);
  uint32_t sampled = 0, most = 0;
  std::array<uint32_t, kExponentMax + 1> fits{};
  for (uint32_t row = 0; row < column.rows; row += step, ++sampled) {
    int64_t units;
    for (int e = 0; e <= kExponentMax; ++e) fits[e] += UnitsOf(column, row, e, &units) ? 1 : 0;
  }
  int best = -1;
  for (int e = 0; e <= kExponentMax; ++e) {
    if (fits[e] <= most || 2 * fits[e] < sampled) continue;
    most = fits[e];
    best = e;
  }
  return best;
}

}  // namespace

// Chooses the width of scratch_->packed that takes the fewest bytes with its exceptions.
void BlockEncoder::PlanPacking(const ColumnCells& column) {
  std::array<uint32_t, 65> widths{};
  uint32_t forced = 0;
  for (uint32_t i = 0; i < column.rows; ++i) {
    if (scratch_->forced[i]) {
      ++forced;
    } else {
      ++widths[BitsFor(scratch_->packed[i])];
    }
  }
  const size_t exception_bytes = 2 + CellBytes(column);
  uint32_t above = column.rows - forced;
  scratch_->frame_bytes = SIZE_MAX;
  const int width_max = static_cast<int>(std::min<size_t>(64, CellBytes(column) * 8));
  for (int width = 0; width <= width_max; ++width) {
    above -= widths[width];
    const size_t bytes = PackedBytes(column.rows, width) + (above + forced) * exception_bytes;
    if (bytes >= scratch_->frame_bytes) continue;
    scratch_->frame_bytes = bytes;
    scratch_->width = width;
  }
}

// Packed numbers, positions, cells.
void BlockEncoder::WriteFrame(const ColumnCells& column, std::string& out) const {
  std::vector<uint16_t> exceptions;
  std::array<uint64_t, kBlockRows> numbers;
  for (uint32_t i = 0; i < column.rows; ++i) {
    const bool fits = !scratch_->forced[i] && BitsFor(scratch_->packed[i]) <= scratch_->width;
    numbers[i] = fits ? scratch_->packed[i] : 0;
    if (!fits) exceptions.push_back(static_cast<uint16_t>(i));
  }
  const bool decimal = IsFloat(column.physical);
  ByteWriter writer(out);
  writer.Put<uint8_t>(static_cast<uint8_t>(scratch_->width));
  writer.Put<uint8_t>(decimal ? static_cast<uint8_t>(scratch_->exponent) : 0);
  writer.Put<uint16_t>(static_cast<uint16_t>(exceptions.size()));
  writer.Put<uint32_t>(0);
  if (decimal) {
    writer.Put<int64_t>(static_cast<int64_t>(scratch_->base));
  } else {
    writer.Put<uint64_t>(0);
    writer.Put<Int128>(scratch_->base);
  }
  AppendPacked(numbers.data(), column.rows, scratch_->width, out);
  for (const uint16_t position : exceptions) writer.Put<uint16_t>(position);
  const size_t size = CellBytes(column);
  for (const uint16_t position : exceptions) out.append(column.cells + position * size, size);
}

void BlockEncoder::OfferPacked(Encoding encoding, size_t head_bytes, const ColumnCells& column) {
  PlanPacking(column);
  Offer(encoding, head_bytes + scratch_->frame_bytes,
        [this, &column](std::string& out) { WriteFrame(column, out); });
}

void BlockEncoder::OfferIntegers(const ColumnCells& column) {
  const size_t size = CellBytes(column);
  for (uint32_t i = 0; i < column.rows; ++i) {
    scratch_->ints[i] = LoadInt(column.physical, column.cells + i * size);
  }
  OfferFrame(column);
  OfferDelta(column);
}

void BlockEncoder::OfferFrame(const ColumnCells& column) {
  const auto* ints = scratch_->ints.data();
  const int64_t low = PickBase(ints, column.rows);
  for (uint32_t i = 0; i < column.rows; ++i) {
    scratch_->packed[i] = static_cast<uint64_t>(ints[i]) - static_cast<uint64_t>(low);
  }
  scratch_->forced.fill(false);
  scratch_->base = low;
  OfferPacked(Encoding::kFrame, kFrameHeadBytes, column);
}

void BlockEncoder::OfferDelta(const ColumnCells& column) {
  const auto& ints = scratch_->ints;
  int64_t low = INT64_MAX, high = INT64_MIN;
  for (uint32_t i = 1; i < column.rows; ++i) {
    const uint64_t delta = static_cast<uint64_t>(ints[i]) - static_cast<uint64_t>(ints[i - 1]);
    scratch_->deltas[i] = delta;
    low = std::min(low, static_cast<int64_t>(delta));
    high = std::max(high, static_cast<int64_t>(delta));
  }
  if (column.rows == 1) low = high = 0;
  scratch_->step = low;
  scratch_->delta_width = BitsFor(static_cast<uint64_t>(high) - static_cast<uint64_t>(low));
  const bool steady = scratch_->delta_width == 0;
  const uint32_t kept = steady ? 1 : (column.rows + kDeltaStride - 1) / kDeltaStride;
  const size_t bytes =
      kEntriesHeadBytes + AlignUp(kept * 8) + PackedBytes(column.rows, scratch_->delta_width);
  Offer(Encoding::kDelta, bytes, [this, &column, kept](std::string& out) {
    ByteWriter writer(out);
    const size_t begin = out.size();
    writer.Put<uint64_t>(static_cast<uint64_t>(scratch_->delta_width));
    writer.Put<int64_t>(scratch_->step);
    for (uint32_t i = 0; i < kept; ++i) writer.Put<int64_t>(scratch_->ints[i * kDeltaStride]);
    PadTo16(out, begin);
    scratch_->deltas[0] = static_cast<uint64_t>(scratch_->step);
    for (uint32_t i = 0; i < column.rows; ++i) {
      scratch_->deltas[i] -= static_cast<uint64_t>(scratch_->step);
    }
    AppendPacked(scratch_->deltas.data(), column.rows, scratch_->delta_width, out);
  });
}

// Numbers more than 2^64 above the least are exceptions.
void BlockEncoder::OfferWide(const ColumnCells& column) {
  const auto at = [&column](uint32_t row) { return LoadLe<Int128>(column.cells + row * 16UL); };
  Int128 low = at(0);
  for (uint32_t i = 1; i < column.rows; ++i) low = std::min(low, at(i));
  for (uint32_t i = 0; i < column.rows; ++i) {
    const Unsigned128 distance = static_cast<Unsigned128>(at(i)) - static_cast<Unsigned128>(low);
    scratch_->packed[i] = static_cast<uint64_t>(distance);
    scratch_->forced[i] = distance >> 64 != 0;
  }
  scratch_->base = low;
  OfferPacked(Encoding::kFrame, kFrameHeadBytes, column);
}

void BlockEncoder::OfferDecimals(const ColumnCells& column) {
  const int exponent = PickExponent(column);
  if (exponent < 0) return;
  int64_t low = INT64_MAX;
  for (uint32_t i = 0; i < column.rows; ++i) {
    int64_t& units = scratch_->ints[i];
    scratch_->forced[i] = !UnitsOf(column, i, exponent, &units);
    if (!scratch_->forced[i]) low = std::min(low, units);
  }
  if (low == INT64_MAX) return;
  for (uint32_t i = 0; i < column.rows; ++i) {
    scratch_->packed[i] = static_cast<uint64_t>(scratch_->ints[i]) - static_cast<uint64_t>(low);
  }
  scratch_->exponent = exponent;
  scratch_->base = low;
  OfferPacked(Encoding::kDecimal, kEntriesHeadBytes, column);
}

}  // namespace omendb::colstore
