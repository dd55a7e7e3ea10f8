// Loops over whole blocks, built with -O3 as bitpack.cc is.
#include "colstore/decode.h"

#include <algorithm>
#include <cstring>

#include "colstore/bitpack.h"

namespace omendb::colstore {
namespace {

using types::PhysicalType;

alignas(64) constexpr uint32_t kZeroSelection[kBlockRows] = {};
constexpr uint64_t kNullConstant[1] = {0};

struct Cell16 {
  uint64_t low, high;
};

template <typename T, typename Code>
void Gather(const char* entries, const Code* codes, uint32_t rows, T* cells) {
  for (uint32_t i = 0; i < rows; ++i) {
    std::memcpy(&cells[i], entries + size_t{codes[i]} * sizeof(T), sizeof(T));
  }
}

// The first number is the first value.
template <typename T>
void PrefixSum(const uint64_t* numbers, uint32_t rows, T* out) {
  uint64_t value = 0;
  for (uint32_t i = 0; i < rows; ++i) {
    value += numbers[i];
    out[i] = static_cast<T>(value);
  }
}

// Units below 2^51 in magnitude become doubles by an addition, since conversions of 64-bit integers
// have no vector form before AVX-512.
constexpr int64_t kDoubleOfZeroBits = 0x4338000000000000;  // 2^52 + 2^51
constexpr double kDoubleOfZero = 6755399441055744.0;

template <typename T>
void UnitsToFloats(const uint64_t* units, uint32_t rows, double divisor, T* out) {
  for (uint32_t i = 0; i < rows; ++i) {
    const uint64_t bits = units[i] + static_cast<uint64_t>(kDoubleOfZeroBits);
    double value;
    std::memcpy(&value, &bits, sizeof(value));
    out[i] = static_cast<T>((value - kDoubleOfZero) / divisor);
  }
}

}  // namespace

void BlockVector::Decode(std::shared_ptr<const Block> block) {
  const BlockView& view = block->view();
  DecodeView(view);
  kept_ = std::move(block);
}

void BlockVector::Begin(const BlockView& block) {
  kept_ = nullptr;
  arena_.Reset();
  physical_ = block.physical;
  rows_ = cells_count_ = block.rows;
  form_ = VectorForm::kFlat;
  data_ = buffers_->cells;
  selection_ = nullptr;
  validity_ = nullptr;
}

void BlockVector::DecodeView(const BlockView& block) {
  Begin(block);
  switch (block.encoding) {
    case Encoding::kPlain:
      if (physical_ == PhysicalType::kString) {
        block.strings.Fill(reinterpret_cast<types::StringSlot*>(buffers_->cells), arena_);
      } else {
        data_ = block.cells;
      }
      break;
    case Encoding::kConstant:
      DecodeConstant(block);
      return;
    case Encoding::kFrame:
      DecodeFrame(block);
      break;
    case Encoding::kDelta:
      DecodeDelta(block);
      break;
    case Encoding::kRuns:
    case Encoding::kDictionary:
      DecodeEntries(block);
      return;
    case Encoding::kDecimal:
      DecodeDecimal(block);
      break;
  }
  DecodeNulls(block);
}

void ReadValidity(const BlockView& block, uint64_t* words) {
  const auto position = [&block](uint32_t i) { return LoadLe<uint16_t>(block.null_bytes + 2 * i); };
  switch (block.null_form) {
    case NullForm::kNone:
      std::fill_n(words, (block.rows + 63) / 64, ~uint64_t{0});
      break;
    case NullForm::kBitmap:
      // At a multiple of 16 within a block, which is aligned itself.
      std::memcpy(words, block.null_bytes, size_t{(block.rows + 63) / 64} * 8);
      break;
    case NullForm::kPositions:
      std::fill_n(words, (block.rows + 63) / 64, ~uint64_t{0});
      for (uint32_t i = 0; i < block.nulls; ++i) {
        words[position(i) / 64] &= ~(uint64_t{1} << position(i) % 64);
      }
      break;
    case NullForm::kComplement:
      std::fill_n(words, (block.rows + 63) / 64, 0);
      for (uint32_t i = 0; i < block.rows - block.nulls; ++i) {
        words[position(i) / 64] |= uint64_t{1} << position(i) % 64;
      }
      break;
    case NullForm::kAll:
      std::fill_n(words, (block.rows + 63) / 64, 0);
      break;
  }
}

void BlockVector::DecodeNulls(const BlockView& block) {
  if (block.null_form == NullForm::kNone) return;
  ReadValidity(block, buffers_->validity);
  validity_ = buffers_->validity;
}

// A constant with some NULLs among its rows is a dictionary of two.
void BlockVector::DecodeConstant(const BlockView& block) {
  form_ = VectorForm::kConstant;
  cells_count_ = 1;
  selection_ = kZeroSelection;
  std::memset(buffers_->cells, 0, 32);
  if (block.null_form == NullForm::kAll) {
    validity_ = kNullConstant;
    return;
  }
  if (physical_ == PhysicalType::kString) {
    const types::StringSlot slot = types::StringSlot::Of(block.constant);
    std::memcpy(buffers_->cells, &slot, sizeof(slot));
  } else {
    std::memcpy(buffers_->cells, block.cells, block.cell_bytes);
  }
  if (block.nulls == 0) return;
  std::fill_n(buffers_->selection, block.rows, 0);
  SetDictionary(block);
}

// buffers_: entries in cells, codes in selection. NULLs become an entry of their own.
void BlockVector::SetDictionary(const BlockView& block) {
  form_ = VectorForm::kDictionary;
  selection_ = buffers_->selection;
  if (block.nulls == 0) return;
  DecodeNulls(block);
  const uint64_t* const by_row = buffers_->validity;
  const uint32_t null_entry = cells_count_++;
  std::memset(buffers_->cells + size_t{null_entry} * block.cell_bytes, 0, block.cell_bytes);
  for (uint32_t i = 0; i < block.rows; ++i) {
    if ((by_row[i / 64] >> i % 64 & 1) == 0) buffers_->selection[i] = null_entry;
  }
  std::fill_n(buffers_->validity, null_entry / 64 + 1, ~uint64_t{0});
  buffers_->validity[null_entry / 64] &= ~(uint64_t{1} << null_entry % 64);
  validity_ = buffers_->validity;
}

void BlockVector::PatchExceptions(const BlockView& block) {
  for (uint32_t i = 0; i < block.entries; ++i) {
    const size_t row = LoadLe<uint16_t>(block.positions + 2 * size_t{i});
    std::memcpy(buffers_->cells + row * block.cell_bytes,
                block.cells + size_t{i} * block.cell_bytes, block.cell_bytes);
  }
}

void BlockVector::DecodeFrame(const BlockView& block) {
  char* const out = buffers_->cells;
  const auto base = static_cast<uint64_t>(block.base);
  switch (physical_) {
    case PhysicalType::kBool8:
      Unpack<uint8_t>(block.packed, rows_, block.width, static_cast<uint8_t>(base),
                      reinterpret_cast<uint8_t*>(out));
      break;
    case PhysicalType::kInt16:
      Unpack<uint16_t>(block.packed, rows_, block.width, static_cast<uint16_t>(base),
                       reinterpret_cast<uint16_t*>(out));
      break;
    case PhysicalType::kInt32:
      Unpack<uint32_t>(block.packed, rows_, block.width, static_cast<uint32_t>(base),
                       reinterpret_cast<uint32_t*>(out));
      break;
    case PhysicalType::kInt64:
      Unpack<uint64_t>(block.packed, rows_, block.width, base, reinterpret_cast<uint64_t*>(out));
      break;
    default: {
      using Unsigned = unsigned __int128;
      Unpack<uint64_t>(block.packed, rows_, block.width, 0, buffers_->wide);
      for (uint32_t i = 0; i < rows_; ++i) {
        StoreLe<Unsigned>(out + size_t{i} * 16,
                          static_cast<Unsigned>(block.base) + buffers_->wide[i]);
      }
    }
  }
  PatchExceptions(block);
}

void BlockVector::DecodeDelta(const BlockView& block) {
  uint64_t* const numbers = buffers_->wide;
  Unpack<uint64_t>(block.packed, rows_, block.width, static_cast<uint64_t>(block.step), numbers);
  numbers[0] = LoadLe<uint64_t>(block.positions);
  char* const out = buffers_->cells;
  switch (physical_) {
    case PhysicalType::kBool8:
      return PrefixSum(numbers, rows_, reinterpret_cast<uint8_t*>(out));
    case PhysicalType::kInt16:
      return PrefixSum(numbers, rows_, reinterpret_cast<uint16_t*>(out));
    case PhysicalType::kInt32:
      return PrefixSum(numbers, rows_, reinterpret_cast<uint32_t*>(out));
    default:
      return PrefixSum(numbers, rows_, reinterpret_cast<uint64_t*>(out));
  }
}

void BlockVector::DecodeDecimal(const BlockView& block) {
  const double divisor = PowerOfTenDouble(block.exponent);
  Unpack<uint64_t>(block.packed, rows_, block.width, static_cast<uint64_t>(block.base),
                   buffers_->wide);
  if (physical_ == PhysicalType::kFloat64) {
    UnitsToFloats(buffers_->wide, rows_, divisor, reinterpret_cast<double*>(buffers_->cells));
  } else {
    UnitsToFloats(buffers_->wide, rows_, divisor, reinterpret_cast<float*>(buffers_->cells));
  }
  PatchExceptions(block);
}

void BlockVector::FillSelection(const BlockView& block) {
  if (block.encoding == Encoding::kDictionary) {
    Unpack<uint32_t>(block.packed, rows_, block.width, 0, buffers_->selection);
    return;
  }
  uint32_t begin = 0;
  for (uint32_t run = 0; run < block.entries; ++run) {
    const uint32_t end = block.EndOfRun(run);
    std::fill(buffers_->selection + begin, buffers_->selection + end, run);
    begin = end;
  }
}

// Codes of a byte where that is enough: they are most of what is read.
template <typename T>
void BlockVector::FillCells(const BlockView& block) {
  auto* const cells = reinterpret_cast<T*>(buffers_->cells);
  if (block.encoding == Encoding::kRuns) {
    uint32_t begin = 0;
    for (uint32_t run = 0; run < block.entries; ++run) {
      T value;
      std::memcpy(&value, block.cells + size_t{run} * sizeof(T), sizeof(T));
      const uint32_t end = block.EndOfRun(run);
      std::fill(cells + begin, cells + end, value);
      begin = end;
    }
  } else if (block.width <= 8) {
    auto* const codes = reinterpret_cast<uint8_t*>(buffers_->selection);
    Unpack<uint8_t>(block.packed, rows_, block.width, 0, codes);
    Gather(block.cells, codes, rows_, cells);
  } else {
    auto* const codes = reinterpret_cast<uint16_t*>(buffers_->selection);
    Unpack<uint16_t>(block.packed, rows_, block.width, 0, codes);
    Gather(block.cells, codes, rows_, cells);
  }
}

// Strings stay a dictionary, which DuckDB computes with; numbers are cheaper flat.
void BlockVector::DecodeEntries(const BlockView& block) {
  if (physical_ == PhysicalType::kString) {
    FillSelection(block);
    cells_count_ = block.entries;
    block.strings.Fill(reinterpret_cast<types::StringSlot*>(buffers_->cells), arena_);
    SetDictionary(block);
    return;
  }
  switch (block.cell_bytes) {
    case 1:
      FillCells<uint8_t>(block);
      break;
    case 2:
      FillCells<uint16_t>(block);
      break;
    case 4:
      FillCells<uint32_t>(block);
      break;
    case 8:
      FillCells<uint64_t>(block);
      break;
    default:
      FillCells<Cell16>(block);
  }
  DecodeNulls(block);
}

void BlockVector::DecodeRows(std::shared_ptr<const Block> block, std::span<const uint32_t> rows) {
  const BlockView& view = block->view();
  Begin(view);
  rows_ = cells_count_ = static_cast<uint32_t>(rows.size());
  std::fill_n(buffers_->validity, (rows.size() + 63) / 64, ~uint64_t{0});
  for (uint32_t i = 0; i < rows.size(); ++i) {
    const types::Value value = view.Read(rows[i], arena_);
    char* const cell = buffers_->cells + size_t{i} * view.cell_bytes;
    if (value.is_null) {
      std::memset(cell, 0, view.cell_bytes);
      buffers_->validity[i / 64] &= ~(uint64_t{1} << i % 64);
    } else {
      types::StoreCell(physical_, cell, value);
    }
  }
  if (view.nulls > 0) validity_ = buffers_->validity;
  kept_ = std::move(block);
}

}  // namespace omendb::colstore
