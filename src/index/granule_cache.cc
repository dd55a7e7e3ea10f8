#include "index/granule_cache.h"

#include <span>

#include "index/arena.h"
#include "index/relaxed.h"

namespace omendb::index {

namespace {

// Few, since one insert pays for all.
constexpr uint32_t kRefill = 4;
constexpr uint32_t kHalf = GranuleCache::kMost / 2;

struct Held {
  void* granules[GranuleCache::kMost] = {};
  uint32_t count = 0;
  bool open = false;  // While the thread has a Closer.
};
constinit thread_local Held held;

// What the thread's later destructors take and give goes to the arena itself.
struct Closer {
  Closer() { held.open = true; }
  ~Closer() {
    held.open = false;
    Arena::Shared().FreeGranules({held.granules, held.count});
    held.count = 0;
  }
};
[[gnu::noinline]] bool Open() {
  thread_local bool closed = false;
  if (closed) return false;
  thread_local Closer closer;
  closed = true;
  return true;
}

#if defined(__SANITIZE_ADDRESS__)
constexpr bool kEnabled = false;  // Which is to see what is used after it was freed.
#else
constexpr bool kEnabled = true;
#endif

}  // namespace

void* GranuleCache::Take() {
  if (held.count == 0) {
    if (!kEnabled || (!held.open && !Open())) return Arena::Shared().Allocate(Arena::kGranule);
    Arena::Shared().AllocateGranules({held.granules, kRefill});
    held.count = kRefill;
  }
  void* granule = held.granules[--held.count];
  if (held.count > 0) {
    const auto* next = static_cast<const char*>(held.granules[held.count - 1]);
    for (size_t line = 0; line < Arena::kGranule; line += 64) PrefetchWrite(next + line);
  }
  return granule;
}

void GranuleCache::Give(void* granule) {
  if (!kEnabled || (!held.open && !Open())) return Arena::Shared().Free(granule, Arena::kGranule);
  if (held.count == kMost) {
    Arena::Shared().FreeGranules({held.granules, kHalf});
    for (uint32_t i = kHalf; i < kMost; ++i) held.granules[i - kHalf] = held.granules[i];
    held.count -= kHalf;
  }
  held.granules[held.count++] = granule;
}

uint32_t GranuleCache::count() { return held.count; }

}  // namespace omendb::index
