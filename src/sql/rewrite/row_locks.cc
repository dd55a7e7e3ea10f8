#include "sql/rewrite/row_locks.h"

#include <algorithm>
#include <set>

#include "duck/duck_engine.h"
#include "sql/parse/clauses.h"
#include "sql/rewrite/duckdb_keywords.h"

namespace omendb::sql {
namespace {

std::string_view ClauseName(PgQuery__LockClauseStrength strength) {
  switch (strength) {
    case PG_QUERY__LOCK_CLAUSE_STRENGTH__LCS_FORKEYSHARE:
      return "FOR KEY SHARE";
    case PG_QUERY__LOCK_CLAUSE_STRENGTH__LCS_FORSHARE:
      return "FOR SHARE";
    case PG_QUERY__LOCK_CLAUSE_STRENGTH__LCS_FORNOKEYUPDATE:
      return "FOR NO KEY UPDATE";
    default:
      return "FOR UPDATE";
  }
}

bool AnyTarget(const PgQuery__SelectStmt& select, bool (*test)(Node*)) {
  return std::any_of(select.target_list, select.target_list + select.n_target_list, test);
}

// CheckSelectLocking of PostgreSQL's analyze.c.
Status CheckShape(const PgQuery__SelectStmt& select, std::string_view clause) {
  const char* with = nullptr;
  if (select.op != PG_QUERY__SET_OPERATION__SETOP_NONE) with = "UNION/INTERSECT/EXCEPT";
  if (with == nullptr && select.n_values_lists > 0) {
    return Status(sqlstate::kFeatureNotSupported,
                  std::string(clause) + " cannot be applied to VALUES");
  }
  if (with == nullptr && select.n_distinct_clause > 0) with = "DISTINCT clause";
  if (with == nullptr && select.n_group_clause > 0) with = "GROUP BY clause";
  if (with == nullptr && select.having_clause != nullptr) with = "HAVING clause";
  if (with == nullptr && AnyTarget(select, HasAggregateCall)) with = "aggregate functions";
  if (with == nullptr && AnyTarget(select, HasWindowCall)) with = "window functions";
  if (with == nullptr) return Status::Ok();
  return Status(sqlstate::kFeatureNotSupported,
                std::string(clause) + " is not allowed with " + with);
}

class LockedTables {
 public:
  LockedTables(const PgQuery__SelectStmt& select, std::string_view clause, RewriteState& state)
      : clause_(clause), state_(state) {
    for (const Node* cte : CtesOf(select.with_clause)) ctes_.emplace(CteName(cte));
    for (size_t i = 0; i < select.n_locking_clause; ++i) {
      const PgQuery__LockingClause& locking = *select.locking_clause[i]->locking_clause;
      if (locking.n_locked_rels == 0) all_ = true;
      for (size_t r = 0; r < locking.n_locked_rels; ++r) {
        named_.emplace(View(locking.locked_rels[r]->range_var->relname));
      }
    }
  }

  // `nullable`: an outer join may put NULLs in the item's place.
  Status Visit(const Node* item, bool nullable) {
    switch (item->node_case) {
      case PG_QUERY__NODE__NODE_RANGE_VAR:
        return VisitTable(*item->range_var, nullable);
      case PG_QUERY__NODE__NODE_JOIN_EXPR: {
        const PgQuery__JoinExpr& join = *item->join_expr;
        if (join.alias != nullptr) return NotSupported("FOR UPDATE of a named join");
        const bool full = join.jointype == PG_QUERY__JOIN_TYPE__JOIN_FULL;
        const bool left = full || join.jointype == PG_QUERY__JOIN_TYPE__JOIN_LEFT;
        const bool right = full || join.jointype == PG_QUERY__JOIN_TYPE__JOIN_RIGHT;
        OMEN_TRY(Visit(join.larg, nullable || right));
        return Visit(join.rarg, nullable || left);
      }
      case PG_QUERY__NODE__NODE_RANGE_SUBSELECT: {
        const PgQuery__Alias* alias = item->range_subselect->alias;
        const std::string name(alias != nullptr ? View(alias->aliasname) : "");
        return Wanted(name) ? NotSupported("FOR UPDATE of a sub-select in FROM") : Status::Ok();
      }
      case PG_QUERY__NODE__NODE_RANGE_TABLE_SAMPLE:
        return NotSupported("FOR UPDATE of a sample of a table");
      default:
        return Status::Ok();  // Functions have no rows to be locked.
    }
  }

  // What OF names must be there.
  Status Finish() const {
    for (const std::string& name : named_) {
      if (seen_.contains(name)) continue;
      return Status(sqlstate::kUndefinedTable, "relation \"" + name + "\" in " +
                                                   std::string(clause_) +
                                                   " clause not found in FROM clause");
    }
    return Status::Ok();
  }

  const std::vector<std::pair<std::string, Oid>>& tables() const { return tables_; }

 private:
  bool Wanted(const std::string& name) {
    seen_.insert(name);
    return all_ || named_.contains(name);
  }

  Status VisitTable(const PgQuery__RangeVar& range, bool nullable) {
    const std::string name(NameInFrom(range));
    const bool wanted = Wanted(name);
    const bool is_cte = View(range.schemaname).empty() && ctes_.contains(View(range.relname));
    if (!wanted || is_cte) return Status::Ok();
    if (nullable) {
      return Status(
          sqlstate::kFeatureNotSupported,
          std::string(clause_) + " cannot be applied to the nullable side of an outer join");
    }
    auto table = state_.context.find_table ? state_.context.find_table(range) : nullptr;
    if (table == nullptr) return NotSupported("FOR UPDATE of view \"" + name + "\"");
    tables_.emplace_back(name, table->oid);
    return Status::Ok();
  }

  const std::string_view clause_;
  RewriteState& state_;
  std::set<std::string, std::less<>> ctes_;
  std::set<std::string> named_;
  std::set<std::string> seen_;
  bool all_ = false;
  std::vector<std::pair<std::string, Oid>> tables_;
};

}  // namespace

Result<RowLocks> AddLockColumns(const Node* statement, Node* copy, RewriteState& state) {
  if (!IsLockingSelect(statement)) return NotSupported("FOR UPDATE in a sub-select");
  const PgQuery__SelectStmt& original = *statement->select_stmt;
  const std::string_view clause = ClauseName(original.locking_clause[0]->locking_clause->strength);
  OMEN_TRY(CheckShape(original, clause));
  LockedTables locked(original, clause, state);
  for (size_t i = 0; i < original.n_from_clause; ++i)
    OMEN_TRY(locked.Visit(original.from_clause[i], false));
  OMEN_TRY(locked.Finish());

  PgQuery__SelectStmt& select = *copy->select_stmt;
  AstBuilder& build = state.build;
  RowLocks locks;
  std::vector<Node*> targets(select.target_list, select.target_list + select.n_target_list);
  if (select.limit_count != nullptr) {
    locks.has_limit = true;
    targets.push_back(build.Target(build.Cast(select.limit_count, "int8"), "\x01limit"));
    select.limit_count = nullptr;
  }
  if (select.limit_offset != nullptr) {
    locks.has_offset = true;
    targets.push_back(build.Target(build.Cast(select.limit_offset, "int8"), "\x01offset"));
    select.limit_offset = nullptr;
  }
  select.limit_option = PG_QUERY__LIMIT_OPTION__LIMIT_OPTION_DEFAULT;
  for (const auto& [name, oid] : locked.tables()) {
    locks.tables.push_back(oid);
    targets.push_back(build.Target(build.Column({name, duck::kRowRefColumn}),
                                   "\x01row" + std::to_string(locks.tables.size())));
  }
  select.n_target_list = targets.size();
  select.target_list = build.List(targets);
  OMEN_ASSIGN(std::string rewritten, DeparseStatement(copy));
  locks.sql = QuoteDuckDbKeywords(std::move(rewritten));
  return locks;
}

}  // namespace omendb::sql
