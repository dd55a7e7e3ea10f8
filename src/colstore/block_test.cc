#include "colstore/block.h"

#include <gtest/gtest.h>

#include <map>

#include "colstore/bitpack.h"
#include "colstore/columns_fixture.h"
#include "colstore/decode.h"

namespace omendb::colstore {
namespace {

using testutil::Prng;
using types::PhysicalType;

constexpr Encoding kEncodings[] = {Encoding::kPlain,  Encoding::kConstant, Encoding::kFrame,
                                   Encoding::kDelta,  Encoding::kRuns,     Encoding::kDictionary,
                                   Encoding::kDecimal};

std::shared_ptr<const Block> Parse(PhysicalType physical, const std::string& bytes) {
  AlignedBytes aligned(bytes.size());
  std::memcpy(aligned.data(), bytes.data(), bytes.size());
  auto block = Block::Make(physical, std::move(aligned));
  EXPECT_TRUE(block.ok()) << block.status().ToString();
  return block.ok() ? *block : nullptr;
}

void ExpectHolds(const std::string& bytes, PhysicalType physical,
                 const std::vector<types::Value>& values, const std::string& what) {
  const auto block = Parse(physical, bytes);
  ASSERT_NE(block, nullptr) << what;
  BlockVector vector;
  vector.Decode(block);
  ASSERT_EQ(vector.rows(), values.size()) << what;
  const types::ColumnView view = vector.view({});
  types::Arena arena;
  for (uint32_t i = 0; i < values.size(); ++i) {
    ASSERT_TRUE(SameBits(physical, view.Get(i), values[i])) << what << " row " << i;
    ASSERT_TRUE(SameBits(physical, block->view().Read(i, arena), values[i]))
        << what << " row " << i << " alone";
  }
}

TEST(BitpackTest, EveryWidthAndCountComesBack) {
  Prng prng(1);
  for (int width = 0; width <= 64; ++width) {
    for (const uint32_t count : {1U, 15U, 16U, 17U, 31U, 32U, 33U, 1000U, 2047U, 2048U}) {
      std::vector<uint64_t> values(count), back(2048);
      for (uint64_t& value : values) value = width == 0 ? 0 : prng() >> (64 - width);
      std::string packed(PackedBytes(count, width), '\xff');
      Pack(values.data(), count, width, packed.data());
      Unpack<uint64_t>(packed.data(), count, width, 0, back.data());
      for (uint32_t i = 0; i < count; ++i) {
        ASSERT_EQ(back[i], values[i]) << "width " << width << " of " << count << " at " << i;
        ASSERT_EQ(UnpackOne(packed.data(), i, width), values[i]);
      }
    }
  }
}

// Every encoding that can hold a column holds it, whichever the encoder would have chosen.
TEST(BlockTest, EveryEncodingOfEveryTypeAndShapeComesBack) {
  Prng prng(2);
  BlockEncoder encoder;
  std::map<std::pair<Encoding, PhysicalType>, int> used;
  for (const PhysicalType physical : kPhysicalTypes) {
    for (const Shape shape : kShapes) {
      for (const double nulls : {0.0, 0.01, 0.4, 0.99, 1.0}) {
        for (const uint32_t rows : {1U, 31U, 64U, 65U, 2000U, 2048U}) {
          TestColumn column(physical, shape, rows, nulls, prng);
          for (const Encoding encoding : kEncodings) {
            std::string bytes;
            if (!encoder.EncodeAs(encoding, column.cells(), bytes)) continue;
            ++used[{encoding, physical}];
            ASSERT_EQ(static_cast<Encoding>(bytes[10]), encoding);
            ExpectHolds(bytes, physical, column.values(),
                        "type " + std::to_string(static_cast<int>(physical)) + " shape " +
                            std::to_string(static_cast<int>(shape)) + " encoding " +
                            std::to_string(static_cast<int>(encoding)) + " rows " +
                            std::to_string(rows));
            if (HasFatalFailure()) return;
          }
        }
      }
    }
  }
  for (const PhysicalType physical : kPhysicalTypes) {
    for (const Encoding encoding :
         {Encoding::kPlain, Encoding::kConstant, Encoding::kRuns, Encoding::kDictionary}) {
      EXPECT_GT((used[{encoding, physical}]), 10);
    }
    if (IsInteger(physical)) {
      EXPECT_GT((used[{Encoding::kDelta, physical}]), 10);
      EXPECT_GT((used[{Encoding::kFrame, physical}]), 10);
    }
    if (IsFloat(physical)) {
      EXPECT_GT((used[{Encoding::kDecimal, physical}]), 10);
    }
  }
  EXPECT_GT((used[{Encoding::kFrame, PhysicalType::kInt128}]), 10);
}

struct Choice {
  PhysicalType physical;
  Shape shape;
  Encoding encoding;
  size_t bytes_max;
};

// What a shape is made for is what the encoder takes, and it is as small as it should be.
TEST(BlockTest, TheEncoderTakesWhatSuitsTheColumn) {
  const Choice choices[] = {
      {PhysicalType::kInt64, Shape::kConstant, Encoding::kConstant, 40},
      {PhysicalType::kInt64, Shape::kSmallRange, Encoding::kFrame, 2048 * 7 / 8 + 100},
      {PhysicalType::kInt64, Shape::kStep, Encoding::kDelta, 100},
      {PhysicalType::kInt64, Shape::kSorted, Encoding::kDelta, 2048 * 10 / 8 + 200},
      {PhysicalType::kInt64, Shape::kRuns, Encoding::kRuns, 900},
      {PhysicalType::kInt64, Shape::kFewValues, Encoding::kDictionary, 1200},
      {PhysicalType::kInt64, Shape::kOutliers, Encoding::kFrame, 2048 * 6 / 8 + 600},
      {PhysicalType::kInt64, Shape::kRandom, Encoding::kPlain, 2048 * 8 + 64},
      {PhysicalType::kInt128, Shape::kSmallRange, Encoding::kFrame, 2048 * 7 / 8 + 100},
      {PhysicalType::kFloat64, Shape::kSmallRange, Encoding::kDecimal, 2048 * 7 / 8 + 100},
      {PhysicalType::kFloat32, Shape::kSmallRange, Encoding::kDecimal, 2048 * 7 / 8 + 100},
      {PhysicalType::kFloat64, Shape::kRandom, Encoding::kPlain, 2048 * 8 + 64},
      {PhysicalType::kString, Shape::kConstant, Encoding::kConstant, 80},
      {PhysicalType::kString, Shape::kFewValues, Encoding::kDictionary, 1500},
      {PhysicalType::kString, Shape::kSmallRange, Encoding::kPlain, 2048 * 14},  // of 46
  };
  Prng prng(3);
  BlockEncoder encoder;
  SymbolHint hint;
  for (const Choice& choice : choices) {
    TestColumn column(choice.physical, choice.shape, 2048, 0, prng);
    std::string bytes;
    encoder.Encode(column.cells(), hint, bytes);
    EXPECT_EQ(static_cast<int>(bytes[10]), static_cast<int>(choice.encoding))
        << "type " << static_cast<int>(choice.physical) << " shape "
        << static_cast<int>(choice.shape);
    EXPECT_LE(bytes.size(), choice.bytes_max) << static_cast<int>(choice.shape);
    ExpectHolds(bytes, choice.physical, column.values(), "choice");
  }
}

// Blocks of one column share a table while it suits them, and what no longer suits is replaced.
TEST(BlockTest, AColumnsSymbolsFollowItsStrings) {
  Prng prng(7);
  BlockEncoder encoder;
  SymbolHint hint;
  const auto encode = [&](Shape shape) {
    TestColumn column(PhysicalType::kString, shape, 2048, 0, prng);
    std::string bytes;
    encoder.Encode(column.cells(), hint, bytes);
    ExpectHolds(bytes, PhysicalType::kString, column.values(), "symbols");
    return hint.symbols;
  };
  const auto first = encode(Shape::kSmallRange);
  ASSERT_NE(first, nullptr);
  EXPECT_EQ(encode(Shape::kSmallRange), first);
  EXPECT_NE(encode(Shape::kSorted), first);
}

TEST(BlockTest, FlatCellsAreNotCopied) {
  Prng prng(4);
  TestColumn column(PhysicalType::kInt64, Shape::kRandom, 2048, 0, prng);
  BlockEncoder encoder;
  SymbolHint hint;
  std::string bytes;
  encoder.Encode(column.cells(), hint, bytes);
  const auto block = Parse(PhysicalType::kInt64, bytes);
  BlockVector vector;
  vector.Decode(block);
  EXPECT_EQ(vector.form(), VectorForm::kFlat);
  EXPECT_EQ(vector.data(), block->view().cells);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(vector.data()) % 16, 0);
}

TEST(BlockTest, StringsOfFewValuesStayADictionary) {
  Prng prng(5);
  TestColumn column(PhysicalType::kString, Shape::kFewValues, 2048, 0.1, prng);
  BlockEncoder encoder;
  SymbolHint hint;
  std::string bytes;
  encoder.Encode(column.cells(), hint, bytes);
  BlockVector vector;
  vector.Decode(Parse(PhysicalType::kString, bytes));
  EXPECT_EQ(vector.form(), VectorForm::kDictionary);
  EXPECT_EQ(vector.cells_count(), 10);  // Nine values and NULL.
}

// The checksum stands before the decoder; should damage pass it, the decoder still stays in bounds
// (which the sanitizers see).
TEST(BlockTest, DamagedBytesNeverLeadOutOfBounds) {
  Prng prng(6);
  BlockEncoder encoder;
  SymbolHint hint;
  uint64_t accepted = 0, refused = 0;
  for (const PhysicalType physical : kPhysicalTypes) {
    for (const Shape shape : kShapes) {
      TestColumn column(physical, shape, 200, 0.1, prng);
      std::string whole;
      encoder.Encode(column.cells(), hint, whole);
      for (int round = 0; round < 100; ++round) {
        std::string bytes = whole;
        for (uint64_t flips = 1 + prng.Below(3); flips > 0; --flips) {
          bytes[8 + prng.Below(std::min<size_t>(bytes.size() - 8, 200))] ^=
              static_cast<char>(1 << prng.Below(8));
        }
        if (prng.Chance(0.2)) {
          bytes.resize(prng.Below(bytes.size() + 1));
          if (bytes.size() >= 8) StoreLe<uint32_t>(bytes.data() + 4, bytes.size());
        }
        // To the byte, so that the address sanitizer sees what reads behind them.
        const std::vector<char> exact(bytes.begin(), bytes.end());
        const auto block = BlockView::Parse(physical, {exact.data(), exact.size()});
        if (!block.ok()) {
          ++refused;
          continue;
        }
        ++accepted;
        BlockVector vector;
        vector.DecodeView(*block);
        types::Arena arena;
        for (uint32_t i = 0; i < vector.rows(); ++i) {
          (void)vector.view({}).Get(i);
          (void)block->Read(i, arena);
        }
      }
    }
  }
  EXPECT_GT(accepted, 100);
  EXPECT_GT(refused, 100);
}

}  // namespace
}  // namespace omendb::colstore
