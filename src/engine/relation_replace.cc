// Replacing rows where they lie in segments: see bulk_update.h.
#include "base/check.h"
#include "engine/redo.h"
#include "engine/relation_impl.h"
#include "engine/replace_undo.h"

namespace omendb::engine {

using rowstore::MakeFrozenRef;
using rowstore::VersionRef;

namespace {

constexpr uint32_t kCancelRows = 4096;  // Between two looks at the flag.

}  // namespace

ReplaceUndo* RelationImpl::NewReplaceUndo(StatementContext& context) const {
  auto undo = std::make_unique<ReplaceUndo>(table_);
  ReplaceUndo* const made = undo.get();
  TxnOf(context).AddUndoAction(std::move(undo));
  return made;
}

Result<RowOutcome> RelationImpl::EnterReplacing(StatementContext& context,
                                                const SegmentBatch& batch, ReplaceUndo& undo) {
  txn::TransactionImpl& txn = TxnOf(context);
  FrozenTable& frozen = table_->frozen();
  const std::shared_ptr<const FrozenSegment> segment = *batch.segment;
  const uint32_t count = batch.rows->rows();
  segment->set_begin(txn.word());
  segment->MakeOlder();
  const uint64_t number = frozen.Publish(segment, DeadRows(count), {});
  undo.Add(number, batch);
  EngineTransaction::Of(txn)
      .masked_deletes()
      .ReplacementOf(txn, frozen)
      ->segments.push_back(number);
  for (uint32_t i = 0; i < count; ++i) {
    if (i % kCancelRows == 0 && context.cancel != nullptr && context.cancel->set()) {
      return context.cancel->ToStatus();
    }
    OMEN_ASSIGN(const RowOutcome outcome, ReplaceRow(context, batch, MakeFrozenRef(number, i)));
    if (outcome != RowOutcome::kDone) return outcome;
  }
  std::string dead;
  frozen.runs()->runs[number].dead->Serialize(dead);
  AppendSegment(RedoOp::kFreeze, table_->storage(), segment->file_id(), dead, txn.redo());
  OMEN_TRY(txn.MaybeSpill());
  return RowOutcome::kDone;
}

Result<RowOutcome> RelationImpl::ReplaceRow(StatementContext& context, const SegmentBatch& batch,
                                            VersionRef fresh) {
  FrozenTable& frozen = table_->frozen();
  const uint32_t at = rowstore::FrozenRowOf(fresh);
  const RowRef& seen = batch.seen(at);
  OMEN_ASSIGN(const std::optional<RowResult> claimed,
              ClaimInSegment(context, seen, /*replaces=*/true));
  if (!claimed) {
    // In a page by now, or it has to go there.
    frozen.MarkDead(fresh);
    types::Row row;
    batch.rows->Read(at, row);
    OMEN_ASSIGN(const RowResult updated, Update(context, seen, row));
    return updated.outcome;
  }
  if (claimed->outcome != RowOutcome::kDone) return claimed->outcome;
  // Until here others find the old head with our mark as its end, and from here on a head with our
  // mark as its begin.
  frozen.SegmentOf(fresh).SetOlder(at, claimed->latest.version);
  OMEN_CHECK(table_->store().SetHead(seen.row_id, claimed->latest.version, fresh));
  return RowOutcome::kDone;
}

}  // namespace omendb::engine
