#include "index/node_cache.h"

#include <cstdlib>

#include "base/check.h"

namespace omendb::index {

NodeCache& NodeCache::Instance() {
  static auto* const instance = new NodeCache;
  return *instance;
}

void* NodeCache::Take(size_t bytes) {
  {
    MutexLock lock(mu_);
    if (!nodes_.empty()) {
      void* node = nodes_.back();
      nodes_.pop_back();
      return node;
    }
  }
  void* node = std::aligned_alloc(64, bytes);
  OMEN_CHECK(node != nullptr);
  return node;
}

void NodeCache::Give(void* node) {
  {
    MutexLock lock(mu_);
    if (nodes_.size() < kNodesMax) {
      nodes_.push_back(node);
      return;
    }
  }
  std::free(node);
}

}  // namespace omendb::index
