// hyperloglog.h - the arithmetic of distinct-value sketches: 1,024 registers of one byte, an error
// of 3%. Whoever counts keeps the registers (statistics of hot rows: atomics; segments: stored).
//
// Thread safety  Pure functions.
// See            Flajolet et al., "HyperLogLog" (2007); Heule et al. (2013) for small counts
#pragma once

#include <array>
#include <cmath>
#include <cstdint>

namespace omendb::hyperloglog {

inline constexpr int kRegisterBits = 10;
inline constexpr size_t kRegisters = size_t{1} << kRegisterBits;
inline constexpr uint8_t kRankMax = 64 - kRegisterBits + 1;
using Registers = std::array<uint8_t, kRegisters>;

// A register holds the greatest rank it met.
inline size_t RegisterOf(uint64_t hash) { return hash >> (64 - kRegisterBits); }
inline uint8_t RankOf(uint64_t hash) {
  const uint64_t rest = hash << kRegisterBits | uint64_t{1} << (kRegisterBits - 1);
  return static_cast<uint8_t>(1 + __builtin_clzll(rest));
}

inline uint64_t Estimate(const Registers& registers) {
  constexpr double kCount = kRegisters;
  double sum = 0;
  int zeros = 0;
  for (const uint8_t rank : registers) {
    sum += std::ldexp(1.0, -rank);
    zeros += rank == 0 ? 1 : 0;
  }
  const double raw = 0.7213 / (1 + 1.079 / kCount) * kCount * kCount / sum;
  const bool few = raw <= 2.5 * kCount && zeros > 0;
  return static_cast<uint64_t>(std::llround(few ? kCount * std::log(kCount / zeros) : raw));
}

}  // namespace omendb::hyperloglog
