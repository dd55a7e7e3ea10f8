// arithmetic.h - checked operators of the row executor, with PostgreSQL's result types and errors.
//
// Thread safety  Pure functions.
// Errors         22003 "integer out of range" and its kin, 22012 "division by zero", 22008 for
//                dates; 0A000 for operands outside the table of ArithmeticType.
// Invariants     NULL in, NULL out.
// See            PostgreSQL 15, sections 9.3 and 9.9.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"
#include "types/text_io.h"
#include "types/type.h"
#include "types/value.h"

namespace omendb::types {

enum class ArithmeticOp : uint8_t { kAdd, kSubtract, kMultiply, kDivide, kModulo };

// The type of `left op right` as PostgreSQL's operator resolution finds it: int2 + int8 is int8,
// int4 + numeric numeric, date - date int4, timestamp + interval timestamp. 42883 "operator does
// not exist: boolean + integer" otherwise.
Result<SqlType> ArithmeticType(ArithmeticOp op, const SqlType& left, const SqlType& right);

// The value has type *ArithmeticType(op, left, right).
Result<Value> Arithmetic(ArithmeticOp op, const SqlType& left, const Value& a, const SqlType& right,
                         const Value& b, const IoSettings& settings);
Result<Value> Negate(const SqlType& type, const Value& value);

// Of two numerics without precision, as their bytes (big_numeric.h), in both executors: exact but
// for the scale of quotients, which is PostgreSQL's. The result's bytes are appended.
Status UnconstrainedArithmetic(ArithmeticOp op, std::string_view a, std::string_view b,
                               std::string& out);

}  // namespace omendb::types
