#include "duck/functions/json_build.h"

#include <deque>

#include "base/sqlstate.h"
#include "duck/errors.h"
#include "duck/functions/json_writer.h"
#include "duck/functions/row_function.h"
#include "duck/logical_types.h"
#include "duckdb/planner/expression/bound_cast_expression.hpp"
#include "types/array.h"
#include "types/json.h"

namespace omendb::duck {

namespace {

using duckdb::LogicalType;
using duckdb::LogicalTypeId;
using types::SqlType;
using types::TypeKind;
using types::Value;

using Columns = std::deque<JsonColumn>;
// Appends the row's JSON; false for NULL.
using Build = bool (*)(const Columns& columns, duckdb::idx_t row, bool jsonb, std::string& out);

bool ToJson(const Columns& columns, duckdb::idx_t row, bool, std::string& out) {
  if (columns[0].IsNull(row)) return false;
  columns[0].AppendJson(row, out);
  return true;
}

bool BuildArray(const Columns& columns, duckdb::idx_t row, bool, std::string& out) {
  out += '[';
  for (size_t i = 0; i < columns.size(); ++i) {
    if (i > 0) out += ", ";
    columns[i].AppendJson(row, out);
  }
  out += ']';
  return true;
}

bool BuildObject(const Columns& columns, duckdb::idx_t row, bool jsonb, std::string& out) {
  out += '{';
  for (size_t i = 0; i < columns.size(); i += 2) {
    if (columns[i].IsNull(row)) {
      const std::string number = std::to_string(i + 1);
      if (jsonb) {
        ThrowStatus(Status(sqlstate::kInvalidParameterValue,
                           "argument " + number + ": key must not be null"));
      }
      ThrowStatus(Status(sqlstate::kInvalidParameterValue, "argument " + number + " cannot be null")
                      .WithHint("Object keys should be text."));
    }
    if (i > 0) out += ", ";
    columns[i].AppendKey(row, out);
    out += " : ";
    columns[i + 1].AppendJson(row, out);
  }
  out += '}';
  return true;
}

// json_agg over the list of its rows; a row type stands on a line of its own.
bool ArrayOfList(const Columns& columns, duckdb::idx_t row, bool, std::string& out) {
  if (columns[0].IsNull(row)) return false;
  const duckdb::list_entry_t entry = columns[0].ListEntry(row);
  const JsonColumn& items = columns[0].child(0);
  out += '[';
  for (duckdb::idx_t i = 0; i < entry.length; ++i) {
    if (i > 0) out += items.is_struct() ? ", \n " : ", ";
    items.AppendJson(entry.offset + i, out);
  }
  out += ']';
  return true;
}

// json_object_agg over the list of its (key, value) pairs.
bool ObjectOfList(const Columns& columns, duckdb::idx_t row, bool, std::string& out) {
  if (columns[0].IsNull(row)) return false;
  const duckdb::list_entry_t entry = columns[0].ListEntry(row);
  const JsonColumn& pairs = columns[0].child(0);
  out += "{ ";
  for (duckdb::idx_t i = 0; i < entry.length; ++i) {
    if (i > 0) out += ", ";
    if (pairs.child(0).IsNull(entry.offset + i)) {
      ThrowStatus(Status(sqlstate::kInvalidParameterValue, "field name must not be null"));
    }
    pairs.child(0).AppendKey(entry.offset + i, out);
    out += " : ";
    pairs.child(1).AppendJson(entry.offset + i, out);
  }
  out += " }";
  return true;
}

void Run(Build build, bool jsonb, duckdb::DataChunk& args, duckdb::ExpressionState& state,
         duckdb::Vector& result) {
  const types::IoSettings& settings = SessionState::Get(state.GetContext()).io_settings();
  const bool constant = args.AllConstant();
  Columns columns;
  for (duckdb::Vector& vector : args.data) columns.emplace_back(vector, args.size(), settings);
  result.SetVectorType(duckdb::VectorType::FLAT_VECTOR);
  std::string text;
  std::string normal;
  for (duckdb::idx_t i = 0; i < (constant ? 1 : args.size()); ++i) {
    text.clear();
    if (!build(columns, i, jsonb, text)) {
      duckdb::FlatVector::SetNull(result, i, true);
      continue;
    }
    if (jsonb) {
      normal.clear();
      ThrowIfError(types::NormalizeJsonb(text, normal));
      text.swap(normal);
    }
    duckdb::FlatVector::GetData<duckdb::string_t>(result)[i] =
        duckdb::StringVector::AddString(result, text);
  }
  if (constant) result.SetVectorType(duckdb::VectorType::CONSTANT_VECTOR);
}

using Arguments = duckdb::vector<duckdb::unique_ptr<duckdb::Expression>>;

duckdb::unique_ptr<duckdb::FunctionData> BindBuilder(duckdb::ClientContext& context,
                                                     duckdb::ScalarFunction& function,
                                                     Arguments& arguments) {
  function.arguments.clear();
  for (auto& argument : arguments) {
    const LogicalTypeId id = argument->return_type.id();
    if (id == LogicalTypeId::SQLNULL || id == LogicalTypeId::UNKNOWN) {
      argument = duckdb::BoundCastExpression::AddCastToType(context, std::move(argument),
                                                            LogicalType::VARCHAR);
    }
    function.arguments.push_back(argument->return_type);
  }
  function.varargs = LogicalType(LogicalTypeId::INVALID);
  return nullptr;
}

duckdb::unique_ptr<duckdb::FunctionData> BindObject(duckdb::ClientContext& context,
                                                    duckdb::ScalarFunction& function,
                                                    Arguments& arguments) {
  if (arguments.size() % 2 != 0) {
    ThrowStatus(
        Status(sqlstate::kInvalidParameterValue, "argument list must have even number of elements")
            .WithHint("The arguments of " + function.name +
                      "() must consist of alternating keys and values."));
  }
  return BindBuilder(context, function, arguments);
}

void Register(Registry& registry, const std::string& name, bool jsonb, Build build, bool varargs,
              duckdb::bind_scalar_function_t bind = BindBuilder) {
  duckdb::ScalarFunction function(
      name, {}, jsonb ? JsonbType() : LogicalType::JSON(),
      [build, jsonb](duckdb::DataChunk& args, duckdb::ExpressionState& state,
                     duckdb::Vector& result) { Run(build, jsonb, args, state, result); },
      bind);
  if (varargs) {
    function.varargs = LogicalType::ANY;
  } else {
    function.arguments = {LogicalType::ANY};
  }
  function.null_handling = duckdb::FunctionNullHandling::SPECIAL_HANDLING;
  function.stability = duckdb::FunctionStability::CONSISTENT_WITHIN_QUERY;
  registry.Replace(std::move(function));
}

// json_object('{a,1,b,2}') and json_object('{a,b}', '{1,2}').
Result<std::string> ObjectOfTexts(std::span<const Value> args) {
  constexpr SqlType kText{TypeKind::kText};
  const types::ArrayReader first(kText, args[0].str());
  std::string out = "{";
  const bool pairs = args.size() > 1;
  const types::ArrayReader second(kText, pairs ? args[1].str() : args[0].str());
  if (!pairs && first.size() % 2 != 0) {
    return Status(SqlState("2202E"), "array must have even number of elements");
  }
  if (pairs && first.size() != second.size()) {
    return Status(SqlState("2202E"), "mismatched array dimensions");
  }
  const uint32_t step = pairs ? 1 : 2;
  for (uint32_t i = 0; i < first.size(); i += step) {
    if (first.IsNull(i)) {
      return Status(sqlstate::kNullValueNotAllowed, "null value not allowed for object key");
    }
    const uint32_t value = pairs ? i : i + 1;
    if (i > 0) out += ", ";
    types::AppendJsonString(first.At(i).str(), out);
    out += " : ";
    if (second.IsNull(value)) {
      out += "null";
    } else {
      types::AppendJsonString(second.At(value).str(), out);
    }
  }
  return out + "}";
}

void RegisterObjectOfTexts(Registry& registry, const std::string& name, bool jsonb) {
  constexpr SqlType kTexts{TypeKind::kText, true};
  RegisterRowFunction(registry, {name,
                                 {kTexts, kTexts},
                                 {jsonb ? TypeKind::kJsonb : TypeKind::kJson},
                                 [jsonb](std::span<const Value> args, SessionState&,
                                         types::Arena& arena) -> Result<Value> {
                                   OMEN_ASSIGN(std::string text, ObjectOfTexts(args));
                                   if (!jsonb) return Value::String(arena.Copy(text));
                                   std::string normal;
                                   OMEN_TRY(types::NormalizeJsonb(text, normal));
                                   return Value::String(arena.Copy(normal));
                                 },
                                 duckdb::FunctionStability::CONSISTENT,
                                 true,
                                 1});
}

}  // namespace

void RegisterJsonBuilders(Registry& registry) {
  for (const bool jsonb : {false, true}) {
    const std::string json = jsonb ? "jsonb" : "json";
    Register(registry, "to_" + json, jsonb, ToJson, false);
    Register(registry, json + "_build_array", jsonb, BuildArray, true);
    Register(registry, json + "_build_object", jsonb, BuildObject, true, BindObject);
    Register(registry, "omendb_" + json + "_array_of_list", jsonb, ArrayOfList, false);
    Register(registry, "omendb_" + json + "_object_of_list", jsonb, ObjectOfList, false);
    RegisterObjectOfTexts(registry, json + "_object", jsonb);
  }
  Register(registry, "row_to_json", false, ToJson, false);
  Register(registry, "array_to_json", false, ToJson, false);
}

}  // namespace omendb::duck
