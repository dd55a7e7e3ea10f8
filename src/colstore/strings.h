// strings.h - many strings as one run of bytes: found one by one, decoded all at once.
//
// Format         docs/formats/segment.md, "Strings"
// Thread safety  Immutable views and pure functions.
// Ownership      A StringsView borrows the bytes that it was parsed from. Slots that Fill makes
//                point at them, or at the arena when the strings are stored as symbols.
// Errors         Parse answers false for bytes that are no strings; what it accepted can be read.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "colstore/symbol_table.h"
#include "types/value.h"

namespace omendb::colstore {

class StringsView {
 public:
  // Of `count` strings that take all of `bytes`.
  bool Parse(std::string_view bytes, uint32_t count);

  uint32_t count() const { return count_; }
  bool has_symbols() const { return symbols_ != nullptr; }
  uint32_t decoded_bytes() const { return decoded_bytes_; }
  // Borrows the block's bytes, or the arena's.
  std::string_view At(uint32_t index, types::Arena& arena) const;
  // All strings as cells.
  void Fill(types::StringSlot* slots, types::Arena& arena) const;

 private:
  std::string_view Stored(uint32_t index) const;
  // Lengths of all strings, as stored. Room for kBlockRows.
  void Lengths(uint32_t* lengths) const;
  bool CheckLengths() const;

  uint32_t count_ = 0;
  int width_ = 0;
  uint32_t stored_bytes_ = 0;
  uint32_t decoded_bytes_ = 0;
  uint32_t length_min_ = 0;
  const char* strides_ = nullptr;
  const char* packed_ = nullptr;
  const char* heap_ = nullptr;
  std::shared_ptr<const SymbolsView> symbols_;  // null: bytes as they are
};

// How strings would best be stored, and how many bytes that takes, about.
struct StringsPlan {
  std::shared_ptr<const SymbolTable> symbols;  // null: bytes as they are
  size_t bytes = 0;
};
// A table made for one block of a column serves the next as well, and making one is most of the
// cost: kept by the column's writer from block to block.
struct SymbolHint {
  std::shared_ptr<const SymbolTable> symbols;  // null: none was made yet
  double share = 1;                            // of its sample's bytes that were left
};
StringsPlan PlanStrings(std::span<const std::string_view> strings, SymbolHint& hint);
// Appends the strings. Requires: all their bytes together are below 2^31.
void AppendStrings(std::span<const std::string_view> strings, const StringsPlan& plan,
                   std::string& out);

}  // namespace omendb::colstore
