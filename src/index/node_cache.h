// node_cache.h - memory of inner nodes that were let go, kept for the next ones.
//
// Every split copies an inner node of 5 KB. malloc takes up to 2 us for blocks of that size, more
// than the copying: it searches, and hands pages back to the kernel that it asks for again soon.
//
// Ownership      One for the process, at most kNodesMax nodes, never destroyed.
// Thread safety  All.
#pragma once

#include <cstddef>
#include <vector>

#include "base/mutex.h"

namespace omendb::index {

class NodeCache {
 public:
  static NodeCache& Instance();
  // 64-byte aligned. Requires: the same `bytes` each time.
  void* Take(size_t bytes);
  void Give(void* node);

 private:
  // Why 128: an epoch's end frees about 90 at once.
  static constexpr size_t kNodesMax = 128;

  Mutex mu_;
  std::vector<void*> nodes_ OMEN_GUARDED_BY(mu_);
};

}  // namespace omendb::index
