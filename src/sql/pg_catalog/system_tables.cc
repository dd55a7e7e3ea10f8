#include "sql/pg_catalog/system_tables.h"

#include <map>

#include "base/sqlstate.h"
#include "sql/pg_catalog/relation_list.h"
#include "sql/pg_catalog/row_maker.h"

namespace omendb::sql {
namespace {

// The Oids that clients know by heart; the others count from here.
constexpr uint32_t kFirstViewOid = 12000;
struct FixedOid {
  std::string_view name;
  uint32_t oid;
};
constexpr FixedOid kFixedOids[] = {
    {"pg_type", 1247},
    {"pg_attribute", 1249},
    {"pg_proc", 1255},
    {"pg_class", 1259},
    {"pg_authid", 1260},
    {"pg_auth_members", 1261},
    {"pg_database", 1262},
    {"pg_tablespace", 1213},
    {"pg_shdepend", 1214},
    {"pg_foreign_server", 1417},
    {"pg_user_mapping", 1418},
    {"pg_foreign_data_wrapper", 2328},
    {"pg_shdescription", 2396},
    {"pg_aggregate", 2600},
    {"pg_am", 2601},
    {"pg_amop", 2602},
    {"pg_amproc", 2603},
    {"pg_attrdef", 2604},
    {"pg_cast", 2605},
    {"pg_constraint", 2606},
    {"pg_conversion", 2607},
    {"pg_depend", 2608},
    {"pg_description", 2609},
    {"pg_index", 2610},
    {"pg_inherits", 2611},
    {"pg_language", 2612},
    {"pg_largeobject", 2613},
    {"pg_namespace", 2615},
    {"pg_opclass", 2616},
    {"pg_operator", 2617},
    {"pg_rewrite", 2618},
    {"pg_statistic", 2619},
    {"pg_trigger", 2620},
    {"pg_opfamily", 2753},
    {"pg_db_role_setting", 2964},
    {"pg_extension", 3079},
    {"pg_foreign_table", 3118},
    {"pg_policy", 3256},
    {"pg_partitioned_table", 3350},
    {"pg_statistic_ext", 3381},
    {"pg_init_privs", 3394},
    {"pg_collation", 3456},
    {"pg_event_trigger", 3466},
    {"pg_enum", 3501},
    {"pg_range", 3541},
    {"pg_transform", 3576},
    {"pg_sequence", 2224},
    {"pg_publication", 6104},
    {"pg_subscription", 6100},
};

std::vector<catalog::ColumnDef> ParseColumns(std::string_view list) {
  std::vector<catalog::ColumnDef> columns;
  while (!list.empty()) {
    const size_t comma = std::min(list.find(','), list.size());
    const std::string_view item = list.substr(0, comma);
    const size_t space = item.find(' ');
    catalog::ColumnDef column;
    column.id = ColumnId(static_cast<int16_t>(columns.size() + 1));
    column.name = item.substr(0, space);
    auto type = types::TypeFromName(item.substr(space + 1));
    column.type = type.ok() ? *type : types::SqlType{types::TypeKind::kText};
    columns.push_back(std::move(column));
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return columns;
}

class SystemTablesImpl : public duck::SystemTables {
 public:
  explicit SystemTablesImpl(InstanceImpl& instance) : instance_(instance) {
    for (const RelationColumns& relation : SystemRelations()) {
      tables_.push_back({std::string(relation.schema), std::string(relation.name),
                         ParseColumns(relation.columns)});
    }
    for (auto list : {RelationProducers(), TypeProducers(), AdminProducers(), ProgressProducers(),
                      ViewProducers(), InformationProducers()}) {
      for (const NamedProducer& producer : list) {
        producers_[{std::string(producer.schema), std::string(producer.name)}] = producer.produce;
      }
    }
  }

  const std::vector<duck::SystemTable>& tables() const override { return tables_; }

  Status Rows(const duck::SystemTable& table, engine::StatementContext& context, void* session_data,
              types::Arena& arena, std::vector<types::Row>& rows) override {
    auto producer = producers_.find({table.schema, table.name});
    if (producer == producers_.end()) return Status::Ok();
    RowMaker maker(table, arena, rows);
    SystemContext system{instance_, static_cast<SessionImpl*>(session_data), *context.catalog,
                         context.database, maker};
    producer->second(system);
    return Status::Ok();
  }

 private:
  InstanceImpl& instance_;
  std::vector<duck::SystemTable> tables_;
  std::map<std::pair<std::string, std::string>, SystemProducer> producers_;
};

}  // namespace

std::unique_ptr<duck::SystemTables> MakeSystemTables(InstanceImpl& instance) {
  return std::make_unique<SystemTablesImpl>(instance);
}

uint32_t SystemRelationOid(std::string_view schema, std::string_view name) {
  if (schema == "pg_catalog") {
    for (const FixedOid& fixed : kFixedOids) {
      if (fixed.name == name) return fixed.oid;
    }
  }
  uint32_t oid = kFirstViewOid;
  for (const RelationColumns& relation : SystemRelations()) {
    if (relation.schema == schema && relation.name == name) return oid;
    ++oid;
  }
  return 0;
}

std::pair<std::string_view, std::string_view> SystemRelationName(uint32_t oid) {
  for (const FixedOid& fixed : kFixedOids) {
    if (fixed.oid == oid) return {"pg_catalog", fixed.name};
  }
  const auto relations = SystemRelations();
  if (oid >= kFirstViewOid && oid - kFirstViewOid < relations.size()) {
    return {relations[oid - kFirstViewOid].schema, relations[oid - kFirstViewOid].name};
  }
  return {};
}

}  // namespace omendb::sql
