// key_filter.h - a split block Bloom filter over the keys of a segment: 8 bits a key, and about 2%
// of the keys that are not there are let through.
//
// Format         docs/formats/segment.md, "Sections"
// Thread safety  Immutable.
// Cost           One cache line.
// See            Putze, Sanders, Singler, "Cache-, Hash- and Space-Efficient Bloom Filters" (2007)
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace omendb::colstore {

class KeyFilter {
 public:
  // Of these hashes. None: a filter that lets everything through.
  static std::string Build(std::span<const uint64_t> hashes);
  // False when the bytes are no filter.
  bool Parse(std::string_view content);
  bool MayContain(uint64_t hash) const { return MayContain(words_, blocks_, hash); }
  // The same of content that is kept elsewhere, and that Parse would accept.
  static bool IsFilter(std::string_view content);
  static bool MayContain(std::string_view content, uint64_t hash);
  size_t memory_bytes() const { return words_.size(); }

 private:
  static bool MayContain(std::string_view words, uint64_t blocks, uint64_t hash);

  std::string words_;
  uint64_t blocks_ = 0;
};

}  // namespace omendb::colstore
