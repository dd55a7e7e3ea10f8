// TableBuilder: FOREIGN KEY constraints.
#include <fmt/format.h>

#include <algorithm>

#include "base/sqlstate.h"
#include "catalog/column_ids.h"
#include "sql/ddl/table_builder.h"
#include "sql/privileges.h"

namespace omendb::sql {

using catalog::ConstraintDef;
using catalog::ReferentialAction;
using types::TypeKind;

namespace {

ReferentialAction Action(std::string_view code) {
  switch (code.empty() ? 'a' : code[0]) {
    case 'r':
      return ReferentialAction::kRestrict;
    case 'c':
      return ReferentialAction::kCascade;
    case 'n':
      return ReferentialAction::kSetNull;
    case 'd':
      return ReferentialAction::kSetDefault;
    default:
      return ReferentialAction::kNoAction;
  }
}

bool Sets(ReferentialAction action) {
  return action == ReferentialAction::kSetNull || action == ReferentialAction::kSetDefault;
}

// The referenced columns are the primary key's, or have a unique index.
Status FindReferencedKey(const PgQuery__Constraint& source, const catalog::TableDef& target,
                         ConstraintDef& constraint) {
  if (source.n_pk_attrs == 0) {
    const catalog::IndexDef* primary = target.primary_key();
    if (primary == nullptr) {
      return Status(
          sqlstate::kUndefinedObject,
          fmt::format("there is no primary key for referenced table \"{}\"", target.name));
    }
    constraint.referenced_columns = catalog::KeyColumns(*primary);
    constraint.referenced_index = primary->oid;
    return Status::Ok();
  }
  for (size_t i = 0; i < source.n_pk_attrs; ++i) {
    const catalog::ColumnDef* column = target.FindColumn(StringOf(source.pk_attrs[i]));
    if (column == nullptr) {
      return Status(sqlstate::kUndefinedColumn,
                    fmt::format("column \"{}\" referenced in foreign key constraint does not exist",
                                StringOf(source.pk_attrs[i])));
    }
    constraint.referenced_columns.push_back(column->id);
  }
  for (const catalog::IndexDef& index : target.indexes) {
    if (!index.unique || index.keys.size() != constraint.referenced_columns.size()) continue;
    const bool same =
        std::all_of(index.keys.begin(), index.keys.end(), [&](const catalog::IndexKey& key) {
          return catalog::Contains(constraint.referenced_columns, key.column);
        });
    if (!same) continue;
    constraint.referenced_index = index.oid;
    return Status::Ok();
  }
  return Status(
      sqlstate::kInvalidForeignKey,
      fmt::format("there is no unique constraint matching given keys for referenced table \"{}\"",
                  target.name));
}

bool IsInteger(TypeKind kind) {
  return kind == TypeKind::kInt2 || kind == TypeKind::kInt4 || kind == TypeKind::kInt8;
}
bool IsFloat(TypeKind kind) { return kind == TypeKind::kFloat4 || kind == TypeKind::kFloat8; }
bool IsDay(TypeKind kind) { return kind == TypeKind::kDate || kind == TypeKind::kTimestamp; }

// Values of `from` are compared with those of `to` by an exact cast.
bool AreComparable(const types::SqlType& from, const types::SqlType& to) {
  if (from.is_array || to.is_array) return from.is_array == to.is_array && from.kind == to.kind;
  const TypeKind a = from.kind, b = to.kind;
  return a == b || (IsInteger(a) && (IsInteger(b) || b == TypeKind::kNumeric)) ||
         (IsFloat(a) && IsFloat(b)) || (IsDay(a) && IsDay(b)) ||
         (from.is_string() && to.is_string());
}

// PostgreSQL compares more: by casts that depend on settings or lose digits.
bool AreComparableInPostgres(const types::SqlType& from, const types::SqlType& to) {
  if (from.is_array || to.is_array) return false;
  const TypeKind a = from.kind, b = to.kind;
  const auto is_time = [](TypeKind kind) { return IsDay(kind) || kind == TypeKind::kTimestampTz; };
  return ((IsInteger(a) || a == TypeKind::kNumeric) && IsFloat(b)) || (is_time(a) && is_time(b)) ||
         (a == TypeKind::kTime && b == TypeKind::kInterval) ||
         (IsInteger(a) && b == TypeKind::kOid) || (a == TypeKind::kOid && b == TypeKind::kInt8);
}

Status CheckKeyTypes(const catalog::TableDef& table, const catalog::TableDef& target,
                     const ConstraintDef& constraint) {
  for (size_t i = 0; i < constraint.columns.size(); ++i) {
    const catalog::ColumnDef& from = table.column(constraint.columns[i]);
    const catalog::ColumnDef& to = target.column(constraint.referenced_columns[i]);
    if (AreComparable(from.type, to.type)) continue;
    types::SqlType a = from.type, b = to.type;
    a.typmod = b.typmod = -1;
    if (AreComparableInPostgres(a, b)) {
      return NotSupported(
          fmt::format("a foreign key from {} to {}", types::FormatType(a), types::FormatType(b)));
    }
    return Status(
               sqlstate::kDatatypeMismatch,
               fmt::format("foreign key constraint \"{}\" cannot be implemented", constraint.name))
        .WithDetail(
            fmt::format("Key columns \"{}\" and \"{}\" are of incompatible types: {} and {}.",
                        from.name, to.name, types::FormatType(a), types::FormatType(b)));
  }
  return Status::Ok();
}

Status ReadActions(const PgQuery__Constraint& source, const catalog::TableDef& table,
                   ConstraintDef& constraint) {
  constraint.on_delete = Action(View(source.fk_del_action));
  constraint.on_update = Action(View(source.fk_upd_action));
  const bool writes = Sets(constraint.on_delete) || Sets(constraint.on_update) ||
                      constraint.on_update == ReferentialAction::kCascade;
  for (ColumnId id : constraint.columns) {
    if (table.column(id).generated_sql.empty() || !writes) continue;
    return Status(sqlstate::kSyntaxError,
                  fmt::format("invalid {} action for foreign key constraint containing generated "
                              "column",
                              Sets(constraint.on_delete) ? "ON DELETE" : "ON UPDATE"));
  }
  for (size_t i = 0; i < source.n_fk_del_set_cols; ++i) {
    const std::string name(StringOf(source.fk_del_set_cols[i]));
    const catalog::ColumnDef* column = table.FindColumn(name);
    if (column == nullptr || !catalog::Contains(constraint.columns, column->id)) {
      return Status(sqlstate::kInvalidColumnReference,
                    fmt::format("column \"{}\" referenced in ON DELETE SET action must be part of "
                                "foreign key",
                                name));
    }
    constraint.on_delete_columns.push_back(column->id);
  }
  return Status::Ok();
}

}  // namespace

Result<std::shared_ptr<const catalog::TableDef>> TableBuilder::ReferencedTable(
    const QualifiedRelation& name) {
  OMEN_ASSIGN(catalog::Relation found, GetRelation(session_, name));
  if (found.table == nullptr || found.index != nullptr) {
    return Status(sqlstate::kWrongObjectType,
                  fmt::format("referenced relation \"{}\" is not a table", name.name));
  }
  OMEN_TRY(CheckPrivileges(session_, found, catalog::privilege::kReferences));
  engine::StatementContext context = session_.MakeContext(call_.waiter);
  return LockForDdl(session_, context, found.table->oid, txn::TableLockMode::kShareRowExclusive);
}

Status TableBuilder::AddForeignKey(const Pending& pending) {
  const PgQuery__Constraint& source = *pending.constraint;
  ConstraintDef constraint;
  constraint.oid = session_.db().NewOid();
  constraint.kind = catalog::ConstraintKind::kForeignKey;
  OMEN_ASSIGN(constraint.columns, KeyColumns(pending, source.n_fk_attrs, source.fk_attrs));
  const QualifiedRelation name = NameOf(*source.pktable);
  // A table may refer to itself before it is in the catalog.
  const catalog::SchemaDef* own_schema = session_.catalog()->schema(table_.schema);
  const bool is_self = name.name == table_.name &&
                       (name.schema.empty() || (own_schema && name.schema == own_schema->name));
  std::shared_ptr<const catalog::TableDef> other;
  if (!is_self) {
    OMEN_ASSIGN(other, ReferencedTable(name));
  }
  const catalog::TableDef& target = is_self ? table_ : *other;
  constraint.referenced_table = target.oid;
  OMEN_TRY(FindReferencedKey(source, target, constraint));
  if (constraint.columns.size() != constraint.referenced_columns.size()) {
    return Status(sqlstate::kInvalidForeignKey,
                  "number of referencing and referenced columns for foreign key disagree");
  }
  OMEN_ASSIGN(constraint.name,
              ConstraintName(source, JoinedNames(table_, constraint.columns), "fkey"));
  OMEN_TRY(CheckKeyTypes(table_, target, constraint));
  OMEN_TRY(ReadActions(source, table_, constraint));
  constraint.match_full = View(source.fk_matchtype) == "f";
  if (View(source.fk_matchtype) == "p") return NotSupported("MATCH PARTIAL");
  constraint.deferrable = source.deferrable;
  constraint.initially_deferred = source.initdeferred;
  constraint.validated = !source.skip_validation;
  return Keep(std::move(constraint));
}

}  // namespace omendb::sql
