// Segments that a transaction loads: see bulk_load.h.
#include <algorithm>

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
  if (!has_entries && primary_ == nullptr) return Status::Ok();
  types::Row row;
  std::vector<bool> taken;
  for (uint32_t first = 0; first < loaded.rows.rows(); first += RunsAhead::kKeysAtOnce) {
    if (context.cancel != nullptr && context.cancel->set()) return context.cancel->ToStatus();
    taken.assign(std::min(loaded.rows.rows() - first, RunsAhead::kKeysAtOnce), false);
    *at = loaded.rows.arrival(first);
    if (primary_ != nullptr) OMEN_TRY(EnterPrimaryKeys(loaded, first, taken));
    std::vector<RunsAhead> ahead = NewRunsAhead();
    for (uint32_t i = first; i < first + taken.size() && !ahead.empty(); ++i) {
      loaded.rows.Read(i, row);
      AddAhead(ahead, i, row);
    }
    for (RunsAhead& index : ahead) OMEN_TRY(index.Look());
    for (uint32_t i = first; i < first + taken.size(); ++i) {
      if (!taken[i - first] && !has_entries) continue;
      *at = loaded.rows.arrival(i);
      loaded.rows.Read(i, row);
      if (taken[i - first]) {
        OMEN_TRY(LeaveSegment(context, loaded.id(i), MakeFrozenRef(segment, i), row));
      } else {
        OMEN_TRY(EnterEntries(context, loaded.id(i), row, {}, {ahead, i}));
      }
    }
  }
  return Status::Ok();
}

Status RelationImpl::EnterPrimaryKeys(const LoadedRows& loaded, uint32_t first,
                                      std::vector<bool>& taken) const {
  const FrozenKeys& frozen = primary_->index->frozen_keys();
  const uint64_t moves = frozen.moves();
  std::vector<std::optional<RowId>> there(taken.size());
  OMEN_TRY(frozen.FindSorted(table_->store(), loaded.keys, first, there));
  std::array<char, 8> buffer;
  for (uint32_t i = 0; i < taken.size(); ++i) {
    const std::string_view key = loaded.keys.key(first + i, buffer);
    taken[i] = there[i] || primary_->index->InsertRow(key, loaded.id(first + i));
  }
  if (frozen.moves() == moves) [[likely]]
    return Status::Ok();
  // The same keys may have left the index between the two looks.
  OMEN_TRY(frozen.FindSorted(table_->store(), loaded.keys, first, there));
  for (uint32_t i = 0; i < taken.size(); ++i) {
    if (taken[i] || !there[i]) continue;
    primary_->index->EraseRow(loaded.keys.key(first + i, buffer), loaded.id(first + i));
    taken[i] = true;
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
