#include "txn/transaction_manager.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/sqlstate.h"

namespace omendb::txn {

using rowstore::PageOf;
using rowstore::SlotOf;

TransactionManager::TransactionManager(GarbageSink* garbage) : garbage_(garbage), locks_(graph_) {}
TransactionManager::~TransactionManager() = default;

void TransactionManager::Start(wal::LogWriter* log, Timestamp last_committed) {
  log_ = log;
  MutexLock lock(commit_mu_);
  next_ts_ = std::max<uint64_t>(last_committed.value(), 1);
  last_visible_.store(next_ts_, std::memory_order_seq_cst);
}

std::unique_ptr<TransactionImpl> TransactionManager::Begin(TransactionOptions options,
                                                           int64_t now_micros) {
  const TxnId id = txns_.Acquire();
  OMEN_CHECK(id.value() != 0);  // 65536 at once: far above any connection limit
  auto txn = std::make_unique<TransactionImpl>(*this, options, id);
  txn->set_start_micros(now_micros);
  return txn;
}

Status TransactionManager::health() const {
  MutexLock lock(durable_mu_);
  return failure_;
}

void TransactionManager::OnDurable(Lsn durable) {
  std::vector<std::shared_ptr<WaitPoint>> ready;
  {
    MutexLock lock(durable_mu_);
    std::erase_if(pending_, [&](Pending& pending) {
      if (pending.lsn > durable) return false;
      ready.push_back(std::move(pending.point));
      return true;
    });
  }
  for (const auto& point : ready) point->Signal();
}

void TransactionManager::OnFailure(const Status& status) {
  std::vector<Pending> waiting;
  {
    MutexLock lock(durable_mu_);
    failure_ = status;
    failed_.store(true, std::memory_order_release);
    waiting = std::move(pending_);
    pending_.clear();
  }
  for (const Pending& pending : waiting) pending.point->Signal();
  // Those who wait for a transaction whose fate is unknown would wait for ever.
  for (WaitShard& shard : wait_shards_) {
    MutexLock lock(shard.mu);
    for (const auto& [id, point] : shard.waiters) point->Signal();
  }
}

Status TransactionManager::WaitDurable(Lsn lsn, Waiter& waiter) {
  if (log_ == nullptr || log_->durable_lsn() >= lsn) return Status::Ok();
  auto point = std::make_shared<WaitPoint>();
  {
    MutexLock lock(durable_mu_);
    if (!failure_.ok()) return failure_;
    // OnDurable takes durable_mu_ after the log's own position has moved: one of us sees the other.
    if (log_->durable_lsn() >= lsn) return Status::Ok();
    pending_.push_back({lsn, point});
  }
  // A commit cannot be taken back, so it is not given up either: no deadline, no cancel.
  while (!point->signalled()) {
    const Status waited = waiter.Wait(point, kNoDeadline, nullptr);
    if (!waited.ok() && !point->signalled()) return waited;
  }
  if (log_->durable_lsn() >= lsn) return Status::Ok();
  return health();
}

Result<Lsn> TransactionManager::AppendRecord(wal::RecordKind kind, std::string_view payload,
                                             wal::Durability durability) {
  if (log_ == nullptr) return Lsn(0);
  return log_->Append(kind, payload, durability);
}

Status TransactionManager::Spill(TransactionImpl& txn) {
  if (log_ == nullptr) {
    txn.redo_spilled_ += txn.redo_.size();
    txn.redo_.clear();
    return Status::Ok();
  }
  if (txn.stream_ == 0) {
    MutexLock lock(spill_mu_);
    txn.stream_ = next_stream_++;
    streams_.emplace(txn.stream_, log_->appended_lsn());
  }
  std::string payload;
  payload.reserve(txn.redo_.size() + 8);
  ByteWriter(payload).Put<uint64_t>(txn.stream_);
  payload.append(txn.redo_);
  auto appended = log_->Append(kChangesRecord, payload, wal::Durability::kAsync);
  if (!appended.ok()) return std::move(appended).status();
  txn.redo_spilled_ += txn.redo_.size();
  txn.redo_.clear();
  return Status::Ok();
}

void TransactionManager::Forget(TransactionImpl& txn, uint64_t position) {
  if (log_ == nullptr || txn.stream_ == 0) return;
  std::string payload;
  ByteWriter writer(payload);
  writer.Put<uint64_t>(txn.stream_);
  writer.Put<uint64_t>(position);
  const auto appended = log_->Append(kForgetRecord, payload, wal::Durability::kAsync);
  // Without this record the transaction must not commit: what it undid would come back.
  if (!appended.ok()) txn.options_.read_only = true;
}

Status TransactionManager::AppendMasks(TransactionImpl& txn) {
  for (const UndoRecord& record : txn.undo_) {
    if (record.kind != UndoRecord::Kind::kDeleteMask) continue;
    record.table->AppendRedo(record, txn.redo_);
    OMEN_TRY(txn.MaybeSpill());
  }
  return Status::Ok();
}

Status TransactionManager::Commit(TransactionImpl& txn, Waiter& waiter, CommitHook* hook) {
  if (txn.state_ != TransactionImpl::State::kRunning) {
    return Status(sqlstate::kNoActiveSqlTransaction, "the transaction has ended");
  }
  if (!txn.has_writes() && hook == nullptr) {
    txn.state_ = TransactionImpl::State::kCommitted;
    Finish(txn);
    commits_.fetch_add(1, std::memory_order_relaxed);
    return Status::Ok();
  }
  Status refused = txn.CheckWritable();
  if (refused.ok()) refused = AppendMasks(txn);
  if (!refused.ok()) {
    Abort(txn);
    return refused;
  }
  const bool sync = txn.options_.synchronous_commit;
  Timestamp ts;
  Lsn wait_lsn;
  {
    MutexLock lock(commit_mu_);
    std::string changes;
    if (hook != nullptr) {
      auto prepared = hook->Prepare();
      if (prepared.ok()) {
        changes = std::move(prepared).value();
      } else {
        refused = std::move(prepared).status();
      }
    }
    ts = Timestamp(next_ts_ + 1);
    const bool logged =
        refused.ok() && log_ != nullptr && (!changes.empty() || txn.redo_position() > 0);
    if (logged) {
      std::string payload;
      payload.reserve(txn.redo_.size() + changes.size() + 32);
      ByteWriter writer(payload);
      writer.Put<uint64_t>(ts.value());
      writer.Put<uint64_t>(txn.stream_);
      writer.PutString(changes);
      writer.PutRaw(txn.redo_);
      auto lsn = log_->Append(kCommitRecord, payload,
                              sync ? wal::Durability::kSync : wal::Durability::kAsync);
      if (lsn.ok()) {
        if (sync) last_sync_lsn_ = *lsn;
      } else {
        refused = std::move(lsn).status();
      }
    }
    if (refused.ok()) {
      next_ts_ = ts.value();
      wait_lsn = last_sync_lsn_;
      txns_.SetCommitTimestamp(txn.id_, ts);
      if (hook != nullptr) hook->OnLogged();
      if (txn.stream_ != 0) {
        MutexLock spill_lock(spill_mu_);
        streams_.erase(txn.stream_);
      }
    }
  }
  if (!refused.ok()) {
    Abort(txn);
    return refused;
  }
  Status durable = WaitDurable(wait_lsn, waiter);
  if (!durable.ok()) {
    txn.state_ = TransactionImpl::State::kUnknown;
    return durable;
  }
  Publish(ts);
  if (hook != nullptr) hook->OnPublished(ts);
  Stamp(txn, ts);
  txn.state_ = TransactionImpl::State::kCommitted;
  Finish(txn);
  commits_.fetch_add(1, std::memory_order_relaxed);
  const bool has_garbage =
      std::any_of(txn.undo_.begin(), txn.undo_.end(), [](const UndoRecord& record) {
        return record.kind == UndoRecord::Kind::kUpdate ||
               record.kind == UndoRecord::Kind::kDelete ||
               record.kind == UndoRecord::Kind::kDeleteMask;
      });
  if (has_garbage && garbage_ != nullptr) {
    garbage_->Add({ts, std::move(txn.undo_), std::move(txn.tables_)});
  }
  txn.undo_.clear();
  txn.tables_.clear();
  txn.actions_.clear();
  return Status::Ok();
}

void TransactionManager::Publish(Timestamp ts) {
  uint64_t seen = last_visible_.load(std::memory_order_relaxed);
  while (seen < ts.value() &&
         !last_visible_.compare_exchange_weak(seen, ts.value(), std::memory_order_seq_cst)) {
  }
}

void TransactionManager::Stamp(const TransactionImpl& txn, Timestamp ts) {
  const uint64_t word = mvcc::WordOf(ts);
  for (const UndoRecord& record : txn.undo_) {
    if (record.kind == UndoRecord::Kind::kAction) {
      record.action->Stamp(ts);
      continue;
    }
    if (record.kind == UndoRecord::Kind::kDeleteMask) {
      record.shared_end->end.store(word, std::memory_order_release);
      continue;
    }
    rowstore::TableStore& store = record.table->store();
    if (record.fresh != 0) {
      rowstore::Page& page = store.page(record.fresh);
      const uint32_t stride = record.old == 0 ? 1 : record.fresh_stride;
      for (uint32_t i = 0; i < record.count; ++i) {
        page.header(SlotOf(record.fresh) + i * stride).begin.store(word, std::memory_order_release);
      }
      // Who fills a page looks once whether it is clean: lookups then need no headers.
      const bool fills = SlotOf(record.fresh) + (record.count - 1) * stride + 1 == page.capacity();
      if (fills) page.TryMarkClean();
    }
    if (record.old != 0) {
      rowstore::Page& page = store.page(record.old);
      for (uint32_t i = 0; i < record.count; ++i) {
        page.header(SlotOf(record.old) + i * record.old_stride)
            .end.store(word, std::memory_order_release);
      }
    }
  }
}

void TransactionManager::Abort(TransactionImpl& txn) {
  if (txn.state_ != TransactionImpl::State::kRunning) return;
  txn.state_ = TransactionImpl::State::kAborted;
  txn.RollbackTo(0);
  if (txn.stream_ != 0) {
    MutexLock lock(spill_mu_);
    streams_.erase(txn.stream_);
  }
  Finish(txn);
  txn.tables_.clear();
  txn.actions_.clear();
  aborts_.fetch_add(1, std::memory_order_relaxed);
}

// Marks are gone by now, so the slot can go; then locks, then those who wait for the transaction.
void TransactionManager::Finish(TransactionImpl& txn) {
  txns_.Release(txn.id_);
  const LockOwner owner = txn.id_.value();
  for (const auto& held : txn.table_locks_) {
    locks_.ReleaseAll(owner, {LockKind::kTable, held.table.value(), 0});
  }
  txn.table_locks_.clear();
  for (const auto& [key, lock] : txn.other_locks_) {
    if (key.kind != LockKind::kRow) {
      locks_.ReleaseAll(owner, key);
      continue;
    }
    std::atomic<uint64_t>& word = lock.table->store().row(RowId(key.b));
    locks_.ReleaseAll(
        owner, key, [&word] { word.fetch_and(~rowstore::kRowLocked, std::memory_order_seq_cst); });
  }
  txn.other_locks_.clear();
  for (const auto& [stretch, table] : txn.shares_) {
    const LockKey first{LockKind::kRow, stretch.a, LockManager::FirstRowOf(stretch)};
    locks_.ReleaseShares(owner, first, [&store = table->store()](uint64_t row) {
      store.row(RowId(row)).fetch_and(~rowstore::kRowLocked, std::memory_order_seq_cst);
    });
  }
  txn.shares_.clear();
  WaitShard& shard = ShardOf(txn.id_);
  // Pairs with WaitFor: it counts itself, then looks at the slot; we release the slot, then count.
  if (shard.count.load(std::memory_order_seq_cst) == 0) return;
  std::vector<std::shared_ptr<WaitPoint>> waiters;
  {
    MutexLock lock(shard.mu);
    const auto [first, last] = shard.waiters.equal_range(owner);
    for (auto it = first; it != last; ++it) waiters.push_back(it->second);
    shard.waiters.erase(first, last);
  }
  for (const auto& point : waiters) point->Signal();
}

Status TransactionManager::WaitFor(TransactionImpl& self, uint64_t word,
                                   const WaitContext& context) {
  const TxnId other = mvcc::TxnOf(word);
  WaitShard& shard = ShardOf(other);
  auto point = std::make_shared<WaitPoint>();
  shard.count.fetch_add(1, std::memory_order_seq_cst);
  Status result;
  bool registered = false;
  {
    MutexLock lock(shard.mu);
    if (txns_.State(other) != mvcc::TxnTable::kStale) {
      // OnFailure wakes those it finds here; who comes later must not begin to wait.
      if (failed_.load(std::memory_order_acquire)) result = health();
      if (result.ok())
        result = graph_.Add(self.id_.value(), {other.value()},
                            "ShareLock on transaction " + std::to_string(other.value()));
      if (result.ok()) {
        shard.waiters.emplace(other.value(), point);
        registered = true;
      }
    }
  }
  if (registered) {
    result = context.waiter->Wait(point, context.deadline(), context.cancel);
    graph_.Remove(self.id_.value());
    MutexLock lock(shard.mu);
    const auto [first, last] = shard.waiters.equal_range(other.value());
    for (auto it = first; it != last; ++it) {
      if (it->second != point) continue;
      shard.waiters.erase(it);
      break;
    }
    if (result.ok() && txns_.State(other) != mvcc::TxnTable::kStale && failed_.load()) {
      result = health();
    }
  }
  shard.count.fetch_sub(1, std::memory_order_seq_cst);
  return result;
}

bool TransactionManager::UnlockAdvisory(uint64_t key, bool shared, uint64_t session_owner) {
  {
    MutexLock lock(advisory_mu_);
    const auto [first, last] = session_advisory_.equal_range(session_owner);
    const auto it = std::find_if(first, last, [&](const auto& held) { return held.second == key; });
    if (it == last) return false;
  }
  const TableLockMode mode = shared ? TableLockMode::kShare : TableLockMode::kExclusive;
  if (!locks_.ReleaseOne(kSessionOwner | session_owner, {LockKind::kAdvisory, key, 0}, mode)) {
    return false;
  }
  MutexLock lock(advisory_mu_);
  const auto [first, last] = session_advisory_.equal_range(session_owner);
  const auto it = std::find_if(first, last, [&](const auto& held) { return held.second == key; });
  if (it != last) session_advisory_.erase(it);
  return true;
}

void TransactionManager::UnlockAllAdvisory(uint64_t session_owner) {
  std::vector<uint64_t> keys;
  {
    MutexLock lock(advisory_mu_);
    const auto [first, last] = session_advisory_.equal_range(session_owner);
    for (auto it = first; it != last; ++it) keys.push_back(it->second);
    session_advisory_.erase(first, last);
  }
  for (const uint64_t key : keys) {
    locks_.ReleaseAll(kSessionOwner | session_owner, {LockKind::kAdvisory, key, 0});
  }
}

TransactionManager::Moment TransactionManager::TakeMoment(
    const std::function<void(Timestamp)>& in_moment) {
  MutexLock lock(commit_mu_);
  Moment moment;
  moment.ts = Timestamp(next_ts_);
  moment.end = log_ == nullptr ? Lsn(0) : log_->appended_lsn();
  moment.redo_start = moment.end;
  {
    MutexLock spill_lock(spill_mu_);
    for (const auto& [stream, lsn] : streams_) {
      moment.redo_start = std::min(moment.redo_start, lsn);
    }
  }
  if (in_moment) in_moment(moment.ts);
  return moment;
}

}  // namespace omendb::txn
