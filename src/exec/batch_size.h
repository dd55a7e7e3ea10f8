// batch_size.h - how many lookups to make together; internal to exec.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace omendb::exec {

// At first no more than rows are wanted, then more and more: LIMIT 1 costs one lookup, and a long
// search with few matches soon has as many misses in flight as the memory takes.
class BatchSize {
 public:
  explicit BatchSize(uint64_t rows_wanted) : next_(std::clamp<uint64_t>(rows_wanted, 1, kMax)) {}
  size_t get() const { return next_; }
  void Grow() { next_ = std::min<uint64_t>(next_ * 4, kMax); }

 private:
  static constexpr uint64_t kMax = 64;
  uint64_t next_;
};

}  // namespace omendb::exec
