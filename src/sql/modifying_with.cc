#include "sql/modifying_with.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/sqlstate.h"
#include "sql/names.h"
#include "sql/parse/clauses.h"
#include "sql/statement_parts.h"
#include "types/text_io.h"

namespace omendb::sql {
namespace {

bool Modifies(const Node* cte) {
  return CteQuery(cte)->node_case != PG_QUERY__NODE__NODE_SELECT_STMT;
}

// SELECT list FROM target, others WHERE false.
void DescribeQuery(Node* query, AstBuilder& build) {
  const DmlClauses clauses = DmlClausesOf(query);
  PgQuery__SelectStmt* select = build.Select(build.NullConst(), nullptr, build.BoolConst(false));
  if (!clauses.returning.empty()) {
    std::vector<Node*> from{build.Relation(clauses.target)};
    from.insert(from.end(), clauses.others.begin(), clauses.others.end());
    select->n_target_list = clauses.returning.size();
    select->target_list = build.List(clauses.returning);
    select->n_from_clause = from.size();
    select->from_clause = build.List(from);
  }
  select->with_clause = *WithOf(query);
  query->node_case = PG_QUERY__NODE__NODE_SELECT_STMT;
  query->select_stmt = select;
}

bool Names(const Node* node, std::string_view name) {
  bool found = false;
  WalkAllMessages(const_cast<ProtobufCMessage*>(&node->base), [&](ProtobufCMessage* message) {
    if (message->descriptor == &pg_query__range_var__descriptor) {
      const auto& range = *reinterpret_cast<PgQuery__RangeVar*>(message);
      found = found || (View(range.schemaname).empty() && View(range.relname) == name);
    }
    return !found;
  });
  return found;
}

// The WITH queries that `node` names, and those that these name, in their order.
std::vector<Node*> Needed(const Node* node, std::span<Node* const> ctes) {
  std::vector<bool> wanted(ctes.size(), false);
  bool more = true;
  while (more) {
    more = false;
    for (size_t i = 0; i < ctes.size(); ++i) {
      if (wanted[i]) continue;
      bool named = Names(node, CteName(ctes[i]));
      for (size_t j = 0; j < ctes.size() && !named; ++j) {
        named = wanted[j] && j != i && Names(CteQuery(ctes[j]), CteName(ctes[i]));
      }
      if (named) more = wanted[i] = true;
    }
  }
  std::vector<Node*> needed;
  for (size_t i = 0; i < ctes.size(); ++i) {
    if (wanted[i]) needed.push_back(ctes[i]);
  }
  return needed;
}

// `query` with the WITH queries around it that it needs, before its own.
Node* Standalone(const Node* query, std::span<Node* const> ctes, const PgQuery__WithClause& outer,
                 AstBuilder& build) {
  Node* copy = build.Clone(query);
  std::vector<Node*> all = Needed(query, ctes);
  if (all.empty()) return copy;
  const std::span<Node*> own = CtesOf(copy);
  all.insert(all.end(), own.begin(), own.end());
  auto* with =
      reinterpret_cast<PgQuery__WithClause*>(build.arena().Allocate(sizeof(PgQuery__WithClause)));
  *with = outer;
  with->n_ctes = all.size();
  with->ctes = build.List(all);
  *WithOf(copy) = with;
  return copy;
}

void TakeTypes(const Node* node, const std::vector<types::SqlType>& found,
               std::vector<types::SqlType>& types) {
  WalkNode(const_cast<Node*>(node), [&](Node* n) {
    if (n->node_case != PG_QUERY__NODE__NODE_PARAM_REF) return true;
    const auto i = static_cast<size_t>(n->param_ref->number - 1);
    if (i < types.size() && i < found.size() && types[i].kind == types::TypeKind::kUnknown) {
      types[i] = found[i];
    }
    return true;
  });
}

// Runs the parts of one statement.
class PartRunner {
 public:
  PartRunner(SessionImpl& session, const Plan& plan, std::span<const types::Value> params)
      : session_(session), plan_(plan), params_(params), build_(arena_) {}

  Result<std::shared_ptr<Plan>> Run() {
    statement_ = build_.Clone(plan_.statement.node);
    const std::span<Node*> ctes = CtesOf(statement_);
    for (size_t i = 0; i < ctes.size(); ++i) {
      if (Modifies(ctes[i]) || IsLockingSelect(CteQuery(ctes[i]))) OMEN_TRY(RunPart(ctes, i));
    }
    OMEN_ASSIGN(auto rest, PlanTree(session_, WithoutUnused(), plan_.param_types));
    rest->continues_statement = true;
    return rest;
  }

 private:
  bool IsRead(std::span<Node* const> ctes, size_t i) {
    for (size_t j = 0; j < ctes.size(); ++j) {
      if (j != i && Names(CteQuery(ctes[j]), CteName(ctes[i]))) return true;
    }
    // The statement itself, but for its WITH clause.
    PgQuery__WithClause** with = WithOf(statement_);
    PgQuery__WithClause* kept = std::exchange(*with, nullptr);
    const bool read = Names(statement_, CteName(ctes[i]));
    *with = kept;
    return read;
  }

  // Where the statement reads the WITH query.
  int PositionOf(std::string_view name) const {
    int location = -1;
    ProtobufCMessage* root = const_cast<ProtobufCMessage*>(&plan_.statement.node->base);
    WalkAllMessages(root, [&](ProtobufCMessage* message) {
      if (message->descriptor == &pg_query__range_var__descriptor) {
        const auto& range = *reinterpret_cast<PgQuery__RangeVar*>(message);
        if (View(range.relname) == name) location = range.location;
      }
      return true;
    });
    if (location < 0) return 0;
    const std::string_view text = plan_.statement.tree->text();
    return static_cast<int>(types::Utf8Length(text.substr(0, static_cast<size_t>(location)))) + 1;
  }

  Status RunPart(std::span<Node*> ctes, size_t i) {
    PgQuery__CommonTableExpr& cte = *ctes[i]->common_table_expr;
    const bool has_rows = !Modifies(ctes[i]) || !DmlClausesOf(cte.ctequery).returning.empty();
    const bool is_read = IsRead(ctes, i);
    if (is_read && !has_rows) {
      return Status(sqlstate::kFeatureNotSupported,
                    fmt::format("WITH query \"{}\" does not have a RETURNING clause",
                                View(cte.ctename)))
          .WithPosition(PositionOf(View(cte.ctename)));
    }
    const std::span<Node* const> visible = (*WithOf(statement_))->recursive
                                               ? std::span<Node* const>(ctes)
                                               : std::span<Node* const>(ctes.subspan(0, i));
    Node* query = Standalone(cte.ctequery, visible, **WithOf(statement_), build_);
    OMEN_ASSIGN(auto part, PlanTree(session_, query, plan_.param_types));
    part->continues_statement = ran_;
    part->is_part = true;
    ran_ = true;
    OMEN_TRY(session_.EnsureBound(*part));
    if (!is_read) return session_.RunToEnd(*part, params_).status();
    OMEN_ASSIGN(cte.ctequery,
                RowsAsQuery(session_, *part, params_, "RETURNING in a WITH query", build_));
    return Status::Ok();
  }

  // What was run for its effect is over.
  Node* WithoutUnused() {
    std::vector<Node*> left;
    for (Node* cte : CtesOf(statement_)) {
      if (!Modifies(cte)) left.push_back(cte);
    }
    PgQuery__WithClause** with = WithOf(statement_);
    if (left.empty()) {
      *with = nullptr;
    } else {
      (*with)->n_ctes = left.size();
      (*with)->ctes = build_.List(left);
    }
    return statement_;
  }

  SessionImpl& session_;
  const Plan& plan_;
  std::span<const types::Value> params_;
  types::Arena arena_;
  AstBuilder build_;
  Node* statement_ = nullptr;
  bool ran_ = false;
};

}  // namespace

bool HasModifyingWith(const Node* statement) {
  const std::span<Node*> ctes = CtesOf(const_cast<Node*>(statement));
  const auto merges = [](const Node* cte) {
    return CteQuery(cte)->node_case == PG_QUERY__NODE__NODE_MERGE_STMT;
  };
  return std::any_of(ctes.begin(), ctes.end(), Modifies) &&
         std::none_of(ctes.begin(), ctes.end(), merges);
}

Result<Node*> DescribeModifyingWith(SessionImpl& session, const Node* statement,
                                    std::vector<types::SqlType>& types, AstBuilder& build) {
  Node* described = build.Clone(statement);
  for (Node* cte : CtesOf(described)) {
    if (Modifies(cte)) DescribeQuery(CteQuery(cte), build);
  }
  for (const Node* cte : CtesOf(const_cast<Node*>(statement))) {
    if (!Modifies(cte)) continue;
    const Node* query = CteQuery(cte);
    const Node* alone = Standalone(query, CtesOf(described), **WithOf(described), build);
    OMEN_ASSIGN(auto part, PlanTree(session, alone, types));
    Status bound = session.EnsureBound(*part);
    if (!bound.ok()) return std::move(bound).WithPosition(0);  // It is one in the part's own text.
    TakeTypes(query, part->param_types, types);
  }
  return described;
}

Result<std::shared_ptr<Plan>> RunModifyingWith(SessionImpl& session, const Plan& plan,
                                               std::span<const types::Value> params) {
  OMEN_TRY(CheckWritable(session, CommandTag(plan.statement.node)));
  return PartRunner(session, plan, params).Run();
}

}  // namespace omendb::sql
