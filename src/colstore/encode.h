// encode.h - chooses how a block is stored, by the bytes that each way would take, and writes it.
//
// Format         docs/formats/segment.md, "Blocks"
// Thread safety  An encoder belongs to one thread at a time.
// Ownership      Borrows the cells for the call.
// Cost           10 to 30 ns a number; strings about 10 ns a byte when symbols are tried.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "colstore/block.h"
#include "colstore/format.h"
#include "colstore/strings.h"

namespace omendb::colstore {

// Up to kBlockRows cells of one column, one behind the other.
struct ColumnCells {
  types::PhysicalType physical = types::PhysicalType::kInt32;
  uint32_t rows = 0;                   // at least 1
  char* cells = nullptr;               // cells of NULL rows are overwritten
  const uint64_t* validity = nullptr;  // bit set = not NULL; unused when nulls is 0
  uint32_t nulls = 0;

  bool is_null(uint32_t row) const {
    return nulls > 0 && (validity[row / 64] >> row % 64 & 1) == 0;
  }
};

class BlockEncoder {
 public:
  BlockEncoder();
  ~BlockEncoder();
  // Appends the block, its CRC left 0. Requires: strings take less than 2^30 bytes together.
  // `hint`: the column's own, the same for each of its blocks.
  void Encode(const ColumnCells& column, SymbolHint& hint, std::string& out);
  // The same in a given encoding; false, and nothing appended, when it cannot hold the column.
  bool EncodeAs(Encoding encoding, const ColumnCells& column, std::string& out);

 private:
  // One way to store the column.
  struct Candidate {
    Encoding encoding;
    size_t bytes;  // of the values
    std::function<void(std::string&)> write;
  };
  struct Scratch;

  bool EncodeFrom(std::optional<Encoding> only, const ColumnCells& column, SymbolHint& hint,
                  std::string& out);
  void Offer(Encoding encoding, size_t bytes, std::function<void(std::string&)> write);
  const Candidate* Best(std::optional<Encoding> only) const;

  void OfferIntegers(const ColumnCells& column);
  void OfferFrame(const ColumnCells& column);
  void OfferDelta(const ColumnCells& column);
  void OfferWide(const ColumnCells& column);
  void OfferDecimals(const ColumnCells& column);
  void OfferCells(const ColumnCells& column);
  template <typename T>
  void OfferEntries(const ColumnCells& column);
  void OfferStrings(const ColumnCells& column, SymbolHint& hint, bool all);
  void WriteFrame(const ColumnCells& column, std::string& out) const;
  void PlanPacking(const ColumnCells& column);
  void OfferPacked(Encoding encoding, size_t head_bytes, const ColumnCells& column);

  std::vector<Candidate> candidates_;
  std::unique_ptr<Scratch> scratch_;
};

}  // namespace omendb::colstore
