#include <algorithm>
#include <thread>

#include "base/check.h"
#include "base/sqlstate.h"
#include "engine/failing_row.h"
#include "engine/key_text.h"
#include "engine/redo.h"
#include "engine/relation_impl.h"
#include "mvcc/visibility.h"

namespace omendb::engine {

using rowstore::kReinserted;
using rowstore::kRowGone;
using rowstore::VersionRef;
using txn::UndoRecord;

txn::WaitContext RelationImpl::WaitOf(const StatementContext& context) {
  return {context.waiter, context.cancel, context.lock_timeout_ms};
}

Status RelationImpl::CheckMemory() const {
  const rowstore::MemoryAccount& memory = table_->store().memory();
  if (!memory.exhausted()) [[likely]]
    return Status::Ok();
  return Status(sqlstate::kOutOfMemory, "out of memory")
      .WithDetail("The rows in memory have reached the budget of " +
                  std::to_string(memory.limit() >> 20) + " MB.")
      .WithHint("Delete rows, or start the server with a larger --memory.");
}

Status RelationImpl::CheckNotNull(const StatementContext& context,
                                  std::span<const types::Value> row) const {
  OMEN_CHECK(row.size() == physical_.size());
  for (const ColumnId column : not_null_) {
    if (row[static_cast<size_t>(column.value() - 1)].is_null) [[unlikely]] {
      return NotNullViolation(context, *definition_, column, row);
    }
  }
  return Status::Ok();
}

Status RelationImpl::CheckRow(StatementContext& context, std::span<const types::Value> row) {
  OMEN_TRY(CheckNotNull(context, row));
  return CheckMemory();
}

Result<rowstore::TableStore::SlotRange> RelationImpl::NewVersion(
    txn::TransactionImpl& txn, RowId row, VersionRef prev,
    std::span<const types::Value> row_values) {
  rowstore::TableStore& store = table_->store();
  const rowstore::TableStore::SlotRange slot = store.Allocate(layout_);
  if (slot.page == nullptr) return Status(sqlstate::kOutOfMemory, "out of memory");
  store.Write(slot, row, prev, row_values);
  slot.page->header(slot.first).begin.store(txn.word(), std::memory_order_release);
  return slot;
}

Status RelationImpl::DuplicateKey(const StatementContext& context, const catalog::IndexDef& index,
                                  std::span<const types::Value> row) const {
  std::vector<ColumnId> columns;
  types::Row values;
  for (const catalog::IndexKey& key : index.keys) {
    columns.push_back(key.column);
    values.push_back(row[static_cast<size_t>(key.column.value() - 1)]);
  }
  const catalog::SchemaDef* schema = context.catalog->schema(definition_->schema);
  return Status(sqlstate::kUniqueViolation,
                "duplicate key value violates unique constraint \"" + index.name + "\"")
      .WithDetail(KeyText(context, *definition_, columns, values) + " already exists.")
      .WithConstraint(schema != nullptr ? schema->name : "", definition_->name, index.name);
}

bool RelationImpl::IsArbiter(std::span<const Oid> arbiters, Oid index) {
  return arbiters.empty() || std::find(arbiters.begin(), arbiters.end(), index) != arbiters.end();
}

// Waits until the key is free or surely taken.
Result<RowId> RelationImpl::PlaceRow(StatementContext& context, const std::string& key,
                                     VersionRef* dead, Conflict* conflict) {
  txn::TransactionImpl& txn = TxnOf(context);
  for (;;) {
    *dead = 0;
    uint64_t mark = 0;
    {
      EpochGuard guard(table_->epochs());
      OMEN_ASSIGN(const std::optional<RowId> found, table_->FindRow(*primary_->index, key));
      if (!found) return table_->store().ReserveRows(1);
      VersionRef ref = 0;
      switch (NewestState(txn.id(), *found, &ref, &mark)) {
        case RowState::kLive:
          conflict->access = primary_;
          conflict->row = {*found, ref};
          return *found;
        case RowState::kDead:
          *dead = ref;
          return *found;
        case RowState::kGone:
          break;
        case RowState::kInDoubt:
          OMEN_CHECK(mark != 0);
          break;
      }
    }
    if (mark != 0) {
      OMEN_TRY(manager_.WaitFor(txn, mark, WaitOf(context)));
    } else {
      std::this_thread::yield();  // Whoever undoes or collects it has but to erase the entry.
    }
  }
}

Result<bool> RelationImpl::PlaceHead(RowId id, VersionRef dead, VersionRef fresh,
                                     const std::string& key) {
  rowstore::TableStore& store = table_->store();
  if (dead != 0) {
    MutexLock lock(table_->row_stripe(id));
    return store.SetHead(id, dead, fresh);
  }
  if (!store.SetHead(id, 0, fresh)) return false;
  if (primary_ == nullptr) return true;
  Result<std::optional<RowId>> there = table_->EnterRow(*primary_->index, key, id);
  if (there.ok() && !*there) return true;
  store.SetHead(id, fresh, kRowGone);  // Another transaction was faster with this key.
  if (!there.ok()) return std::move(there).status();
  return false;
}

Result<RowRef> RelationImpl::TryInsert(StatementContext& context, std::span<const types::Value> row,
                                       Conflict* conflict) {
  txn::TransactionImpl& txn = TxnOf(context);
  rowstore::TableStore& store = table_->store();
  std::string key;
  if (primary_ != nullptr) primary_->index->KeyOfRow(row, key);
  for (;;) {
    VersionRef dead = 0;
    RowId id;
    if (primary_ != nullptr) {
      OMEN_ASSIGN(id, PlaceRow(context, key, &dead, conflict));
      if (conflict->access != nullptr) return RowRef{};
    } else {
      id = store.ReserveRows(1);
    }
    OMEN_ASSIGN(const auto slot, NewVersion(txn, id, dead != 0 ? dead | kReinserted : 0, row));
    const VersionRef fresh = slot.ref();
    const Result<bool> placed = PlaceHead(id, dead, fresh, key);
    if (!placed.ok() || !*placed) {
      slot.page->header(slot.first).begin.store(mvcc::kInfinity, std::memory_order_release);
      table_->Retire({fresh});
      OMEN_TRY(placed.status());
      continue;
    }
    store.AddRows(1);
    UndoRecord undo;
    undo.kind = UndoRecord::Kind::kInsert;
    undo.row = id;
    undo.fresh = fresh;
    txn.AddUndo(undo, table_);
    OMEN_TRY(AddEntries(context, id, row, {}, conflict));
    return RowRef{id, fresh};
  }
}

Status RelationImpl::AddEntries(StatementContext& context, RowId row,
                                std::span<const types::Value> values,
                                std::span<const types::Value> old_values, Conflict* conflict,
                                const RowAhead& ahead) {
  std::string key;
  for (const Access& access : indexes_) {
    if (access.index->is_row_map()) continue;
    if (!old_values.empty() && access.index->SameKey(old_values, values)) continue;
    access.index->KeyOfRow(values, key);
    if (access.index->Conflicts(values)) {
      OMEN_TRY(AddUniqueEntry(context, access, row, key, conflict, ahead));
      if (conflict->access != nullptr) return Status::Ok();
    } else {
      access.index->InsertEntry(key, row);
    }
  }
  return Status::Ok();
}

std::vector<RunsAhead> RelationImpl::NewRunsAhead(
    const std::vector<std::shared_ptr<TableIndex>>* among) const {
  std::vector<RunsAhead> ahead;
  for (const Access& access : indexes_) {
    const TableIndex& index = *access.index;
    if (index.is_row_map() || !index.unique() || index.runs().empty()) continue;
    if (among != nullptr && std::find(among->begin(), among->end(), access.index) == among->end()) {
      continue;
    }
    ahead.emplace_back(index);
  }
  return ahead;
}

void RelationImpl::AddAhead(std::span<RunsAhead> ahead, uint32_t number,
                            std::span<const types::Value> row) {
  std::string key;
  for (RunsAhead& index : ahead) {
    if (!index.index().Conflicts(row)) continue;
    index.index().KeyOfRow(row, key);
    index.Add(number, key);
  }
}

Status RelationImpl::EnterEntries(StatementContext& context, RowId row,
                                  std::span<const types::Value> values,
                                  std::span<const types::Value> old_values, const RowAhead& ahead) {
  Conflict conflict;
  OMEN_TRY(AddEntries(context, row, values, old_values, &conflict, ahead));
  return conflict.access == nullptr ? Status::Ok()
                                    : DuplicateKey(context, *conflict.access->definition, values);
}

// The row's version is its head already: of two transactions that enter the same key, the second to
// take the stripe sees the first.
Status RelationImpl::AddUniqueEntry(StatementContext& context, const Access& access, RowId row,
                                    const std::string& key, Conflict* conflict,
                                    const RowAhead& ahead, bool enter) {
  txn::TransactionImpl& txn = TxnOf(context);
  const size_t hash = std::hash<std::string>()(key) + access.index->storage().value();
  for (;;) {
    uint64_t mark = 0;
    {
      EpochGuard guard(table_->epochs());
      MutexLock lock(table_->key_stripe(hash));
      RowRef duplicate;
      OMEN_ASSIGN(const bool found,
                  FindDuplicate(txn.id(), access, row, key, &duplicate, &mark, ahead));
      if (!found) {
        if (enter) access.index->InsertEntry(key, row);
        return Status::Ok();
      }
      if (mark == 0) {
        conflict->access = &access;
        conflict->row = duplicate;
        return Status::Ok();
      }
    }
    OMEN_TRY(manager_.WaitFor(txn, mark, WaitOf(context)));
  }
}

// The caller holds an epoch guard.
Result<bool> RelationImpl::FindDuplicate(TxnId self, const Access& access, RowId except,
                                         const std::string& key, RowRef* duplicate, uint64_t* mark,
                                         const RowAhead& ahead) const {
  std::vector<RowId> rows;
  const std::optional<TableIndex::RunRows> known = ahead.In(*access.index);
  OMEN_TRY(access.index->FindEntries(key, rows, known ? &*known : nullptr));
  for (const RowId row : rows) {
    if (row == except) continue;
    OMEN_ASSIGN(const bool found, IsDuplicate(self, access, row, key, duplicate, mark));
    if (found) return true;
  }
  return false;
}

Result<bool> RelationImpl::IsDuplicate(TxnId self, const Access& access, RowId row,
                                       const std::string& key, RowRef* duplicate,
                                       uint64_t* mark) const {
  std::string actual;
  for (;;) {
    VersionRef head = 0;
    uint64_t doubt = 0;
    const RowState state = NewestState(self, row, &head, &doubt);
    if (state == RowState::kGone || state == RowState::kDead) return false;
    // In doubt: the key counts if the row has it now or would have it after a rollback.
    for (VersionRef ref = head; ref != 0; ref = table_->OlderThan(ref)) {
      OMEN_TRY(table_->KeyOf(*access.index, ref, actual));
      if (actual == key) {
        *duplicate = {row, ref};
        *mark = doubt;
        return true;
      }
      if (state == RowState::kLive || !mvcc::IsTxnWord(BeginOf(ref).load())) break;
    }
    // That rollback may have come meanwhile: then we have not got to the version it left.
    if (state == RowState::kLive || table_->store().head(row) == head) return false;
  }
}

Result<RowRef> RelationImpl::Insert(StatementContext& context, std::span<const types::Value> row) {
  txn::TransactionImpl& txn = TxnOf(context);
  OMEN_TRY(txn.CheckWritable());
  OMEN_TRY(CheckRow(context, row));
  Conflict conflict;
  OMEN_ASSIGN(const RowRef inserted, TryInsert(context, row, &conflict));
  if (conflict.access != nullptr) {
    return DuplicateKey(context, *conflict.access->definition, row);
  }
  OMEN_TRY(AfterInsert(context, inserted, row));
  return inserted;
}

bool RelationImpl::ConcernsForeignKeys(const StatementContext& context) const {
  const uint64_t version = context.catalog->version();
  const uint64_t tag = version << 2 | (version >> 63) << 1;
  const uint64_t cached = foreign_key_cache_.load(std::memory_order_relaxed);
  if ((cached & ~uint64_t{1}) == tag) return (cached & 1) != 0;
  const bool concerned = ForeignKeyQueue::Concerns(context, *definition_);
  foreign_key_cache_.store(tag | (concerned ? 1 : 0), std::memory_order_relaxed);
  return concerned;
}

Status RelationImpl::AfterInsert(StatementContext& context, const RowRef& inserted,
                                 std::span<const types::Value> row) {
  txn::TransactionImpl& txn = TxnOf(context);
  for (size_t i = 0; i < row.size(); ++i) sketches_[i]->Add(row[i]);
  if (table_->logged()) {
    AppendPut(table_->storage(), inserted.row_id, physical_, row, txn.redo());
    OMEN_TRY(txn.MaybeSpill());
  }
  if (ConcernsForeignKeys(context)) {
    EngineTransaction::Of(txn).foreign_keys().OnInsert(context, *definition_, inserted, row);
  }
  return Status::Ok();
}

Result<std::optional<RowRef>> RelationImpl::FindConflict(StatementContext& context,
                                                         std::span<const types::Value> row,
                                                         std::span<const Oid> arbiters) {
  txn::TransactionImpl& txn = TxnOf(context);
  std::string key;
  for (const Access& access : indexes_) {
    if (!access.index->Conflicts(row) || !IsArbiter(arbiters, access.definition->oid)) continue;
    access.index->KeyOfRow(row, key);
    for (;;) {
      uint64_t mark = 0;
      RowRef found;
      {
        EpochGuard guard(table_->epochs());
        if (access.index->is_row_map()) {
          OMEN_ASSIGN(const std::optional<RowId> id, table_->FindRow(*access.index, key));
          if (!id) break;
          const RowState state = NewestState(txn.id(), *id, &found.version, &mark);
          if (state == RowState::kDead) break;
          found.row_id = *id;
          if (state == RowState::kGone) continue;
        } else {
          OMEN_ASSIGN(const bool there,
                      FindDuplicate(txn.id(), access, RowId(0), key, &found, &mark));
          if (!there) break;
        }
      }
      if (mark == 0) return std::optional<RowRef>(found);
      OMEN_TRY(manager_.WaitFor(txn, mark, WaitOf(context)));
    }
  }
  return std::optional<RowRef>();
}

Result<std::optional<RowRef>> RelationImpl::InsertOrFind(StatementContext& context,
                                                         std::span<const types::Value> row,
                                                         std::span<const Oid> arbiters,
                                                         RowRef* conflict) {
  txn::TransactionImpl& txn = TxnOf(context);
  OMEN_TRY(txn.CheckWritable());
  OMEN_TRY(CheckRow(context, row));
  for (;;) {
    OMEN_ASSIGN(std::optional<RowRef> found, FindConflict(context, row, arbiters));
    if (!found) {
      const uint64_t mark = txn.MarkUndo();
      Conflict late;
      OMEN_ASSIGN(const RowRef inserted, TryInsert(context, row, &late));
      if (late.access == nullptr) {
        OMEN_TRY(AfterInsert(context, inserted, row));
        return std::optional<RowRef>(inserted);
      }
      txn.RollbackTo(mark);
      if (!IsArbiter(arbiters, late.access->definition->oid)) {
        return DuplicateKey(context, *late.access->definition, row);
      }
      found = late.row;
    }
    txn.PinConflict();
    // Only now it cannot be collected; it may have been replaced just before.
    if (table_->store().head(found->row_id) != found->version) continue;
    const std::atomic<uint64_t>& begin = BeginOf(found->version);
    if (!txn.follows_latest() && !mvcc::IsSeen(manager_.txns(), txn.snapshot(), begin) &&
        mvcc::ResolveNow(manager_.txns(), txn.id(), begin, manager_.last_visible()).kind !=
            mvcc::Resolved::Kind::kOwn) {
      return Status(sqlstate::kSerializationFailure,
                    "could not serialize access due to concurrent update");
    }
    *conflict = *found;
    return std::optional<RowRef>();
  }
}

}  // namespace omendb::engine
