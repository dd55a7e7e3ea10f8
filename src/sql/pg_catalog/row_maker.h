// row_maker.h - fills rows of a system relation by column name; what is not set is NULL.
#pragma once

#include <string_view>
#include <vector>

#include "duck/duck_engine.h"
#include "sql/session_impl.h"

namespace omendb::sql {

class RowMaker {
 public:
  RowMaker(const duck::SystemTable& table, types::Arena& arena, std::vector<types::Row>& rows)
      : table_(table), arena_(arena), rows_(rows) {}

  RowMaker& Begin();
  RowMaker& Set(std::string_view column, std::string_view text);
  RowMaker& Set(std::string_view column, const char* text) {
    return Set(column, std::string_view(text));
  }
  RowMaker& Set(std::string_view column, const std::string& text) {
    return Set(column, std::string_view(text));
  }
  RowMaker& Set(std::string_view column, bool value);
  RowMaker& Set(std::string_view column, int64_t value);
  RowMaker& Set(std::string_view column, double value);
  RowMaker& Set(std::string_view column, int value) {
    return Set(column, static_cast<int64_t>(value));
  }
  RowMaker& Set(std::string_view column, uint32_t value) {
    return Set(column, static_cast<int64_t>(value));
  }
  RowMaker& Set(std::string_view column, Oid value) { return Set(column, value.value()); }
  // int2vector, oidvector and arrays of numbers.
  RowMaker& SetList(std::string_view column, const std::vector<int64_t>& values);
  RowMaker& SetTexts(std::string_view column, const std::vector<std::string>& values);

 private:
  types::Value* Cell(std::string_view column, types::SqlType* type);
  const duck::SystemTable& table_;
  types::Arena& arena_;
  std::vector<types::Row>& rows_;
};

// What a producer works with.
struct SystemContext {
  InstanceImpl& instance;
  SessionImpl* session;  // null outside a session
  const catalog::CatalogSnapshot& catalog;
  Oid database;
  RowMaker& row;
};

// Whether the current role may see what the session of that role does: as PostgreSQL, superusers
// and who has the role's privileges.
bool SeesSessionsOf(const SystemContext& c, Oid role);

using SystemProducer = void (*)(SystemContext& context);

// The producers of each file: pairs of relation name and function.
struct NamedProducer {
  std::string_view schema;
  std::string_view name;
  SystemProducer produce;
};
std::span<const NamedProducer> RelationProducers();     // relations.cc
std::span<const NamedProducer> TypeProducers();         // type_relations.cc
std::span<const NamedProducer> AdminProducers();        // admin_relations.cc
std::span<const NamedProducer> ProgressProducers();     // progress_relations.cc
std::span<const NamedProducer> ViewProducers();         // catalog_views.cc
std::span<const NamedProducer> InformationProducers();  // information_schema.cc

// An access control list as its column shows it; NULL for the default one.
void SetAcl(SystemContext& c, std::string_view column, const std::optional<catalog::Acl>& acl);

// Texts that relations and functions share.
std::string SchemaNameOf(const catalog::CatalogSnapshot& catalog, Oid schema);
std::string RoleNameOf(const catalog::CatalogSnapshot& catalog, Oid role);
std::string ConstraintText(const catalog::CatalogSnapshot& catalog, const catalog::TableDef& table,
                           const catalog::ConstraintDef& constraint);
std::string IndexText(const catalog::CatalogSnapshot& catalog, const catalog::TableDef& table,
                      const catalog::IndexDef& index);
// "SET NULL", "NO ACTION".
std::string_view ActionText(catalog::ReferentialAction action);

}  // namespace omendb::sql
