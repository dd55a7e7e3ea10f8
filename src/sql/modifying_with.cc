#include "sql/modifying_with.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/sqlstate.h"
#include "sql/names.h"
#include "sql/parse/clauses.h"
#include "sql/statement_parts.h"
#include "sql/volatile_functions.h"
#include "types/text_io.h"

namespace omendb::sql {
namespace {

bool Modifies(const Node* cte) {
  return CteQuery(cte)->node_case != PG_QUERY__NODE__NODE_SELECT_STMT;
}

bool IsPart(const Node* cte) { return Modifies(cte) || IsLockingSelect(CteQuery(cte)); }

// What depends on the order in which rows lie, or on what parts before have called.
bool IsOfTheMoment(const PgQuery__FuncCall& call) {
  constexpr std::string_view kNames[] = {
      "string_agg",      "array_agg",        "json_agg", "jsonb_agg", "any_value",
      "json_object_agg", "jsonb_object_agg", "lastval",  "currval",   "statement_timestamp"};
  if (call.over != nullptr) return true;
  const std::string_view name = LastName(call.funcname, call.n_funcname);
  return std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames);
}

// Whether the query may answer other rows when it runs again in the same statement: functions of
// chance, or what depends on the order in which rows lie, which parts change.
bool MayVary(const Node* query) {
  bool found = CallsVolatile(query);
  WalkAllMessages(const_cast<ProtobufCMessage*>(&query->base), [&](ProtobufCMessage* message) {
    if (message->descriptor == &pg_query__func_call__descriptor) {
      found = found || IsOfTheMoment(*reinterpret_cast<PgQuery__FuncCall*>(message));
    } else if (message->descriptor == &pg_query__select_stmt__descriptor) {
      const auto& select = *reinterpret_cast<PgQuery__SelectStmt*>(message);
      const bool distinct_on =
          select.n_distinct_clause > 0 &&
          select.distinct_clause[0]->node_case != PG_QUERY__NODE__NODE__NOT_SET;
      found =
          found || distinct_on || select.limit_count != nullptr || select.limit_offset != nullptr;
    }
    return !found;
  });
  return found;
}

void KeepCtes(Node* statement, std::span<Node* const> ctes, AstBuilder& build) {
  PgQuery__WithClause** with = WithOf(statement);
  if (ctes.empty()) {
    *with = nullptr;
    return;
  }
  (*with)->n_ctes = ctes.size();
  (*with)->ctes = build.List(ctes);
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

void DescribeCtes(Node* statement, AstBuilder& build) {
  for (Node* cte : CtesOf(statement)) {
    if (Modifies(cte)) DescribeQuery(CteQuery(cte), build);
  }
}

const PgQuery__RangeVar* TargetOf(const ProtobufCMessage& message) {
  if (message.descriptor == &pg_query__insert_stmt__descriptor) {
    return reinterpret_cast<const PgQuery__InsertStmt&>(message).relation;
  }
  if (message.descriptor == &pg_query__update_stmt__descriptor) {
    return reinterpret_cast<const PgQuery__UpdateStmt&>(message).relation;
  }
  return message.descriptor == &pg_query__delete_stmt__descriptor
             ? reinterpret_cast<const PgQuery__DeleteStmt&>(message).relation
             : nullptr;
}

// Whether it reads something of this name; what it writes to is a table, whatever else has its
// name.
bool Names(const Node* node, std::string_view name) {
  bool found = false;
  std::vector<const PgQuery__RangeVar*> targets;
  WalkAllMessages(const_cast<ProtobufCMessage*>(&node->base), [&](ProtobufCMessage* message) {
    if (const PgQuery__RangeVar* target = TargetOf(*message)) targets.push_back(target);
    if (message->descriptor == &pg_query__range_var__descriptor) {
      const auto& range = *reinterpret_cast<PgQuery__RangeVar*>(message);
      const bool is_target = std::find(targets.begin(), targets.end(), &range) != targets.end();
      found =
          found || (!is_target && View(range.schemaname).empty() && View(range.relname) == name);
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

// Those that the i-th may name.
std::span<Node* const> VisibleTo(size_t i, const PgQuery__WithClause& with) {
  return {with.ctes, with.recursive ? with.n_ctes : i};
}

// `query` with the WITH queries around it that it needs, before its own.
Node* Standalone(const Node* query, std::span<Node* const> ctes, const PgQuery__WithClause& outer,
                 AstBuilder& build) {
  Node* copy = build.Clone(query);
  std::vector<Node*> all = Needed(query, ctes);
  const std::span<Node*> own = CtesOf(copy);
  std::erase_if(all, [&](const Node* cte) {
    return std::any_of(own.begin(), own.end(),
                       [&](const Node* inner) { return CteName(inner) == CteName(cte); });
  });
  if (all.empty()) return copy;
  all.insert(all.end(), own.begin(), own.end());
  auto* with =
      reinterpret_cast<PgQuery__WithClause*>(build.arena().Allocate(sizeof(PgQuery__WithClause)));
  *with = outer;
  with->n_ctes = all.size();
  with->ctes = build.List(all);
  *WithOf(copy) = with;
  return copy;
}

// Of a byte of the text, as errors count.
int PositionAt(std::string_view text, int location) {
  return static_cast<int>(types::Utf8Length(text.substr(0, static_cast<size_t>(location)))) + 1;
}

// Parts run in the order of the text, so each may read only those before it.
Status CheckOrder(std::span<Node* const> ctes, std::string_view text) {
  for (size_t i = 0; i < ctes.size(); ++i) {
    const Node* query = CteQuery(ctes[i]);
    if (Modifies(ctes[i]) && Names(query, CteName(ctes[i]))) {
      return Status(SqlState("42P19"),
                    fmt::format("recursive query \"{}\" must not contain data-modifying statements",
                                CteName(ctes[i])))
          .WithPosition(PositionAt(text, ctes[i]->common_table_expr->location));
    }
    const std::vector<Node*> needed = Needed(query, ctes);
    for (size_t j = i; j < ctes.size(); ++j) {
      if (!Modifies(ctes[j]) || std::find(needed.begin(), needed.end(), ctes[j]) == needed.end()) {
        continue;
      }
      return NotSupported(
          fmt::format("WITH query \"{}\", which reads one that changes data and is "
                      "not before it",
                      CteName(ctes[i])));
    }
  }
  return Status::Ok();
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

// What only runs for its effect is no part of the described statement.
void KeepRead(const Node* statement, Node* described, AstBuilder& build) {
  const std::span<Node*> given = CtesOf(const_cast<Node*>(statement));
  const std::span<Node*> all = CtesOf(described);
  std::vector<Node*> read;
  for (size_t i = 0; i < given.size(); ++i) {
    if (!Modifies(given[i]) || Names(statement, CteName(given[i]))) read.push_back(all[i]);
  }
  KeepCtes(described, read, build);
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
      if (IsPart(ctes[i]) || IsToRunOnce(ctes, ctes[i])) OMEN_TRY(RunPart(ctes, i));
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
    return AsideFromWith([&] { return Names(statement_, CteName(ctes[i])); });
  }

  // `answer` of the statement itself, without its WITH clause.
  template <typename Answer>
  bool AsideFromWith(const Answer& answer) {
    PgQuery__WithClause** with = WithOf(statement_);
    PgQuery__WithClause* kept = std::exchange(*with, nullptr);
    const bool answered = answer();
    *with = kept;
    return answered;
  }

  // A query that may answer each part other rows, and that several of them read.
  bool IsToRunOnce(std::span<Node* const> ctes, const Node* cte) {
    if (!MayVary(CteQuery(cte))) return false;
    std::vector<Node*> others;
    std::copy_if(ctes.begin(), ctes.end(), std::back_inserter(others),
                 [](const Node* other) { return !IsPart(other); });
    const auto reads = [&](const Node* query) {
      const std::vector<Node*> needed = Needed(query, others);
      return std::find(needed.begin(), needed.end(), cte) != needed.end();
    };
    const auto readers = std::count_if(ctes.begin(), ctes.end(), [&](const Node* part) {
      return IsPart(part) && reads(CteQuery(part));
    });
    return readers > 1 || (readers == 1 && AsideFromWith([&] { return reads(statement_); }));
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
    return PositionAt(plan_.statement.tree->text(), location);
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
    const PgQuery__WithClause& with = **WithOf(statement_);
    Node* query = Standalone(cte.ctequery, VisibleTo(i, with), with, build_);
    OMEN_ASSIGN(auto part, PlanTree(session_, query, plan_.param_types));
    part->continues_statement = ran_;
    part->is_part = true;
    ran_ = true;
    OMEN_TRY(session_.EnsureBound(*part));
    if (!is_read) return session_.RunToEnd(*part, params_).status();
    const char* what =
        Modifies(ctes[i]) ? "RETURNING in a WITH query" : "a WITH query that several parts read";
    OMEN_ASSIGN(cte.ctequery, RowsAsQuery(session_, *part, params_, what, build_));
    return Status::Ok();
  }

  // What was run for its effect is over.
  Node* WithoutUnused() {
    std::vector<Node*> left;
    for (Node* cte : CtesOf(statement_)) {
      if (!Modifies(cte)) left.push_back(cte);
    }
    KeepCtes(statement_, left, build_);
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

Result<Node*> DescribeModifyingWith(SessionImpl& session, const Plan& plan,
                                    std::vector<types::SqlType>& types, AstBuilder& build) {
  const Node* statement = plan.statement.node;
  Node* described = build.Clone(statement);
  DescribeCtes(described, build);
  const std::span<Node*> given = CtesOf(const_cast<Node*>(statement));
  const PgQuery__WithClause& with = **WithOf(described);
  if (with.recursive) OMEN_TRY(CheckOrder(given, plan.statement.tree->text()));
  for (size_t i = 0; i < given.size(); ++i) {
    if (!Modifies(given[i])) continue;
    const Node* query = CteQuery(given[i]);
    const Node* alone = Standalone(query, VisibleTo(i, with), with, build);
    OMEN_ASSIGN(auto part, PlanTree(session, alone, types));
    Status bound = session.EnsureBound(*part);
    if (!bound.ok()) return std::move(bound).WithPosition(0);  // It is one in the part's own text.
    TakeTypes(query, part->param_types, types);
  }
  KeepRead(statement, described, build);
  return described;
}

Result<std::shared_ptr<Plan>> RunModifyingWith(SessionImpl& session, const Plan& plan,
                                               std::span<const types::Value> params) {
  OMEN_TRY(CheckWritable(session, CommandTag(plan.statement.node)));
  return PartRunner(session, plan, params).Run();
}

}  // namespace omendb::sql
