#include "txn/transaction_impl.h"

#include <algorithm>

#include "base/sqlstate.h"
#include "txn/transaction_manager.h"

namespace omendb::txn {
namespace {

// A transaction holds at most this much redo in memory.
constexpr size_t kRedoSpillBytes = 1 << 20;

}  // namespace

TransactionImpl::TransactionImpl(TransactionManager& manager, TransactionOptions options, TxnId id)
    : manager_(manager), options_(options), id_(id) {
  snapshot_.self = id;
}

TransactionImpl::~TransactionImpl() {
  if (state_ == State::kRunning) manager_.Abort(*this);
}

Status TransactionImpl::SetOptions(TransactionOptions options) {
  if (options.isolation == IsolationLevel::kSerializable && !kSerializableSupported) {
    return NotSupported("isolation level SERIALIZABLE");
  }
  if (has_snapshot_ && options.isolation != options_.isolation) {
    return Status(sqlstate::kActiveSqlTransaction,
                  "SET TRANSACTION ISOLATION LEVEL must be called before any query");
  }
  if (has_snapshot_ && options_.read_only && !options.read_only) {
    return Status(sqlstate::kActiveSqlTransaction,
                  "transaction read-write mode must be set before any query");
  }
  options_ = options;
  return Status::Ok();
}

void TransactionImpl::BeginStatement() {
  if (state_ != State::kRunning) return;
  if (!has_snapshot_ || options_.isolation == IsolationLevel::kReadCommitted) {
    snapshot_.read_ts =
        manager_.txns_.Pin(id_, mvcc::TxnTable::kSnapshotPin, manager_.last_visible_);
    has_snapshot_ = true;
  }
  manager_.txns_.Unpin(id_, mvcc::TxnTable::kConflictPin);
  if (snapshot_.command < mvcc::kCommandMax) ++snapshot_.command;
}

void TransactionImpl::RefreshSnapshot() { BeginStatement(); }

const mvcc::Snapshot& TransactionImpl::snapshot() const {
  if (!has_snapshot_ && state_ == State::kRunning) {
    snapshot_.read_ts =
        manager_.txns_.Pin(id_, mvcc::TxnTable::kSnapshotPin, manager_.last_visible_);
    snapshot_.command = 1;
    has_snapshot_ = true;
  }
  return snapshot_;
}

void TransactionImpl::PushLatestSnapshot() {
  pushed_.push_back(snapshot().read_ts);
  const int pin = std::min(static_cast<int>(pushed_.size()), mvcc::TxnTable::kConflictPin - 1);
  snapshot_.read_ts = manager_.txns_.Pin(id_, pin, manager_.last_visible_);
  if (snapshot_.command < mvcc::kCommandMax) ++snapshot_.command;
}

void TransactionImpl::PopSnapshot() {
  OMEN_CHECK(!pushed_.empty());
  const int pin = static_cast<int>(pushed_.size());
  if (pin < mvcc::TxnTable::kConflictPin) manager_.txns_.Unpin(id_, pin);
  snapshot_.read_ts = pushed_.back();
  pushed_.pop_back();
}

void TransactionImpl::PinConflict() {
  manager_.txns_.Pin(id_, mvcc::TxnTable::kConflictPin, manager_.last_visible_);
}

bool TransactionImpl::has_writes() const {
  return wrote_rows_ || redo_position() > 0 || (extension_ && extension_->has_writes());
}

Status TransactionImpl::CheckWritable() const {
  if (options_.read_only) [[unlikely]] {
    return Status(sqlstate::kReadOnlySqlTransaction,
                  "cannot execute a writing statement in a read-only transaction");
  }
  if (state_ != State::kRunning) [[unlikely]] {
    return Status(sqlstate::kNoActiveSqlTransaction, "the transaction has ended");
  }
  if (options_.isolation == IsolationLevel::kSerializable && !kSerializableSupported) [[unlikely]] {
    return NotSupported("isolation level SERIALIZABLE");
  }
  if (snapshot().command >= mvcc::kCommandMax) [[unlikely]] {
    return Status(sqlstate::kProgramLimitExceeded,
                  "cannot have more than 2^24-1 commands in a transaction");
  }
  if (manager_.failed_.load(std::memory_order_acquire)) [[unlikely]]
    return manager_.health();
  return Status::Ok();
}

void TransactionImpl::AddUndo(UndoRecord record, const std::shared_ptr<VersionedTable>& table) {
  wrote_rows_ = true;
  record.table = table.get();
  record.redo_position = redo_position();
  if (undo_.size() > marked_ && undo_.back().Extend(record)) return;
  undo_.push_back(record);
  for (size_t i = tables_.size(); i-- > 0;) {
    if (tables_[i] == table) return;
  }
  tables_.push_back(table);
}

void TransactionImpl::AddUndoAction(std::unique_ptr<UndoAction> action) {
  UndoRecord record;
  record.kind = UndoRecord::Kind::kAction;
  record.action = action.get();
  record.redo_position = redo_position();
  undo_.push_back(record);
  actions_.push_back(std::move(action));
}

Status TransactionImpl::MaybeSpill() {
  if (redo_.size() < kRedoSpillBytes) [[likely]]
    return Status::Ok();
  return manager_.Spill(*this);
}

uint64_t TransactionImpl::Mark() {
  // What OnMark pushes lies above the mark, and takes the extension back to this moment.
  const uint64_t mark = MarkUndo();
  if (extension_) extension_->OnMark();
  return mark;
}

void TransactionImpl::UndoOne(const UndoRecord& record) {
  if (record.kind == UndoRecord::Kind::kAction) {
    record.action->Undo();
  } else {
    record.table->Undo(record);
  }
}

void TransactionImpl::RollbackTo(uint64_t mark) {
  marked_ = std::min(marked_, mark);
  if (mark >= undo_.size()) return;
  const uint64_t position = undo_[mark].redo_position;
  while (undo_.size() > mark) {
    const UndoRecord record = undo_.back();
    undo_.pop_back();
    UndoOne(record);
  }
  if (position >= redo_spilled_) {
    redo_.resize(position - redo_spilled_);
  } else if (state_ == State::kRunning) {
    manager_.Forget(*this, position);
    redo_.clear();
    redo_spilled_ = position;
  }
}

Status TransactionImpl::LockTable(Oid table, TableLockMode mode, LockWait wait, Waiter& waiter,
                                  CancelFlag* cancel, uint64_t lock_timeout_ms) {
  TableLock* entry = nullptr;
  for (TableLock& lock : table_locks_) {
    if (lock.table == table) entry = &lock;
  }
  const uint32_t bit = 1U << static_cast<int>(mode);
  if (entry != nullptr && (entry->modes & bit) != 0) return Status::Ok();
  const LockKey key{LockKind::kTable, table.value(), 0};
  OMEN_ASSIGN(const bool held, manager_.locks_.Acquire(id_.value(), key, mode, wait,
                                                       {&waiter, cancel, lock_timeout_ms}));
  if (!held) {
    return Status(sqlstate::kLockNotAvailable,
                  "could not obtain lock on relation with OID " + std::to_string(table.value()));
  }
  if (entry != nullptr) {
    entry->modes |= bit;
  } else {
    table_locks_.push_back({table, bit});
  }
  return Status::Ok();
}

Result<bool> TransactionImpl::LockAdvisory(uint64_t key, bool shared, uint64_t session_owner,
                                           LockWait wait, Waiter& waiter, CancelFlag* cancel,
                                           uint64_t lock_timeout_ms) {
  const LockKey lock_key{LockKind::kAdvisory, key, 0};
  const TableLockMode mode = shared ? TableLockMode::kShare : TableLockMode::kExclusive;
  const LockOwner owner = session_owner != 0 ? (kSessionOwner | session_owner) : id_.value();
  OMEN_ASSIGN(const bool held, manager_.locks_.Acquire(owner, lock_key, mode, wait,
                                                       {&waiter, cancel, lock_timeout_ms}));
  if (!held) return false;
  if (session_owner == 0) {
    other_locks_[lock_key].modes |= 1U << static_cast<int>(mode);
  } else {
    MutexLock lock(manager_.advisory_mu_);
    manager_.session_advisory_.emplace(session_owner, key);
  }
  return true;
}

Result<bool> TransactionImpl::LockRow(const std::shared_ptr<VersionedTable>& table, Oid storage,
                                      RowId row, RowLockMode mode, LockWait wait,
                                      const WaitContext& context,
                                      const std::function<bool()>& check) {
  const LockKey key{LockKind::kRow, storage.value(), row.value()};
  const TableLockMode lock_mode = ModeOf(mode);
  const uint32_t bit = 1U << static_cast<int>(lock_mode);
  const auto found = other_locks_.find(key);
  if (found != other_locks_.end() && (found->second.modes & bit) != 0) return check();
  std::atomic<uint64_t>& word = table->store().row(row);
  const auto flag_and_check = [&] {
    word.fetch_or(rowstore::kRowLocked, std::memory_order_seq_cst);
    return check();
  };
  if (mode == RowLockMode::kKeyShare && other_locks_.size() >= kSingleLocksMax) {
    if (manager_.locks_.ShareRow(id_.value(), key, flag_and_check)) {
      shares_.emplace(LockManager::StretchOf(key), table);
      return true;
    }
  }
  OMEN_ASSIGN(const bool held,
              manager_.locks_.Acquire(id_.value(), key, lock_mode, wait, context, flag_and_check));
  if (!held) return false;
  OtherLock& lock = other_locks_[key];
  lock.modes |= bit;
  lock.table = table;
  return true;
}

}  // namespace omendb::txn
