// json_tree.h - a JSON text as a tree, and PostgreSQL's functions that look into it or change it.
//
// Thread safety  Plain data; pure functions.
// Ownership      Nodes borrow the text they were read from (`raw`); keep it.
// Cost           A tree allocates for each container; FindJsonMember and FindJsonElement scan the
//                text without one.
// Errors         22023 as PostgreSQL's functions raise them; reading: as in json.h.
// See            PostgreSQL 15, section 9.16 "JSON Functions and Operators".
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"
#include "types/json_reader.h"

namespace omendb::types {

struct JsonNode {
  JsonToken kind = JsonToken::kNull;  // kObjectBegin and kArrayBegin for containers
  std::string_view raw;               // A scalar as written.
  std::string text;                   // What a string stands for.
  std::vector<std::string> keys;      // Of an object's members.
  std::vector<JsonNode> items;        // An array's elements or an object's members.

  bool is_object() const { return kind == JsonToken::kObjectBegin; }
  bool is_array() const { return kind == JsonToken::kArrayBegin; }
  bool is_scalar() const { return !is_object() && !is_array(); }
  // The last member of the name; null when there is none.
  const JsonNode* Member(std::string_view key) const;
};

// One step of a path; nullopt is a NULL.
using JsonPath = std::vector<std::optional<std::string>>;

Result<JsonNode> ReadJsonTree(std::string_view text);
// Appends the tree as JSON text in no special form: NormalizeJsonb makes jsonb of it.
void AppendJsonTree(const JsonNode& node, std::string& out);

// The text of a member or element as it stands in `json`; nullopt when there is none.
std::optional<std::string_view> FindJsonMember(std::string_view json, std::string_view key);
std::optional<std::string_view> FindJsonElement(std::string_view json, int64_t index);
std::optional<std::string_view> FindJsonPath(std::string_view json, const JsonPath& path);
// The elements of an array or the members of an object, in order; nothing of a scalar.
struct JsonMember {
  std::string key;       // Empty in an array.
  std::string_view raw;  // As it stands in the text.
};
std::vector<JsonMember> JsonMembers(std::string_view json);
// What ->> answers for a member's text: a string's own text; nullopt for null.
std::optional<std::string> JsonScalarText(std::string_view json);

// "object", "array", "string", ...
std::string_view JsonTypeName(std::string_view json);
bool JsonContains(const JsonNode& outer, const JsonNode& inner);
// The ? operator: a key of an object, a string of an array, or the string itself.
bool JsonHasKey(const JsonNode& node, std::string_view key);

Status JsonDeleteKey(JsonNode& node, std::string_view key);
Status JsonDeleteIndex(JsonNode& node, int64_t index);
Status JsonDeletePath(JsonNode& node, const JsonPath& path);
Result<JsonNode> JsonConcat(JsonNode left, JsonNode right);
void JsonStripNulls(JsonNode& node);

enum class JsonPlace : uint8_t {
  kReplace,       // jsonb_set without creating
  kReplaceOrAdd,  // jsonb_set
  kInsertBefore,  // jsonb_insert
  kInsertAfter,
};
Status JsonSetPath(JsonNode& node, const JsonPath& path, const JsonNode& value, JsonPlace place);

// jsonb_pretty.
void AppendPrettyJson(const JsonNode& node, std::string& out);

}  // namespace omendb::types
