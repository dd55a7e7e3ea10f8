// dead_rows.h - rows of a segment that are not to be seen, by position: one bit each.
//
// Thread safety  As a container.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"

namespace omendb::engine {

class DeadRows {
 public:
  DeadRows() = default;
  explicit DeadRows(uint32_t rows) : words_((rows + 63) / 64) {}
  // Every row of so many, without a bit for each: nothing but count() and Has is asked of it, and
  // none comes back.
  static DeadRows All(uint32_t rows) {
    DeadRows all;
    all.count_ = rows;
    return all;
  }
  uint32_t count() const { return count_; }
  bool Has(uint32_t row) const {
    return words_.empty() || (words_[row / 64] >> (row % 64) & 1) != 0;
  }
  void Add(uint32_t row) {
    if (Has(row)) return;
    ++count_;
    words_[row / 64] |= 1ULL << (row % 64);
  }
  void Remove(uint32_t row) {
    count_ -= Has(row) ? 1 : 0;
    words_[row / 64] &= ~(1ULL << (row % 64));
  }
  // Rows 64 * word, ...: those whose bit is set.
  void AddWord(size_t word, uint64_t bits);
  std::span<const uint64_t> words() const { return words_; }

  // varint count; when it is not 0, the words of the mask (docs/formats/log_records.md).
  void Serialize(std::string& out) const;
  // False when the bytes are no mask of so many rows.
  bool Parse(uint32_t rows, ByteReader& in);

 private:
  std::vector<uint64_t> words_;
  uint32_t count_ = 0;
};

}  // namespace omendb::engine
