// TableBuilder: the constraints of a table, once its columns are known.
#include <fmt/format.h>

#include <algorithm>

#include "base/sqlstate.h"
#include "catalog/column_ids.h"
#include "sql/ddl/table_builder.h"
#include "sql/rewrite/rewriter.h"

namespace omendb::sql {

using catalog::ConstraintDef;
using catalog::ConstraintKind;
using catalog::IndexDef;

std::string TableBuilder::FreeConstraintName(std::string base) const {
  auto taken = [&](const std::string& name) {
    return std::any_of(table_.constraints.begin(), table_.constraints.end(),
                       [&](const ConstraintDef& c) { return c.name == name; });
  };
  std::string name = base;
  for (int i = 1; taken(name); ++i) name = base + std::to_string(i);
  return name;
}

Result<std::string> TableBuilder::ConstraintName(const PgQuery__Constraint& source,
                                                 const std::string& columns,
                                                 std::string_view label) const {
  const std::string given(View(source.conname));
  if (given.empty()) return FreeConstraintName(ObjectName(table_.name, columns, label));
  if (FreeConstraintName(given) == given) return given;
  return Status(
      sqlstate::kDuplicateObject,
      fmt::format("constraint \"{}\" for relation \"{}\" already exists", given, table_.name));
}

Status TableBuilder::Keep(ConstraintDef constraint) {
  new_constraints_.push_back(constraint.oid);
  table_.constraints.push_back(std::move(constraint));
  return Status::Ok();
}

Status TableBuilder::AddTableConstraint(const PgQuery__Constraint& constraint) {
  pending_.push_back({&constraint, ""});
  return Status::Ok();
}

Status TableBuilder::AddConstraints() {
  auto is_key = [](const Pending& p) {
    return p.constraint->contype == PG_QUERY__CONSTR_TYPE__CONSTR_PRIMARY ||
           p.constraint->contype == PG_QUERY__CONSTR_TYPE__CONSTR_UNIQUE;
  };
  for (const Pending& pending : pending_) {
    if (pending.constraint->contype == PG_QUERY__CONSTR_TYPE__CONSTR_PRIMARY) {
      OMEN_TRY(AddKey(pending));
    }
  }
  for (const Pending& pending : pending_) {
    if (pending.constraint->contype == PG_QUERY__CONSTR_TYPE__CONSTR_UNIQUE) {
      OMEN_TRY(AddKey(pending));
    }
  }
  for (const Pending& pending : pending_) {
    if (is_key(pending)) continue;
    switch (pending.constraint->contype) {
      case PG_QUERY__CONSTR_TYPE__CONSTR_CHECK:
        OMEN_TRY(AddCheck(pending));
        break;
      case PG_QUERY__CONSTR_TYPE__CONSTR_FOREIGN:
        OMEN_TRY(AddForeignKey(pending));
        break;
      case PG_QUERY__CONSTR_TYPE__CONSTR_EXCLUSION:
        return NotSupported("EXCLUDE constraint");
      default:
        return NotSupported("this constraint");
    }
  }
  pending_.clear();
  return Status::Ok();
}

Result<std::vector<ColumnId>> TableBuilder::KeyColumns(const Pending& pending, size_t count,
                                                       Node** names) const {
  std::vector<ColumnId> columns;
  auto add = [&](std::string_view name) -> Status {
    const catalog::ColumnDef* column = table_.FindColumn(name);
    if (column == nullptr) {
      const bool foreign = pending.constraint->contype == PG_QUERY__CONSTR_TYPE__CONSTR_FOREIGN;
      return Status(sqlstate::kUndefinedColumn,
                    foreign ? fmt::format("column \"{}\" referenced in foreign key constraint does "
                                          "not exist",
                                          name)
                            : fmt::format("column \"{}\" named in key does not exist", name));
    }
    if (catalog::Contains(columns, column->id)) {
      const bool primary = pending.constraint->contype == PG_QUERY__CONSTR_TYPE__CONSTR_PRIMARY;
      return Status(sqlstate::kDuplicateColumn,
                    fmt::format("column \"{}\" appears twice in {} constraint", name,
                                primary ? "primary key" : "unique"));
    }
    columns.push_back(column->id);
    return Status::Ok();
  };
  if (!pending.column.empty()) OMEN_TRY(add(pending.column));
  for (size_t i = 0; i < count && pending.column.empty(); ++i) OMEN_TRY(add(StringOf(names[i])));
  return columns;
}

Status TableBuilder::AddKey(const Pending& pending) {
  const PgQuery__Constraint& source = *pending.constraint;
  const bool primary = source.contype == PG_QUERY__CONSTR_TYPE__CONSTR_PRIMARY;
  if (primary && table_.primary_key() != nullptr) {
    return Status(
        sqlstate::kInvalidTableDefinition,
        fmt::format("multiple primary keys for table \"{}\" are not allowed", table_.name));
  }
  if (source.deferrable) return NotSupported("a deferrable unique constraint");
  IndexDef index;
  ConstraintDef constraint;
  if (!View(source.indexname).empty()) {
    // ADD CONSTRAINT ... USING INDEX.
    auto found = std::find_if(table_.indexes.begin(), table_.indexes.end(),
                              [&](const IndexDef& i) { return i.name == View(source.indexname); });
    if (found == table_.indexes.end()) {
      return Status(sqlstate::kUndefinedObject,
                    fmt::format("index \"{}\" does not exist", View(source.indexname)));
    }
    if (!found->unique) {
      return Status(sqlstate::kWrongObjectType,
                    fmt::format("\"{}\" is not a unique index", found->name));
    }
    if (!View(source.conname).empty()) found->name = View(source.conname);
    found->primary = primary;
    constraint.columns = catalog::KeyColumns(*found);
    for (const ColumnId id : constraint.columns) {
      if (primary) table_.columns[static_cast<size_t>(id.value() - 1)].not_null = true;
    }
    constraint.oid = session_.db().NewOid();
    constraint.name = found->name;
    constraint.kind = primary ? ConstraintKind::kPrimaryKey : ConstraintKind::kUnique;
    constraint.index = found->oid;
    return Keep(std::move(constraint));
  }
  OMEN_ASSIGN(constraint.columns, KeyColumns(pending, source.n_keys, source.keys));
  for (ColumnId id : constraint.columns) {
    catalog::ColumnDef& column = table_.columns[static_cast<size_t>(id.value() - 1)];
    if (primary) column.not_null = true;
    index.keys.push_back({id, false, false});
  }
  for (size_t i = 0; i < source.n_including; ++i) {
    const std::string_view name = StringOf(source.including[i]);
    const catalog::ColumnDef* column = table_.FindColumn(name);
    if (column == nullptr) {
      return Status(sqlstate::kUndefinedColumn,
                    fmt::format("column \"{}\" named in key does not exist", name));
    }
    index.included.push_back(column->id);
  }
  const std::string given(View(source.conname));
  if (!given.empty() && session_.catalog()->FindRelation(table_.schema, given)) {
    return Status(sqlstate::kDuplicateTable, fmt::format("relation \"{}\" already exists", given));
  }
  const std::string name =
      primary ? ObjectName(table_.name, "", "pkey")
              : ObjectName(table_.name, JoinedNames(table_, catalog::ColumnsOf(index)), "key");
  index.name = given.empty() ? FreeRelationName(name) : given;
  index.oid = session_.db().NewOid();
  index.storage = session_.db().NewOid();
  index.unique = true;
  index.primary = primary;
  index.nulls_not_distinct = source.nulls_not_distinct;
  constraint.oid = session_.db().NewOid();
  constraint.name = index.name;
  constraint.kind = primary ? ConstraintKind::kPrimaryKey : ConstraintKind::kUnique;
  constraint.index = index.oid;
  new_indexes_.push_back(index.oid);
  table_.indexes.push_back(std::move(index));
  return Keep(std::move(constraint));
}

Status TableBuilder::AddCheck(const Pending& pending) {
  const PgQuery__Constraint& source = *pending.constraint;
  ConstraintDef constraint;
  constraint.oid = session_.db().NewOid();
  constraint.kind = ConstraintKind::kCheck;
  OMEN_ASSIGN(constraint.check_sql, ExpressionText(source.raw_expr));
  bool has_query = false;
  WalkNode(source.raw_expr, [&](Node* node) {
    has_query = has_query || node->node_case == PG_QUERY__NODE__NODE_SUB_LINK;
    if (node->node_case == PG_QUERY__NODE__NODE_COLUMN_REF) {
      const catalog::ColumnDef* column =
          table_.FindColumn(LastName(node->column_ref->fields, node->column_ref->n_fields));
      if (column != nullptr && std::find(constraint.columns.begin(), constraint.columns.end(),
                                         column->id) == constraint.columns.end()) {
        constraint.columns.push_back(column->id);
      }
    }
    return true;
  });
  if (has_query) {
    return Status(sqlstate::kFeatureNotSupported, "cannot use subquery in check constraint");
  }
  const std::string column = !pending.column.empty() ? pending.column
                             : constraint.columns.size() == 1
                                 ? table_.column(constraint.columns[0]).name
                                 : "";
  OMEN_ASSIGN(constraint.name, ConstraintName(source, column, "check"));
  constraint.validated = !source.skip_validation;
  return Keep(std::move(constraint));
}

}  // namespace omendb::sql
