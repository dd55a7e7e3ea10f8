#include "colstore/block.h"

#include <cstdlib>
#include <cstring>

#include "base/check.h"
#include "base/sqlstate.h"
#include "colstore/bitpack.h"

namespace omendb::colstore {
namespace {

using types::PhysicalType;

constexpr size_t kFrameHeadBytes = 32;
constexpr size_t kEntriesHeadBytes = 16;  // of runs, dictionary, decimal, delta

Status Bad(const char* what) { return Status(sqlstate::kDataCorrupted, what); }

uint16_t U16At(const char* p, uint32_t index) { return LoadLe<uint16_t>(p + 2 * size_t{index}); }

// `count` positions that ascend below `limit`.
bool Ascend(const char* positions, uint32_t count, uint32_t limit) {
  uint32_t least = 0;
  for (uint32_t i = 0; i < count; ++i) {
    const uint32_t position = U16At(positions, i);
    if (position < least || position >= limit) return false;
    least = position + 1;
  }
  return true;
}

// The first of `count` ascending positions that is not below `row`.
uint32_t LowerPosition(const char* positions, uint32_t count, uint32_t row) {
  uint32_t low = 0, high = count;
  while (low < high) {
    const uint32_t middle = (low + high) / 2;
    if (U16At(positions, middle) < row) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

bool HasPosition(const char* positions, uint32_t count, uint32_t row) {
  const uint32_t at = LowerPosition(positions, count, row);
  return at < count && U16At(positions, at) == row;
}

}  // namespace

double PowerOfTenDouble(int exponent) {
  static constexpr double kPowers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8, 1e9,
                                       1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18};
  return kPowers[exponent];
}

AlignedBytes::AlignedBytes(size_t size)
    : data_(static_cast<char*>(std::aligned_alloc(64, (size + 63) & ~size_t{63}))), size_(size) {
  OMEN_CHECK(data_ != nullptr);
}
AlignedBytes::~AlignedBytes() { std::free(data_); }

Result<std::shared_ptr<const Block>> Block::Make(PhysicalType physical, AlignedBytes bytes) {
  OMEN_ASSIGN(BlockView view, BlockView::Parse(physical, bytes.view()));
  return std::make_shared<const Block>(std::move(bytes), std::move(view));
}

Result<BlockView> BlockView::Parse(PhysicalType physical, std::string_view bytes) {
  if (bytes.size() < kBlockHeaderBytes) return Bad("it is too short");
  BlockView block;
  block.physical = physical;
  block.cell_bytes = static_cast<uint32_t>(types::PhysicalSize(physical));
  if (LoadLe<uint32_t>(bytes.data() + 4) != bytes.size()) return Bad("its size is wrong");
  block.rows = LoadLe<uint16_t>(bytes.data() + 8);
  block.encoding = static_cast<Encoding>(bytes[10]);
  block.null_form = static_cast<NullForm>(bytes[11]);
  block.nulls = LoadLe<uint16_t>(bytes.data() + 12);
  if (block.rows == 0 || block.rows > kBlockRows || block.nulls > block.rows) {
    return Bad("its counts are wrong");
  }
  bytes.remove_prefix(kBlockHeaderBytes);
  OMEN_TRY(block.ParseNulls(bytes));
  switch (block.encoding) {
    case Encoding::kPlain:
      OMEN_TRY(block.ParsePlain(bytes));
      return block;
    case Encoding::kConstant:
      OMEN_TRY(block.ParseConstant(bytes));
      return block;
    case Encoding::kFrame:
      OMEN_TRY(block.ParseFrame(bytes));
      return block;
    case Encoding::kDelta:
      OMEN_TRY(block.ParseDelta(bytes));
      return block;
    case Encoding::kRuns:
      OMEN_TRY(block.ParseRuns(bytes));
      return block;
    case Encoding::kDictionary:
      OMEN_TRY(block.ParseDictionary(bytes));
      return block;
    case Encoding::kDecimal:
      OMEN_TRY(block.ParseDecimal(bytes));
      return block;
  }
  return Bad("its encoding is unknown");
}

Status BlockView::ParseNulls(std::string_view& bytes) {
  size_t size = 0;
  switch (null_form) {
    case NullForm::kNone:
      break;
    case NullForm::kAll:
      if (encoding != Encoding::kConstant) return Bad("it has values although all are NULL");
      break;
    case NullForm::kBitmap:
      size = size_t{(rows + 63) / 64} * 8;
      break;
    case NullForm::kPositions:
      size = size_t{nulls} * 2;
      break;
    case NullForm::kComplement:
      size = size_t{rows - nulls} * 2;
      break;
    default:
      return Bad("its form of NULLs is unknown");
  }
  // The header has 16 bytes, so aligning what follows it aligns in the block.
  if (bytes.size() < AlignUp(size)) return Bad("its NULLs are cut off");
  null_bytes = bytes.data();
  bytes.remove_prefix(AlignUp(size));
  uint32_t count = nulls;
  if (null_form == NullForm::kNone) count = 0;
  if (null_form == NullForm::kAll) count = rows;
  if (null_form == NullForm::kBitmap) {
    uint32_t valid = 0;
    for (uint32_t word = 0; word * 64 < rows; ++word) {
      const auto bits = LoadLe<uint64_t>(null_bytes + word * 8);
      const uint32_t left = rows - word * 64;
      if (left < 64 && bits >> left != 0) return Bad("its NULL bitmap is too long");
      valid += static_cast<uint32_t>(std::popcount(bits));
    }
    count = rows - valid;
  }
  if (count != nulls) return Bad("its number of NULLs is wrong");
  const bool lists = null_form == NullForm::kPositions || null_form == NullForm::kComplement;
  if (lists && !Ascend(null_bytes, static_cast<uint32_t>(size / 2), rows)) {
    return Bad("its NULL positions are wrong");
  }
  return Status::Ok();
}

Status BlockView::ParsePlain(std::string_view bytes) {
  if (physical == PhysicalType::kString) {
    return strings.Parse(bytes, rows) ? Status::Ok() : Bad("its strings are wrong");
  }
  cells = bytes.data();
  return bytes.size() == size_t{rows} * cell_bytes ? Status::Ok() : Bad("its cells are cut off");
}

Status BlockView::ParseConstant(std::string_view bytes) {
  if (null_form == NullForm::kAll) return bytes.empty() ? Status::Ok() : Bad("it is too long");
  constant = bytes;
  cells = bytes.data();
  const bool fits = physical == PhysicalType::kString || bytes.size() == cell_bytes;
  return fits ? Status::Ok() : Bad("its constant is wrong");
}

Status BlockView::ParsePacked(std::string_view& bytes, uint32_t width_max) {
  if (static_cast<uint32_t>(width) > width_max) return Bad("its width is wrong");
  const size_t size = PackedBytes(rows, width);
  if (bytes.size() < size) return Bad("its numbers are cut off");
  packed = bytes.data();
  bytes.remove_prefix(size);
  return Status::Ok();
}

Status BlockView::ParseExceptions(std::string_view bytes) {
  if (bytes.size() != size_t{entries} * (2 + cell_bytes)) return Bad("its exceptions are cut off");
  positions = bytes.data();
  cells = positions + size_t{entries} * 2;
  return Ascend(positions, entries, rows) ? Status::Ok() : Bad("its exceptions are wrong");
}

Status BlockView::ParseFrame(std::string_view bytes) {
  const bool wide = physical == PhysicalType::kInt128;
  if ((!wide && !IsInteger(physical)) || bytes.size() < kFrameHeadBytes) {
    return Bad("its frame is wrong");
  }
  width = static_cast<uint8_t>(bytes[0]);
  entries = LoadLe<uint16_t>(bytes.data() + 2);
  base = LoadLe<types::Int128>(bytes.data() + 16);
  bytes.remove_prefix(kFrameHeadBytes);
  OMEN_TRY(ParsePacked(bytes, wide ? 64 : cell_bytes * 8));
  return ParseExceptions(bytes);
}

Status BlockView::ParseDelta(std::string_view bytes) {
  if (!IsInteger(physical) || bytes.size() < kEntriesHeadBytes) return Bad("its delta is wrong");
  width = static_cast<uint8_t>(bytes[0]);
  step = LoadLe<int64_t>(bytes.data() + 8);
  bytes.remove_prefix(kEntriesHeadBytes);
  entries = width == 0 ? 1 : (rows + kDeltaStride - 1) / kDeltaStride;
  const size_t size = AlignUp(size_t{entries} * 8);
  if (bytes.size() < size) return Bad("its delta is cut off");
  positions = bytes.data();
  bytes.remove_prefix(size);
  OMEN_TRY(ParsePacked(bytes, 64));
  return bytes.empty() ? Status::Ok() : Bad("it is too long");
}

Status BlockView::ParseEntries(std::string_view bytes) {
  if (physical == PhysicalType::kString) {
    return strings.Parse(bytes, entries) ? Status::Ok() : Bad("its strings are wrong");
  }
  cells = bytes.data();
  return bytes.size() == size_t{entries} * cell_bytes ? Status::Ok() : Bad("its cells are cut off");
}

Status BlockView::ParseRuns(std::string_view bytes) {
  if (bytes.size() < kEntriesHeadBytes) return Bad("its runs are cut off");
  entries = LoadLe<uint16_t>(bytes.data());
  bytes.remove_prefix(kEntriesHeadBytes);
  const size_t size = AlignUp(size_t{entries} * 2);
  if (entries == 0 || entries > rows || bytes.size() < size) return Bad("its runs are cut off");
  positions = bytes.data();
  bytes.remove_prefix(size);
  const bool good = U16At(positions, 0) > 0 && Ascend(positions, entries, rows + 1) &&
                    U16At(positions, entries - 1) == rows;
  return good ? ParseEntries(bytes) : Bad("its runs are wrong");
}

Status BlockView::ParseDictionary(std::string_view bytes) {
  if (bytes.size() < kEntriesHeadBytes) return Bad("its dictionary is cut off");
  entries = LoadLe<uint16_t>(bytes.data());
  width = static_cast<uint8_t>(bytes[2]);
  bytes.remove_prefix(kEntriesHeadBytes);
  if (entries == 0 || entries > rows) return Bad("its dictionary is wrong");
  OMEN_TRY(ParsePacked(bytes, 16));
  uint32_t codes[kBlockRows];
  Unpack<uint32_t>(packed, rows, width, 0, codes);
  for (uint32_t i = 0; i < rows; ++i) {
    if (codes[i] >= entries) return Bad("its codes are wrong");
  }
  return ParseEntries(bytes);
}

Status BlockView::ParseDecimal(std::string_view bytes) {
  if (!IsFloat(physical) || bytes.size() < kEntriesHeadBytes) return Bad("its decimals are wrong");
  width = static_cast<uint8_t>(bytes[0]);
  exponent = static_cast<uint8_t>(bytes[1]);
  entries = LoadLe<uint16_t>(bytes.data() + 2);
  base = LoadLe<int64_t>(bytes.data() + 8);
  bytes.remove_prefix(kEntriesHeadBytes);
  if (exponent > kExponentMax) return Bad("its exponent is wrong");
  OMEN_TRY(ParsePacked(bytes, 64));
  return ParseExceptions(bytes);
}

bool BlockView::IsNull(uint32_t row) const {
  switch (null_form) {
    case NullForm::kNone:
      return false;
    case NullForm::kAll:
      return true;
    case NullForm::kBitmap:
      return (LoadLe<uint64_t>(null_bytes + row / 64 * 8) >> (row % 64) & 1) == 0;
    case NullForm::kPositions:
      return HasPosition(null_bytes, nulls, row);
    case NullForm::kComplement:
      return !HasPosition(null_bytes, rows - nulls, row);
  }
  return false;
}

uint32_t BlockView::FindException(uint32_t row) const {
  if (entries == 0) return UINT32_MAX;
  const uint32_t at = LowerPosition(positions, entries, row);
  return at < entries && U16At(positions, at) == row ? at : UINT32_MAX;
}

uint32_t BlockView::EntryOf(uint32_t row) const {
  if (encoding == Encoding::kDictionary) {
    return static_cast<uint32_t>(UnpackOne(packed, row, width));
  }
  return LowerPosition(positions, entries, row + 1);
}

int64_t BlockView::ReadInt(uint32_t row) const {
  const auto cell = [this](uint32_t index) {
    return LoadInt(physical, cells + size_t{index} * cell_bytes);
  };
  switch (encoding) {
    case Encoding::kConstant:
      return cell(0);
    case Encoding::kFrame: {
      const uint32_t exception = FindException(row);
      if (exception != UINT32_MAX) return cell(exception);
      return static_cast<int64_t>(static_cast<uint64_t>(base) + UnpackOne(packed, row, width));
    }
    case Encoding::kDelta: {
      const uint32_t stride = width == 0 ? 0 : row / kDeltaStride;
      auto value = LoadLe<uint64_t>(positions + size_t{stride} * 8);
      const uint32_t from = stride * kDeltaStride;
      value += static_cast<uint64_t>(step) * (row - from);
      if (width == 0) return static_cast<int64_t>(value);
      for (uint32_t i = from + 1; i <= row; ++i) value += UnpackOne(packed, i, width);
      return static_cast<int64_t>(value);
    }
    case Encoding::kRuns:
    case Encoding::kDictionary:
      return cell(EntryOf(row));
    default:
      return cell(row);
  }
}

void BlockView::ReadInts(std::vector<int64_t>& values) const {
  uint64_t numbers[kBlockRows];
  Unpack<uint64_t>(packed, rows, width, static_cast<uint64_t>(step), numbers);
  auto value = LoadLe<uint64_t>(positions);
  values.resize(rows);
  values[0] = static_cast<int64_t>(value);
  for (uint32_t i = 1; i < rows; ++i) {
    value += numbers[i];
    values[i] = static_cast<int64_t>(value);
  }
}

types::Value BlockView::Read(uint32_t row, types::Arena& arena) const {
  if (IsNull(row)) return types::Value::Null();
  const bool is_string = physical == PhysicalType::kString;
  const auto entry = [&](uint32_t index) {
    if (is_string) return types::Value::String(strings.At(index, arena));
    return types::LoadCell(physical, cells + size_t{index} * cell_bytes);
  };
  switch (encoding) {
    case Encoding::kConstant:
      return is_string ? types::Value::String(constant) : entry(0);
    case Encoding::kRuns:
    case Encoding::kDictionary:
      return entry(EntryOf(row));
    case Encoding::kFrame:
    case Encoding::kDelta:
    case Encoding::kDecimal:
      break;
    case Encoding::kPlain:
      return entry(row);
  }
  if (encoding != Encoding::kDelta) {
    const uint32_t exception = FindException(row);
    if (exception != UINT32_MAX) return entry(exception);
  }
  if (physical == PhysicalType::kInt128) {
    using Unsigned = unsigned __int128;
    const Unsigned sum = static_cast<Unsigned>(base) + UnpackOne(packed, row, width);
    return types::Value::I128(static_cast<types::Int128>(sum));
  }
  if (encoding == Encoding::kDecimal) {
    const auto units =
        static_cast<int64_t>(static_cast<uint64_t>(base) + UnpackOne(packed, row, width));
    const double value = static_cast<double>(units) / PowerOfTenDouble(exponent);
    return physical == PhysicalType::kFloat64 ? types::Value::Float64(value)
                                              : types::Value::Float32(static_cast<float>(value));
  }
  const int64_t value = ReadInt(row);
  return types::LoadCell(physical, &value);
}

}  // namespace omendb::colstore
