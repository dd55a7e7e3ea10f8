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

BlockCache::Shard& BlockCache::ShardOf(const Key& group) {
  return *shards_[(KeyHash()(group) >> 32) % shards_.size()];
}

BlockCache::Entry* BlockCache::FindGroup(Shard& shard, const Key& group) {
  const auto it = shard.entries.find(group);
  return it == shard.entries.end() ? nullptr : &*it->second;
}

std::shared_ptr<const Block> BlockCache::Find(const Key& key) {
  std::shared_ptr<const Block> found;
  FindMany(key, {&found, 1});
  return found;
}

void BlockCache::FindMany(const Key& first, std::span<std::shared_ptr<const Block>> found) {
  Key key = first;
  for (size_t i = 0; i < found.size();) {
    const Key group = GroupOf(key);
    Shard& shard = ShardOf(group);
    MutexLock lock(shard.mu);
    Entry* const entry = FindGroup(shard, group);
    uint64_t hits = 0;
    do {
      if (entry != nullptr) found[i] = entry->blocks[key.block % kNeighbours];
      (found[i++] != nullptr ? hits : shard.misses) += 1;
    } while (++key.block % kNeighbours != 0 && i < found.size());
    shard.hits += hits;
    if (hits > 0) entry->uses = std::min<uint8_t>(kUsesMax, entry->uses + 1);
  }
}

bool BlockCache::Contains(const Key& key) {
  const Key group = GroupOf(key);
  Shard& shard = ShardOf(group);
  MutexLock lock(shard.mu);
  const Entry* const entry = FindGroup(shard, group);
  return entry != nullptr && entry->blocks[key.block % kNeighbours] != nullptr;
}

void BlockCache::Insert(const Key& key, std::shared_ptr<const Block> block) {
  const Key group = GroupOf(key);
  Shard& shard = ShardOf(group);
  const size_t bytes = block->memory_bytes();
  MutexLock lock(shard.mu);
  Entry* entry = FindGroup(shard, group);
  if ((entry != nullptr ? entry->bytes : 0) + bytes > shard.budget) return;
  if (entry == nullptr) {
    const bool back_again = shard.ghost_set.erase(KeyHash()(group)) > 0;
    Entries& queue = back_again ? shard.main : shard.small;
    entry = &queue.emplace_front();
    entry->key = group;
    entry->queue = back_again ? Queue::kMain : Queue::kSmall;
    shard.entries.emplace(group, queue.begin());
  }
  std::shared_ptr<const Block>& place = entry->blocks[key.block % kNeighbours];
  if (place != nullptr) return;
  place = std::move(block);
  entry->bytes += bytes;
  ++entry->count;
  ++shard.blocks;
  (entry->queue == Queue::kMain ? shard.main_bytes : shard.small_bytes) += bytes;
  Shrink(shard);
}

void BlockCache::Drop(Shard& shard, Entries& queue, Entries::iterator entry) {
  shard.blocks -= entry->count;
  shard.entries.erase(entry->key);
  queue.erase(entry);
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
  shard.evictions += oldest->count;
  Drop(shard, shard.small, oldest);
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
  shard.evictions += oldest->count;
  Drop(shard, shard.main, oldest);
}

// As many as there are groups: what comes back later than that was not worth keeping.
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
        const auto entry = it++;
        if (entry->key.owner != owner) continue;
        bytes -= entry->bytes;
        Drop(*shard, *entries, entry);
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
    sum.blocks += shard->blocks;
  }
  return sum;
}

}  // namespace omendb::colstore
