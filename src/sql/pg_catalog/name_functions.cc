// Names to Oids and back: regclass and its kin, visibility by search_path.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/sqlstate.h"
#include "sql/names.h"
#include "sql/pg_catalog/functions.h"
#include "sql/pg_catalog/row_maker.h"
#include "sql/pg_catalog/system_tables.h"

namespace omendb::sql {
namespace {

using types::SqlType;
using types::TypeKind;
using types::Value;

bool ParseNumber(std::string_view text, uint32_t& oid) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), oid);
  return error == std::errc() && end == text.data() + text.size();
}

std::optional<uint32_t> FindRelationOid(FunctionCall& call, const QualifiedRelation& name) {
  catalog::Relation found = FindRelation(call.session, *call.context.catalog, name);
  if (found) return RelationOid(found).value();
  if (name.schema.empty() || name.schema == "pg_catalog") {
    if (uint32_t oid = SystemRelationOid("pg_catalog", name.name)) return oid;
  }
  if (name.schema == "information_schema") {
    if (uint32_t oid = SystemRelationOid(name.schema, name.name)) return oid;
  }
  return std::nullopt;
}

Result<Value> RegclassFromText(FunctionCall& call) {
  const std::string_view text = call.text(0);
  uint32_t oid = 0;
  if (text == "-") return FunctionCall::OidValue(0);
  if (ParseNumber(text, oid)) return FunctionCall::OidValue(oid);
  OMEN_ASSIGN(QualifiedRelation name, ParseQualifiedName(text));
  if (auto found = FindRelationOid(call, name)) return FunctionCall::OidValue(*found);
  return Status(sqlstate::kUndefinedTable, fmt::format("relation \"{}\" does not exist", text));
}

Result<Value> ToRegclass(FunctionCall& call) {
  auto name = ParseQualifiedName(call.text(0));
  if (!name.ok()) return Value::Null();
  auto found = FindRelationOid(call, *name);
  return found ? FunctionCall::OidValue(*found) : Value::Null();
}

Result<Value> SameOid(FunctionCall& call) { return FunctionCall::OidValue(call.oid(0)); }
Result<Value> OidOfInt8(FunctionCall& call) {
  return FunctionCall::OidValue(static_cast<uint32_t>(call.args[0].i64));
}

bool SchemaIsVisible(FunctionCall& call, std::string_view schema) {
  const auto path = call.session.SearchPath(true);
  return schema == "pg_catalog" || std::find(path.begin(), path.end(), schema) != path.end();
}

// (schema, name) of any relation.
std::optional<std::pair<std::string, std::string>> RelationNameOf(FunctionCall& call,
                                                                  uint32_t oid) {
  const catalog::CatalogSnapshot& catalog = call.catalog();
  if (auto table = catalog.table(Oid(oid))) {
    return std::pair(SchemaNameOf(catalog, table->schema), table->name);
  }
  if (auto view = catalog.view(Oid(oid))) {
    return std::pair(SchemaNameOf(catalog, view->schema), view->name);
  }
  if (auto sequence = catalog.sequence(Oid(oid))) {
    return std::pair(SchemaNameOf(catalog, sequence->schema), sequence->name);
  }
  if (auto table = catalog.TableOfIndex(Oid(oid))) {
    return std::pair(SchemaNameOf(catalog, table->schema), table->FindIndex(Oid(oid))->name);
  }
  const auto [schema, name] = SystemRelationName(oid);
  if (!name.empty()) return std::pair(std::string(schema), std::string(name));
  return std::nullopt;
}

Result<Value> RegclassOut(FunctionCall& call) {
  const uint32_t oid = call.oid(0);
  if (oid == 0) return call.Text("-");
  auto found = RelationNameOf(call, oid);
  if (!found) return call.Text(std::to_string(oid));
  QualifiedRelation bare{"", found->second, -1};
  auto visible = FindRelationOid(call, bare);
  return call.Text(visible && *visible == oid ? QuoteIdentifier(found->second)
                                              : QualifiedName(found->first, found->second));
}

Result<Value> TableIsVisible(FunctionCall& call) {
  auto found = RelationNameOf(call, call.oid(0));
  if (!found) return Value::Null();
  if (!SchemaIsVisible(call, found->first)) return Value::Bool(false);
  auto visible = FindRelationOid(call, {"", found->second, -1});
  return Value::Bool(visible && *visible == call.oid(0));
}

Result<Value> True(FunctionCall&) { return Value::Bool(true); }

Result<Value> TypeOidOf(FunctionCall& call, bool or_null) {
  std::string text(call.text(0));
  uint32_t oid = 0;
  if (ParseNumber(text, oid)) return FunctionCall::OidValue(oid);
  if (text.starts_with("pg_catalog.")) text.erase(0, 11);
  if (text.size() > 1 && text.front() == '"' && text.back() == '"') {
    text = text.substr(1, text.size() - 2);
  }
  bool is_array = false;
  if (text.ends_with("[]")) {
    is_array = true;
    text.resize(text.size() - 2);
  }
  const size_t modifier = text.find('(');
  if (modifier != std::string::npos) {
    const size_t end = text.find(')', modifier);
    text.erase(modifier, end == std::string::npos ? end : end - modifier + 1);
  }
  auto type = types::TypeFromName(text, -1, is_array);
  if (type.ok()) return FunctionCall::OidValue(types::TypeOid(*type));
  if (or_null) return Value::Null();
  return Status(sqlstate::kUndefinedObject, fmt::format("type \"{}\" does not exist", text));
}
Result<Value> RegtypeFromText(FunctionCall& call) { return TypeOidOf(call, false); }
Result<Value> ToRegtype(FunctionCall& call) { return TypeOidOf(call, true); }

Result<Value> RegtypeOut(FunctionCall& call) {
  if (call.oid(0) == 0) return call.Text("-");
  auto type = types::TypeFromOid(call.oid(0));
  return call.Text(type.ok() ? types::FormatType(*type) : std::to_string(call.oid(0)));
}

Result<Value> RegprocFromText(FunctionCall& call) {
  std::string_view text = call.text(0);
  if (text.starts_with("pg_catalog.")) text.remove_prefix(11);
  uint32_t oid = 0;
  if (ParseNumber(text, oid)) return FunctionCall::OidValue(oid);
  if (text == "array_in") return FunctionCall::OidValue(750);
  if (text == "array_recv") return FunctionCall::OidValue(2400);
  return Status(sqlstate::kUndefinedFunction, fmt::format("function \"{}\" does not exist", text));
}

Result<Value> RegprocOut(FunctionCall& call) {
  switch (call.oid(0)) {
    case 0:
      return call.Text("-");
    case 750:
      return call.Text("array_in");
    case 2400:
      return call.Text("array_recv");
    default:
      return call.Text(std::to_string(call.oid(0)));
  }
}

Result<Value> NamespaceOid(FunctionCall& call, bool or_null) {
  uint32_t oid = 0;
  if (ParseNumber(call.text(0), oid)) return FunctionCall::OidValue(oid);
  auto name = ParseQualifiedName(call.text(0));
  if (name.ok()) {
    if (name->name == "pg_catalog") return FunctionCall::OidValue(11);
    const auto* schema = call.catalog().FindSchema(call.context.database, name->name);
    if (schema != nullptr) return FunctionCall::OidValue(schema->oid.value());
  }
  if (or_null) return Value::Null();
  return Status(sqlstate::kInvalidSchemaName,
                fmt::format("schema \"{}\" does not exist", call.text(0)));
}
Result<Value> RegnamespaceFromText(FunctionCall& call) { return NamespaceOid(call, false); }
Result<Value> ToRegnamespace(FunctionCall& call) { return NamespaceOid(call, true); }
Result<Value> RegnamespaceOut(FunctionCall& call) {
  if (call.oid(0) == 11) return call.Text("pg_catalog");
  const catalog::SchemaDef* schema = call.catalog().schema(Oid(call.oid(0)));
  return call.Text(schema != nullptr ? QuoteIdentifier(schema->name) : std::to_string(call.oid(0)));
}

Result<Value> RoleOid(FunctionCall& call, bool or_null) {
  uint32_t oid = 0;
  if (ParseNumber(call.text(0), oid)) return FunctionCall::OidValue(oid);
  auto name = ParseQualifiedName(call.text(0));
  const catalog::RoleDef* role = name.ok() ? call.catalog().FindRole(name->name) : nullptr;
  if (role != nullptr) return FunctionCall::OidValue(role->oid.value());
  if (or_null) return Value::Null();
  return Status(sqlstate::kUndefinedObject,
                fmt::format("role \"{}\" does not exist", call.text(0)));
}
Result<Value> RegroleFromText(FunctionCall& call) { return RoleOid(call, false); }
Result<Value> ToRegrole(FunctionCall& call) { return RoleOid(call, true); }
Result<Value> RegroleOut(FunctionCall& call) {
  return call.Text(QuoteIdentifier(RoleNameOf(call.catalog(), Oid(call.oid(0)))));
}

Result<Value> QuoteIdent(FunctionCall& call) { return call.Text(QuoteIdentifier(call.text(0))); }
Result<Value> QuoteLiteralFunction(FunctionCall& call) {
  return call.Text(QuoteLiteral(call.text(0)));
}
Result<Value> QuoteNullable(FunctionCall& call) {
  return call.args[0].is_null ? call.Text("NULL") : call.Text(QuoteLiteral(call.text(0)));
}

}  // namespace

std::vector<FunctionEntry> NameFunctions() {
  const SqlType text{TypeKind::kText}, boolean{TypeKind::kBool}, oid{TypeKind::kOid},
      regclass{TypeKind::kRegclass}, regtype{TypeKind::kRegtype}, regproc{TypeKind::kRegproc},
      regnamespace{TypeKind::kRegnamespace};
  std::vector<FunctionEntry> list = {
      {"to_regclass", {TypeKind::kText}, regclass, ToRegclass},
      {"to_regtype", {TypeKind::kText}, regtype, ToRegtype},
      {"to_regnamespace", {TypeKind::kText}, regnamespace, ToRegnamespace},
      {"to_regrole", {TypeKind::kText}, oid, ToRegrole},
      {"quote_ident", {TypeKind::kText}, text, QuoteIdent},
      {"quote_literal", {TypeKind::kText}, text, QuoteLiteralFunction},
      {"quote_nullable", {TypeKind::kText}, text, QuoteNullable, 0, false},
      {"pg_table_is_visible", {TypeKind::kOid}, boolean, TableIsVisible},
  };
  struct Reg {
    const char* name;
    SqlType type;
    SqlFunction in;
    SqlFunction out;
  };
  const Reg regs[] = {
      {"regclass", regclass, RegclassFromText, RegclassOut},
      {"regtype", regtype, RegtypeFromText, RegtypeOut},
      {"regproc", regproc, RegprocFromText, RegprocOut},
      {"regnamespace", regnamespace, RegnamespaceFromText, RegnamespaceOut},
      {"regrole", oid, RegroleFromText, RegroleOut},
  };
  static const std::string kNames[] = {
      "regclassin", "regclassout",    "regtypein",       "regtypeout", "regprocin",
      "regprocout", "regnamespacein", "regnamespaceout", "regrolein",  "regroleout"};
  for (size_t i = 0; i < std::size(regs); ++i) {
    const std::string& in = kNames[i * 2];
    const std::string& out = kNames[i * 2 + 1];
    list.push_back({in, {TypeKind::kText}, regs[i].type, regs[i].in});
    list.push_back({in, {TypeKind::kOid}, regs[i].type, SameOid});
    list.push_back({in, {TypeKind::kInt4}, regs[i].type, SameOid});
    list.push_back({in, {TypeKind::kInt8}, regs[i].type, OidOfInt8});
    list.push_back({out, {TypeKind::kOid}, text, regs[i].out});
  }
  for (const char* name :
       {"pg_type_is_visible", "pg_function_is_visible", "pg_opclass_is_visible",
        "pg_collation_is_visible", "pg_operator_is_visible", "pg_statistics_obj_is_visible",
        "pg_conversion_is_visible", "pg_opfamily_is_visible", "pg_ts_config_is_visible",
        "pg_ts_dict_is_visible", "pg_ts_parser_is_visible", "pg_ts_template_is_visible"}) {
    list.push_back({name, {TypeKind::kOid}, boolean, True});
  }
  return list;
}

}  // namespace omendb::sql
