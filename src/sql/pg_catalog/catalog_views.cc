// pg_tables, pg_views and the other views for reading.
#include "engine/relation.h"
#include "sql/pg_catalog/relation_list.h"
#include "sql/pg_catalog/row_maker.h"
#include "sql/pg_catalog/system_tables.h"

namespace omendb::sql {
namespace {

void PgTables(SystemContext& c) {
  for (const auto& table : c.catalog.tables(c.database)) {
    c.row.Begin()
        .Set("schemaname", SchemaNameOf(c.catalog, table->schema))
        .Set("tablename", table->name)
        .Set("tableowner", RoleNameOf(c.catalog, table->owner))
        .Set("hasindexes", !table->indexes.empty())
        .Set("hasrules", false)
        .Set("hastriggers", false)
        .Set("rowsecurity", false);
  }
  for (const RelationColumns& relation : SystemRelations()) {
    if (SystemRelationOid(relation.schema, relation.name) >= 12000) continue;
    c.row.Begin()
        .Set("schemaname", relation.schema)
        .Set("tablename", relation.name)
        .Set("tableowner", RoleNameOf(c.catalog, catalog::kBootstrapRole))
        .Set("hasindexes", true)
        .Set("hasrules", false)
        .Set("hastriggers", false)
        .Set("rowsecurity", false);
  }
}

void PgViews(SystemContext& c) {
  for (const auto& view : c.catalog.views(c.database)) {
    c.row.Begin()
        .Set("schemaname", SchemaNameOf(c.catalog, view->schema))
        .Set("viewname", view->name)
        .Set("viewowner", RoleNameOf(c.catalog, view->owner))
        .Set("definition", view->definition_sql + ";");
  }
}

void PgIndexes(SystemContext& c) {
  for (const auto& table : c.catalog.tables(c.database)) {
    for (const auto& index : table->indexes) {
      c.row.Begin()
          .Set("schemaname", SchemaNameOf(c.catalog, table->schema))
          .Set("tablename", table->name)
          .Set("indexname", index.name)
          .Set("indexdef", IndexText(c.catalog, *table, index));
    }
  }
}

void PgSequences(SystemContext& c) {
  for (const auto& sequence : c.catalog.sequences(c.database)) {
    const auto state = c.instance.database().GetSequence(*sequence);
    c.row.Begin()
        .Set("schemaname", SchemaNameOf(c.catalog, sequence->schema))
        .Set("sequencename", sequence->name)
        .Set("sequenceowner", RoleNameOf(c.catalog, sequence->owner))
        .Set("data_type", types::TypeOid(sequence->type))
        .Set("start_value", sequence->start)
        .Set("min_value", sequence->min_value)
        .Set("max_value", sequence->max_value)
        .Set("increment_by", sequence->increment)
        .Set("cycle", sequence->cycle)
        .Set("cache_size", sequence->cache);
    if (state.is_called) c.row.Set("last_value", state.last_value);
  }
}

void PgStatUserTables(SystemContext& c) {
  for (const auto& table : c.catalog.tables(c.database)) {
    c.row.Begin()
        .Set("relid", table->oid)
        .Set("schemaname", SchemaNameOf(c.catalog, table->schema))
        .Set("relname", table->name)
        .Set("n_live_tup",
             static_cast<int64_t>(c.instance.database().OpenRelation(table)->rows_estimate()));
  }
}

void PgStatUserIndexes(SystemContext& c) {
  for (const auto& table : c.catalog.tables(c.database)) {
    for (const auto& index : table->indexes) {
      c.row.Begin()
          .Set("relid", table->oid)
          .Set("indexrelid", index.oid)
          .Set("schemaname", SchemaNameOf(c.catalog, table->schema))
          .Set("relname", table->name)
          .Set("indexrelname", index.name);
    }
  }
}

constexpr NamedProducer kProducers[] = {
    {"pg_catalog", "pg_tables", PgTables},
    {"pg_catalog", "pg_views", PgViews},
    {"pg_catalog", "pg_indexes", PgIndexes},
    {"pg_catalog", "pg_sequences", PgSequences},
    {"pg_catalog", "pg_stat_user_tables", PgStatUserTables},
    {"pg_catalog", "pg_stat_all_tables", PgStatUserTables},
    {"pg_catalog", "pg_stat_user_indexes", PgStatUserIndexes},
    {"pg_catalog", "pg_stat_all_indexes", PgStatUserIndexes},
};

}  // namespace

std::span<const NamedProducer> ViewProducers() { return kProducers; }

}  // namespace omendb::sql
