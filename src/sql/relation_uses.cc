// From a statement's tree to the relations it uses, names of WITH queries left out as PostgreSQL
// scopes them: a hidden name must not hide a privilege that is needed, nor ask for one too many.
#include <algorithm>
#include <map>

#include "sql/privileges.h"

namespace omendb::sql {
namespace {

using catalog::CatalogSnapshot;
using catalog::PrivilegeSet;
namespace privilege = catalog::privilege;

// Whether the messages mention a column: the target's rows are then read.
bool MentionsColumn(size_t count, Node* const* nodes) {
  bool found = false;
  for (size_t i = 0; i < count && !found; ++i) {
    WalkNode(nodes[i], [&](Node* node) {
      found = found || node->node_case == PG_QUERY__NODE__NODE_COLUMN_REF;
      return !found;
    });
  }
  return found;
}

bool MentionsColumn(Node* node) { return node != nullptr && MentionsColumn(1, &node); }

PrivilegeSet NeededOfInsert(const PgQuery__InsertStmt& insert) {
  PrivilegeSet needed = privilege::kInsert;
  if (MentionsColumn(insert.n_returning_list, insert.returning_list)) needed |= privilege::kSelect;
  const PgQuery__OnConflictClause* conflict = insert.on_conflict_clause;
  if (conflict == nullptr) return needed;
  if (conflict->infer != nullptr) needed |= privilege::kSelect;
  if (conflict->action == PG_QUERY__ON_CONFLICT_ACTION__ONCONFLICT_UPDATE) {
    needed |= privilege::kUpdate | privilege::kSelect;
  }
  return needed;
}

PrivilegeSet NeededOfUpdate(const PgQuery__UpdateStmt& update) {
  const bool reads = MentionsColumn(update.where_clause) ||
                     MentionsColumn(update.n_target_list, update.target_list) ||
                     MentionsColumn(update.n_returning_list, update.returning_list);
  return privilege::kUpdate | (reads ? privilege::kSelect : 0);
}

PrivilegeSet NeededOfDelete(const PgQuery__DeleteStmt& statement) {
  const bool reads = MentionsColumn(statement.where_clause) ||
                     MentionsColumn(statement.n_returning_list, statement.returning_list);
  return privilege::kDelete | (reads ? privilege::kSelect : 0);
}

PrivilegeSet NeededOfMerge(const PgQuery__MergeStmt& merge) {
  PrivilegeSet needed = MentionsColumn(merge.join_condition) ? privilege::kSelect : 0;
  for (size_t i = 0; i < merge.n_merge_when_clauses; ++i) {
    const PgQuery__MergeWhenClause& when = *merge.merge_when_clauses[i]->merge_when_clause;
    if (when.command_type == PG_QUERY__CMD_TYPE__CMD_INSERT) needed |= privilege::kInsert;
    if (when.command_type == PG_QUERY__CMD_TYPE__CMD_UPDATE) needed |= privilege::kUpdate;
    if (when.command_type == PG_QUERY__CMD_TYPE__CMD_DELETE) needed |= privilege::kDelete;
  }
  return needed;
}

class UseCollector {
 public:
  UseCollector(const SessionImpl& session, const CatalogSnapshot& snapshot, bool locks_rows)
      : session_(session), snapshot_(snapshot), locks_rows_(locks_rows) {}

  void Visit(ProtobufCMessage* message) {
    if (message->descriptor == &pg_query__select_stmt__descriptor) {
      VisitQuery(message, reinterpret_cast<PgQuery__SelectStmt*>(message)->with_clause);
    } else if (message->descriptor == &pg_query__insert_stmt__descriptor) {
      auto* insert = reinterpret_cast<PgQuery__InsertStmt*>(message);
      targets_[insert->relation] = NeededOfInsert(*insert);
      VisitQuery(message, insert->with_clause);
    } else if (message->descriptor == &pg_query__update_stmt__descriptor) {
      auto* update = reinterpret_cast<PgQuery__UpdateStmt*>(message);
      targets_[update->relation] = NeededOfUpdate(*update);
      VisitQuery(message, update->with_clause);
    } else if (message->descriptor == &pg_query__delete_stmt__descriptor) {
      auto* statement = reinterpret_cast<PgQuery__DeleteStmt*>(message);
      targets_[statement->relation] = NeededOfDelete(*statement);
      VisitQuery(message, statement->with_clause);
    } else if (message->descriptor == &pg_query__merge_stmt__descriptor) {
      auto* merge = reinterpret_cast<PgQuery__MergeStmt*>(message);
      targets_[merge->relation] = NeededOfMerge(*merge);
      VisitQuery(message, merge->with_clause);
    } else if (message->descriptor == &pg_query__range_var__descriptor) {
      AddRangeVar(*reinterpret_cast<PgQuery__RangeVar*>(message));
    } else {
      VisitChildren(message);
    }
  }

  Result<std::vector<RelationUse>> Finish() {
    if (!status_.ok()) return status_;
    std::vector<RelationUse> uses;
    for (const auto& [key, use] : uses_) {
      (void)key;
      uses.push_back(use);
    }
    return uses;
  }

 private:
  void VisitChildren(ProtobufCMessage* message) {
    ForEachMessage(message, [&](ProtobufCMessage* child) { Visit(child); });
  }

  // A WITH query sees those before it (all of them when RECURSIVE); the statement sees them all.
  void VisitQuery(ProtobufCMessage* message, PgQuery__WithClause* with) {
    const size_t outer = hidden_.size();
    for (size_t i = 0; with != nullptr && with->recursive && i < with->n_ctes; ++i) {
      hidden_.emplace_back(View(with->ctes[i]->common_table_expr->ctename));
    }
    for (size_t i = 0; with != nullptr && i < with->n_ctes; ++i) {
      PgQuery__CommonTableExpr& cte = *with->ctes[i]->common_table_expr;
      VisitChildren(&cte.base);
      if (!with->recursive) hidden_.emplace_back(View(cte.ctename));
    }
    ForEachMessage(message, [&](ProtobufCMessage* child) {
      if (with == nullptr || child != &with->base) Visit(child);
    });
    hidden_.resize(outer);
  }

  void AddRangeVar(const PgQuery__RangeVar& range) {
    const auto target = targets_.find(&range);
    const QualifiedRelation name = NameOf(range);
    const bool is_hidden = name.schema.empty() &&
                           std::find(hidden_.begin(), hidden_.end(), name.name) != hidden_.end();
    if (target == targets_.end() && is_hidden) return;
    CheckSchemaOf(name);
    const catalog::Relation found = FindRelation(session_, snapshot_, name);
    if (!found || found.index != nullptr) return;  // Not of this catalog: the system's own.
    if (target != targets_.end()) {
      Add({RelationOid(found), catalog::kPublicRole, target->second,
           txn::TableLockMode::kRowExclusive});
      return;
    }
    const PrivilegeSet needed = privilege::kSelect | (locks_rows_ ? privilege::kUpdate : 0);
    Add({RelationOid(found), catalog::kPublicRole, needed,
         locks_rows_ ? txn::TableLockMode::kRowShare : txn::TableLockMode::kAccessShare});
    if (found.view != nullptr) AddView(*found.view);
  }

  void AddView(const catalog::ViewDef& view) {
    for (Oid oid : view.depends_on) {
      Add({oid, view.owner, privilege::kSelect, txn::TableLockMode::kAccessShare});
      if (auto inner = snapshot_.view(oid)) AddView(*inner);
    }
  }

  void CheckSchemaOf(const QualifiedRelation& name) {
    if (name.schema.empty() || !status_.ok()) return;
    const catalog::SchemaDef* schema = snapshot_.FindSchema(session_.database(), name.schema);
    if (schema != nullptr) status_ = CheckSchema(session_, *schema, privilege::kUsage);
  }

  void Add(const RelationUse& use) {
    auto [it, added] = uses_.try_emplace({use.relation, use.as_role}, use);
    if (added) return;
    it->second.needed |= use.needed;
    it->second.lock = std::max(it->second.lock, use.lock);
  }

  const SessionImpl& session_;
  const CatalogSnapshot& snapshot_;
  const bool locks_rows_;
  std::vector<std::string> hidden_;
  std::map<const PgQuery__RangeVar*, PrivilegeSet> targets_;
  std::map<std::pair<Oid, Oid>, RelationUse> uses_;
  Status status_;
};

}  // namespace

Result<std::vector<RelationUse>> CollectUses(const SessionImpl& session,
                                             const CatalogSnapshot& snapshot, const Node* node,
                                             bool locks_rows) {
  UseCollector collector(session, snapshot, locks_rows);
  collector.Visit(const_cast<ProtobufCMessage*>(&node->base));
  return collector.Finish();
}

}  // namespace omendb::sql
