#include "duck/functions/json_functions.h"

#include "base/sqlstate.h"
#include "duck/functions/json_build.h"
#include "duck/functions/json_paths.h"
#include "duck/functions/row_function.h"
#include "duck/logical_types.h"
#include "types/array.h"
#include "types/json_tree.h"

namespace omendb::duck {

namespace {

using types::Arena;
using types::JsonNode;
using types::SqlType;
using types::TypeKind;
using types::Value;
using Arguments = std::span<const Value>;
using Body = Result<Value> (*)(Arguments args, Arena& arena);

constexpr SqlType kText{TypeKind::kText};
constexpr SqlType kTexts{TypeKind::kText, true};
constexpr SqlType kInt4{TypeKind::kInt4};
constexpr SqlType kBool{TypeKind::kBool};
constexpr SqlType kJson{TypeKind::kJson};
constexpr SqlType kJsonb{TypeKind::kJsonb};

Value Own(Arena& arena, std::string_view text) { return Value::String(arena.Copy(text)); }
Value OrNull(Arena& arena, const std::optional<std::string>& text) {
  return text ? Own(arena, *text) : Value::Null();
}

void Add(duckdb::ScalarFunctionSet& set, std::vector<SqlType> arguments, SqlType result, Body body,
         int optional = 0) {
  AddRowFunction(set,
                 {set.name, std::move(arguments), result,
                  [body](Arguments args, SessionState&, Arena& arena) { return body(args, arena); },
                  duckdb::FunctionStability::CONSISTENT, true, optional});
}

void Register(Registry& registry, const std::string& name, std::vector<SqlType> arguments,
              SqlType result, Body body, int optional = 0) {
  duckdb::ScalarFunctionSet set(name);
  Add(set, std::move(arguments), result, body, optional);
  registry.Replace(std::move(set));
}

// ---- Looking in -------------------------------------------------------------------------------

Result<Value> Member(Arguments args, Arena&) {
  const auto found = types::FindJsonMember(args[0].str(), args[1].str());
  return found ? Value::String(*found) : Value::Null();
}
Result<Value> Element(Arguments args, Arena&) {
  const auto found = types::FindJsonElement(args[0].str(), args[1].i32);
  return found ? Value::String(*found) : Value::Null();
}
Result<Value> MemberText(Arguments args, Arena& arena) {
  const auto found = types::FindJsonMember(args[0].str(), args[1].str());
  return found ? OrNull(arena, types::JsonScalarText(*found)) : Value::Null();
}
Result<Value> ElementText(Arguments args, Arena& arena) {
  const auto found = types::FindJsonElement(args[0].str(), args[1].i32);
  return found ? OrNull(arena, types::JsonScalarText(*found)) : Value::Null();
}

// -> and ->>, which DuckDB's binder would take for its own.
void RegisterArrows(Registry& registry) {
  duckdb::ScalarFunctionSet arrow("omendb_json_get");
  duckdb::ScalarFunctionSet text_arrow("omendb_json_get_text");
  for (const SqlType& json : {kJson, kJsonb}) {
    Add(arrow, {json, kText}, json, Member);
    Add(arrow, {json, kInt4}, json, Element);
    Add(text_arrow, {json, kText}, kText, MemberText);
    Add(text_arrow, {json, kInt4}, kText, ElementText);
  }
  registry.Replace(std::move(arrow));
  registry.Replace(std::move(text_arrow));
}

// ---- jsonb's tests ------------------------------------------------------------------------------

Result<Value> Contains(Arguments args, Arena&) {
  OMEN_ASSIGN(const JsonNode outer, types::ReadJsonTree(args[0].str()));
  OMEN_ASSIGN(const JsonNode inner, types::ReadJsonTree(args[1].str()));
  return Value::Bool(types::JsonContains(outer, inner));
}
Result<Value> Contained(Arguments args, Arena& arena) {
  const Value swapped[] = {args[1], args[0]};
  return Contains(swapped, arena);
}
Result<Value> HasKey(Arguments args, Arena&) {
  OMEN_ASSIGN(const JsonNode node, types::ReadJsonTree(args[0].str()));
  return Value::Bool(types::JsonHasKey(node, args[1].str()));
}
template <bool ALL>
Result<Value> HasKeys(Arguments args, Arena&) {
  OMEN_ASSIGN(const JsonNode node, types::ReadJsonTree(args[0].str()));
  const types::ArrayReader keys(kText, args[1].str());
  for (uint32_t i = 0; i < keys.size(); ++i) {
    if (keys.IsNull(i)) continue;
    if (types::JsonHasKey(node, keys.At(i).str()) != ALL) return Value::Bool(!ALL);
  }
  return Value::Bool(ALL);
}

void RegisterTests(Registry& registry) {
  // Beside DuckDB's operators of lists.
  duckdb::ScalarFunctionSet contains = registry.Existing("@>");
  duckdb::ScalarFunctionSet contained = registry.Existing("<@");
  Add(contains, {kJsonb, kJsonb}, kBool, Contains);
  Add(contained, {kJsonb, kJsonb}, kBool, Contained);
  registry.Replace(std::move(contains));
  registry.Replace(std::move(contained));
  Register(registry, "jsonb_contains", {kJsonb, kJsonb}, kBool, Contains);
  Register(registry, "jsonb_contained", {kJsonb, kJsonb}, kBool, Contained);
  Register(registry, "jsonb_exists", {kJsonb, kText}, kBool, HasKey);
  Register(registry, "jsonb_exists_any", {kJsonb, kTexts}, kBool, HasKeys<false>);
  Register(registry, "jsonb_exists_all", {kJsonb, kTexts}, kBool, HasKeys<true>);
}

// ---- The document as a whole --------------------------------------------------------------------

Result<Value> TypeOf(Arguments args, Arena&) {
  return Value::String(types::JsonTypeName(args[0].str()));
}
Result<Value> ArrayLength(Arguments args, Arena&) {
  OMEN_ASSIGN(const JsonNode node, types::ReadJsonTree(args[0].str()));
  if (!node.is_array()) {
    return Status(sqlstate::kInvalidParameterValue, node.is_object()
                                                        ? "cannot get array length of a non-array"
                                                        : "cannot get array length of a scalar");
  }
  return Value::Int32(static_cast<int32_t>(node.items.size()));
}
Result<Value> Pretty(Arguments args, Arena& arena) {
  OMEN_ASSIGN(const JsonNode node, types::ReadJsonTree(args[0].str()));
  std::string text;
  types::AppendPrettyJson(node, text);
  return Own(arena, text);
}
Result<Value> StripNulls(Arguments args, Arena& arena) {
  OMEN_ASSIGN(JsonNode node, types::ReadJsonTree(args[0].str()));
  types::JsonStripNulls(node);
  std::string text;
  types::AppendJsonTree(node, text);
  return Own(arena, text);
}
Result<Value> StripNullsB(Arguments args, Arena& arena) {
  OMEN_ASSIGN(const Value stripped, StripNulls(args, arena));
  std::string text;
  OMEN_TRY(types::NormalizeJsonb(stripped.str(), text));
  return Own(arena, text);
}

// ---- Rows
// -----------------------------------------------------------------------------------------

Status NotAnObject(std::string_view json, const std::string& function) {
  const bool array = types::JsonTypeName(json) == "array";
  std::string message;
  if (function.ends_with("keys")) {
    message = "cannot call " + function + " on " + (array ? "an array" : "a scalar");
  } else if (function.starts_with("jsonb")) {
    message = "cannot call " + function + " on a non-object";
  } else {
    message = array ? "cannot deconstruct an array as an object" : "cannot deconstruct a scalar";
  }
  return Status(sqlstate::kInvalidParameterValue, std::move(message));
}

Status NotAnArray(std::string_view json, const std::string& function) {
  const bool object = types::JsonTypeName(json) == "object";
  std::string message;
  if (function.starts_with("jsonb")) {
    message = std::string("cannot extract elements from ") + (object ? "an object" : "a scalar");
  } else {
    message = "cannot call " + function + " on a " + (object ? "non-array" : "scalar");
  }
  return Status(sqlstate::kInvalidParameterValue, std::move(message));
}

enum class Part { kKeys, kValues, kAsText };

// The keys, members or elements of a container as a list; `function` is PostgreSQL's name of it.
Result<Value> PartsOf(std::string_view json, Part part, bool wants_object,
                      const std::string& function, Arena& arena) {
  if (types::JsonTypeName(json) != (wants_object ? "object" : "array")) {
    return wants_object ? NotAnObject(json, function) : NotAnArray(json, function);
  }
  types::ArrayBuilder builder(kText);
  for (const types::JsonMember& member : types::JsonMembers(json)) {
    if (part == Part::kKeys) {
      builder.Append(Value::String(member.key));
    } else if (part == Part::kValues) {
      builder.Append(Value::String(member.raw));
    } else {
      builder.Append(OrNull(arena, types::JsonScalarText(member.raw)));
    }
  }
  return builder.Finish(arena);
}

void RegisterParts(Registry& registry, const std::string& name, const std::string& function,
                   const SqlType& json, Part part, bool wants_object) {
  SqlType result = part == Part::kValues ? json : kText;
  result.is_array = true;
  RegisterRowFunction(registry,
                      {name,
                       {json},
                       result,
                       [function, part, wants_object](Arguments args, SessionState&, Arena& arena) {
                         return PartsOf(args[0].str(), part, wants_object, function, arena);
                       }});
}

void RegisterRows(Registry& registry) {
  for (const SqlType& type : {kJson, kJsonb}) {
    const std::string json = type == kJsonb ? "jsonb" : "json";
    const std::string ours = "omendb_" + json;
    RegisterParts(registry, ours + "_elements", json + "_array_elements", type, Part::kValues,
                  false);
    RegisterParts(registry, ours + "_elements_text", json + "_array_elements_text", type,
                  Part::kAsText, false);
    RegisterParts(registry, ours + "_keys", json + "_object_keys", type, Part::kKeys, true);
    for (const char* suffix : {"_each", "_each_text"}) {
      const std::string function = json + suffix;
      const bool text = function.ends_with("_text");
      RegisterParts(registry, ours + suffix + "_keys", function, type, Part::kKeys, true);
      RegisterParts(registry, ours + suffix + "_values", function, type,
                    text ? Part::kAsText : Part::kValues, true);
    }
  }
}

}  // namespace

void RegisterJson(Registry& registry) {
  RegisterJsonBuilders(registry);
  RegisterArrows(registry);
  RegisterTests(registry);
  RegisterRows(registry);
  RegisterJsonPaths(registry);
  Register(registry, "json_typeof", {kJson}, kText, TypeOf);
  Register(registry, "jsonb_typeof", {kJsonb}, kText, TypeOf);
  Register(registry, "json_array_length", {kJson}, kInt4, ArrayLength);
  Register(registry, "jsonb_array_length", {kJsonb}, kInt4, ArrayLength);
  Register(registry, "jsonb_pretty", {kJsonb}, kText, Pretty);
  Register(registry, "json_strip_nulls", {kJson}, kJson, StripNulls);
  Register(registry, "jsonb_strip_nulls", {kJsonb}, kJsonb, StripNullsB);
}

}  // namespace omendb::duck
