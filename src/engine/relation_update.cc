#include <thread>

#include "base/check.h"
#include "base/sqlstate.h"
#include "engine/redo.h"
#include "engine/relation_impl.h"
#include "mvcc/visibility.h"

namespace omendb::engine {
namespace {

using rowstore::HeadOf;
using rowstore::IsCopy;
using rowstore::IsFrozen;
using rowstore::kReinserted;
using rowstore::kRowGone;
using rowstore::kRowLocked;
using rowstore::OlderOf;
using rowstore::SlotOf;
using rowstore::VersionRef;
using txn::LockWait;
using txn::RowLockMode;
using txn::UndoRecord;
using Kind = mvcc::Resolved::Kind;

Status ConcurrentUpdate() {
  return Status(sqlstate::kSerializationFailure,
                "could not serialize access due to concurrent update");
}
Status ConcurrentDelete() {
  return Status(sqlstate::kSerializationFailure,
                "could not serialize access due to concurrent delete");
}

}  // namespace

// Judges the row against the version that was seen: kCurrent, or what stands in the way.
RelationImpl::Judgement RelationImpl::Judge(const txn::TransactionImpl& txn,
                                            const RowRef& seen) const {
  const rowstore::TableStore& store = table_->store();
  EpochGuard guard(table_->epochs());
  const uint64_t word = store.row_word(seen.row_id, std::memory_order_seq_cst);
  if ((word & kRowGone) != 0) return {Judgement::Kind::kDeleted, 0, 0};
  const VersionRef head = HeadOf(word);
  const auto resolve = [&](const std::atomic<uint64_t>& w) {
    return mvcc::ResolveNow(manager_.txns(), txn.id(), w, manager_.last_visible());
  };
  const mvcc::Resolved begin = resolve(BeginOf(head));
  const bool same = IsFrozen(head) ? IsSame(seen, head) : head == seen.version;
  if (!same) {
    switch (begin.kind) {
      case Kind::kInfinite:
        return {Judgement::Kind::kAgain, 0, 0};
      case Kind::kRunning:
        return {Judgement::Kind::kRunning, begin.word, head};
      case Kind::kOwn:
        return {Judgement::Kind::kOwn, 0, head};
      case Kind::kCommitted:
        break;
    }
    // What replaces a row of a segment without being in a page was not inserted again.
    for (VersionRef ref = head; ref != 0 && ref != seen.version && !IsFrozen(ref);) {
      const uint64_t prev = store.header(ref).prev.load(std::memory_order_acquire);
      if ((prev & kReinserted) != 0) return {Judgement::Kind::kDeleted, 0, 0};
      ref = OlderOf(prev);
    }
  } else if (begin.kind == Kind::kOwn && mvcc::CommandOf(begin.word) >= txn.snapshot().command) {
    return {Judgement::Kind::kOwn, 0, head};  // Made by this very statement.
  }
  return JudgeEnd(seen, head, resolve(EndOf(head)));
}

RelationImpl::Judgement RelationImpl::JudgeEnd(const RowRef& seen, VersionRef head,
                                               const mvcc::Resolved& end) const {
  switch (end.kind) {
    case Kind::kInfinite:
      if (head == seen.version) return {Judgement::Kind::kCurrent, 0, head};
      // Where a segment has the row now, Thawed must look again.
      return {IsFrozen(head) && IsSame(seen, head) ? Judgement::Kind::kAgain
                                                   : Judgement::Kind::kChanged,
              0, head};
    case Kind::kRunning:
      return {Judgement::Kind::kRunning, end.word, head};
    case Kind::kOwn:
      return {Judgement::Kind::kOwn, 0, head};
    case Kind::kCommitted:
      // As the head: deleted. Its successor may be about to become the head of a later commit that
      // is published already; then the row map has it.
      break;
  }
  const bool is_head = table_->store().head(seen.row_id) == head;
  return {is_head ? Judgement::Kind::kDeleted : Judgement::Kind::kAgain, 0, 0};
}

// Turns a judgement other than kCurrent into an outcome, waiting where it must; nullopt: judge
// again.
Result<std::optional<RowResult>> RelationImpl::Resolve(StatementContext& context,
                                                       const RowRef& seen, const Judgement& found,
                                                       LockWait wait) {
  txn::TransactionImpl& txn = TxnOf(context);
  switch (found.kind) {
    case Judgement::Kind::kCurrent:
      break;
    case Judgement::Kind::kAgain:
      std::this_thread::yield();
      break;
    case Judgement::Kind::kOwn:
      return std::optional<RowResult>(RowResult{RowOutcome::kGone, {}});
    case Judgement::Kind::kRunning:
      if (wait == LockWait::kSkipLocked) {
        return std::optional<RowResult>(RowResult{RowOutcome::kSkipped, {}});
      }
      if (wait == LockWait::kNoWait) return RowLocked();
      OMEN_TRY(manager_.WaitFor(txn, found.mark, WaitOf(context)));
      break;
    case Judgement::Kind::kDeleted:
      if (!txn.follows_latest()) return ConcurrentDelete();
      return std::optional<RowResult>(RowResult{RowOutcome::kGone, {}});
    case Judgement::Kind::kChanged:
      if (!txn.follows_latest()) return ConcurrentUpdate();
      txn.PinConflict();
      if (table_->store().head(seen.row_id) != found.head) break;
      return std::optional<RowResult>(
          RowResult{RowOutcome::kChanged, RowRef{seen.row_id, found.head}});
  }
  return std::optional<RowResult>();
}

Status RelationImpl::RowLocked() const {
  return Status(sqlstate::kLockNotAvailable,
                "could not obtain lock on row in relation \"" + definition_->name + "\"");
}

// The row's base: its oldest version in a page. It is the copy of a frozen row when its prev says
// so.
std::optional<RowRef> RelationImpl::FindThawed(const RowRef& seen, VersionRef* frozen) const {
  const rowstore::TableStore& store = table_->store();
  const auto moved = [&](VersionRef ref) {
    return store.header(ref).end.load(std::memory_order_seq_cst) == mvcc::kMoved;
  };
  for (;; std::this_thread::yield()) {
    EpochGuard guard(table_->epochs());
    if (!IsFrozen(seen.version) && !moved(seen.version)) [[likely]]
      return seen;
    const uint64_t word = store.row_word(seen.row_id, std::memory_order_seq_cst);
    if ((word & kRowGone) != 0) return seen;
    const VersionRef head = HeadOf(word);
    if (IsFrozen(head)) {
      if (!IsSame(seen, head)) return seen;
      if (table_->frozen().SegmentOf(head).is_moving()) continue;
      *frozen = head;
      return std::nullopt;
    }
    VersionRef base = head;
    uint64_t prev = store.header(base).prev.load(std::memory_order_acquire);
    for (VersionRef older = OlderOf(prev); older != 0 && !IsFrozen(older); older = OlderOf(prev)) {
      base = older;
      prev = store.header(base).prev.load(std::memory_order_acquire);
    }
    if (moved(base)) continue;  // Being frozen: its head is about to say so.
    return IsCopy(prev) && IsSame(seen, prev) ? RowRef{seen.row_id, base} : seen;
  }
}

Result<RowRef> RelationImpl::Thawed(txn::TransactionImpl& txn, const RowRef& seen) {
  for (;;) {
    VersionRef frozen = 0;
    const std::optional<RowRef> found = FindThawed(seen, &frozen);
    if (found) return *found;
    {
      EpochGuard guard(table_->epochs());
      if (EndOf(frozen) != mvcc::kInfinity) return RowRef{seen.row_id, frozen};
    }
    VersionRef fresh = 0;
    OMEN_ASSIGN(const bool thawed, Thaw(txn, seen.row_id, frozen, &fresh));
    if (thawed) return RowRef{seen.row_id, fresh};
  }
}

Result<std::optional<RowResult>> RelationImpl::ThawForChange(StatementContext& context,
                                                             const RowRef& first_seen,
                                                             RowRef* seen) {
  txn::TransactionImpl& txn = TxnOf(context);
  for (;;) {
    OMEN_ASSIGN(*seen, Thawed(txn, first_seen));
    if (!IsFrozen(seen->version)) return std::optional<RowResult>();
    OMEN_ASSIGN(const std::optional<RowResult> outcome,
                Resolve(context, *seen, Judge(txn, *seen), LockWait::kWait));
    if (outcome) return outcome;
  }
}

Result<bool> RelationImpl::Thaw(txn::TransactionImpl& txn, RowId row, VersionRef frozen,
                                VersionRef* fresh) {
  types::Arena arena;
  types::Row values(physical_.size());
  OMEN_TRY(Read({row, frozen}, all_columns_, arena, values.data()));
  rowstore::TableStore& store = table_->store();
  const rowstore::TableStore::SlotRange slot = store.Allocate(layout_);
  if (slot.page == nullptr) return Status(sqlstate::kOutOfMemory, "out of memory");
  slot.page->NoteThawed();
  store.Write(slot, row, frozen, values);
  *fresh = slot.ref();
  // The copy begins when its row did.
  const mvcc::Resolved begin =
      mvcc::ResolveNow(manager_.txns(), txn.id(), BeginOf(frozen), manager_.last_visible());
  OMEN_CHECK(begin.kind == Kind::kOwn || begin.kind == Kind::kCommitted);
  const uint64_t settled = table_->frozen().SegmentOf(frozen).settled().value();
  if (!table_->frozen().Thaw(store, row, frozen, *fresh, begin.word != 0 ? begin.word : settled)) {
    table_->Retire({*fresh});  // Somebody else was faster.
    return false;
  }
  if (begin.kind == Kind::kOwn) {
    UndoRecord undo;
    undo.kind = UndoRecord::Kind::kThaw;
    undo.row = row;
    undo.fresh = *fresh;
    txn.AddUndo(undo, table_);
  }
  return true;
}

Result<RowResult> RelationImpl::Claim(StatementContext& context, const RowRef& first_seen,
                                      RowLockMode mode) {
  txn::TransactionImpl& txn = TxnOf(context);
  rowstore::TableStore& store = table_->store();
  for (;;) {
    RowRef seen;
    OMEN_ASSIGN(const std::optional<RowResult> ended, ThawForChange(context, first_seen, &seen));
    if (ended) return *ended;
    const Judgement found = Judge(txn, seen);
    if (found.kind != Judgement::Kind::kCurrent) {
      OMEN_ASSIGN(const std::optional<RowResult> outcome,
                  Resolve(context, seen, found, LockWait::kWait));
      if (outcome) return *outcome;
      continue;
    }
    rowstore::Page& page = store.page(seen.version);
    std::atomic<uint64_t>& end = page.header(SlotOf(seen.version)).end;
    uint64_t expected = mvcc::kInfinity;
    if (!end.compare_exchange_strong(expected, txn.word(), std::memory_order_seq_cst)) continue;
    page.Touch();
    if (MayChange(txn, seen.row_id, mode)) return RowResult{RowOutcome::kDone, seen};
    end.store(mvcc::kInfinity, std::memory_order_seq_cst);
    page.Touch();
    OMEN_TRY(LockToChange(context, seen.row_id, mode));
  }
}

// Pairs with Lock: it sets the flag, then looks at the end word; we do it the other way round.
bool RelationImpl::MayChange(const txn::TransactionImpl& txn, RowId row, RowLockMode mode) const {
  if ((table_->store().row_word(row, std::memory_order_seq_cst) & kRowLocked) == 0) return true;
  const txn::LockKey key{txn::LockKind::kRow, table_->storage().value(), row.value()};
  return manager_.locks().Compatible(txn.id().value(), key, txn::ModeOf(mode));
}

Status RelationImpl::LockToChange(StatementContext& context, RowId row, RowLockMode mode) {
  OMEN_ASSIGN(const bool held,
              TxnOf(context).LockRow(table_, table_->storage(), row, mode, LockWait::kWait,
                                     WaitOf(context), [] { return true; }));
  OMEN_CHECK(held);
  return Status::Ok();
}

Result<bool> RelationImpl::KeysUnchanged(VersionRef a, VersionRef b) const {
  std::string key_a;
  std::string key_b;
  for (const Access& access : indexes_) {
    if (!access.definition->unique) continue;
    OMEN_TRY(table_->KeyOf(*access.index, a, key_a));
    OMEN_TRY(table_->KeyOf(*access.index, b, key_b));
    if (key_a != key_b) return false;
  }
  return true;
}

Result<std::optional<RowResult>> RelationImpl::LockUnlessMoved(
    StatementContext& context, const RowRef& row, RowLockMode mode, LockWait wait,
    const std::function<bool()>& is_same) {
  bool moved = false;
  OMEN_ASSIGN(const bool held, TxnOf(context).LockRow(table_, table_->storage(), row.row_id, mode,
                                                      wait, WaitOf(context), [&] {
                                                        moved = !is_same();
                                                        return !moved;
                                                      }));
  if (held) return std::optional<RowResult>(RowResult{RowOutcome::kDone, row});
  if (moved) return std::optional<RowResult>();
  if (wait == LockWait::kSkipLocked) {
    return std::optional<RowResult>(RowResult{RowOutcome::kSkipped, {}});
  }
  return RowLocked();
}

Result<RowResult> RelationImpl::Lock(StatementContext& context, const RowRef& first_seen,
                                     RowLockMode mode, LockWait wait) {
  txn::TransactionImpl& txn = TxnOf(context);
  rowstore::TableStore& store = table_->store();
  for (;;) {
    rowstore::VersionRef frozen = 0;
    const std::optional<RowRef> hot = FindThawed(first_seen, &frozen);
    if (!hot) {
      // A frozen row is locked where it lies. Who thaws it keeps the lock flag of its word, and
      // looks at that before changing the copy; a lock that comes later finds another head. Who
      // deletes or replaces it there looks at the flag afterwards; a lock that comes later finds
      // its end.
      const RowRef lying{first_seen.row_id, frozen};
      const Judgement found = Judge(txn, lying);
      if (found.kind != Judgement::Kind::kCurrent) {
        OMEN_ASSIGN(const std::optional<RowResult> outcome, Resolve(context, lying, found, wait));
        if (outcome) return *outcome;
        continue;
      }
      OMEN_ASSIGN(const std::optional<RowResult> outcome,
                  LockUnlessMoved(context, lying, mode, wait, [&] {
                    EpochGuard guard(table_->epochs());
                    return store.head(lying.row_id) == frozen &&
                           EndOf(frozen).load(std::memory_order_seq_cst) == mvcc::kInfinity;
                  }));
      if (outcome) return *outcome;
      continue;
    }
    const RowRef seen = *hot;
    Judgement found = Judge(txn, seen);
    // An update that leaves keys alone does not stand in the way of KEY SHARE.
    if (found.kind == Judgement::Kind::kRunning && mode == RowLockMode::kKeyShare &&
        found.head != seen.version) {
      EpochGuard guard(table_->epochs());
      if (store.head(seen.row_id) == found.head) {
        OMEN_ASSIGN(const bool unchanged, KeysUnchanged(found.head, seen.version));
        if (unchanged) found.kind = Judgement::Kind::kCurrent;
      }
    }
    if (found.kind != Judgement::Kind::kCurrent) {
      OMEN_ASSIGN(const std::optional<RowResult> outcome, Resolve(context, seen, found, wait));
      if (outcome) return *outcome;
      continue;
    }
    OMEN_ASSIGN(const std::optional<RowResult> outcome,
                LockUnlessMoved(context, seen, mode, wait, [&] {
                  EpochGuard in_check(table_->epochs());
                  return store.head(seen.row_id) == found.head &&
                         (found.head != seen.version ||
                          EndOf(seen.version).load(std::memory_order_seq_cst) == mvcc::kInfinity);
                }));
    if (outcome) return *outcome;
  }
}

Result<RowResult> RelationImpl::Update(StatementContext& context, const RowRef& first_seen,
                                       std::span<const types::Value> row) {
  txn::TransactionImpl& txn = TxnOf(context);
  OMEN_TRY(txn.CheckWritable());
  OMEN_TRY(CheckRow(context, row));
  RowRef seen;
  OMEN_ASSIGN(const std::optional<RowResult> ended, ThawForChange(context, first_seen, &seen));
  if (ended) return *ended;
  types::Row old_row;
  ReadWhole(seen.version, old_row);
  bool unique_changed = false;
  bool keys_changed = false;
  for (const Access& access : indexes_) {
    if (access.index->SameKey(old_row, row)) continue;
    if (access.index->is_row_map()) return MoveRow(context, seen, old_row, row);
    keys_changed = true;
    unique_changed = unique_changed || access.index->unique();
  }
  OMEN_ASSIGN(
      const RowResult claimed,
      Claim(context, seen, unique_changed ? RowLockMode::kUpdate : RowLockMode::kNoKeyUpdate));
  if (claimed.outcome != RowOutcome::kDone) return claimed;
  seen = claimed.latest;
  rowstore::TableStore& store = table_->store();
  auto slot = NewVersion(txn, seen.row_id, seen.version, row);
  if (!slot.ok()) {
    store.header(seen.version).end.store(mvcc::kInfinity, std::memory_order_seq_cst);
    return std::move(slot).status();
  }
  const VersionRef fresh = slot->ref();
  if (keys_changed) {
    MutexLock lock(table_->row_stripe(seen.row_id));
    OMEN_CHECK(store.SetHead(seen.row_id, seen.version, fresh));
  } else {
    OMEN_CHECK(store.SetHead(seen.row_id, seen.version, fresh));
  }
  UndoRecord undo;
  undo.kind = UndoRecord::Kind::kUpdate;
  undo.keys_changed = keys_changed;
  undo.row = seen.row_id;
  undo.fresh = fresh;
  undo.old = seen.version;
  txn.AddUndo(undo, table_);
  if (keys_changed) OMEN_TRY(EnterEntries(context, seen.row_id, row, old_row));
  for (size_t i = 0; i < row.size(); ++i) sketches_[i]->Add(row[i]);
  if (table_->logged()) {
    AppendPut(table_->storage(), seen.row_id, physical_, row, txn.redo());
    OMEN_TRY(txn.MaybeSpill());
  }
  const RowRef updated{seen.row_id, fresh};
  if (ConcernsForeignKeys(context)) {
    EngineTransaction::Of(txn).foreign_keys().OnUpdate(context, *definition_, updated, old_row,
                                                       row);
  }
  return RowResult{RowOutcome::kDone, updated};
}

// A new primary key makes another row.
Result<RowResult> RelationImpl::MoveRow(StatementContext& context, const RowRef& seen,
                                        std::span<const types::Value> old_row,
                                        std::span<const types::Value> row) {
  txn::TransactionImpl& txn = TxnOf(context);
  OMEN_ASSIGN(const RowResult claimed, Claim(context, seen, RowLockMode::kUpdate));
  if (claimed.outcome != RowOutcome::kDone) return claimed;
  OMEN_TRY(DeleteClaimed(txn, claimed.latest));
  Conflict conflict;
  OMEN_ASSIGN(const RowRef inserted, TryInsert(context, row, &conflict));
  if (conflict.access != nullptr) {
    return DuplicateKey(context, *conflict.access->definition, row);
  }
  for (size_t i = 0; i < row.size(); ++i) sketches_[i]->Add(row[i]);
  if (table_->logged()) {
    AppendPut(table_->storage(), inserted.row_id, physical_, row, txn.redo());
    OMEN_TRY(txn.MaybeSpill());
  }
  if (ConcernsForeignKeys(context)) {
    EngineTransaction::Of(txn).foreign_keys().OnMove(context, *definition_, inserted, old_row, row);
  }
  return RowResult{RowOutcome::kDone, inserted};
}

}  // namespace omendb::engine
