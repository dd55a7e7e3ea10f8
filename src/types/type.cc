#include "types/type.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "base/check.h"
#include "base/sqlstate.h"

namespace omendb::types {
namespace {

struct TypeEntry {
  TypeKind kind;
  PhysicalType physical;  // Of numeric: without precision.
  uint32_t oid;
  uint32_t array_oid;
  int16_t length;
  const char* name;    // pg_type.typname
  const char* format;  // format_type()
};

// Row i describes the kind with value i.
constexpr std::array<TypeEntry, kTypeKindCount> kTypes{{
    {TypeKind::kUnknown, PhysicalType::kString, 705, 1009, -2, "unknown", "unknown"},
    {TypeKind::kBool, PhysicalType::kBool8, 16, 1000, 1, "bool", "boolean"},
    {TypeKind::kInt2, PhysicalType::kInt16, 21, 1005, 2, "int2", "smallint"},
    {TypeKind::kInt4, PhysicalType::kInt32, 23, 1007, 4, "int4", "integer"},
    {TypeKind::kInt8, PhysicalType::kInt64, 20, 1016, 8, "int8", "bigint"},
    {TypeKind::kFloat4, PhysicalType::kFloat32, 700, 1021, 4, "float4", "real"},
    {TypeKind::kFloat8, PhysicalType::kFloat64, 701, 1022, 8, "float8", "double precision"},
    {TypeKind::kNumeric, PhysicalType::kString, 1700, 1231, -1, "numeric", "numeric"},
    {TypeKind::kText, PhysicalType::kString, 25, 1009, -1, "text", "text"},
    {TypeKind::kVarchar, PhysicalType::kString, 1043, 1015, -1, "varchar", "character varying"},
    {TypeKind::kBpchar, PhysicalType::kString, 1042, 1014, -1, "bpchar", "character"},
    {TypeKind::kBytea, PhysicalType::kString, 17, 1001, -1, "bytea", "bytea"},
    {TypeKind::kDate, PhysicalType::kInt32, 1082, 1182, 4, "date", "date"},
    {TypeKind::kTime, PhysicalType::kInt64, 1083, 1183, 8, "time", "time without time zone"},
    {TypeKind::kTimestamp, PhysicalType::kInt64, 1114, 1115, 8, "timestamp",
     "timestamp without time zone"},
    {TypeKind::kTimestampTz, PhysicalType::kInt64, 1184, 1185, 8, "timestamptz",
     "timestamp with time zone"},
    {TypeKind::kInterval, PhysicalType::kInterval, 1186, 1187, 16, "interval", "interval"},
    {TypeKind::kUuid, PhysicalType::kInt128, 2950, 2951, 16, "uuid", "uuid"},
    {TypeKind::kJson, PhysicalType::kString, 114, 199, -1, "json", "json"},
    {TypeKind::kJsonb, PhysicalType::kString, 3802, 3807, -1, "jsonb", "jsonb"},
    {TypeKind::kOid, PhysicalType::kInt32, 26, 1028, 4, "oid", "oid"},
    {TypeKind::kName, PhysicalType::kString, 19, 1003, 64, "name", "name"},
    {TypeKind::kChar, PhysicalType::kString, 18, 1002, 1, "char", "\"char\""},
    {TypeKind::kRegclass, PhysicalType::kInt32, 2205, 2210, 4, "regclass", "regclass"},
    {TypeKind::kRegtype, PhysicalType::kInt32, 2206, 2211, 4, "regtype", "regtype"},
    {TypeKind::kRegproc, PhysicalType::kInt32, 24, 1008, 4, "regproc", "regproc"},
    {TypeKind::kRegnamespace, PhysicalType::kInt32, 4089, 4090, 4, "regnamespace", "regnamespace"},
    {TypeKind::kVoid, PhysicalType::kString, 2278, 2278, 4, "void", "void"},
    {TypeKind::kInt2vector, PhysicalType::kString, 22, 1006, -1, "int2vector", "int2vector"},
    {TypeKind::kOidvector, PhysicalType::kString, 30, 1013, -1, "oidvector", "oidvector"},
    {TypeKind::kRecord, PhysicalType::kString, 2249, 2287, -1, "record", "record"},
}};

constexpr bool RowsMatchKinds() {
  for (int i = 0; i < kTypeKindCount; ++i) {
    if (static_cast<int>(kTypes[i].kind) != i) return false;
  }
  return true;
}
static_assert(RowsMatchKinds());

struct Alias {
  std::string_view name;
  TypeKind kind;
};

// Spellings that are not pg_type.typname; the grammar turns most of them into it by itself.
constexpr Alias kAliases[] = {
    {"boolean", TypeKind::kBool},
    {"smallint", TypeKind::kInt2},
    {"int", TypeKind::kInt4},
    {"integer", TypeKind::kInt4},
    {"bigint", TypeKind::kInt8},
    {"real", TypeKind::kFloat4},
    {"double precision", TypeKind::kFloat8},
    {"decimal", TypeKind::kNumeric},
    {"dec", TypeKind::kNumeric},
    {"character varying", TypeKind::kVarchar},
    {"character", TypeKind::kBpchar},
    {"time without time zone", TypeKind::kTime},
    {"timestamp without time zone", TypeKind::kTimestamp},
    {"timestamp with time zone", TypeKind::kTimestampTz},
    // Of psql's and drivers' catalog queries.
    {"cstring", TypeKind::kText},
    {"regprocedure", TypeKind::kRegproc},
};

// Types of PostgreSQL 15 that OmenDB knows it does not have.
constexpr std::string_view kUnsupported[] = {
    "timetz",
    "money",
    "inet",
    "cidr",
    "macaddr",
    "macaddr8",
    "xml",
    "point",
    "line",
    "lseg",
    "box",
    "path",
    "polygon",
    "circle",
    "bit",
    "varbit",
    "tsvector",
    "tsquery",
    "int4range",
    "int8range",
    "numrange",
    "tsrange",
    "tstzrange",
    "daterange",
    "jsonpath",
    "pg_lsn",
    "xid",
    "xid8",
    "cid",
    "tid",
    "regoper",
    "regrole",
    "regconfig",
    "regdictionary",
    "regcollation",
    "time with time zone",
    "regoperator",
    "txid_snapshot",
    "pg_snapshot",
    "int4multirange",
    "int8multirange",
    "nummultirange",
    "tsmultirange",
    "tstzmultirange",
    "datemultirange",
};

const TypeEntry& EntryOf(TypeKind kind) {
  auto index = static_cast<size_t>(kind);
  OMEN_CHECK(index < kTypes.size());
  return kTypes[index];
}

constexpr int32_t kModifierHeader = 4;  // VARHDRSZ: part of the modifiers of varchar and numeric.

// The fields of an interval modifier, PostgreSQL's INTERVAL_MASK(field).
constexpr int32_t kMonthField = 1 << 1, kYearField = 1 << 2, kDayField = 1 << 3,
                  kHourField = 1 << 10, kMinuteField = 1 << 11, kSecondField = 1 << 12,
                  kFullRange = 0x7FFF, kFullPrecision = 0xFFFF;

std::string FormatIntervalModifier(int32_t typmod) {
  int32_t range = (typmod >> 16) & kFullRange;
  int32_t precision = typmod & kFullPrecision;
  std::string out;
  switch (range) {
    case kYearField:
      out = " year";
      break;
    case kMonthField:
      out = " month";
      break;
    case kDayField:
      out = " day";
      break;
    case kHourField:
      out = " hour";
      break;
    case kMinuteField:
      out = " minute";
      break;
    case kSecondField:
      out = " second";
      break;
    case kYearField | kMonthField:
      out = " year to month";
      break;
    case kDayField | kHourField:
      out = " day to hour";
      break;
    case kDayField | kHourField | kMinuteField:
      out = " day to minute";
      break;
    case kDayField | kHourField | kMinuteField | kSecondField:
      out = " day to second";
      break;
    case kHourField | kMinuteField:
      out = " hour to minute";
      break;
    case kHourField | kMinuteField | kSecondField:
      out = " hour to second";
      break;
    case kMinuteField | kSecondField:
      out = " minute to second";
      break;
    default:
      break;
  }
  if (precision != kFullPrecision) out += "(" + std::to_string(precision) + ")";
  return out;
}

std::string FormatScalar(const SqlType& type) {
  const TypeEntry& entry = EntryOf(type.kind);
  if (type.typmod < 0) return entry.format;
  std::string typmod = "(" + std::to_string(type.typmod) + ")";
  switch (type.kind) {
    case TypeKind::kVarchar:
    case TypeKind::kBpchar:
      return entry.format + ("(" + std::to_string(type.typmod - kModifierHeader) + ")");
    case TypeKind::kNumeric:
      if (type.numeric_legacy()) return entry.format;
      return "numeric(" + std::to_string(type.numeric_precision()) + "," +
             std::to_string(type.numeric_scale()) + ")";
    case TypeKind::kTime:
      return "time" + typmod + " without time zone";
    case TypeKind::kTimestamp:
      return "timestamp" + typmod + " without time zone";
    case TypeKind::kTimestampTz:
      return "timestamp" + typmod + " with time zone";
    case TypeKind::kInterval:
      return "interval" + FormatIntervalModifier(type.typmod);
    default:
      return entry.format;
  }
}

const TypeEntry* FindByName(std::string_view name) {
  for (const TypeEntry& entry : kTypes) {
    if (name == entry.name) return &entry;
  }
  for (const Alias& alias : kAliases) {
    if (name == alias.name) return &EntryOf(alias.kind);
  }
  return nullptr;
}

}  // namespace

bool SqlType::is_string() const {
  if (is_array) return false;
  return kind == TypeKind::kText || kind == TypeKind::kVarchar || kind == TypeKind::kBpchar ||
         kind == TypeKind::kName || kind == TypeKind::kChar;
}

int SqlType::numeric_precision() const {
  return typmod < kModifierHeader ? kNumericPrecisionMax
                                  : ((typmod - kModifierHeader) >> 16) & 0xFFFF;
}

int SqlType::numeric_scale() const {
  return typmod < kModifierHeader ? 0 : (typmod - kModifierHeader) & 0x7FF;
}

SqlType NumericType(int precision, int scale) {
  return {TypeKind::kNumeric, false, ((precision << 16) | scale) + kModifierHeader};
}

SqlType VarcharType(int length) { return {TypeKind::kVarchar, false, length + kModifierHeader}; }

PhysicalType PhysicalTypeOf(const SqlType& type) {
  if (type.is_array) return PhysicalType::kString;
  if (type.kind != TypeKind::kNumeric || type.typmod < 0) return EntryOf(type.kind).physical;
  int precision = type.numeric_precision();
  if (precision <= 4) return PhysicalType::kInt16;
  if (precision <= 9) return PhysicalType::kInt32;
  if (precision <= 18) return PhysicalType::kInt64;
  return PhysicalType::kInt128;
}

int PhysicalSize(PhysicalType type) {
  switch (type) {
    case PhysicalType::kBool8:
      return 1;
    case PhysicalType::kInt16:
      return 2;
    case PhysicalType::kInt32:
    case PhysicalType::kFloat32:
      return 4;
    case PhysicalType::kInt64:
    case PhysicalType::kFloat64:
      return 8;
    case PhysicalType::kInt128:
    case PhysicalType::kInterval:
    case PhysicalType::kString:
      return 16;
  }
  OMEN_CHECK(false);
  return 0;
}

int NumberRank(TypeKind kind) {
  switch (kind) {
    case TypeKind::kInt2:
      return 1;
    case TypeKind::kInt4:
      return 2;
    case TypeKind::kInt8:
      return 3;
    case TypeKind::kNumeric:
      return 4;
    case TypeKind::kFloat4:
      return 5;
    case TypeKind::kFloat8:
      return 6;
    default:
      return 0;
  }
}

uint32_t TypeOid(const SqlType& type) {
  const TypeEntry& entry = EntryOf(type.kind);
  return type.is_array ? entry.array_oid : entry.oid;
}

int16_t TypeLength(const SqlType& type) {
  return type.is_array ? int16_t{-1} : EntryOf(type.kind).length;
}

std::string FormatType(const SqlType& type) {
  return FormatScalar(type) + (type.is_array ? "[]" : "");
}

std::string TypeName(const SqlType& type) {
  return (type.is_array ? "_" : "") + std::string(EntryOf(type.kind).name);
}

Result<SqlType> TypeFromOid(uint32_t oid, int32_t typmod) {
  for (const TypeEntry& entry : kTypes) {
    if (entry.oid == oid) return SqlType{entry.kind, false, typmod};
  }
  for (const TypeEntry& entry : kTypes) {
    bool has_array = entry.kind != TypeKind::kUnknown && entry.kind != TypeKind::kVoid;
    if (has_array && entry.array_oid == oid) return SqlType{entry.kind, true, typmod};
  }
  return Status(sqlstate::kUndefinedObject,
                "type with OID " + std::to_string(oid) + " does not exist");
}

Result<SqlType> TypeFromName(std::string_view name, int32_t typmod, bool is_array) {
  std::string_view base = name;
  if (base.size() > 1 && base.front() == '_' && FindByName(base.substr(1)) != nullptr) {
    base.remove_prefix(1);
    is_array = true;
  }
  if (const TypeEntry* entry = FindByName(base)) return SqlType{entry->kind, is_array, typmod};
  std::string quoted = "type \"" + std::string(name) + "\"";
  if (std::find(std::begin(kUnsupported), std::end(kUnsupported), base) != std::end(kUnsupported)) {
    return NotSupported(quoted);
  }
  return Status(sqlstate::kUndefinedObject, quoted + " does not exist");
}

}  // namespace omendb::types
