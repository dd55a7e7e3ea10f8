#include "engine/foreign_key_run.h"

#include <algorithm>

#include "base/sqlstate.h"
#include "engine/foreign_key_check.h"

namespace omendb::engine {

namespace {

// So many gathered rows are a segment: there may be a batch of each constraint for the keys that
// are judged together.
constexpr uint32_t kRowsMin = 2048;

void CopyInto(std::span<const types::PhysicalType> types, types::Row& row, types::Arena& arena) {
  for (size_t i = 0; i < row.size(); ++i) {
    if (types[i] != types::PhysicalType::kString || row[i].is_null) continue;
    row[i] = types::Value::String(arena.Copy(row[i].str()));
  }
}

}  // namespace

std::atomic<uint64_t> ForeignKeyRun::one_by_one{kOneByOne};

ForeignKeyRun::ForeignKeyRun(Database& database, StatementContext& context)
    : database_(database), context_(context) {
  context_.txn->PushLatestSnapshot();
}

ForeignKeyRun::~ForeignKeyRun() {
  updates_.reset();
  context_.txn->PopSnapshot();
}

Status ForeignKeyRun::RenewSnapshot() {
  OMEN_TRY(FinishUpdates());
  context_.txn->PopSnapshot();
  context_.txn->PushLatestSnapshot();
  ++snapshots_;
  changed_.clear();
  return Status::Ok();
}

bool ForeignKeyRun::HasChanged(Oid table, Oid but_by) const {
  return std::any_of(changed_.begin(), changed_.end(), [&](const auto& change) {
    return change.first == table && change.second != but_by;
  });
}

void ForeignKeyRun::NoteChange(Oid table, Oid constraint) {
  const std::pair change(table, constraint);
  for (Changes* const changes : {&changed_, &all_changes_}) {
    if (std::find(changes->begin(), changes->end(), change) == changes->end()) {
      changes->push_back(change);
    }
  }
}

bool ForeignKeyRun::ChangesTwice(Oid table) const {
  const auto changes = std::count_if(all_changes_.begin(), all_changes_.end(),
                                     [&](const auto& change) { return change.first == table; });
  return changes + (targets_.contains(table) ? 1 : 0) > 1;
}

Result<RowExpressions*> ForeignKeyRun::ExpressionsOf(const catalog::TableDef& table) {
  std::unique_ptr<RowExpressions>& opened = expressions_[table.oid];
  if (opened == nullptr) {
    if (context_.column_expressions == nullptr) {
      return NotSupported("an action that computes columns, outside a session");
    }
    OMEN_ASSIGN(opened, context_.column_expressions->Open(table));
  }
  return opened.get();
}

void ForeignKeyRun::StartUpdates(const ForeignKeyCheck& check) {
  check_ = std::make_unique<ForeignKeyCheck>(check);
  updating_ = check.constraint.oid;
  std::vector<ColumnId> changed = check.constraint.columns;
  for (const catalog::ColumnDef& column : check.referring->columns) {
    if (!column.generated_sql.empty()) changed.push_back(column.id);
  }
  BulkUpdate::Limits limits;
  limits.rows_min = kRowsMin;
  limits.rest_min = kRowsMin;
  updates_ = std::make_unique<BulkUpdate>(context_, database_.OpenRelation(check.referring),
                                          changed, limits);
  updates_->set_on_conflict(
      [this](const RowRef& seen, const RowResult& found, std::span<const types::Value> row) {
        return UpdateAgain(*check_, seen, found, row);
      });
}

Result<RowResult> ForeignKeyRun::Update(const ForeignKeyCheck& check, const RowRef& seen,
                                        std::span<const types::Value> row) {
  if (updating_ != check.constraint.oid) OMEN_TRY(FinishUpdates());
  if (updates_ == nullptr && ++updated_ > one_by_one.load(std::memory_order_relaxed)) {
    StartUpdates(check);
  }
  // What is newer than the snapshot is pinned only until something else is.
  if (updates_ != nullptr && !updates_->Sees(seen)) OMEN_TRY(FinishUpdates());
  if (updates_ == nullptr) {
    return database_.OpenRelation(check.referring)->Update(context_, seen, row);
  }
  return updates_->Update(seen, row);
}

Result<RowOutcome> ForeignKeyRun::UpdateAgain(ForeignKeyCheck& check, const RowRef& seen,
                                              RowResult found, std::span<const types::Value> row) {
  const std::vector<ColumnId>& columns = check.constraint.columns;
  const auto relation = database_.OpenRelation(check.referring);
  types::Arena arena;
  types::Row key(columns.size());
  OMEN_TRY(relation->Read(seen, columns, arena, key.data()));
  types::Row values;
  for (const ColumnId column : columns) values.push_back(row[column.value() - 1]);
  while (found.outcome == RowOutcome::kChanged) {
    const RowRef newest = found.latest;
    OMEN_ASSIGN(const bool refers, check.ValuesAre(newest, columns, key));
    if (!refers) return RowOutcome::kDone;
    types::Arena assigned;
    OMEN_ASSIGN(const types::Row whole, check.WithValues(newest, columns, values, assigned));
    OMEN_ASSIGN(found, relation->Update(context_, newest, whole));
  }
  if (found.outcome == RowOutcome::kGone) {
    std::vector<types::PhysicalType> types;
    for (const ColumnId column : columns) {
      types.push_back(types::PhysicalTypeOf(check.referring->column(column).type));
    }
    CopyInto(types, key, vanished_arena_);
    CopyInto(types, values, vanished_arena_);
    vanished_.push_back({std::move(key), std::move(values)});
  }
  return RowOutcome::kDone;
}

Status ForeignKeyRun::FinishUpdates() {
  if (updates_ == nullptr) return Status::Ok();
  const std::unique_ptr<BulkUpdate> updates = std::move(updates_);
  OMEN_ASSIGN(const RowOutcome outcome, updates->Finish());
  if (outcome != RowOutcome::kDone) {
    return Status(sqlstate::kInternalError, "a referring row was changed twice");
  }
  const std::unique_ptr<ForeignKeyCheck> check = std::move(check_);
  const std::vector<Vanished> vanished = std::exchange(vanished_, {});
  for (const auto& [key, values] : vanished) OMEN_TRY(check->UpdateReferringTo(key, values));
  return Status::Ok();
}

}  // namespace omendb::engine
