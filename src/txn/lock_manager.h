// lock_manager.h - table, row and advisory locks: first come, first served, with deadlock
// detection.
//
// All three kinds use PostgreSQL's eight modes and its conflict table. Row locks map onto them as
// in PostgreSQL: KEY SHARE = AccessShare, SHARE = RowShare, NO KEY UPDATE = Exclusive, UPDATE =
// AccessExclusive. A row that is being changed is not locked here but by the mark in its end word;
// rows appear here only for SELECT ... FOR and foreign keys.
//
// Many shares    A statement may lock millions of referenced rows FOR KEY SHARE. ShareRow keeps
//                such a lock as a bit of its stretch of row ids, ReleaseShares lets all of a
//                stretch go. To everybody else it is a lock as any other.
//
// Thread safety  Any thread.
// Cost           About 300 bytes for a locked row; 200 for a stretch of shared ones.
// Lock order     Shard::mu, then WaitGraph. No mutex is held while waiting.
// Errors         40P01, 55P03 (lock_timeout), 57014.
// See            PostgreSQL 15, chapter 13.3 "Explicit Locking".
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/mutex.h"
#include "base/status.h"
#include "base/waiter.h"
#include "txn/transaction.h"
#include "txn/wait_graph.h"

namespace omendb::txn {

enum class LockKind : uint8_t { kTable, kRow, kAdvisory };

struct LockKey {
  LockKind kind = LockKind::kTable;
  uint64_t a = 0;  // table or storage Oid, or the advisory key
  uint64_t b = 0;  // row id
  friend bool operator==(const LockKey&, const LockKey&) = default;
};
struct LockKeyHash {
  size_t operator()(const LockKey& k) const {
    const uint64_t h = (k.a * 0x9e3779b97f4a7c15ULL) ^ (k.b + static_cast<uint64_t>(k.kind));
    return h * 0xff51afd7ed558ccdULL >> 16;
  }
};

TableLockMode ModeOf(RowLockMode mode);
bool Conflicts(TableLockMode a, TableLockMode b);
std::string_view LockModeName(TableLockMode mode);  // "AccessShareLock"

// How to wait. `waiter` may be null only with kNoWait and kSkipLocked.
struct WaitContext {
  Waiter* waiter = nullptr;
  CancelFlag* cancel = nullptr;
  uint64_t lock_timeout_ms = 0;
  SteadyTime deadline() const;
};

class LockManager {
 public:
  explicit LockManager(WaitGraph& graph) : graph_(graph) {}

  // True when held; false only without kWait. Taking a mode again counts.
  // `check`, if given, runs under the lock's mutex before a grant without waiting; false = refuse
  // (returns false).
  Result<bool> Acquire(LockOwner owner, const LockKey& key, TableLockMode mode, LockWait wait,
                       const WaitContext& context, const std::function<bool()>& check = nullptr);
  // KEY SHARE of a row, to be let go with ReleaseShares. False when that takes waiting (then
  // Acquire), or `check` refused, which runs under the lock's mutex once nobody is in the way.
  bool ShareRow(LockOwner owner, const LockKey& row, const std::function<bool()>& check);
  // Drops the shares that the owner has in the stretch of this row. `last` runs under the mutex for
  // each that nobody holds or awaits any more.
  void ReleaseShares(LockOwner owner, const LockKey& row,
                     const std::function<void(uint64_t row)>& last);
  static LockKey StretchOf(const LockKey& row) { return {LockKind::kRow, row.a, row.b / kStretch}; }
  static uint64_t FirstRowOf(const LockKey& stretch) { return stretch.b * kStretch; }

  // Whether `owner` could hold `mode` beside the present holders; waits for nothing.
  bool Compatible(LockOwner owner, const LockKey& key, TableLockMode mode);
  // Whether somebody waits for the key.
  bool IsAwaited(const LockKey& key);
  // Drops all modes of this owner on the key. `last` runs under the mutex when nobody holds or
  // awaits the key any more.
  void ReleaseAll(LockOwner owner, const LockKey& key, const std::function<void()>& last = nullptr);
  // Drops one count of one mode; false when it is not held.
  bool ReleaseOne(LockOwner owner, const LockKey& key, TableLockMode mode);

 private:
  static constexpr int kModes = 9;
  struct Holder {
    LockOwner owner;
    std::array<uint32_t, kModes> counts{};
  };
  struct Waiting {
    LockOwner owner;
    TableLockMode mode;
    std::shared_ptr<WaitPoint> point;
    bool granted = false;
  };
  struct Queue {
    std::vector<Holder> holders;
    std::vector<std::shared_ptr<Waiting>> waiters;
  };
  static constexpr uint64_t kStretch = 1024;
  // What one owner shares of a stretch of rows.
  struct Shares {
    LockOwner owner;
    std::array<uint64_t, kStretch / 64> bits{};
    bool has(uint64_t row) const { return (bits[row % kStretch / 64] >> row % 64 & 1) != 0; }
    void Add(uint64_t row) { bits[row % kStretch / 64] |= uint64_t{1} << row % 64; }
  };
  // Rows of one stretch are in one shard.
  struct alignas(64) Shard {
    Mutex mu;
    std::unordered_map<LockKey, Queue, LockKeyHash> queues OMEN_GUARDED_BY(mu);
    std::unordered_map<LockKey, std::vector<Shares>, LockKeyHash> shares OMEN_GUARDED_BY(mu);
  };
  static constexpr size_t kShards = 64;
  // So many keys of tables stay in a shard when nobody holds them: the next statement does.
  static constexpr size_t kIdleQueuesMax = 16;

  Shard& ShardOf(const LockKey& key) {
    return shards_[LockKeyHash()(key.kind == LockKind::kRow ? StretchOf(key) : key) % kShards];
  }
  // Those who share the row.
  static std::vector<LockOwner> SharersOf(Shard& shard, const LockKey& key) OMEN_REQUIRES(shard.mu);
  static std::vector<LockOwner> Blockers(Shard& shard, const LockKey& key, const Queue& queue,
                                         const Waiting& entry) OMEN_REQUIRES(shard.mu);
  static void Grant(Queue& queue, LockOwner owner, TableLockMode mode);
  void GrantWaiting(Shard& shard, const LockKey& key, Queue& queue) OMEN_REQUIRES(shard.mu);
  Status WaitFor(Shard& shard, const LockKey& key, const std::shared_ptr<Waiting>& entry,
                 const WaitContext& context);
  void EraseIfIdle(Shard& shard, const LockKey& key, const std::function<void()>& last)
      OMEN_REQUIRES(shard.mu);

  WaitGraph& graph_;
  std::array<Shard, kShards> shards_;
};

}  // namespace omendb::txn
