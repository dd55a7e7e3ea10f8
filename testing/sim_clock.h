// sim_clock.h - a clock that moves only when a test moves it.
//
// Thread safety  Any thread.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

#include "base/waiter.h"

namespace omendb::testutil {

class SimClock {
 public:
  // `start_micros`: wall clock, microseconds since 1970; by default 2026-01-01 00:00 UTC.
  explicit SimClock(int64_t start_micros = 1'767'225'600'000'000) : wall_(start_micros) {}

  int64_t NowMicros() const { return wall_.load(std::memory_order_relaxed); }
  SteadyTime SteadyNow() const {
    return SteadyTime(std::chrono::microseconds(steady_.load(std::memory_order_relaxed)));
  }
  // Both clocks.
  void AdvanceMicros(int64_t micros) {
    wall_.fetch_add(micros, std::memory_order_relaxed);
    steady_.fetch_add(micros, std::memory_order_relaxed);
  }
  // The wall clock alone, as an administrator or NTP does; may go back.
  void JumpMicros(int64_t micros) { wall_.fetch_add(micros, std::memory_order_relaxed); }

 private:
  std::atomic<int64_t> wall_;
  std::atomic<int64_t> steady_{1'000'000};
};

}  // namespace omendb::testutil
