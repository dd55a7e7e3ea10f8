// has_*_privilege: owners and superusers may do everything, grants to others are not kept; reading
// is open to every role (docs/compatibility.md).
#include "sql/pg_catalog/functions.h"

namespace omendb::sql {
namespace {

using types::SqlType;
using types::TypeKind;
using types::Value;

Result<Value> True(FunctionCall&) { return Value::Bool(true); }

}  // namespace

std::vector<FunctionEntry> PrivilegeFunctions() {
  const SqlType boolean{TypeKind::kBool};
  std::vector<FunctionEntry> list;
  for (const char* name :
       {"has_table_privilege", "has_schema_privilege", "has_database_privilege",
        "has_sequence_privilege", "has_function_privilege", "has_type_privilege",
        "has_language_privilege", "has_tablespace_privilege", "has_any_column_privilege",
        "has_foreign_data_wrapper_privilege", "has_server_privilege", "pg_has_role"}) {
    for (TypeKind object : {TypeKind::kText, TypeKind::kOid}) {
      list.push_back({name, {object, TypeKind::kText}, boolean, True});
      list.push_back({name, {TypeKind::kText, object, TypeKind::kText}, boolean, True});
      list.push_back({name, {TypeKind::kOid, object, TypeKind::kText}, boolean, True});
    }
  }
  for (TypeKind object : {TypeKind::kText, TypeKind::kOid}) {
    for (TypeKind column : {TypeKind::kText, TypeKind::kInt2}) {
      list.push_back({"has_column_privilege", {object, column, TypeKind::kText}, boolean, True});
      list.push_back({"has_column_privilege",
                      {TypeKind::kText, object, column, TypeKind::kText},
                      boolean,
                      True});
    }
  }
  return list;
}

}  // namespace omendb::sql
