#include "engine/foreign_key_check.h"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "base/sqlstate.h"
#include "catalog/column_ids.h"
#include "types/casts.h"
#include "types/key_encoding.h"
#include "types/text_io.h"

namespace omendb::engine {
namespace {

using catalog::ConstraintKind;
using catalog::IndexDef;
using catalog::ReferentialAction;
using catalog::TableDef;
using types::Value;

bool AnyNull(std::span<const Value> key) {
  return std::any_of(key.begin(), key.end(), [](const Value& v) { return v.is_null; });
}
bool AllNull(std::span<const Value> key) {
  return std::all_of(key.begin(), key.end(), [](const Value& v) { return v.is_null; });
}

// An index whose first keys are exactly the constraint's columns, in any order.
const IndexDef* IndexOn(const TableDef& table, const std::vector<ColumnId>& columns) {
  for (const IndexDef& index : table.indexes) {
    if (index.keys.size() < columns.size()) continue;
    const bool covers = std::all_of(
        index.keys.begin(), index.keys.begin() + static_cast<ptrdiff_t>(columns.size()),
        [&](const catalog::IndexKey& key) { return catalog::Contains(columns, key.column); });
    if (covers) return &index;
  }
  return nullptr;
}

struct KeySide {
  const TableDef& table;
  const std::vector<ColumnId>& columns;
  const types::SqlType& type(size_t i) const { return table.column(columns[i]).type; }
};

bool IsInteger(const types::SqlType& type) {
  return !type.is_array &&
         (type.kind == types::TypeKind::kInt2 || type.kind == types::TypeKind::kInt4 ||
          type.kind == types::TypeKind::kInt8);
}

// Whether `cast` is the same value: 1.5 is no integer, a time of the day no date.
bool IsExact(const types::SqlType& from, const types::SqlType& to, const Value& value,
             const Value& cast, types::Arena& arena) {
  if (IsInteger(from) && IsInteger(to)) return true;
  const auto back =
      types::CastValue(to, from, cast, arena, types::CastContext::kExplicit, types::IoSettings{});
  return back.ok() && !back->is_null && types::Compare(from, *back, value) == 0;
}

// False: the other side cannot hold such a value.
bool CastKey(const KeySide& from, const KeySide& to, std::span<Value> key, types::Arena& arena) {
  const types::IoSettings settings;
  for (size_t i = 0; i < key.size(); ++i) {
    if (from.type(i) == to.type(i) || key[i].is_null) continue;
    auto cast = types::CastValue(from.type(i), to.type(i), key[i], arena,
                                 types::CastContext::kExplicit, settings);
    if (!cast.ok() || !IsExact(from.type(i), to.type(i), key[i], *cast, arena)) return false;
    key[i] = *cast;
  }
  return true;
}

std::string SchemaName(const StatementContext& context, const TableDef& table) {
  const catalog::SchemaDef* schema = context.catalog->schema(table.schema);
  return schema != nullptr ? schema->name : std::string();
}

}  // namespace

std::shared_ptr<Relation> ForeignKeyCheck::OpenReferring() const {
  return run.database().OpenRelation(referring);
}

std::vector<Value> ForeignKeyCheck::InIndexOrder(const IndexDef& index,
                                                 const std::vector<ColumnId>& columns,
                                                 std::span<const Value> key) const {
  std::vector<Value> ordered;
  for (size_t i = 0; i < columns.size(); ++i) {
    const auto at = std::find(columns.begin(), columns.end(), index.keys[i].column);
    ordered.push_back(key[static_cast<size_t>(at - columns.begin())]);
  }
  return ordered;
}

std::string ForeignKeyCheck::KeyText(const TableDef& table, const std::vector<ColumnId>& columns,
                                     std::span<const Value> key) const {
  const types::IoSettings defaults;
  const types::IoSettings& settings =
      context().io_settings != nullptr ? *context().io_settings : defaults;
  std::string names;
  std::string values;
  for (size_t i = 0; i < columns.size(); ++i) {
    if (i > 0) {
      names += ", ";
      values += ", ";
    }
    const catalog::ColumnDef& column = table.column(columns[i]);
    names += column.name;
    if (key[i].is_null) {
      values += "null";
    } else {
      types::FormatText(column.type, key[i], settings, values);
    }
  }
  return "Key (" + names + ")=(" + values + ")";
}

Status ForeignKeyCheck::Missing(std::span<const Value> key) const {
  return Status(sqlstate::kForeignKeyViolation, "insert or update on table \"" + referring->name +
                                                    "\" violates foreign key constraint \"" +
                                                    constraint.name + "\"")
      .WithDetail(KeyText(*referring, constraint.columns, key) + " is not present in table \"" +
                  referenced->name + "\".")
      .WithConstraint(SchemaName(context(), *referring), referring->name, constraint.name);
}

Status ForeignKeyCheck::StillReferenced(std::span<const Value> key) const {
  return Status(sqlstate::kForeignKeyViolation, "update or delete on table \"" + referenced->name +
                                                    "\" violates foreign key constraint \"" +
                                                    constraint.name + "\" on table \"" +
                                                    referring->name + "\"")
      .WithDetail(KeyText(*referenced, constraint.referenced_columns, key) +
                  " is still referenced from table \"" + referring->name + "\".")
      .WithConstraint(SchemaName(context(), *referring), referring->name, constraint.name);
}

bool ForeignKeyCheck::CastToReferenced(std::span<Value> key, types::Arena& arena) const {
  return CastKey({*referring, constraint.columns}, {*referenced, constraint.referenced_columns},
                 key, arena);
}

bool ForeignKeyCheck::CastToReferring(std::span<Value> key, types::Arena& arena) const {
  return CastKey({*referenced, constraint.referenced_columns}, {*referring, constraint.columns},
                 key, arena);
}

const IndexDef& ForeignKeyCheck::ReferencedIndex() const {
  const IndexDef* index = referenced->FindIndex(constraint.referenced_index);
  if (index == nullptr) index = IndexOn(*referenced, constraint.referenced_columns);
  OMEN_CHECK(index != nullptr);
  return *index;
}

Status ForeignKeyCheck::FindReferenced(std::span<const Value> keys,
                                       std::span<std::optional<RowRef>> found) {
  const IndexDef& index = ReferencedIndex();
  const size_t width = constraint.columns.size();
  if (!index.unique || index.keys.size() != width) return Status::Ok();
  types::Arena arena;
  std::vector<Value> ordered;
  for (size_t i = 0; i < found.size(); ++i) {
    const auto given = keys.subspan(i * width, width);
    std::vector<Value> key(given.begin(), given.end());
    if (!CastToReferenced(key, arena)) key.assign(width, Value::Null());
    const std::vector<Value> in_order = InIndexOrder(index, constraint.referenced_columns, key);
    ordered.insert(ordered.end(), in_order.begin(), in_order.end());
  }
  return run.database().OpenRelation(referenced)->LookupBatch(context(), index.oid, ordered, found);
}

Status ForeignKeyCheck::CheckReferring(const RowRef& row, std::span<const Value> key,
                                       const std::optional<RowRef>& ahead) {
  if (AnyNull(key) && (!constraint.match_full || AllNull(key))) return Status::Ok();
  OMEN_ASSIGN(const bool refers, StillRefers(row, key));
  if (!refers) return Status::Ok();
  if (AnyNull(key)) {
    return Status(sqlstate::kForeignKeyViolation, "insert or update on table \"" + referring->name +
                                                      "\" violates foreign key constraint \"" +
                                                      constraint.name + "\"")
        .WithDetail("MATCH FULL does not allow mixing of null and nonnull key values.")
        .WithConstraint(SchemaName(context(), *referring), referring->name, constraint.name);
  }
  std::vector<Value> cast_key(key.begin(), key.end());
  types::Arena arena;
  // A value that the referenced type cannot hold is not there either.
  if (!CastToReferenced(cast_key, arena)) return Missing(key);
  OMEN_ASSIGN(const bool found, LockReferenced(cast_key, ahead));
  return found ? Status::Ok() : Missing(key);
}

// A later write of this transaction may have deleted the row, or changed its key: then that write
// queued what is to be checked. Other columns may have changed: then it did not.
Result<bool> ForeignKeyCheck::StillRefers(const RowRef& row, std::span<const Value> key) {
  OMEN_ASSIGN(const bool current, OpenReferring()->IsCurrent(context(), row));
  if (current) return true;
  OMEN_ASSIGN(const std::optional<RowRef> newest, ChangedByAction(row));
  return newest ? ValuesAre(*newest, constraint.columns, key) : false;
}

Result<bool> ForeignKeyCheck::LockReferenced(std::span<const Value> key,
                                             std::optional<RowRef> ahead) {
  auto relation = run.database().OpenRelation(referenced);
  const IndexDef& index = ReferencedIndex();
  const std::vector<Value> ordered = InIndexOrder(index, constraint.referenced_columns, key);
  while (true) {
    std::optional<RowRef> row = std::exchange(ahead, std::nullopt);
    if (!row.has_value()) {
      OMEN_ASSIGN(row, relation->Lookup(context(), index.oid, ordered));
    }
    if (!row.has_value()) {
      if (!run.acted()) return false;
      // What actions have written since the last time is seen only then.
      OMEN_TRY(run.RenewSnapshot());
      continue;
    }
    OMEN_ASSIGN(const RowResult locked,
                relation->Lock(context(), *row, txn::RowLockMode::kKeyShare, txn::LockWait::kWait));
    if (locked.outcome == RowOutcome::kDone) return true;
    // Changed or deleted meanwhile: look again at what is committed now.
    OMEN_TRY(run.RenewSnapshot());
  }
}

bool ForeignKeyCheck::ScansForReferring() const {
  return IndexOn(*referring, constraint.columns) == nullptr;
}

Status ForeignKeyCheck::FindReferring(std::span<const Value> keys, std::span<Found> found) {
  const size_t width = constraint.columns.size();
  std::unordered_map<std::string, size_t> wanted;
  types::Arena arena;
  for (size_t i = 0; i < found.size(); ++i) {
    found[i].snapshot = run.snapshots();
    const auto given = keys.subspan(i * width, width);
    types::Row key(given.begin(), given.end());
    if (AnyNull(key) || !CastToReferring(key, arena)) continue;
    wanted.emplace(EncodedReferring(key), i);
  }
  return wanted.empty() ? Status::Ok() : ScanReferring(wanted, found);
}

Status ForeignKeyCheck::ScanReferring(const std::unordered_map<std::string, size_t>& wanted,
                                      std::span<Found> found) {
  const size_t width = constraint.columns.size();
  Relation::ScanOptions options;
  options.with_refs = true;
  options.columns = constraint.columns;
  const auto scan = OpenReferring()->OpenScan(context(), options);
  const auto worker = scan->NewWorker();
  types::Chunk chunk;
  std::vector<RowRef> refs;
  types::Row key(width);
  for (;;) {
    refs.clear();
    OMEN_ASSIGN(const bool more, scan->Next(*worker, chunk, &refs));
    if (!more) return Status::Ok();
    if (context().cancel != nullptr && context().cancel->set()) return context().cancel->ToStatus();
    for (uint32_t i = 0; i < chunk.rows_count; ++i) {
      for (size_t k = 0; k < width; ++k) key[k] = chunk.columns[k].Get(i);
      if (AnyNull(key)) continue;
      const auto at = wanted.find(EncodedReferring(key));
      if (at != wanted.end()) found[at->second].rows.push_back(refs[i]);
    }
  }
}

std::string ForeignKeyCheck::EncodedReferring(std::span<const Value> key) const {
  std::string encoded;
  for (size_t i = 0; i < key.size(); ++i) {
    types::AppendKey(referring->column(constraint.columns[i]).type, key[i], {}, encoded);
  }
  return encoded;
}

Result<std::vector<RowRef>> ForeignKeyCheck::ReferringRows(Gone& gone) {
  if (gone.found != nullptr && gone.found->rows.empty()) return gone.found->rows;
  gone.referring_key.assign(gone.key.begin(), gone.key.end());
  // Else no referring row can hold such a value.
  if (!CastToReferring(gone.referring_key, gone.arena)) return std::vector<RowRef>();
  if (gone.found != nullptr) return gone.found->rows;
  return RowsWithKey(gone.referring_key);
}

Result<std::vector<RowRef>> ForeignKeyCheck::RowsWithKey(std::span<const Value> key) {
  if (ScansForReferring()) {
    Found found;
    OMEN_TRY(ScanReferring({{EncodedReferring(key), 0}}, {&found, 1}));
    return std::move(found.rows);
  }
  std::vector<RowRef> rows;
  const IndexDef* const index = IndexOn(*referring, constraint.columns);
  OMEN_CHECK(index != nullptr);
  KeyRange range;
  range.equal = InIndexOrder(*index, constraint.columns, key);
  OMEN_TRY(
      OpenReferring()->ScanIndex(context(), index->oid, range, [&](RowRef row) -> Result<bool> {
        rows.push_back(row);
        return true;
      }));
  return rows;
}

Status ForeignKeyCheck::LookAgain(Gone& gone) {
  if (!std::exchange(gone.look_again, false)) return Status::Ok();
  gone.found = nullptr;
  return run.RenewSnapshot();
}

Status ForeignKeyCheck::ForEachReferring(Gone& gone,
                                         const std::function<Status(const RowRef&)>& act) {
  do {
    OMEN_TRY(LookAgain(gone));
    const uint64_t snapshot = gone.found != nullptr ? gone.found->snapshot : run.snapshots();
    OMEN_ASSIGN(const std::vector<RowRef> rows, ReferringRows(gone));
    for (const RowRef& row : rows) {
      std::optional<RowRef> now = row;
      if (run.snapshots() != snapshot) {
        OMEN_ASSIGN(now, RefersNow(gone, row));
      }
      if (now) OMEN_TRY(act(*now));
    }
  } while (gone.look_again);
  return Status::Ok();
}

Result<std::optional<RowRef>> ForeignKeyCheck::RefersNow(Gone& gone, const RowRef& row) {
  OMEN_ASSIGN(std::optional<RowRef> newest, OpenReferring()->FindRow(context(), row.row_id));
  if (!newest) {
    gone.look_again = true;
    return newest;
  }
  OMEN_ASSIGN(const bool refers, ValuesAre(*newest, constraint.columns, gone.referring_key));
  if (!refers) newest.reset();
  return newest;
}

// Actions of other constraints may have changed the rows, which is not seen yet.
Result<bool> ForeignKeyCheck::AnyRefers(Gone& gone) {
  do {
    OMEN_TRY(LookAgain(gone));
    OMEN_ASSIGN(const std::vector<RowRef> rows, ReferringRows(gone));
    if (rows.empty()) return false;
    if (run.HasChanged(referring->oid)) OMEN_TRY(run.RenewSnapshot());
    for (const RowRef& row : rows) {
      OMEN_ASSIGN(const std::optional<RowRef> now, RefersNow(gone, row));
      if (now) return true;
    }
  } while (gone.look_again);
  return false;
}

// Another row may have taken the key in the same statement.
Status ForeignKeyCheck::CheckNotReferenced(Gone& gone, bool may_be_taken) {
  OMEN_ASSIGN(const bool refer, AnyRefers(gone));
  if (!refer) return Status::Ok();
  if (may_be_taken) {
    OMEN_ASSIGN(const bool taken, LockReferenced(gone.key));
    if (taken) return Status::Ok();
  }
  return StillReferenced(gone.key);
}

Status ForeignKeyCheck::ReferencedGone(std::span<const Value> key, std::span<const Value> new_key,
                                       const Found* found) {
  if (AnyNull(key)) return Status::Ok();  // A key with a NULL is never referred to.
  const bool deleted = new_key.empty();
  Gone gone{key, found};
  switch (deleted ? constraint.on_delete : constraint.on_update) {
    case ReferentialAction::kNoAction:
      return CheckNotReferenced(gone, /*may_be_taken=*/true);
    case ReferentialAction::kRestrict:
      return CheckNotReferenced(gone, /*may_be_taken=*/false);
    case ReferentialAction::kCascade:
      if (!deleted) return CascadeUpdate(gone, new_key);
      return ForEachReferring(gone, [&](const RowRef& row) { return DeleteReferring(gone, row); });
    case ReferentialAction::kSetNull: {
      const std::vector<ColumnId>& columns = ColumnsToSet(deleted);
      const types::Row nulls(columns.size(), Value::Null());
      return ForEachReferring(
          gone, [&](const RowRef& row) { return UpdateReferring(gone, row, columns, nulls); });
    }
    case ReferentialAction::kSetDefault:
      return SetDefaults(gone, ColumnsToSet(deleted));
  }
  return Status::Ok();
}

// The new key is assigned, as by a statement: 22003 or 22001 where the column cannot hold it.
Status ForeignKeyCheck::CascadeUpdate(Gone& gone, std::span<const Value> new_key) {
  const types::IoSettings settings;
  types::Arena arena;
  types::Row values(new_key.begin(), new_key.end());
  bool assigned = false;
  return ForEachReferring(gone, [&](const RowRef& row) -> Status {
    for (size_t i = 0; !assigned && i < values.size(); ++i) {
      const types::SqlType& from = referenced->column(constraint.referenced_columns[i]).type;
      const types::SqlType& to = referring->column(constraint.columns[i]).type;
      if (from == to) continue;
      OMEN_ASSIGN(values[i], types::CastValue(from, to, values[i], arena,
                                              types::CastContext::kAssignment, settings));
    }
    assigned = true;
    return UpdateReferring(gone, row, constraint.columns, values);
  });
}

const std::vector<ColumnId>& ForeignKeyCheck::ColumnsToSet(bool deleted) const {
  return deleted && !constraint.on_delete_columns.empty() ? constraint.on_delete_columns
                                                          : constraint.columns;
}

Status ForeignKeyCheck::SetDefaults(Gone& gone, const std::vector<ColumnId>& columns) {
  OMEN_ASSIGN(RowExpressions* const expressions, run.ExpressionsOf(*referring));
  types::Arena arena;
  bool any_unchanged = false;
  OMEN_TRY(ForEachReferring(gone, [&](const RowRef& row) -> Status {
    std::vector<Value> values;
    for (ColumnId column : columns) {
      OMEN_ASSIGN(const Value value, expressions->DefaultOf(context(), column, arena));
      values.push_back(value);
    }
    OMEN_ASSIGN(const bool unchanged, ValuesAre(row, columns, values));
    any_unchanged = any_unchanged || unchanged;
    return UpdateReferring(gone, row, columns, values);
  }));
  // Where the default is the key that went away, that row still refers to it.
  if (!any_unchanged) return Status::Ok();
  OMEN_ASSIGN(const bool present_again, LockReferenced(gone.key));
  return present_again ? Status::Ok() : StillReferenced(gone.key);
}

Result<bool> ForeignKeyCheck::ValuesAre(const RowRef& row, const std::vector<ColumnId>& columns,
                                        std::span<const Value> values) {
  types::Arena arena;
  std::vector<Value> now(columns.size());
  OMEN_TRY(OpenReferring()->Read(row, columns, arena, now.data()));
  for (size_t i = 0; i < now.size(); ++i) {
    if (now[i].is_null != values[i].is_null) return false;
    if (now[i].is_null) continue;
    if (types::Compare(referring->column(columns[i]).type, now[i], values[i]) != 0) return false;
  }
  return true;
}

// Another action of this statement may have changed the row, which is not seen yet; or the row is
// gone.
Result<std::optional<RowRef>> ForeignKeyCheck::ChangedByAction(const RowRef& row) {
  auto relation = OpenReferring();
  OMEN_ASSIGN(std::optional<RowRef> newest, relation->FindRow(context(), row.row_id));
  if (newest && newest->version == row.version) {
    OMEN_TRY(run.RenewSnapshot());
    OMEN_ASSIGN(newest, relation->FindRow(context(), row.row_id));
  }
  if (newest && newest->version == row.version) newest.reset();
  return newest;
}

Status ForeignKeyCheck::Change(Gone& gone, const RowRef& row,
                               const std::function<Result<RowResult>(const RowRef&)>& write) {
  RowRef current = row;
  while (true) {
    OMEN_ASSIGN(const RowResult result, write(current));
    if (result.outcome == RowOutcome::kDone) {
      run.NoteChange(referring->oid, constraint.oid);
      return Status::Ok();
    }
    std::optional<RowRef> newest = result.latest;
    if (result.outcome != RowOutcome::kChanged) {
      OMEN_ASSIGN(newest, ChangedByAction(current));
      if (!newest) {
        gone.look_again = true;
        return Status::Ok();
      }
    }
    current = *newest;
    OMEN_ASSIGN(const bool refers, ValuesAre(current, constraint.columns, gone.referring_key));
    if (!refers) return Status::Ok();
  }
}

Status ForeignKeyCheck::DeleteReferring(Gone& gone, const RowRef& row) {
  auto relation = OpenReferring();
  return Change(gone, row,
                [&](const RowRef& current) { return relation->Delete(context(), current); });
}

// As an UPDATE of the row does.
Status ForeignKeyCheck::Complete(types::Row& row, types::Arena& arena) {
  const bool any =
      std::any_of(referring->columns.begin(), referring->columns.end(),
                  [](const auto& column) { return !column.generated_sql.empty(); }) ||
      std::any_of(referring->constraints.begin(), referring->constraints.end(),
                  [](const auto& other) { return other.kind == ConstraintKind::kCheck; });
  if (!any) return Status::Ok();
  OMEN_ASSIGN(RowExpressions* const expressions, run.ExpressionsOf(*referring));
  return expressions->Complete(context(), row, arena);
}

Result<types::Row> ForeignKeyCheck::WithValues(const RowRef& row,
                                               const std::vector<ColumnId>& columns,
                                               std::span<const Value> values, types::Arena& arena) {
  const std::vector<ColumnId> live = referring->live_columns();
  types::Row read(live.size());
  OMEN_TRY(OpenReferring()->Read(row, live, arena, read.data()));
  types::Row whole(referring->columns.size(), Value::Null());
  for (size_t i = 0; i < live.size(); ++i) whole[live[i].value() - 1] = read[i];
  for (size_t i = 0; i < values.size(); ++i) whole[columns[i].value() - 1] = values[i];
  OMEN_TRY(Complete(whole, arena));
  return whole;
}

Status ForeignKeyCheck::UpdateReferring(Gone& gone, const RowRef& row,
                                        const std::vector<ColumnId>& columns,
                                        std::span<const Value> values) {
  return Change(gone, row, [&](const RowRef& current) -> Result<RowResult> {
    types::Arena arena;
    OMEN_ASSIGN(const types::Row whole, WithValues(current, columns, values, arena));
    return run.Update(*this, current, whole);
  });
}

Status ForeignKeyCheck::UpdateReferringTo(std::span<const Value> key,
                                          std::span<const Value> values) {
  const auto relation = OpenReferring();
  Gone gone{{}};
  gone.referring_key.assign(key.begin(), key.end());
  do {
    OMEN_TRY(run.RenewSnapshot());
    gone.look_again = false;
    OMEN_ASSIGN(const std::vector<RowRef> rows, RowsWithKey(gone.referring_key));
    for (const RowRef& row : rows) {
      OMEN_TRY(Change(gone, row, [&](const RowRef& current) -> Result<RowResult> {
        types::Arena arena;
        OMEN_ASSIGN(const types::Row whole, WithValues(current, constraint.columns, values, arena));
        return relation->Update(context(), current, whole);
      }));
    }
  } while (gone.look_again);
  return Status::Ok();
}

}  // namespace omendb::engine
