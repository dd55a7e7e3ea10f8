// pg_class and what hangs on it: attributes, defaults, indexes, constraints, sequences, comments.
#include <fmt/format.h>

#include <algorithm>

#include "catalog/column_ids.h"
#include "engine/relation.h"
#include "sql/parse/ast.h"
#include "sql/pg_catalog/relation_list.h"
#include "sql/pg_catalog/row_maker.h"
#include "sql/pg_catalog/system_tables.h"

namespace omendb::sql {

namespace {

constexpr uint32_t kHeapAm = 2, kBtreeAm = 403, kDefaultCollation = 100, kPgCatalog = 11,
                   kCollationC = 950;
constexpr int kIdentityFirst = 13000;

std::string_view PersistenceCode(catalog::Persistence persistence) {
  switch (persistence) {
    case catalog::Persistence::kTemporary:
      return "t";
    case catalog::Persistence::kUnlogged:
      return "u";
    default:
      return "p";
  }
}

uint32_t SchemaOid(const SystemContext& c, std::string_view name) {
  if (name == "pg_catalog") return kPgCatalog;
  const catalog::SchemaDef* schema = c.catalog.FindSchema(c.database, name);
  return schema != nullptr ? schema->oid.value() : kIdentityFirst;
}

void ClassRow(SystemContext& c, Oid oid, const std::string& name, Oid schema, Oid owner,
              std::string_view kind, std::string_view persistence, int columns) {
  c.row.Begin()
      .Set("oid", oid)
      .Set("relname", name)
      .Set("relnamespace", schema)
      // There are no composite types; clients take a relation without a type for none.
      .Set("reltype", kind == "r" || kind == "v" ? oid.value() : 0u)
      .Set("reloftype", 0)
      .Set("relowner", owner)
      .Set("relam", kind == "r"   ? kHeapAm
                    : kind == "i" ? kBtreeAm
                                  : 0u)
      .Set("relfilenode", kind == "v" ? 0u : oid.value())
      .Set("reltablespace", 0)
      .Set("relpages", 0)
      .Set("reltuples", -1)
      .Set("relallvisible", 0)
      .Set("reltoastrelid", 0)
      .Set("relhasindex", false)
      .Set("relisshared", false)
      .Set("relpersistence", persistence)
      .Set("relkind", kind)
      .Set("relnatts", columns)
      .Set("relchecks", 0)
      .Set("relhasrules", kind == "v")
      .Set("relhastriggers", false)
      .Set("relhassubclass", false)
      .Set("relrowsecurity", false)
      .Set("relforcerowsecurity", false)
      .Set("relispopulated", true)
      .Set("relreplident", kind == "r" ? "d" : "n")
      .Set("relispartition", false)
      .Set("relrewrite", 0)
      .Set("relfrozenxid", 0)
      .Set("relminmxid", 0);
}

void PgClass(SystemContext& c) {
  for (const auto& table : c.catalog.tables(c.database)) {
    ClassRow(c, table->oid, table->name, table->schema, table->owner, "r",
             PersistenceCode(table->persistence), static_cast<int>(table->columns.size()));
    int checks = 0;
    bool has_foreign = !c.catalog.ReferencesTo(table->oid).empty();
    for (const auto& constraint : table->constraints) {
      checks += constraint.kind == catalog::ConstraintKind::kCheck ? 1 : 0;
      has_foreign = has_foreign || constraint.kind == catalog::ConstraintKind::kForeignKey;
    }
    SetAcl(c, "relacl", table->acl);
    c.row.Set("relhasindex", !table->indexes.empty())
        .Set("relchecks", checks)
        .Set("relhastriggers", has_foreign)
        .Set("reltuples",
             static_cast<int64_t>(c.instance.database().OpenRelation(table)->rows_estimate()));
    for (const auto& index : table->indexes) {
      ClassRow(c, index.oid, index.name, table->schema, table->owner, "i",
               PersistenceCode(table->persistence),
               static_cast<int>(index.keys.size() + index.included.size()));
    }
  }
  for (const auto& view : c.catalog.views(c.database)) {
    ClassRow(c, view->oid, view->name, view->schema, view->owner, "v",
             PersistenceCode(view->persistence), static_cast<int>(view->columns.size()));
    SetAcl(c, "relacl", view->acl);
  }
  for (const auto& sequence : c.catalog.sequences(c.database)) {
    ClassRow(c, sequence->oid, sequence->name, sequence->schema, sequence->owner, "S",
             PersistenceCode(sequence->persistence), 3);
    SetAcl(c, "relacl", sequence->acl);
  }
  for (const RelationColumns& relation : SystemRelations()) {
    const Oid oid(SystemRelationOid(relation.schema, relation.name));
    const auto count = 1 + std::count(relation.columns.begin(), relation.columns.end(), ',');
    const bool is_table = oid.value() < 12000;
    ClassRow(c, oid, std::string(relation.name), Oid(SchemaOid(c, relation.schema)),
             catalog::kBootstrapRole, is_table ? "r" : "v", "p", static_cast<int>(count));
  }
}

struct AttributeInfo {
  uint32_t relation;
  int number;
  std::string name;
  types::SqlType type;
  bool not_null = false;
  bool has_default = false;
  bool dropped = false;
  catalog::Identity identity = catalog::Identity::kNone;
  bool generated = false;
};

std::string_view Alignment(const types::SqlType& type) {
  switch (types::TypeLength(type)) {
    case 1:
      return "c";
    case 2:
      return "s";
    case 8:
      return "d";
    case 16:
      return type.kind == types::TypeKind::kUuid ? "c" : "d";
    case 64:
      return "c";
    default:
      return "i";
  }
}

void AttributeRow(SystemContext& c, const AttributeInfo& a) {
  const int16_t length = types::TypeLength(a.type);
  const bool by_value = length > 0 && length <= 8;
  c.row.Begin()
      .Set("attrelid", a.relation)
      .Set("attname", a.name)
      .Set("atttypid", a.dropped ? 0u : types::TypeOid(a.type))
      .Set("attstattarget", -1)
      .Set("attlen", static_cast<int>(length))
      .Set("attnum", a.number)
      .Set("attndims", a.type.is_array ? 1 : 0)
      .Set("attcacheoff", -1)
      .Set("atttypmod", a.type.numeric_legacy() ? -1 : a.type.typmod)
      .Set("attbyval", by_value)
      .Set("attalign", Alignment(a.type))
      .Set("attstorage", length > 0                                                     ? "p"
                         : a.type.kind == types::TypeKind::kNumeric && !a.type.is_array ? "m"
                                                                                        : "x")
      .Set("attcompression", "")
      .Set("attnotnull", a.not_null)
      .Set("atthasdef", a.has_default)
      .Set("atthasmissing", false)
      .Set("attidentity", a.identity == catalog::Identity::kAlways      ? "a"
                          : a.identity == catalog::Identity::kByDefault ? "d"
                                                                        : "")
      .Set("attgenerated", a.generated ? "s" : "")
      .Set("attisdropped", a.dropped)
      .Set("attislocal", true)
      .Set("attinhcount", 0)
      .Set("attcollation", a.type.kind == types::TypeKind::kName ? kCollationC
                           : a.type.is_string() || (a.type.is_array && a.type.element().is_string())
                               ? kDefaultCollation
                               : 0u);
}

bool HasShownDefault(const catalog::ColumnDef& column) {
  return (!column.default_sql.empty() && column.identity == catalog::Identity::kNone) ||
         !column.generated_sql.empty();
}

void PgAttribute(SystemContext& c) {
  for (const auto& table : c.catalog.tables(c.database)) {
    for (const auto& column : table->columns) {
      AttributeRow(c, {table->oid.value(), column.id.value(), column.name, column.type,
                       column.not_null, HasShownDefault(column), column.dropped, column.identity,
                       !column.generated_sql.empty()});
    }
    for (const auto& index : table->indexes) {
      int number = 1;
      for (const ColumnId id : catalog::ColumnsOf(index)) {
        const auto& column = table->column(id);
        AttributeRow(c, {index.oid.value(), number++, column.name, column.type});
      }
    }
  }
  for (const auto& view : c.catalog.views(c.database)) {
    for (const auto& column : view->columns) {
      AttributeRow(c, {view->oid.value(), column.id.value(), column.name, column.type});
    }
  }
  for (const auto& sequence : c.catalog.sequences(c.database)) {
    const uint32_t oid = sequence->oid.value();
    AttributeRow(c, {oid, 1, "last_value", {types::TypeKind::kInt8}, true});
    AttributeRow(c, {oid, 2, "log_cnt", {types::TypeKind::kInt8}, true});
    AttributeRow(c, {oid, 3, "is_called", {types::TypeKind::kBool}, true});
  }
  for (const RelationColumns& relation : SystemRelations()) {
    const uint32_t oid = SystemRelationOid(relation.schema, relation.name);
    std::string_view list = relation.columns;
    for (int number = 1; !list.empty(); ++number) {
      const size_t comma = std::min(list.find(','), list.size());
      const std::string_view item = list.substr(0, comma);
      const size_t space = item.find(' ');
      auto type = types::TypeFromName(item.substr(space + 1));
      AttributeRow(c, {oid, number, std::string(item.substr(0, space)),
                       type.ok() ? *type : types::SqlType{types::TypeKind::kText}});
      list.remove_prefix(std::min(comma + 1, list.size()));
    }
  }
}

// The catalogs whose objects depend on others.
constexpr int64_t kPgClass = 1259, kPgAttrdef = 2604;

// A default has no Oid of its own here: the table's and the column's make one.
int64_t DefaultOid(Oid table, ColumnId column) {
  return table.value() * 1600LL % 2000000000 + column.value();
}

void PgAttrdef(SystemContext& c) {
  for (const auto& table : c.catalog.tables(c.database)) {
    for (const auto& column : table->columns) {
      if (column.dropped || !HasShownDefault(column)) continue;
      c.row.Begin()
          .Set("oid", DefaultOid(table->oid, column.id))
          .Set("adrelid", table->oid)
          .Set("adnum", static_cast<int>(column.id.value()))
          .Set("adbin", column.generated_sql.empty() ? column.default_sql : column.generated_sql);
    }
  }
}

uint32_t OperatorClass(const types::SqlType& type) {
  switch (type.kind) {
    case types::TypeKind::kInt4:
      return 1978;
    case types::TypeKind::kInt8:
      return 3124;
    case types::TypeKind::kInt2:
      return 1979;
    case types::TypeKind::kText:
      return 3126;
    case types::TypeKind::kVarchar:
      return 3126;
    case types::TypeKind::kBpchar:
      return 426;
    case types::TypeKind::kDate:
      return 3122;
    case types::TypeKind::kTimestamp:
      return 3128;
    case types::TypeKind::kTimestampTz:
      return 3127;
    case types::TypeKind::kNumeric:
      return 3125;
    case types::TypeKind::kUuid:
      return 2968;
    default:
      return 10000;
  }
}

void PgIndex(SystemContext& c) {
  for (const auto& table : c.catalog.tables(c.database)) {
    for (const auto& index : table->indexes) {
      std::vector<int64_t> keys, collations, classes, options;
      for (const auto& key : index.keys) {
        const types::SqlType& type = table->column(key.column).type;
        keys.push_back(key.column.value());
        collations.push_back(type.is_string() ? kDefaultCollation : 0);
        classes.push_back(OperatorClass(type));
        options.push_back((key.descending ? 1 : 0) | (key.nulls_first ? 2 : 0));
      }
      for (ColumnId included : index.included) keys.push_back(included.value());
      c.row.Begin()
          .Set("indexrelid", index.oid)
          .Set("indrelid", table->oid)
          .Set("indnatts", static_cast<int>(keys.size()))
          .Set("indnkeyatts", static_cast<int>(index.keys.size()))
          .Set("indisunique", index.unique)
          .Set("indnullsnotdistinct", index.nulls_not_distinct)
          .Set("indisprimary", index.primary)
          .Set("indisexclusion", false)
          .Set("indimmediate", true)
          .Set("indisclustered", false)
          .Set("indisvalid", true)
          .Set("indcheckxmin", false)
          .Set("indisready", true)
          .Set("indislive", true)
          .Set("indisreplident", false)
          .SetList("indkey", keys)
          .SetList("indcollation", collations)
          .SetList("indclass", classes)
          .SetList("indoption", options);
    }
  }
}

std::string_view ActionCode(catalog::ReferentialAction action) {
  switch (action) {
    case catalog::ReferentialAction::kRestrict:
      return "r";
    case catalog::ReferentialAction::kCascade:
      return "c";
    case catalog::ReferentialAction::kSetNull:
      return "n";
    case catalog::ReferentialAction::kSetDefault:
      return "d";
    default:
      return "a";
  }
}

void PgConstraint(SystemContext& c) {
  using catalog::ConstraintKind;
  for (const auto& table : c.catalog.tables(c.database)) {
    for (const auto& constraint : table->constraints) {
      const bool foreign = constraint.kind == ConstraintKind::kForeignKey;
      std::vector<int64_t> columns, referenced;
      for (ColumnId id : constraint.columns) columns.push_back(id.value());
      for (ColumnId id : constraint.referenced_columns) referenced.push_back(id.value());
      c.row.Begin()
          .Set("oid", constraint.oid)
          .Set("conname", constraint.name)
          .Set("connamespace", table->schema)
          .Set("contype", constraint.kind == ConstraintKind::kPrimaryKey ? "p"
                          : constraint.kind == ConstraintKind::kUnique   ? "u"
                          : constraint.kind == ConstraintKind::kCheck    ? "c"
                                                                         : "f")
          .Set("condeferrable", constraint.deferrable)
          .Set("condeferred", constraint.initially_deferred)
          .Set("convalidated", constraint.validated)
          .Set("conrelid", table->oid)
          .Set("contypid", 0)
          .Set("conindid", foreign ? constraint.referenced_index : constraint.index)
          .Set("conparentid", 0)
          .Set("confrelid", constraint.referenced_table)
          .Set("confupdtype", foreign ? ActionCode(constraint.on_update) : " ")
          .Set("confdeltype", foreign ? ActionCode(constraint.on_delete) : " ")
          .Set("confmatchtype", !foreign                ? " "
                                : constraint.match_full ? "f"
                                                        : "s")
          .Set("conislocal", true)
          .Set("coninhcount", 0)
          .Set("connoinherit", constraint.kind != ConstraintKind::kCheck)
          .SetList("conkey", columns);
      if (foreign) c.row.SetList("confkey", referenced);
      if (!constraint.check_sql.empty()) c.row.Set("conbin", constraint.check_sql);
    }
  }
}

void PgNamespace(SystemContext& c) {
  for (const catalog::SchemaDef* schema : c.catalog.schemas(c.database)) {
    c.row.Begin()
        .Set("oid", schema->name == "pg_catalog" ? Oid(kPgCatalog) : schema->oid)
        .Set("nspname", schema->name)
        .Set("nspowner", schema->owner);
    SetAcl(c, "nspacl", schema->acl);
  }
}

void PgSequence(SystemContext& c) {
  for (const auto& sequence : c.catalog.sequences(c.database)) {
    c.row.Begin()
        .Set("seqrelid", sequence->oid)
        .Set("seqtypid", types::TypeOid(sequence->type))
        .Set("seqstart", sequence->start)
        .Set("seqincrement", sequence->increment)
        .Set("seqmax", sequence->max_value)
        .Set("seqmin", sequence->min_value)
        .Set("seqcache", sequence->cache)
        .Set("seqcycle", sequence->cycle);
  }
}

// Comments of databases and roles are shared by all databases and stand in pg_shdescription.
bool IsShared(uint32_t class_oid) { return class_oid == 1262 || class_oid == 1260; }

void PgDescription(SystemContext& c) {
  for (const catalog::CommentDef& comment : c.catalog.comments()) {
    if (IsShared(comment.class_oid)) continue;
    c.row.Begin()
        .Set("objoid", comment.object)
        .Set("classoid", comment.class_oid)
        .Set("objsubid", static_cast<int>(comment.sub_object))
        .Set("description", comment.text);
  }
}

void PgShdescription(SystemContext& c) {
  for (const catalog::CommentDef& comment : c.catalog.comments()) {
    if (!IsShared(comment.class_oid)) continue;
    c.row.Begin()
        .Set("objoid", comment.object)
        .Set("classoid", comment.class_oid)
        .Set("description", comment.text);
  }
}

struct Dependency {
  int64_t class_id, object, on_object;
  int on_column;
  const char* kind;
};

void AddDependency(SystemContext& c, const Dependency& d) {
  c.row.Begin()
      .Set("classid", d.class_id)
      .Set("objid", d.object)
      .Set("objsubid", 0)
      .Set("refclassid", kPgClass)
      .Set("refobjid", d.on_object)
      .Set("refobjsubid", d.on_column)
      .Set("deptype", d.kind);
}

// What clients look for to find the sequence of a column: it belongs to the column, and the
// column's default needs it.
void PgDepend(SystemContext& c) {
  for (const auto& sequence : c.catalog.sequences(c.database)) {
    if (sequence->owned_by_table == Oid{}) continue;
    const Oid owner = sequence->owned_by_table;
    const ColumnId column = sequence->owned_by_column;
    AddDependency(c, {kPgClass, sequence->oid.value(), owner.value(),
                      static_cast<int>(column.value()), sequence->is_identity ? "i" : "a"});
    const auto table = c.catalog.table(owner);
    if (table == nullptr || table->column(column).default_sql.find("nextval(") == std::string::npos)
      continue;
    AddDependency(c, {kPgAttrdef, DefaultOid(owner, column), sequence->oid.value(), 0, "n"});
  }
}

void PgRewrite(SystemContext& c) {
  for (const auto& view : c.catalog.views(c.database)) {
    c.row.Begin()
        .Set("oid", view->oid)
        .Set("rulename", "_RETURN")
        .Set("ev_class", view->oid)
        .Set("ev_type", "1")
        .Set("ev_enabled", "O")
        .Set("is_instead", true);
  }
}

constexpr NamedProducer kProducers[] = {
    {"pg_catalog", "pg_class", PgClass},
    {"pg_catalog", "pg_attribute", PgAttribute},
    {"pg_catalog", "pg_attrdef", PgAttrdef},
    {"pg_catalog", "pg_index", PgIndex},
    {"pg_catalog", "pg_constraint", PgConstraint},
    {"pg_catalog", "pg_namespace", PgNamespace},
    {"pg_catalog", "pg_sequence", PgSequence},
    {"pg_catalog", "pg_description", PgDescription},
    {"pg_catalog", "pg_shdescription", PgShdescription},
    {"pg_catalog", "pg_depend", PgDepend},
    {"pg_catalog", "pg_rewrite", PgRewrite},
};

}  // namespace

std::span<const NamedProducer> RelationProducers() { return kProducers; }

std::string SchemaNameOf(const catalog::CatalogSnapshot& catalog, Oid schema) {
  const catalog::SchemaDef* def = catalog.schema(schema);
  return def != nullptr ? def->name : "";
}

std::string RoleNameOf(const catalog::CatalogSnapshot& catalog, Oid role) {
  const catalog::RoleDef* def = catalog.role(role);
  return def != nullptr ? def->name : fmt::format("unknown (OID={})", role.value());
}

namespace {

std::string ColumnList(const catalog::TableDef& table, const std::vector<ColumnId>& columns) {
  std::string list;
  for (ColumnId id : columns) {
    list += (list.empty() ? "" : ", ") + QuoteIdentifier(table.column(id).name);
  }
  return list;
}

std::string IncludedText(const catalog::TableDef& table, const catalog::IndexDef* index) {
  if (index == nullptr || index->included.empty()) return "";
  return " INCLUDE (" + ColumnList(table, index->included) + ")";
}

}  // namespace

std::string_view ActionText(catalog::ReferentialAction action) {
  switch (action) {
    case catalog::ReferentialAction::kRestrict:
      return "RESTRICT";
    case catalog::ReferentialAction::kCascade:
      return "CASCADE";
    case catalog::ReferentialAction::kSetNull:
      return "SET NULL";
    case catalog::ReferentialAction::kSetDefault:
      return "SET DEFAULT";
    default:
      return "NO ACTION";
  }
}

std::string ConstraintText(const catalog::CatalogSnapshot& catalog, const catalog::TableDef& table,
                           const catalog::ConstraintDef& constraint) {
  using catalog::ConstraintKind;
  std::string text;
  switch (constraint.kind) {
    case ConstraintKind::kPrimaryKey:
      return "PRIMARY KEY (" + ColumnList(table, constraint.columns) + ")" +
             IncludedText(table, table.FindIndex(constraint.index));
    case ConstraintKind::kUnique:
      return "UNIQUE (" + ColumnList(table, constraint.columns) + ")" +
             IncludedText(table, table.FindIndex(constraint.index));
    case ConstraintKind::kCheck:
      text = "CHECK ((" + constraint.check_sql + "))";
      break;
    case ConstraintKind::kForeignKey: {
      auto target = catalog.table(constraint.referenced_table);
      text = "FOREIGN KEY (" + ColumnList(table, constraint.columns) + ") REFERENCES ";
      if (target != nullptr) {
        const std::string schema = SchemaNameOf(catalog, target->schema);
        text += (schema == "public" ? "" : QuoteIdentifier(schema) + ".") +
                QuoteIdentifier(target->name) + "(" +
                ColumnList(*target, constraint.referenced_columns) + ")";
      }
      if (constraint.match_full) text += " MATCH FULL";
      if (constraint.on_update != catalog::ReferentialAction::kNoAction) {
        text += " ON UPDATE " + std::string(ActionText(constraint.on_update));
      }
      if (constraint.on_delete != catalog::ReferentialAction::kNoAction) {
        text += " ON DELETE " + std::string(ActionText(constraint.on_delete));
        if (!constraint.on_delete_columns.empty()) {
          text += " (" + ColumnList(table, constraint.on_delete_columns) + ")";
        }
      }
      break;
    }
  }
  if (constraint.deferrable) text += " DEFERRABLE";
  if (constraint.initially_deferred) text += " INITIALLY DEFERRED";
  if (!constraint.validated) text += " NOT VALID";
  return text;
}

std::string IndexText(const catalog::CatalogSnapshot& catalog, const catalog::TableDef& table,
                      const catalog::IndexDef& index) {
  std::string keys;
  for (const auto& key : index.keys) {
    keys += (keys.empty() ? "" : ", ") + QuoteIdentifier(table.column(key.column).name);
    if (key.descending) keys += " DESC";
    if (key.nulls_first && !key.descending) keys += " NULLS FIRST";
    if (!key.nulls_first && key.descending) keys += " NULLS LAST";
  }
  return fmt::format("CREATE {}INDEX {} ON {}.{} USING {} ({}){}{}", index.unique ? "UNIQUE " : "",
                     QuoteIdentifier(index.name),
                     QuoteIdentifier(SchemaNameOf(catalog, table.schema)),
                     QuoteIdentifier(table.name), index.method, keys, IncludedText(table, &index),
                     index.nulls_not_distinct ? " NULLS NOT DISTINCT" : "");
}

}  // namespace omendb::sql
