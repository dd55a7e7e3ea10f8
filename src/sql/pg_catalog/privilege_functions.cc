// has_*_privilege and pg_has_role. Columns have no lists of their own: their table's counts.
// Functions, types, languages and the like are open to everybody.
#include <fmt/format.h>

#include <algorithm>

#include "base/sqlstate.h"
#include "sql/pg_catalog/functions.h"
#include "sql/privileges.h"

namespace omendb::sql {
namespace {

using catalog::AclKind;
using catalog::AclOf;
using catalog::PrivilegeSet;
using types::SqlType;
using types::TypeKind;
using types::Value;

Result<Value> True(FunctionCall&) { return Value::Bool(true); }

// How a function's arguments are declared: the role (none: the current one), then the object.
enum class RoleBy { kCurrent, kName, kOid };
enum class ObjectBy { kName, kOid };

Result<Oid> RoleArgument(FunctionCall& call, RoleBy by) {
  if (by == RoleBy::kCurrent) return call.session.current_role();
  if (by == RoleBy::kOid) return Oid(call.oid(0));
  if (call.text(0) == "public") return catalog::kPublicRole;
  const catalog::RoleDef* role = call.catalog().FindRole(call.text(0));
  if (role != nullptr) return role->oid;
  return Status(sqlstate::kUndefinedObject,
                fmt::format("role \"{}\" does not exist", call.text(0)));
}

std::string_view Trimmed(std::string_view word) {
  while (!word.empty() && word.front() == ' ') word.remove_prefix(1);
  while (!word.empty() && word.back() == ' ') word.remove_suffix(1);
  return word;
}

// 'SELECT, UPDATE WITH GRANT OPTION': any of them will do.
struct Asked {
  PrivilegeSet plain = 0;
  PrivilegeSet grantable = 0;
};

Result<Asked> ReadAsked(std::string_view text, AclKind kind) {
  constexpr std::string_view kWithGrant = " WITH GRANT OPTION";
  Asked asked;
  while (true) {
    const size_t comma = text.find(',');
    const std::string_view word = Trimmed(text.substr(0, comma));
    std::string upper(word);
    std::transform(upper.begin(), upper.end(), upper.begin(), ::toupper);
    const bool grant = upper.ends_with(kWithGrant);
    if (grant) upper.resize(upper.size() - kWithGrant.size());
    const PrivilegeSet one = catalog::PrivilegeFromName(upper) & catalog::AllPrivileges(kind);
    if (one == 0) {
      return Status(sqlstate::kInvalidParameterValue,
                    fmt::format("unrecognized privilege type: \"{}\"", word));
    }
    (grant ? asked.grantable : asked.plain) |= one;
    if (comma == std::string_view::npos) return asked;
    text.remove_prefix(comma + 1);
  }
}

Result<Value> Answer(FunctionCall& call, Oid role, const AclOf& object, std::string_view text) {
  OMEN_ASSIGN(const Asked asked, ReadAsked(text, object.kind));
  const catalog::RoleDef* def = call.catalog().role(role);
  if (def != nullptr && def->superuser) return Value::Bool(true);
  const bool has = (catalog::PrivilegesOf(call.catalog(), role, object) & asked.plain) != 0 ||
                   (catalog::GrantableBy(call.catalog(), role, object) & asked.grantable) != 0;
  return Value::Bool(has);
}

Result<catalog::Relation> RelationArgument(FunctionCall& call, size_t at, ObjectBy by) {
  if (by == ObjectBy::kName) {
    OMEN_ASSIGN(const QualifiedRelation name, ParseQualifiedName(call.text(at)));
    // The system's own relations have no definition here: readable by all.
    if (name.schema == "pg_catalog" || name.schema == "information_schema") {
      return catalog::Relation{};
    }
    const catalog::SchemaDef* schema =
        call.catalog().FindSchema(call.session.database(), name.schema);
    if (schema != nullptr) {
      OMEN_TRY(CheckSchema(call.session, *schema, catalog::privilege::kUsage));
    }
    catalog::Relation found = FindRelation(call.session, call.catalog(), name);
    if (!found && (name.schema.empty() && name.name.starts_with("pg_"))) return found;
    if (found) return found;
    return Status(sqlstate::kUndefinedTable,
                  fmt::format("relation \"{}\" does not exist", call.text(at)));
  }
  return FindRelation(call.catalog(), Oid(call.oid(at)));
}

// `middle` arguments (a column) stand between the object and the privilege.
template <RoleBy kRole, ObjectBy kObject, size_t kMiddle = 0>
Result<Value> HasRelation(FunctionCall& call) {
  constexpr size_t kAt = kRole == RoleBy::kCurrent ? 0 : 1;
  OMEN_ASSIGN(const Oid role, RoleArgument(call, kRole));
  OMEN_ASSIGN(const catalog::Relation found, RelationArgument(call, kAt, kObject));
  const std::string_view asked = call.text(kAt + 1 + kMiddle);
  if (found) return Answer(call, role, catalog::AclOfRelation(found), asked);
  // A relation of the system, or none.
  if (kObject == ObjectBy::kOid && call.oid(kAt) >= catalog::kFirstUserOid) return Value::Null();
  const std::optional<catalog::Acl> readable =
      catalog::Acl{{catalog::kPublicRole, catalog::kBootstrapRole, catalog::privilege::kSelect, 0}};
  return Answer(call, role, {AclKind::kTable, catalog::kBootstrapRole, &readable}, asked);
}

template <RoleBy kRole, ObjectBy kObject>
Result<Value> HasSchema(FunctionCall& call) {
  constexpr size_t kAt = kRole == RoleBy::kCurrent ? 0 : 1;
  OMEN_ASSIGN(const Oid role, RoleArgument(call, kRole));
  const catalog::SchemaDef* schema =
      kObject == ObjectBy::kOid
          ? call.catalog().schema(Oid(call.oid(kAt)))
          : call.catalog().FindSchema(call.session.database(), call.text(kAt));
  if (schema == nullptr) {
    if (kObject == ObjectBy::kOid) return Value::Null();
    return Status(sqlstate::kInvalidSchemaName,
                  fmt::format("schema \"{}\" does not exist", call.text(kAt)));
  }
  return Answer(call, role, catalog::AclOfSchema(*schema), call.text(kAt + 1));
}

template <RoleBy kRole, ObjectBy kObject>
Result<Value> HasDatabase(FunctionCall& call) {
  constexpr size_t kAt = kRole == RoleBy::kCurrent ? 0 : 1;
  OMEN_ASSIGN(const Oid role, RoleArgument(call, kRole));
  const catalog::DatabaseDef* database = kObject == ObjectBy::kOid
                                             ? call.catalog().database(Oid(call.oid(kAt)))
                                             : call.catalog().FindDatabase(call.text(kAt));
  if (database == nullptr) {
    if (kObject == ObjectBy::kOid) return Value::Null();
    return Status(sqlstate::kInvalidCatalogName,
                  fmt::format("database \"{}\" does not exist", call.text(kAt)));
  }
  return Answer(call, role, catalog::AclOfDatabase(*database), call.text(kAt + 1));
}

// pg_has_role(role, 'MEMBER' or 'USAGE'): may become it, or has what it may without SET ROLE.
template <RoleBy kRole, ObjectBy kObject>
Result<Value> HasRole(FunctionCall& call) {
  constexpr size_t kAt = kRole == RoleBy::kCurrent ? 0 : 1;
  OMEN_ASSIGN(const Oid role, RoleArgument(call, kRole));
  Oid other(kObject == ObjectBy::kOid ? call.oid(kAt) : 0);
  if (kObject == ObjectBy::kName) {
    const catalog::RoleDef* def = call.catalog().FindRole(call.text(kAt));
    if (def == nullptr) {
      return Status(sqlstate::kUndefinedObject,
                    fmt::format("role \"{}\" does not exist", call.text(kAt)));
    }
    other = def->oid;
  }
  std::string asked(Trimmed(call.text(kAt + 1)));
  std::transform(asked.begin(), asked.end(), asked.begin(), ::toupper);
  const catalog::RoleDef* self = call.catalog().role(role);
  if (self != nullptr && self->superuser) return Value::Bool(true);
  if (asked == "USAGE") {
    return Value::Bool(catalog::HasPrivilegesOf(call.catalog(), role, other));
  }
  if (asked == "MEMBER") return Value::Bool(catalog::IsMember(call.catalog(), role, other));
  if (asked.find(" WITH ") != std::string::npos) {
    return Value::Bool(catalog::IsAdminOf(call.catalog(), role, other));
  }
  return Status(sqlstate::kInvalidParameterValue,
                fmt::format("unrecognized privilege type: \"{}\"", call.text(kAt + 1)));
}

#define OMEN_FORMS(Function)                                                                 \
  {                                                                                          \
    Function<RoleBy::kCurrent, ObjectBy::kName>, Function<RoleBy::kCurrent, ObjectBy::kOid>, \
        Function<RoleBy::kName, ObjectBy::kName>, Function<RoleBy::kName, ObjectBy::kOid>,   \
        Function<RoleBy::kOid, ObjectBy::kName>, Function<RoleBy::kOid, ObjectBy::kOid>      \
  }

struct Family {
  std::string_view name;
  SqlFunction forms[6];
};

void AddForms(std::vector<FunctionEntry>& list, const Family& family,
              std::vector<TypeKind> middle = {}) {
  constexpr TypeKind kText = TypeKind::kText, kOid = TypeKind::kOid;
  const std::vector<TypeKind> begins[] = {{kText},       {kOid},        {kText, kText},
                                          {kText, kOid}, {kOid, kText}, {kOid, kOid}};
  for (size_t i = 0; i < 6; ++i) {
    std::vector<TypeKind> arguments = begins[i];
    arguments.insert(arguments.end(), middle.begin(), middle.end());
    arguments.push_back(kText);
    list.push_back({family.name, arguments, SqlType{TypeKind::kBool}, family.forms[i]});
  }
}

template <RoleBy kRole, ObjectBy kObject>
Result<Value> HasColumn(FunctionCall& call) {
  return HasRelation<kRole, kObject, 1>(call);
}

}  // namespace

std::vector<FunctionEntry> PrivilegeFunctions() {
  std::vector<FunctionEntry> list;
  AddForms(list, {"has_table_privilege", OMEN_FORMS(HasRelation)});
  AddForms(list, {"has_any_column_privilege", OMEN_FORMS(HasRelation)});
  AddForms(list, {"has_sequence_privilege", OMEN_FORMS(HasRelation)});
  AddForms(list, {"has_column_privilege", OMEN_FORMS(HasColumn)}, {TypeKind::kText});
  AddForms(list, {"has_column_privilege", OMEN_FORMS(HasColumn)}, {TypeKind::kInt2});
  AddForms(list, {"has_schema_privilege", OMEN_FORMS(HasSchema)});
  AddForms(list, {"has_database_privilege", OMEN_FORMS(HasDatabase)});
  AddForms(list, {"pg_has_role", OMEN_FORMS(HasRole)});
  for (std::string_view name :
       {"has_function_privilege", "has_type_privilege", "has_language_privilege",
        "has_tablespace_privilege", "has_foreign_data_wrapper_privilege", "has_server_privilege"}) {
    AddForms(list, {name, {True, True, True, True, True, True}});
  }
  return list;
}

}  // namespace omendb::sql
