#include "sql/ddl/alter_table.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/sqlstate.h"
#include "catalog/column_ids.h"
#include "engine/relation.h"
#include "sql/ddl/generated_columns.h"
#include "sql/privileges.h"
#include "sql/statements/evaluate.h"
#include "sql/type_text.h"
#include "sql/volatile_functions.h"
#include "types/casts.h"

namespace omendb::sql {

using catalog::ConstraintDef;
using catalog::ConstraintKind;

namespace {

// The same bytes mean the same value in both types.
bool IsBinaryCompatible(const types::SqlType& from, const types::SqlType& to) {
  using types::TypeKind;
  if (from.is_array != to.is_array) return false;
  if (from == to) return true;
  const bool from_text = from.kind == TypeKind::kVarchar || from.kind == TypeKind::kText;
  if (from_text && to.kind == TypeKind::kText) return true;
  if (from_text && to.kind == TypeKind::kVarchar) {
    return to.typmod < 0 ||
           (from.kind == TypeKind::kVarchar && from.typmod >= 0 && from.typmod <= to.typmod);
  }
  return false;
}

}  // namespace

Status TableAlteration::Put() {
  return session_.db().EditCatalog(*session_.block().txn()).Put(table_);
}

Result<catalog::ColumnDef*> TableAlteration::Column(std::string_view name) {
  for (catalog::ColumnDef& column : table_.columns) {
    if (!column.dropped && column.name == name) return &column;
  }
  return Status(sqlstate::kUndefinedColumn,
                fmt::format("column \"{}\" of relation \"{}\" does not exist", name, table_.name));
}

Status TableAlteration::AddColumn(const PgQuery__AlterTableCmd& command) {
  const PgQuery__ColumnDef& source = *command.def->column_def;
  if (table_.FindColumn(View(source.colname)) != nullptr) {
    const Status exists(
        sqlstate::kDuplicateColumn,
        fmt::format("column \"{}\" of relation \"{}\" already exists{}", View(source.colname),
                    table_.name, command.missing_ok ? ", skipping" : ""));
    if (!command.missing_ok) return exists;
    session_.Notify("NOTICE", exists);
    return Status::Ok();
  }
  TableBuilder builder(call_, table_);
  OMEN_TRY(builder.AddColumn(source));
  const ColumnId id = table_.columns.back().id;
  auto column = [&]() -> catalog::ColumnDef& {
    return table_.columns[static_cast<size_t>(id.value() - 1)];
  };
  if (!column().generated_sql.empty()) return AddGeneratedColumn(builder, id);
  const bool has_default = !column().default_sql.empty();
  bool fill = false;
  if (has_default) {
    OMEN_ASSIGN(auto tree, ParseTree::Parse("SELECT " + column().default_sql));
    const Node* expression = tree->statement(0).node->select_stmt->target_list[0]->res_target->val;
    if (!CallsVolatile(expression)) {  // It gives every row the same value.
      OMEN_ASSIGN(column().missing_value,
                  EvaluateToText(session_, column().default_sql, column().type));
    } else {
      fill = true;
    }
  }
  const bool not_null = column().not_null;
  if (fill) column().not_null = false;
  catalog::CatalogEdit& edit = session_.db().EditCatalog(*session_.block().txn());
  for (const catalog::SequenceDef& sequence : builder.sequences()) {
    OMEN_TRY(PutSequence(session_, edit, sequence));
  }
  if (not_null && !has_default) {
    OMEN_ASSIGN(auto row,
                FirstRow(session_, "SELECT 1 FROM " + FullName(session_, table_) + " LIMIT 1"));
    if (row) {
      return Status(sqlstate::kNotNullViolation,
                    fmt::format("column \"{}\" of relation \"{}\" contains null values",
                                column().name, table_.name));
    }
  }
  OMEN_TRY(Put());
  if (fill) {
    OMEN_TRY(RunSql(session_, "UPDATE " + FullName(session_, table_) + " SET " +
                                  QuoteIdentifier(column().name) + " = DEFAULT")
                 .status());
    column().not_null = not_null;
    OMEN_TRY(Put());
  }
  OMEN_TRY(builder.AddConstraints());
  return FinishConstraints(builder);
}

// Its values are computed for the rows that are there.
Status TableAlteration::AddGeneratedColumn(TableBuilder& builder, ColumnId id) {
  const catalog::TableDef changed = table_;
  const catalog::ColumnDef added = table_.column(id);
  table_.columns.pop_back();  // as the rows are now
  std::string list;
  for (ColumnId live : table_.live_columns()) {
    list += QuoteIdentifier(table_.column(live).name) + ", ";
  }
  OMEN_TRY(CheckGeneratedColumns(session_, changed));
  OMEN_TRY(RewriteRows(
      changed, list + fmt::format("CAST(({}) AS {})", added.generated_sql, CastName(added.type))));
  OMEN_TRY(builder.AddConstraints());
  return FinishConstraints(builder);
}

Status TableAlteration::DropExpression(const PgQuery__AlterTableCmd& command) {
  OMEN_ASSIGN(catalog::ColumnDef * column, Column(View(command.name)));
  if (column->generated_sql.empty()) {
    const Status status(
        sqlstate::kObjectNotInPrerequisiteState,
        fmt::format("column \"{}\" of relation \"{}\" is not a stored generated "
                    "column{}",
                    column->name, table_.name, command.missing_ok ? ", skipping" : ""));
    if (!command.missing_ok) return status;
    session_.Notify("NOTICE", status);
    return Status::Ok();
  }
  column->generated_sql.clear();
  return Put();
}

Status TableAlteration::SetDefault(const PgQuery__AlterTableCmd& command) {
  OMEN_ASSIGN(catalog::ColumnDef * column, Column(View(command.name)));
  if (column->identity != catalog::Identity::kNone) {
    return Status(sqlstate::kSyntaxError,
                  fmt::format("column \"{}\" of relation \"{}\" is an identity column",
                              column->name, table_.name));
  }
  if (!column->generated_sql.empty()) {
    return Status(sqlstate::kSyntaxError,
                  fmt::format("column \"{}\" of relation \"{}\" is a generated column",
                              column->name, table_.name));
  }
  if (command.def == nullptr || (IsConst(command.def) && command.def->a_const->isnull)) {
    column->default_sql.clear();
    return Put();
  }
  AstBuilder build(call_.result.buffer.arena());
  OMEN_ASSIGN(column->default_sql, TableBuilder::DefaultText(command.def, column->type,
                                                             session_.settings().io(), build));
  OMEN_TRY(CheckSql(
      session_, "SELECT CAST((" + column->default_sql + ") AS " + CastName(column->type) + ")"));
  return Put();
}

Status TableAlteration::SetNotNull(const PgQuery__AlterTableCmd& command) {
  OMEN_ASSIGN(catalog::ColumnDef * column, Column(View(command.name)));
  if (column->not_null) return Status::Ok();
  OMEN_TRY(CheckNoNulls(*column));
  column->not_null = true;
  return Put();
}

Status TableAlteration::DropNotNull(const PgQuery__AlterTableCmd& command) {
  OMEN_ASSIGN(catalog::ColumnDef * column, Column(View(command.name)));
  const catalog::IndexDef* primary = table_.primary_key();
  if (primary != nullptr && catalog::Contains(catalog::KeyColumns(*primary), column->id)) {
    return Status(sqlstate::kInvalidTableDefinition,
                  fmt::format("column \"{}\" is in a primary key", column->name));
  }
  if (column->identity != catalog::Identity::kNone) {
    return Status(sqlstate::kSyntaxError,
                  fmt::format("column \"{}\" of relation \"{}\" is an identity column",
                              column->name, table_.name));
  }
  column->not_null = false;
  return Put();
}

Status TableAlteration::RewriteRows(const catalog::TableDef& changed,
                                    const std::string& select_list) {
  OMEN_ASSIGN(auto plan,
              session_.ParsePlan("SELECT " + select_list + " FROM " + FullName(session_, table_)));
  OMEN_TRY(session_.EnsureBound(*plan));
  RowBuffer rows;
  rows.columns = plan->columns;
  uint64_t affected = 0;
  OMEN_TRY(session_.RunQueryRows(
      *plan, {},
      [&](const types::Chunk* chunk, std::span<const types::Value> row) -> Status {
        chunk != nullptr ? rows.Append(*chunk) : rows.Append(row);
        return Status::Ok();
      },
      &affected));
  table_ = changed;
  RenewStorage(session_.db(), table_);
  OMEN_TRY(Put());
  engine::StatementContext context = session_.MakeContext(call_.waiter);
  auto current = context.catalog->table(table_.oid);
  OMEN_TRY(session_.db().CreateStorage(context, *current));
  context.txn->BeginStatement();
  auto relation = session_.db().OpenRelation(current);
  const std::vector<ColumnId> live = current->live_columns();
  types::Row full(current->columns.size(), types::Value::Null());
  types::Arena arena;
  for (const types::Row& row : rows.rows) {
    for (size_t i = 0; i < live.size(); ++i) {
      OMEN_ASSIGN(
          full[static_cast<size_t>(live[i].value() - 1)],
          types::CastValue(rows.columns[i].type, current->column(live[i]).type, row[i], arena,
                           types::CastContext::kAssignment, session_.settings().io()));
    }
    auto inserted = relation->Insert(context, full);
    if (!inserted.ok()) return inserted.status();
  }
  return Status::Ok();
}

Status TableAlteration::ChangeType(const PgQuery__AlterTableCmd& command) {
  OMEN_ASSIGN(catalog::ColumnDef * column, Column(View(command.name)));
  const PgQuery__ColumnDef& def = *command.def->column_def;
  OMEN_ASSIGN(types::SqlType type, ResolveTypeName(*def.type_name));
  OMEN_TRY(CheckColumnType(type, column->name));
  for (const auto& view : session_.catalog()->views(session_.database())) {
    const auto& on = view->depends_on;
    if (std::find(on.begin(), on.end(), table_.oid) != on.end() &&
        view->definition_sql.find(QuoteIdentifier(column->name)) != std::string::npos) {
      return Status(sqlstate::kFeatureNotSupported,
                    "cannot alter type of a column used by a view or rule")
          .WithDetail(fmt::format("rule _RETURN on view {} depends on column \"{}\"", view->name,
                                  column->name));
    }
  }
  OMEN_ASSIGN(const auto generated, GeneratedFrom(table_, column->name));
  if (!generated.empty()) {
    return Status(sqlstate::kFeatureNotSupported,
                  "cannot alter type of a column used by a generated column")
        .WithDetail(fmt::format("Column \"{}\" is used by generated column \"{}\".", column->name,
                                generated[0]->name));
  }
  if (def.raw_default == nullptr && IsBinaryCompatible(column->type, type)) {
    column->type = type;
    return Put();
  }
  if (def.raw_default == nullptr &&
      !types::CanCast(column->type, type, types::CastContext::kAssignment)) {
    return Status(sqlstate::kDatatypeMismatch,
                  fmt::format("column \"{}\" cannot be cast automatically to type {}", column->name,
                              types::FormatType(type)))
        .WithHint(fmt::format("You might need to specify \"USING {}::{}\".", column->name,
                              types::FormatType(type)));
  }
  std::string list;
  for (ColumnId id : table_.live_columns()) {
    std::string item = QuoteIdentifier(table_.column(id).name);
    if (id == column->id && def.raw_default != nullptr) {
      OMEN_ASSIGN(std::string expression, DeparseExpression(def.raw_default));
      item = "CAST((" + expression + ") AS " + CastName(type) + ")";
    }
    list += (list.empty() ? "" : ", ") + item;
  }
  catalog::TableDef changed = table_;
  changed.columns[static_cast<size_t>(column->id.value() - 1)].type = type;
  changed.columns[static_cast<size_t>(column->id.value() - 1)].missing_value.reset();
  return RewriteRows(changed, list);
}

Status TableAlteration::AddIdentity(const PgQuery__AlterTableCmd& command) {
  OMEN_ASSIGN(catalog::ColumnDef * column, Column(View(command.name)));
  if (!column->not_null) {
    return Status(sqlstate::kObjectNotInPrerequisiteState,
                  fmt::format("column \"{}\" of relation \"{}\" must be declared NOT NULL before "
                              "identity can be added",
                              column->name, table_.name));
  }
  if (column->identity != catalog::Identity::kNone) {
    return Status(sqlstate::kObjectNotInPrerequisiteState,
                  fmt::format("column \"{}\" of relation \"{}\" is already an identity column",
                              column->name, table_.name));
  }
  if (!column->default_sql.empty()) {
    return Status(sqlstate::kObjectNotInPrerequisiteState,
                  fmt::format("column \"{}\" of relation \"{}\" already has a default value",
                              column->name, table_.name));
  }
  const PgQuery__Constraint& constraint = *command.def->constraint;
  catalog::SequenceDef sequence;
  TableBuilder builder(call_, table_);
  sequence.oid = session_.db().NewOid();
  sequence.database = table_.database;
  sequence.schema = table_.schema;
  sequence.owner = table_.owner;
  sequence.name = builder.FreeRelationName(table_.name + "_" + column->name + "_seq");
  sequence.type = column->type;
  sequence.owned_by_table = table_.oid;
  sequence.owned_by_column = column->id;
  sequence.is_identity = true;
  std::optional<int64_t> restart;
  OMEN_TRY(ReadSequenceOptions(session_, constraint.n_options, constraint.options, true, sequence,
                               restart));
  const catalog::SchemaDef* schema = session_.catalog()->schema(table_.schema);
  column->default_sql =
      "nextval(" + QuoteLiteral(QualifiedName(schema->name, sequence.name)) + "::regclass)";
  column->identity = View(constraint.generated_when) == "a" ? catalog::Identity::kAlways
                                                            : catalog::Identity::kByDefault;
  OMEN_TRY(PutSequence(session_, session_.db().EditCatalog(*session_.block().txn()), sequence));
  return Put();
}

Status TableAlteration::DropIdentity(const PgQuery__AlterTableCmd& command) {
  OMEN_ASSIGN(catalog::ColumnDef * column, Column(View(command.name)));
  if (column->identity == catalog::Identity::kNone) {
    const Status none(
        sqlstate::kObjectNotInPrerequisiteState,
        fmt::format("column \"{}\" of relation \"{}\" is not an identity column{}", column->name,
                    table_.name, command.missing_ok ? ", skipping" : ""));
    if (!command.missing_ok) return none;
    session_.Notify("NOTICE", none);
    return Status::Ok();
  }
  column->identity = catalog::Identity::kNone;
  column->default_sql.clear();
  catalog::CatalogEdit& edit = session_.db().EditCatalog(*session_.block().txn());
  for (const auto& sequence : edit.view()->sequences(session_.database())) {
    if (sequence->is_identity && sequence->owned_by_table == table_.oid &&
        sequence->owned_by_column == column->id) {
      OMEN_TRY(edit.Drop(catalog::ObjectKind::kSequence, sequence->oid));
    }
  }
  return Put();
}

Status TableAlteration::SetPersistence(catalog::Persistence persistence) {
  table_.persistence = persistence;
  return Put();
}

Status TableAlteration::Run(const PgQuery__AlterTableCmd& command) {
  switch (command.subtype) {
    case PG_QUERY__ALTER_TABLE_TYPE__AT_AddColumn:
      return AddColumn(command);
    case PG_QUERY__ALTER_TABLE_TYPE__AT_DropColumn:
      return DropColumn(View(command.name), command.missing_ok,
                        command.behavior == PG_QUERY__DROP_BEHAVIOR__DROP_CASCADE);
    case PG_QUERY__ALTER_TABLE_TYPE__AT_DropExpression:
      return DropExpression(command);
    case PG_QUERY__ALTER_TABLE_TYPE__AT_ColumnDefault:
      return SetDefault(command);
    case PG_QUERY__ALTER_TABLE_TYPE__AT_SetNotNull:
      return SetNotNull(command);
    case PG_QUERY__ALTER_TABLE_TYPE__AT_DropNotNull:
      return DropNotNull(command);
    case PG_QUERY__ALTER_TABLE_TYPE__AT_AlterColumnType:
      return ChangeType(command);
    case PG_QUERY__ALTER_TABLE_TYPE__AT_AddConstraint:
      return AddConstraint(*command.def->constraint);
    case PG_QUERY__ALTER_TABLE_TYPE__AT_DropConstraint:
      return DropConstraint(command);
    case PG_QUERY__ALTER_TABLE_TYPE__AT_ValidateConstraint:
      return ValidateConstraint(command);
    case PG_QUERY__ALTER_TABLE_TYPE__AT_AddIdentity:
      return AddIdentity(command);
    case PG_QUERY__ALTER_TABLE_TYPE__AT_DropIdentity:
      return DropIdentity(command);
    case PG_QUERY__ALTER_TABLE_TYPE__AT_SetLogged:
      return SetPersistence(catalog::Persistence::kPermanent);
    case PG_QUERY__ALTER_TABLE_TYPE__AT_SetUnLogged:
      return SetPersistence(catalog::Persistence::kUnlogged);
    // They say how PostgreSQL's own storage keeps rows: nothing to keep here.
    case PG_QUERY__ALTER_TABLE_TYPE__AT_SetRelOptions:
    case PG_QUERY__ALTER_TABLE_TYPE__AT_ResetRelOptions:
    case PG_QUERY__ALTER_TABLE_TYPE__AT_SetStatistics:
    case PG_QUERY__ALTER_TABLE_TYPE__AT_SetStorage:
    case PG_QUERY__ALTER_TABLE_TYPE__AT_ClusterOn:
    case PG_QUERY__ALTER_TABLE_TYPE__AT_DropCluster:
    case PG_QUERY__ALTER_TABLE_TYPE__AT_SetAccessMethod:
    case PG_QUERY__ALTER_TABLE_TYPE__AT_ReplicaIdentity:
      return Status::Ok();
    default:
      return NotSupported("this ALTER TABLE command");
  }
}

Status RunAlterTable(UtilityCall& call) {
  const PgQuery__AlterTableStmt& alter = *call.node()->alter_table_stmt;
  SessionImpl& session = call.session;
  const QualifiedRelation name = NameOf(*alter.relation);
  if (alter.missing_ok && !FindRelation(session, name)) {
    session.Notify("NOTICE",
                   Status(sqlstate::kUndefinedTable,
                          fmt::format("relation \"{}\" does not exist, skipping", name.name)));
    return Status::Ok();
  }
  OMEN_ASSIGN(catalog::Relation found, GetRelation(session, name));
  bool only_owner = true;
  for (size_t i = 0; i < alter.n_cmds; ++i) {
    const PgQuery__AlterTableCmd& command = *alter.cmds[i]->alter_table_cmd;
    if (command.subtype != PG_QUERY__ALTER_TABLE_TYPE__AT_ChangeOwner) {
      only_owner = false;
      continue;
    }
    OMEN_ASSIGN(const catalog::RoleDef* role, GetRole(session, *command.newowner));
    OMEN_TRY(CheckMember(session, *role));
    OMEN_TRY(SetRelationOwner(session, found, role->oid));
  }
  if (only_owner) return Status::Ok();
  if (found.table == nullptr || found.index != nullptr) {
    if (found.index != nullptr) return Status::Ok();  // SET (fillfactor = ...) and its like.
    return Status(sqlstate::kWrongObjectType,
                  fmt::format("ALTER action cannot be performed on relation \"{}\"", name.name))
        .WithDetail(fmt::format("This operation is not supported for {}s.", KindName(found)));
  }
  OMEN_TRY(CheckOwner(session, found.table->owner, "table", found.table->name));
  engine::StatementContext context = session.MakeContext(call.waiter);
  OMEN_ASSIGN(auto definition, LockForDdl(session, context, found.table->oid));
  TableAlteration alteration(call, *definition);
  for (size_t i = 0; i < alter.n_cmds; ++i) {
    const PgQuery__AlterTableCmd& command = *alter.cmds[i]->alter_table_cmd;
    if (command.subtype == PG_QUERY__ALTER_TABLE_TYPE__AT_ChangeOwner) continue;
    OMEN_TRY(alteration.Run(command));
  }
  return Status::Ok();
}

}  // namespace omendb::sql
