// type.h - the SQL types OmenDB stores and sends, and how each lies in memory.
//
// A value lies in memory exactly as DuckDB's vectors hold it, so that a page column can be handed
// to DuckDB without copying a byte (see DESIGN "Hot pages" in ARCHITECTURE.md):
//
//   type                         bytes  representation
//   boolean                          1  0 or 1
//   smallint, integer, bigint    2/4/8  two's complement
//   real, double precision         4/8  IEEE 754
//   oid, regclass, ...               4  unsigned
//   numeric(p,s)            2/4/8/16    value * 10^s; width by p: <=4, <=9, <=18, <=38
//   numeric                         16  StringSlot holding the encoding of big_numeric.h
//   date                             4  days since 1970-01-01; +-infinity = INT32_MAX / -INT32_MAX
//   time                             8  microseconds since midnight
//   timestamp, timestamptz           8  microseconds since 1970-01-01 UTC; +-infinity = +-INT64_MAX
//   interval                        16  {int32 months, int32 days, int64 microseconds}
//   uuid                            16  big-endian number with the top bit flipped, as int128
//   text, varchar, char, name,
//   bytea, json, jsonb              16  StringSlot: 4-byte size, then 12 bytes inline, or a 4-byte
//                                       prefix and a pointer
//   arrays                          16  StringSlot holding the encoding of array.h
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "base/status.h"

namespace omendb::types {

// Reaches the disk (docs/formats/catalog.md): never renumber.
enum class TypeKind : uint8_t {
  kUnknown = 0,  // An untyped literal or parameter.
  kBool = 1,
  kInt2 = 2,
  kInt4 = 3,
  kInt8 = 4,
  kFloat4 = 5,
  kFloat8 = 6,
  kNumeric = 7,
  kText = 8,
  kVarchar = 9,
  kBpchar = 10,  // char(n), blank-padded
  kBytea = 11,
  kDate = 12,
  kTime = 13,
  kTimestamp = 14,
  kTimestampTz = 15,
  kInterval = 16,
  kUuid = 17,
  kJson = 18,
  kJsonb = 19,
  kOid = 20,
  kName = 21,
  kChar = 22,  // "char", one byte; system catalogs only
  kRegclass = 23,
  kRegtype = 24,
  kRegproc = 25,
  kRegnamespace = 26,
  kVoid = 27,
  kInt2vector = 28,
  kOidvector = 29,
  kRecord = 30,
};
inline constexpr int kTypeKindCount = 31;

// How many bytes a value takes in a page column, and what they are.
enum class PhysicalType : uint8_t {
  kBool8,
  kInt16,
  kInt32,
  kInt64,
  kInt128,
  kFloat32,
  kFloat64,
  kInterval,
  kString,
};

inline constexpr int kNumericPrecisionMax = 38;
// What numeric without precision was before databases of catalog format 3: numeric(38,10), shown
// without trailing zeros. The bit beside the scale tells it from one that was declared so.
inline constexpr int kLegacyNumericScale = 10;
inline constexpr int32_t kLegacyNumericTypmod =
    ((kNumericPrecisionMax << 16) | 0x800 | kLegacyNumericScale) + 4;

// A SQL type with its modifier; typmod as in PostgreSQL (-1 = none; varchar(n) = n + 4;
// numeric(p,s) = ((p << 16) | s) + 4; time(p)/timestamp(p) = p; interval as intervaltypmodin).
struct SqlType {
  TypeKind kind = TypeKind::kUnknown;
  bool is_array = false;  // One dimension; element type is {kind, false, typmod}.
  int32_t typmod = -1;

  friend bool operator==(const SqlType&, const SqlType&) = default;
  SqlType element() const { return {kind, false, typmod}; }
  bool is_string() const;  // text, varchar, char, name: values are UTF-8.
  // Requires: a numeric with precision.
  int numeric_precision() const;
  int numeric_scale() const;
  // numeric without precision (big_numeric.h), not an array of it.
  bool numeric_unconstrained() const {
    return kind == TypeKind::kNumeric && typmod < 0 && !is_array;
  }
  bool numeric_legacy() const {
    return kind == TypeKind::kNumeric && typmod == kLegacyNumericTypmod;
  }
};

SqlType NumericType(int precision, int scale);
SqlType VarcharType(int length);

PhysicalType PhysicalTypeOf(const SqlType& type);
int PhysicalSize(PhysicalType type);  // bytes

// Position of a number type in PostgreSQL's order of implicit conversion; 0 = no number.
int NumberRank(TypeKind kind);

// pg_type.oid of the type (1007 for int4[]); 0 never.
uint32_t TypeOid(const SqlType& type);
// pg_type.typlen: -1 for variable-size types.
int16_t TypeLength(const SqlType& type);
// "integer", "character varying(10)", "integer[]": what format_type() answers.
std::string FormatType(const SqlType& type);
// "int4", "_int4": pg_type.typname.
std::string TypeName(const SqlType& type);
// The type with this pg_type.oid; 42704 when there is none.
Result<SqlType> TypeFromOid(uint32_t oid, int32_t typmod = -1);
// From the last part of a parsed type name ("int4", "integer", "varchar", "timestamptz", "serial"
// is not a type). 42704 "type \"x\" does not exist".
Result<SqlType> TypeFromName(std::string_view name, int32_t typmod = -1, bool is_array = false);

}  // namespace omendb::types
