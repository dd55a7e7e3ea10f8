#include "engine/foreign_keys.h"

#include <algorithm>
#include <set>

#include "catalog/column_ids.h"
#include "engine/foreign_key_check.h"
#include "engine/foreign_key_run.h"
#include "types/key_encoding.h"

namespace omendb::engine {
namespace {

using catalog::ConstraintDef;
using catalog::ConstraintKind;
using catalog::TableDef;
using types::Value;
using Kind = ForeignKeyLog::Kind;

// Events that are read at once: a scan for referring rows is for so many keys.
constexpr size_t kWindow = 32768;
// Events among which rows to look up together are sought.
constexpr size_t kLookAheadMax = 128;

bool SameKey(const TableDef& table, const std::vector<ColumnId>& columns, std::span<const Value> a,
             std::span<const Value> b) {
  for (const ColumnId column : columns) {
    const Value& x = a[column.value() - 1];
    const Value& y = b[column.value() - 1];
    if (x.is_null != y.is_null) return false;
    if (!x.is_null && types::Compare(table.column(column).type, x, y) != 0) return false;
  }
  return true;
}

}  // namespace

void ForeignKeyQueue::Queue(const ForeignKeyLog::Subject& subject, const TableDef& table,
                            const std::vector<ColumnId>& columns, const RowRef& row,
                            std::span<const Value> values, std::span<const Value> new_values) {
  types_.clear();
  key_.clear();
  new_key_.clear();
  for (const ColumnId column : columns) {
    const auto at = static_cast<size_t>(column.value() - 1);
    types_.push_back(types::PhysicalTypeOf(table.column(column).type));
    key_.push_back(values[at]);
    if (!new_values.empty()) new_key_.push_back(new_values[at]);
  }
  log_.Append(subject, types_, row, key_, new_key_);
}

bool ForeignKeyQueue::Concerns(const StatementContext& context, const TableDef& table) {
  for (const ConstraintDef& constraint : table.constraints) {
    if (constraint.kind == ConstraintKind::kForeignKey) return true;
  }
  return !context.catalog->ReferencesTo(table.oid).empty();
}

std::vector<ColumnId> ForeignKeyQueue::ReferencedColumns(const StatementContext& context,
                                                         const TableDef& table) {
  std::vector<ColumnId> columns;
  for (const auto& [referring, constraint] : context.catalog->ReferencesTo(table.oid)) {
    for (const ColumnId column : constraint->referenced_columns) {
      if (!catalog::Contains(columns, column)) columns.push_back(column);
    }
  }
  return columns;
}

void ForeignKeyQueue::OnInsert(const StatementContext& /*context*/, const TableDef& table,
                               const RowRef& row, std::span<const Value> values) {
  if (paused_) return;
  for (const ConstraintDef& constraint : table.constraints) {
    if (constraint.kind != ConstraintKind::kForeignKey) continue;
    Queue({Kind::kReferring, constraint.oid, table.oid, constraint.referenced_table}, table,
          constraint.columns, row, values, {});
  }
}

void ForeignKeyQueue::OnUpdate(const StatementContext& context, const TableDef& table,
                               const RowRef& row, std::span<const Value> old_values,
                               std::span<const Value> new_values) {
  for (const ConstraintDef& constraint : table.constraints) {
    if (constraint.kind != ConstraintKind::kForeignKey) continue;
    if (SameKey(table, constraint.columns, old_values, new_values)) continue;
    Queue({Kind::kReferring, constraint.oid, table.oid, constraint.referenced_table}, table,
          constraint.columns, row, new_values, {});
  }
  OnReplaced(context, table, old_values, new_values);
}

void ForeignKeyQueue::OnMove(const StatementContext& context, const TableDef& table,
                             const RowRef& row, std::span<const Value> old_values,
                             std::span<const Value> new_values) {
  if (!waits_) return OnUpdate(context, table, row, old_values, new_values);
  OnInsert(context, table, row, new_values);
  OnReplaced(context, table, old_values, new_values);
}

void ForeignKeyQueue::OnReplaced(const StatementContext& context, const TableDef& table,
                                 std::span<const Value> old_values,
                                 std::span<const Value> new_values) {
  for (const auto& [referring, constraint] : context.catalog->ReferencesTo(table.oid)) {
    if (SameKey(table, constraint->referenced_columns, old_values, new_values)) continue;
    Queue({Kind::kReplaced, constraint->oid, referring->oid, table.oid}, table,
          constraint->referenced_columns, {}, old_values, new_values);
  }
}

void ForeignKeyQueue::OnDelete(const StatementContext& context, const TableDef& table,
                               std::span<const Value> old_values) {
  for (const auto& [referring, constraint] : context.catalog->ReferencesTo(table.oid)) {
    Queue({Kind::kDeleted, constraint->oid, referring->oid, table.oid}, table,
          constraint->referenced_columns, {}, old_values, {});
  }
}

bool ForeignKeyQueue::Deferred(const ConstraintDef& constraint) const {
  if (!constraint.deferrable) return false;
  auto it = deferred_.find(constraint.oid);
  if (it != deferred_.end()) return it->second;
  return all_deferred_.value_or(constraint.initially_deferred);
}

void ForeignKeyQueue::SetDeferred(const std::vector<Oid>& constraints, bool deferred) {
  put_off_.reset();
  if (constraints.empty()) {
    deferred_.clear();
    all_deferred_ = deferred;
    return;
  }
  for (const Oid constraint : constraints) deferred_[constraint] = deferred;
}

ForeignKeyQueue::Mark ForeignKeyQueue::SetMark() {
  marked_ = log_.end();
  return {marked_, checked_late_.size(), deferred_, all_deferred_};
}

void ForeignKeyQueue::RollbackTo(const Mark& mark) {
  put_off_.reset();
  log_.Truncate(mark.events);
  marked_ = std::min(marked_, log_.end());
  while (checked_late_.size() > mark.checked_late) {
    const uint64_t number = checked_late_.back();
    if (number >= log_.begin() && number < log_.end()) done_[number - log_.begin()] = false;
    checked_late_.pop_back();
  }
  if (done_.size() > log_.size()) done_.resize(log_.size());
  waits_ = !log_.empty();
  deferred_ = mark.deferred;
  all_deferred_ = mark.all_deferred;
}

// What is done about a key that went away is never put off, only checks are.
bool ForeignKeyQueue::MayWait(const ForeignKeyLog::Event& event,
                              const ConstraintDef& constraint) const {
  if (!Deferred(constraint)) return false;
  switch (event.subject.kind) {
    case Kind::kReferring:
      break;
    case Kind::kDeleted:
      return constraint.on_delete == catalog::ReferentialAction::kNoAction;
    case Kind::kReplaced:
      return constraint.on_update == catalog::ReferentialAction::kNoAction;
  }
  return true;
}

void ForeignKeyQueue::Resolve(const StatementContext& context, const ForeignKeyLog::Event& event,
                              Resolved& resolved) {
  if (resolved.of == event.subject.constraint) return;
  resolved = {};
  resolved.of = event.subject.constraint;
  resolved.referring = context.catalog->table(event.subject.referring_table);
  resolved.referenced = context.catalog->table(event.subject.referenced_table);
  if (resolved.referring == nullptr || resolved.referenced == nullptr) return;
  for (const ConstraintDef& constraint : resolved.referring->constraints) {
    if (constraint.oid == resolved.of) resolved.constraint = &constraint;
  }
}

void ForeignKeyQueue::SetDone(Pending& pending) {
  pending.done = true;
  const uint64_t at = pending.number - log_.begin();
  if (done_.size() <= at) done_.resize(at + 1);
  done_[at] = true;
  if (pending.number < marked_) checked_late_.push_back(pending.number);
}

bool ForeignKeyQueue::Fill(ForeignKeyLog::Reader& reader, Window& window) const {
  window.clear();
  Pending pending;
  while (window.size() < kWindow) {
    const uint64_t at = reader.number() - log_.begin();
    pending.number = reader.number();
    if (!reader.Next(pending.event)) break;
    if (at >= done_.size() || !done_[at]) window.push_back(pending);
  }
  return !window.empty();
}

Status ForeignKeyQueue::Run(Database& database, StatementContext& context, bool at_commit) {
  if (log_.empty()) return Status::Ok();
  // Actions append events while they are read.
  ForeignKeyLog::Reader reader(log_);
  bool kept = false;
  if (put_off_ && !at_commit) {
    reader = put_off_->read;
    kept = put_off_->some;
  }
  put_off_.reset();
  waits_ = true;
  OMEN_TRY(RunAll(database, context, at_commit, reader, kept));
  waits_ = kept;
  // What is older than a mark is due again when that is gone back to.
  if (kept || (!at_commit && marked_ > log_.begin())) {
    put_off_ = PutOff{std::move(reader), kept};
  } else {
    log_.Clear();
    done_.clear();
    checked_late_.clear();
  }
  return Status::Ok();
}

Status ForeignKeyQueue::RunAll(Database& database, StatementContext& context, bool at_commit,
                               ForeignKeyLog::Reader& reader, bool& kept) {
  ForeignKeyRun run(database, context);
  Running running{run, at_commit, log_.end()};
  running.kept = kept;
  Window window;
  do {
    while (Fill(reader, window)) OMEN_TRY(RunWindow(running, window));
    OMEN_TRY(run.FinishUpdates());
  } while (reader.number() != log_.end());
  kept = running.kept;
  return Status::Ok();
}

Status ForeignKeyQueue::RunWindow(Running& running, Window& window) {
  StatementContext& context = running.run.context();
  for (size_t i = 0; i < window.size(); ++i) {
    if (context.cancel != nullptr && context.cancel->set()) return context.cancel->ToStatus();
    if (window[i].done) continue;
    Resolve(context, window[i].event, running.resolved);
    NoteTarget(running, window[i]);
    const ConstraintDef* const constraint = running.resolved.constraint;
    if (constraint == nullptr) {  // It was dropped in this transaction.
      SetDone(window[i]);
    } else if (!running.at_commit && MayWait(window[i].event, *constraint)) {
      running.kept = true;
    } else {
      OMEN_TRY(RunEvent(running, window, i));
    }
  }
  return Status::Ok();
}

void ForeignKeyQueue::NoteTarget(Running& running, const Pending& pending) {
  if (pending.number >= running.acts_from) return;
  const ForeignKeyLog::Subject& subject = pending.event.subject;
  running.run.NoteTarget(subject.kind == Kind::kReferring ? subject.referring_table
                                                          : subject.referenced_table);
}

Status ForeignKeyQueue::RunEvent(Running& running, Window& window, size_t i) {
  const Resolved& resolved = running.resolved;
  ForeignKeyRun& run = running.run;
  ForeignKeyCheck check{run, *resolved.constraint, resolved.referring, resolved.referenced};
  Pending& pending = window[i];
  const ForeignKeyLog::Event& event = pending.event;
  if (event.subject.kind != Kind::kReferring) return RunGone(running, check, window, i);
  OMEN_TRY(run.FinishUpdates());
  if (pending.snapshot != run.snapshots()) OMEN_TRY(LookAhead(check, window, i));
  SetDone(pending);
  return check.CheckReferring(event.row, event.key, pending.ahead);
}

// They are judged together, before those of other constraints that come in between: one scan may
// find the rows of all. What another constraint has done to rows is to be seen before; and where
// actions change keys one after the other, a key that one of the rows has got is another batch.
Status ForeignKeyQueue::RunGone(Running& running, ForeignKeyCheck& check, Window& window,
                                size_t first) {
  ForeignKeyRun& run = running.run;
  const Oid but_by = MayChain(running, window[first]) ? Oid() : check.constraint.oid;
  if (run.HasChanged(check.referring->oid, but_by)) OMEN_TRY(run.RenewSnapshot());
  const std::vector<Pending*> events = GoneTogether(running, window, first);
  std::vector<ForeignKeyCheck::Found> referring(events.size());
  const bool scans = check.ScansForReferring();
  if (scans) {
    std::vector<Value> keys;
    for (const Pending* const pending : events) {
      keys.insert(keys.end(), pending->event.key.begin(), pending->event.key.end());
    }
    OMEN_TRY(check.FindReferring(keys, referring));
  }
  for (size_t i = 0; i < events.size(); ++i) {
    SetDone(*events[i]);
    const ForeignKeyLog::Event& event = events[i]->event;
    OMEN_TRY(check.ReferencedGone(event.key, event.new_key, scans ? &referring[i] : nullptr));
  }
  return Status::Ok();
}

// Within one statement, a row's key is free only when who had it has another. So a key goes from
// row to row in one run only where rows are changed twice.
bool ForeignKeyQueue::MayChain(const Running& running, const Pending& pending) {
  return pending.number >= running.acts_from && pending.event.subject.kind == Kind::kReplaced &&
         running.run.ChangesTwice(pending.event.subject.referenced_table);
}

std::vector<ForeignKeyQueue::Pending*> ForeignKeyQueue::GoneTogether(const Running& running,
                                                                     Window& window, size_t first) {
  std::vector<Pending*> events;
  std::set<std::string> new_keys;
  const Resolved& resolved = running.resolved;
  for (size_t i = first; i < window.size(); ++i) {
    Pending& pending = window[i];
    const ForeignKeyLog::Event& event = pending.event;
    if (pending.done || event.subject.kind == Kind::kReferring ||
        event.subject.constraint != resolved.of) {
      continue;
    }
    if (MayChain(running, pending)) {
      if (new_keys.contains(Encoded(resolved, event.key))) break;
      new_keys.insert(Encoded(resolved, event.new_key));
    }
    events.push_back(&pending);
  }
  return events;
}

std::string ForeignKeyQueue::Encoded(const Resolved& resolved, std::span<const Value> key) {
  std::string encoded;
  for (size_t i = 0; i < key.size(); ++i) {
    const ColumnId column = resolved.constraint->referenced_columns[i];
    types::AppendKey(resolved.referenced->column(column).type, key[i], {}, encoded);
  }
  return encoded;
}

Status ForeignKeyQueue::LookAhead(ForeignKeyCheck& check, Window& window, size_t first) {
  std::vector<Pending*> found_for;
  std::vector<Value> keys;
  const size_t end = std::min(window.size(), first + kLookAheadMax);
  for (size_t i = first; i < end && window[i].event.subject.kind == Kind::kReferring; ++i) {
    Pending& pending = window[i];
    if (pending.event.subject.constraint != window[first].event.subject.constraint) continue;
    pending.snapshot = check.run.snapshots();
    pending.ahead.reset();
    found_for.push_back(&pending);
    keys.insert(keys.end(), pending.event.key.begin(), pending.event.key.end());
  }
  if (found_for.size() < 2) return Status::Ok();
  std::vector<std::optional<RowRef>> found(found_for.size());
  OMEN_TRY(check.FindReferenced(keys, found));
  for (size_t i = 0; i < found.size(); ++i) found_for[i]->ahead = found[i];
  return Status::Ok();
}

}  // namespace omendb::engine
