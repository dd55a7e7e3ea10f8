#include <gtest/gtest.h>

#include "base/sqlstate.h"
#include "catalog/privileges.h"

namespace omendb::catalog {
namespace {

constexpr Oid kDatabase{5};
constexpr Oid kPublic{2200};

TableDef Table(uint32_t oid, std::string name) {
  TableDef table;
  table.oid = Oid(oid);
  table.storage = Oid(oid);
  table.database = kDatabase;
  table.schema = kPublic;
  table.name = std::move(name);
  ColumnDef id{ColumnId(1), "id", {types::TypeKind::kInt4, false, -1}};
  id.not_null = true;
  id.default_sql = "nextval('t_id_seq'::regclass)";
  ColumnDef label{ColumnId(2), "label", {types::TypeKind::kVarchar, false, 14}};
  label.missing_value = "none";
  table.columns = {id, label};
  IndexDef index;
  index.oid = Oid(oid + 1);
  index.name = table.name + "_pkey";
  index.unique = index.primary = true;
  index.keys = {{ColumnId(1)}};
  index.included = {ColumnId(2)};
  table.indexes = {index};
  ConstraintDef primary;
  primary.oid = Oid(oid + 2);
  primary.name = index.name;
  primary.kind = ConstraintKind::kPrimaryKey;
  primary.columns = {ColumnId(1)};
  primary.index = index.oid;
  table.constraints = {primary};
  return table;
}

TableDef Referring(uint32_t oid, std::string name, Oid target) {
  TableDef table = Table(oid, std::move(name));
  ConstraintDef foreign;
  foreign.oid = Oid(oid + 3);
  foreign.name = table.name + "_fkey";
  foreign.kind = ConstraintKind::kForeignKey;
  foreign.columns = {ColumnId(1)};
  foreign.referenced_table = target;
  foreign.referenced_columns = {ColumnId(1)};
  foreign.on_delete = ReferentialAction::kCascade;
  foreign.on_delete_columns = {ColumnId(1)};
  table.constraints.push_back(foreign);
  return table;
}

TEST(BootstrapTest, HasBothSuperusersAndDatabasesWithTheirSchemas) {
  auto catalog = BootstrapCatalog();
  ASSERT_NE(catalog->FindRole("omendb"), nullptr);
  EXPECT_TRUE(catalog->FindRole("postgres")->superuser);
  for (const char* name : {"omendb", "postgres"}) {
    const DatabaseDef* database = catalog->FindDatabase(name);
    ASSERT_NE(database, nullptr);
    EXPECT_NE(catalog->FindSchema(database->oid, "public"), nullptr);
    EXPECT_NE(catalog->FindSchema(database->oid, "pg_catalog"), nullptr);
  }
  EXPECT_EQ(catalog->version(), 2U);
}

TEST(CatalogEditTest, OldSnapshotsDoNotSeeAnEdit) {
  auto base = BootstrapCatalog();
  CatalogEdit edit(base);
  ASSERT_TRUE(edit.Put(Table(16384, "t")).ok());
  EXPECT_FALSE(base->FindRelation(kPublic, "t"));
  EXPECT_TRUE(edit.view()->FindRelation(kPublic, "t"));
  EXPECT_NE(edit.view()->version(), base->version());
  EXPECT_EQ(edit.Installed()->version(), base->version() + 1);
}

TEST(CatalogEditTest, TablesIndexesAndSequencesShareOneNameSpace) {
  CatalogEdit edit(BootstrapCatalog());
  ASSERT_TRUE(edit.Put(Table(16384, "t")).ok());
  const Status clash = edit.Put(Table(16500, "t_pkey"));
  EXPECT_TRUE(clash.Is(sqlstate::kDuplicateTable));
  EXPECT_EQ(clash.error().message, "relation \"t_pkey\" already exists");
  EXPECT_EQ(edit.changes().size(), 1U) << "a refused change leaves nothing behind";
  const Relation by_index = edit.view()->FindRelation(kPublic, "t_pkey");
  ASSERT_NE(by_index.index, nullptr);
  EXPECT_EQ(by_index.table->name, "t");
}

TEST(CatalogEditTest, RenameFreesTheOldName) {
  CatalogEdit edit(BootstrapCatalog());
  ASSERT_TRUE(edit.Put(Table(16384, "t")).ok());
  TableDef renamed = Table(16384, "u");
  ASSERT_TRUE(edit.Put(renamed).ok());
  EXPECT_FALSE(edit.view()->FindRelation(kPublic, "t"));
  EXPECT_FALSE(edit.view()->FindRelation(kPublic, "t_pkey"));
  EXPECT_TRUE(edit.Put(Table(16500, "t")).ok());
}

TEST(CatalogEditTest, ReferencesFollowForeignKeys) {
  CatalogEdit edit(BootstrapCatalog());
  ASSERT_TRUE(edit.Put(Table(16384, "parent")).ok());
  ASSERT_TRUE(edit.Put(Referring(16500, "child", Oid(16384))).ok());
  auto references = edit.view()->ReferencesTo(Oid(16384));
  ASSERT_EQ(references.size(), 1U);
  EXPECT_EQ(references[0].first->name, "child");
  EXPECT_EQ(references[0].second->name, "child_fkey");
  ASSERT_TRUE(edit.Drop(ObjectKind::kTable, Oid(16500)).ok());
  EXPECT_TRUE(edit.view()->ReferencesTo(Oid(16384)).empty());
}

TEST(CatalogEditTest, SavepointForgetsWhatCameAfter) {
  CatalogEdit edit(BootstrapCatalog());
  ASSERT_TRUE(edit.Put(Table(16384, "t")).ok());
  const auto mark = edit.mark();
  ASSERT_TRUE(edit.Drop(ObjectKind::kTable, Oid(16384)).ok());
  EXPECT_FALSE(edit.view()->FindRelation(kPublic, "t"));
  edit.RollbackTo(mark);
  EXPECT_TRUE(edit.view()->FindRelation(kPublic, "t"));
  EXPECT_EQ(edit.changes().size(), 1U);
}

TEST(CatalogEditTest, RebaseFindsANameTakenMeanwhile) {
  auto base = BootstrapCatalog();
  CatalogEdit first(base);
  CatalogEdit second(base);
  ASSERT_TRUE(first.Put(Table(16384, "t")).ok());
  ASSERT_TRUE(second.Put(Table(16500, "t")).ok());
  EXPECT_EQ(second.Rebase(first.Installed()).sqlstate(), "42P07");
  CatalogEdit third(base);
  ASSERT_TRUE(third.Put(Table(16600, "other")).ok());
  ASSERT_TRUE(third.Rebase(first.Installed()).ok());
  EXPECT_TRUE(third.view()->FindRelation(kPublic, "t"));
  EXPECT_TRUE(third.view()->FindRelation(kPublic, "other"));
}

CatalogEdit EverythingEdit() {
  CatalogEdit edit(BootstrapCatalog());
  EXPECT_TRUE(edit.Put(Table(16384, "parent")).ok());
  EXPECT_TRUE(edit.Put(Referring(16500, "child", Oid(16384))).ok());
  SequenceDef sequence;
  sequence.oid = Oid(16600);
  sequence.database = kDatabase;
  sequence.schema = kPublic;
  sequence.name = "t_id_seq";
  sequence.increment = -7;
  sequence.owned_by_table = Oid(16384);
  sequence.owned_by_column = ColumnId(1);
  EXPECT_TRUE(edit.Put(sequence).ok());
  ViewDef view;
  view.oid = Oid(16700);
  view.database = kDatabase;
  view.schema = kPublic;
  view.name = "v";
  view.definition_sql = "SELECT 1 AS one";
  view.columns = {{ColumnId(1), "one", {types::TypeKind::kInt4, false, -1}}};
  view.depends_on = {Oid(16384)};
  EXPECT_TRUE(edit.Put(view).ok());
  RoleDef role;
  role.oid = Oid(16800);
  role.name = "app";
  role.valid_until_micros = 12345;
  role.memberships = {{kBootstrapRole, kBootstrapRole, true}};
  role.password_verifier = "SCRAM-SHA-256$4096:c2FsdA==$a:b";
  EXPECT_TRUE(edit.Put(role).ok());
  edit.SetComment({1259, Oid(16384), 0, "the parent"});
  return edit;
}

TEST(CatalogCodecTest, ChangesAndWholeSnapshotsRoundTrip) {
  const CatalogEdit edit = EverythingEdit();
  const std::string bytes = EncodeChanges(edit.changes());
  auto decoded = DecodeChanges(bytes);
  ASSERT_TRUE(decoded.ok()) << decoded.status().ToString();
  EXPECT_EQ(EncodeChanges(*decoded), bytes);

  CatalogEdit replayed(BootstrapCatalog());
  ASSERT_TRUE(replayed.Apply(*decoded).ok());
  EXPECT_EQ(EncodeChanges(AllObjects(*replayed.view())), EncodeChanges(AllObjects(*edit.view())));
  auto child = replayed.view()->table(Oid(16500));
  EXPECT_EQ(child->constraints[1].on_delete, ReferentialAction::kCascade);
  EXPECT_EQ(child->columns[1].missing_value, "none");
  EXPECT_EQ(child->indexes[0].included, std::vector<ColumnId>{ColumnId(2)});
  EXPECT_EQ(*replayed.view()->comment(1259, Oid(16384), 0), "the parent");

  CatalogEdit from_empty(std::make_shared<const CatalogSnapshot>());
  ASSERT_TRUE(from_empty.Apply(AllObjects(*edit.view())).ok());
  EXPECT_TRUE(from_empty.view()->FindRelation(kPublic, "v").view);
}

// Written by version 1: the schema "public" of database 5.
TEST(CatalogCodecTest, ReadsVersionOneWithSchemasOpenToPublic) {
  const std::string bytes(
      "\x01\x01\x00\x02\x98\x08\x00\x00\x05\x00\x00\x00\x06public\x0a\x00\x00\x00", 23);
  auto decoded = DecodeChanges(bytes);
  ASSERT_TRUE(decoded.ok()) << decoded.status().ToString();
  const auto& schema = std::get<SchemaDef>(*decoded->at(0).object);
  EXPECT_EQ(schema.name, "public");
  CatalogEdit edit(BootstrapCatalog());
  EXPECT_EQ(PrivilegesOf(*edit.view(), Oid(99999), AclOfSchema(schema)), privilege::kUsage);
  EXPECT_FALSE(DecodeChanges("\x03" + bytes.substr(1)).ok());
}

TEST(CatalogCodecTest, ReadsVersionThreeWithoutIncludedColumns) {
  TableDef table = Table(16384, "t");
  table.indexes[0].included.clear();
  CatalogEdit edit(BootstrapCatalog());
  ASSERT_TRUE(edit.Put(table).ok());
  const std::string bytes = EncodeChanges(edit.changes());
  std::string old = bytes;
  old[0] = 3;
  const size_t end = old.find("btree") + 5;
  ASSERT_EQ(old[end], '\0');  // No column is included.
  EXPECT_FALSE(DecodeChanges(old).ok());
  old.erase(end, 1);
  auto decoded = DecodeChanges(old);
  ASSERT_TRUE(decoded.ok()) << decoded.status().ToString();
  EXPECT_EQ(EncodeChanges(*decoded), bytes);
}

RoleDef Role(uint32_t oid, std::vector<Oid> member_of, bool inherit = true) {
  RoleDef role;
  role.oid = Oid(oid);
  role.name = "r" + std::to_string(oid);
  role.inherit = inherit;
  for (Oid other : member_of) role.memberships.push_back({other, kBootstrapRole, false});
  return role;
}

TEST(PrivilegesTest, ComeByGrantByMembershipAndByPublic) {
  CatalogEdit edit(BootstrapCatalog());
  const Oid owner(100), reader(101), heir(102), guest(103);
  ASSERT_TRUE(edit.Put(Role(100, {})).ok());
  ASSERT_TRUE(edit.Put(Role(101, {})).ok());
  ASSERT_TRUE(edit.Put(Role(102, {reader})).ok());
  ASSERT_TRUE(edit.Put(Role(103, {heir}, /*inherit=*/false)).ok());
  std::optional<Acl> acl;
  const AclOf table{AclKind::kTable, owner, &acl};
  EXPECT_EQ(PrivilegesOf(*edit.view(), owner, table), AllPrivileges(AclKind::kTable));
  EXPECT_EQ(PrivilegesOf(*edit.view(), reader, table), 0U);
  acl = DefaultAcl(AclKind::kTable, owner);
  Grant(*acl, {reader, owner, privilege::kSelect, 0});
  Grant(*acl, {kPublicRole, owner, privilege::kInsert, 0});
  EXPECT_EQ(PrivilegesOf(*edit.view(), heir, table), privilege::kSelect | privilege::kInsert);
  EXPECT_EQ(PrivilegesOf(*edit.view(), guest, table), privilege::kInsert);
  EXPECT_TRUE(IsMember(*edit.view(), guest, reader));
  EXPECT_FALSE(HasPrivilegesOf(*edit.view(), guest, reader));
  EXPECT_EQ(AclTexts(*edit.view(), *acl),
            (std::vector<std::string>{"r100=arwdDxt/r100", "r101=r/r100", "=a/r100"}));
}

TEST(PrivilegesTest, RevokingAGrantOptionTakesWhatHangsOnIt) {
  const Oid owner(100), middle(101), end(102);
  Acl acl = DefaultAcl(AclKind::kTable, owner);
  Grant(acl, {middle, owner, privilege::kSelect, privilege::kSelect});
  Grant(acl, {end, middle, privilege::kSelect, 0});
  const AclItem option{middle, owner, 0, privilege::kSelect};
  const Acl before = acl;
  EXPECT_FALSE(Revoke(acl, AclKind::kTable, owner, option, /*cascade=*/false));
  EXPECT_EQ(acl.size(), before.size());
  EXPECT_TRUE(Revoke(acl, AclKind::kTable, owner, option, /*cascade=*/true));
  ASSERT_EQ(acl.size(), 2U);
  EXPECT_EQ(acl[1].grantee, middle);
  EXPECT_EQ(acl[1].grantable, 0U);
}

TEST(CatalogCodecTest, ANewerVersionIsNoDamage) {
  std::string bytes = EncodeChanges(EverythingEdit().changes());
  bytes[0] = static_cast<char>(bytes[0] + 1);
  const Status newer = DecodeChanges(bytes).status();
  EXPECT_EQ(newer.sqlstate(), "0A000") << newer.ToString();
  EXPECT_NE(newer.ToString().find("newer version of OmenDB"), std::string::npos);
  bytes[0] = 0;
  EXPECT_EQ(DecodeChanges(bytes).status().sqlstate(), "XX001");
}

TEST(CatalogCodecTest, EveryTruncationIsDamageAndNoFlipCrashes) {
  const std::string bytes = EncodeChanges(EverythingEdit().changes());
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_EQ(DecodeChanges(std::string_view(bytes).substr(0, size)).status().sqlstate(), "XX001");
  }
  for (size_t i = 0; i < bytes.size(); ++i) {
    std::string flipped = bytes;
    flipped[i] = static_cast<char>(flipped[i] ^ 0x5a);
    (void)DecodeChanges(flipped).ok();
  }
}

}  // namespace
}  // namespace omendb::catalog
