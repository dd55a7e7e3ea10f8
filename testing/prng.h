// prng.h - xoshiro256** 1.0, seeded: the only source of randomness in tests and benchmarks.
//
// Thread safety  One per thread.
// See            Blackman and Vigna, "Scrambled Linear Pseudorandom Number Generators" (2021).
#pragma once

#include <bit>
#include <cstdint>
#include <string>

namespace omendb::testutil {

class Prng {
 public:
  using result_type = uint64_t;  // A UniformRandomBitGenerator: works with std::shuffle.
  static constexpr uint64_t min() { return 0; }
  static constexpr uint64_t max() { return UINT64_MAX; }

  explicit Prng(uint64_t seed) {
    for (uint64_t& word : state_) {  // splitmix64, as the authors advise.
      seed += 0x9e3779b97f4a7c15;
      uint64_t z = seed;
      z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
      z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
      word = z ^ (z >> 31);
    }
  }
  uint64_t operator()() {
    const uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
    const uint64_t t = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= t;
    state_[3] = std::rotl(state_[3], 45);
    return result;
  }
  // In [0, bound). Requires bound > 0. The bias of the modulus does not matter in tests.
  uint64_t Below(uint64_t bound) { return (*this)() % bound; }
  // In [low, high].
  int64_t Between(int64_t low, int64_t high) {
    return low + static_cast<int64_t>(
                     Below(static_cast<uint64_t>(high) - static_cast<uint64_t>(low) + 1));
  }
  bool Chance(double probability) {
    return static_cast<double>((*this)() >> 11) * 0x1.0p-53 < probability;
  }
  // `size` random bytes.
  std::string Bytes(size_t size) {
    std::string bytes(size, '\0');
    for (char& c : bytes) c = static_cast<char>((*this)());
    return bytes;
  }

 private:
  uint64_t state_[4];
};

}  // namespace omendb::testutil
