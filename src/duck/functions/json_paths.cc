#include "duck/functions/json_paths.h"

#include "base/sqlstate.h"
#include "duck/functions/any_function.h"
#include "duck/functions/json_functions.h"
#include "duck/functions/row_function.h"
#include "types/array.h"
#include "types/json_tree.h"

namespace omendb::duck {

namespace {

using types::Arena;
using types::JsonNode;
using types::JsonPath;
using types::JsonPlace;
using types::SqlType;
using types::TypeKind;
using types::Value;
using Arguments = std::span<const Value>;

constexpr SqlType kText{TypeKind::kText};
constexpr SqlType kTexts{TypeKind::kText, true};
constexpr SqlType kInt4{TypeKind::kInt4};
constexpr SqlType kBool{TypeKind::kBool};
constexpr SqlType kJson{TypeKind::kJson};
constexpr SqlType kJsonb{TypeKind::kJsonb};

JsonPath PathOf(const Value& texts) {
  const types::ArrayReader reader(kText, texts.str());
  JsonPath path;
  for (uint32_t i = 0; i < reader.size(); ++i) {
    path.push_back(reader.IsNull(i) ? std::nullopt
                                    : std::optional<std::string>(std::string(reader.At(i).str())));
  }
  return path;
}

Result<Value> Normal(const JsonNode& node, Arena& arena) {
  std::string text;
  std::string normal;
  types::AppendJsonTree(node, text);
  OMEN_TRY(types::NormalizeJsonb(text, normal));
  return Value::String(arena.Copy(normal));
}

// The value at a path, as JSON or as text.
Value At(std::string_view json, const JsonPath& path, bool text, Arena& arena) {
  const auto found = types::FindJsonPath(json, path);
  if (!found) return Value::Null();
  if (!text) return Value::String(*found);
  const auto own = types::JsonScalarText(*found);
  return own ? Value::String(arena.Copy(*own)) : Value::Null();
}

void RegisterExtract(Registry& registry, const SqlType& type, bool text) {
  const std::string json = type == kJsonb ? "jsonb" : "json";
  const std::string suffix = text ? "_text" : "";
  const SqlType result = text ? kText : type;
  AnyFunction extract;
  extract.name = json + "_extract_path" + suffix;
  extract.min_arguments = 1;
  extract.max_arguments = SIZE_MAX;
  extract.resolve = [type, result](const std::vector<SqlType>& given) {
    AnySignature signature{std::vector<SqlType>(given.size(), kText), result};
    signature.arguments[0] = type;
    return signature;
  };
  extract.body = [text](Arguments args, const AnySignature&, SessionState&,
                        Arena& arena) -> Result<Value> {
    JsonPath path;
    for (const Value& step : args.subspan(1)) path.emplace_back(std::string(step.str()));
    return At(args[0].str(), path, text, arena);
  };
  RegisterAnyFunction(registry, extract);
}

// #> and #>>
void RegisterPathOperator(Registry& registry, const std::string& name, bool text) {
  duckdb::ScalarFunctionSet set(name);
  for (const SqlType& type : {kJson, kJsonb}) {
    AddRowFunction(set, {name,
                         {type, kTexts},
                         text ? kText : type,
                         [text](Arguments args, SessionState&, Arena& arena) -> Result<Value> {
                           return At(args[0].str(), PathOf(args[1]), text, arena);
                         }});
  }
  registry.Replace(std::move(set));
}

Result<Value> SetAt(Arguments args, JsonPlace place, Arena& arena) {
  OMEN_ASSIGN(JsonNode node, types::ReadJsonTree(args[0].str()));
  OMEN_ASSIGN(const JsonNode value, types::ReadJsonTree(args[2].str()));
  // The tree of the value borrows its text, which containers do not keep: all lie in the arguments.
  OMEN_TRY(types::JsonSetPath(node, PathOf(args[1]), value, place));
  return Normal(node, arena);
}

Result<Value> DeletePath(Arguments args, SessionState&, Arena& arena) {
  OMEN_ASSIGN(JsonNode node, types::ReadJsonTree(args[0].str()));
  OMEN_TRY(types::JsonDeletePath(node, PathOf(args[1])));
  return Normal(node, arena);
}

// jsonb_set_lax: what a NULL does is the last argument's to say.
Result<Value> SetLax(Arguments args, SessionState&, Arena& arena) {
  if (args[0].is_null || args[1].is_null || (args.size() > 3 && args[3].is_null)) {
    return Value::Null();
  }
  const bool create = args.size() < 4 || args[3].boolean;
  if (!args[2].is_null) {
    return SetAt(args, create ? JsonPlace::kReplaceOrAdd : JsonPlace::kReplace, arena);
  }
  const std::string_view treatment =
      args.size() > 4 && !args[4].is_null ? args[4].str() : "use_json_null";
  if (treatment == "return_target") return args[0];
  if (treatment == "delete_key") {
    OMEN_ASSIGN(JsonNode node, types::ReadJsonTree(args[0].str()));
    OMEN_TRY(types::JsonDeletePath(node, PathOf(args[1])));
    return Normal(node, arena);
  }
  if (treatment == "raise_exception") {
    return Status(sqlstate::kNullValueNotAllowed, "JSON value must not be null");
  }
  if (treatment != "use_json_null") {
    return Status(sqlstate::kInvalidParameterValue,
                  "null_value_treatment must be \"delete_key\", \"return_target\", "
                  "\"use_json_null\", or \"raise_exception\"");
  }
  const Value with_null[] = {args[0], args[1], Value::String("null")};
  return SetAt(with_null, create ? JsonPlace::kReplaceOrAdd : JsonPlace::kReplace, arena);
}

std::optional<AnySignature> ResolveMinus(const std::vector<SqlType>& given) {
  if (given[0].kind != TypeKind::kJsonb) return std::nullopt;
  SqlType right = given[1];
  right.typmod = -1;
  if (right.is_array) {
    if (right.kind != TypeKind::kText && right.kind != TypeKind::kUnknown) return std::nullopt;
    right = kTexts;
  } else if (right.kind == TypeKind::kUnknown || right.is_string()) {
    right = kText;
  } else if (right.kind == TypeKind::kInt2 || right.kind == TypeKind::kInt4) {
    right = kInt4;
  } else {
    return std::nullopt;
  }
  return AnySignature{{kJsonb, right}, kJsonb};
}

Result<Value> Minus(Arguments args, const AnySignature& signature, SessionState&, Arena& arena) {
  OMEN_ASSIGN(JsonNode node, types::ReadJsonTree(args[0].str()));
  if (signature.arguments[1].is_array) {
    for (const auto& key : PathOf(args[1])) {
      if (key) OMEN_TRY(types::JsonDeleteKey(node, *key));
    }
  } else if (signature.arguments[1] == kInt4) {
    OMEN_TRY(types::JsonDeleteIndex(node, args[1].i32));
  } else {
    OMEN_TRY(types::JsonDeleteKey(node, args[1].str()));
  }
  return Normal(node, arena);
}

Result<Value> Concat(Arguments args, const AnySignature&, SessionState&, Arena& arena) {
  OMEN_ASSIGN(JsonNode left, types::ReadJsonTree(args[0].str()));
  OMEN_ASSIGN(JsonNode right, types::ReadJsonTree(args[1].str()));
  OMEN_ASSIGN(const JsonNode both, types::JsonConcat(std::move(left), std::move(right)));
  return Normal(both, arena);
}

}  // namespace

const AnyFunction& JsonbMinus() {
  static const AnyFunction kMinus{"-", 2, 2, ResolveMinus, Minus};
  return kMinus;
}

const AnyFunction& JsonbConcat() {
  static const AnyFunction kConcat{"||", 2, 2,
                                   [](const std::vector<SqlType>&) -> std::optional<AnySignature> {
                                     return AnySignature{{kJsonb, kJsonb}, kJsonb};
                                   },
                                   Concat};
  return kConcat;
}

void RegisterJsonPaths(Registry& registry) {
  for (const bool text : {false, true}) {
    RegisterExtract(registry, kJson, text);
    RegisterExtract(registry, kJsonb, text);
  }
  RegisterPathOperator(registry, "omendb_json_at_path", false);
  RegisterPathOperator(registry, "omendb_json_at_path_text", true);
  for (const bool insert : {false, true}) {
    RegisterRowFunction(registry,
                        {insert ? "jsonb_insert" : "jsonb_set",
                         {kJsonb, kTexts, kJsonb, kBool},
                         kJsonb,
                         [insert](Arguments args, SessionState&, Arena& arena) {
                           const bool flag = args.size() > 3 ? args[3].boolean : !insert;
                           const JsonPlace place =
                               insert ? (flag ? JsonPlace::kInsertAfter : JsonPlace::kInsertBefore)
                                      : (flag ? JsonPlace::kReplaceOrAdd : JsonPlace::kReplace);
                           return SetAt(args, place, arena);
                         },
                         duckdb::FunctionStability::CONSISTENT,
                         true,
                         1});
  }
  RegisterRowFunction(registry, {"jsonb_set_lax",
                                 {kJsonb, kTexts, kJsonb, kBool, kText},
                                 kJsonb,
                                 SetLax,
                                 duckdb::FunctionStability::CONSISTENT,
                                 false,
                                 2});
  RegisterRowFunction(registry, {"jsonb_delete_path", {kJsonb, kTexts}, kJsonb, DeletePath});
}

}  // namespace omendb::duck
