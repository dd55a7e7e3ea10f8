// Plain loops over fixed numbers of lanes, which compilers turn into vector instructions: this file
// is built with -O3 (CMakeLists.txt).
#include "colstore/bitpack.h"

#include <algorithm>

namespace omendb::colstore {
namespace {

// Words as they lie in a block, which may be anywhere.
typedef uint32_t NarrowWord __attribute__((aligned(1), may_alias));
typedef uint64_t WideWord __attribute__((aligned(1), may_alias));

template <typename Word, uint32_t kLanes>
void PackLanes(const uint64_t* values, uint32_t count, uint32_t width, char* out) {
  constexpr uint32_t kBits = sizeof(Word) * 8;
  auto* words = reinterpret_cast<Word*>(out);
  for (uint32_t i = 0; i < count; ++i) {
    const uint32_t bit = i / kLanes * width;
    const uint32_t shift = bit % kBits;
    Word* word = words + bit / kBits * kLanes + i % kLanes;
    *word |= static_cast<Word>(values[i] << shift);
    if (shift + width > kBits) word[kLanes] |= static_cast<Word>(values[i] >> (kBits - shift));
  }
}

template <typename Word, uint32_t kLanes, typename T>
void UnpackLanes(const char* packed, uint32_t count, uint32_t width, T base, T* out) {
  constexpr uint32_t kBits = sizeof(Word) * 8;
  using Plain = std::conditional_t<kBits == 32, uint32_t, uint64_t>;
  const auto mask = static_cast<Plain>(~Plain{0} >> (kBits - width));
  const auto* words = reinterpret_cast<const Word*>(packed);
  for (uint32_t row = 0; row * kLanes < count; ++row, out += kLanes) {
    const uint32_t bit = row * width;
    const uint32_t shift = bit % kBits;
    const Word* low = words + bit / kBits * kLanes;
    if (shift + width <= kBits) {
      for (uint32_t lane = 0; lane < kLanes; ++lane) {
        out[lane] = static_cast<T>(static_cast<T>(low[lane] >> shift & mask) + base);
      }
    } else {
      const Word* high = low + kLanes;
      const uint32_t back = kBits - shift;
      for (uint32_t lane = 0; lane < kLanes; ++lane) {
        const Plain both = low[lane] >> shift | high[lane] << back;
        out[lane] = static_cast<T>(static_cast<T>(both & mask) + base);
      }
    }
  }
}

}  // namespace

void Pack(const uint64_t* values, uint32_t count, int width, char* out) {
  std::memset(out, 0, PackedBytes(count, width));
  if (width == 0) return;
  if (width <= kNarrowWidthMax) {
    PackLanes<NarrowWord, kNarrowLanes>(values, count, static_cast<uint32_t>(width), out);
  } else {
    PackLanes<WideWord, kWideLanes>(values, count, static_cast<uint32_t>(width), out);
  }
}

template <typename T>
void Unpack(const char* packed, uint32_t count, int width, T base, T* out) {
  if (width == 0) {
    std::fill_n(out, count, base);
  } else if (width <= kNarrowWidthMax) {
    UnpackLanes<NarrowWord, kNarrowLanes, T>(packed, count, static_cast<uint32_t>(width), base,
                                             out);
  } else {
    UnpackLanes<WideWord, kWideLanes, T>(packed, count, static_cast<uint32_t>(width), base, out);
  }
}

template void Unpack(const char*, uint32_t, int, uint8_t, uint8_t*);
template void Unpack(const char*, uint32_t, int, uint16_t, uint16_t*);
template void Unpack(const char*, uint32_t, int, uint32_t, uint32_t*);
template void Unpack(const char*, uint32_t, int, uint64_t, uint64_t*);

}  // namespace omendb::colstore
