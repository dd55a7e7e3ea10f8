#include "duck/functions/array_functions.h"

#include "base/sqlstate.h"
#include "duck/functions/array_types.h"
#include "types/array.h"

namespace omendb::duck {

namespace {

using types::Arena;
using types::ArrayBuilder;
using types::ArrayReader;
using types::SqlType;
using types::TypeKind;
using types::Value;
using Arguments = std::span<const Value>;
using Given = std::vector<SqlType>;
using MaybeSignature = std::optional<AnySignature>;

constexpr SqlType kInt4{TypeKind::kInt4};
constexpr SqlType kInt4s{TypeKind::kInt4, true};
constexpr SqlType kText{TypeKind::kText};

Value At(const ArrayReader& reader, uint32_t i) {
  return reader.IsNull(i) ? Value::Null() : reader.At(i);
}

// IS NOT DISTINCT FROM.
bool Same(const SqlType& element, const Value& a, const Value& b) {
  if (a.is_null || b.is_null) return a.is_null && b.is_null;
  return types::Compare(element, a, b) == 0;
}

void AppendAll(const SqlType& element, const Value& array, ArrayBuilder& out) {
  if (array.is_null) return;
  const ArrayReader reader(element, array.str());
  for (uint32_t i = 0; i < reader.size(); ++i) out.Append(At(reader, i));
}

// ---- || and its functions -----------------------------------------------------------------------

MaybeSignature ResolveConcat(const Given& given) {
  // An untyped operand beside an array is an array, too.
  const bool left = given[0].is_array || given[0].kind == TypeKind::kUnknown;
  const bool right = given[1].is_array || given[1].kind == TypeKind::kUnknown;
  const auto element = CommonElement(given);
  if (!element) return std::nullopt;
  return AnySignature{{left ? ArrayOf(*element) : *element, right ? ArrayOf(*element) : *element},
                      ArrayOf(*element)};
}

Result<Value> Concat(Arguments args, const AnySignature& signature, SessionState&, Arena& arena) {
  const SqlType element = signature.result.element();
  const bool arrays = signature.arguments[0].is_array && signature.arguments[1].is_array;
  if (arrays && args[0].is_null && args[1].is_null) return Value::Null();
  ArrayBuilder builder(element);
  for (size_t i = 0; i < 2; ++i) {
    if (signature.arguments[i].is_array) {
      AppendAll(element, args[i], builder);
    } else {
      builder.Append(args[i]);
    }
  }
  return builder.Finish(arena);
}

AnyFunction Joining(const char* name, bool left_array, bool right_array) {
  AnyFunction function{name, 2, 2, nullptr, Concat, false};
  function.resolve = [left_array, right_array](const Given& given) -> MaybeSignature {
    const auto element = CommonElement(given);
    if (!element || (given[0].is_array && !left_array) || (given[1].is_array && !right_array)) {
      return std::nullopt;
    }
    return AnySignature{
        {left_array ? ArrayOf(*element) : *element, right_array ? ArrayOf(*element) : *element},
        ArrayOf(*element)};
  };
  return function;
}

// ---- An array and elements to look for ----------------------------------------------------------

// f(anyarray, anyelement, ..., ints); `elements` of the arguments behind the array are elements.
auto ArrayAndElements(size_t elements, std::optional<SqlType> result) {
  return [elements, result](const Given& given) -> MaybeSignature {
    if (!given[0].is_array && given[0].kind != TypeKind::kUnknown) return std::nullopt;
    const auto element = CommonElement(
        Given(given.begin(), given.begin() + static_cast<std::ptrdiff_t>(1 + elements)));
    if (!element) return std::nullopt;
    AnySignature signature{{ArrayOf(*element)}, result ? *result : ArrayOf(*element)};
    for (size_t i = 1; i < given.size(); ++i) {
      signature.arguments.push_back(i <= elements ? *element : kInt4);
    }
    return signature;
  };
}

Result<Value> Remove(Arguments args, const AnySignature& signature, SessionState&, Arena& arena) {
  if (args[0].is_null) return Value::Null();
  const SqlType element = signature.result.element();
  const ArrayReader reader(element, args[0].str());
  ArrayBuilder builder(element);
  for (uint32_t i = 0; i < reader.size(); ++i) {
    if (!Same(element, At(reader, i), args[1])) builder.Append(At(reader, i));
  }
  return builder.Finish(arena);
}

Result<Value> Replace(Arguments args, const AnySignature& signature, SessionState&, Arena& arena) {
  if (args[0].is_null) return Value::Null();
  const SqlType element = signature.result.element();
  const ArrayReader reader(element, args[0].str());
  ArrayBuilder builder(element);
  for (uint32_t i = 0; i < reader.size(); ++i) {
    builder.Append(Same(element, At(reader, i), args[1]) ? args[2] : At(reader, i));
  }
  return builder.Finish(arena);
}

Result<Value> Position(Arguments args, const AnySignature& signature, SessionState&, Arena&) {
  if (args[0].is_null) return Value::Null();
  const SqlType element = signature.arguments[1];
  if (args.size() > 2 && args[2].is_null) {
    return Status(sqlstate::kNullValueNotAllowed, "initial position must not be null");
  }
  const int32_t start = args.size() > 2 ? std::max(args[2].i32, 1) : 1;
  const ArrayReader reader(element, args[0].str());
  for (auto i = static_cast<uint32_t>(start - 1); i < reader.size(); ++i) {
    if (Same(element, At(reader, i), args[1])) return Value::Int32(static_cast<int32_t>(i) + 1);
  }
  return Value::Null();
}

Result<Value> Positions(Arguments args, const AnySignature& signature, SessionState&,
                        Arena& arena) {
  if (args[0].is_null) return Value::Null();
  const SqlType element = signature.arguments[1];
  const ArrayReader reader(element, args[0].str());
  ArrayBuilder builder(kInt4);
  for (uint32_t i = 0; i < reader.size(); ++i) {
    if (Same(element, At(reader, i), args[1]))
      builder.Append(Value::Int32(static_cast<int>(i) + 1));
  }
  return builder.Finish(arena);
}

// ---- Dimensions ---------------------------------------------------------------------------------

using SizeBody = Result<Value> (*)(uint32_t size, Arguments args, Arena& arena);

void RegisterSize(Registry& registry, const char* name, size_t arguments, SqlType result,
                  SizeBody body) {
  AnyFunction function{name, arguments, arguments, nullptr, nullptr};
  function.resolve = [result](const Given& given) -> MaybeSignature {
    if (!given[0].is_array) return std::nullopt;
    AnySignature signature{{given[0]}, result};
    if (given.size() > 1) signature.arguments.push_back(kInt4);
    return signature;
  };
  function.body = [body](Arguments args, const AnySignature& signature, SessionState&,
                         Arena& arena) {
    return body(ArrayReader(signature.arguments[0].element(), args[0].str()).size(), args, arena);
  };
  RegisterAnyFunction(registry, function);
}

void RegisterSizes(Registry& registry) {
  const SizeBody length = [](uint32_t size, Arguments args, Arena&) -> Result<Value> {
    if (size == 0 || args[1].i32 != 1) return Value::Null();
    return Value::Int32(static_cast<int32_t>(size));
  };
  RegisterSize(registry, "array_length", 2, kInt4, length);
  RegisterSize(registry, "array_upper", 2, kInt4, length);
  RegisterSize(registry, "array_lower", 2, kInt4,
               [](uint32_t size, Arguments args, Arena&) -> Result<Value> {
                 return size == 0 || args[1].i32 != 1 ? Value::Null() : Value::Int32(1);
               });
  RegisterSize(registry, "cardinality", 1, kInt4, [](uint32_t size, Arguments, Arena&) {
    return Result<Value>(Value::Int32(static_cast<int32_t>(size)));
  });
  RegisterSize(registry, "array_ndims", 1, kInt4,
               [](uint32_t size, Arguments, Arena&) -> Result<Value> {
                 return size == 0 ? Value::Null() : Value::Int32(1);
               });
  RegisterSize(registry, "array_dims", 1, kText,
               [](uint32_t size, Arguments, Arena& arena) -> Result<Value> {
                 if (size == 0) return Value::Null();
                 return Value::String(arena.Copy("[1:" + std::to_string(size) + "]"));
               });
  RegisterSize(registry, "omendb_subscripts", 2, kInt4s,
               [](uint32_t size, Arguments args, Arena& arena) -> Result<Value> {
                 ArrayBuilder builder(kInt4);
                 for (uint32_t i = 1; i <= size && args[1].i32 == 1; ++i) {
                   builder.Append(Value::Int32(static_cast<int32_t>(i)));
                 }
                 return builder.Finish(arena);
               });
}

// ---- Whole arrays -------------------------------------------------------------------------------

Result<Value> Fill(Arguments args, const AnySignature& signature, SessionState&, Arena& arena) {
  if (args[1].is_null) {
    return Status(sqlstate::kNullValueNotAllowed,
                  "dimension array or low bound array cannot be null");
  }
  const ArrayReader dimensions(kInt4, args[1].str());
  if (dimensions.size() > 1) return NotSupported("an array of several dimensions");
  ArrayBuilder builder(signature.arguments[0]);
  const int32_t size = dimensions.size() == 0 ? 0 : dimensions.At(0).i32;
  for (int32_t i = 0; i < size; ++i) builder.Append(args[0]);
  return builder.Finish(arena);
}

MaybeSignature ResolveFill(const Given& given) {
  if (given[0].is_array || given[0].kind == TypeKind::kUnknown) return std::nullopt;
  return AnySignature{{given[0], kInt4s}, ArrayOf(given[0])};
}

Result<Value> Trim(Arguments args, const AnySignature& signature, SessionState&, Arena& arena) {
  const SqlType element = signature.result.element();
  const ArrayReader reader(element, args[0].str());
  if (args[1].i32 < 0 || static_cast<uint32_t>(args[1].i32) > reader.size()) {
    return Status(SqlState("2202E"), "number of elements to trim must be between 0 and " +
                                         std::to_string(reader.size()));
  }
  ArrayBuilder builder(element);
  for (uint32_t i = 0; i + static_cast<uint32_t>(args[1].i32) < reader.size(); ++i) {
    builder.Append(At(reader, i));
  }
  return builder.Finish(arena);
}

MaybeSignature ResolveTrim(const Given& given) {
  if (!given[0].is_array) return std::nullopt;
  return AnySignature{{given[0], kInt4}, given[0]};
}

// array_to_string(array, separator [, text for NULL])
Result<Value> ToString(Arguments args, const AnySignature& signature, SessionState& state,
                       Arena& arena) {
  if (args[0].is_null || args[1].is_null) return Value::Null();
  const SqlType element = signature.arguments[0].element();
  const ArrayReader reader(element, args[0].str());
  const bool shows_nulls = args.size() > 2 && !args[2].is_null;
  std::string out;
  bool first = true;
  for (uint32_t i = 0; i < reader.size(); ++i) {
    if (reader.IsNull(i) && !shows_nulls) continue;
    if (!first) out += args[1].str();
    first = false;
    if (reader.IsNull(i)) {
      out += args[2].str();
    } else {
      types::FormatText(element, reader.At(i), state.io_settings(), out);
    }
  }
  return Value::String(arena.Copy(out));
}

MaybeSignature ResolveToString(const Given& given) {
  if (!given[0].is_array) return std::nullopt;
  AnySignature signature{std::vector<SqlType>(given.size(), kText), kText};
  signature.arguments[0] = given[0];
  return signature;
}

// width_bucket(operand, thresholds): how many thresholds are not above the operand.
Result<Value> BucketOf(Arguments args, const AnySignature& signature, SessionState&, Arena&) {
  const ArrayReader reader(signature.arguments[0], args[1].str());
  uint32_t low = 0;
  uint32_t high = reader.size();
  while (low < high) {
    const uint32_t middle = (low + high) / 2;
    if (reader.IsNull(middle)) {
      return Status(sqlstate::kNullValueNotAllowed, "thresholds array must not contain NULLs");
    }
    if (types::Compare(signature.arguments[0], args[0], reader.At(middle)) < 0) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return Value::Int32(static_cast<int32_t>(low));
}

MaybeSignature ResolveBucket(const Given& given) {
  if (!given[1].is_array) return std::nullopt;
  const auto element = CommonElement(given);
  if (!element) return std::nullopt;
  return AnySignature{{*element, ArrayOf(*element)}, kInt4};
}

// x = ANY (array): NULL when nothing is equal and something is NULL.
Result<Value> EqualsAny(Arguments args, const AnySignature& signature, SessionState&, Arena&) {
  if (args[1].is_null) return Value::Null();
  const SqlType& element = signature.arguments[0];
  const ArrayReader reader(element, args[1].str());
  if (reader.size() == 0) return Value::Bool(false);
  if (args[0].is_null) return Value::Null();
  bool unknown = false;
  for (uint32_t i = 0; i < reader.size(); ++i) {
    if (reader.IsNull(i)) {
      unknown = true;
    } else if (types::Compare(element, args[0], reader.At(i)) == 0) {
      return Value::Bool(true);
    }
  }
  return unknown ? Value::Null() : Value::Bool(false);
}

MaybeSignature ResolveEqualsAny(const Given& given) {
  if (!given[1].is_array) return std::nullopt;
  const auto element = CommonElement(given);
  if (!element) return std::nullopt;
  return AnySignature{{*element, ArrayOf(*element)}, {TypeKind::kBool}};
}

// information_schema._pg_expandarray(array): a row of each element and its number, x and n.
void ExpandArray(duckdb::DataChunk& args, duckdb::ExpressionState&, duckdb::Vector& result) {
  duckdb::UnifiedVectorFormat format;
  args.data[0].ToUnifiedFormat(args.size(), format);
  auto& elements = duckdb::ListVector::GetEntry(args.data[0]);
  duckdb::UnifiedVectorFormat element_format;
  elements.ToUnifiedFormat(duckdb::ListVector::GetListSize(args.data[0]), element_format);
  const auto* entries = duckdb::UnifiedVectorFormat::GetData<duckdb::list_entry_t>(format);
  const auto* values = duckdb::UnifiedVectorFormat::GetData<int32_t>(element_format);
  result.SetVectorType(duckdb::VectorType::FLAT_VECTOR);
  auto* lists = duckdb::FlatVector::GetData<duckdb::list_entry_t>(result);
  duckdb::idx_t size = 0;
  for (duckdb::idx_t row = 0; row < args.size(); ++row) {
    const auto cell = format.sel->get_index(row);
    const bool valid = format.validity.RowIsValid(cell);
    const duckdb::list_entry_t entry = valid ? entries[cell] : duckdb::list_entry_t(0, 0);
    duckdb::ListVector::Reserve(result, size + entry.length);
    auto& fields = duckdb::StructVector::GetEntries(duckdb::ListVector::GetEntry(result));
    for (duckdb::idx_t i = 0; i < entry.length; ++i) {
      duckdb::FlatVector::GetData<int32_t>(*fields[0])[size + i] =
          values[element_format.sel->get_index(entry.offset + i)];
      duckdb::FlatVector::GetData<int32_t>(*fields[1])[size + i] = static_cast<int32_t>(i) + 1;
    }
    lists[row] = {size, entry.length};
    size += entry.length;
  }
  duckdb::ListVector::SetListSize(result, size);
}

}  // namespace

const AnyFunction& ArrayConcat() {
  static const AnyFunction kConcat{"||", 2, 2, ResolveConcat, Concat, false};
  return kConcat;
}

void RegisterArrays(Registry& registry) {
  RegisterSizes(registry);
  RegisterAnyFunction(registry, Joining("array_append", true, false));
  RegisterAnyFunction(registry, Joining("array_prepend", false, true));
  RegisterAnyFunction(registry, Joining("array_cat", true, true));
  RegisterAnyFunction(registry,
                      {"array_remove", 2, 2, ArrayAndElements(1, std::nullopt), Remove, false});
  RegisterAnyFunction(registry,
                      {"array_replace", 3, 3, ArrayAndElements(2, std::nullopt), Replace, false});
  RegisterAnyFunction(registry,
                      {"array_position", 2, 3, ArrayAndElements(1, kInt4), Position, false});
  RegisterAnyFunction(registry,
                      {"array_positions", 2, 2, ArrayAndElements(1, kInt4s), Positions, false});
  RegisterAnyFunction(registry, {"array_fill", 2, 2, ResolveFill, Fill, false});
  RegisterAnyFunction(registry, {"trim_array", 2, 2, ResolveTrim, Trim});
  RegisterAnyFunction(registry, {"array_to_string", 2, 3, ResolveToString, ToString, false,
                                 duckdb::FunctionStability::CONSISTENT_WITHIN_QUERY});
  RegisterAnyFunction(registry, {"omendb_bucket_of", 2, 2, ResolveBucket, BucketOf});
  RegisterAnyFunction(registry, {"omendb_equals_any", 2, 2, ResolveEqualsAny, EqualsAny, false});
  const duckdb::LogicalType integer = duckdb::LogicalType::INTEGER;
  duckdb::ScalarFunction expand(
      "omendb_expand_array", {duckdb::LogicalType::LIST(integer)},
      duckdb::LogicalType::LIST(duckdb::LogicalType::STRUCT({{"x", integer}, {"n", integer}})),
      ExpandArray);
  expand.null_handling = duckdb::FunctionNullHandling::SPECIAL_HANDLING;
  registry.Replace(std::move(expand));
}

}  // namespace omendb::duck
