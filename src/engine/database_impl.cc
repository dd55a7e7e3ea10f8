#include "engine/database_impl.h"

#include <algorithm>
#include <chrono>

#include "base/check.h"
#include "base/sqlstate.h"
#include "catalog/column_ids.h"
#include "engine/build_index.h"
#include "engine/engine_transaction.h"
#include "engine/key_text.h"

namespace omendb::engine {

using catalog::CatalogSnapshot;

Result<std::unique_ptr<Database>> Database::Open(env::Env& env, DatabaseOptions options) {
  auto database = std::make_unique<DatabaseImpl>(env, std::move(options));
  OMEN_TRY(database->Start());
  return std::unique_ptr<Database>(std::move(database));
}

DatabaseImpl::DatabaseImpl(env::Env& env, DatabaseOptions options)
    : env_(env),
      options_(std::move(options)),
      memory_(KeptMemoryMax(options_.memory_bytes)),
      segments_(env_, options_.data_dir, DivideMemory(options_.memory_bytes, 0, 0).cache),
      memory_budget_(options_.memory_bytes, memory_, segments_.cache()),
      garbage_(epochs_, options_.freeze_after_ms),
      manager_(&garbage_),
      storages_(epochs_, memory_, manager_, segments_),
      freezer_(manager_, segments_),
      freeze_job_(options_.freeze_after_ms, memory_),
      key_budget_(memory_.limit(), segments_),
      run_merger_(segments_, key_budget_mu_),
      counters_(manager_) {}

DatabaseImpl::~DatabaseImpl() {
  StopThreads();
  log_.reset();  // Its flusher calls the manager until then.
}

std::unique_ptr<txn::Transaction> DatabaseImpl::Begin(txn::TransactionOptions options) {
  return manager_.Begin(options, env_.NowMicros());
}

// Installs the catalog with the commit: rebased on what others have logged since, published in
// order.
class DatabaseImpl::CatalogCommit final : public txn::CommitHook {
 public:
  CatalogCommit(DatabaseImpl& database, catalog::CatalogEdit& edit)
      : database_(database), edit_(edit) {}
  Result<std::string> Prepare() override {
    before_ = database_.logged_catalog_;
    OMEN_TRY(edit_.Rebase(before_));
    next_ = edit_.Installed();
    return catalog::EncodeChanges(edit_.changes());
  }
  void OnLogged() override { database_.logged_catalog_ = next_; }
  void OnPublished(Timestamp /*ts*/) override {
    {
      MutexLock lock(database_.catalog_mu_);
      if (next_->version() > database_.catalog_->version()) database_.SetCatalog(next_);
    }
    database_.DropUnused(*before_, *next_, edit_.changes());
  }

 private:
  DatabaseImpl& database_;
  catalog::CatalogEdit& edit_;
  std::shared_ptr<const CatalogSnapshot> before_;
  std::shared_ptr<const CatalogSnapshot> next_;
};

Status DatabaseImpl::Commit(txn::Transaction& txn, Waiter& waiter) {
  auto& impl = static_cast<txn::TransactionImpl&>(txn);
  EngineTransaction* extension = EngineTransaction::Find(txn);
  if (extension == nullptr || extension->edit() == nullptr || extension->edit()->empty()) {
    return manager_.Commit(impl, waiter, nullptr);
  }
  CatalogCommit hook(*this, *extension->edit());
  return manager_.Commit(impl, waiter, &hook);
}

void DatabaseImpl::Abort(txn::Transaction& txn) {
  manager_.Abort(static_cast<txn::TransactionImpl&>(txn));
}

void DatabaseImpl::DropUnused(const CatalogSnapshot& before, const CatalogSnapshot& next,
                              const std::vector<catalog::CatalogChange>& changes) {
  std::vector<Oid> tables;
  for (const catalog::CatalogChange& change : changes) {
    if (change.op == catalog::CatalogChange::Op::kDrop) tables.push_back(change.oid);
    if (change.op != catalog::CatalogChange::Op::kPut) continue;
    const auto* def = std::get_if<catalog::TableDef>(change.object.get());
    if (def == nullptr) continue;
    tables.push_back(def->oid);
    // Storage of an intermediate step of this transaction.
    const auto now = next.table(def->oid);
    if (now == nullptr || now->storage != def->storage) storages_.Drop(def->storage);
  }
  for (const Oid oid : tables) {
    const auto old_def = before.table(oid);
    const auto new_def = next.table(oid);
    if (old_def == nullptr) continue;
    if (new_def == nullptr || new_def->storage != old_def->storage) {
      storages_.Drop(old_def->storage);
      continue;
    }
    const std::shared_ptr<Table> table = storages_.Find(old_def->storage);
    if (table == nullptr) continue;
    for (const catalog::IndexDef& index : old_def->indexes) {
      const catalog::IndexDef* kept = new_def->FindIndex(index.oid);
      if (kept == nullptr || kept->storage != index.storage) table->DropIndex(index.storage);
    }
    storages_.Forget(old_def->storage);
  }
}

std::shared_ptr<const CatalogSnapshot> DatabaseImpl::catalog() const {
  MutexLock lock(catalog_mu_);
  return catalog_;
}

void DatabaseImpl::SetCatalog(std::shared_ptr<const CatalogSnapshot> catalog) {
  catalog_ = std::move(catalog);
  catalog_version_.store(catalog_->version(), std::memory_order_release);
}

namespace {

// Null unless the transaction has changed the catalog.
const catalog::CatalogEdit* EditOf(const txn::Transaction& txn) {
  EngineTransaction* extension = EngineTransaction::Find(txn);
  const catalog::CatalogEdit* edit = extension != nullptr ? extension->edit() : nullptr;
  return edit != nullptr && !edit->empty() ? edit : nullptr;
}

}  // namespace

std::shared_ptr<const CatalogSnapshot> DatabaseImpl::CatalogFor(const txn::Transaction& txn) const {
  const catalog::CatalogEdit* const edit = EditOf(txn);
  return edit != nullptr ? edit->view() : catalog();
}

uint64_t DatabaseImpl::CatalogVersionFor(const txn::Transaction* txn) const {
  const catalog::CatalogEdit* const edit = txn != nullptr ? EditOf(*txn) : nullptr;
  return edit != nullptr ? edit->view()->version()
                         : catalog_version_.load(std::memory_order_acquire);
}

catalog::CatalogEdit& DatabaseImpl::EditCatalog(txn::Transaction& txn) {
  EngineTransaction& extension = EngineTransaction::Of(txn);
  // An edit that has nothing in it yet starts from the newest catalog.
  if (extension.edit() != nullptr && extension.edit()->empty()) {
    const Status rebased = extension.Rebase(catalog());
    OMEN_CHECK(rebased.ok());
  }
  return extension.Edit(catalog());
}

class DatabaseImpl::DropStorage final : public txn::UndoAction {
 public:
  DropStorage(Storages& storages, Oid storage) : storages_(storages), storage_(storage) {}
  void Undo() override { storages_.Drop(storage_); }

 private:
  Storages& storages_;
  const Oid storage_;
};

class DatabaseImpl::DropIndex final : public txn::UndoAction {
 public:
  DropIndex(Storages& storages, std::shared_ptr<Table> table, Oid index)
      : storages_(storages), table_(std::move(table)), index_(index) {}
  void Undo() override {
    table_->DropIndex(index_);
    storages_.Forget(table_->storage());
  }

 private:
  Storages& storages_;
  const std::shared_ptr<Table> table_;
  const Oid index_;
};

Status DatabaseImpl::CreateStorage(StatementContext& context, const catalog::TableDef& table) {
  auto& txn = static_cast<txn::TransactionImpl&>(*context.txn);
  if (storages_.Find(table.storage) != nullptr) return Status::Ok();
  storages_.Create(table);
  txn.AddUndoAction(std::make_unique<DropStorage>(storages_, table.storage));
  return Status::Ok();
}

Status DatabaseImpl::BuildIndex(StatementContext& context, const catalog::TableDef& table,
                                const catalog::IndexDef& index) {
  auto& txn = static_cast<txn::TransactionImpl&>(*context.txn);
  const std::shared_ptr<Table> storage = storages_.Find(table.storage);
  if (storage == nullptr) return Status(sqlstate::kInternalError, "the table has no storage");
  if (storage->FindIndex(index.storage) != nullptr) return Status::Ok();
  const SegmentFiles::WritingRuns making(segments_, index.storage);
  const auto relation = storages_.Open(std::make_shared<const catalog::TableDef>(table));
  txn.PushLatestSnapshot();
  RowRef duplicate;
  const BuildWatch watch{context.progress != nullptr ? &context.progress->command : nullptr,
                         context.cancel};
  auto result = BuildTableIndex(key_budget_, *storage, table, index, manager_.txns(),
                                txn.snapshot(), &duplicate, watch);
  Result<std::optional<RowRef>> repeated = std::optional<RowRef>();
  if (result.ok() && *result != nullptr && index.unique && !(*result)->runs().empty()) {
    repeated = relation->FindRepeatedKey(context, **result);
  }
  txn.PopSnapshot();
  OMEN_ASSIGN(std::shared_ptr<TableIndex> built, std::move(result));
  OMEN_TRY(repeated.status());
  if (*repeated) duplicate = **repeated;
  if (built == nullptr || *repeated) {
    const std::vector<ColumnId> columns = catalog::KeyColumns(index);
    std::vector<types::Value> values(columns.size());
    types::Arena arena;
    OMEN_TRY(relation->Read(duplicate, columns, arena, values.data()));
    return Status(sqlstate::kUniqueViolation,
                  "could not create unique index \"" + index.name + "\"")
        .WithDetail(KeyText(context, table, columns, values) + " is duplicated.")
        .WithConstraint("", table.name, index.name);
  }
  storage->AddIndex(std::move(built));
  storages_.Forget(table.storage);
  txn.AddUndoAction(std::make_unique<DropIndex>(storages_, storage, index.storage));
  return Status::Ok();
}

std::shared_ptr<Relation> DatabaseImpl::OpenRelation(
    std::shared_ptr<const catalog::TableDef> table) {
  return storages_.Open(std::move(table));
}

Status DatabaseImpl::CheckConstraints(StatementContext& context, bool at_commit) {
  EngineTransaction* extension = EngineTransaction::Find(*context.txn);
  if (extension == nullptr) return Status::Ok();
  return extension->foreign_keys().Run(*this, context, at_commit);
}

bool DatabaseImpl::HasLongChecks(const txn::Transaction& txn) const {
  const EngineTransaction* extension = EngineTransaction::Find(txn);
  return extension != nullptr && extension->foreign_keys().TakesLong();
}

Status DatabaseImpl::SetConstraints(StatementContext& context, const std::vector<Oid>& constraints,
                                    bool deferred) {
  EngineTransaction::Of(*context.txn).foreign_keys().SetDeferred(constraints, deferred);
  return deferred ? Status::Ok() : CheckConstraints(context, /*at_commit=*/false);
}

Result<int64_t> DatabaseImpl::NextValue(const catalog::SequenceDef& sequence) {
  return counters_.sequences().Next(sequence);
}
Status DatabaseImpl::SetSequence(const catalog::SequenceDef& sequence, SequenceState state) {
  return counters_.sequences().Set(sequence, state);
}
Database::SequenceState DatabaseImpl::GetSequence(const catalog::SequenceDef& sequence) {
  return counters_.sequences().Get(sequence);
}

bool DatabaseImpl::UnlockAdvisory(uint64_t key, bool shared, uint64_t session_owner) {
  return manager_.UnlockAdvisory(key, shared, session_owner);
}
void DatabaseImpl::UnlockAllAdvisory(uint64_t session_owner) {
  manager_.UnlockAllAdvisory(session_owner);
}

Result<FreezeResult> DatabaseImpl::Freeze(Oid table, const FreezeOptions& options) {
  OMEN_TRY(manager_.health());
  FreezeSelection all;
  if (options.in_order) all.overlapping_min = 2;
  all.pause = [this] { return freeze_job_.UnderPressure(); };
  return FreezeTable(table, options, all);
}

Result<FreezeResult> DatabaseImpl::FreezeTable(Oid table, const FreezeOptions& options,
                                               const FreezeSelection& selection) {
  auto txn = manager_.Begin({}, env_.NowMicros());
  ThreadWaiter none;
  OMEN_TRY(txn->LockTable(table, txn::TableLockMode::kShareUpdateExclusive,
                          options.waiter != nullptr ? txn::LockWait::kWait : txn::LockWait::kNoWait,
                          options.waiter != nullptr ? *options.waiter : none, options.cancel,
                          options.lock_timeout_ms));
  const auto definition = catalog()->table(table);
  if (definition == nullptr || storages_.Find(definition->storage) == nullptr) {
    return Status(sqlstate::kUndefinedTable, "there is no table to freeze");
  }
  OMEN_ASSIGN(const FreezeResult result,
              freezer_.Freeze(storages_.Open(definition), selection, options.cancel));
  (void)MoveKeys(/*wait=*/false);
  return result;
}

std::vector<Status> DatabaseImpl::VerifySegments() {
  // Runs stay listed, damaged or not.
  MutexLock lock(key_budget_mu_);
  std::vector<Status> damages;
  for (const auto& [storage, damage] : damages_) damages.push_back(damage.status);
  for (const std::shared_ptr<Table>& table : storages_.All()) {
    const std::shared_ptr<const RunSet> set = table->frozen().runs();
    for (const Run& run : set->runs) {
      if (run.live_rows() == 0) continue;  // Its file may be gone.
      for (Status& damage : run.segment->reader()->Verify()) damages.push_back(std::move(damage));
    }
    for (const auto indexes = table->indexes(); const auto& index : *indexes) {
      for (const IndexRuns::Listed& listed : index->runs().all()) {
        for (Status& damage : listed.run->Verify()) damages.push_back(std::move(damage));
      }
    }
  }
  return damages;
}

EngineStats DatabaseImpl::stats() const {
  EngineStats stats;
  stats.commits = manager_.commits();
  stats.aborts = manager_.aborts();
  stats.deadlocks = manager_.deadlocks();
  stats.transactions_waiting = manager_.waiting();
  if (log_ != nullptr) {
    const wal::LogStats log = log_->stats();
    stats.wal_bytes = log.bytes;
    stats.wal_fsyncs = log.syncs;
  }
  stats.checkpoints = checkpoints_.load(std::memory_order_relaxed);
  stats.versions_reclaimed = garbage_.reclaimed();
  stats.hot_bytes = memory_.used();
  stats.cached_bytes = segments_.cache().counters().bytes;
  stats.freeze_failures = freeze_job_.failures();
  for (const std::shared_ptr<Table>& table : storages_.All()) {
    stats.versions_live += table->store().rows_count();
    const std::shared_ptr<const RunSet> set = table->frozen().runs();
    for (const Run& run : set->runs) {
      if (run.live_rows() == 0) continue;
      stats.rows_frozen += run.live_rows() - run.masked_rows();
      stats.rows_thawed += run.dead->count();
      stats.segment_bytes += run.segment->reader()->file_bytes();
      ++stats.segments;
    }
    for (const auto indexes = table->indexes(); const auto& index : *indexes) {
      stats.index_bytes += index->memory_bytes();
      const index::IndexStats counters = index->stats();
      stats.index_model_hits += counters.model_hits;
      stats.index_corrections += counters.corrections;
      stats.index_fallbacks += counters.fallbacks;
      stats.index_depth = std::max(stats.index_depth, counters.depth);
    }
  }
  return stats;
}

Status DatabaseImpl::CheckReadable(const catalog::TableDef& table, bool rest) const {
  const auto found = damages_.find(table.storage);
  if (found == damages_.end() || (rest && found->second.has_rest)) return Status::Ok();
  Status damaged(sqlstate::kDataCorrupted, "table \"" + table.name + "\" cannot be read: " +
                                               found->second.status.error().message);
  if (!found->second.has_rest) return damaged;
  return std::move(damaged).WithHint(
      "With omendb.read_damaged_tables, rows of its other files can be read.");
}

Status DatabaseImpl::health() const { return manager_.health(); }

}  // namespace omendb::engine
