#include "sql/ddl/table_builder.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/sqlstate.h"
#include "catalog/column_ids.h"
#include "sql/rewrite/rewriter.h"
#include "sql/statements/evaluate.h"
#include "sql/type_text.h"

namespace omendb::sql {

using catalog::ConstraintDef;
using catalog::ConstraintKind;
using catalog::IndexDef;
using types::TypeKind;

namespace {

// smallserial, serial, bigserial: the integer type, or kUnknown.
TypeKind SerialKind(const PgQuery__TypeName& type) {
  const std::string_view name = LastName(type.names, type.n_names);
  if (name == "serial" || name == "serial4") return TypeKind::kInt4;
  if (name == "bigserial" || name == "serial8") return TypeKind::kInt8;
  if (name == "smallserial" || name == "serial2") return TypeKind::kInt2;
  return TypeKind::kUnknown;
}

}  // namespace

std::string ObjectName(std::string first, std::string second, std::string_view label) {
  constexpr size_t kNameBytes = 63;
  const size_t overhead = (second.empty() ? 0 : 1) + (label.empty() ? 0 : label.size() + 1);
  while (first.size() + second.size() + overhead > kNameBytes) {
    (first.size() > second.size() ? first : second).pop_back();
  }
  std::string name = first;
  if (!second.empty()) name += "_" + second;
  if (!label.empty()) name += "_" + std::string(label);
  return name;
}

std::string JoinedNames(const catalog::TableDef& table, const std::vector<ColumnId>& columns) {
  std::string joined;
  for (ColumnId id : columns) joined += (joined.empty() ? "" : "_") + table.column(id).name;
  return joined;
}

std::string FullName(const SessionImpl& session, const catalog::TableDef& table) {
  const catalog::SchemaDef* schema = session.catalog()->schema(table.schema);
  return QualifiedName(schema != nullptr ? schema->name : "", table.name);
}

Result<std::optional<std::vector<std::optional<std::string>>>> FirstRow(SessionImpl& session,
                                                                        const std::string& sql) {
  OMEN_ASSIGN(auto plan, session.ParsePlan(sql));
  std::optional<std::vector<std::optional<std::string>>> first;
  uint64_t affected = 0;
  OMEN_TRY(session.RunQueryRows(
      *plan, {},
      [&](const types::Chunk* chunk, std::span<const types::Value> row) -> Status {
        if (first || (chunk != nullptr && chunk->rows_count == 0)) return Status::Ok();
        first.emplace();
        for (size_t c = 0; c < plan->columns.size(); ++c) {
          const types::Value value = chunk != nullptr ? chunk->columns[c].Get(0) : row[c];
          std::string text;
          if (!value.is_null) {
            types::FormatText(plan->columns[c].type, value, session.settings().io(), text);
          }
          first->push_back(value.is_null ? std::nullopt : std::optional(std::move(text)));
        }
        return Status::Ok();
      },
      &affected));
  return first;
}

Result<uint64_t> RunSql(SessionImpl& session, const std::string& sql) {
  OMEN_ASSIGN(auto plan, session.ParsePlan(sql));
  return session.RunToEnd(*plan);
}

Status CheckSql(SessionImpl& session, const std::string& sql) {
  OMEN_ASSIGN(auto plan, session.ParsePlan(sql));
  Status status = session.EnsureBound(*plan);
  if (status.ok()) return status;
  ErrorInfo info = status.error();
  info.position = 0;  // Of a text the client never saw.
  return Status(std::move(info));
}

Status CheckColumnType(const types::SqlType& type, std::string_view column) {
  if (type.kind == TypeKind::kUnknown || type.kind == TypeKind::kVoid ||
      type.kind == TypeKind::kRecord) {
    return Status(sqlstate::kInvalidTableDefinition,
                  fmt::format("column \"{}\" has pseudo-type {}", column, types::FormatType(type)));
  }
  return Status::Ok();
}

std::string TableBuilder::FreeRelationName(std::string base) const {
  auto snapshot = session_.catalog();
  auto taken = [&](const std::string& name) {
    if (snapshot->FindRelation(table_.schema, name)) return true;
    if (name == table_.name) return true;
    for (const IndexDef& index : table_.indexes) {
      if (index.name == name) return true;
    }
    for (const catalog::SequenceDef& sequence : sequences_) {
      if (sequence.name == name) return true;
    }
    return false;
  };
  std::string name = base;
  for (int i = 1; taken(name); ++i) name = base + std::to_string(i);
  return name;
}

// PostgreSQL shows constants with the column's type, and nextval's argument as regclass.
Result<std::string> TableBuilder::DefaultText(const Node* expression, const types::SqlType& type,
                                              const types::IoSettings& io, AstBuilder& build) {
  types::SqlType bare = type;
  bare.typmod = -1;
  if (IsConst(expression) && !expression->a_const->isnull) {
    const auto kind = expression->a_const->val_case;
    if (kind == PG_QUERY__A__CONST__VAL_SVAL) {
      return QuoteLiteral(WrittenOutTime(View(expression->a_const->sval->sval), bare, io)) +
             "::" + CastName(bare);
    }
    const std::string text = ConstText(expression);
    if (kind != PG_QUERY__A__CONST__VAL_BOOLVAL && text.starts_with("-")) {
      const bool is_int = kind == PG_QUERY__A__CONST__VAL_IVAL;
      return "'" + text + "'::" + (is_int ? "integer" : "numeric");
    }
  }
  Node* copy = build.Clone(expression);
  bool has_column = false;
  bool has_query = false;
  WalkNode(copy, [&](Node* node) {
    has_column = has_column || node->node_case == PG_QUERY__NODE__NODE_COLUMN_REF;
    has_query = has_query || node->node_case == PG_QUERY__NODE__NODE_SUB_LINK;
    if (node->node_case == PG_QUERY__NODE__NODE_FUNC_CALL && node->func_call->n_args == 1 &&
        IsConst(node->func_call->args[0])) {
      const std::string_view name =
          LastName(node->func_call->funcname, node->func_call->n_funcname);
      if (name == "nextval" || name == "currval") {
        node->func_call->args[0] = build.Cast(node->func_call->args[0], "regclass");
      }
    }
    return true;
  });
  if (has_column) {
    return Status(sqlstate::kFeatureNotSupported,
                  "cannot use column reference in DEFAULT expression");
  }
  if (has_query) {
    return Status(sqlstate::kFeatureNotSupported, "cannot use subquery in DEFAULT expression");
  }
  WriteOutTimes(copy, io, build);
  return DeparseExpression(copy);
}

Result<std::string> TableBuilder::ExpressionText(const Node* expression) const {
  const auto type_of = [&](std::string_view name) -> std::optional<types::SqlType> {
    const catalog::ColumnDef* column = table_.FindColumn(name);
    if (column == nullptr) return std::nullopt;
    return column->type;
  };
  return DefinitionText(expression, type_of, session_.settings().io());
}

Status TableBuilder::AddColumn(const PgQuery__ColumnDef& source) {
  catalog::ColumnDef column;
  column.id = ColumnId(static_cast<int16_t>(table_.columns.size() + 1));
  column.name = View(source.colname);
  if (table_.FindColumn(column.name) != nullptr) {
    return Status(sqlstate::kDuplicateColumn,
                  fmt::format("column \"{}\" specified more than once", column.name));
  }
  constexpr size_t kColumnsMax = 1600;
  if (table_.columns.size() >= kColumnsMax) {
    return Status(SqlState("54011"), "tables can have at most 1600 columns");
  }
  for (std::string_view system : {"tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"}) {
    if (column.name == system) {
      return Status(sqlstate::kDuplicateColumn,
                    fmt::format("column name \"{}\" conflicts with a system column name", system));
    }
  }
  const TypeKind serial = SerialKind(*source.type_name);
  if (serial != TypeKind::kUnknown) {
    column.type = {serial};
    column.not_null = true;
  } else {
    auto type = ResolveTypeName(*source.type_name);
    if (!type.ok()) {
      const int location = source.type_name->location;
      if (location < 0) return type.status();
      const auto before =
          std::string_view(call_.statement.tree->text()).substr(0, static_cast<size_t>(location));
      return Status(type.status()).WithPosition(static_cast<int>(types::Utf8Length(before)) + 1);
    }
    column.type = *type;
    OMEN_TRY(CheckColumnType(column.type, column.name));
  }
  if (source.coll_clause != nullptr) {
    const std::string_view name =
        LastName(source.coll_clause->collname, source.coll_clause->n_collname);
    if (name != "C" && name != "default" && name != "POSIX" && name != "ucs_basic") {
      return NotSupported("collation \"" + std::string(name) + "\"");
    }
  }
  table_.columns.push_back(std::move(column));
  catalog::ColumnDef& added = table_.columns.back();
  if (serial != TypeKind::kUnknown) OMEN_TRY(AddSequence(added, {serial}, false, nullptr));
  for (size_t i = 0; i < source.n_constraints; ++i) {
    OMEN_TRY(ApplyColumnConstraint(added, *source.constraints[i]->constraint));
  }
  return Status::Ok();
}

Status TableBuilder::ApplyColumnConstraint(catalog::ColumnDef& column,
                                           const PgQuery__Constraint& constraint) {
  AstBuilder build(call_.result.buffer.arena());
  switch (constraint.contype) {
    case PG_QUERY__CONSTR_TYPE__CONSTR_NOTNULL:
      column.not_null = true;
      return Status::Ok();
    case PG_QUERY__CONSTR_TYPE__CONSTR_NULL:
      return Status::Ok();
    case PG_QUERY__CONSTR_TYPE__CONSTR_DEFAULT: {
      if (!column.default_sql.empty()) {
        return Status(sqlstate::kSyntaxError,
                      fmt::format("multiple default values specified for column \"{}\" of table "
                                  "\"{}\"",
                                  column.name, table_.name));
      }
      if (IsConst(constraint.raw_expr) && constraint.raw_expr->a_const->isnull) {
        return Status::Ok();
      }
      OMEN_ASSIGN(column.default_sql,
                  DefaultText(constraint.raw_expr, column.type, session_.settings().io(), build));
      return CheckSql(session_,
                      "SELECT CAST((" + column.default_sql + ") AS " + CastName(column.type) + ")");
    }
    case PG_QUERY__CONSTR_TYPE__CONSTR_IDENTITY:
      if (column.type.kind != TypeKind::kInt2 && column.type.kind != TypeKind::kInt4 &&
          column.type.kind != TypeKind::kInt8) {
        return Status(sqlstate::kInvalidParameterValue,
                      "identity column type must be smallint, integer, or bigint");
      }
      column.identity = View(constraint.generated_when) == "a" ? catalog::Identity::kAlways
                                                               : catalog::Identity::kByDefault;
      column.not_null = true;
      return AddSequence(column, column.type, true, &constraint);
    case PG_QUERY__CONSTR_TYPE__CONSTR_GENERATED: {
      if (!column.default_sql.empty()) {
        return Status(sqlstate::kSyntaxError,
                      fmt::format("both default and generation expression specified for column "
                                  "\"{}\" of table \"{}\"",
                                  column.name, table_.name));
      }
      OMEN_ASSIGN(column.generated_sql, ExpressionText(constraint.raw_expr));
      return Status::Ok();  // Looked into when all columns are known.
    }
    case PG_QUERY__CONSTR_TYPE__CONSTR_ATTR_DEFERRABLE:
    case PG_QUERY__CONSTR_TYPE__CONSTR_ATTR_NOT_DEFERRABLE:
    case PG_QUERY__CONSTR_TYPE__CONSTR_ATTR_DEFERRED:
    case PG_QUERY__CONSTR_TYPE__CONSTR_ATTR_IMMEDIATE: {
      if (pending_.empty()) {
        return Status(sqlstate::kSyntaxError, "misplaced DEFERRABLE clause");
      }
      auto* last = const_cast<PgQuery__Constraint*>(pending_.back().constraint);
      if (constraint.contype == PG_QUERY__CONSTR_TYPE__CONSTR_ATTR_DEFERRABLE) {
        last->deferrable = true;
      }
      if (constraint.contype == PG_QUERY__CONSTR_TYPE__CONSTR_ATTR_DEFERRED) {
        last->deferrable = last->initdeferred = true;
      }
      return Status::Ok();
    }
    default:
      pending_.push_back({&constraint, column.name});
      return Status::Ok();
  }
}

Status TableBuilder::AddSequence(catalog::ColumnDef& column, const types::SqlType& type,
                                 bool identity, const PgQuery__Constraint* options) {
  catalog::SequenceDef sequence;
  sequence.oid = session_.db().NewOid();
  sequence.database = table_.database;
  sequence.schema = table_.schema;
  sequence.name = FreeRelationName(ObjectName(table_.name, column.name, "seq"));
  sequence.owner = table_.owner;
  sequence.persistence = table_.persistence;
  sequence.type = type;
  sequence.max_value = type.kind == TypeKind::kInt2   ? INT16_MAX
                       : type.kind == TypeKind::kInt4 ? INT32_MAX
                                                      : INT64_MAX;
  sequence.owned_by_table = table_.oid;
  sequence.owned_by_column = column.id;
  sequence.is_identity = identity;
  if (options != nullptr) {
    std::optional<int64_t> restart;
    OMEN_TRY(ReadSequenceOptions(session_, options->n_options, options->options, true, sequence,
                                 restart));
  }
  const catalog::SchemaDef* schema = session_.catalog()->schema(table_.schema);
  // Qualified where the name alone would not be found.
  const auto path = session_.SearchPath(false);
  const bool visible = std::find(path.begin(), path.end(), schema->name) != path.end();
  const std::string name = visible && table_.persistence != catalog::Persistence::kTemporary
                               ? QuoteIdentifier(sequence.name)
                               : QualifiedName(schema->name, sequence.name);
  column.default_sql = "nextval(" + QuoteLiteral(name) + "::regclass)";
  sequences_.push_back(std::move(sequence));
  return Status::Ok();
}

Status TableBuilder::AddLike(const PgQuery__TableLikeClause& like) {
  constexpr uint32_t kDefaults = 1 << 3, kIndexes = 1 << 6, kConstraints = 1 << 2,
                     kGenerated = 1 << 4;
  OMEN_ASSIGN(auto source, GetTable(session_, NameOf(*like.relation)));
  std::vector<ColumnId> mapped(source->columns.size() + 1);
  for (ColumnId id : source->live_columns()) {
    catalog::ColumnDef column = source->column(id);
    if (table_.FindColumn(column.name) != nullptr) {
      return Status(sqlstate::kDuplicateColumn,
                    fmt::format("column \"{}\" specified more than once", column.name));
    }
    column.id = ColumnId(static_cast<int16_t>(table_.columns.size() + 1));
    mapped[static_cast<size_t>(id.value())] = column.id;
    if ((like.options & kDefaults) == 0) column.default_sql.clear();
    column.identity = catalog::Identity::kNone;
    if ((like.options & kGenerated) == 0) column.generated_sql.clear();
    column.missing_value.reset();
    table_.columns.push_back(std::move(column));
  }
  for (const ConstraintDef& constraint : source->constraints) {
    if (constraint.kind != ConstraintKind::kCheck || (like.options & kConstraints) == 0) continue;
    ConstraintDef copy = constraint;
    copy.oid = session_.db().NewOid();
    for (ColumnId& id : copy.columns) id = mapped[static_cast<size_t>(id.value())];
    table_.constraints.push_back(std::move(copy));
  }
  if ((like.options & kIndexes) == 0) return Status::Ok();
  for (const IndexDef& index : source->indexes) {
    IndexDef copy = index;
    copy.oid = session_.db().NewOid();
    copy.storage = session_.db().NewOid();
    for (catalog::IndexKey& key : copy.keys) {
      key.column = mapped[static_cast<size_t>(key.column.value())];
    }
    for (ColumnId& id : copy.included) id = mapped[static_cast<size_t>(id.value())];
    const ConstraintDef* owner = nullptr;
    for (const ConstraintDef& constraint : source->constraints) {
      if (constraint.index == index.oid) owner = &constraint;
    }
    const std::string label = index.primary ? "pkey" : owner != nullptr ? "key" : "idx";
    copy.name = FreeRelationName(ObjectName(
        table_.name, index.primary ? "" : JoinedNames(table_, catalog::ColumnsOf(copy)), label));
    if (owner != nullptr) {
      ConstraintDef constraint = *owner;
      constraint.oid = session_.db().NewOid();
      constraint.name = copy.name;
      constraint.columns = catalog::KeyColumns(copy);
      constraint.index = copy.oid;
      table_.constraints.push_back(std::move(constraint));
    }
    table_.indexes.push_back(std::move(copy));
  }
  return Status::Ok();
}

Status CheckConditions(SessionImpl& session, const catalog::TableDef& table,
                       const std::vector<Oid>& constraints) {
  for (const ConstraintDef& constraint : table.constraints) {
    if (constraint.kind != ConstraintKind::kCheck) continue;
    if (std::find(constraints.begin(), constraints.end(), constraint.oid) == constraints.end()) {
      continue;
    }
    OMEN_TRY(CheckSql(session, "SELECT 1 FROM " + FullName(session, table) + " WHERE (" +
                                   constraint.check_sql + ")"));
  }
  return Status::Ok();
}

}  // namespace omendb::sql
