// information_schema: what the SQL standard calls the same things.
#include <fmt/format.h>

#include "catalog/privileges.h"
#include "sql/parse/ast.h"
#include "sql/pg_catalog/row_maker.h"

namespace omendb::sql {
namespace {

using catalog::ConstraintKind;

std::string DatabaseName(const SystemContext& c) {
  const catalog::DatabaseDef* database = c.catalog.database(c.database);
  return database != nullptr ? database->name : "";
}

void CatalogName(SystemContext& c) { c.row.Begin().Set("catalog_name", DatabaseName(c)); }

void Schemata(SystemContext& c) {
  for (const catalog::SchemaDef* schema : c.catalog.schemas(c.database)) {
    c.row.Begin()
        .Set("catalog_name", DatabaseName(c))
        .Set("schema_name", schema->name)
        .Set("schema_owner", RoleNameOf(c.catalog, schema->owner));
  }
}

void TableRow(SystemContext& c, Oid schema, const std::string& name, std::string_view type,
              bool insertable) {
  c.row.Begin()
      .Set("table_catalog", DatabaseName(c))
      .Set("table_schema", SchemaNameOf(c.catalog, schema))
      .Set("table_name", name)
      .Set("table_type", type)
      .Set("is_insertable_into", insertable ? "YES" : "NO")
      .Set("is_typed", "NO");
}

void Tables(SystemContext& c) {
  for (const auto& table : c.catalog.tables(c.database)) {
    const bool temporary = table->persistence == catalog::Persistence::kTemporary;
    TableRow(c, table->schema, table->name, temporary ? "LOCAL TEMPORARY" : "BASE TABLE", true);
  }
  for (const auto& view : c.catalog.views(c.database)) {
    TableRow(c, view->schema, view->name, "VIEW", false);
  }
}

void Views(SystemContext& c) {
  for (const auto& view : c.catalog.views(c.database)) {
    c.row.Begin()
        .Set("table_catalog", DatabaseName(c))
        .Set("table_schema", SchemaNameOf(c.catalog, view->schema))
        .Set("table_name", view->name)
        .Set("view_definition", view->definition_sql + ";")
        .Set("check_option", "NONE")
        .Set("is_updatable", "NO")
        .Set("is_insertable_into", "NO")
        .Set("is_trigger_updatable", "NO")
        .Set("is_trigger_deletable", "NO")
        .Set("is_trigger_insertable_into", "NO");
  }
}

void SetTypeDetails(SystemContext& c, const types::SqlType& type) {
  using types::TypeKind;
  if (type.is_array) return;
  switch (type.kind) {
    case TypeKind::kInt2:
      c.row.Set("numeric_precision", 16);
      break;
    case TypeKind::kInt4:
      c.row.Set("numeric_precision", 32);
      break;
    case TypeKind::kInt8:
      c.row.Set("numeric_precision", 64);
      break;
    case TypeKind::kFloat4:
      c.row.Set("numeric_precision", 24);
      break;
    case TypeKind::kFloat8:
      c.row.Set("numeric_precision", 53);
      break;
    case TypeKind::kNumeric:
      c.row.Set("numeric_precision_radix", 10);
      if (type.typmod >= 0 && !type.numeric_legacy()) {
        c.row.Set("numeric_precision", type.numeric_precision())
            .Set("numeric_scale", type.numeric_scale());
      }
      return;
    case TypeKind::kVarchar:
    case TypeKind::kBpchar:
      if (type.typmod >= 0) {
        c.row.Set("character_maximum_length", type.typmod - 4)
            .Set("character_octet_length", (type.typmod - 4) * 4);
        return;
      }
      [[fallthrough]];
    case TypeKind::kText:
      c.row.Set("character_octet_length", 1073741824);
      return;
    case TypeKind::kDate:
      c.row.Set("datetime_precision", 0);
      return;
    case TypeKind::kTime:
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampTz:
    case TypeKind::kInterval:
      c.row.Set("datetime_precision",
                type.typmod >= 0 && type.kind != TypeKind::kInterval ? type.typmod : 6);
      return;
    default:
      return;
  }
  c.row.Set("numeric_precision_radix", 2);
  if (type.kind != TypeKind::kFloat4 && type.kind != TypeKind::kFloat8) {
    c.row.Set("numeric_scale", 0);
  }
}

void ColumnRow(SystemContext& c, Oid schema, const std::string& relation,
               const catalog::ColumnDef& column, int position, bool updatable) {
  types::SqlType bare = column.type;
  bare.typmod = -1;
  c.row.Begin()
      .Set("table_catalog", DatabaseName(c))
      .Set("table_schema", SchemaNameOf(c.catalog, schema))
      .Set("table_name", relation)
      .Set("column_name", column.name)
      .Set("ordinal_position", position)
      .Set("is_nullable", column.not_null ? "NO" : "YES")
      .Set("data_type", bare.is_array ? std::string("ARRAY") : types::FormatType(bare))
      .Set("udt_catalog", DatabaseName(c))
      .Set("udt_schema", "pg_catalog")
      .Set("udt_name", types::TypeName(column.type))
      .Set("dtd_identifier", fmt::format("{}", position))
      .Set("is_self_referencing", "NO")
      .Set("is_identity", column.identity != catalog::Identity::kNone ? "YES" : "NO")
      .Set("identity_cycle", "NO")
      .Set("is_generated", column.generated_sql.empty() ? "NEVER" : "ALWAYS")
      .Set("is_updatable", updatable ? "YES" : "NO");
  if (!column.default_sql.empty() && column.identity == catalog::Identity::kNone) {
    c.row.Set("column_default", column.default_sql);
  }
  if (column.identity != catalog::Identity::kNone) {
    c.row.Set("identity_generation",
              column.identity == catalog::Identity::kAlways ? "ALWAYS" : "BY DEFAULT");
  }
  SetTypeDetails(c, column.type);
}

void Columns(SystemContext& c) {
  for (const auto& table : c.catalog.tables(c.database)) {
    for (const auto& column : table->columns) {
      if (column.dropped) continue;
      ColumnRow(c, table->schema, table->name, column, column.id.value(), true);
    }
  }
  for (const auto& view : c.catalog.views(c.database)) {
    for (const auto& column : view->columns) {
      ColumnRow(c, view->schema, view->name, column, column.id.value(), false);
    }
  }
}

std::string_view ConstraintType(ConstraintKind kind) {
  switch (kind) {
    case ConstraintKind::kPrimaryKey:
      return "PRIMARY KEY";
    case ConstraintKind::kUnique:
      return "UNIQUE";
    case ConstraintKind::kCheck:
      return "CHECK";
    case ConstraintKind::kForeignKey:
      return "FOREIGN KEY";
  }
  return "";
}

RowMaker& ConstraintRow(SystemContext& c, const catalog::TableDef& table, const std::string& name) {
  return c.row.Begin()
      .Set("constraint_catalog", DatabaseName(c))
      .Set("constraint_schema", SchemaNameOf(c.catalog, table.schema))
      .Set("constraint_name", name);
}

// NOT NULL is a check constraint in the standard's eyes.
std::string NotNullName(const catalog::TableDef& table, const catalog::ColumnDef& column) {
  return fmt::format("{}_{}_{}_not_null", table.schema.value(), table.oid.value(),
                     column.id.value());
}

void TableConstraints(SystemContext& c) {
  for (const auto& table : c.catalog.tables(c.database)) {
    auto add = [&](const std::string& name, std::string_view type, bool deferrable, bool deferred) {
      ConstraintRow(c, *table, name)
          .Set("table_catalog", DatabaseName(c))
          .Set("table_schema", SchemaNameOf(c.catalog, table->schema))
          .Set("table_name", table->name)
          .Set("constraint_type", type)
          .Set("is_deferrable", deferrable ? "YES" : "NO")
          .Set("initially_deferred", deferred ? "YES" : "NO")
          .Set("enforced", "YES");
    };
    for (const auto& constraint : table->constraints) {
      add(constraint.name, ConstraintType(constraint.kind), constraint.deferrable,
          constraint.initially_deferred);
    }
    for (const auto& column : table->columns) {
      if (column.not_null && !column.dropped) {
        add(NotNullName(*table, column), "CHECK", false, false);
      }
    }
  }
}

void CheckConstraints(SystemContext& c) {
  for (const auto& table : c.catalog.tables(c.database)) {
    for (const auto& constraint : table->constraints) {
      if (constraint.kind != ConstraintKind::kCheck) continue;
      ConstraintRow(c, *table, constraint.name)
          .Set("check_clause", "((" + constraint.check_sql + "))");
    }
    for (const auto& column : table->columns) {
      if (!column.not_null || column.dropped) continue;
      ConstraintRow(c, *table, NotNullName(*table, column))
          .Set("check_clause", column.name + " IS NOT NULL");
    }
  }
}

void KeyColumnUsage(SystemContext& c) {
  for (const auto& table : c.catalog.tables(c.database)) {
    for (const auto& constraint : table->constraints) {
      if (constraint.kind == ConstraintKind::kCheck) continue;
      int position = 1;
      for (ColumnId id : constraint.columns) {
        ConstraintRow(c, *table, constraint.name)
            .Set("table_catalog", DatabaseName(c))
            .Set("table_schema", SchemaNameOf(c.catalog, table->schema))
            .Set("table_name", table->name)
            .Set("column_name", table->column(id).name)
            .Set("ordinal_position", position);
        if (constraint.kind == ConstraintKind::kForeignKey) {
          c.row.Set("position_in_unique_constraint", position);
        }
        ++position;
      }
    }
  }
}

// Of a foreign key: the columns it refers to.
void ConstraintColumnUsage(SystemContext& c) {
  for (const auto& table : c.catalog.tables(c.database)) {
    for (const auto& constraint : table->constraints) {
      const bool foreign = constraint.kind == ConstraintKind::kForeignKey;
      auto used = foreign ? c.catalog.table(constraint.referenced_table) : table;
      if (used == nullptr) continue;
      for (ColumnId id : foreign ? constraint.referenced_columns : constraint.columns) {
        ConstraintRow(c, *table, constraint.name)
            .Set("table_catalog", DatabaseName(c))
            .Set("table_schema", SchemaNameOf(c.catalog, used->schema))
            .Set("table_name", used->name)
            .Set("column_name", used->column(id).name);
      }
    }
  }
}

void ReferentialConstraints(SystemContext& c) {
  for (const auto& table : c.catalog.tables(c.database)) {
    for (const auto& constraint : table->constraints) {
      if (constraint.kind != ConstraintKind::kForeignKey) continue;
      auto target = c.catalog.table(constraint.referenced_table);
      ConstraintRow(c, *table, constraint.name)
          .Set("match_option", constraint.match_full ? "FULL" : "NONE")
          .Set("update_rule", ActionText(constraint.on_update))
          .Set("delete_rule", ActionText(constraint.on_delete));
      const catalog::IndexDef* index =
          target != nullptr ? target->FindIndex(constraint.referenced_index) : nullptr;
      if (index == nullptr) continue;
      c.row.Set("unique_constraint_catalog", DatabaseName(c))
          .Set("unique_constraint_schema", SchemaNameOf(c.catalog, target->schema))
          .Set("unique_constraint_name", index->name);
    }
  }
}

void Sequences(SystemContext& c) {
  for (const auto& sequence : c.catalog.sequences(c.database)) {
    if (sequence->is_identity) continue;
    const int precision = sequence->type.kind == types::TypeKind::kInt2   ? 16
                          : sequence->type.kind == types::TypeKind::kInt4 ? 32
                                                                          : 64;
    c.row.Begin()
        .Set("sequence_catalog", DatabaseName(c))
        .Set("sequence_schema", SchemaNameOf(c.catalog, sequence->schema))
        .Set("sequence_name", sequence->name)
        .Set("data_type", types::FormatType(sequence->type))
        .Set("numeric_precision", precision)
        .Set("numeric_precision_radix", 2)
        .Set("numeric_scale", 0)
        .Set("start_value", std::to_string(sequence->start))
        .Set("minimum_value", std::to_string(sequence->min_value))
        .Set("maximum_value", std::to_string(sequence->max_value))
        .Set("increment", std::to_string(sequence->increment))
        .Set("cycle_option", sequence->cycle ? "YES" : "NO");
  }
}

void EnabledRoles(SystemContext& c) {
  if (c.session == nullptr) return;
  for (const catalog::RoleDef* role : c.catalog.roles()) {
    if (c.session->is_superuser() ||
        catalog::IsMember(c.catalog, c.session->current_role(), role->oid)) {
      c.row.Begin().Set("role_name", role->name);
    }
  }
}

// What one list says, a row for each privilege. The owner's own count as grantable.
void GrantRows(SystemContext& c, Oid schema, const std::string& name, Oid owner,
               const std::optional<catalog::Acl>& acl) {
  const catalog::AclKind kind = catalog::AclKind::kTable;
  for (const catalog::AclItem& item : acl ? *acl : catalog::DefaultAcl(kind, owner)) {
    for (catalog::PrivilegeSet bit = 1; bit <= item.privileges; bit <<= 1) {
      if ((item.privileges & bit) == 0) continue;
      const bool grantable = item.grantee == owner || (item.grantable & bit) != 0;
      const bool to_public = item.grantee == catalog::kPublicRole;
      c.row.Begin()
          .Set("grantor", RoleNameOf(c.catalog, item.grantor))
          .Set("grantee", to_public ? "PUBLIC" : RoleNameOf(c.catalog, item.grantee))
          .Set("table_catalog", DatabaseName(c))
          .Set("table_schema", SchemaNameOf(c.catalog, schema))
          .Set("table_name", name)
          .Set("privilege_type", catalog::PrivilegeName(bit))
          .Set("is_grantable", grantable ? "YES" : "NO")
          .Set("with_hierarchy", bit == catalog::privilege::kSelect ? "YES" : "NO");
    }
  }
}

void TablePrivileges(SystemContext& c) {
  for (const auto& table : c.catalog.tables(c.database)) {
    GrantRows(c, table->schema, table->name, table->owner, table->acl);
  }
  for (const auto& view : c.catalog.views(c.database)) {
    GrantRows(c, view->schema, view->name, view->owner, view->acl);
  }
}

constexpr NamedProducer kProducers[] = {
    {"information_schema", "information_schema_catalog_name", CatalogName},
    {"information_schema", "schemata", Schemata},
    {"information_schema", "tables", Tables},
    {"information_schema", "views", Views},
    {"information_schema", "columns", Columns},
    {"information_schema", "table_constraints", TableConstraints},
    {"information_schema", "check_constraints", CheckConstraints},
    {"information_schema", "key_column_usage", KeyColumnUsage},
    {"information_schema", "constraint_column_usage", ConstraintColumnUsage},
    {"information_schema", "referential_constraints", ReferentialConstraints},
    {"information_schema", "sequences", Sequences},
    {"information_schema", "enabled_roles", EnabledRoles},
    {"information_schema", "table_privileges", TablePrivileges},
    {"information_schema", "role_table_grants", TablePrivileges},
};

}  // namespace

std::span<const NamedProducer> InformationProducers() { return kProducers; }

}  // namespace omendb::sql
