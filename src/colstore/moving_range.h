// moving_range.h - bounds of a column of integers that are tightened while a scan goes on: a query
// that wants the first rows of an order needs no row behind those that it has.
//
// Thread safety  Any thread. Each bound holds by itself, so a reader may see one older than the
//                other.
#pragma once

#include <atomic>
#include <cstdint>

namespace omendb::colstore {

class MovingRange {
 public:
  void Set(int64_t low, int64_t high) {
    low_.store(low, std::memory_order_relaxed);
    high_.store(high, std::memory_order_relaxed);
  }
  int64_t low() const { return low_.load(std::memory_order_relaxed); }
  int64_t high() const { return high_.load(std::memory_order_relaxed); }
  bool holds_all() const { return low() == INT64_MIN && high() == INT64_MAX; }

 private:
  std::atomic<int64_t> low_{INT64_MIN};
  std::atomic<int64_t> high_{INT64_MAX};
};

}  // namespace omendb::colstore
