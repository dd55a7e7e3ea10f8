// lock_manager.h - table, row and advisory locks: first come, first served, with deadlock
// detection.
//
// All three kinds use PostgreSQL's eight modes and its conflict table. Row locks map onto them as
// in PostgreSQL: KEY SHARE = AccessShare, SHARE = RowShare, NO KEY UPDATE = Exclusive, UPDATE =
// AccessExclusive. A row that is being changed is not locked here but by the mark in its end word;
// rows appear here only for SELECT ... FOR and foreign keys.
//
// Thread safety  Any thread.
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
  struct alignas(64) Shard {
    Mutex mu;
    std::unordered_map<LockKey, Queue, LockKeyHash> queues OMEN_GUARDED_BY(mu);
  };
  static constexpr size_t kShards = 64;
  // So many keys of tables stay in a shard when nobody holds them: the next statement does.
  static constexpr size_t kIdleQueuesMax = 16;

  Shard& ShardOf(const LockKey& key) { return shards_[LockKeyHash()(key) % kShards]; }
  static std::vector<LockOwner> Blockers(const Queue& queue, const Waiting& entry);
  static void Grant(Queue& queue, LockOwner owner, TableLockMode mode);
  void GrantWaiting(Queue& queue);
  Status WaitFor(Shard& shard, const LockKey& key, const std::shared_ptr<Waiting>& entry,
                 const WaitContext& context);
  void EraseIfIdle(Shard& shard, const LockKey& key, const std::function<void()>& last)
      OMEN_REQUIRES(shard.mu);

  WaitGraph& graph_;
  std::array<Shard, kShards> shards_;
};

}  // namespace omendb::txn
