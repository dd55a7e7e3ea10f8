// What objects are made of, as SQL text.
#include <fmt/format.h>

#include <algorithm>

#include "base/sqlstate.h"
#include "catalog/column_ids.h"
#include "sql/names.h"
#include "sql/pg_catalog/functions.h"
#include "sql/pg_catalog/row_maker.h"
#include "sql/pg_catalog/system_tables.h"

namespace omendb::sql {
namespace {

using types::SqlType;
using types::TypeKind;
using types::Value;

Result<Value> FormatTypeFunction(FunctionCall& call) {
  if (call.args[0].is_null) return Value::Null();
  const uint32_t oid = call.oid(0);
  if (oid == 0) return call.Text("-");
  const int32_t typmod = call.args[1].is_null ? -1 : call.args[1].i32;
  auto type = types::TypeFromOid(oid, typmod);
  return call.Text(type.ok() ? types::FormatType(*type) : "???");
}

Result<Value> GetExpr(FunctionCall& call) { return call.args[0]; }

Result<Value> GetIndexDef(FunctionCall& call) {
  auto table = call.catalog().TableOfIndex(Oid(call.oid(0)));
  if (table == nullptr) return Value::Null();
  const catalog::IndexDef* index = table->FindIndex(Oid(call.oid(0)));
  const int32_t column = call.count() > 1 && !call.args[1].is_null ? call.args[1].i32 : 0;
  if (column == 0) return call.Text(IndexText(call.catalog(), *table, *index));
  const std::vector<ColumnId> columns = catalog::ColumnsOf(*index);
  if (column < 0 || static_cast<size_t>(column) > columns.size()) return call.Text("");
  return call.Text(QuoteIdentifier(table->column(columns[static_cast<size_t>(column - 1)]).name));
}

Result<Value> GetConstraintDef(FunctionCall& call) {
  for (const auto& table : call.catalog().tables(call.context.database)) {
    for (const auto& constraint : table->constraints) {
      if (constraint.oid.value() != call.oid(0)) continue;
      std::string text = ConstraintText(call.catalog(), *table, constraint);
      const bool pretty = call.count() > 1 && !call.args[1].is_null && call.args[1].boolean;
      // A table that its name alone finds is named without its schema.
      if (auto target = call.catalog().table(constraint.referenced_table)) {
        const std::string schema = SchemaNameOf(call.catalog(), target->schema);
        const auto path = call.session.SearchPath(false);
        const std::string prefix = ") REFERENCES " + QuoteIdentifier(schema) + ".";
        const size_t at = text.find(prefix);
        if (at != std::string::npos && std::find(path.begin(), path.end(), schema) != path.end()) {
          text.replace(at, prefix.size(), ") REFERENCES ");
        }
      }
      // Pretty printing leaves out the parentheses that are not needed.
      if (pretty && text.starts_with("CHECK ((")) {
        const size_t end = text.rfind("))");
        text = "CHECK (" + text.substr(8, end - 8) + text.substr(end + 1);
      }
      return call.Text(text);
    }
  }
  return Value::Null();
}

Result<Value> ViewText(FunctionCall& call, Oid oid) {
  auto view = call.catalog().view(oid);
  if (view == nullptr) return Value::Null();
  return call.Text(" " + view->definition_sql + ";");
}
Result<Value> GetViewDef(FunctionCall& call) { return ViewText(call, Oid(call.oid(0))); }
Result<Value> GetViewDefByName(FunctionCall& call) {
  OMEN_ASSIGN(QualifiedRelation name, ParseQualifiedName(call.text(0)));
  OMEN_ASSIGN(catalog::Relation found, GetRelation(call.session, name));
  return ViewText(call, RelationOid(found));
}

Result<Value> GetUserById(FunctionCall& call) {
  return call.Text(RoleNameOf(call.catalog(), Oid(call.oid(0))));
}

Result<Value> Null(FunctionCall&) { return Value::Null(); }
Result<Value> EmptyText(FunctionCall& call) { return call.Text(""); }

Result<Value> GetSerialSequence(FunctionCall& call) {
  OMEN_ASSIGN(QualifiedRelation name, ParseQualifiedName(call.text(0)));
  OMEN_ASSIGN(auto table, GetTable(call.session, name));
  const catalog::ColumnDef* column = table->FindColumn(call.text(1));
  if (column == nullptr) {
    return Status(
        sqlstate::kUndefinedColumn,
        fmt::format("column \"{}\" of relation \"{}\" does not exist", call.text(1), table->name));
  }
  for (const auto& sequence : call.catalog().sequences(call.context.database)) {
    if (sequence->owned_by_table != table->oid || sequence->owned_by_column != column->id) continue;
    return call.Text(QualifiedName(SchemaNameOf(call.catalog(), sequence->schema), sequence->name));
  }
  return Value::Null();
}

Result<Value> Comment(FunctionCall& call, uint32_t class_oid, int16_t sub_object) {
  const std::string* text = call.catalog().comment(class_oid, Oid(call.oid(0)), sub_object);
  return text != nullptr ? call.Text(*text) : Value::Null();
}

Result<Value> ObjDescription(FunctionCall& call) {
  const uint32_t class_oid =
      call.count() > 1 ? SystemRelationOid("pg_catalog", call.text(1)) : 1259;
  return Comment(call, class_oid, 0);
}

Result<Value> ColDescription(FunctionCall& call) {
  return Comment(call, 1259, static_cast<int16_t>(call.args[1].i32));
}

Result<Value> CurrentValue(FunctionCall& call, Oid oid) {
  auto sequence = call.catalog().sequence(oid);
  if (sequence == nullptr) {
    return Status(sqlstate::kUndefinedTable,
                  fmt::format("relation with OID {} does not exist", oid.value()));
  }
  auto& values = call.session.sequence_values();
  auto found = values.find(oid);
  if (found != values.end()) return Value::Int64(found->second);
  return Status(
      sqlstate::kObjectNotInPrerequisiteState,
      fmt::format("currval of sequence \"{}\" is not yet defined in this session", sequence->name));
}
Result<Value> CurrvalByOid(FunctionCall& call) { return CurrentValue(call, Oid(call.oid(0))); }
Result<Value> CurrvalByName(FunctionCall& call) {
  OMEN_ASSIGN(QualifiedRelation name, ParseQualifiedName(call.text(0)));
  OMEN_ASSIGN(auto sequence, GetSequence(call.session, name));
  return CurrentValue(call, sequence->oid);
}
Result<Value> Lastval(FunctionCall& call) {
  if (!call.session.last_sequence()) {
    return Status(sqlstate::kObjectNotInPrerequisiteState,
                  "lastval is not yet defined in this session");
  }
  return CurrentValue(call, *call.session.last_sequence());
}

Result<Value> SequenceLastValue(FunctionCall& call) {
  auto sequence = call.catalog().sequence(Oid(call.oid(0)));
  if (sequence == nullptr) return Value::Null();
  const auto state = call.instance.database().GetSequence(*sequence);
  return state.is_called ? Value::Int64(state.last_value) : Value::Null();
}

Result<Value> IsPublishable(FunctionCall& call) {
  return Value::Bool(call.catalog().table(Oid(call.oid(0))) != nullptr);
}

Result<Value> IndexColumnHasProperty(FunctionCall& call) {
  auto table = call.catalog().TableOfIndex(Oid(call.oid(0)));
  const int32_t column = call.args[1].i32;
  if (table == nullptr) return Value::Null();
  const catalog::IndexDef* index = table->FindIndex(Oid(call.oid(0)));
  if (column < 1 || column > static_cast<int32_t>(index->keys.size())) return Value::Null();
  const auto& key = index->keys[static_cast<size_t>(column - 1)];
  const std::string_view property = call.text(2);
  if (property == "asc") return Value::Bool(!key.descending);
  if (property == "desc") return Value::Bool(key.descending);
  if (property == "nulls_first") return Value::Bool(key.nulls_first);
  if (property == "nulls_last") return Value::Bool(!key.nulls_first);
  return Value::Bool(property == "orderable" || property == "returnable");
}

}  // namespace

std::vector<FunctionEntry> DefinitionFunctions() {
  const SqlType text{TypeKind::kText}, name{TypeKind::kName}, boolean{TypeKind::kBool},
      int8{TypeKind::kInt8};
  return {
      {"format_type", {TypeKind::kOid, TypeKind::kInt4}, text, FormatTypeFunction, 0, false},
      {"pg_get_expr", {TypeKind::kText, TypeKind::kOid, TypeKind::kBool}, text, GetExpr, 1},
      {"pg_get_indexdef", {TypeKind::kOid, TypeKind::kInt4, TypeKind::kBool}, text, GetIndexDef, 2},
      {"pg_get_constraintdef", {TypeKind::kOid, TypeKind::kBool}, text, GetConstraintDef, 1},
      {"pg_get_viewdef", {TypeKind::kOid, TypeKind::kBool}, text, GetViewDef, 1},
      {"pg_get_viewdef", {TypeKind::kText, TypeKind::kBool}, text, GetViewDefByName, 1},
      {"pg_get_ruledef", {TypeKind::kOid, TypeKind::kBool}, text, Null, 1},
      {"pg_get_triggerdef", {TypeKind::kOid, TypeKind::kBool}, text, Null, 1},
      {"pg_get_functiondef", {TypeKind::kOid}, text, Null},
      {"pg_get_function_result", {TypeKind::kOid}, text, Null},
      {"pg_get_function_arguments", {TypeKind::kOid}, text, EmptyText},
      {"pg_get_function_identity_arguments", {TypeKind::kOid}, text, EmptyText},
      {"pg_get_function_sqlbody", {TypeKind::kOid}, text, Null},
      {"pg_get_partkeydef", {TypeKind::kOid}, text, Null},
      {"pg_get_statisticsobjdef", {TypeKind::kOid}, text, Null},
      {"pg_get_statisticsobjdef_columns", {TypeKind::kOid}, text, Null},
      {"pg_get_userbyid", {TypeKind::kOid}, name, GetUserById},
      {"pg_get_serial_sequence", {TypeKind::kText, TypeKind::kText}, text, GetSerialSequence},
      {"obj_description", {TypeKind::kOid, TypeKind::kText}, text, ObjDescription, 1},
      {"shobj_description", {TypeKind::kOid, TypeKind::kText}, text, ObjDescription},
      {"col_description", {TypeKind::kOid, TypeKind::kInt4}, text, ColDescription},
      {"currval", {TypeKind::kText}, int8, CurrvalByName, 0, true, false},
      {"currval", {TypeKind::kOid}, int8, CurrvalByOid, 0, true, false},
      {"lastval", {}, int8, Lastval, 0, true, false},
      {"pg_sequence_last_value", {TypeKind::kOid}, int8, SequenceLastValue, 0, true, false},
      {"pg_partition_ancestors", {TypeKind::kOid}, SqlType{TypeKind::kRegclass}, Null},
      {"pg_partition_root", {TypeKind::kOid}, SqlType{TypeKind::kRegclass}, Null},
      {"pg_relation_is_publishable", {TypeKind::kOid}, boolean, IsPublishable},
      {"pg_index_column_has_property",
       {TypeKind::kOid, TypeKind::kInt4, TypeKind::kText},
       boolean,
       IndexColumnHasProperty},
  };
}

}  // namespace omendb::sql
