#include "types/json_tree.h"

#include <algorithm>
#include <charconv>

namespace omendb::types {
namespace {

Status Invalid(std::string message) {
  return Status(sqlstate::kInvalidParameterValue, std::move(message));
}

class TreeMaker {
 public:
  JsonNode Take() { return std::move(root_); }

  void Begin(JsonToken token) {
    JsonNode& node = Add();
    node.kind = token;
    open_.push_back(&node);
  }
  void End(JsonToken) { open_.pop_back(); }
  void Key(const JsonReader& reader) { open_.back()->keys.push_back(reader.decoded()); }
  Status Scalar(const JsonReader& reader) {
    JsonNode& node = Add();
    node.kind = reader.token();
    node.raw = reader.token_text();
    if (node.kind == JsonToken::kString) node.text = reader.decoded();
    return Status::Ok();
  }

 private:
  // A container is open only while it is the last child of its parent: no pointer moves.
  JsonNode& Add() {
    if (open_.empty()) return root_;
    return open_.back()->items.emplace_back();
  }

  JsonNode root_;
  std::vector<JsonNode*> open_;
};

std::optional<int64_t> ToIndex(std::string_view text) {
  int64_t index = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), index);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return index;
}

// Walks the members of the container `json` is; `visit(number, key, value text)` says when to stop.
template <typename Visit>
void ForEachMember(std::string_view json, Visit visit) {
  JsonReader reader(json, JsonStrings::kDecode);
  if (!reader.Next().ok()) return;
  const bool object = reader.token() == JsonToken::kObjectBegin;
  if (!object && reader.token() != JsonToken::kArrayBegin) return;
  std::string key;
  for (int64_t number = 0;; ++number) {
    do {
      if (!reader.Next().ok()) return;
    } while (reader.token() == JsonToken::kComma);
    if (reader.token() == JsonToken::kObjectEnd || reader.token() == JsonToken::kArrayEnd) return;
    if (object) {
      key = reader.decoded();
      if (!reader.Next().ok() || !reader.Next().ok()) return;  // The colon, then the value.
    }
    const char* begin = reader.token_text().data();
    int depth = 0;
    while (true) {
      const JsonToken token = reader.token();
      if (token == JsonToken::kObjectBegin || token == JsonToken::kArrayBegin) ++depth;
      if (token == JsonToken::kObjectEnd || token == JsonToken::kArrayEnd) --depth;
      if (depth == 0) break;
      if (!reader.Next().ok()) return;
    }
    const char* end = reader.token_text().data() + reader.token_text().size();
    if (!visit(number, key, std::string_view(begin, static_cast<size_t>(end - begin)))) return;
  }
}

bool SameScalar(const JsonNode& a, const JsonNode& b) {
  if (a.kind != b.kind) return false;
  if (a.kind == JsonToken::kString) return a.text == b.text;
  return a.kind != JsonToken::kNumber || CompareJsonb(a.raw, b.raw) == 0;
}

bool Holds(const JsonNode& outer, const JsonNode& inner) {
  if (inner.is_scalar()) return outer.is_scalar() && SameScalar(outer, inner);
  if (inner.kind != outer.kind) return false;
  for (size_t i = 0; i < inner.items.size(); ++i) {
    if (inner.is_object()) {
      const JsonNode* member = outer.Member(inner.keys[i]);
      if (member == nullptr || !Holds(*member, inner.items[i])) return false;
      continue;
    }
    bool found = false;
    for (const JsonNode& item : outer.items) found = found || Holds(item, inner.items[i]);
    if (!found) return false;
  }
  return true;
}

void EraseMember(JsonNode& node, size_t i) {
  node.items.erase(node.items.begin() + static_cast<std::ptrdiff_t>(i));
  if (node.is_object()) node.keys.erase(node.keys.begin() + static_cast<std::ptrdiff_t>(i));
}

Status PathIndexError(size_t level, const std::string& text) {
  return Status(sqlstate::kInvalidTextRepresentation, "path element at position " +
                                                          std::to_string(level + 1) +
                                                          " is not an integer: \"" + text + "\"");
}
Status PathNull(size_t level) {
  return Status(sqlstate::kNullValueNotAllowed,
                "path element at position " + std::to_string(level + 1) + " is null");
}

// An array index of a path, negative ones counted from the end; may lie outside.
Result<int64_t> PathIndex(const JsonNode& array, const JsonPath& path, size_t level) {
  const auto index = ToIndex(*path[level]);
  if (!index) return PathIndexError(level, *path[level]);
  return *index < 0 ? *index + static_cast<int64_t>(array.items.size()) : *index;
}

Status DeletePath(JsonNode& node, const JsonPath& path, size_t level) {
  if (!path[level]) return PathNull(level);
  const bool last = level + 1 == path.size();
  for (size_t i = 0; node.is_object() && i < node.items.size(); ++i) {
    if (node.keys[i] != *path[level]) continue;
    if (!last) return DeletePath(node.items[i], path, level + 1);
    EraseMember(node, i);
    return Status::Ok();
  }
  if (!node.is_array()) return Status::Ok();
  OMEN_ASSIGN(const int64_t index, PathIndex(node, path, level));
  if (index < 0 || index >= static_cast<int64_t>(node.items.size())) return Status::Ok();
  const auto i = static_cast<size_t>(index);
  if (!last) return DeletePath(node.items[i], path, level + 1);
  EraseMember(node, i);
  return Status::Ok();
}

bool Inserts(JsonPlace place) {
  return place == JsonPlace::kInsertBefore || place == JsonPlace::kInsertAfter;
}

Status SetPath(JsonNode& node, const JsonPath& path, size_t level, const JsonNode& value,
               JsonPlace place);

Status SetMember(JsonNode& node, const JsonPath& path, size_t level, const JsonNode& value,
                 JsonPlace place) {
  const bool last = level + 1 == path.size();
  for (size_t i = 0; i < node.items.size(); ++i) {
    if (node.keys[i] != *path[level]) continue;
    if (!last) return SetPath(node.items[i], path, level + 1, value, place);
    if (Inserts(place)) {
      return Status(sqlstate::kInvalidParameterValue, "cannot replace existing key")
          .WithHint("Try using the function jsonb_set to replace key value.");
    }
    node.items[i] = value;
    return Status::Ok();
  }
  if (last && place != JsonPlace::kReplace) {
    node.keys.push_back(*path[level]);
    node.items.push_back(value);
  }
  return Status::Ok();
}

Status SetElement(JsonNode& node, const JsonPath& path, size_t level, const JsonNode& value,
                  JsonPlace place) {
  OMEN_ASSIGN(const int64_t index, PathIndex(node, path, level));
  const auto size = static_cast<int64_t>(node.items.size());
  const bool inside = index >= 0 && index < size;
  if (level + 1 < path.size()) {
    if (!inside) return Status::Ok();
    return SetPath(node.items[static_cast<size_t>(index)], path, level + 1, value, place);
  }
  if (inside && !Inserts(place)) {
    node.items[static_cast<size_t>(index)] = value;
  } else if (place != JsonPlace::kReplace) {
    int64_t at = index < 0 ? 0 : std::min(index, size);
    if (inside && place == JsonPlace::kInsertAfter) ++at;
    node.items.insert(node.items.begin() + at, value);
  }
  return Status::Ok();
}

Status SetPath(JsonNode& node, const JsonPath& path, size_t level, const JsonNode& value,
               JsonPlace place) {
  if (!path[level]) return PathNull(level);
  if (node.is_object()) return SetMember(node, path, level, value, place);
  if (node.is_array()) return SetElement(node, path, level, value, place);
  return Status::Ok();
}

void AppendPretty(const JsonNode& node, size_t depth, std::string& out) {
  if (node.is_scalar()) return AppendJsonTree(node, out);
  out += node.is_object() ? '{' : '[';
  for (size_t i = 0; i < node.items.size(); ++i) {
    out += i > 0 ? ",\n" : "\n";
    out.append((depth + 1) * 4, ' ');
    if (node.is_object()) {
      AppendJsonString(node.keys[i], out);
      out += ": ";
    }
    AppendPretty(node.items[i], depth + 1, out);
  }
  out += '\n';
  out.append(depth * 4, ' ');
  out += node.is_object() ? '}' : ']';
}

}  // namespace

const JsonNode* JsonNode::Member(std::string_view key) const {
  for (size_t i = keys.size(); i > 0; --i) {
    if (keys[i - 1] == key) return &items[i - 1];
  }
  return nullptr;
}

Result<JsonNode> ReadJsonTree(std::string_view text) {
  TreeMaker maker;
  OMEN_TRY(WalkJson(text, JsonStrings::kDecode, maker));
  return maker.Take();
}

void AppendJsonTree(const JsonNode& node, std::string& out) {
  if (node.kind == JsonToken::kString) return AppendJsonString(node.text, out);
  if (node.is_scalar()) {
    out += node.kind == JsonToken::kNull ? std::string_view("null") : node.raw;
    return;
  }
  out += node.is_object() ? '{' : '[';
  for (size_t i = 0; i < node.items.size(); ++i) {
    if (i > 0) out += ',';
    if (node.is_object()) {
      AppendJsonString(node.keys[i], out);
      out += ':';
    }
    AppendJsonTree(node.items[i], out);
  }
  out += node.is_object() ? '}' : ']';
}

std::optional<std::string_view> FindJsonMember(std::string_view json, std::string_view key) {
  std::optional<std::string_view> found;
  const size_t first = json.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos || json[first] != '{') return found;
  ForEachMember(json, [&](int64_t, const std::string& name, std::string_view value) {
    if (name == key) found = value;
    return true;  // Of equal keys the last counts.
  });
  return found;
}

std::optional<std::string_view> FindJsonElement(std::string_view json, int64_t index) {
  std::optional<std::string_view> found;
  const size_t first = json.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos || json[first] != '[') return found;
  if (index < 0) {
    int64_t size = 0;
    ForEachMember(json, [&](int64_t, const std::string&, std::string_view) { return ++size > 0; });
    index += size;
  }
  ForEachMember(json, [&](int64_t number, const std::string&, std::string_view value) {
    if (number == index) found = value;
    return number != index;
  });
  return found;
}

std::optional<std::string_view> FindJsonPath(std::string_view json, const JsonPath& path) {
  std::optional<std::string_view> at = json;
  for (const auto& step : path) {
    if (!step || !at) return std::nullopt;
    const size_t first = at->find_first_not_of(" \t\r\n");
    if (first == std::string_view::npos) return std::nullopt;
    if ((*at)[first] == '[') {
      const auto index = ToIndex(*step);
      if (!index) return std::nullopt;
      at = FindJsonElement(*at, *index);
    } else {
      at = FindJsonMember(*at, *step);
    }
  }
  return at;
}

std::vector<JsonMember> JsonMembers(std::string_view json) {
  std::vector<JsonMember> members;
  ForEachMember(json, [&](int64_t, const std::string& key, std::string_view value) {
    members.push_back({key, value});
    return true;
  });
  return members;
}

std::optional<std::string> JsonScalarText(std::string_view json) {
  JsonReader reader(json, JsonStrings::kDecode);
  if (!reader.Next().ok() || reader.token() == JsonToken::kNull) return std::nullopt;
  if (reader.token() == JsonToken::kString) return reader.decoded();
  return std::string(json);
}

std::string_view JsonTypeName(std::string_view json) {
  JsonReader reader(json, JsonStrings::kValidate);
  if (!reader.Next().ok()) return "null";
  switch (reader.token()) {
    case JsonToken::kObjectBegin:
      return "object";
    case JsonToken::kArrayBegin:
      return "array";
    case JsonToken::kString:
      return "string";
    case JsonToken::kNumber:
      return "number";
    case JsonToken::kTrue:
    case JsonToken::kFalse:
      return "boolean";
    default:
      return "null";
  }
}

bool JsonContains(const JsonNode& outer, const JsonNode& inner) {
  // An array may contain a bare scalar.
  if (outer.is_array() && inner.is_scalar()) {
    for (const JsonNode& item : outer.items) {
      if (item.is_scalar() && SameScalar(item, inner)) return true;
    }
    return false;
  }
  return Holds(outer, inner);
}

bool JsonHasKey(const JsonNode& node, std::string_view key) {
  if (node.is_object()) return node.Member(key) != nullptr;
  if (node.is_scalar()) return node.kind == JsonToken::kString && node.text == key;
  for (const JsonNode& item : node.items) {
    if (item.kind == JsonToken::kString && item.text == key) return true;
  }
  return false;
}

Status JsonDeleteKey(JsonNode& node, std::string_view key) {
  if (node.is_scalar()) return Invalid("cannot delete from scalar");
  for (size_t i = node.items.size(); i > 0; --i) {
    const JsonNode& item = node.items[i - 1];
    const bool match = node.is_object() ? node.keys[i - 1] == key
                                        : item.kind == JsonToken::kString && item.text == key;
    if (match) EraseMember(node, i - 1);
  }
  return Status::Ok();
}

Status JsonDeleteIndex(JsonNode& node, int64_t index) {
  if (node.is_scalar()) return Invalid("cannot delete from scalar");
  if (node.is_object()) return Invalid("cannot delete from object using integer index");
  const auto size = static_cast<int64_t>(node.items.size());
  if (index < 0) index += size;
  if (index >= 0 && index < size) EraseMember(node, static_cast<size_t>(index));
  return Status::Ok();
}

Status JsonDeletePath(JsonNode& node, const JsonPath& path) {
  if (node.is_scalar()) return Invalid("cannot delete path in scalar");
  return path.empty() ? Status::Ok() : DeletePath(node, path, 0);
}

Result<JsonNode> JsonConcat(JsonNode left, JsonNode right) {
  if (left.is_object() && right.is_object()) {
    for (size_t i = 0; i < right.items.size(); ++i) {
      left.keys.push_back(std::move(right.keys[i]));
      left.items.push_back(std::move(right.items[i]));
    }
    return left;
  }
  JsonNode result;
  result.kind = JsonToken::kArrayBegin;
  for (JsonNode* part : {&left, &right}) {
    if (!part->is_array()) {
      result.items.push_back(std::move(*part));
      continue;
    }
    for (JsonNode& item : part->items) result.items.push_back(std::move(item));
  }
  return result;
}

void JsonStripNulls(JsonNode& node) {
  for (size_t i = node.items.size(); i > 0; --i) {
    if (node.is_object() && node.items[i - 1].kind == JsonToken::kNull) {
      EraseMember(node, i - 1);
    } else {
      JsonStripNulls(node.items[i - 1]);
    }
  }
}

Status JsonSetPath(JsonNode& node, const JsonPath& path, const JsonNode& value, JsonPlace place) {
  if (node.is_scalar()) return Invalid("cannot set path in scalar");
  return path.empty() ? Status::Ok() : SetPath(node, path, 0, value, place);
}

void AppendPrettyJson(const JsonNode& node, std::string& out) { AppendPretty(node, 0, out); }

}  // namespace omendb::types
