// The simple protocol: texts of any number of statements, in one implicit transaction.
#include <algorithm>

#include "base/sqlstate.h"
#include "sql/error_position.h"
#include "sql/names.h"
#include "sql/session_impl.h"
#include "sql/statements/dispatch.h"

namespace omendb::sql {
namespace {

bool IsConstant(const Node* node) { return node->node_case == PG_QUERY__NODE__NODE_A_CONST; }

// ORDER BY 1, GROUP BY 1: the number of a column.
bool HasPosition(const PgQuery__SelectStmt& select) {
  return std::any_of(select.sort_clause, select.sort_clause + select.n_sort_clause,
                     [](const Node* key) { return IsConstant(key->sort_by->node); }) ||
         std::any_of(select.group_clause, select.group_clause + select.n_group_clause, IsConstant);
}

// The aggregates that the row executor has.
bool IsRowAggregate(const PgQuery__FuncCall& call) {
  static constexpr std::string_view kNames[] = {"count", "sum", "avg", "min", "max"};
  return std::find(std::begin(kNames), std::end(kNames),
                   LastName(call.funcname, call.n_funcname)) != std::end(kNames);
}

// Whether lifting its literals keeps the statement's meaning: no place where a constant is more
// than a value (ORDER BY 1, interval '1 day', varchar(3)).
bool IsSimpleShape(const Node* node) {
  switch (node->node_case) {
    case PG_QUERY__NODE__NODE_SELECT_STMT: {
      const PgQuery__SelectStmt& select = *node->select_stmt;
      return select.op == PG_QUERY__SET_OPERATION__SETOP_NONE && !HasPosition(select) &&
             select.n_window_clause == 0 && select.n_distinct_clause == 0 &&
             select.with_clause == nullptr && select.n_values_lists == 0 &&
             select.into_clause == nullptr;
    }
    case PG_QUERY__NODE__NODE_INSERT_STMT: {
      const PgQuery__InsertStmt& insert = *node->insert_stmt;
      return insert.with_clause == nullptr && insert.select_stmt != nullptr &&
             insert.select_stmt->select_stmt->n_values_lists == 1;
    }
    case PG_QUERY__NODE__NODE_UPDATE_STMT:
      return node->update_stmt->n_from_clause == 0 && node->update_stmt->with_clause == nullptr;
    case PG_QUERY__NODE__NODE_DELETE_STMT:
      return node->delete_stmt->n_using_clause == 0 && node->delete_stmt->with_clause == nullptr;
    default:
      return false;
  }
}

// '2024-01-01'::date: the parameter is then a date, and its text is read as one.
bool IsTypedConstant(const PgQuery__TypeCast& cast) {
  const PgQuery__TypeName& type = *cast.type_name;
  return IsConstant(cast.arg) && type.n_typmods == 0 && type.n_array_bounds == 0 &&
         !LastName(type.names, type.n_names).starts_with("reg");
}

// Every lifted literal is a constant of the tree, outside types.
bool LiteralsAreConstants(const Node* node, const LiftedText& lifted) {
  std::vector<int> locations;
  bool plain = true;
  WalkNode(const_cast<Node*>(node), [&](Node* n) {
    switch (n->node_case) {
      case PG_QUERY__NODE__NODE_TYPE_CAST:
        plain = IsTypedConstant(*n->type_cast);
        break;
      case PG_QUERY__NODE__NODE_SUB_LINK:
      case PG_QUERY__NODE__NODE_COLLATE_CLAUSE:
      case PG_QUERY__NODE__NODE_RANGE_SUBSELECT:
        plain = false;
        break;
      case PG_QUERY__NODE__NODE_FUNC_CALL:
        plain = IsRowAggregate(*n->func_call);
        break;
      case PG_QUERY__NODE__NODE_A_EXPR:
        // LIKE's pattern is looked at when it is rewritten.
        if (n->a_expr->kind != PG_QUERY__A__EXPR__KIND__AEXPR_OP &&
            n->a_expr->kind != PG_QUERY__A__EXPR__KIND__AEXPR_IN &&
            n->a_expr->kind != PG_QUERY__A__EXPR__KIND__AEXPR_BETWEEN) {
          plain = false;
        }
        break;
      case PG_QUERY__NODE__NODE_A_CONST:
        if (!n->a_const->isnull && n->a_const->val_case != PG_QUERY__A__CONST__VAL_BOOLVAL) {
          locations.push_back(n->a_const->location);
        }
        break;
      default:
        break;
    }
    return plain;
  });
  if (!plain || locations.size() != lifted.literals.size()) return false;
  for (const LiftedLiteral& literal : lifted.literals) {
    if (std::find(locations.begin(), locations.end(), static_cast<int>(literal.offset)) ==
        locations.end()) {
      return false;
    }
  }
  return true;
}

}  // namespace

Status SessionImpl::CheckFailedBlock(const Statement& statement) const {
  if (block_.state() != TransactionBlock::State::kFailed || EndsFailedBlock(statement.node)) {
    return Status::Ok();
  }
  return Status(sqlstate::kInFailedSqlTransaction,
                "current transaction is aborted, commands ignored until end of transaction block");
}

Status SessionImpl::FinishSimple(Status status, ResultSink& sink, std::string_view tag) {
  if (status.ok() && block_.state() == TransactionBlock::State::kImplicit) {
    status = CommitTransaction();
  }
  if (!status.ok()) {
    if (block_.state() == TransactionBlock::State::kImplicit) RollbackTransaction();
    block_.Fail();
    return status;
  }
  return tag.empty() ? Status::Ok() : sink.OnComplete(tag);
}

// A text that ran before as a row plan, perhaps with other literals. `done` stays false when it
// must go the long way.
Status SessionImpl::RunCachedText(std::string_view text, ResultSink& sink, bool& done) {
  if (block_.state() == TransactionBlock::State::kFailed || streaming_ != nullptr) {
    return Status::Ok();
  }
  std::shared_ptr<Plan> plan = plans_.Find(text);
  if (plan != nullptr) {
    if (!plan->is_query) return Status::Ok();
    done = true;
    std::string tag;
    Status status = RunQuery(*plan, {}, true, sink, tag);
    return FinishSimple(std::move(status), sink, tag);
  }
  if (text.size() > PlanCache::kTextBytesMax) {
    lifted_ = {};
    return Status::Ok();
  }
  LiftLiterals(text, lifted_);
  if (!lifted_.liftable) return Status::Ok();
  plan = plans_.Find(lifted_.key);
  if (plan == nullptr || !IsCurrent(*plan)) return Status::Ok();
  if (plan->row_plan == nullptr) {  // It gave up.
    plans_.PutUnliftable(lifted_.key);
    return Status::Ok();
  }
  block_.EnsureStarted();  // 'now' is its start.
  literal_arena_.Reset();
  literal_values_.clear();
  for (size_t i = 0; i < lifted_.literals.size(); ++i) {
    const LiftedLiteral& literal = lifted_.literals[i];
    auto value =
        types::ParseText(plan->param_types[i], literal.text, literal_arena_, settings_.io());
    if (!value.ok()) return Status::Ok();  // The long way says what is wrong, and where.
    literal_values_.push_back(*value);
  }
  done = true;
  std::string tag;
  Status status = RunQuery(*plan, literal_values_, true, sink, tag);
  return FinishSimple(std::move(status), sink, tag);
}

Status SessionImpl::ExecuteSimple(std::string_view text, ResultSink& sink) {
  StatementScope scope(*this, &sink, text);
  // As in PostgreSQL.
  if (const auto unnamed = prepared_.find(""); unnamed != prepared_.end()) prepared_.erase(unnamed);
  bool done = false;
  Status status = RunCachedText(text, sink, done);
  if (done || !status.ok()) return status;
  auto tree = ParseTree::Parse(text);
  if (!tree.ok()) return FinishSimple(tree.status(), sink, "");
  const size_t count = (*tree)->size();
  if (count == 0) {
    OMEN_TRY(FinishSimple(Status::Ok(), sink, ""));
    return sink.OnEmptyQuery();
  }
  in_multi_statement_ = count > 1;
  for (size_t i = 0; i < count; ++i) {
    const Statement statement = (*tree)->statement(i);
    std::string tag;
    status = RunStatement(statement, sink, tag);
    if (!status.ok() || i + 1 == count) {
      in_multi_statement_ = false;
      return FinishSimple(std::move(status), sink, tag);
    }
    if (!tag.empty()) OMEN_TRY(sink.OnComplete(tag));
  }
  return Status::Ok();
}

Status SessionImpl::RunStatement(const Statement& statement, ResultSink& sink, std::string& tag) {
  OMEN_TRY(CheckFailedBlock(statement));
  std::shared_ptr<Plan> plan = NewPlan(statement, {});
  if (plan->is_query) {
    if (plan->parameters > 0) {
      return Status(sqlstate::kUndefinedParameter, "there is no parameter $1");
    }
    const bool alone = !in_multi_statement_ && statement.tree->size() == 1;
    // Lifted: the next text that differs in literals only needs no parsing.
    if (alone && lifted_.liftable && IsSimpleShape(statement.node) &&
        !plans_.IsUnliftable(lifted_.key) && LiteralsAreConstants(statement.node, lifted_)) {
      std::vector<types::SqlType> types;
      for (const LiftedLiteral& literal : lifted_.literals) types.push_back(literal.type);
      auto lifted_tree = ParseTree::Parse(LiftedSql(lifted_));
      std::shared_ptr<Plan> lifted_plan;
      if (lifted_tree.ok() && (*lifted_tree)->size() == 1) {
        lifted_plan = NewPlan((*lifted_tree)->statement(0), types);
        block_.EnsureStarted();
        if (!EnsureBound(*lifted_plan).ok() || lifted_plan->row_plan == nullptr) {
          lifted_plan.reset();
        }
      }
      if (lifted_plan != nullptr) {
        plans_.Put(lifted_.key, std::move(lifted_plan));
      } else {
        plans_.PutUnliftable(lifted_.key);
      }
    }
    OMEN_TRY(RunQuery(*plan, {}, true, sink, tag));
    if (alone && (!lifted_.liftable || plans_.IsUnliftable(lifted_.key))) {
      plans_.Put(statement.tree->text(), std::move(plan));
    }
    return Status::Ok();
  }
  if (statement.kind() == PG_QUERY__NODE__NODE_EXECUTE_STMT) {
    types::Arena arena;
    std::vector<types::Value> params;
    OMEN_ASSIGN(std::shared_ptr<Plan> target,
                ResolveExecute(*statement.node->execute_stmt, arena, params));
    return RunWholePlan(*target, params, sink, tag);
  }
  return RunWholePlan(*plan, {}, sink, tag);
}

Status SessionImpl::RunWholePlan(Plan& plan, std::span<const types::Value> params, ResultSink& sink,
                                 std::string& tag) {
  if (plan.is_query) return RunQuery(plan, params, true, sink, tag);
  UtilityResult result;
  OMEN_TRY(RunUtility(plan.statement, result, sink));
  if (!result.buffer.columns.empty()) {
    OMEN_TRY(sink.OnColumns(result.buffer.columns));
    for (const types::Row& row : result.buffer.rows) OMEN_TRY(sink.OnRow(row));
  }
  tag = std::move(result.tag);
  return Status::Ok();
}

}  // namespace omendb::sql
