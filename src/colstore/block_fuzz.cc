// Segments against arbitrary bytes. The first byte chooses: the rest is a block, whatever its
// bytes; or values, which must survive encoding; or a footer, a directory, a key index. Nothing may
// be read out of bounds, and what is accepted must decode.
#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "colstore/block_filter.h"
#include "colstore/column_directory.h"
#include "colstore/decode.h"
#include "colstore/encode.h"
#include "colstore/footer.h"
#include "colstore/key_filter.h"
#include "colstore/key_index.h"

namespace omendb::colstore {
namespace {

constexpr types::PhysicalType kTypes[] = {
    types::PhysicalType::kBool8,   types::PhysicalType::kInt16,    types::PhysicalType::kInt32,
    types::PhysicalType::kInt64,   types::PhysicalType::kInt128,   types::PhysicalType::kFloat32,
    types::PhysicalType::kFloat64, types::PhysicalType::kInterval, types::PhysicalType::kString};

void ReadAll(const BlockView& block, uint64_t& sink) {
  BlockVector vector;
  vector.DecodeView(block);
  const types::ColumnView view = vector.view({});
  types::Arena arena;
  for (uint32_t i = 0; i < vector.rows(); ++i) {
    const types::Value values[] = {view.Get(i), block.Read(i, arena)};
    OMEN_CHECK(values[0].is_null == values[1].is_null);
    for (const types::Value& value : values) {
      if (value.is_null || block.physical != types::PhysicalType::kString) continue;
      for (const char c : value.str()) sink += static_cast<uint8_t>(c);
    }
  }
}

// What numbers say that were made up may depend on who reads them; a filter reads within bounds.
RowMask FilterRows(const BlockView& block, const IntRange& range) {
  static BlockFilter filter;
  RowMask mask{};
  for (uint32_t i = 0; i < block.rows; ++i) mask[i / 64] |= uint64_t{1} << i % 64;
  filter.Apply(block, range, mask);
  return mask;
}

void ParseBlock(types::PhysicalType physical, std::string_view input) {
  if (input.size() < kBlockHeaderBytes) return;
  std::vector<char> bytes(input.begin(), input.end());
  StoreLe<uint32_t>(bytes.data() + 4, static_cast<uint32_t>(bytes.size()));
  const auto block = BlockView::Parse(physical, {bytes.data(), bytes.size()});
  uint64_t sink = 0;
  if (!block.ok()) return;
  ReadAll(*block, sink);
  if (IsInteger(physical)) {
    (void)FilterRows(*block, {.low = static_cast<int64_t>(sink), .except = block->step});
  }
}

// The range is made of three of the values.
void CheckFilter(const BlockView& block, const std::vector<types::Value>& values) {
  const types::Value& middle = values[values.size() / 2];
  if (!IsInteger(block.physical)) return;
  if (values.front().is_null || values.back().is_null || middle.is_null) return;
  const auto number = [&](const types::Value& value) {
    char cell[16] = {};
    types::StoreCell(block.physical, cell, value);
    return LoadInt(block.physical, cell);
  };
  const IntSet ends({number(values.front()), number(values.back())});
  IntRange range{number(values.front()), number(values.back()), number(middle)};
  if (values.size() % 2 == 0) range.among = &ends;
  const RowMask mask = FilterRows(block, range);
  for (uint32_t i = 0; i < values.size(); ++i) {
    const bool passes = !values[i].is_null && number(values[i]) >= range.low &&
                        number(values[i]) <= range.high && number(values[i]) != range.except &&
                        (range.among == nullptr || ends.Contains(number(values[i])));
    OMEN_CHECK((mask[i / 64] >> i % 64 & 1) == (passes ? 1U : 0U));
  }
}

// Values of the type, taken from the input; a byte before each says NULL, again, or new.
void RoundTrip(types::PhysicalType physical, std::string_view input) {
  const auto size = static_cast<size_t>(types::PhysicalSize(physical));
  std::vector<char> cells(size * kBlockRows);
  std::vector<uint64_t> validity(kBlockRows / 64);
  std::vector<types::Value> values;
  ByteReader reader(input);
  uint32_t nulls = 0;
  types::Value last = types::Value::I128(0);
  if (physical == types::PhysicalType::kString) last = types::Value::String("");
  while (reader.remaining() > 0 && values.size() < kBlockRows) {
    const auto how = reader.Get<uint8_t>();
    if (how % 8 > 5 && physical == types::PhysicalType::kString) {
      last = types::Value::String(reader.GetRaw(std::min<uint64_t>(how / 8, reader.remaining())));
    } else if (how % 8 > 5) {
      char cell[16] = {};
      const std::string_view raw = reader.GetRaw(std::min<uint64_t>(size, reader.remaining()));
      std::memcpy(cell, raw.data(), raw.size());
      last = types::LoadCell(physical, cell);
    }
    for (int again = how % 8 < 5 ? how / 8 : 0; again >= 0 && values.size() < kBlockRows; --again) {
      const size_t at = values.size();
      const bool is_null = how % 8 == 0;
      values.push_back(is_null ? types::Value::Null() : last);
      nulls += is_null ? 1 : 0;
      if (is_null) continue;
      types::StoreCell(physical, cells.data() + at * size, last);
      validity[at / 64] |= uint64_t{1} << at % 64;
    }
  }
  if (values.empty()) return;
  static BlockEncoder encoder;
  SymbolHint hint;
  std::string bytes;
  encoder.Encode(
      {physical, static_cast<uint32_t>(values.size()), cells.data(), validity.data(), nulls}, hint,
      bytes);
  const auto block = BlockView::Parse(physical, bytes);
  OMEN_CHECK(block.ok());
  BlockVector vector;
  vector.DecodeView(*block);
  OMEN_CHECK(vector.rows() == values.size());
  CheckFilter(*block, values);
  types::Arena arena;
  for (uint32_t i = 0; i < values.size(); ++i) {
    for (const types::Value& value : {vector.view({}).Get(i), block->Read(i, arena)}) {
      OMEN_CHECK(value.is_null == values[i].is_null);
      if (value.is_null) continue;
      if (physical == types::PhysicalType::kString) {
        OMEN_CHECK(value.str() == values[i].str());
      } else {
        char a[16] = {}, b[16] = {};
        types::StoreCell(physical, a, value);
        types::StoreCell(physical, b, values[i]);
        OMEN_CHECK(std::memcmp(a, b, sizeof(a)) == 0);
      }
    }
  }
}

void ParseMetadata(std::string_view input) {
  const auto footer = SegmentFooter::Parse(input);
  if (footer.ok()) OMEN_CHECK(!footer->columns.empty());
  SegmentFooter known;
  known.rows = 5000;
  known.columns.resize(2);
  known.columns[0].column = {ColumnId(1), {types::TypeKind::kInt8}};
  known.columns[1].column = {ColumnId(2), {types::TypeKind::kText}};
  for (uint32_t column = 0; column < 2; ++column) {
    const auto directory = ColumnDirectory::Parse(known, column, input);
    for (uint32_t block = 0; directory.ok() && block < directory->blocks_count(); ++block) {
      OMEN_CHECK(directory->zone(block).rows() == known.rows_of(block));
    }
  }
  KeyFilter filter;
  if (filter.Parse(input)) (void)filter.MayContain(input.size() * 0x9e3779b97f4a7c15);
  const auto index = KeyIndex::Parse(input, 5000);
  if (!index.ok()) return;
  const index::PositionRange window = index->Find(input.substr(input.size() / 2));
  OMEN_CHECK(window.begin <= window.end && window.end <= 5000);
}

}  // namespace
}  // namespace omendb::colstore

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto physical = omendb::colstore::kTypes[data[0] / 4 % std::size(omendb::colstore::kTypes)];
  switch (data[0] % 4) {
    case 0:
    case 1:
      omendb::colstore::ParseBlock(physical, rest);
      break;
    case 2:
      omendb::colstore::RoundTrip(physical, rest);
      break;
    default:
      omendb::colstore::ParseMetadata(rest);
  }
  return 0;
}
