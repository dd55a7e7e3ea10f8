#include "duck/functions/regex_functions.h"

#include "base/sqlstate.h"
#include "duck/errors.h"
#include "duck/functions/row_function.h"
#include "duck/logical_types.h"
#include "types/array.h"
#include "types/regex.h"
#include "types/text_io.h"

namespace omendb::duck {

namespace {

using types::Arena;
using types::ArrayBuilder;
using types::Regex;
using types::RegexFlags;
using types::SqlType;
using types::TypeKind;
using types::Value;
using Arguments = std::span<const Value>;
using Groups = std::vector<Regex::Group>;

constexpr SqlType kText{TypeKind::kText};
constexpr SqlType kTexts{TypeKind::kText, true};
constexpr SqlType kInt4{TypeKind::kInt4};
constexpr SqlType kBool{TypeKind::kBool};

// The last pattern of each thread stays compiled: it is nearly always the same one.
Result<std::shared_ptr<const Regex>> Compiled(std::string_view pattern, std::string_view letters,
                                              RegexFlags* flags = nullptr) {
  struct Last {
    std::string pattern;
    std::string letters;
    std::shared_ptr<const Regex> regex;
    RegexFlags flags;
  };
  thread_local Last last;
  if (last.regex == nullptr || last.pattern != pattern || last.letters != letters) {
    OMEN_ASSIGN(const RegexFlags parsed, types::ParseRegexFlags(letters));
    OMEN_ASSIGN(auto regex, Regex::Compile(pattern, parsed));
    last = {std::string(pattern), std::string(letters), std::move(regex), parsed};
  }
  if (flags != nullptr) *flags = last.flags;
  return last.regex;
}

std::string_view Letters(Arguments args, size_t i) {
  return args.size() > i ? args[i].str() : std::string_view();
}

size_t CharacterAfter(std::string_view text, size_t position) {
  ++position;
  while (position < text.size() && (static_cast<unsigned char>(text[position]) & 0xC0) == 0x80) {
    ++position;
  }
  return position;
}

// Calls `visit(groups)` for each match from `from` on while it answers true.
template <typename Visit>
void ForEachMatch(const Regex& regex, std::string_view text, size_t from, Visit visit) {
  Groups groups;
  while (from <= text.size() && regex.Match(text, from, groups)) {
    const auto [start, size] = *groups[0];
    if (!visit(groups)) return;
    from = size > 0 ? start + size : CharacterAfter(text, start);
  }
}

std::string_view Slice(std::string_view text, const Regex::Group& group) {
  return text.substr(group->first, group->second);
}

// The groups of a match as text[]; the match itself when the pattern has none.
Value GroupArray(std::string_view text, const Groups& groups, Arena& arena) {
  ArrayBuilder builder(kText);
  for (size_t i = groups.size() > 1 ? 1 : 0; i < groups.size(); ++i) {
    builder.Append(groups[i] ? Value::String(Slice(text, groups[i])) : Value::Null());
  }
  return builder.Finish(arena);
}

Result<Value> RegexpMatch(Arguments args, SessionState&, Arena& arena) {
  RegexFlags flags;
  OMEN_ASSIGN(const auto regex, Compiled(args[1].str(), Letters(args, 2), &flags));
  if (flags.global) {
    return Status(sqlstate::kInvalidParameterValue,
                  "regexp_match() does not support the \"global\" option")
        .WithHint("Use the regexp_matches function instead.");
  }
  Groups groups;
  if (!regex->Match(args[0].str(), 0, groups)) return Value::Null();
  return GroupArray(args[0].str(), groups, arena);
}

// substring(text from pattern): the first group, or the match.
Result<Value> SubstringOf(Arguments args, SessionState&, Arena&) {
  OMEN_ASSIGN(const auto regex, Compiled(args[1].str(), ""));
  Groups groups;
  if (!regex->Match(args[0].str(), 0, groups)) return Value::Null();
  const Regex::Group& group = groups.size() > 1 ? groups[1] : groups[0];
  return group ? Value::String(Slice(args[0].str(), group)) : Value::Null();
}

Result<Value> Matches(Arguments args, SessionState&, Arena&) {
  OMEN_ASSIGN(const auto regex, Compiled(args[1].str(), Letters(args, 2)));
  Groups groups;
  return Value::Bool(regex->Match(args[0].str(), 0, groups));
}

// \1 to \9, \& and \\ of a replacement.
void AppendReplacement(std::string_view text, std::string_view replacement, const Groups& groups,
                       std::string& out) {
  for (size_t i = 0; i < replacement.size(); ++i) {
    if (replacement[i] != '\\' || i + 1 == replacement.size()) {
      out += replacement[i];
      continue;
    }
    const char c = replacement[++i];
    if (c == '&' || (c >= '1' && c <= '9')) {
      const size_t group = c == '&' ? 0 : static_cast<size_t>(c - '0');
      if (group < groups.size() && groups[group]) out += Slice(text, groups[group]);
    } else {
      if (c != '\\') out += '\\';
      out += c;
    }
  }
}

// Replaces the `wanted`-th match from `from` on, or all of them (0).
std::string Replace(const Regex& regex, std::string_view text, std::string_view replacement,
                    size_t from, int64_t wanted) {
  std::string out;
  size_t copied = 0;
  int64_t number = 0;
  ForEachMatch(regex, text, from, [&](const Groups& groups) {
    if (wanted != 0 && ++number != wanted) return true;
    out += text.substr(copied, groups[0]->first - copied);
    AppendReplacement(text, replacement, groups, out);
    copied = groups[0]->first + groups[0]->second;
    return wanted == 0;
  });
  out += text.substr(copied);
  return out;
}

Result<Value> RegexpReplace(Arguments args, SessionState&, Arena& arena) {
  RegexFlags flags;
  OMEN_ASSIGN(const auto regex, Compiled(args[1].str(), Letters(args, 3), &flags));
  return Value::String(
      arena.Copy(Replace(*regex, args[0].str(), args[2].str(), 0, flags.global ? 0 : 1)));
}

// The byte at which the `start`-th character begins.
Result<size_t> StartOf(std::string_view text, int32_t start) {
  if (start < 1) {
    return Status(sqlstate::kInvalidParameterValue,
                  "invalid value for parameter \"start\": " + std::to_string(start));
  }
  return types::Utf8Prefix(text, static_cast<size_t>(start - 1)).size();
}

Status NotNegative(const char* name, int32_t value, int32_t least) {
  if (value >= least) return Status::Ok();
  return Status(sqlstate::kInvalidParameterValue, std::string("invalid value for parameter \"") +
                                                      name + "\": " + std::to_string(value));
}

// regexp_replace(text, pattern, replacement, start [, n [, flags]])
Result<Value> RegexpReplaceFrom(Arguments args, SessionState&, Arena& arena) {
  OMEN_ASSIGN(const size_t from, StartOf(args[0].str(), args[3].i32));
  const int32_t wanted = args.size() > 4 ? args[4].i32 : 1;
  OMEN_TRY(NotNegative("n", wanted, 0));
  OMEN_ASSIGN(const auto regex, Compiled(args[1].str(), Letters(args, 5)));
  return Value::String(arena.Copy(Replace(*regex, args[0].str(), args[2].str(), from, wanted)));
}

Result<Value> Split(Arguments args, SessionState&, Arena& arena) {
  RegexFlags flags;
  OMEN_ASSIGN(const auto regex, Compiled(args[1].str(), Letters(args, 2), &flags));
  if (flags.global) {
    return Status(sqlstate::kInvalidParameterValue,
                  "regexp_split_to_array() does not support the \"global\" option");
  }
  const std::string_view text = args[0].str();
  ArrayBuilder builder(kText);
  size_t copied = 0;
  ForEachMatch(*regex, text, 0, [&](const Groups& groups) {
    const auto [start, size] = *groups[0];
    // An empty match at either end splits nothing off.
    if (size == 0 && (start == copied || start == text.size())) return true;
    builder.Append(Value::String(text.substr(copied, start - copied)));
    copied = start + size;
    return true;
  });
  builder.Append(Value::String(text.substr(copied)));
  return builder.Finish(arena);
}

Result<Value> RegexpCount(Arguments args, SessionState&, Arena&) {
  OMEN_ASSIGN(const size_t from, StartOf(args[0].str(), args.size() > 2 ? args[2].i32 : 1));
  OMEN_ASSIGN(const auto regex, Compiled(args[1].str(), Letters(args, 3)));
  int32_t count = 0;
  ForEachMatch(*regex, args[0].str(), from, [&](const Groups&) { return ++count > 0; });
  return Value::Int32(count);
}

// The group of the n-th match from `from` on.
Regex::Group NthMatch(const Regex& regex, std::string_view text, size_t from, int32_t wanted,
                      size_t group) {
  Regex::Group found;
  int32_t number = 0;
  ForEachMatch(regex, text, from, [&](const Groups& groups) {
    if (++number != wanted) return true;
    if (group < groups.size()) found = groups[group];
    return false;
  });
  return found;
}

// regexp_instr(text, pattern [, start [, n [, end [, flags [, group]]]]])
Result<Value> RegexpInstr(Arguments args, SessionState&, Arena&) {
  const std::string_view text = args[0].str();
  OMEN_ASSIGN(const size_t from, StartOf(text, args.size() > 2 ? args[2].i32 : 1));
  const int32_t wanted = args.size() > 3 ? args[3].i32 : 1;
  OMEN_TRY(NotNegative("n", wanted, 1));
  const bool end = args.size() > 4 && args[4].i32 == 1;
  const int32_t group = args.size() > 6 ? args[6].i32 : 0;
  OMEN_TRY(NotNegative("subexpr", group, 0));
  OMEN_ASSIGN(const auto regex, Compiled(args[1].str(), Letters(args, 5)));
  const auto found = NthMatch(*regex, text, from, wanted, static_cast<size_t>(group));
  if (!found) return Value::Int32(0);
  const size_t at = found->first + (end ? found->second : 0);
  return Value::Int32(static_cast<int32_t>(types::Utf8Length(text.substr(0, at))) + 1);
}

// regexp_substr(text, pattern [, start [, n [, flags [, group]]]])
Result<Value> RegexpSubstr(Arguments args, SessionState&, Arena&) {
  const std::string_view text = args[0].str();
  OMEN_ASSIGN(const size_t from, StartOf(text, args.size() > 2 ? args[2].i32 : 1));
  const int32_t wanted = args.size() > 3 ? args[3].i32 : 1;
  OMEN_TRY(NotNegative("n", wanted, 1));
  const int32_t group = args.size() > 5 ? args[5].i32 : 0;
  OMEN_TRY(NotNegative("subexpr", group, 0));
  OMEN_ASSIGN(const auto regex, Compiled(args[1].str(), Letters(args, 4)));
  const auto found = NthMatch(*regex, text, from, wanted, static_cast<size_t>(group));
  return found ? Value::String(Slice(text, found)) : Value::Null();
}

// regexp_matches as a list of text[]: DuckDB's own values, for lists of lists have no encoding.
void MatchesList(duckdb::DataChunk& args, duckdb::ExpressionState&, duckdb::Vector& result) {
  const duckdb::LogicalType texts = duckdb::LogicalType::LIST(duckdb::LogicalType::VARCHAR);
  std::vector<duckdb::UnifiedVectorFormat> formats(args.ColumnCount());
  for (size_t c = 0; c < formats.size(); ++c) args.data[c].ToUnifiedFormat(args.size(), formats[c]);
  const bool constant = args.AllConstant();
  result.SetVectorType(duckdb::VectorType::FLAT_VECTOR);
  for (duckdb::idx_t i = 0; i < (constant ? 1 : args.size()); ++i) {
    std::vector<Value> values;
    bool has_null = false;
    for (const auto& format : formats) {
      values.push_back(LoadVectorCell(format, types::PhysicalType::kString, i));
      has_null = has_null || values.back().is_null;
    }
    duckdb::vector<duckdb::Value> rows;
    if (!has_null) {
      RegexFlags flags;
      const auto regex = ValueOrThrow(Compiled(values[1].str(), Letters(values, 2), &flags));
      const std::string_view text = values[0].str();
      ForEachMatch(*regex, text, 0, [&](const Groups& groups) {
        duckdb::vector<duckdb::Value> row;
        for (size_t g = groups.size() > 1 ? 1 : 0; g < groups.size(); ++g) {
          row.push_back(groups[g] ? duckdb::Value(std::string(Slice(text, groups[g])))
                                  : duckdb::Value(duckdb::LogicalType::VARCHAR));
        }
        rows.push_back(duckdb::Value::LIST(duckdb::LogicalType::VARCHAR, std::move(row)));
        return flags.global;
      });
    }
    result.SetValue(i, duckdb::Value::LIST(texts, std::move(rows)));
  }
  if (constant) result.SetVectorType(duckdb::VectorType::CONSTANT_VECTOR);
}

void RegisterMatchesList(Registry& registry) {
  const duckdb::LogicalType text = duckdb::LogicalType::VARCHAR;
  const duckdb::LogicalType rows = duckdb::LogicalType::LIST(duckdb::LogicalType::LIST(text));
  duckdb::ScalarFunctionSet set("omendb_regexp_matches");
  for (const size_t count : {2, 3}) {
    duckdb::ScalarFunction function(set.name, duckdb::vector<duckdb::LogicalType>(count, text),
                                    rows, MatchesList);
    function.null_handling = duckdb::FunctionNullHandling::SPECIAL_HANDLING;
    set.AddFunction(std::move(function));
  }
  registry.Replace(std::move(set));
}

void Register(Registry& registry, const char* name, std::vector<SqlType> arguments, SqlType result,
              int optional,
              Result<Value> (*body)(Arguments args, SessionState& state, Arena& arena)) {
  RegisterRowFunction(registry, {name, std::move(arguments), result, body,
                                 duckdb::FunctionStability::CONSISTENT, true, optional});
}

}  // namespace

void RegisterRegex(Registry& registry) {
  Register(registry, "regexp_match", {kText, kText, kText}, kTexts, 1, RegexpMatch);
  Register(registry, "regexp_like", {kText, kText, kText}, kBool, 1, Matches);
  Register(registry, "omendb_regex_match", {kText, kText, kText}, kBool, 1, Matches);
  Register(registry, "omendb_substring_regex", {kText, kText}, kText, 0, SubstringOf);
  Register(registry, "regexp_split_to_array", {kText, kText, kText}, kTexts, 1, Split);
  Register(registry, "regexp_count", {kText, kText, kInt4, kText}, kInt4, 2, RegexpCount);
  Register(registry, "regexp_instr", {kText, kText, kInt4, kInt4, kInt4, kText, kInt4}, kInt4, 5,
           RegexpInstr);
  Register(registry, "regexp_substr", {kText, kText, kInt4, kInt4, kText, kInt4}, kText, 4,
           RegexpSubstr);
  duckdb::ScalarFunctionSet replace("regexp_replace");
  AddRowFunction(replace, {"regexp_replace",
                           {kText, kText, kText, kText},
                           kText,
                           RegexpReplace,
                           duckdb::FunctionStability::CONSISTENT,
                           true,
                           1});
  AddRowFunction(replace, {"regexp_replace",
                           {kText, kText, kText, kInt4, kInt4, kText},
                           kText,
                           RegexpReplaceFrom,
                           duckdb::FunctionStability::CONSISTENT,
                           true,
                           2});
  registry.Replace(std::move(replace));
  RegisterMatchesList(registry);
}

}  // namespace omendb::duck
