// symbol_table.h - strings shortened by a table of up to 255 frequent pieces of 1 to 8 bytes: a
// byte of the result names a piece, or is 255 and the next byte stands for itself. Every string
// decodes on its own.
//
// Format         docs/formats/segment.md, "Strings"
// Thread safety  Immutable once built; building and encoding are pure.
// Cost           Decoding copies 8 bytes a symbol; making a table costs as much as encoding 16 KiB
//                six times.
// See            Boncz, Neumann, Leis, "FSST" (VLDB 2020)
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace omendb::colstore {

inline constexpr uint32_t kSymbolsMax = 255;
inline constexpr uint8_t kEscape = 255;
inline constexpr size_t kSymbolBytesMax = 8;

// The table as it is stored: lengths and bytes. A view.
struct SymbolsView {
  uint32_t count = 0;
  std::array<uint64_t, 256> bytes{};  // little-endian, the unused ones 0
  std::array<uint8_t, 256> lengths{};

  // Takes the table off the front of `in`; false when it is no table.
  bool Parse(std::string_view& in);
  // How long `stored` becomes; SIZE_MAX when a symbol of it does not exist or it ends in an escape.
  size_t DecodedSize(std::string_view stored) const;
  // Writes the string; up to 8 bytes behind its end are overwritten too. Returns the end.
  // Requires: DecodedSize() accepted it.
  char* Decode(std::string_view stored, char* out) const;
};

class SymbolTable {
 public:
  // Made for strings like those of `sample`.
  static SymbolTable Build(std::span<const std::string_view> sample);

  uint32_t count() const { return count_; }
  void Serialize(std::string& out) const;
  // Appends the shortened string.
  void Encode(std::string_view string, std::string& out) const;
  size_t EncodedSize(std::string_view string) const;

 private:
  struct Symbol {
    uint64_t bytes = 0;
    uint8_t length = 0;
  };
  struct Counts;
  static constexpr uint32_t kHashSlots = 2048;
  static constexpr uint16_t kNone = 0xffff;

  SymbolTable();
  // The longest symbol that `bytes` (of which `left` count) begins with; kNone without one.
  uint16_t Match(uint64_t bytes, size_t left) const;
  void Add(uint64_t bytes, uint32_t length);
  void Count(std::span<const std::string_view> sample, Counts& counts) const;
  static SymbolTable Pick(const SymbolTable& from, const Counts& counts);

  uint32_t count_ = 0;
  std::array<Symbol, kSymbolsMax> symbols_{};
  std::array<uint16_t, 256> ones_;
  // Two bytes: by a hash of them; three and more: by a hash of the first three.
  std::array<uint16_t, kHashSlots> twos_;
  std::array<uint16_t, kHashSlots> longs_;
};

}  // namespace omendb::colstore
