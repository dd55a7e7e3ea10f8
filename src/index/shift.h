// shift.h - moving sorted words up by one under the eyes of optimistic readers.
//
// Thread safety  One writer. A reader finds in every place a whole word, the one before or the one
//                after the move; whether it may use it the version of their owner says.
#pragma once

#include <cstdint>
#include <cstring>

#include "index/bucket.h"
#include "index/relaxed.h"

namespace omendb::index {

// words[from, to) to [from + 1, to + 1). Requires: from <= to.
inline void ShiftUp(Word* words, uint32_t from, uint32_t to) {
#if OMEN_INDEX_VECTORS
  using Loose8 [[gnu::vector_size(64), gnu::may_alias, gnu::aligned(8)]] = uint64_t;
  using Loose4 [[gnu::vector_size(32), gnu::may_alias, gnu::aligned(8)]] = uint64_t;
  for (; to >= from + 8; to -= 8) {
    const Words8 eight = *reinterpret_cast<Loose8*>(words + to - 8);
    *reinterpret_cast<Loose8*>(words + to - 7) = eight;
  }
  for (; to >= from + 4; to -= 4) {
    const Words4 four = *reinterpret_cast<Loose4*>(words + to - 4);
    *reinterpret_cast<Loose4*>(words + to - 3) = four;
  }
#endif
  for (; to > from; --to) words[to].set_release(words[to - 1].get());
}

// The same of bytes.
inline void ShiftUp(Relaxed<uint8_t>* bytes, uint32_t from, uint32_t to) {
#if OMEN_INDEX_VECTORS
  std::memmove(static_cast<void*>(bytes + from + 1), bytes + from, to - from);
#else
  for (; to > from; --to) bytes[to].set(bytes[to - 1].get());
#endif
}

}  // namespace omendb::index
