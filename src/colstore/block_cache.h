// block_cache.h - verified blocks of segments in memory, within a budget of bytes.
//
// Each shard is S3-FIFO: a new block waits in a small queue, and enters the main one when it is
// used again while it waits, or comes back soon after it was dropped. So a scan of more than the
// cache passes through the small queue and leaves what point reads use alone.
//
// What enters and leaves is a group: neighbours of a column, of which not all need be there. A scan
// finds all of them with one look.
//
// Thread safety  Any thread; a shard's mutex is a leaf.
// Ownership      Shares blocks with whoever reads them: a block in use outlives its eviction.
// Units          Bytes of encoded blocks; the budget holds but for blocks in use.
// See            Yang et al., "FIFO queues are all you need for cache eviction" (SOSP 2023)
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <list>
#include <memory>
#include <span>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/mutex.h"
#include "colstore/block.h"

namespace omendb::colstore {

class BlockCache {
 public:
  struct Key {
    uint64_t owner = 0;  // of NewOwner()
    uint32_t column = 0;
    uint32_t block = 0;
    friend bool operator==(const Key&, const Key&) = default;
  };
  struct Counters {
    uint64_t hits = 0;
    uint64_t misses = 0;
    uint64_t evictions = 0;
    uint64_t bytes = 0;
    uint64_t blocks = 0;
  };

  explicit BlockCache(uint64_t budget_bytes, uint32_t shards_count = 16);

  // A number that no other reader of this cache has.
  uint64_t NewOwner() { return next_owner_.fetch_add(1, std::memory_order_relaxed); }
  // Null when it is not there.
  std::shared_ptr<const Block> Find(const Key& key);
  // Blocks first.block, first.block + 1, ... of a column, with one lock for each kNeighbours.
  void FindMany(const Key& first, std::span<std::shared_ptr<const Block>> found);
  bool Contains(const Key& key);  // Counts nothing, and is no use of the block.
  // Keeps the block unless it is larger than a shard's budget. What is there already stays.
  void Insert(const Key& key, std::shared_ptr<const Block> block);
  // Drops all blocks of an owner.
  void Erase(uint64_t owner);
  void SetBudget(uint64_t budget_bytes);
  Counters counters() const;

 private:
  // So many neighbours of a column, from a multiple on, are a group.
  static constexpr uint32_t kNeighbours = 8;

  enum class Queue : uint8_t { kSmall, kMain };
  struct Entry {
    Key key;  // its block: the number of the group
    size_t bytes = 0;
    uint8_t uses = 0;  // since it entered its queue, up to kUsesMax
    uint8_t count = 0;
    Queue queue = Queue::kSmall;
    std::array<std::shared_ptr<const Block>, kNeighbours> blocks;
  };
  struct KeyHash {
    size_t operator()(const Key& key) const;
  };
  using Entries = std::list<Entry>;
  struct Shard {
    mutable Mutex mu;
    uint64_t budget OMEN_GUARDED_BY(mu) = 0;
    // Newest first.
    Entries small OMEN_GUARDED_BY(mu);
    Entries main OMEN_GUARDED_BY(mu);
    uint64_t small_bytes OMEN_GUARDED_BY(mu) = 0;
    uint64_t main_bytes OMEN_GUARDED_BY(mu) = 0;
    uint64_t blocks OMEN_GUARDED_BY(mu) = 0;
    std::unordered_map<Key, Entries::iterator, KeyHash> entries OMEN_GUARDED_BY(mu);
    // Hashes of groups that left the small queue unused, oldest first.
    std::deque<uint64_t> ghosts OMEN_GUARDED_BY(mu);
    std::unordered_set<uint64_t> ghost_set OMEN_GUARDED_BY(mu);
    uint64_t hits OMEN_GUARDED_BY(mu) = 0;
    uint64_t misses OMEN_GUARDED_BY(mu) = 0;
    uint64_t evictions OMEN_GUARDED_BY(mu) = 0;
  };
  static constexpr uint8_t kUsesMax = 3;

  static Key GroupOf(const Key& key) { return {key.owner, key.column, key.block / kNeighbours}; }
  Shard& ShardOf(const Key& group);
  // Null when nothing of it is there.
  static Entry* FindGroup(Shard& shard, const Key& group) OMEN_REQUIRES(shard.mu);
  // The entry goes; its bytes are no longer its queue's.
  static void Drop(Shard& shard, Entries& queue, Entries::iterator entry) OMEN_REQUIRES(shard.mu);
  static void Shrink(Shard& shard) OMEN_REQUIRES(shard.mu);
  static void EvictSmall(Shard& shard) OMEN_REQUIRES(shard.mu);
  static void EvictMain(Shard& shard) OMEN_REQUIRES(shard.mu);
  static void Remember(Shard& shard, uint64_t hash) OMEN_REQUIRES(shard.mu);

  std::atomic<uint64_t> next_owner_{1};
  std::vector<std::unique_ptr<Shard>> shards_;
};

}  // namespace omendb::colstore
