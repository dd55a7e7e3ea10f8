// logical_types.h - OmenDB's SQL types and values as DuckDB's, and back.
//
// Values lie in memory alike on both sides (types/type.h); only arrays differ: an encoded blob
// here, a LIST there. varchar(n), name and "char" are VARCHAR inside DuckDB; the exact type of a
// result column comes from the table column it is read from. char(n) is a VARCHAR of its own that
// has no trailing blanks inside DuckDB: so it compares, groups and joins as it should without a
// cast. It gets them back on the way out.
//
// Thread safety  Pure functions.
#pragma once

#include <optional>

#include "duckdb.hpp"
#include "types/array.h"
#include "types/type.h"
#include "types/value.h"

namespace omendb::duck {

// Aliases of types that DuckDB has no id for.
inline constexpr const char* kNumericAlias = "NUMERIC";
inline constexpr const char* kJsonbAlias = "JSONB";
inline constexpr const char* kBpcharAlias = "BPCHAR";
inline constexpr const char* kRegclassAlias = "REGCLASS";
inline constexpr const char* kRegtypeAlias = "REGTYPE";
inline constexpr const char* kRegprocAlias = "REGPROC";
inline constexpr const char* kRegnamespaceAlias = "REGNAMESPACE";

duckdb::LogicalType JsonbType();
// char(n) has this and its length as modifier.
inline constexpr int32_t kCharModifierHeader = 4;
// char(n) with PostgreSQL's modifier. Types that differ in the length only are equal to DuckDB,
// which leaves their values as they are.
duckdb::LogicalType BpcharType(int32_t typmod);
bool IsBpchar(const duckdb::LogicalType& type);
// numeric without precision: a BLOB of the encoding in types/big_numeric.h. It compares, groups and
// sorts through a collation that leaves out the scale (functions/numeric_type.h).
duckdb::LogicalType BigNumericType();
bool IsBigNumeric(const duckdb::LogicalType& type);
bool IsJson(const duckdb::LogicalType& type);
bool IsJsonb(const duckdb::LogicalType& type);

duckdb::LogicalType ToLogicalType(const types::SqlType& type);
// The type a result of `type` is sent as. Nested types other than lists are sent as text.
types::SqlType ToSqlType(const duckdb::LogicalType& type);
// The element type of an array or vector type (int2vector, oidvector): what is a LIST in DuckDB;
// nullopt of a scalar.
std::optional<types::SqlType> ElementOf(const types::SqlType& type);
// True when a vector of `type` lies in memory as a column of ToSqlType(type) does.
bool HasSameLayout(const duckdb::LogicalType& type);

// `type` is the value's type; the result has ToLogicalType(type).
duckdb::Value ToDuckValue(const types::SqlType& type, const types::Value& value);
// The value of char(n) with its padding; anything else is left as it is.
types::Value Padded(const types::SqlType& type, const types::Value& value, types::Arena& arena);
// Requires: value.type() == ToLogicalType(type), or NULL. Strings are copied into `arena`.
types::Value FromDuckValue(const duckdb::Value& value, const types::SqlType& type,
                           types::Arena& arena);

// The encoded array (types/array.h) of one LIST value of a vector. `element` is the SQL type of the
// children; children are of a layout equal to it.
types::Value EncodeList(duckdb::Vector& child, const duckdb::UnifiedVectorFormat& child_format,
                        duckdb::list_entry_t entry, const types::SqlType& element,
                        types::Arena& arena);
// Appends the elements of an encoded array to `list`'s child vector and answers its entry.
duckdb::list_entry_t DecodeList(std::string_view bytes, const types::SqlType& element,
                                duckdb::Vector& list);

// One cell of a flat or unified vector whose layout equals `physical`'s.
types::Value LoadVectorCell(const duckdb::UnifiedVectorFormat& format, types::PhysicalType physical,
                            duckdb::idx_t row);
// Copies strings into the vector's heap, those of char(n) without their padding.
void StoreVectorCell(duckdb::Vector& vector, duckdb::idx_t row, const types::SqlType& type,
                     const types::Value& value);

}  // namespace omendb::duck
