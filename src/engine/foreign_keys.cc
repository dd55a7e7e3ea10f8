#include "engine/foreign_keys.h"

#include <algorithm>

#include "catalog/column_ids.h"
#include "engine/foreign_key_check.h"

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
  QueueReplaced(context, table, old_values, new_values);
}

void ForeignKeyQueue::OnMove(const StatementContext& context, const TableDef& table,
                             const RowRef& row, std::span<const Value> old_values,
                             std::span<const Value> new_values) {
  if (empty()) return OnUpdate(context, table, row, old_values, new_values);
  OnInsert(context, table, row, new_values);
  QueueReplaced(context, table, old_values, new_values);
}

void ForeignKeyQueue::QueueReplaced(const StatementContext& context, const TableDef& table,
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
  context.txn->PushLatestSnapshot();
  ++lookups_;
  Running running{database, context, at_commit, {}};
  Status result;
  // Actions append events while they are read.
  ForeignKeyLog::Reader reader(log_);
  if (put_off_ && !at_commit) {
    reader = put_off_->read;
    running.kept = put_off_->some;
  }
  Window window;
  while (result.ok() && Fill(reader, window)) result = RunWindow(running, window);
  context.txn->PopSnapshot();
  // What is older than a mark is due again when that is gone back to.
  put_off_.reset();
  if (!result.ok()) return result;
  if (running.kept || (!at_commit && marked_ > log_.begin())) {
    put_off_ = PutOff{std::move(reader), running.kept};
  } else {
    log_.Clear();
    done_.clear();
    checked_late_.clear();
  }
  return result;
}

Status ForeignKeyQueue::RunWindow(Running& running, Window& window) {
  const CancelFlag* const cancel = running.context.cancel;
  for (size_t i = 0; i < window.size(); ++i) {
    if (cancel != nullptr && cancel->set()) return cancel->ToStatus();
    if (window[i].done) continue;
    Resolve(running.context, window[i].event, running.resolved);
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

Status ForeignKeyQueue::RunEvent(Running& running, Window& window, size_t i) {
  const Resolved& resolved = running.resolved;
  ForeignKeyCheck check{running.database, running.context, *resolved.constraint, resolved.referring,
                        resolved.referenced};
  check.acted = running.acted;
  Pending& pending = window[i];
  const ForeignKeyLog::Event& event = pending.event;
  Status result;
  if (event.subject.kind == Kind::kReferring) {
    if (pending.lookup != lookups_) OMEN_TRY(LookAhead(check, window, i));
    SetDone(pending);
    result = check.CheckReferring(event.row, event.key, pending.ahead);
  } else {
    result = RunGone(check, window, i);
  }
  running.acted = check.acted;
  if (check.snapshot_renewed) ++lookups_;
  return result;
}

// They are judged together, before those of other constraints that come in between: one scan may
// find the rows of all, and a row that several actions change is looked for again more rarely.
Status ForeignKeyQueue::RunGone(ForeignKeyCheck& check, Window& window, size_t first) {
  std::vector<Pending*> events;
  std::vector<Value> keys;
  for (size_t i = first; i < window.size(); ++i) {
    Pending& pending = window[i];
    const ForeignKeyLog::Subject& subject = pending.event.subject;
    if (pending.done || subject.kind == Kind::kReferring ||
        subject.constraint != window[first].event.subject.constraint) {
      continue;
    }
    events.push_back(&pending);
    keys.insert(keys.end(), pending.event.key.begin(), pending.event.key.end());
  }
  std::vector<std::vector<RowRef>> referring(events.size());
  const bool scans = check.ScansForReferring();
  if (scans) OMEN_TRY(check.FindReferring(keys, referring));
  for (size_t i = 0; i < events.size(); ++i) {
    SetDone(*events[i]);
    const ForeignKeyLog::Event& event = events[i]->event;
    OMEN_TRY(check.ReferencedGone(event.key, event.new_key, scans ? &referring[i] : nullptr));
  }
  return Status::Ok();
}

Status ForeignKeyQueue::LookAhead(ForeignKeyCheck& check, Window& window, size_t first) const {
  std::vector<Pending*> found_for;
  std::vector<Value> keys;
  const size_t end = std::min(window.size(), first + kLookAheadMax);
  for (size_t i = first; i < end && window[i].event.subject.kind == Kind::kReferring; ++i) {
    Pending& pending = window[i];
    if (pending.event.subject.constraint != window[first].event.subject.constraint) continue;
    pending.lookup = lookups_;
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
