#include "engine/dead_rows.h"

#include <bit>

namespace omendb::engine {

void DeadRows::AddWord(size_t word, uint64_t bits) {
  count_ += static_cast<uint32_t>(std::popcount(bits & ~words_[word]));
  words_[word] |= bits;
}

void DeadRows::Serialize(std::string& out) const {
  ByteWriter writer(out);
  writer.PutVarint(count_);
  if (count_ == 0) return;
  for (const uint64_t word : words_) writer.Put<uint64_t>(word);
}

bool DeadRows::Parse(uint32_t rows, ByteReader& in) {
  *this = DeadRows(rows);
  const uint64_t count = in.GetVarint();
  if (in.failed() || count > rows) return false;
  if (count == 0) return true;
  for (uint64_t& word : words_) {
    word = in.Get<uint64_t>();
    count_ += static_cast<uint32_t>(std::popcount(word));
  }
  const bool beyond = rows % 64 != 0 && words_.back() >> (rows % 64) != 0;
  return !in.failed() && !beyond && count_ == count;
}

}  // namespace omendb::engine
