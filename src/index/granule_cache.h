// granule_cache.h - granules of the shared arena that a thread holds for the next buckets.
//
// A bucket or group of a plain leaf is one granule, and keys in order ask for one every fifteen
// inserts: the arena's mutex for each would be a tenth of the time. A thread takes a few at once,
// and gives back half a cache.
//
// Thread safety  All: each thread has its own cache, which goes back to the arena with it.
#pragma once

#include <cstdint>

namespace omendb::index {

class GranuleCache {
 public:
  static constexpr uint32_t kMost = 32;

  // As Arena::Allocate and Arena::Free of Arena::Shared, for one granule.
  static void* Take();
  static void Give(void* granule);
  // Held by the calling thread; for tests.
  static uint32_t count();
};

}  // namespace omendb::index
