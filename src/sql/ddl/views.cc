// CREATE [OR REPLACE] VIEW. The definition is kept as PostgreSQL text that depends neither on the
// search_path (names are qualified) nor on later columns of its tables (stars are spelled out).
#include <fmt/format.h>

#include <algorithm>

#include "base/sqlstate.h"
#include "sql/ddl/table_builder.h"
#include "sql/parse/clauses.h"
#include "sql/rewrite/rewriter.h"

namespace omendb::sql {
namespace {

// The one star of a select list stands for the columns that the others do not.
Status ExpandStar(PgQuery__SelectStmt& select, const std::vector<types::ResultColumn>& columns,
                  AstBuilder& build) {
  size_t stars = 0, star = 0;
  for (size_t i = 0; i < select.n_target_list; ++i) {
    if (!IsStar(select.target_list[i]->res_target->val)) continue;
    ++stars;
    star = i;
  }
  if (stars == 0) return Status::Ok();
  if (stars > 1 || select.op != PG_QUERY__SET_OPERATION__SETOP_NONE) {
    return stars > 1 ? NotSupported("a view with several stars in its select list") : Status::Ok();
  }
  const size_t width = columns.size() - (select.n_target_list - 1);
  const PgQuery__ColumnRef& reference = *select.target_list[star]->res_target->val->column_ref;
  std::vector<Node*> targets(select.target_list, select.target_list + star);
  for (size_t i = 0; i < width; ++i) {
    const std::string& name = columns[star + i].name;
    Node* column = reference.n_fields > 1
                       ? build.Column({StringOf(reference.fields[reference.n_fields - 2]), name})
                       : build.Column({name});
    targets.push_back(build.Target(column, ""));
  }
  targets.insert(targets.end(), select.target_list + star + 1,
                 select.target_list + select.n_target_list);
  select.n_target_list = targets.size();
  select.target_list = build.List(targets);
  return Status::Ok();
}

// Adds schemas to the names of relations and collects what they are.
void QualifyRelations(const SessionImpl& session, Node* query, std::vector<Oid>& depends_on,
                      bool& temporary, AstBuilder& build) {
  const auto ctes = CteNames(query);
  WalkNode(query, [&](Node* node) {
    if (node->node_case != PG_QUERY__NODE__NODE_RANGE_VAR) return true;
    PgQuery__RangeVar& range = *node->range_var;
    const bool plain = View(range.schemaname).empty();
    if (plain && ctes.contains(View(range.relname))) return true;
    catalog::Relation found = FindRelation(session, NameOf(range));
    if (!found) return true;
    const catalog::SchemaDef* schema = session.catalog()->schema(RelationSchema(found));
    if (plain && schema != nullptr) range.schemaname = build.Copy(schema->name);
    temporary = temporary || (schema != nullptr && schema->name == session.temp_schema_name());
    const Oid oid = RelationOid(found);
    if (std::find(depends_on.begin(), depends_on.end(), oid) == depends_on.end()) {
      depends_on.push_back(oid);
    }
    return true;
  });
}

Status NameColumns(const PgQuery__ViewStmt& create, catalog::ViewDef& view) {
  if (create.n_aliases > view.columns.size()) {
    return Status(sqlstate::kSyntaxError, "CREATE VIEW specifies more column names than columns");
  }
  for (size_t i = 0; i < create.n_aliases; ++i) {
    view.columns[i].name = StringOf(create.aliases[i]);
  }
  for (size_t i = 0; i < view.columns.size(); ++i) {
    for (size_t k = 0; k < i; ++k) {
      if (view.columns[k].name == view.columns[i].name) {
        return Status(sqlstate::kDuplicateColumn,
                      fmt::format("column \"{}\" specified more than once", view.columns[i].name));
      }
    }
  }
  return Status::Ok();
}

Status CheckReplaceable(const catalog::ViewDef& old, const catalog::ViewDef& view) {
  if (view.columns.size() < old.columns.size()) {
    return Status(sqlstate::kInvalidTableDefinition, "cannot drop columns from view");
  }
  for (size_t i = 0; i < old.columns.size(); ++i) {
    const catalog::ColumnDef& before = old.columns[i];
    const catalog::ColumnDef& after = view.columns[i];
    if (before.name != after.name) {
      return Status(sqlstate::kInvalidTableDefinition,
                    fmt::format("cannot change name of view column \"{}\" to \"{}\"", before.name,
                                after.name))
          .WithHint("Use ALTER VIEW ... RENAME COLUMN ... to change name of view column instead.");
    }
    if (before.type != after.type) {
      return Status(
          sqlstate::kInvalidTableDefinition,
          fmt::format("cannot change data type of view column \"{}\" from {} to {}", before.name,
                      types::FormatType(before.type), types::FormatType(after.type)));
    }
  }
  return Status::Ok();
}

}  // namespace

Status RunCreateView(UtilityCall& call) {
  const PgQuery__ViewStmt& create = *call.node()->view_stmt;
  SessionImpl& session = call.session;
  if (create.with_check_option != PG_QUERY__VIEW_CHECK_OPTION__NO_CHECK_OPTION) {
    return NotSupported("WITH CHECK OPTION");
  }
  Statement query = call.statement;
  query.node = create.query;
  if (query.kind() != PG_QUERY__NODE__NODE_SELECT_STMT) return NotSupported("this view");
  auto plan = session.NewPlan(query, {});
  if (plan->modifies_below) {
    return Status(sqlstate::kFeatureNotSupported,
                  "views must not contain data-modifying statements in WITH");
  }
  if (plan->locks_below || IsLockingSelect(query.node)) {
    return NotSupported("FOR UPDATE in a view");
  }
  if (plan->parameters > 0) {
    return Status(sqlstate::kUndefinedParameter, "there is no parameter $1");
  }
  if (query.node->select_stmt->into_clause != nullptr) {
    return Status(sqlstate::kFeatureNotSupported, "views must not contain SELECT INTO");
  }
  OMEN_TRY(session.EnsureBound(*plan));
  types::Arena arena;
  AstBuilder build(arena);
  Node* copy = build.Clone(create.query);
  OMEN_TRY(ExpandStar(*copy->select_stmt, plan->columns, build));
  WriteOutTimes(copy, session.settings().io(), build);
  catalog::ViewDef view;
  bool temporary = View(create.view->relpersistence) == "t";
  QualifyRelations(session, copy, view.depends_on, temporary, build);
  PgQuery__RangeVar target = *create.view;
  if (temporary) target.relpersistence = build.Copy("t");
  OMEN_ASSIGN(const catalog::SchemaDef* schema, CreationSchema(session, target));
  view.schema = schema->oid;
  view.database = session.database();
  view.name = View(create.view->relname);
  view.owner = session.current_role();
  view.persistence =
      temporary ? catalog::Persistence::kTemporary : catalog::Persistence::kPermanent;
  OMEN_ASSIGN(view.definition_sql, DeparseStatement(copy));
  for (size_t i = 0; i < plan->columns.size(); ++i) {
    catalog::ColumnDef column;
    column.id = ColumnId(static_cast<int16_t>(i + 1));
    column.name = plan->columns[i].name;
    column.type = plan->columns[i].type;
    view.columns.push_back(std::move(column));
  }
  OMEN_TRY(NameColumns(create, view));
  catalog::Relation existing = session.catalog()->FindRelation(view.schema, view.name);
  if (existing && (!create.replace || existing.view == nullptr)) {
    if (create.replace) {
      return Status(sqlstate::kWrongObjectType, fmt::format("\"{}\" is not a view", view.name));
    }
    return Status(sqlstate::kDuplicateTable,
                  fmt::format("relation \"{}\" already exists", view.name));
  }
  if (existing) {
    OMEN_TRY(CheckOwner(session, existing.view->owner, "view", view.name));
    OMEN_TRY(CheckReplaceable(*existing.view, view));
    view.oid = existing.view->oid;
    view.owner = existing.view->owner;
  } else {
    view.oid = session.db().NewOid();
  }
  return session.db().EditCatalog(*session.block().txn()).Put(view);
}

}  // namespace omendb::sql
