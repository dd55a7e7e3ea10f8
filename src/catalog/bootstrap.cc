// bootstrap.cc - the catalog of a new data folder, and a whole catalog as a list of changes.
#include "catalog/privileges.h"

namespace omendb::catalog {
namespace {

// Fixed Oids: pg_catalog and public have PostgreSQL's own in the first database, the others are in
// the range that PostgreSQL keeps for initdb (12000..16383).
constexpr Oid kOmendbRole{12000};
constexpr Oid kPostgresDatabase{5};
constexpr Oid kOmendbDatabase{12001};

void AddSchemas(CatalogEdit& edit, Oid database, Oid pg_catalog, Oid information_schema,
                Oid public_schema) {
  for (const auto& [oid, name] : {std::pair<Oid, const char*>{pg_catalog, "pg_catalog"},
                                  {information_schema, "information_schema"},
                                  {public_schema, "public"}}) {
    const Status put = edit.Put(
        SchemaDef{oid, database, name, kBootstrapRole, InitialSchemaAcl(name, kBootstrapRole)});
    OMEN_CHECK(put.ok());
  }
}

RoleDef Superuser(Oid oid, std::string name) {
  RoleDef role;
  role.oid = oid;
  role.name = std::move(name);
  role.superuser = role.create_role = role.create_db = role.can_login = true;
  role.replication = role.bypass_rls = true;
  return role;
}

template <typename T>
CatalogChange PutOf(const T& definition) {
  CatalogChange change;
  change.op = CatalogChange::Op::kPut;
  change.object = std::make_shared<const Object>(definition);
  change.kind = static_cast<ObjectKind>(change.object->index());
  return change;
}

}  // namespace

std::shared_ptr<const CatalogSnapshot> BootstrapCatalog() {
  CatalogEdit edit(std::make_shared<const CatalogSnapshot>());
  for (const Object& object :
       {Object(Superuser(kBootstrapRole, "postgres")), Object(Superuser(kOmendbRole, "omendb")),
        Object(DatabaseDef{kPostgresDatabase, "postgres", kBootstrapRole, {}}),
        Object(DatabaseDef{kOmendbDatabase, "omendb", kOmendbRole, {}})}) {
    const Status put = edit.Put(object);
    OMEN_CHECK(put.ok());
  }
  AddSchemas(edit, kPostgresDatabase, Oid(11), Oid(12010), Oid(2200));
  AddSchemas(edit, kOmendbDatabase, Oid(12011), Oid(12012), Oid(12013));
  return edit.Installed();
}

std::vector<CatalogChange> AllObjects(const CatalogSnapshot& snapshot) {
  std::vector<CatalogChange> changes;
  for (const RoleDef* role : snapshot.roles()) changes.push_back(PutOf(*role));
  for (const DatabaseDef* database : snapshot.databases()) changes.push_back(PutOf(*database));
  for (const DatabaseDef* database : snapshot.databases()) {
    for (const SchemaDef* schema : snapshot.schemas(database->oid)) {
      changes.push_back(PutOf(*schema));
    }
  }
  for (const auto& sequence : snapshot.all_sequences()) changes.push_back(PutOf(*sequence));
  for (const auto& table : snapshot.all_tables()) changes.push_back(PutOf(*table));
  for (const DatabaseDef* database : snapshot.databases()) {
    for (const auto& view : snapshot.views(database->oid)) changes.push_back(PutOf(*view));
  }
  for (CommentDef& comment : snapshot.comments()) {
    CatalogChange& change = changes.emplace_back();
    change.op = CatalogChange::Op::kComment;
    change.comment = std::move(comment);
  }
  return changes;
}

}  // namespace omendb::catalog
