#include "sql/rewrite/rewriter.h"

#include "base/sqlstate.h"
#include "sql/parse/parse_tree.h"
#include "sql/rewrite/duckdb_keywords.h"
#include "sql/rewrite/row_locks.h"
#include "sql/rewrite/rules.h"
#include "types/text_io.h"

namespace omendb::sql {
namespace {

constexpr Rule kRules[] = {
    RewriteCollations, RewriteCasts,         RewriteTypes,
    RewriteOperators,  RewriteFunctions,     RewriteValueFunctions,
    RewriteRowValues,  RewriteRowSubqueries, RewriteSortUsing,
    RewriteFromItems,  RewriteTableSamples,  RewriteSelects,
    RewriteDml,        RewriteSubscripts,    RewriteQualifiedColumns,
};

Status ApplyRules(Node* root, RewriteState& state) {
  Status status;
  WalkNodePostorder(root, [&](Node* node) {
    for (Rule rule : kRules) {
      if (!status.ok()) return;
      status = rule(node, state);
    }
  });
  return status;
}

}  // namespace

Status RewriteState::At(Status status, int location) const {
  if (status.ok() || location < 0 || static_cast<size_t>(location) > text.size()) return status;
  return std::move(status).WithPosition(
      static_cast<int>(types::Utf8Length(text.substr(0, static_cast<size_t>(location)))) + 1);
}

namespace {

// A copy of the statement with every rule applied.
Result<Node*> ApplyAllRules(const Node* statement, RewriteState& state) {
  if (!IsQuery(statement)) return NotSupported(std::string(CommandTag(statement)));
  Node* copy = state.build.Clone(statement);
  TakeLocks(copy, state.out);
  OMEN_TRY(RefuseFunctions(copy, state));
  NameOutputColumns(copy, state.build);
  CompleteGroupings(copy, state);
  NameGroupedFields(copy, state.build);
  RenameRegexpMatches(copy, state.build);
  NoteConditions(copy, state);
  OMEN_TRY(ApplyRules(copy, state));
  NameTopLevelValues(copy, state);
  return copy;
}

}  // namespace

Result<RewrittenStatement> RewriteStatement(const Node* statement, std::string_view text,
                                            const RewriteContext& context) {
  types::Arena arena;
  AstBuilder build(arena);
  RewrittenStatement out;
  RewriteState state{build, context, out, text};
  OMEN_ASSIGN(Node * copy, ApplyAllRules(statement, state));
  OMEN_ASSIGN(std::string sql, DeparseStatement(copy));
  out.sql = QuoteDuckDbKeywords(std::move(sql));
  return out;
}

Result<RowLocks> RewriteRowLocks(const Node* statement, std::string_view text,
                                 const RewriteContext& context) {
  types::Arena arena;
  AstBuilder build(arena);
  RewrittenStatement out;
  RewriteState state{build, context, out, text};
  OMEN_ASSIGN(Node * copy, ApplyAllRules(statement, state));
  return AddLockColumns(statement, copy, state);
}

Result<std::string> RewriteQueryText(std::string_view sql, const RewriteContext& context) {
  OMEN_ASSIGN(auto tree, ParseTree::Parse(sql));
  if (tree->size() != 1) return Status(sqlstate::kInternalError, "not one query");
  OMEN_ASSIGN(RewrittenStatement rewritten,
              RewriteStatement(tree->statement(0).node, sql, context));
  return rewritten.sql;
}

Result<std::string> RewriteExpressionText(std::string_view sql, const RewriteContext& context) {
  const std::string select = "SELECT " + std::string(sql);
  OMEN_ASSIGN(auto tree, ParseTree::Parse(select));
  const Node* statement = tree->size() == 1 ? tree->statement(0).node : nullptr;
  if (statement == nullptr || statement->node_case != PG_QUERY__NODE__NODE_SELECT_STMT ||
      statement->select_stmt->n_target_list != 1) {
    return Status(sqlstate::kInternalError, "not one expression: " + std::string(sql));
  }
  types::Arena arena;
  AstBuilder build(arena);
  Node* copy = build.Clone(statement->select_stmt->target_list[0]->res_target->val);
  RewrittenStatement out;
  RewriteState state{build, context, out, {}};
  OMEN_TRY(ApplyRules(copy, state));
  OMEN_ASSIGN(std::string rewritten, DeparseExpression(copy));
  return QuoteDuckDbKeywords(std::move(rewritten));
}

}  // namespace omendb::sql
