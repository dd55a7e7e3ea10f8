#include "colstore/encode.h"

#include <algorithm>
#include <cstring>

#include "base/bytes.h"
#include "colstore/encode_internal.h"
#include "colstore/strings.h"

namespace omendb::colstore {
namespace {

using types::PhysicalType;

// A dearer decoding must save something; cells as they are cost nothing to decode.
double Handicap(Encoding encoding) {
  switch (encoding) {
    case Encoding::kPlain:
      return 0.97;
    case Encoding::kDelta:
      return 1.1;
    default:
      return 1.0;
  }
}

// A NULL repeats the value before it, so that it disturbs neither ranges nor runs.
void FillNulls(const ColumnCells& column) {
  const auto size = static_cast<size_t>(types::PhysicalSize(column.physical));
  uint32_t source = 0;
  while (column.is_null(source)) ++source;
  for (uint32_t i = 0; i < column.rows; ++i) {
    if (!column.is_null(i)) {
      source = i;
    } else {
      std::memcpy(column.cells + i * size, column.cells + source * size, size);
    }
  }
}

NullForm AppendNulls(const ColumnCells& column, std::string& out) {
  if (column.nulls == 0) return NullForm::kNone;
  if (column.nulls == column.rows) return NullForm::kAll;
  const uint32_t words = (column.rows + 63) / 64;
  const uint32_t listed = std::min(column.nulls, column.rows - column.nulls);
  const size_t begin = out.size();
  ByteWriter writer(out);
  if (listed * 2 >= words * 8) {
    for (uint32_t word = 0; word < words; ++word) {
      const uint32_t left = column.rows - word * 64;
      const uint64_t mask = left < 64 ? (uint64_t{1} << left) - 1 : ~uint64_t{0};
      writer.Put<uint64_t>(column.validity[word] & mask);
    }
    PadTo16(out, begin);
    return NullForm::kBitmap;
  }
  const bool of_nulls = listed == column.nulls;
  for (uint32_t i = 0; i < column.rows; ++i) {
    if (column.is_null(i) == of_nulls) writer.Put<uint16_t>(static_cast<uint16_t>(i));
  }
  PadTo16(out, begin);
  return of_nulls ? NullForm::kPositions : NullForm::kComplement;
}

}  // namespace

BlockEncoder::BlockEncoder() : scratch_(std::make_unique<Scratch>()) {}
BlockEncoder::~BlockEncoder() = default;

void BlockEncoder::Encode(const ColumnCells& column, SymbolHint& hint, std::string& out) {
  EncodeFrom(std::nullopt, column, hint, out);
}

bool BlockEncoder::EncodeAs(Encoding encoding, const ColumnCells& column, std::string& out) {
  SymbolHint hint;
  return EncodeFrom(encoding, column, hint, out);
}

void BlockEncoder::Offer(Encoding encoding, size_t bytes, std::function<void(std::string&)> write) {
  candidates_.push_back({encoding, bytes, std::move(write)});
}

const BlockEncoder::Candidate* BlockEncoder::Best(std::optional<Encoding> only) const {
  const Candidate* best = nullptr;
  double least = 0;
  for (const Candidate& candidate : candidates_) {
    if (only && candidate.encoding != *only) continue;
    const double cost = static_cast<double>(candidate.bytes) * Handicap(candidate.encoding);
    if (best != nullptr && cost >= least) continue;
    best = &candidate;
    least = cost;
  }
  return best;
}

bool BlockEncoder::EncodeFrom(std::optional<Encoding> only, const ColumnCells& column,
                              SymbolHint& hint, std::string& out) {
  candidates_.clear();
  if (column.nulls == column.rows) {
    Offer(Encoding::kConstant, 0, [](std::string&) {});
  } else {
    FillNulls(column);
    if (column.physical == PhysicalType::kString) {
      OfferStrings(column, hint, only.has_value());
    } else {
      if (IsInteger(column.physical)) OfferIntegers(column);
      if (IsFloat(column.physical)) OfferDecimals(column);
      if (column.physical == PhysicalType::kInt128) OfferWide(column);
      OfferCells(column);
    }
  }
  const Candidate* best = Best(only);
  if (best == nullptr) return false;
  const size_t begin = out.size();
  out.resize(begin + kBlockHeaderBytes);
  const NullForm nulls = AppendNulls(column, out);
  best->write(out);
  char* const head = out.data() + begin;
  StoreLe<uint32_t>(head + 4, static_cast<uint32_t>(out.size() - begin));
  StoreLe<uint16_t>(head + 8, static_cast<uint16_t>(column.rows));
  head[10] = static_cast<char>(best->encoding);
  head[11] = static_cast<char>(nulls);
  StoreLe<uint16_t>(head + 12, static_cast<uint16_t>(column.nulls));
  return true;
}

size_t RunEndsBytes(size_t runs) { return kEntriesHeadBytes + AlignUp(2 * runs); }

void AppendRunEnds(const std::vector<uint16_t>& ends, std::string& out) {
  const size_t begin = out.size();
  ByteWriter writer(out);
  writer.Put<uint16_t>(static_cast<uint16_t>(ends.size()));
  out.resize(begin + kEntriesHeadBytes);
  for (const uint16_t end : ends) writer.Put<uint16_t>(end);
  PadTo16(out, begin);
}

size_t CodesBytes(uint32_t rows, size_t entries) {
  return kEntriesHeadBytes + PackedBytes(rows, BitsFor(entries - 1));
}

void AppendCodes(const uint64_t* codes, uint32_t rows, size_t entries, std::string& out) {
  const size_t begin = out.size();
  const int width = BitsFor(entries - 1);
  ByteWriter writer(out);
  writer.Put<uint16_t>(static_cast<uint16_t>(entries));
  writer.Put<uint8_t>(static_cast<uint8_t>(width));
  out.resize(begin + kEntriesHeadBytes);
  AppendPacked(codes, rows, width, out);
}

}  // namespace omendb::colstore
