#include "duck/functions/byte_functions.h"

#include <openssl/evp.h>

#include <algorithm>
#include <bit>

#include "base/sqlstate.h"
#include "duck/functions/row_function.h"
#include "types/text_io.h"

namespace omendb::duck {

namespace {

using types::Arena;
using types::SqlType;
using types::TypeKind;
using types::Value;
using Arguments = std::span<const Value>;
using Body = Result<Value> (*)(Arguments args, SessionState& state, Arena& arena);

constexpr SqlType kText{TypeKind::kText};
constexpr SqlType kBytea{TypeKind::kBytea};
constexpr SqlType kInt4{TypeKind::kInt4};
constexpr SqlType kInt8{TypeKind::kInt8};

Value Own(Arena& arena, std::string_view bytes) { return Value::String(arena.Copy(bytes)); }

Result<Value> Digest(const EVP_MD* algorithm, std::string_view bytes, Arena& arena) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  if (EVP_Digest(bytes.data(), bytes.size(), digest, &size, algorithm, nullptr) != 1) {
    return Status(sqlstate::kInternalError, "could not compute a digest");
  }
  return Own(arena, {reinterpret_cast<const char*>(digest), size});
}

Status IndexError(int64_t index, int64_t size) {
  return Status(SqlState("2202E"), "index " + std::to_string(index) + " out of valid range, 0.." +
                                       std::to_string(size - 1));
}

Result<Value> GetByte(Arguments args, SessionState&, Arena&) {
  const std::string_view bytes = args[0].str();
  const int64_t index = args[1].i32;
  if (index < 0 || index >= static_cast<int64_t>(bytes.size())) {
    return IndexError(index, static_cast<int64_t>(bytes.size()));
  }
  return Value::Int32(static_cast<unsigned char>(bytes[static_cast<size_t>(index)]));
}

Result<Value> SetByte(Arguments args, SessionState&, Arena& arena) {
  std::string bytes(args[0].str());
  const int64_t index = args[1].i32;
  if (index < 0 || index >= static_cast<int64_t>(bytes.size())) {
    return IndexError(index, static_cast<int64_t>(bytes.size()));
  }
  bytes[static_cast<size_t>(index)] = static_cast<char>(args[2].i32);
  return Own(arena, bytes);
}

Result<Value> GetBit(Arguments args, SessionState&, Arena&) {
  const std::string_view bytes = args[0].str();
  const int64_t index = args[1].i64;
  const int64_t bits = static_cast<int64_t>(bytes.size()) * 8;
  if (index < 0 || index >= bits) return IndexError(index, bits);
  return Value::Int32(bytes[static_cast<size_t>(index / 8)] >> (index % 8) & 1);
}

Result<Value> SetBit(Arguments args, SessionState&, Arena& arena) {
  std::string bytes(args[0].str());
  const int64_t index = args[1].i64;
  const int64_t bits = static_cast<int64_t>(bytes.size()) * 8;
  if (index < 0 || index >= bits) return IndexError(index, bits);
  if (args[2].i32 != 0 && args[2].i32 != 1) {
    return Status(sqlstate::kInvalidParameterValue, "new bit must be 0 or 1");
  }
  char& byte = bytes[static_cast<size_t>(index / 8)];
  const int mask = 1 << (index % 8);
  byte = static_cast<char>(args[2].i32 == 1 ? byte | mask : byte & ~mask);
  return Own(arena, bytes);
}

Result<Value> Substring(Arguments args, SessionState&, Arena&) {
  const std::string_view bytes = args[0].str();
  const int64_t length = args.size() > 2 ? args[2].i32 : INT32_MAX;
  if (length < 0) return Status(SqlState("22011"), "negative substring length not allowed");
  const int64_t end = int64_t{args[1].i32} + length;
  const int64_t start = std::max(args[1].i32, 1);
  if (end <= start || start > static_cast<int64_t>(bytes.size())) return Value::String("");
  return Value::String(
      bytes.substr(static_cast<size_t>(start - 1), static_cast<size_t>(end - start)));
}

Result<Value> Position(Arguments args, SessionState&, Arena&) {
  const size_t found = args[0].str().find(args[1].str());
  return Value::Int32(found == std::string_view::npos ? 0 : static_cast<int32_t>(found) + 1);
}

Result<Value> Overlay(Arguments args, SessionState&, Arena& arena) {
  const std::string_view bytes = args[0].str();
  const int64_t start = args[2].i32;
  const int64_t count = args.size() > 3 ? args[3].i32 : static_cast<int64_t>(args[1].str().size());
  if (start <= 0) return Status(SqlState("22011"), "negative substring length not allowed");
  std::string out(bytes.substr(0, static_cast<size_t>(start - 1)));
  out += args[1].str();
  const auto skipped = static_cast<size_t>(std::max<int64_t>(start - 1 + count, 0));
  if (skipped < bytes.size()) out += bytes.substr(skipped);
  return Own(arena, out);
}

// btrim, ltrim and rtrim of bytes.
std::string_view Trimmed(std::string_view bytes, std::string_view set, bool left, bool right) {
  while (left && !bytes.empty() && set.find(bytes.front()) != std::string_view::npos) {
    bytes.remove_prefix(1);
  }
  while (right && !bytes.empty() && set.find(bytes.back()) != std::string_view::npos) {
    bytes.remove_suffix(1);
  }
  return bytes;
}

// UTF8 is the only encoding there is.
Status CheckEncoding(std::string_view name) {
  std::string lower;
  for (const char c : name) {
    if (c != '-' && c != '_') {
      lower += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    }
  }
  if (lower == "utf8" || lower == "unicode" || lower == "sqlascii") return Status::Ok();
  return NotSupported("encoding \"" + std::string(name) + "\"");
}

Result<Value> ConvertFrom(Arguments args, SessionState&, Arena&) {
  OMEN_TRY(CheckEncoding(args[1].str()));
  OMEN_TRY(types::ValidateUtf8(args[0].str()));
  return args[0];
}
Result<Value> ConvertTo(Arguments args, SessionState&, Arena&) {
  OMEN_TRY(CheckEncoding(args[1].str()));
  return args[0];
}

Result<Value> BitCount(Arguments args, SessionState&, Arena&) {
  int64_t count = 0;
  for (const char c : args[0].str()) count += std::popcount(static_cast<unsigned char>(c));
  return Value::Int64(count);
}

// An overload for bytea beside those there are.
void Overload(Registry& registry, const char* name, std::vector<SqlType> arguments, SqlType result,
              Body body, int optional = 0) {
  duckdb::ScalarFunctionSet set = registry.Existing(name);
  AddRowFunction(set, {name, std::move(arguments), result, body,
                       duckdb::FunctionStability::CONSISTENT, true, optional});
  registry.Replace(std::move(set));
}

void RegisterTrims(Registry& registry) {
  struct Trim {
    const char* name;
    bool left, right;
  };
  for (const Trim trim :
       {Trim{"trim", true, true}, Trim{"ltrim", true, false}, Trim{"rtrim", false, true}}) {
    duckdb::ScalarFunctionSet set = registry.Existing(trim.name);
    AddRowFunction(
        set, {trim.name,
              {kBytea, kBytea},
              kBytea,
              [trim](Arguments args, SessionState&, Arena&) -> Result<Value> {
                return Value::String(Trimmed(args[0].str(), args[1].str(), trim.left, trim.right));
              }});
    registry.Replace(std::move(set));
  }
}

void RegisterDigests(Registry& registry) {
  const std::pair<const char*, const EVP_MD* (*)()> digests[] = {{"sha224", EVP_sha224},
                                                                 {"sha256", EVP_sha256},
                                                                 {"sha384", EVP_sha384},
                                                                 {"sha512", EVP_sha512}};
  for (const auto& [name, algorithm] : digests) {
    RegisterRowFunction(registry,
                        {name,
                         {kBytea},
                         kBytea,
                         [algorithm = algorithm](Arguments args, SessionState&, Arena& arena) {
                           return Digest(algorithm(), args[0].str(), arena);
                         }});
  }
}

}  // namespace

void RegisterByteFunctions(Registry& registry) {
  const Body length = [](Arguments args, SessionState&, Arena&) -> Result<Value> {
    return Value::Int32(static_cast<int32_t>(args[0].str().size()));
  };
  const Body bits = [](Arguments args, SessionState&, Arena&) -> Result<Value> {
    return Value::Int32(static_cast<int32_t>(args[0].str().size()) * 8);
  };
  Overload(registry, "length", {kBytea}, kInt4, length);
  for (const SqlType& type : {kText, kBytea}) {
    duckdb::ScalarFunctionSet octets = type == kText ? duckdb::ScalarFunctionSet("octet_length")
                                                     : registry.Existing("octet_length");
    duckdb::ScalarFunctionSet bit_length =
        type == kText ? duckdb::ScalarFunctionSet("bit_length") : registry.Existing("bit_length");
    AddRowFunction(octets, {"octet_length", {type}, kInt4, length});
    AddRowFunction(bit_length, {"bit_length", {type}, kInt4, bits});
    registry.Replace(std::move(octets));
    registry.Replace(std::move(bit_length));
  }
  Overload(registry, "substring", {kBytea, kInt4, kInt4}, kBytea, Substring, 1);
  Overload(registry, "substr", {kBytea, kInt4, kInt4}, kBytea, Substring, 1);
  Overload(registry, "strpos", {kBytea, kBytea}, kInt4, Position);
  Overload(registry, "overlay", {kBytea, kBytea, kInt4, kInt4}, kBytea, Overlay, 1);
  Overload(registry, "bit_count", {kBytea}, kInt8, BitCount);
  RegisterRowFunction(registry, {"get_byte", {kBytea, kInt4}, kInt4, GetByte});
  RegisterRowFunction(registry, {"set_byte", {kBytea, kInt4, kInt4}, kBytea, SetByte});
  RegisterRowFunction(registry, {"get_bit", {kBytea, kInt8}, kInt4, GetBit});
  RegisterRowFunction(registry, {"set_bit", {kBytea, kInt8, kInt4}, kBytea, SetBit});
  RegisterRowFunction(registry, {"convert_from", {kBytea, kText}, kText, ConvertFrom});
  RegisterRowFunction(registry, {"convert_to", {kText, kText}, kBytea, ConvertTo});
  RegisterTrims(registry);
  RegisterDigests(registry);
}

}  // namespace omendb::duck
