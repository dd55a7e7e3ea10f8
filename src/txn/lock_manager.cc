#include "txn/lock_manager.h"

#include <algorithm>

#include "base/check.h"
#include "base/sqlstate.h"

namespace omendb::txn {
namespace {

constexpr uint32_t Bit(TableLockMode mode) { return 1U << static_cast<int>(mode); }

// Bit m of entry n: mode m conflicts with mode n (PostgreSQL 15, table 13.2).
constexpr uint32_t kConflicts[9] = {
    0,
    0x100,  // AccessShare: AccessExclusive
    0x180,  // RowShare: Exclusive, AccessExclusive
    0x1e0,  // RowExclusive: Share and up
    0x1f0,  // ShareUpdateExclusive: itself and up
    0x1d8,  // Share: RowExclusive, SUE, SRE, E, AE
    0x1f8,  // ShareRowExclusive: RowExclusive and up
    0x1fc,  // Exclusive: RowShare and up
    0x1fe,  // AccessExclusive: all
};

std::string Describe(const LockKey& key, TableLockMode mode) {
  std::string text(LockModeName(mode));
  switch (key.kind) {
    case LockKind::kTable:
      return text + " on relation " + std::to_string(key.a);
    case LockKind::kRow:
      return text + " on tuple " + std::to_string(key.b) + " of relation " + std::to_string(key.a);
    case LockKind::kAdvisory:
      return text + " on advisory lock [" + std::to_string(key.a) + "]";
  }
  return text;
}

}  // namespace

TableLockMode ModeOf(RowLockMode mode) {
  switch (mode) {
    case RowLockMode::kKeyShare:
      return TableLockMode::kAccessShare;
    case RowLockMode::kShare:
      return TableLockMode::kRowShare;
    case RowLockMode::kNoKeyUpdate:
      return TableLockMode::kExclusive;
    case RowLockMode::kUpdate:
      break;
  }
  return TableLockMode::kAccessExclusive;
}

bool Conflicts(TableLockMode a, TableLockMode b) {
  return (kConflicts[static_cast<int>(a)] & Bit(b)) != 0;
}

std::string_view LockModeName(TableLockMode mode) {
  static constexpr std::string_view kNames[9] = {"InvalidLock",
                                                 "AccessShareLock",
                                                 "RowShareLock",
                                                 "RowExclusiveLock",
                                                 "ShareUpdateExclusiveLock",
                                                 "ShareLock",
                                                 "ShareRowExclusiveLock",
                                                 "ExclusiveLock",
                                                 "AccessExclusiveLock"};
  return kNames[static_cast<int>(mode)];
}

SteadyTime WaitContext::deadline() const {
  if (lock_timeout_ms == 0) return kNoDeadline;
  return std::chrono::steady_clock::now() + std::chrono::milliseconds(lock_timeout_ms);
}

std::vector<LockOwner> LockManager::SharersOf(Shard& shard, const LockKey& key) {
  std::vector<LockOwner> owners;
  if (key.kind != LockKind::kRow || shard.shares.empty()) return owners;
  const auto found = shard.shares.find(StretchOf(key));
  if (found == shard.shares.end()) return owners;
  for (const Shares& shares : found->second) {
    if (shares.has(key.b)) owners.push_back(shares.owner);
  }
  return owners;
}

// Holders in conflict, and those waiting in front of it in conflict. One that already holds the
// lock in some mode passes those in front: they may be waiting for it.
std::vector<LockOwner> LockManager::Blockers(Shard& shard, const LockKey& key, const Queue& queue,
                                             const Waiting& entry) {
  std::vector<LockOwner> blockers;
  bool holds = false;
  for (const LockOwner sharer : SharersOf(shard, key)) {
    if (sharer == entry.owner) {
      holds = true;
    } else if (Conflicts(entry.mode, ModeOf(RowLockMode::kKeyShare))) {
      blockers.push_back(sharer);
    }
  }
  for (const Holder& holder : queue.holders) {
    if (holder.owner == entry.owner) {
      holds = true;
      continue;
    }
    for (int m = 1; m < kModes; ++m) {
      if (holder.counts[static_cast<size_t>(m)] != 0 &&
          Conflicts(entry.mode, static_cast<TableLockMode>(m))) {
        blockers.push_back(holder.owner);
        break;
      }
    }
  }
  if (holds) return blockers;
  for (const auto& other : queue.waiters) {
    if (other.get() == &entry) break;
    if (!other->granted && other->owner != entry.owner && Conflicts(entry.mode, other->mode)) {
      blockers.push_back(other->owner);
    }
  }
  return blockers;
}

void LockManager::Grant(Queue& queue, LockOwner owner, TableLockMode mode) {
  for (Holder& holder : queue.holders) {
    if (holder.owner != owner) continue;
    ++holder.counts[static_cast<size_t>(mode)];
    return;
  }
  queue.holders.push_back({owner, {}});
  ++queue.holders.back().counts[static_cast<size_t>(mode)];
}

void LockManager::GrantWaiting(Shard& shard, const LockKey& key, Queue& queue) {
  for (size_t i = 0; i < queue.waiters.size();) {
    const std::shared_ptr<Waiting> entry = queue.waiters[i];
    std::vector<LockOwner> blockers = Blockers(shard, key, queue, *entry);
    if (!blockers.empty()) {
      graph_.Update(entry->owner, std::move(blockers));
      ++i;
      continue;
    }
    entry->granted = true;
    Grant(queue, entry->owner, entry->mode);
    graph_.Remove(entry->owner);
    queue.waiters.erase(queue.waiters.begin() + static_cast<ptrdiff_t>(i));
    entry->point->Signal();
  }
}

void LockManager::EraseIfIdle(Shard& shard, const LockKey& key, const std::function<void()>& last) {
  const auto found = shard.queues.find(key);
  if (found == shard.queues.end()) return;
  if (!found->second.holders.empty() || !found->second.waiters.empty()) return;
  if (key.kind != LockKind::kTable || shard.queues.size() > kIdleQueuesMax) {
    shard.queues.erase(found);
  }
  if (last && SharersOf(shard, key).empty()) last();
}

bool LockManager::ShareRow(LockOwner owner, const LockKey& row,
                           const std::function<bool()>& check) {
  Shard& shard = ShardOf(row);
  MutexLock lock(shard.mu);
  const auto queue = shard.queues.find(row);
  const Waiting entry{owner, ModeOf(RowLockMode::kKeyShare), nullptr};
  if (queue != shard.queues.end() && !Blockers(shard, row, queue->second, entry).empty()) {
    return false;
  }
  if (!check()) return false;
  std::vector<Shares>& stretch = shard.shares[StretchOf(row)];
  auto own = std::find_if(stretch.begin(), stretch.end(),
                          [&](const Shares& shares) { return shares.owner == owner; });
  if (own == stretch.end()) {
    stretch.push_back({owner});
    own = std::prev(stretch.end());
  }
  own->Add(row.b);
  return true;
}

void LockManager::ReleaseShares(LockOwner owner, const LockKey& row,
                                const std::function<void(uint64_t row)>& last) {
  Shard& shard = ShardOf(row);
  MutexLock lock(shard.mu);
  const auto found = shard.shares.find(StretchOf(row));
  if (found == shard.shares.end()) return;
  std::vector<Shares>& stretch = found->second;
  const auto own = std::find_if(stretch.begin(), stretch.end(),
                                [&](const Shares& shares) { return shares.owner == owner; });
  if (own == stretch.end()) return;
  const Shares dropped = *own;
  stretch.erase(own);
  if (stretch.empty()) shard.shares.erase(found);
  for (uint64_t i = 0; i < kStretch; ++i) {
    if (!dropped.has(i)) continue;
    const LockKey key{LockKind::kRow, row.a, FirstRowOf(StretchOf(row)) + i};
    const auto queue = shard.queues.find(key);
    if (queue != shard.queues.end()) {
      GrantWaiting(shard, key, queue->second);
    } else if (SharersOf(shard, key).empty()) {
      last(key.b);
    }
  }
}

Result<bool> LockManager::Acquire(LockOwner owner, const LockKey& key, TableLockMode mode,
                                  LockWait wait, const WaitContext& context,
                                  const std::function<bool()>& check) {
  Shard& shard = ShardOf(key);
  std::shared_ptr<Waiting> entry;
  {
    MutexLock lock(shard.mu);
    Queue& queue = shard.queues[key];
    std::vector<LockOwner> blockers = Blockers(shard, key, queue, Waiting{owner, mode, nullptr});
    if (blockers.empty()) {
      if (check && !check()) {
        EraseIfIdle(shard, key, nullptr);
        return false;
      }
      Grant(queue, owner, mode);
      return true;
    }
    // Where all in the way are sharers, the queue was made just now.
    if (wait != LockWait::kWait) {
      EraseIfIdle(shard, key, nullptr);
      return false;
    }
    if (Status added = graph_.Add(owner, std::move(blockers), Describe(key, mode)); !added.ok()) {
      EraseIfIdle(shard, key, nullptr);
      return added;
    }
    entry = std::make_shared<Waiting>(Waiting{owner, mode, std::make_shared<WaitPoint>()});
    const bool holds = std::any_of(queue.holders.begin(), queue.holders.end(),
                                   [&](const Holder& h) { return h.owner == owner; });
    if (holds) {
      queue.waiters.insert(queue.waiters.begin(), entry);
    } else {
      queue.waiters.push_back(entry);
    }
  }
  OMEN_TRY(WaitFor(shard, key, entry, context));
  if (check && !check()) {
    ReleaseOne(owner, key, mode);
    return false;
  }
  return true;
}

Status LockManager::WaitFor(Shard& shard, const LockKey& key, const std::shared_ptr<Waiting>& entry,
                            const WaitContext& context) {
  OMEN_CHECK(context.waiter != nullptr);
  const Status waited = context.waiter->Wait(entry->point, context.deadline(), context.cancel);
  MutexLock lock(shard.mu);
  if (entry->granted) return Status::Ok();  // A grant that came with the timeout stays.
  graph_.Remove(entry->owner);
  Queue& queue = shard.queues[key];
  queue.waiters.erase(std::find(queue.waiters.begin(), queue.waiters.end(), entry));
  GrantWaiting(shard, key, queue);
  EraseIfIdle(shard, key, nullptr);
  OMEN_CHECK(!waited.ok());
  return waited;
}

bool LockManager::IsAwaited(const LockKey& key) {
  Shard& shard = ShardOf(key);
  MutexLock lock(shard.mu);
  const auto found = shard.queues.find(key);
  return found != shard.queues.end() && !found->second.waiters.empty();
}

bool LockManager::Compatible(LockOwner owner, const LockKey& key, TableLockMode mode) {
  Shard& shard = ShardOf(key);
  MutexLock lock(shard.mu);
  if (Conflicts(mode, ModeOf(RowLockMode::kKeyShare))) {
    for (const LockOwner sharer : SharersOf(shard, key)) {
      if (sharer != owner) return false;
    }
  }
  const auto found = shard.queues.find(key);
  if (found == shard.queues.end()) return true;
  for (const Holder& holder : found->second.holders) {
    if (holder.owner == owner) continue;
    for (int m = 1; m < kModes; ++m) {
      if (holder.counts[static_cast<size_t>(m)] != 0 &&
          Conflicts(mode, static_cast<TableLockMode>(m))) {
        return false;
      }
    }
  }
  return true;
}

void LockManager::ReleaseAll(LockOwner owner, const LockKey& key,
                             const std::function<void()>& last) {
  Shard& shard = ShardOf(key);
  MutexLock lock(shard.mu);
  const auto found = shard.queues.find(key);
  if (found == shard.queues.end()) return;
  Queue& queue = found->second;
  std::erase_if(queue.holders, [&](const Holder& h) { return h.owner == owner; });
  GrantWaiting(shard, key, queue);
  EraseIfIdle(shard, key, last);
}

bool LockManager::ReleaseOne(LockOwner owner, const LockKey& key, TableLockMode mode) {
  Shard& shard = ShardOf(key);
  MutexLock lock(shard.mu);
  const auto found = shard.queues.find(key);
  if (found == shard.queues.end()) return false;
  Queue& queue = found->second;
  const auto holder = std::find_if(queue.holders.begin(), queue.holders.end(),
                                   [&](const Holder& h) { return h.owner == owner; });
  if (holder == queue.holders.end() || holder->counts[static_cast<size_t>(mode)] == 0) return false;
  --holder->counts[static_cast<size_t>(mode)];
  if (std::all_of(holder->counts.begin(), holder->counts.end(),
                  [](uint32_t count) { return count == 0; })) {
    queue.holders.erase(holder);
  }
  GrantWaiting(shard, key, queue);
  EraseIfIdle(shard, key, nullptr);
  return true;
}

}  // namespace omendb::txn
