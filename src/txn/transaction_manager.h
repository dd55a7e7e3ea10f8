// transaction_manager.h - begin, commit in log order, publish, abort, wait for one another.
//
// A commit, step by step:
//
//   commit_mu_ {  ts := next_ts_ + 1
//                 append one commit record to the log        (a copy; no disk)
//                 state word of the transaction := ts   }
//   wait until the record is durable                         (group commit; nothing held)
//   last_visible_ := max(last_visible_, ts)                  (now new snapshots see it)
//   stamp begin and end words with ts, release slot and locks, wake who waits
//
// Invariants     I1  Timestamps and log positions have one order; so when a record is durable, all
//                    with smaller timestamps are, and last_visible_ may jump.
//                I2  last_visible_ never passes a commit that waits for durability. A commit with
//                    synchronous_commit off therefore waits for those synchronous ones before it.
//                I3  A mark can be met only while its transaction's slot is held.
// Thread safety  Any thread.
// Lock order     commit_mu_, then the log's; durable_mu_ and waits_mu_ are leaves.
// Failure        When the log fails for good, commits in flight get 58030: their fate is unknown,
//                so they are neither published nor undone.
#pragma once

#include <array>
#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "base/epoch.h"
#include "base/mutex.h"
#include "mvcc/txn_table.h"
#include "txn/lock_manager.h"
#include "txn/transaction_impl.h"
#include "txn/undo.h"
#include "wal/log_writer.h"

namespace omendb::txn {

// Kinds of log records (docs/formats/log_records.md). They reach the disk.
inline constexpr wal::RecordKind kCommitRecord = 1;
inline constexpr wal::RecordKind kChangesRecord = 2;  // part of a transaction, before its commit
inline constexpr wal::RecordKind kRestartRecord = 3;  // streams before it will never be committed
inline constexpr wal::RecordKind kSequenceRecord = 4;
inline constexpr wal::RecordKind kForgetRecord = 5;  // the end of a stream was undone

// What a commit does besides rows; engine's catalog implements it.
class CommitHook {
 public:
  virtual ~CommitHook() = default;
  // Under commit_mu_, before the record is made: the catalog changes as bytes, or why not.
  virtual Result<std::string> Prepare() = 0;
  // Under commit_mu_, once the record is in the log.
  virtual void OnLogged() = 0;
  // After it became visible.
  virtual void OnPublished(Timestamp ts) = 0;
};

class TransactionManager : public wal::DurableObserver {
 public:
  explicit TransactionManager(GarbageSink* garbage);
  ~TransactionManager() override;

  // Before the first Begin. `log` may be null in tests: nothing is logged then.
  void Start(wal::LogWriter* log, Timestamp last_committed);

  std::unique_ptr<TransactionImpl> Begin(TransactionOptions options, int64_t now_micros);
  Status Commit(TransactionImpl& txn, Waiter& waiter, CommitHook* hook);
  void Abort(TransactionImpl& txn);

  // Waits until the transaction whose mark `word` is has ended: then the word says how.
  Status WaitFor(TransactionImpl& self, uint64_t word, const WaitContext& context);
  bool UnlockAdvisory(uint64_t key, bool shared, uint64_t session_owner);
  void UnlockAllAdvisory(uint64_t session_owner);

  // Appends a record outside of transactions.
  Result<Lsn> AppendRecord(wal::RecordKind kind, std::string_view payload,
                           wal::Durability durability);
  Status WaitDurable(Lsn lsn, Waiter& waiter);

  // A moment between commits: everything with timestamp <= ts is in the log before `redo_start` or
  // is going to be told by it. `in_moment` runs under commit_mu_ and is told the timestamp.
  struct Moment {
    Timestamp ts;
    Lsn redo_start;
    Lsn end;  // of the log
  };
  Moment TakeMoment(const std::function<void(Timestamp)>& in_moment);

  const mvcc::TxnTable& txns() const { return txns_; }
  mvcc::TxnTable& txns() { return txns_; }
  const std::atomic<uint64_t>& last_visible() const { return last_visible_; }
  LockManager& locks() { return locks_; }
  Mutex& commit_mutex() { return commit_mu_; }
  Status health() const;
  uint64_t commits() const { return commits_.load(std::memory_order_relaxed); }
  uint64_t aborts() const { return aborts_.load(std::memory_order_relaxed); }
  uint64_t deadlocks() const { return graph_.deadlocks(); }
  size_t waiting() const { return graph_.size(); }

  // wal::DurableObserver
  void OnDurable(Lsn durable) override;
  void OnFailure(const Status& status) override;

 private:
  friend class TransactionImpl;
  struct Pending {
    Lsn lsn;
    std::shared_ptr<WaitPoint> point;
  };
  struct alignas(64) WaitShard {
    Mutex mu;
    std::atomic<uint32_t> count{0};  // seq_cst with the slot's release: see Finish
    std::multimap<uint64_t, std::shared_ptr<WaitPoint>> waiters OMEN_GUARDED_BY(mu);
  };
  Status Spill(TransactionImpl& txn);
  // Appends what is told to the log of all rows that were deleted together.
  static Status AppendMasks(TransactionImpl& txn);
  // Tells the log that the end of a transaction's stream was undone.
  void Forget(TransactionImpl& txn, uint64_t position);
  void Publish(Timestamp ts);
  static void Stamp(const TransactionImpl& txn, Timestamp ts);
  void Finish(TransactionImpl& txn);
  WaitShard& ShardOf(TxnId id) { return wait_shards_[id.value() % wait_shards_.size()]; }

  GarbageSink* const garbage_;
  wal::LogWriter* log_ = nullptr;
  mvcc::TxnTable txns_;
  WaitGraph graph_;
  LockManager locks_;
  std::atomic<uint64_t> last_visible_{1};  // seq_cst in Publish and TxnTable::Pin

  mutable Mutex commit_mu_;
  uint64_t next_ts_ OMEN_GUARDED_BY(commit_mu_) = 1;  // the last one given
  Lsn last_sync_lsn_ OMEN_GUARDED_BY(commit_mu_);
  Mutex spill_mu_;
  std::map<uint64_t, Lsn> streams_ OMEN_GUARDED_BY(spill_mu_);  // stream -> log before its start
  uint64_t next_stream_ OMEN_GUARDED_BY(spill_mu_) = 1;

  mutable Mutex durable_mu_;
  std::vector<Pending> pending_ OMEN_GUARDED_BY(durable_mu_);
  Status failure_ OMEN_GUARDED_BY(durable_mu_);
  std::atomic<bool> failed_{false};

  std::array<WaitShard, 64> wait_shards_;
  std::atomic<uint64_t> commits_{0};
  std::atomic<uint64_t> aborts_{0};

  Mutex advisory_mu_;
  std::multimap<uint64_t, uint64_t> session_advisory_ OMEN_GUARDED_BY(advisory_mu_);
};

}  // namespace omendb::txn
