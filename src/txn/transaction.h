// transaction.h - one transaction as its session sees it. Begin, commit and abort are
// engine::Database's; conflicts, row locks and the snapshot live here.
//
// States         running -> preparing (timestamp taken, in the log) -> committed
//                running -> aborted
// Thread safety  One session's thread at a time. Other transactions read only the state word.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/ids.h"
#include "base/status.h"
#include "base/waiter.h"
#include "mvcc/snapshot.h"

namespace omendb::txn {

enum class IsolationLevel : uint8_t { kReadCommitted, kRepeatableRead, kSerializable };

// SERIALIZABLE would have to find write skew; until it does, it is refused (0A000), never weakened.
inline constexpr bool kSerializableSupported = false;

struct TransactionOptions {
  IsolationLevel isolation = IsolationLevel::kReadCommitted;
  bool read_only = false;
  bool deferrable = false;
  bool synchronous_commit = true;
};

// PostgreSQL's table lock modes (chapter 13.3.1), in its order.
enum class TableLockMode : uint8_t {
  kAccessShare = 1,
  kRowShare,
  kRowExclusive,
  kShareUpdateExclusive,
  kShare,
  kShareRowExclusive,
  kExclusive,
  kAccessExclusive,
};
enum class RowLockMode : uint8_t { kKeyShare, kShare, kNoKeyUpdate, kUpdate };
enum class LockWait : uint8_t { kWait, kNoWait, kSkipLocked };

class Transaction {
 public:
  virtual ~Transaction() = default;

  virtual const TransactionOptions& options() const = 0;
  // SET TRANSACTION; 25001 after the first snapshot was taken.
  virtual Status SetOptions(TransactionOptions options) = 0;

  // Starts a statement: a new snapshot under READ COMMITTED, the transaction's own otherwise.
  virtual void BeginStatement() = 0;
  // A still newer snapshot for re-running a statement after a conflict (READ COMMITTED only).
  virtual void RefreshSnapshot() = 0;
  virtual const mvcc::Snapshot& snapshot() const = 0;
  // Between Push and Pop, snapshot() is the newest at any isolation level and conflicts are those
  // of READ COMMITTED: foreign keys must hold for what is committed, not for what was seen. Nests.
  virtual void PushLatestSnapshot() = 0;
  virtual void PopSnapshot() = 0;

  virtual TxnId id() const = 0;
  virtual bool has_writes() const = 0;  // rows, catalog or sequences: commit must be logged
  // Unix microseconds: now() and CURRENT_TIMESTAMP.
  virtual int64_t start_micros() const = 0;
  virtual void set_start_micros(int64_t micros) = 0;

  // Savepoints and statement atomicity: everything after the mark is undone, row locks stay.
  virtual uint64_t Mark() = 0;
  virtual void RollbackTo(uint64_t mark) = 0;

  // Waits for conflicting holders: 40P01 on deadlock, 55P03 on lock_timeout or NOWAIT, 57014.
  virtual Status LockTable(Oid table, TableLockMode mode, LockWait wait, Waiter& waiter,
                           CancelFlag* cancel, uint64_t lock_timeout_ms) = 0;
  // Advisory locks (pg_advisory_lock family). `session` locks survive the transaction and belong to
  // `owner`. Returns false only with kNoWait.
  virtual Result<bool> LockAdvisory(uint64_t key, bool shared, uint64_t session_owner,
                                    LockWait wait, Waiter& waiter, CancelFlag* cancel,
                                    uint64_t lock_timeout_ms) = 0;
};

}  // namespace omendb::txn
