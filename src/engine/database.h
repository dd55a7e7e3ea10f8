// database.h - the storage engine of one data folder: open, recover, transactions, tables,
// checkpoints. Everything above (executors, SQL, server) is a client of this header and of
// relation.h.
//
// Format         docs/formats/ (wal.md, checkpoint.md, catalog.md)
// Thread safety  Every method: any thread, unless it says otherwise.
// Ownership      Owns log, tables, transaction manager. Borrows Env, which must outlive it.
// Failure        A failed sync is sticky: writes answer 58030, reads go on.
// Invariants     I1  what was acknowledged as committed is recovered, whole, after any crash
//                I2  nothing that was not committed is recovered
//                I3  a reader sees exactly the transactions with commit timestamp <= its snapshot
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/progress.h"
#include "base/status.h"
#include "base/waiter.h"
#include "catalog/snapshot.h"
#include "env/env.h"
#include "txn/transaction.h"
#include "types/text_io.h"

namespace omendb::engine {

class Relation;

struct DatabaseOptions {
  std::string data_dir;
  uint64_t memory_bytes = 4ULL << 30;  // --memory: rows, indexes, cached blocks, queries together
  uint64_t checkpoint_wal_bytes = 1ULL << 30;  // max_wal_size: log that starts a checkpoint
  uint64_t checkpoint_interval_ms = 300'000;   // checkpoint_timeout
  // Rows that were not changed for so long move to columnar segments; 0 = only on Freeze.
  uint64_t freeze_after_ms = 0;
  uint64_t wal_segment_bytes = 16ULL << 20;  // wal_segment_size
  bool fsync = true;  // false only in tests and control runs: loses acknowledged work on power loss
};

// Asked before a sequence is used, and told of every value it gives to this session: currval() and
// lastval().
class SequenceObserver {
 public:
  enum class Access : uint8_t { kNext, kSet };
  virtual ~SequenceObserver() = default;
  // 42501 when the session may not.
  virtual Status CheckUse(const catalog::SequenceDef& sequence, Access access) = 0;
  virtual void OnNextValue(Oid sequence, int64_t value) = 0;
};

struct StatementContext;

// The expressions of one table's columns, ready to be computed for single rows: the engine knows
// none. Valid while the catalog of the statement is the same. Strings lie in the arena.
class RowExpressions {
 public:
  virtual ~RowExpressions() = default;
  // NULL without a default.
  virtual Result<types::Value> DefaultOf(StatementContext& context, ColumnId column,
                                         types::Arena& arena) = 0;
  // Fills in the generated columns of a whole row (by ColumnId - 1); 23514 when a CHECK constraint
  // is false of it.
  virtual Status Complete(StatementContext& context, types::Row& row, types::Arena& arena) = 0;
};
class ColumnExpressions {
 public:
  virtual ~ColumnExpressions() = default;
  virtual Result<std::unique_ptr<RowExpressions>> Open(const catalog::TableDef& table) = 0;
};

// What an executor needs to run one statement. Built by the session for each statement.
struct StatementContext {
  txn::Transaction* txn = nullptr;
  // The catalog this statement sees: the transaction's own edit, else the newest.
  std::shared_ptr<const catalog::CatalogSnapshot> catalog;
  Oid database;
  Waiter* waiter = nullptr;      // how to wait where this statement runs
  CancelFlag* cancel = nullptr;  // polled at least every few thousand rows
  uint64_t lock_timeout_ms = 0;  // 0 = none
  // The session's text settings; null = PostgreSQL's defaults in UTC.
  const types::IoSettings* io_settings = nullptr;
  SequenceObserver* sequence_observer = nullptr;  // may be null
  // Null outside a session: then SET DEFAULT and cascades into generated columns answer 0A000.
  ColumnExpressions* column_expressions = nullptr;
  StatementProgress* progress = nullptr;  // told how far the statement is; may be null
};

// The memory of the query engine, which shares the database's budget (memory_budget.h).
class AnalyticalMemory {
 public:
  virtual ~AnalyticalMemory() = default;
  virtual uint64_t used() const = 0;  // bytes, now
  // Spills what it must to stay within; false when it cannot yet.
  virtual bool SetLimit(uint64_t bytes) = 0;
};

// How the lock of a table to be frozen is waited for.
struct FreezeOptions {
  Waiter* waiter = nullptr;      // null: 55P03 instead of waiting
  CancelFlag* cancel = nullptr;  // of the wait, and between two segments
  uint64_t lock_timeout_ms = 0;  // 0 = none
  bool in_order = false;         // Segments of which any have a key in common are put in order.
};

struct FreezeResult {
  uint64_t rows_moved = 0;
  // Segments were left with keys in common: put in order, their rows would take more memory for the
  // row map than it may.
  bool lacks_memory = false;
};

struct EngineStats {
  uint64_t commits = 0;
  uint64_t aborts = 0;
  uint64_t deadlocks = 0;
  uint64_t transactions_waiting = 0;  // for a lock or another transaction, now
  uint64_t wal_bytes = 0;
  uint64_t wal_fsyncs = 0;
  uint64_t checkpoints = 0;
  uint64_t versions_live = 0;
  uint64_t versions_reclaimed = 0;
  uint64_t rows_frozen = 0;      // in segments and not dead there
  uint64_t rows_thawed = 0;      // of segments, dead there: changed since or while they were frozen
  uint64_t freeze_failures = 0;  // of the background: a full disk, a table that was locked
  uint64_t segments = 0;
  uint64_t segment_bytes = 0;  // of their files
  uint64_t hot_bytes = 0;
  uint64_t index_bytes = 0;
  uint64_t cached_bytes = 0;  // blocks of segments
  uint64_t index_model_hits = 0;
  uint64_t index_corrections = 0;
  uint64_t index_fallbacks = 0;
  uint32_t index_depth = 0;  // levels of the deepest, the leaves counted
};

class Database {
 public:
  // Creates the folder when it is missing or empty; else recovers: manifest, last checkpoint, log
  // tail. 55006 when another process has it open; XX001 naming file and offset when it is damaged;
  // but where only segments are, everything else can be read and nothing written (health).
  static Result<std::unique_ptr<Database>> Open(env::Env& env, DatabaseOptions options);
  virtual ~Database() = default;

  // Final checkpoint; no transaction may be running. Destruction without Close is like a crash.
  virtual Status Close() = 0;

  virtual std::unique_ptr<txn::Transaction> Begin(txn::TransactionOptions options) = 0;
  // Makes it durable (waiting through `waiter` unless synchronous_commit is off) and visible. On
  // error it is aborted, except 58030: then its fate is unknown and the database stops writing.
  virtual Status Commit(txn::Transaction& txn, Waiter& waiter) = 0;
  virtual void Abort(txn::Transaction& txn) = 0;

  // The newest committed catalog.
  virtual std::shared_ptr<const catalog::CatalogSnapshot> catalog() const = 0;
  // What `txn` sees: its edit's view, or the newest.
  virtual std::shared_ptr<const catalog::CatalogSnapshot> CatalogFor(
      const txn::Transaction& txn) const = 0;
  // The version of that (of null: of the newest); takes no lock.
  virtual uint64_t CatalogVersionFor(const txn::Transaction* txn) const = 0;
  // The edit of this transaction, begun on first use.
  virtual catalog::CatalogEdit& EditCatalog(txn::Transaction& txn) = 0;
  virtual Oid NewOid() = 0;  // never 0, never given twice in this data folder

  // Creates storage for a table that `txn`'s edit has just put, or whose `storage` it changed, and
  // for its indexes. Undone when the transaction aborts.
  virtual Status CreateStorage(StatementContext& context, const catalog::TableDef& table) = 0;
  // Builds the storage of one new index from the table's rows; 23505 on duplicates. The caller
  // holds a table lock that keeps writers out.
  virtual Status BuildIndex(StatementContext& context, const catalog::TableDef& table,
                            const catalog::IndexDef& index) = 0;

  // The storage of a table in this version of its definition. Valid while the context's
  // transaction lives. Never null for a table that is in the context's catalog.
  virtual std::shared_ptr<Relation> OpenRelation(
      std::shared_ptr<const catalog::TableDef> table) = 0;

  // Runs at the end of each successful statement: pending foreign-key checks and actions. With
  // `at_commit`, also the deferred ones.
  virtual Status CheckConstraints(StatementContext& context, bool at_commit) = 0;
  // Whether that may look many rows up: none of it is for an event loop's thread then.
  virtual bool HasLongChecks(const txn::Transaction& txn) const = 0;
  // SET CONSTRAINTS: all (empty names) or the named ones, for this transaction.
  virtual Status SetConstraints(StatementContext& context, const std::vector<Oid>& constraints,
                                bool deferred) = 0;

  // Sequences are not transactional, as in PostgreSQL: a value given is never given again.
  struct SequenceState {
    int64_t last_value = 1;
    bool is_called = false;
  };
  virtual Result<int64_t> NextValue(const catalog::SequenceDef& sequence) = 0;
  virtual Status SetSequence(const catalog::SequenceDef& sequence, SequenceState state) = 0;
  virtual SequenceState GetSequence(const catalog::SequenceDef& sequence) = 0;

  // Gives back one session-level advisory lock; false when the session does not hold it.
  virtual bool UnlockAdvisory(uint64_t key, bool shared, uint64_t session_owner) = 0;
  // All of them: at the end of a session, and pg_advisory_unlock_all().
  virtual void UnlockAllAdvisory(uint64_t session_owner) = 0;

  virtual Status Checkpoint() = 0;
  // Moves the rows of a table that are settled now to columnar segments. Readers and
  // writers go on. Errors of the lock, 57014, errors of env: nothing moved, or not all.
  virtual Result<FreezeResult> Freeze(Oid table, const FreezeOptions& options) = 0;
  // Reads every segment file whole: one Status for each thing that is damaged.
  virtual std::vector<Status> VerifySegments() = 0;
  // Tells `memory` its limit from now on, several times a second, on a thread of the database,
  // until this is called with null. Borrowed.
  virtual void ShareMemory(AnalyticalMemory* memory) = 0;
  virtual EngineStats stats() const = 0;
  // Whether a segment could not be read at the start; takes no lock.
  virtual bool is_damaged() const = 0;
  // XX001 for a table of which a segment could not be read at the start. `rest`: rows of its other
  // segments will do; rows of the log that it had replaced may be there as well.
  virtual Status CheckReadable(const catalog::TableDef& table, bool rest) const = 0;
  // Not ok once durability is unknown, or data is damaged: the reason writes are refused.
  virtual Status health() const = 0;
};

}  // namespace omendb::engine
