// Segments that a transaction loads: see bulk_load.h.
#include "base/check.h"
#include "engine/load_undo.h"
#include "engine/redo.h"
#include "engine/relation_impl.h"

namespace omendb::engine {

using rowstore::MakeFrozenRef;
using rowstore::TableStore;
using rowstore::VersionRef;

Status RelationImpl::CheckWritable(StatementContext& context) const {
  return TxnOf(context).CheckWritable();
}

Status RelationImpl::DuplicatePrimaryKey(const StatementContext& context,
                                         std::span<const types::Value> row) const {
  return DuplicateKey(context, *primary_->definition, row);
}

LoadUndo* RelationImpl::NewLoadUndo(StatementContext& context) const {
  auto undo = std::make_unique<LoadUndo>(table_);
  LoadUndo* const made = undo.get();
  TxnOf(context).AddUndoAction(std::move(undo));
  return made;
}

Status RelationImpl::EnterSegment(StatementContext& context,
                                  std::shared_ptr<const FrozenSegment> segment, RowId first,
                                  const RowBuffer& rows, LoadUndo& undo, uint32_t* at) {
  txn::TransactionImpl& txn = TxnOf(context);
  TableStore& store = table_->store();
  const uint64_t file_id = segment->file_id();
  segment->set_begin(txn.word());
  const uint64_t number = table_->frozen().Publish(std::move(segment), DeadRows(rows.rows()), {});
  for (uint32_t i = 0; i < rows.rows(); ++i) {
    store.row(RowId(first.value() + i)).store(MakeFrozenRef(number, i), std::memory_order_release);
  }
  store.AddRows(rows.rows());
  undo.Add(number, first, rows.rows());
  OMEN_TRY(EnterKeys(context, number, first, rows, at));
  std::string mask;
  table_->frozen().runs()->runs[number].dead->Serialize(mask);
  AppendSegment(RedoOp::kLoad, table_->storage(), file_id, mask, txn.redo());
  OMEN_TRY(txn.MaybeSpill());
  if (!ConcernsForeignKeys(context)) return Status::Ok();
  types::Row row;
  for (uint32_t i = 0; i < rows.rows(); ++i) {
    const RowRef ref{RowId(first.value() + i), MakeFrozenRef(number, i)};
    if (store.head(ref.row_id) != ref.version) continue;
    rows.Read(i, row);
    EngineTransaction::Of(txn).foreign_keys().OnInsert(context, *definition_, ref, row);
  }
  return Status::Ok();
}

Status RelationImpl::EnterKeys(StatementContext& context, uint64_t segment, RowId first,
                               const RowBuffer& rows, uint32_t* at) {
  const bool has_entries = indexes_.size() > (primary_ != nullptr ? 1 : 0);
  const bool int_primary =
      primary_ != nullptr && primary_->index->shape() == TableIndex::Shape::kRowByInt;
  if (!has_entries && primary_ == nullptr) return Status::Ok();
  const size_t int_column =
      int_primary ? static_cast<size_t>(primary_->index->int_column().value() - 1) : 0;
  std::string key;
  types::Row row;
  for (uint32_t i = 0; i < rows.rows(); ++i) {
    if (i % 1024 == 0 && context.cancel != nullptr && context.cancel->set()) {
      return context.cancel->ToStatus();
    }
    *at = rows.arrival(i);
    const RowId id(first.value() + i);
    if (has_entries || !int_primary) rows.Read(i, row);
    bool taken = false;
    if (int_primary) {
      const uint64_t int_key = primary_->index->IntKeyOf(rows.Get(int_column, i));
      taken = primary_->index->ints().Insert(int_key, id.value()).has_value();
    } else if (primary_ != nullptr) {
      primary_->index->KeyOfRow(row, key);
      taken = primary_->index->InsertRow(key, id).has_value();
    }
    if (taken) {
      rows.Read(i, row);
      OMEN_TRY(LeaveSegment(context, id, MakeFrozenRef(segment, i), row));
      continue;
    }
    if (!has_entries) continue;
    Conflict conflict;
    OMEN_TRY(AddEntries(context, id, row, {}, &conflict));
    if (conflict.access != nullptr) {
      return DuplicateKey(context, *conflict.access->definition, row);
    }
  }
  return Status::Ok();
}

Status RelationImpl::LeaveSegment(StatementContext& context, RowId id, VersionRef frozen,
                                  std::span<const types::Value> row) {
  TableStore& store = table_->store();
  table_->frozen().MarkDead(frozen);
  OMEN_CHECK(store.SetHead(id, frozen, rowstore::kRowGone));
  store.AddRows(-1);
  return Insert(context, row).status();
}

}  // namespace omendb::engine
