// encode_internal.h - what the parts of BlockEncoder share.
//
// Thread safety  As BlockEncoder.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "colstore/bitpack.h"
#include "colstore/encode.h"

namespace omendb::colstore {

struct BlockEncoder::Scratch {
  // ---- Integers, and the units of decimals -----------------------------------------------------
  std::array<int64_t, kBlockRows> ints;
  // ---- Frame: values less their base; those that must be exceptions ----------------------------
  std::array<uint64_t, kBlockRows> packed;
  std::array<bool, kBlockRows> forced;
  types::Int128 base;
  int width;
  size_t frame_bytes;  // of packed numbers and exceptions
  int exponent;
  // ---- Delta -----------------------------------------------------------------------------------
  std::array<uint64_t, kBlockRows> deltas;
  int64_t step;
  int delta_width;
  // ---- Runs and dictionary: rows where runs end; codes; rows where entries are met first -------
  std::vector<uint16_t> run_ends;
  std::vector<uint16_t> first_rows;
  std::array<uint64_t, kBlockRows> codes;
  std::array<uint16_t, 2 * kBlockRows> slots;  // of the hash table: entry + 1
  std::vector<std::string_view> strings;
};

inline constexpr size_t kEntriesHeadBytes = 16;

inline void PadTo16(std::string& out, size_t begin) {
  out.resize(begin + AlignUp(out.size() - begin));
}
inline void AppendPacked(const uint64_t* values, uint32_t count, int width, std::string& out) {
  const size_t at = out.size();
  out.resize(at + PackedBytes(count, width));
  Pack(values, count, width, out.data() + at);
}
// Head, ends and padding of runs.
void AppendRunEnds(const std::vector<uint16_t>& ends, std::string& out);
size_t RunEndsBytes(size_t runs);
// Head and codes of a dictionary.
void AppendCodes(const uint64_t* codes, uint32_t rows, size_t entries, std::string& out);
size_t CodesBytes(uint32_t rows, size_t entries);

}  // namespace omendb::colstore
