// segmented_array.h - an array that grows without moving its elements: segment k holds 2^k times
// the first segment's count, so an index is two shifts away from its element.
//
// Thread safety  Find: any thread, no lock. Ensure: any thread; one of two racing allocations is
//                freed again.
// Ownership      Owns the segments until destroyed. Elements begin as all-zero bytes, which must be
//                a valid T (atomics of integers and pointers).
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <type_traits>

#include "base/check.h"

namespace omendb::rowstore {

template <typename T, int kFirstBits>
class SegmentedArray {
  static_assert(std::is_trivially_destructible_v<T>);

 public:
  SegmentedArray() = default;
  SegmentedArray(const SegmentedArray&) = delete;
  SegmentedArray& operator=(const SegmentedArray&) = delete;
  ~SegmentedArray() {
    for (std::atomic<T*>& segment : segments_) std::free(segment.load(std::memory_order_relaxed));
  }

  // nullptr when nothing near it was ever ensured.
  T* Find(uint64_t index) const {
    const Place place = PlaceOf(index);
    if (place.segment >= kSegmentsMax) return nullptr;
    T* segment = segments_[place.segment].load(std::memory_order_acquire);
    return segment == nullptr ? nullptr : segment + place.offset;
  }
  // Requires: Ensure(index) was called.
  T& operator[](uint64_t index) const {
    const Place place = PlaceOf(index);
    return segments_[place.segment].load(std::memory_order_acquire)[place.offset];
  }
  T& Ensure(uint64_t index) {
    const Place place = PlaceOf(index);
    OMEN_CHECK(place.segment < kSegmentsMax);
    T* segment = segments_[place.segment].load(std::memory_order_acquire);
    if (segment == nullptr) segment = Allocate(place.segment);
    return segment[place.offset];
  }

 private:
  static constexpr int kSegmentsMax = 40;
  struct Place {
    int segment;
    uint64_t offset;
  };
  static Place PlaceOf(uint64_t index) {
    const uint64_t biased = index + (1ULL << kFirstBits);
    const int top = 63 - __builtin_clzll(biased);
    return {top - kFirstBits, biased - (1ULL << top)};
  }
  T* Allocate(int segment) {
    // calloc: large segments come from the kernel as zero pages that cost nothing until touched.
    auto* fresh = static_cast<T*>(std::calloc(1ULL << (segment + kFirstBits), sizeof(T)));
    OMEN_CHECK(fresh != nullptr);
    T* expected = nullptr;
    if (segments_[segment].compare_exchange_strong(expected, fresh, std::memory_order_acq_rel)) {
      return fresh;
    }
    std::free(fresh);
    return expected;
  }

  mutable std::array<std::atomic<T*>, kSegmentsMax> segments_{};
};

}  // namespace omendb::rowstore
