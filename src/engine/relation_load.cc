// Segments that a transaction loads: see bulk_load.h.
#include "base/check.h"
#include "engine/build_index.h"
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

Status RelationImpl::AddToStatistics(const FrozenSegment& segment) const {
  return AddSegmentStatistics(segment, *definition_, sketches_);
}

LoadUndo* RelationImpl::NewLoadUndo(StatementContext& context) const {
  auto undo = std::make_unique<LoadUndo>(table_);
  LoadUndo* const made = undo.get();
  TxnOf(context).AddUndoAction(std::move(undo));
  return made;
}

Status RelationImpl::EnterSegment(StatementContext& context,
                                  std::shared_ptr<const FrozenSegment> segment,
                                  const LoadedRows& loaded, LoadUndo& undo, uint32_t* at) {
  txn::TransactionImpl& txn = TxnOf(context);
  TableStore& store = table_->store();
  const uint32_t count = loaded.rows.rows();
  const uint64_t file_id = segment->file_id();
  segment->set_begin(txn.word());
  const uint64_t number = table_->frozen().Publish(std::move(segment), DeadRows(count), {});
  store.SetNewRange(loaded.first, count, MakeFrozenRef(number, 0));
  store.AddRows(count);
  undo.Add(number, loaded.first, count);
  OMEN_TRY(EnterKeys(context, number, loaded, at));
  table_->frozen().SegmentOf(MakeFrozenRef(number, 0)).set_keys_are_entered();
  std::string mask;
  table_->frozen().runs()->runs[number].dead->Serialize(mask);
  AppendSegment(RedoOp::kLoad, table_->storage(), file_id, mask, txn.redo());
  OMEN_TRY(txn.MaybeSpill());
  if (!ConcernsForeignKeys(context)) return Status::Ok();
  types::Row row;
  for (uint32_t i = 0; i < count; ++i) {
    const RowRef ref{loaded.id(i), MakeFrozenRef(number, i)};
    if (store.head(ref.row_id) != ref.version) continue;
    loaded.rows.Read(i, row);
    EngineTransaction::Of(txn).foreign_keys().OnInsert(context, *definition_, ref, row);
  }
  return Status::Ok();
}

Status RelationImpl::EnterKeys(StatementContext& context, uint64_t segment,
                               const LoadedRows& loaded, uint32_t* at) {
  const bool has_entries = indexes_.size() > (primary_ != nullptr ? 1 : 0);
  const RowKeys& keys = loaded.keys;
  if (!has_entries && primary_ == nullptr) return Status::Ok();
  types::Row row;
  for (uint32_t i = 0; i < loaded.rows.rows(); ++i) {
    if (i % 1024 == 0 && context.cancel != nullptr && context.cancel->set()) {
      return context.cancel->ToStatus();
    }
    *at = loaded.rows.arrival(i);
    const RowId id = loaded.id(i);
    bool taken = false;
    if (!keys.ints.empty()) {
      OMEN_ASSIGN(const auto there, table_->EnterRow(*primary_->index, keys.ints[i], id));
      taken = there.has_value();
    } else if (primary_ != nullptr) {
      OMEN_ASSIGN(const auto there, table_->EnterRow(*primary_->index, keys.bytes[i], id));
      taken = there.has_value();
    }
    if (taken || has_entries) loaded.rows.Read(i, row);
    if (taken) {
      OMEN_TRY(LeaveSegment(context, id, MakeFrozenRef(segment, i), row));
      continue;
    }
    if (has_entries) OMEN_TRY(EnterEntries(context, id, row, {}));
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
