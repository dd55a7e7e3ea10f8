// Loops over whole blocks, built with -O3 as bitpack.cc is.
#include "colstore/block_filter.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>

#include "colstore/bitpack.h"

namespace omendb::colstore {
namespace {

using types::PhysicalType;

bool Contains(const IntRange& range, int64_t value) {
  return value >= range.low && value <= range.high && value != range.except &&
         (range.among == nullptr || range.among->Contains(value));
}

// One comparison tells both bounds: what is below wraps round to above.
template <typename T>
void Within(const T* values, uint32_t rows, T low, T span, uint8_t* flags) {
  if (span == 0) {  // Which needs no order: 64 bits have none before AVX-512.
    for (uint32_t i = 0; i < rows; ++i) flags[i] = values[i] == low ? 1 : 0;
    return;
  }
  for (uint32_t i = 0; i < rows; ++i) flags[i] = static_cast<T>(values[i] - low) <= span ? 1 : 0;
}

template <typename T>
void Except(const T* values, uint32_t rows, T value, uint8_t* flags) {
  for (uint32_t i = 0; i < rows; ++i) flags[i] &= values[i] != value ? 1 : 0;
}

// Eight flags become a byte by one multiplication.
void TakeFlags(const uint8_t* flags, uint32_t rows, RowMask& mask) {
  for (uint32_t word = 0; word * 64 < rows; ++word) {
    uint64_t bits = 0;
    for (uint32_t part = 0; part < 8; ++part) {
      uint64_t eight;
      std::memcpy(&eight, flags + word * 64 + part * 8, 8);
      bits |= eight * 0x0102040810204080 >> 56 << part * 8;
    }
    mask[word] &= bits;
  }
}

// Signed cells of T, but booleans.
template <typename T>
bool CompareCells(const void* cells, uint32_t rows, const IntRange& range, uint8_t* flags) {
  using Unsigned = std::make_unsigned_t<T>;
  const int64_t low = std::max<int64_t>(range.low, std::numeric_limits<T>::min());
  const int64_t high = std::min<int64_t>(range.high, std::numeric_limits<T>::max());
  if (low > high) return false;
  const auto* const values = static_cast<const Unsigned*>(cells);
  Within(values, rows, static_cast<Unsigned>(low),
         static_cast<Unsigned>(static_cast<uint64_t>(high) - static_cast<uint64_t>(low)), flags);
  if (range.except && *range.except >= low && *range.except <= high) {
    Except(values, rows, static_cast<Unsigned>(*range.except), flags);
  }
  if (range.among != nullptr) range.among->Keep(static_cast<const T*>(cells), rows, 0, flags);
  return true;
}

}  // namespace

bool HasIntCells(const types::SqlType& type) {
  return !type.is_array && type.kind != types::TypeKind::kOid &&
         IsInteger(types::PhysicalTypeOf(type));
}

int64_t IntOfCell(const types::SqlType& type, const types::Value& value) {
  switch (types::PhysicalTypeOf(type)) {
    case PhysicalType::kBool8:
      return value.boolean ? 1 : 0;
    case PhysicalType::kInt16:
      return value.i16;
    case PhysicalType::kInt32:
      return value.i32;
    default:
      return value.i64;
  }
}

BlockFilter::Answer BlockFilter::CompareFlat(PhysicalType type, const void* cells, uint32_t rows,
                                             const IntRange& range) {
  uint8_t* const flags = buffers_->flags;
  bool any = false;
  switch (type) {
    case PhysicalType::kBool8:
      any = CompareCells<uint8_t>(cells, rows, range, flags);
      break;
    case PhysicalType::kInt16:
      any = CompareCells<int16_t>(cells, rows, range, flags);
      break;
    case PhysicalType::kInt32:
      any = CompareCells<int32_t>(cells, rows, range, flags);
      break;
    default:
      any = CompareCells<int64_t>(cells, rows, range, flags);
  }
  return any ? Answer::kFlags : Answer::kNone;
}

template <typename T>
void BlockFilter::ComparePacked(const BlockView& block, const PackedRange& range) {
  auto* const numbers = reinterpret_cast<T*>(buffers_->numbers);
  uint8_t* const flags = buffers_->flags;
  Unpack<T>(block.packed, block.rows, block.width, 0, numbers);
  Within<T>(numbers, block.rows, static_cast<T>(range.low), static_cast<T>(range.high - range.low),
            flags);
  if (range.except) Except<T>(numbers, block.rows, static_cast<T>(*range.except), flags);
  if (range.among == nullptr) return;
  range.among->Keep(numbers, block.rows, static_cast<uint64_t>(block.base), flags);
}

void BlockFilter::ComparePackedFrame(const BlockView& block, const PackedRange& range) {
  if (block.width <= 8) {
    ComparePacked<uint8_t>(block, range);
  } else if (block.width <= 16) {
    ComparePacked<uint16_t>(block, range);
  } else if (block.width <= 32) {
    ComparePacked<uint32_t>(block, range);
  } else {
    ComparePacked<uint64_t>(block, range);
  }
}

// What was packed is the value less the base, below 2^width.
BlockFilter::Answer BlockFilter::CompareFrame(const BlockView& block, const IntRange& range) {
  const types::Int128 most = (types::Int128{1} << block.width) - 1;
  const types::Int128 low = std::max<types::Int128>(range.low - block.base, 0);
  const types::Int128 high = std::min<types::Int128>(range.high - block.base, most);
  std::optional<uint64_t> except;
  if (range.except) {
    const types::Int128 packed = *range.except - block.base;
    if (packed >= 0 && packed <= most) except = static_cast<uint64_t>(packed);
  }
  if (block.entries == 0) {
    if (low > high) return Answer::kNone;
    if (low == 0 && high == most && !except && range.among == nullptr) return Answer::kAll;
  }
  if (low > high) {
    std::memset(buffers_->flags, 0, block.rows);
  } else {
    ComparePackedFrame(
        block, {static_cast<uint64_t>(low), static_cast<uint64_t>(high), except, range.among});
  }
  for (uint32_t i = 0; i < block.entries; ++i) {  // Exceptions.
    const int64_t value = LoadInt(block.physical, block.cells + size_t{i} * block.cell_bytes);
    buffers_->flags[LoadLe<uint16_t>(block.positions + 2 * size_t{i})] =
        Contains(range, value) ? 1 : 0;
  }
  return Answer::kFlags;
}

uint32_t BlockFilter::CompareEntries(const BlockView& block, const IntRange& range) {
  if (CompareFlat(block.physical, block.cells, block.entries, range) == Answer::kNone) return 0;
  std::memcpy(entries_.data(), buffers_->flags, block.entries);
  uint32_t matches = 0;
  for (uint32_t i = 0; i < block.entries; ++i) matches += entries_[i];
  return matches;
}

// Mostly one entry matches, or neighbours.
BlockFilter::Answer BlockFilter::CompareDictionary(const BlockView& block, const IntRange& range) {
  const uint32_t matches = CompareEntries(block, range);
  if (matches == 0) return Answer::kNone;
  if (matches == block.entries) return Answer::kAll;
  const auto* const begin = entries_.data();
  const auto first =
      static_cast<uint32_t>(std::find(begin, begin + block.entries, uint8_t{1}) - begin);
  const bool adjacent = std::count(begin + first, begin + first + matches, uint8_t{1}) == matches;
  if (adjacent && block.width <= 8) {
    ComparePacked<uint8_t>(block, {first, first + matches - 1, std::nullopt});
  } else if (adjacent) {
    ComparePacked<uint16_t>(block, {first, first + matches - 1, std::nullopt});
  } else {
    auto* const codes = reinterpret_cast<uint16_t*>(buffers_->numbers);
    Unpack<uint16_t>(block.packed, block.rows, block.width, 0, codes);
    for (uint32_t i = 0; i < block.rows; ++i) buffers_->flags[i] = entries_[codes[i]];
  }
  return Answer::kFlags;
}

BlockFilter::Answer BlockFilter::CompareRuns(const BlockView& block, const IntRange& range) {
  const uint32_t matches = CompareEntries(block, range);
  if (matches == 0) return Answer::kNone;
  if (matches == block.entries) return Answer::kAll;
  uint32_t begin = 0;
  for (uint32_t run = 0; run < block.entries; ++run) {
    const uint32_t end = block.EndOfRun(run);
    std::memset(buffers_->flags + begin, entries_[run], end - begin);
    begin = end;
  }
  return Answer::kFlags;
}

BlockFilter::Answer BlockFilter::Compare(const BlockView& block, const IntRange& range) {
  switch (block.encoding) {
    case Encoding::kConstant:
      return Contains(range, LoadInt(block.physical, block.cells)) ? Answer::kAll : Answer::kNone;
    case Encoding::kFrame:
      return CompareFrame(block, range);
    case Encoding::kDictionary:
      return CompareDictionary(block, range);
    case Encoding::kRuns:
      return CompareRuns(block, range);
    case Encoding::kPlain:
      return CompareFlat(block.physical, block.cells, block.rows, range);
    case Encoding::kDelta:
    case Encoding::kDecimal:
      break;
  }
  decoded_.DecodeView(block);
  return CompareFlat(block.physical, decoded_.data(), block.rows, range);
}

// One by one.
void BlockFilter::ApplyToFew(const BlockView& block, const IntRange& range, RowMask& mask) {
  for (uint64_t& word : mask) {
    for (uint64_t bits = word; bits != 0; bits &= bits - 1) {
      const auto bit = static_cast<uint32_t>(std::countr_zero(bits));
      const auto row = static_cast<uint32_t>(&word - mask.data()) * 64 + bit;
      const bool passes = !block.IsNull(row) && Contains(range, block.ReadInt(row));
      if (!passes) word &= ~(uint64_t{1} << bit);
    }
  }
}

void BlockFilter::Apply(const BlockView& block, const IntRange& range, RowMask& mask,
                        uint32_t rows) {
  if (rows <= kFewRows && block.encoding != Encoding::kDelta) {
    return ApplyToFew(block, range, mask);
  }
  const Answer answer = block.null_form == NullForm::kAll ? Answer::kNone : Compare(block, range);
  if (answer == Answer::kNone) return mask.fill(0);
  if (answer == Answer::kFlags) {
    std::memset(buffers_->flags + block.rows, 0, 64);
    TakeFlags(buffers_->flags, block.rows, mask);
  }
  if (block.nulls == 0) return;
  RowMask valid;
  ReadValidity(block, valid.data());
  for (uint32_t word = 0; word * 64 < block.rows; ++word) mask[word] &= valid[word];
}

}  // namespace omendb::colstore
