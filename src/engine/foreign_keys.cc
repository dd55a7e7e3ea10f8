#include "engine/foreign_keys.h"

#include <algorithm>

#include "engine/foreign_key_check.h"

namespace omendb::engine {
namespace {

using catalog::ConstraintDef;
using catalog::ConstraintKind;
using catalog::TableDef;
using types::Value;

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

std::vector<Value> ForeignKeyQueue::CopyKey(const TableDef& table,
                                            const std::vector<ColumnId>& columns,
                                            std::span<const Value> row) {
  std::vector<Value> key;
  for (const ColumnId column : columns) {
    const Value& value = row[column.value() - 1];
    key.push_back(
        value.is_null
            ? value
            : types::CopyTo(arena_, types::PhysicalTypeOf(table.column(column).type), value));
  }
  return key;
}

bool ForeignKeyQueue::Concerns(const StatementContext& context, const TableDef& table) {
  for (const ConstraintDef& constraint : table.constraints) {
    if (constraint.kind == ConstraintKind::kForeignKey) return true;
  }
  return !context.catalog->ReferencesTo(table.oid).empty();
}

void ForeignKeyQueue::OnInsert(const StatementContext& /*context*/, const TableDef& table,
                               const RowRef& row, std::span<const Value> values) {
  for (const ConstraintDef& constraint : table.constraints) {
    if (constraint.kind != ConstraintKind::kForeignKey) continue;
    Event event;
    event.constraint = constraint.oid;
    event.referring_table = table.oid;
    event.referenced_table = constraint.referenced_table;
    event.row = row;
    event.key = CopyKey(table, constraint.columns, values);
    events_.push_back(std::move(event));
  }
}

void ForeignKeyQueue::OnUpdate(const StatementContext& context, const TableDef& table,
                               const RowRef& row, std::span<const Value> old_values,
                               std::span<const Value> new_values) {
  for (const ConstraintDef& constraint : table.constraints) {
    if (constraint.kind != ConstraintKind::kForeignKey) continue;
    if (SameKey(table, constraint.columns, old_values, new_values)) continue;
    Event event;
    event.constraint = constraint.oid;
    event.referring_table = table.oid;
    event.referenced_table = constraint.referenced_table;
    event.row = row;
    event.key = CopyKey(table, constraint.columns, new_values);
    events_.push_back(std::move(event));
  }
  for (const auto& [referring, constraint] : context.catalog->ReferencesTo(table.oid)) {
    if (SameKey(table, constraint->referenced_columns, old_values, new_values)) continue;
    Event event;
    event.referencing = false;
    event.constraint = constraint->oid;
    event.referring_table = referring->oid;
    event.referenced_table = table.oid;
    event.key = CopyKey(table, constraint->referenced_columns, old_values);
    event.new_key = CopyKey(table, constraint->referenced_columns, new_values);
    events_.push_back(std::move(event));
  }
}

void ForeignKeyQueue::OnDelete(const StatementContext& context, const TableDef& table,
                               std::span<const Value> old_values) {
  for (const auto& [referring, constraint] : context.catalog->ReferencesTo(table.oid)) {
    Event event;
    event.referencing = false;
    event.constraint = constraint->oid;
    event.referring_table = referring->oid;
    event.referenced_table = table.oid;
    event.key = CopyKey(table, constraint->referenced_columns, old_values);
    events_.push_back(std::move(event));
  }
}

bool ForeignKeyQueue::Deferred(const ConstraintDef& constraint) const {
  if (!constraint.deferrable) return false;
  auto it = deferred_.find(constraint.oid);
  if (it != deferred_.end()) return it->second;
  return all_deferred_.value_or(constraint.initially_deferred);
}

void ForeignKeyQueue::SetDeferred(const std::vector<Oid>& constraints, bool deferred) {
  if (constraints.empty()) {
    deferred_.clear();
    all_deferred_ = deferred;
    return;
  }
  for (const Oid constraint : constraints) deferred_[constraint] = deferred;
}

void ForeignKeyQueue::RollbackTo(size_t mark) {
  if (mark < events_.size()) events_.resize(mark);
}

bool ForeignKeyQueue::Resolve(const StatementContext& context, const Event& event,
                              Resolved& resolved) {
  resolved.referring = context.catalog->table(event.referring_table);
  resolved.referenced = context.catalog->table(event.referenced_table);
  if (resolved.referring == nullptr || resolved.referenced == nullptr) return false;
  for (const ConstraintDef& constraint : resolved.referring->constraints) {
    if (constraint.oid == event.constraint) resolved.constraint = &constraint;
  }
  return resolved.constraint != nullptr;  // Else it was dropped in this transaction.
}

Status ForeignKeyQueue::Run(Database& database, StatementContext& context, bool at_commit) {
  if (events_.empty()) return Status::Ok();
  context.txn->PushLatestSnapshot();
  ++lookups_;
  Status result;
  bool kept = false;
  // Actions append events while this loop runs; an index stays valid where an iterator would not.
  for (size_t i = 0; i < events_.size() && result.ok(); ++i) {
    if (events_[i].done) continue;
    Resolved resolved;
    if (!Resolve(context, events_[i], resolved)) {
      events_[i].done = true;
      continue;
    }
    if (!at_commit && Deferred(*resolved.constraint)) {
      kept = true;
      continue;
    }
    events_[i].done = true;
    result = RunEvent(database, context, i, resolved);
  }
  context.txn->PopSnapshot();
  if (result.ok() && !kept) {
    events_.clear();
    arena_.Reset();
  }
  return result;
}

Status ForeignKeyQueue::LookAhead(ForeignKeyCheck& check, size_t first) {
  std::vector<size_t> found_for;
  std::vector<Value> keys;
  const size_t end = std::min(events_.size(), first + kLookAheadMax);
  for (size_t i = first; i < end && events_[i].referencing; ++i) {
    Event& event = events_[i];
    if (event.constraint != events_[first].constraint) continue;
    event.lookup = lookups_;
    event.ahead.reset();
    found_for.push_back(i);
    keys.insert(keys.end(), event.key.begin(), event.key.end());
  }
  if (found_for.size() < 2) return Status::Ok();
  std::vector<std::optional<RowRef>> found(found_for.size());
  OMEN_TRY(check.FindReferenced(keys, found));
  for (size_t i = 0; i < found.size(); ++i) events_[found_for[i]].ahead = found[i];
  return Status::Ok();
}

Status ForeignKeyQueue::RunEvent(Database& database, StatementContext& context, size_t i,
                                 const Resolved& resolved) {
  ForeignKeyCheck check{database, context, *resolved.constraint, resolved.referring,
                        resolved.referenced};
  if (events_[i].referencing && events_[i].lookup != lookups_) OMEN_TRY(LookAhead(check, i));
  const Event event = events_[i];  // Actions queue events, which moves them all.
  Status result = event.referencing ? check.CheckReferring(event.row, event.key, event.ahead)
                                    : check.ReferencedGone(event.key, event.new_key);
  if (check.snapshot_renewed) ++lookups_;
  return result;
}

}  // namespace omendb::engine
