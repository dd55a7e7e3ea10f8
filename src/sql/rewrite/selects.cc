#include "sql/rewrite/rules.h"

namespace omendb::sql {
namespace {

txn::RowLockMode LockMode(PgQuery__LockClauseStrength strength) {
  switch (strength) {
    case PG_QUERY__LOCK_CLAUSE_STRENGTH__LCS_FORKEYSHARE:
      return txn::RowLockMode::kKeyShare;
    case PG_QUERY__LOCK_CLAUSE_STRENGTH__LCS_FORSHARE:
      return txn::RowLockMode::kShare;
    case PG_QUERY__LOCK_CLAUSE_STRENGTH__LCS_FORNOKEYUPDATE:
      return txn::RowLockMode::kNoKeyUpdate;
    default:
      return txn::RowLockMode::kUpdate;
  }
}

// A bare VALUES has the columns column1, column2, ...; the first row's names say so.
void NameValuesRow(PgQuery__SelectStmt& select, RewriteState& state) {
  if (select.n_values_lists == 0) return;
  AstBuilder& build = state.build;
  types::Arena& arena = build.arena();
  auto* inner = reinterpret_cast<PgQuery__SelectStmt*>(arena.Allocate(sizeof(PgQuery__SelectStmt)));
  *inner = select;
  inner->n_sort_clause = 0;
  inner->sort_clause = nullptr;
  inner->limit_count = inner->limit_offset = nullptr;
  inner->with_clause = nullptr;
  inner->limit_option = PG_QUERY__LIMIT_OPTION__LIMIT_OPTION_DEFAULT;
  Node* from = build.Subselect(inner, "*VALUES*");
  PgQuery__Alias* alias = from->range_subselect->alias;
  std::vector<Node*> names;
  for (size_t i = 0; i < select.values_lists[0]->list->n_items; ++i) {
    names.push_back(build.String("column" + std::to_string(i + 1)));
  }
  alias->n_colnames = names.size();
  alias->colnames = build.List(names);
  select.n_values_lists = 0;
  select.values_lists = nullptr;
  select.n_from_clause = 1;
  select.from_clause = build.List({from});
  select.n_target_list = 1;
  select.target_list = build.List({build.Target(build.Star(), "")});
}

Status CheckCount(const Node* count, SqlState negative, std::string_view clause) {
  if (count == nullptr || !IsConst(count) || !ConstText(count).starts_with("-")) {
    return Status::Ok();
  }
  return Status(negative, std::string(clause) + " must not be negative");
}

// EXISTS (SELECT FROM t): DuckDB wants a list.
void NameNothing(PgQuery__SubLink& link, AstBuilder& build) {
  if (link.sub_link_type != PG_QUERY__SUB_LINK_TYPE__EXISTS_SUBLINK) return;
  PgQuery__SelectStmt& select = *link.subselect->select_stmt;
  if (select.op != PG_QUERY__SET_OPERATION__SETOP_NONE || select.n_target_list > 0 ||
      select.n_values_lists > 0) {
    return;
  }
  Node* const target = build.Target(build.BoolConst(true), "");
  select.n_target_list = 1;
  select.target_list = build.List({&target, 1});
}

Status RewriteSelect(PgQuery__SelectStmt& select, RewriteState& state) {
  for (PgQuery__SelectStmt* arm : {select.larg, select.rarg}) {
    if (arm == nullptr) continue;
    if (arm->n_locking_clause > 0) return NotSupported("FOR UPDATE in an arm of a set operation");
    OMEN_TRY(RewriteSelect(*arm, state));
  }
  // The rows of sub-selects are locked before the statement runs (sql/locking_subqueries.h).
  select.n_locking_clause = 0;
  select.locking_clause = nullptr;
  OMEN_TRY(CheckCount(select.limit_offset, sqlstate::kInvalidOffsetValue, "OFFSET"));
  OMEN_TRY(CheckCount(select.limit_count, sqlstate::kInvalidLimitValue, "LIMIT"));
  OMEN_TRY(CheckWith(select.with_clause, state));
  if (select.limit_option == PG_QUERY__LIMIT_OPTION__LIMIT_OPTION_WITH_TIES) {
    return NotSupported("FETCH FIRST ... WITH TIES");
  }
  if (select.group_distinct) return NotSupported("GROUP BY DISTINCT");
  if (select.into_clause != nullptr) {
    return Status(SqlState("42601"), "SELECT ... INTO is not allowed here");
  }
  OMEN_TRY(ResolveScopes(select, state));
  for (size_t i = 0; i < select.n_target_list; ++i) {
    UnnestSetFunctions(select.target_list[i]->res_target->val, state.build);
  }
  // LIMIT ALL is a NULL limit.
  if (select.limit_count != nullptr && IsConst(select.limit_count) &&
      select.limit_count->a_const->isnull) {
    select.limit_count = nullptr;
  }
  return Status::Ok();
}

}  // namespace

Status CheckWith(const PgQuery__WithClause* with, const RewriteState& state) {
  for (size_t i = 0; with != nullptr && i < with->n_ctes; ++i) {
    const PgQuery__CommonTableExpr& cte = *with->ctes[i]->common_table_expr;
    if (cte.ctequery->node_case == PG_QUERY__NODE__NODE_SELECT_STMT) continue;
    const bool merges = cte.ctequery->node_case == PG_QUERY__NODE__NODE_MERGE_STMT;
    return state.At(
        Status(sqlstate::kFeatureNotSupported,
               merges ? "MERGE not supported in WITH query"
                      : "WITH clause containing a data-modifying statement must be at the top "
                        "level"),
        cte.location);
  }
  return Status::Ok();
}

void TakeLocks(Node* statement, RewrittenStatement& out) {
  if (statement->node_case != PG_QUERY__NODE__NODE_SELECT_STMT) return;
  const PgQuery__SelectStmt& select = *statement->select_stmt;
  for (size_t i = 0; i < select.n_locking_clause; ++i) {
    const PgQuery__LockingClause& clause = *select.locking_clause[i]->locking_clause;
    const txn::RowLockMode mode = LockMode(clause.strength);
    if (!out.lock || *out.lock < mode) out.lock = mode;
    if (clause.wait_policy == PG_QUERY__LOCK_WAIT_POLICY__LockWaitSkip) {
      out.lock_wait = txn::LockWait::kSkipLocked;
    } else if (clause.wait_policy == PG_QUERY__LOCK_WAIT_POLICY__LockWaitError) {
      out.lock_wait = txn::LockWait::kNoWait;
    }
  }
}

void NameTopLevelValues(Node* statement, RewriteState& state) {
  if (statement->node_case == PG_QUERY__NODE__NODE_SELECT_STMT) {
    NameValuesRow(*statement->select_stmt, state);
  }
}

Status RewriteSelects(Node* node, RewriteState& state) {
  if (node->node_case == PG_QUERY__NODE__NODE_SUB_LINK) {
    NameNothing(*node->sub_link, state.build);
    return Status::Ok();
  }
  if (node->node_case != PG_QUERY__NODE__NODE_SELECT_STMT) return Status::Ok();
  return RewriteSelect(*node->select_stmt, state);
}

}  // namespace omendb::sql
