// key_boxes.h - which of many segments may have a primary key: by the range of each key column, not
// of the key as a whole. Segments loaded in the order of time hold every sensor's keys (sensor,
// time), so all of their key ranges overlap; but each has its own span of the second column.
//
// Of a column the first 8 bytes of its encoding are compared, as a number. Neighbours in the order
// of their first keys share a hull, which is asked first.
//
// Invariants     A segment that has the key is among those that MayHave tells.
// Thread safety  Immutable once filled.
// Cost           A comparison for each hull, and for each box of the hulls that match.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "colstore/footer.h"
#include "types/key_encoding.h"

namespace omendb::engine {

struct KeyColumn {
  types::SqlType type;
  types::KeyOptions options;
};

// The first columns of a key, as numbers whose order is that of the columns where they differ.
struct KeyParts {
  static constexpr size_t kMax = 4;
  std::array<uint64_t, kMax> at{};
  size_t count = 0;  // as far as lengths can be told
};
// `columns` is empty for keys that are 64-bit integers.
KeyParts PartsOfKey(std::span<const KeyColumn> columns, std::string_view key);

struct KeyBox {
  KeyParts low;
  KeyParts high;

  bool Has(const KeyParts& key) const {
    for (size_t i = 0; i < key.count; ++i) {
      if (key.at[i] < low.at[i] || key.at[i] > high.at[i]) return false;
    }
    return true;
  }
  // Whether a key may be in both.
  bool Meets(const KeyBox& other) const;
  void Merge(const KeyBox& other);
};
// Requires: the segment is sorted by these columns.
KeyBox BoxOfSegment(std::span<const KeyColumn> columns, const colstore::SegmentFooter& footer);

class KeyBoxes {
 public:
  void Add(const KeyBox& box);
  // Calls `visit(i)` for those of the first `end` boxes that have the key, the last first, until it
  // answers false.
  template <typename Visit>
  void VisitBackward(const KeyParts& key, size_t end, const Visit& visit) const {
    while (end > 0) {
      const size_t hull = (end - 1) / kHullBoxes;
      const size_t begin = hull * kHullBoxes;
      if (hulls_[hull].Has(key)) {
        for (size_t i = end; i-- > begin;) {
          if (boxes_[i].Has(key) && !visit(i)) return;
        }
      }
      end = begin;
    }
  }

 private:
  static constexpr size_t kHullBoxes = 32;
  std::vector<KeyBox> boxes_;
  std::vector<KeyBox> hulls_;
};

}  // namespace omendb::engine
