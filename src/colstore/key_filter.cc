#include "colstore/key_filter.h"

#include "base/bytes.h"

namespace omendb::colstore {
namespace {

constexpr size_t kBlockBytes = 32;
constexpr uint64_t kBitsPerKey = 8;
constexpr uint32_t kSalts[8] = {0x47b6137b, 0x44974d91, 0x8824ad5b, 0xa2b7289d,
                                0x705495c7, 0x2df1424b, 0x9efc4947, 0x5c6bfb31};

size_t BlockAt(uint64_t hash, uint64_t blocks) {
  return static_cast<size_t>((hash >> 32) * blocks >> 32) * kBlockBytes;
}
uint32_t BitOf(uint64_t hash, int word) {
  return uint32_t{1} << (static_cast<uint32_t>(hash) * kSalts[word] >> 27);
}

}  // namespace

std::string KeyFilter::Build(std::span<const uint64_t> hashes) {
  const uint64_t blocks = (hashes.size() * kBitsPerKey + 8 * kBlockBytes - 1) / (8 * kBlockBytes);
  std::string out(4 + blocks * kBlockBytes, '\0');
  StoreLe<uint32_t>(out.data(), static_cast<uint32_t>(blocks));
  for (const uint64_t hash : hashes) {
    char* block = out.data() + 4 + BlockAt(hash, blocks);
    for (int i = 0; i < 8; ++i) {
      StoreLe<uint32_t>(block + 4 * i, LoadLe<uint32_t>(block + 4 * i) | BitOf(hash, i));
    }
  }
  return out;
}

bool KeyFilter::IsFilter(std::string_view content) {
  return content.size() >= 4 &&
         content.size() - 4 == uint64_t{LoadLe<uint32_t>(content.data())} * kBlockBytes;
}

bool KeyFilter::Parse(std::string_view content) {
  if (!IsFilter(content)) return false;
  blocks_ = LoadLe<uint32_t>(content.data());
  words_ = std::string(content.substr(4));
  return true;
}

bool KeyFilter::MayContain(std::string_view content, uint64_t hash) {
  return MayContain(content.substr(4), LoadLe<uint32_t>(content.data()), hash);
}

bool KeyFilter::MayContain(std::string_view words, uint64_t blocks, uint64_t hash) {
  if (blocks == 0) return true;
  const char* block = words.data() + BlockAt(hash, blocks);
  uint32_t missing = 0;
  for (int i = 0; i < 8; ++i) missing |= BitOf(hash, i) & ~LoadLe<uint32_t>(block + 4 * i);
  return missing == 0;
}

}  // namespace omendb::colstore
