#include <fmt/format.h>

#include <algorithm>

#include "base/sqlstate.h"
#include "sql/privileges.h"
#include "sql/statements/dispatch.h"

namespace omendb::sql {

Status RunTruncate(UtilityCall& call) {
  const PgQuery__TruncateStmt& truncate = *call.node()->truncate_stmt;
  SessionImpl& session = call.session;
  std::vector<Oid> tables;
  for (size_t i = 0; i < truncate.n_relations; ++i) {
    const QualifiedRelation name = NameOf(*truncate.relations[i]->range_var);
    OMEN_ASSIGN(auto table, GetTable(session, name));
    catalog::Relation relation;
    relation.table = table;
    OMEN_TRY(CheckPrivileges(session, relation, catalog::privilege::kTruncate));
    if (std::find(tables.begin(), tables.end(), table->oid) == tables.end()) {
      tables.push_back(table->oid);
    }
  }
  // Tables that refer to these go with them, or stand in the way.
  for (size_t i = 0; i < tables.size(); ++i) {
    for (const auto& [table, constraint] : session.catalog()->ReferencesTo(tables[i])) {
      if (std::find(tables.begin(), tables.end(), table->oid) != tables.end()) continue;
      if (truncate.behavior != PG_QUERY__DROP_BEHAVIOR__DROP_CASCADE) {
        const auto referenced = session.catalog()->table(tables[i]);
        return Status(sqlstate::kFeatureNotSupported,
                      "cannot truncate a table referenced in a foreign key constraint")
            .WithDetail(
                fmt::format("Table \"{}\" references \"{}\".", table->name, referenced->name))
            .WithHint(fmt::format("Truncate table \"{}\" at the same time, or use TRUNCATE ... "
                                  "CASCADE.",
                                  table->name));
      }
      session.Notice(fmt::format("truncate cascades to table \"{}\"", table->name));
      tables.push_back(table->oid);
    }
  }
  engine::StatementContext context = session.MakeContext(call.waiter);
  std::sort(tables.begin(), tables.end());
  for (Oid table : tables) OMEN_TRY(TruncateTable(session, context, table));
  if (!truncate.restart_seqs) return Status::Ok();
  for (const auto& sequence : session.catalog()->sequences(session.database())) {
    if (std::find(tables.begin(), tables.end(), sequence->owned_by_table) == tables.end()) continue;
    OMEN_TRY(session.db().SetSequence(*sequence, {sequence->start, false}));
  }
  return Status::Ok();
}

}  // namespace omendb::sql
