#include "colstore/block_cache.h"

#include <algorithm>

#include "colstore/hash.h"

namespace omendb::colstore {
namespace {

// The share of a shard that blocks seen once may take.
constexpr uint64_t kSmallDivisor = 10;

}  // namespace

size_t BlockCache::KeyHash::operator()(const Key& key) const {
  return HashInt(key.owner * 0x9e3779b97f4a7c15 ^ (uint64_t{key.column} << 32 | key.block));
}

BlockCache::BlockCache(uint64_t budget_bytes, uint32_t shards_count) {
  for (uint32_t i = 0; i < std::max(1U, shards_count); ++i) {
    shards_.push_back(std::make_unique<Shard>());
  }
  SetBudget(budget_bytes);
}

BlockCache::Shard& BlockCache::ShardOf(const Key& key) {
  const Key neighbours{key.owner, key.column, key.block / kNeighbours};
  return *shards_[(KeyHash()(neighbours) >> 32) % shards_.size()];
}

std::shared_ptr<const Block> BlockCache::Find(const Key& key) {
  Shard& shard = ShardOf(key);
  MutexLock lock(shard.mu);
  return FindIn(shard, key);
}

void BlockCache::FindMany(const Key& first, std::span<std::shared_ptr<const Block>> found) {
  Key key = first;
  for (size_t i = 0; i < found.size();) {
    Shard& shard = ShardOf(key);
    MutexLock lock(shard.mu);
    do {
      found[i++] = FindIn(shard, key);
    } while (++key.block % kNeighbours != 0 && i < found.size());
  }
}

std::shared_ptr<const Block> BlockCache::FindIn(Shard& shard, const Key& key) {
  const auto it = shard.entries.find(key);
  if (it == shard.entries.end()) {
    ++shard.misses;
    return nullptr;
  }
  ++shard.hits;
  Entry& entry = *it->second;
  entry.uses = std::min<uint8_t>(kUsesMax, entry.uses + 1);
  return entry.block;
}

bool BlockCache::Contains(const Key& key) {
  Shard& shard = ShardOf(key);
  MutexLock lock(shard.mu);
  return shard.entries.contains(key);
}

void BlockCache::Insert(const Key& key, std::shared_ptr<const Block> block) {
  Shard& shard = ShardOf(key);
  const size_t bytes = block->memory_bytes();
  const uint64_t hash = KeyHash()(key);
  MutexLock lock(shard.mu);
  if (bytes > shard.budget || shard.entries.contains(key)) return;
  const bool back_again = shard.ghost_set.erase(hash) > 0;
  const Queue queue = back_again ? Queue::kMain : Queue::kSmall;
  Entries& entries = back_again ? shard.main : shard.small;
  entries.push_front({key, std::move(block), bytes, 0, queue});
  (back_again ? shard.main_bytes : shard.small_bytes) += bytes;
  shard.entries.emplace(key, entries.begin());
  Shrink(shard);
}

void BlockCache::Shrink(Shard& shard) {
  while (shard.small_bytes + shard.main_bytes > shard.budget) {
    const bool small_full = shard.small_bytes * kSmallDivisor > shard.budget;
    if (!shard.small.empty() && (small_full || shard.main.empty())) {
      EvictSmall(shard);
    } else {
      EvictMain(shard);
    }
  }
}

// The oldest of the small queue goes to the main one when it was used while it waited.
void BlockCache::EvictSmall(Shard& shard) {
  const auto oldest = std::prev(shard.small.end());
  shard.small_bytes -= oldest->bytes;
  if (oldest->uses > 0) {
    oldest->uses = 0;
    oldest->queue = Queue::kMain;
    shard.main_bytes += oldest->bytes;
    shard.main.splice(shard.main.begin(), shard.small, oldest);
    return;
  }
  Remember(shard, KeyHash()(oldest->key));
  shard.entries.erase(oldest->key);
  shard.small.erase(oldest);
  ++shard.evictions;
}

// The oldest of the main queue goes round again as often as it was used.
void BlockCache::EvictMain(Shard& shard) {
  const auto oldest = std::prev(shard.main.end());
  if (oldest->uses > 0) {
    --oldest->uses;
    shard.main.splice(shard.main.begin(), shard.main, oldest);
    return;
  }
  shard.main_bytes -= oldest->bytes;
  shard.entries.erase(oldest->key);
  shard.main.erase(oldest);
  ++shard.evictions;
}

// As many as there are blocks: what comes back later than that was not worth keeping.
void BlockCache::Remember(Shard& shard, uint64_t hash) {
  if (shard.ghost_set.insert(hash).second) shard.ghosts.push_back(hash);
  while (shard.ghosts.size() > std::max<size_t>(16, shard.entries.size())) {
    shard.ghost_set.erase(shard.ghosts.front());
    shard.ghosts.pop_front();
  }
}

void BlockCache::Erase(uint64_t owner) {
  for (const auto& shard : shards_) {
    MutexLock lock(shard->mu);
    for (Entries* entries : {&shard->small, &shard->main}) {
      uint64_t& bytes = entries == &shard->small ? shard->small_bytes : shard->main_bytes;
      for (auto it = entries->begin(); it != entries->end();) {
        if (it->key.owner != owner) {
          ++it;
          continue;
        }
        bytes -= it->bytes;
        shard->entries.erase(it->key);
        it = entries->erase(it);
      }
    }
  }
}

void BlockCache::SetBudget(uint64_t budget_bytes) {
  for (const auto& shard : shards_) {
    MutexLock lock(shard->mu);
    shard->budget = budget_bytes / shards_.size();
    Shrink(*shard);
  }
}

BlockCache::Counters BlockCache::counters() const {
  Counters sum;
  for (const auto& shard : shards_) {
    MutexLock lock(shard->mu);
    sum.hits += shard->hits;
    sum.misses += shard->misses;
    sum.evictions += shard->evictions;
    sum.bytes += shard->small_bytes + shard->main_bytes;
    sum.blocks += shard->entries.size();
  }
  return sum;
}

}  // namespace omendb::colstore
