// database_impl.h - Database: puts log, transactions, storage, catalog and background work
// together.
//
// Lock order     commit mutex, then storages and sequences; catalog_mu_ is a leaf.
// Threads        maintenance: garbage, index memory; checkpointer: checkpoints by log size and
// time.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/epoch.h"
#include "base/mutex.h"
#include "engine/database.h"
#include "engine/durable_counters.h"
#include "engine/freeze_job.h"
#include "engine/freezer.h"
#include "engine/garbage_collector.h"
#include "engine/key_budget.h"
#include "engine/manifest.h"
#include "engine/memory_budget.h"
#include "engine/recovery.h"
#include "engine/run_merger.h"
#include "engine/storages.h"
#include "txn/transaction_manager.h"
#include "wal/log_writer.h"

namespace omendb::engine {

class DatabaseImpl final : public Database {
 public:
  DatabaseImpl(env::Env& env, DatabaseOptions options);
  ~DatabaseImpl() override;

  // Recovers and starts the threads.
  Status Start();

  Status Close() override;
  std::unique_ptr<txn::Transaction> Begin(txn::TransactionOptions options) override;
  Status Commit(txn::Transaction& txn, Waiter& waiter) override;
  void Abort(txn::Transaction& txn) override;
  std::shared_ptr<const catalog::CatalogSnapshot> catalog() const override;
  std::shared_ptr<const catalog::CatalogSnapshot> CatalogFor(
      const txn::Transaction& txn) const override;
  uint64_t CatalogVersionFor(const txn::Transaction* txn) const override;
  catalog::CatalogEdit& EditCatalog(txn::Transaction& txn) override;
  Oid NewOid() override { return counters_.NewOid(); }
  Status CreateStorage(StatementContext& context, const catalog::TableDef& table) override;
  Status BuildIndex(StatementContext& context, const catalog::TableDef& table,
                    const catalog::IndexDef& index) override;
  std::shared_ptr<Relation> OpenRelation(std::shared_ptr<const catalog::TableDef> table) override;
  Status CheckConstraints(StatementContext& context, bool at_commit) override;
  bool HasLongChecks(const txn::Transaction& txn) const override;
  Status SetConstraints(StatementContext& context, const std::vector<Oid>& constraints,
                        bool deferred) override;
  Result<int64_t> NextValue(const catalog::SequenceDef& sequence) override;
  Status SetSequence(const catalog::SequenceDef& sequence, SequenceState state) override;
  SequenceState GetSequence(const catalog::SequenceDef& sequence) override;
  bool UnlockAdvisory(uint64_t key, bool shared, uint64_t session_owner) override;
  void UnlockAllAdvisory(uint64_t session_owner) override;
  Status Checkpoint() override;
  Result<FreezeResult> Freeze(Oid table, const FreezeOptions& options) override;
  std::vector<Status> VerifySegments() override;
  void ShareMemory(AnalyticalMemory* memory) override { memory_budget_.Share(memory); }
  EngineStats stats() const override;
  bool is_damaged() const override { return !damages_.empty(); }
  Status CheckReadable(const catalog::TableDef& table, bool rest) const override;
  Status health() const override;

 private:
  class CatalogCommit;
  class DropStorage;
  class DropIndex;
  Status Recover();
  Status OpenLog(Lsn end);
  // After a recovery that could not read all segments: nothing is written, not even the log.
  void StartReadOnly(const Recovery& recovery, Lsn end);
  void SetCatalog(std::shared_ptr<const catalog::CatalogSnapshot> catalog)
      OMEN_REQUIRES(catalog_mu_);
  // Takes storage and indexes that `next` no longer names out of use.
  void DropUnused(const catalog::CatalogSnapshot& before, const catalog::CatalogSnapshot& next,
                  const std::vector<catalog::CatalogChange>& changes);
  Status CheckpointLocked();
  void RemoveOldCheckpoints(const std::string& keep);
  // The segments and indexes of all tables.
  SegmentFiles::Used FilesInUse() const;
  void MaintenanceLoop();
  void MemoryLoop();
  void CheckpointLoop();
  void FreezeLoop();
  void KeyLoop();
  // How many segments' keys were moved. `wait`: for who is at it already.
  uint64_t MoveKeys(bool wait);
  void WriteMissingRun();
  void MergeLoop();
  bool stopping() {
    MutexLock lock(stop_mu_);
    return stopping_;
  }
  Result<FreezeResult> FreezeTable(Oid table, const FreezeOptions& options,
                                   const FreezeSelection& selection);
  void StopThreads();
  // Waits at most so long, less when the threads are stopped; true = go on.
  bool Pause(uint64_t milliseconds);

  env::Env& env_;
  const DatabaseOptions options_;
  std::unique_ptr<env::FileLock> lock_file_;
  rowstore::MemoryAccount memory_;  // before epochs_, whose end frees versions
  SegmentFiles segments_;           // before epochs_ too: its end may free whole tables
  MemoryBudget memory_budget_;
  EpochManager epochs_;
  GarbageCollector garbage_;
  txn::TransactionManager manager_;
  std::unique_ptr<wal::LogWriter> log_;
  Storages storages_;
  Freezer freezer_;
  FreezeJob freeze_job_;
  Mutex key_budget_mu_;  // MoveKeys, one at a time; lists of index runs
  const KeyBudget key_budget_;
  const RunMerger run_merger_;
  std::atomic<bool> keys_rest_{false};  // none have moved for a while
  DurableCounters counters_;
  std::map<Oid, Recovery::Damage> damages_;  // by storage; as recovery found it

  mutable Mutex catalog_mu_;
  std::shared_ptr<const catalog::CatalogSnapshot> catalog_ OMEN_GUARDED_BY(catalog_mu_);
  std::atomic<uint64_t> catalog_version_{0};  // of catalog_
  // What the log has, published or not. Guarded by the manager's commit mutex.
  std::shared_ptr<const catalog::CatalogSnapshot> logged_catalog_;

  Mutex checkpoint_mu_;
  Manifest manifest_ OMEN_GUARDED_BY(checkpoint_mu_);
  std::atomic<uint64_t> checkpoints_{0};
  std::atomic<uint64_t> checkpoint_end_{0};  // where the log ended at the last one

  Mutex stop_mu_;
  CondVar stop_cv_;
  bool stopping_ OMEN_GUARDED_BY(stop_mu_) = false;
  std::atomic<bool> closed_{false};
  std::thread maintenance_;
  std::thread memory_loop_;
  std::thread checkpointer_;
  std::thread freezing_;
  std::thread keys_;
  std::thread run_merges_;
};

}  // namespace omendb::engine
