// block.h - one encoded block, checked once, then decoded as a whole or value by value.
//
// Format         docs/formats/segment.md, "Blocks"
// Thread safety  A parsed block is immutable: any thread.
// Ownership      Block owns its bytes; BlockView borrows them.
// Errors         Parse: a Status whose message says what is wrong; the caller adds file, column and
//                block. What Parse accepted decodes without reading or writing out of bounds,
//                whatever the bytes are.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "colstore/format.h"
#include "colstore/strings.h"
#include "types/value.h"

namespace omendb::colstore {

struct BlockView {
  static Result<BlockView> Parse(types::PhysicalType physical, std::string_view bytes);

  bool IsNull(uint32_t row) const;
  // One value; long strings are borrowed from the block, or from the arena when they are stored as
  // symbols. Requires: row < rows.
  types::Value Read(uint32_t row, types::Arena& arena) const;
  // The value although it may be NULL: for integers only, sign-extended.
  int64_t ReadInt(uint32_t row) const;
  // Whether ReadInt sums up many numbers, so that for more than a few rows ReadInts is cheaper.
  bool IsDearDelta() const { return encoding == Encoding::kDelta && width > 0; }
  // All values of such a block, sign-extended.
  void ReadInts(std::vector<int64_t>& values) const;

  // Of a block of runs: the row behind the run's last.
  uint32_t EndOfRun(uint32_t run) const { return LoadLe<uint16_t>(positions + 2 * size_t{run}); }
  // The code of a dictionary block, the run of a block of runs.
  uint32_t EntryOf(uint32_t row) const;

  types::PhysicalType physical = types::PhysicalType::kInt32;
  Encoding encoding = Encoding::kPlain;
  NullForm null_form = NullForm::kNone;
  uint32_t rows = 0;
  uint32_t nulls = 0;
  uint32_t cell_bytes = 0;
  const char* null_bytes = nullptr;

  // ---- By encoding; see the format -------------------------------------------------------------
  int width = 0;
  int exponent = 0;
  uint32_t entries = 0;    // runs, dictionary entries, exceptions
  types::Int128 base = 0;  // frame and decimal
  int64_t step = 0;        // delta
  const char* packed = nullptr;
  const char* positions = nullptr;  // u16: exceptions, or ends of runs; i64: values of delta
  const char* cells = nullptr;      // plain, constant, entries, exceptions
  StringsView strings;              // plain and entries of strings
  std::string_view constant;        // a constant string

 private:
  Status ParseNulls(std::string_view& bytes);
  Status ParsePlain(std::string_view bytes);
  Status ParseConstant(std::string_view bytes);
  Status ParseFrame(std::string_view bytes);
  Status ParseDelta(std::string_view bytes);
  Status ParseRuns(std::string_view bytes);
  Status ParseDictionary(std::string_view bytes);
  Status ParseDecimal(std::string_view bytes);
  Status ParsePacked(std::string_view& bytes, uint32_t width_max);
  Status ParseEntries(std::string_view bytes);
  Status ParseExceptions(std::string_view bytes);
  // Index among the exceptions; UINT32_MAX when the row is none.
  uint32_t FindException(uint32_t row) const;
};

// Bytes at a multiple of 16, as blocks are read into.
class AlignedBytes {
 public:
  explicit AlignedBytes(size_t size);
  ~AlignedBytes();
  AlignedBytes(AlignedBytes&& other) noexcept : data_(other.data_), size_(other.size_) {
    other.data_ = nullptr;
    other.size_ = 0;
  }
  AlignedBytes(const AlignedBytes&) = delete;
  AlignedBytes& operator=(const AlignedBytes&) = delete;
  char* data() { return data_; }
  size_t size() const { return size_; }
  std::string_view view() const { return {data_, size_}; }

 private:
  char* data_;
  size_t size_;
};

class Block {
 public:
  static Result<std::shared_ptr<const Block>> Make(types::PhysicalType physical,
                                                   AlignedBytes bytes);
  const BlockView& view() const { return view_; }
  std::string_view bytes() const { return bytes_.view(); }
  // What it takes in memory.
  size_t memory_bytes() const { return bytes_.size() + sizeof(Block); }

  Block(AlignedBytes bytes, BlockView view) : bytes_(std::move(bytes)), view_(std::move(view)) {}

 private:
  AlignedBytes bytes_;
  BlockView view_;
};

inline bool IsInteger(types::PhysicalType type) {
  return type == types::PhysicalType::kBool8 || type == types::PhysicalType::kInt16 ||
         type == types::PhysicalType::kInt32 || type == types::PhysicalType::kInt64;
}
inline bool IsFloat(types::PhysicalType type) {
  return type == types::PhysicalType::kFloat32 || type == types::PhysicalType::kFloat64;
}
// An integer cell, sign-extended.
inline int64_t LoadInt(types::PhysicalType type, const char* cell) {
  switch (type) {
    case types::PhysicalType::kBool8:
      return static_cast<uint8_t>(*cell);
    case types::PhysicalType::kInt16:
      return LoadLe<int16_t>(cell);
    case types::PhysicalType::kInt32:
      return LoadLe<int32_t>(cell);
    default:
      return LoadLe<int64_t>(cell);
  }
}

// 10^e as a double, exactly.
inline constexpr int kExponentMax = 18;
double PowerOfTenDouble(int exponent);

}  // namespace omendb::colstore
