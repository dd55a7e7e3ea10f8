// Planning: text -> parse tree -> DuckDB's dialect -> bound statement, and the tables to lock.
#include <algorithm>

#include "base/sqlstate.h"
#include "sql/error_position.h"
#include "sql/locking_subqueries.h"
#include "sql/modifying_with.h"
#include "sql/parse/clauses.h"
#include "sql/privileges.h"
#include "sql/rewrite/rewriter.h"
#include "sql/session_impl.h"
#include "sql/statements/dispatch.h"

namespace omendb::sql {
namespace {

// SELECT INTO makes a table: a utility statement.
bool RunsInExecutor(const Node* node) {
  const bool is_into = node->node_case == PG_QUERY__NODE__NODE_SELECT_STMT &&
                       node->select_stmt->into_clause != nullptr;
  return IsQuery(node) && !is_into;
}

// The locks of the tables among `uses`, one for each, in the order in which all take them.
std::vector<TableLock> LocksOf(const catalog::CatalogSnapshot& snapshot,
                               const std::vector<RelationUse>& uses) {
  std::vector<TableLock> locks;
  for (const RelationUse& use : uses) {  // Sorted by relation.
    if (snapshot.table(use.relation) == nullptr) continue;
    if (!locks.empty() && locks.back().table == use.relation) {
      locks.back().mode = std::max(locks.back().mode, use.lock);
    } else {
      locks.push_back({use.relation, use.lock});
    }
  }
  return locks;
}

// The type of a column of this name in a table that the statement reads.
std::optional<types::SqlType> ColumnTypeIn(const SessionImpl& session,
                                           const catalog::CatalogSnapshot& snapshot,
                                           const Node* node, std::string_view name) {
  std::optional<types::SqlType> type;
  WalkAllMessages(const_cast<ProtobufCMessage*>(&node->base), [&](ProtobufCMessage* message) {
    if (message->descriptor == &pg_query__range_var__descriptor) {
      const auto& range = *reinterpret_cast<PgQuery__RangeVar*>(message);
      catalog::Relation found = FindRelation(session, snapshot, NameOf(range));
      const catalog::ColumnDef* column = found.table != nullptr && found.index == nullptr
                                             ? found.table->FindColumn(name)
                                             : nullptr;
      if (column != nullptr) type = column->type;
    }
    return true;
  });
  return type;
}

// $1::int4 says that the parameter is an int4, as in PostgreSQL.
void TypeCastParameters(const Node* node, std::vector<types::SqlType>& types) {
  WalkNode(const_cast<Node*>(node), [&](Node* n) {
    if (n->node_case != PG_QUERY__NODE__NODE_TYPE_CAST ||
        n->type_cast->arg->node_case != PG_QUERY__NODE__NODE_PARAM_REF) {
      return true;
    }
    const auto index = static_cast<size_t>(n->type_cast->arg->param_ref->number - 1);
    const PgQuery__TypeName& name = *n->type_cast->type_name;
    const std::string_view last = LastName(name.names, name.n_names);
    if (index >= types.size() || types[index].kind != types::TypeKind::kUnknown ||
        last.starts_with("reg")) {
      return true;
    }
    auto type = types::TypeFromName(last);
    if (!type.ok()) return true;
    if (name.n_array_bounds > 0) type->is_array = true;
    types[index] = *type;
    return true;
  });
}

bool SameColumns(const std::vector<types::ResultColumn>& a,
                 const std::vector<types::ResultColumn>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const types::ResultColumn& x, const types::ResultColumn& y) {
                      return x.type == y.type && x.name == y.name;
                    });
}

// What a writing statement may not write to.
Status CheckTarget(const SessionImpl& session, const Node* node) {
  const PgQuery__RangeVar* target = DmlClausesOf(node).target;
  if (target == nullptr) return Status::Ok();
  const QualifiedRelation name = NameOf(*target);
  catalog::Relation found = FindRelation(session, name);
  if (found.view != nullptr) {
    if (node->node_case == PG_QUERY__NODE__NODE_MERGE_STMT) {
      return Status(sqlstate::kFeatureNotSupported,
                    "cannot execute MERGE on relation \"" + name.name + "\"")
          .WithDetail("This operation is not supported for views.");
    }
    return NotSupported("writing to view \"" + name.name + "\"");
  }
  if (found.index != nullptr) {
    return Status(sqlstate::kWrongObjectType, "cannot open relation \"" + name.name + "\"");
  }
  if (found.sequence != nullptr) {
    return Status(sqlstate::kWrongObjectType, "cannot change sequence \"" + name.name + "\"");
  }
  // Those of the system are not in the catalog.
  const bool may_be_system =
      name.schema.empty() ? name.name.starts_with("pg_")
                          : name.schema == "pg_catalog" || name.schema == "information_schema";
  return found || may_be_system ? Status::Ok() : GetRelation(session, name).status();
}

}  // namespace

std::shared_ptr<Plan> SessionImpl::NewPlan(Statement statement,
                                           std::span<const types::SqlType> types) {
  auto plan = std::make_shared<Plan>();
  plan->is_query = RunsInExecutor(statement.node);
  plan->returns_rows = MayReturnRows(statement.node);
  plan->modifies_below = plan->is_query && HasModifyingWith(statement.node);
  plan->locks_below = plan->is_query && !plan->modifies_below && HasLockingSubquery(statement.node);
  plan->parameters = ParameterCount(statement.node);
  plan->declared_types.assign(types.begin(), types.end());
  plan->statement = std::move(statement);
  return plan;
}

Result<std::shared_ptr<Plan>> SessionImpl::ParsePlan(std::string_view text,
                                                     std::span<const types::SqlType> types) {
  OMEN_ASSIGN(auto tree, ParseTree::Parse(text));
  return NewPlan(tree->statement(0), types);
}

bool SessionImpl::IsCurrent(const Plan& plan) const {
  return plan.bound_ok && plan.generation == settings_.plan_generation() &&
         plan.catalog_version == db().CatalogVersionFor(block_.txn());
}

Status SessionImpl::EnsureBound(Plan& plan) {
  if (!plan.is_query || IsCurrent(plan)) return Status::Ok();
  OMEN_TRY(SettleStream());
  block_.EnsureStarted();
  Status status = OnPool([&](Waiter& waiter) { return BindOnPool(plan, waiter); });
  if (!status.ok()) {
    size_t table_columns = kUnknownColumns;
    if (const PgQuery__RangeVar* target = DmlClausesOf(plan.statement.node).target) {
      const auto table = FindRelation(*this, NameOf(*target)).table;
      if (table != nullptr) table_columns = table->live_columns().size();
    }
    return AnnotatePosition(std::move(status), plan.statement, table_columns);
  }
  if (plan.was_described && !SameColumns(plan.described, plan.columns)) {
    plan.bound_ok = false;
    return Status(sqlstate::kFeatureNotSupported, "cached plan must not change result type");
  }
  return Status::Ok();
}

Status SessionImpl::BindOnPool(Plan& plan, Waiter& waiter) {
  plan.bound_ok = false;
  plan.row_plan.reset();
  plan.gave_up = 0;
  plan.bound.reset();
  OMEN_TRY(CheckTarget(*this, plan.statement.node));
  engine::StatementContext context = MakeContext(waiter);
  if (duck_generation_ != settings_.plan_generation()) {
    OMEN_TRY(duck_->SetTimeZone(settings_.Get("TimeZone")));
    duck_generation_ = settings_.plan_generation();
  }
  OMEN_TRY(duck_->SetSearchPath(SearchPath(true)));
  RewriteContext rewrite;
  rewrite.io = &settings_.io();
  rewrite.catalog = context.catalog.get();
  rewrite.find_table = [&](const PgQuery__RangeVar& range) {
    return FindRelation(*this, *context.catalog, NameOf(range)).table;
  };
  rewrite.column_type = [&](std::string_view column) {
    return ColumnTypeIn(*this, *context.catalog, plan.statement.node, column);
  };
  std::vector<types::SqlType> types = plan.declared_types;
  types.resize(static_cast<size_t>(plan.parameters));
  types::Arena arena;
  AstBuilder build(arena);
  const Node* node = plan.statement.node;
  if (plan.modifies_below) {
    OMEN_ASSIGN(node, DescribeModifyingWith(*this, plan, types, build));
  }
  OMEN_ASSIGN(RewrittenStatement rewritten,
              RewriteStatement(node, plan.statement.tree->text(), rewrite));
  duck::BindOptions options;
  options.lock = rewritten.lock;
  options.lock_wait = rewritten.lock_wait;
  options.analyzed_micros = settings_.io().now_micros;
  options.want_row_plan = settings_.row_executor() && !plan.locks_below && !plan.modifies_below;
  TypeCastParameters(plan.statement.node, types);
  OMEN_ASSIGN(plan.bound, duck_->Bind(rewritten.sql, types, context, options));
  if (options.lock.has_value() && plan.bound->row_plan() == nullptr) {
    OMEN_ASSIGN(RowLocks locks, RewriteRowLocks(node, plan.statement.tree->text(), rewrite));
    options.hidden = duck::HiddenColumns{locks.has_limit, locks.has_offset, locks.tables};
    options.want_row_plan = false;
    OMEN_ASSIGN(plan.bound, duck_->Bind(locks.sql, types, context, options));
  }
  plan.columns = plan.bound->columns();
  plan.param_types = plan.bound->param_types();
  plan.param_types.resize(static_cast<size_t>(plan.parameters), {types::TypeKind::kText});
  for (types::SqlType& type : plan.param_types) {
    if (type.kind == types::TypeKind::kUnknown) type.kind = types::TypeKind::kText;
  }
  plan.row_plan = options.want_row_plan ? plan.bound->row_plan() : nullptr;
  OMEN_ASSIGN(plan.uses, CollectUses(*this, *context.catalog, plan.statement.node,
                                     rewritten.lock.has_value()));
  plan.lock = rewritten.lock;
  plan.locks = LocksOf(*context.catalog, plan.uses);
  plan.privileges_of.reset();
  plan.catalog_version = context.catalog->version();
  plan.generation = settings_.plan_generation();
  plan.bound_ok = true;
  return Status::Ok();
}

// Locks the statement's tables, binding again when the catalog moved while it waited.
Status SessionImpl::LockAndBind(Plan& plan, engine::StatementContext& context) {
  constexpr int kAttempts = 10;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    OMEN_TRY(EnsureBound(plan));
    for (const TableLock& lock : plan.locks) {
      OMEN_TRY(block_.txn()->LockTable(lock.table, lock.mode, txn::LockWait::kWait, *context.waiter,
                                       &cancel_, context.lock_timeout_ms));
    }
    if (IsCurrent(plan)) {
      if (context.catalog->version() != plan.catalog_version) context.catalog = catalog();
      OMEN_TRY(CheckPlanPrivileges(plan, *context.catalog));
      return CheckReadable(plan, *context.catalog);
    }
  }
  return Status(sqlstate::kInternalError, "the catalog changes too often to run this statement");
}

Status SessionImpl::CheckReadable(const Plan& plan, const catalog::CatalogSnapshot& snapshot) {
  if (!db().is_damaged()) return Status::Ok();
  for (const TableLock& lock : plan.locks) {
    const auto table = snapshot.table(lock.table);
    if (table != nullptr) OMEN_TRY(db().CheckReadable(*table, settings_.read_damaged_tables()));
  }
  return Status::Ok();
}

// Once for a plan, a catalog and a role: a plan is bound again when the catalog changes.
Status SessionImpl::CheckPlanPrivileges(Plan& plan, const catalog::CatalogSnapshot& snapshot) {
  if (plan.privileges_of == current_user()) return Status::Ok();
  OMEN_TRY(CheckUses(*this, snapshot, plan.uses));
  plan.privileges_of = current_user();
  return Status::Ok();
}

void SessionImpl::NoteDescribed(Plan& plan) {
  if (plan.was_described) return;
  plan.described = plan.columns;
  plan.was_described = true;
}

Result<Session::Description> SessionImpl::Describe(Plan& plan) {
  Description description;
  description.has_rows = plan.returns_rows;
  if (plan.is_query) {
    OMEN_TRY(EnsureBound(plan));
    description.columns = plan.columns;
    for (const types::SqlType& type : plan.param_types) {
      description.param_oids.push_back(types::TypeOid(type));
    }
    NoteDescribed(plan);
    return description;
  }
  if (plan.returns_rows) {
    OMEN_ASSIGN(description.columns, UtilityColumns(*this, plan.statement));
    description.has_rows = !description.columns.empty();
  }
  for (int i = 0; i < plan.parameters; ++i) {
    description.param_oids.push_back(types::TypeOid({types::TypeKind::kText}));
  }
  return description;
}

}  // namespace omendb::sql
