// transaction_impl.h - the running transaction: snapshot, undo, redo, locks.
//
// Thread safety  One thread at a time (its session's).
// Ownership      Owned by the session through unique_ptr<Transaction>; borrows the manager.
//                Destroyed while running, it aborts.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "txn/lock_manager.h"
#include "txn/transaction.h"
#include "txn/undo.h"

namespace omendb::txn {

class TransactionManager;

// State that layers above keep with a transaction.
class TransactionExtension {
 public:
  virtual ~TransactionExtension() = default;
  // Called when a mark is taken, to push an UndoAction that comes back to this moment.
  virtual void OnMark() = 0;
  virtual bool has_writes() const = 0;
};

class TransactionImpl final : public Transaction {
 public:
  enum class State : uint8_t { kRunning, kCommitted, kAborted, kUnknown };

  TransactionImpl(TransactionManager& manager, TransactionOptions options, TxnId id);
  ~TransactionImpl() override;

  const TransactionOptions& options() const override { return options_; }
  Status SetOptions(TransactionOptions options) override;
  void BeginStatement() override;
  void RefreshSnapshot() override;
  const mvcc::Snapshot& snapshot() const override;
  void PushLatestSnapshot() override;
  void PopSnapshot() override;
  TxnId id() const override { return id_; }
  bool has_writes() const override;
  int64_t start_micros() const override { return start_micros_; }
  void set_start_micros(int64_t micros) override { start_micros_ = micros; }
  uint64_t Mark() override;
  void RollbackTo(uint64_t mark) override;
  Status LockTable(Oid table, TableLockMode mode, LockWait wait, Waiter& waiter, CancelFlag* cancel,
                   uint64_t lock_timeout_ms) override;
  Result<bool> LockAdvisory(uint64_t key, bool shared, uint64_t session_owner, LockWait wait,
                            Waiter& waiter, CancelFlag* cancel, uint64_t lock_timeout_ms) override;

  // ---- For the engine --------------------------------------------------------------------------
  State state() const { return state_; }
  // The mark for begin and end words written now.
  uint64_t word() const { return mvcc::WordOf(id_, snapshot().command); }
  // 25006, 54000, a finished transaction, or the sticky failure of the log.
  Status CheckWritable() const;
  // Whether conflicts with later commits are re-checked rather than 40001.
  bool follows_latest() const {
    return options_.isolation == IsolationLevel::kReadCommitted || !pushed_.empty();
  }
  // Keeps the newest committed versions readable until the next call or statement.
  void PinConflict();

  void AddUndo(UndoRecord record, const std::shared_ptr<VersionedTable>& table);
  void AddUndoAction(std::unique_ptr<UndoAction> action);
  // For undoing a part of a statement: RollbackTo comes back to now.
  uint64_t MarkUndo() {
    marked_ = undo_.size();
    return marked_;
  }
  // How often this was asked within the current command, now included.
  uint64_t CountInCommand() {
    if (counted_word_ != word()) count_ = 0;
    counted_word_ = word();
    return ++count_;
  }
  // The newest mark that may be gone back to.
  uint64_t marked() const { return marked_; }
  // The redo bytes of this transaction; append, then call MaybeSpill.
  std::string& redo() { return redo_; }
  // Hands redo to the log early when there is much of it.
  Status MaybeSpill();
  uint64_t redo_position() const { return redo_spilled_ + redo_.size(); }

  // Takes a row lock until the end. `check` as in LockManager::Acquire, with kRowLocked set on the
  // row before it is called.
  Result<bool> LockRow(const std::shared_ptr<VersionedTable>& table, Oid storage, RowId row,
                       RowLockMode mode, LockWait wait, const WaitContext& context,
                       const std::function<bool()>& check);
  std::unique_ptr<TransactionExtension>& extension() { return extension_; }
  TransactionManager& manager() { return manager_; }

 private:
  friend class TransactionManager;
  // Rows locked FOR KEY SHARE beyond so many locks are kept as bits.
  static constexpr size_t kSingleLocksMax = 1024;
  struct TableLock {
    Oid table;
    uint32_t modes;  // bit n = mode n held
  };
  struct OtherLock {
    uint32_t modes = 0;
    std::shared_ptr<VersionedTable> table;  // of a row lock
  };
  void UndoOne(const UndoRecord& record);

  TransactionManager& manager_;
  TransactionOptions options_;
  const TxnId id_;
  State state_ = State::kRunning;
  mutable mvcc::Snapshot snapshot_;
  mutable bool has_snapshot_ = false;
  std::vector<Timestamp> pushed_;  // read_ts to come back to
  int64_t start_micros_ = 0;

  std::vector<UndoRecord> undo_;
  uint64_t marked_ = 0;  // The newest mark: runs end there.
  uint64_t counted_word_ = 0;
  uint64_t count_ = 0;
  std::vector<std::shared_ptr<VersionedTable>> tables_;
  std::vector<std::unique_ptr<UndoAction>> actions_;
  bool wrote_rows_ = false;
  std::string redo_;
  uint64_t redo_spilled_ = 0;  // bytes already in the log
  uint64_t stream_ = 0;        // names them there; 0 = none

  std::vector<TableLock> table_locks_;
  std::unordered_map<LockKey, OtherLock, LockKeyHash> other_locks_;
  // Further rows that are shared, by stretch.
  std::unordered_map<LockKey, std::shared_ptr<VersionedTable>, LockKeyHash> shares_;
  std::unique_ptr<TransactionExtension> extension_;
};

}  // namespace omendb::txn
