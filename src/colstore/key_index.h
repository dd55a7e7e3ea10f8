// key_index.h - from a key to the few positions of a segment where it can be.
//
// Format         docs/formats/segment.md, "Sections"
// Thread safety  Immutable once parsed.
// Invariants     The lower bound of the key is in the window, and the window touches at most two
//                blocks.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "index/static_index.h"

namespace omendb::colstore {

enum class KeyIndexKind : uint8_t {
  kIntegers = 0,  // one native integer column
  kPrefixes = 1,  // 8 bytes behind the common prefix, then comparison
  kFences = 2,    // first keys of the blocks
};

class KeyIndex {
 public:
  // Keys ascend. The content of a section.
  static Result<std::string> BuildIntegers(std::span<const uint64_t> keys);
  static Result<std::string> BuildBytes(std::span<const std::string_view> keys);
  static Result<KeyIndex> Parse(std::string_view content, uint32_t rows);

  KeyIndexKind kind() const { return kind_; }
  index::PositionRange Find(uint64_t key) const { return model_.LowerBound(key); }
  index::PositionRange Find(std::string_view key) const;
  size_t memory_bytes() const;

 private:
  KeyIndexKind kind_ = KeyIndexKind::kIntegers;
  uint32_t rows_ = 0;
  std::string common_;
  index::StaticIndex model_;
  std::vector<std::string> fences_;
};

}  // namespace omendb::colstore
