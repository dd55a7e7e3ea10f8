// decode.h - a whole block as a vector of DuckDB's layout: flat, constant or dictionary.
//
// Thread safety  A BlockVector belongs to one thread at a time.
// Ownership      A BlockVector owns what was decoded and keeps the block alive; its view is valid
//                until the next Decode into it. Cells point at the block where it is stored flat.
// Cost           Reusing a BlockVector allocates nothing after the first blocks.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "colstore/block.h"
#include "types/chunk.h"

namespace omendb::colstore {

enum class VectorForm : uint8_t {
  kFlat,        // data[row], validity by row
  kConstant,    // data[0] for every row; validity has one bit
  kDictionary,  // data[selection[row]], validity by entry
};

// Bit set = not NULL; words for all rows. Requires: the block has NULLs.
void ReadValidity(const BlockView& block, uint64_t* words);

class BlockVector {
 public:
  // Replaces what is there. `block` is kept.
  void Decode(std::shared_ptr<const Block> block);
  // The same for a view whose bytes the caller keeps.
  void DecodeView(const BlockView& block);
  // Of these rows alone, flat.
  void DecodeRows(std::shared_ptr<const Block> block, std::span<const uint32_t> rows);

  uint32_t rows() const { return rows_; }
  VectorForm form() const { return form_; }
  const void* data() const { return data_; }
  // By row: which cell; null for kFlat.
  const uint32_t* selection() const { return selection_; }
  // By cell, bit set = not NULL; null = no NULLs. kConstant and kDictionary: by cell of data.
  const uint64_t* validity() const { return validity_; }
  // Cells of data: rows, 1 or the entries of the dictionary.
  uint32_t cells_count() const { return cells_count_; }
  types::ColumnView view(const types::SqlType& type) const {
    return {type,       physical_, data_,
            selection_, validity_, form_ == VectorForm::kFlat ? 0 : cells_count_};
  }

 private:
  struct Buffers {
    alignas(64) char cells[(kBlockRows + 1) * 16];
    alignas(64) uint32_t selection[kBlockRows];
    alignas(64) uint64_t validity[kBlockRows / 64 + 1];
    alignas(64) uint64_t wide[kBlockRows];
  };
  void Begin(const BlockView& block);
  void DecodeNulls(const BlockView& block);
  void DecodeFrame(const BlockView& block);
  void DecodeDelta(const BlockView& block);
  void DecodeDecimal(const BlockView& block);
  void DecodeEntries(const BlockView& block);
  void DecodeConstant(const BlockView& block);
  void FillSelection(const BlockView& block);
  template <typename T>
  void FillCells(const BlockView& block);
  void PatchExceptions(const BlockView& block);
  void SetDictionary(const BlockView& block);

  const std::unique_ptr<Buffers> buffers_ = std::make_unique_for_overwrite<Buffers>();
  types::Arena arena_;
  std::shared_ptr<const Block> kept_;
  types::PhysicalType physical_ = types::PhysicalType::kInt32;
  VectorForm form_ = VectorForm::kFlat;
  uint32_t rows_ = 0;
  uint32_t cells_count_ = 0;
  const void* data_ = nullptr;
  const uint32_t* selection_ = nullptr;
  const uint64_t* validity_ = nullptr;
};

}  // namespace omendb::colstore
