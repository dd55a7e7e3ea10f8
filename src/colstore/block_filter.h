// block_filter.h - which rows of a block have an integer within a range, found in the encoded form:
// packed numbers are compared as they are packed, dictionaries and runs entry by entry.
//
// Thread safety  A BlockFilter belongs to one thread at a time.
// Cost           About a fifth of a nanosecond a row for packed numbers of 8 and 16 bits.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>

#include "colstore/decode.h"
#include "colstore/int_set.h"

namespace omendb::colstore {

// By row, bit set = still wanted.
using RowMask = std::array<uint64_t, kBlockRows / 64>;

struct IntRange {
  int64_t low = INT64_MIN;
  int64_t high = INT64_MAX;
  std::optional<int64_t> except;
  const IntSet* among = nullptr;  // and one of these; null: no such list
};

// Whether cells of the type are integers in the order of their values.
bool HasIntCells(const types::SqlType& type);
// Requires: HasIntCells of the value's type, !value.is_null.
int64_t IntOfCell(const types::SqlType& type, const types::Value& value);

class BlockFilter {
 public:
  // Takes out of the mask what is NULL or not in the range. Requires: the block is one of integers;
  // the mask has no row behind the block's last; it has at most `rows`.
  void Apply(const BlockView& block, const IntRange& range, RowMask& mask,
             uint32_t rows = kBlockRows);

 private:
  static constexpr uint32_t kFewRows = 48;
  static constexpr uint32_t kRowsMax = kBlockRows + 64;
  struct Buffers {
    alignas(64) uint8_t flags[kRowsMax];
    alignas(64) uint64_t numbers[kRowsMax];
  };
  // All but NULLs, which have a value too: fill flags, or answer for the whole block.
  enum class Answer : uint8_t { kNone, kAll, kFlags };
  Answer Compare(const BlockView& block, const IntRange& range);
  static void ApplyToFew(const BlockView& block, const IntRange& range, RowMask& mask);
  Answer CompareFrame(const BlockView& block, const IntRange& range);
  // Of numbers that are packed, as they are.
  struct PackedRange {
    uint64_t low;
    uint64_t high;
    std::optional<uint64_t> except;
    const IntSet* among = nullptr;
  };
  template <typename T>
  void ComparePacked(const BlockView& block, const PackedRange& range);
  void ComparePackedFrame(const BlockView& block, const PackedRange& range);
  Answer CompareDictionary(const BlockView& block, const IntRange& range);
  Answer CompareRuns(const BlockView& block, const IntRange& range);
  Answer CompareFlat(types::PhysicalType type, const void* cells, uint32_t rows,
                     const IntRange& range);
  // By entry of a dictionary or run; how many are in the range.
  uint32_t CompareEntries(const BlockView& block, const IntRange& range);

  const std::unique_ptr<Buffers> buffers_ = std::make_unique_for_overwrite<Buffers>();
  std::array<uint8_t, kBlockRows> entries_;
  BlockVector decoded_;
};

}  // namespace omendb::colstore
