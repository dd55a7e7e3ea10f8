// TableAlteration: constraints of a table that has rows.
#include <fmt/format.h>

#include "base/sqlstate.h"
#include "sql/ddl/alter_table.h"

namespace omendb::sql {

using catalog::ConstraintDef;
using catalog::ConstraintKind;

// New keys are built, new conditions and references are checked against the rows that are there.
Status TableAlteration::FinishConstraints(TableBuilder& builder) {
  for (Oid oid : builder.new_constraints()) {
    for (const ConstraintDef& constraint : table_.constraints) {
      if (constraint.oid != oid || constraint.kind != ConstraintKind::kPrimaryKey) continue;
      for (ColumnId id : constraint.columns) OMEN_TRY(CheckNoNulls(table_.column(id)));
    }
  }
  OMEN_TRY(Put());
  OMEN_TRY(CheckConditions(session_, table_, builder.new_constraints()));
  for (Oid oid : builder.new_indexes()) {
    engine::StatementContext context = session_.MakeContext(call_.waiter);
    context.txn->BeginStatement();
    auto current = context.catalog->table(table_.oid);
    const CommandProgress::Scope progress(session_.progress().command,
                                          {CommandProgress::Kind::kCreateIndex, table_.oid, oid});
    OMEN_TRY(session_.db().BuildIndex(context, *current, *current->FindIndex(oid)));
  }
  for (Oid oid : builder.new_constraints()) {
    for (const ConstraintDef& constraint : table_.constraints) {
      if (constraint.oid == oid && constraint.validated) OMEN_TRY(ValidateRows(constraint));
    }
  }
  return Status::Ok();
}

Status TableAlteration::CheckNoNulls(const catalog::ColumnDef& column) {
  OMEN_ASSIGN(auto row,
              FirstRow(session_, "SELECT 1 FROM " + FullName(session_, table_) + " WHERE " +
                                     QuoteIdentifier(column.name) + " IS NULL LIMIT 1"));
  if (!row) return Status::Ok();
  return Status(sqlstate::kNotNullViolation,
                fmt::format("column \"{}\" of relation \"{}\" contains null values", column.name,
                            table_.name))
      .WithColumn(column.name);
}

Status TableAlteration::ValidateRows(const ConstraintDef& constraint) {
  if (constraint.kind == ConstraintKind::kForeignKey) return ValidateForeignKey(constraint);
  if (constraint.kind != ConstraintKind::kCheck) return Status::Ok();
  OMEN_ASSIGN(auto row,
              FirstRow(session_, "SELECT 1 FROM " + FullName(session_, table_) + " WHERE NOT (" +
                                     constraint.check_sql + ") LIMIT 1"));
  if (!row) return Status::Ok();
  const catalog::SchemaDef* schema = session_.catalog()->schema(table_.schema);
  return Status(sqlstate::kCheckViolation,
                fmt::format("check constraint \"{}\" of relation \"{}\" is violated by some row",
                            constraint.name, table_.name))
      .WithConstraint(schema->name, table_.name, constraint.name);
}

Status TableAlteration::ValidateForeignKey(const ConstraintDef& constraint) {
  auto target = session_.catalog()->table(constraint.referenced_table);
  if (target == nullptr) return Status::Ok();
  std::string columns, on, present, names;
  for (size_t i = 0; i < constraint.columns.size(); ++i) {
    const std::string from = "fk." + QuoteIdentifier(table_.column(constraint.columns[i]).name);
    const std::string to =
        "pk." + QuoteIdentifier(target->column(constraint.referenced_columns[i]).name);
    columns += (i > 0 ? ", " : "") + from;
    on += (i > 0 ? " AND " : "") + from + " = " + to;
    present += " AND " + from + " IS NOT NULL";
    names += (i > 0 ? ", " : "") + table_.column(constraint.columns[i]).name;
  }
  OMEN_ASSIGN(
      auto row,
      FirstRow(session_, "SELECT " + columns + " FROM " + FullName(session_, table_) +
                             " fk WHERE NOT EXISTS (SELECT 1 FROM " + FullName(session_, *target) +
                             " pk WHERE " + on + ")" + present + " LIMIT 1"));
  if (!row) return Status::Ok();
  std::string values;
  for (const auto& value : *row) values += (values.empty() ? "" : ", ") + value.value_or("null");
  const catalog::SchemaDef* schema = session_.catalog()->schema(table_.schema);
  return Status(
             sqlstate::kForeignKeyViolation,
             fmt::format("insert or update on table \"{}\" violates foreign key constraint \"{}\"",
                         table_.name, constraint.name))
      .WithDetail(
          fmt::format("Key ({})=({}) is not present in table \"{}\".", names, values, target->name))
      .WithConstraint(schema->name, table_.name, constraint.name);
}

Status TableAlteration::AddConstraint(const PgQuery__Constraint& constraint) {
  TableBuilder builder(call_, table_);
  OMEN_TRY(builder.AddTableConstraint(constraint));
  OMEN_TRY(builder.AddConstraints());
  return FinishConstraints(builder);
}

Status TableAlteration::DropConstraint(const PgQuery__AlterTableCmd& command) {
  for (const ConstraintDef& constraint : table_.constraints) {
    if (constraint.name != View(command.name)) continue;
    Dropper dropper(call_);
    dropper.Add({DropTarget::Kind::kConstraint, constraint.oid, table_.oid, {}});
    OMEN_TRY(Put());
    OMEN_TRY(dropper.Run(command.behavior == PG_QUERY__DROP_BEHAVIOR__DROP_CASCADE));
    table_ = *session_.catalog()->table(table_.oid);
    return Status::Ok();
  }
  const Status missing(
      sqlstate::kUndefinedObject,
      fmt::format("constraint \"{}\" of relation \"{}\" does not exist{}", View(command.name),
                  table_.name, command.missing_ok ? ", skipping" : ""));
  if (!command.missing_ok) return missing;
  session_.Notify("NOTICE", missing);
  return Status::Ok();
}

Status TableAlteration::ValidateConstraint(const PgQuery__AlterTableCmd& command) {
  for (ConstraintDef& constraint : table_.constraints) {
    if (constraint.name != View(command.name)) continue;
    OMEN_TRY(ValidateRows(constraint));
    constraint.validated = true;
    return Put();
  }
  return Status(sqlstate::kUndefinedObject,
                fmt::format("constraint \"{}\" of relation \"{}\" does not exist",
                            View(command.name), table_.name));
}

}  // namespace omendb::sql
