#include "types/arithmetic.h"

#include <cmath>
#include <optional>
#include <string>

#include "base/sqlstate.h"
#include "types/big_math.h"
#include "types/calendar.h"
#include "types/casts.h"
#include "types/datetime_math.h"
#include "types/numeric.h"

namespace omendb::types {
namespace {

using enum ArithmeticOp;

const char* OperatorName(ArithmeticOp op) {
  switch (op) {
    case kAdd:
      return "+";
    case kSubtract:
      return "-";
    case kMultiply:
      return "*";
    case kDivide:
      return "/";
    case kModulo:
      return "%";
  }
  return "?";
}

Status NoOperator(ArithmeticOp op, const SqlType& left, const SqlType& right) {
  return Status(sqlstate::kUndefinedFunction, "operator does not exist: " + FormatType(left) + " " +
                                                  OperatorName(op) + " " + FormatType(right))
      .WithHint(
          "No operator matches the given name and argument types. You might need to add explicit "
          "type casts.");
}

// time + time could be two sums: of intervals, or of a time and an interval.
Status NotUnique(const SqlType& type) {
  return Status(sqlstate::kAmbiguousFunction,
                "operator is not unique: " + FormatType(type) + " + " + FormatType(type))
      .WithHint(
          "Could not choose a best candidate operator. You might need to add explicit type casts.");
}

Status OutOfRange(std::string_view type) {
  return Status(sqlstate::kNumericValueOutOfRange, std::string(type) + " out of range");
}

Status DivisionByZero() { return Status(sqlstate::kDivisionByZero, "division by zero"); }

// Decimal places of the result of numeric operands; nullopt when 38 digits cannot hold it.
std::optional<int> ResultScale(ArithmeticOp op, int left, int right) {
  switch (op) {
    case kAdd:
    case kSubtract:
    case kModulo:
      return std::max(left, right);
    case kMultiply:
      return left + right <= kNumericPrecisionMax ? std::optional<int>(left + right) : std::nullopt;
    case kDivide:
      return std::nullopt;
  }
  return std::nullopt;
}

// An integer type seen as a numeric.
SqlType AsNumeric(const SqlType& type) {
  switch (type.kind) {
    case TypeKind::kInt2:
      return NumericType(5, 0);
    case TypeKind::kInt4:
      return NumericType(10, 0);
    case TypeKind::kInt8:
      return NumericType(19, 0);
    default:
      return type;
  }
}

Result<SqlType> NumericResult(ArithmeticOp op, const SqlType& left, const SqlType& right) {
  if (left.numeric_unconstrained() || right.numeric_unconstrained()) {
    return NotSupported("numeric operator " + std::string(OperatorName(op)) + " on the row path");
  }
  const auto scale =
      ResultScale(op, AsNumeric(left).numeric_scale(), AsNumeric(right).numeric_scale());
  // Division of numerics picks its scale by the values: it is left to the analytical executor.
  if (!scale.has_value()) {
    return NotSupported("numeric operator " + std::string(OperatorName(op)) + " on the row path");
  }
  return NumericType(kNumericPrecisionMax, *scale);
}

// Dates, timestamps and timestamptzs of two kinds meet in the later of this order; 0 = none.
int InstantRank(TypeKind kind) {
  switch (kind) {
    case TypeKind::kDate:
      return 1;
    case TypeKind::kTimestamp:
      return 2;
    case TypeKind::kTimestampTz:
      return 3;
    default:
      return 0;
  }
}

std::optional<SqlType> DateTimeResult(ArithmeticOp op, const SqlType& left, const SqlType& right) {
  const SqlType timestamp{TypeKind::kTimestamp};
  const SqlType interval{TypeKind::kInterval};
  const bool add = op == kAdd;
  const bool scales = op == kMultiply || op == kDivide;
  if (scales && left.kind == TypeKind::kInterval && NumberRank(right.kind) != 0) return interval;
  if (op == kMultiply && right.kind == TypeKind::kInterval && NumberRank(left.kind) != 0) {
    return interval;
  }
  if (!add && op != kSubtract) return std::nullopt;
  const int left_rank = InstantRank(left.kind);
  const int right_rank = InstantRank(right.kind);
  if (!add && left_rank != right_rank && left_rank != 0 && right_rank != 0) return interval;
  const bool right_integer = right.kind == TypeKind::kInt4 || right.kind == TypeKind::kInt2;
  switch (left.kind) {
    case TypeKind::kDate:
      if (right_integer) return SqlType{TypeKind::kDate};
      if (right.kind == TypeKind::kInterval) return timestamp;
      if (add && right.kind == TypeKind::kTime) return timestamp;
      if (!add && right.kind == TypeKind::kDate) return SqlType{TypeKind::kInt4};
      return std::nullopt;
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampTz:
      if (right.kind == TypeKind::kInterval) return SqlType{left.kind};
      if (!add && right.kind == left.kind) return SqlType{TypeKind::kInterval};
      return std::nullopt;
    case TypeKind::kTime:
      if (right.kind == TypeKind::kInterval) return SqlType{TypeKind::kTime};
      if (!add && right.kind == TypeKind::kTime) return interval;
      if (add && right.kind == TypeKind::kDate) return timestamp;
      return std::nullopt;
    case TypeKind::kInterval:
      if (right.kind == TypeKind::kInterval) return interval;
      if (!add) return std::nullopt;
      if (right.kind == TypeKind::kDate) return timestamp;
      if (right.kind == TypeKind::kTime) return SqlType{TypeKind::kTime};
      if (right.kind == TypeKind::kTimestamp || right.kind == TypeKind::kTimestampTz) {
        return SqlType{right.kind};
      }
      return std::nullopt;
    case TypeKind::kInt2:
    case TypeKind::kInt4:
      if (add && right.kind == TypeKind::kDate) return SqlType{TypeKind::kDate};
      return std::nullopt;
    default:
      return std::nullopt;
  }
}

int64_t IntegerOf(const SqlType& type, const Value& v) {
  switch (type.kind) {
    case TypeKind::kInt2:
      return v.i16;
    case TypeKind::kInt4:
      return v.i32;
    default:
      return v.i64;
  }
}

double FloatOf(const SqlType& type, const Value& v) {
  switch (type.kind) {
    case TypeKind::kFloat4:
      return v.f32;
    case TypeKind::kFloat8:
      return v.f64;
    case TypeKind::kNumeric:
      return NumericToDouble(NumericUnits(type, v), type.numeric_scale());
    default:
      return static_cast<double>(IntegerOf(type, v));
  }
}

// INT_MIN % -1 is 0 in PostgreSQL, and a trap in the processor.
Result<int64_t> IntegerOp(ArithmeticOp op, int64_t a, int64_t b) {
  int64_t r = 0;
  switch (op) {
    case kAdd:
      if (__builtin_add_overflow(a, b, &r)) return OutOfRange("bigint");
      return r;
    case kSubtract:
      if (__builtin_sub_overflow(a, b, &r)) return OutOfRange("bigint");
      return r;
    case kMultiply:
      if (__builtin_mul_overflow(a, b, &r)) return OutOfRange("bigint");
      return r;
    case kDivide:
      if (b == 0) return DivisionByZero();
      if (b == -1) {
        if (__builtin_sub_overflow(int64_t{0}, a, &r)) return OutOfRange("bigint");
        return r;
      }
      return a / b;
    case kModulo:
      if (b == 0) return DivisionByZero();
      return b == -1 ? 0 : a % b;
  }
  return r;
}

Result<Value> IntegerArithmetic(ArithmeticOp op, TypeKind result, int64_t a, int64_t b) {
  OMEN_ASSIGN(const int64_t r, IntegerOp(op, a, b));
  if (result == TypeKind::kInt2) {
    if (r < INT16_MIN || r > INT16_MAX) return OutOfRange("smallint");
    return Value::Int16(static_cast<int16_t>(r));
  }
  if (result == TypeKind::kInt4) {
    if (r < INT32_MIN || r > INT32_MAX) return OutOfRange("integer");
    return Value::Int32(static_cast<int32_t>(r));
  }
  return Value::Int64(r);
}

// Overflow and underflow are errors, as in PostgreSQL's float8_mul and its kin.
template <typename Float>
Result<Float> FloatOp(ArithmeticOp op, Float a, Float b) {
  Float r = 0;
  switch (op) {
    case kAdd:
      r = a + b;
      break;
    case kSubtract:
      r = a - b;
      break;
    case kMultiply:
      r = a * b;
      if (r == 0 && a != 0 && b != 0) {
        return Status(sqlstate::kNumericValueOutOfRange, "value out of range: underflow");
      }
      break;
    case kDivide:
      if (b == 0 && !std::isnan(a)) return DivisionByZero();
      r = a / b;
      if (r == 0 && a != 0 && !std::isinf(b)) {
        return Status(sqlstate::kNumericValueOutOfRange, "value out of range: underflow");
      }
      break;
    case kModulo:
      return NotSupported("operator % on floating-point numbers");
  }
  if (std::isinf(r) && !std::isinf(a) && !std::isinf(b)) {
    return Status(sqlstate::kNumericValueOutOfRange, "value out of range: overflow");
  }
  return r;
}

Result<Value> NumericArithmetic(ArithmeticOp op, const SqlType& result, const SqlType& left,
                                const Value& a, const SqlType& right, const Value& b) {
  auto units = [](const SqlType& type, const Value& v) {
    return type.kind == TypeKind::kNumeric ? NumericUnits(type, v) : Int128{IntegerOf(type, v)};
  };
  Int128 x = units(left, a);
  Int128 y = units(right, b);
  Int128 r = 0;
  bool overflow = false;
  if (op == kMultiply) {
    overflow = __builtin_mul_overflow(x, y, &r);
  } else {
    const int scale = result.numeric_scale();
    const Int128 x_factor = PowerOfTen(scale - AsNumeric(left).numeric_scale());
    const Int128 y_factor = PowerOfTen(scale - AsNumeric(right).numeric_scale());
    overflow = __builtin_mul_overflow(x, x_factor, &x) || __builtin_mul_overflow(y, y_factor, &y);
    if (op == kModulo && !overflow) {
      if (y == 0) return DivisionByZero();
      r = x % y;
    } else if (!overflow) {
      overflow = op == kAdd ? __builtin_add_overflow(x, y, &r) : __builtin_sub_overflow(x, y, &r);
    }
  }
  const Int128 limit = PowerOfTen(kNumericPrecisionMax);
  if (overflow || r >= limit || r <= -limit) return NumericOverflow(result);
  return NumericFromUnits(result, r);
}

Result<Value> DateArithmetic(ArithmeticOp op, int32_t date, int64_t days) {
  if (!IsFiniteDate(date)) return Value::Int32(date);
  const int64_t r = op == kAdd ? date + days : date - days;
  if (r < kDateMin || r > kDateMax) {
    return Status(sqlstate::kDatetimeFieldOverflow, "date out of range");
  }
  return Value::Int32(static_cast<int32_t>(r));
}

// The time of day, round the clock.
Value TimeOf(int64_t micros) {
  return Value::Int64(micros - FloorDiv(micros, kMicrosPerDay) * kMicrosPerDay);
}

Result<Value> IntervalOf(Result<Interval> interval) {
  if (!interval.ok()) return std::move(interval).status();
  return Value::OfInterval(*interval);
}

// A date, timestamp or timestamptz moved by an interval.
Result<Value> MovedBy(const SqlType& type, const Value& v, const Interval& interval,
                      const IoSettings& settings) {
  if (type.kind == TypeKind::kTimestampTz) {
    OMEN_ASSIGN(const int64_t r, AddIntervalTz(v.i64, interval, *settings.time_zone));
    return Value::Int64(r);
  }
  if (type.kind == TypeKind::kTime) {
    return TimeOf(v.i64 + interval.micros % kMicrosPerDay);
  }
  int64_t timestamp = v.i64;
  if (type.kind == TypeKind::kDate) {
    OMEN_ASSIGN(timestamp, DateToTimestamp(v.i32));
  }
  OMEN_ASSIGN(const int64_t r, AddInterval(timestamp, interval));
  return Value::Int64(r);
}

// A time beside a timestamp is an interval; so is one that an interval is less.
bool IsTimeAsInterval(ArithmeticOp op, const SqlType& type, const SqlType& other) {
  if (type.kind != TypeKind::kTime) return false;
  return InstantRank(other.kind) >= 2 || (op == kSubtract && other.kind == TypeKind::kDate);
}

bool IsRightTimeAsInterval(ArithmeticOp op, const SqlType& left, const SqlType& right) {
  const bool from_interval = op == kSubtract && left.kind == TypeKind::kInterval;
  return IsTimeAsInterval(op, right, left) || (from_interval && right.kind == TypeKind::kTime);
}

Result<int64_t> AsInstant(const SqlType& type, TypeKind target, const Value& v,
                          const TimeZone& zone) {
  int64_t instant = v.i64;
  if (type.kind == TypeKind::kDate) {
    OMEN_ASSIGN(instant, DateToTimestamp(v.i32));
  }
  if (target == TypeKind::kTimestampTz && type.kind != target) return LocalToUtc(instant, zone);
  return instant;
}

Result<Value> DateTimeArithmetic(ArithmeticOp op, const SqlType& left, const Value& a,
                                 const SqlType& right, const Value& b, const IoSettings& settings) {
  if (op == kMultiply || op == kDivide) {
    const bool interval_first = left.kind == TypeKind::kInterval;
    const Interval& interval = interval_first ? a.interval : b.interval;
    const double number = interval_first ? FloatOf(right, b) : FloatOf(left, a);
    return IntervalOf(op == kMultiply ? MultiplyInterval(interval, number)
                                      : DivideInterval(interval, number));
  }
  if (InstantRank(left.kind) != 0 && InstantRank(right.kind) != 0 && left.kind != right.kind) {
    const bool tz = left.kind == TypeKind::kTimestampTz || right.kind == TypeKind::kTimestampTz;
    const TypeKind target = tz ? TypeKind::kTimestampTz : TypeKind::kTimestamp;
    OMEN_ASSIGN(const int64_t x, AsInstant(left, target, a, *settings.time_zone));
    OMEN_ASSIGN(const int64_t y, AsInstant(right, target, b, *settings.time_zone));
    return IntervalOf(SubtractTimestamps(x, y));
  }
  if (left.kind == TypeKind::kTime && right.kind == TypeKind::kTime) {
    return Value::OfInterval({0, 0, a.i64 - b.i64});
  }
  if (left.kind == TypeKind::kTime && right.kind == TypeKind::kDate) {
    return DateTimeArithmetic(op, right, b, left, a, settings);
  }
  if (left.kind == TypeKind::kDate && right.kind == TypeKind::kTime) {
    return MovedBy(left, a, {0, 0, b.i64}, settings);
  }
  if (left.kind == TypeKind::kDate && right.kind == TypeKind::kDate) {
    if (!IsFiniteDate(a.i32) || !IsFiniteDate(b.i32)) {
      return Status(sqlstate::kDatetimeFieldOverflow, "cannot subtract infinite dates");
    }
    return Value::Int32(a.i32 - b.i32);
  }
  if (left.kind == TypeKind::kDate && right.kind != TypeKind::kInterval) {
    return DateArithmetic(op, a.i32, IntegerOf(right, b));
  }
  if (right.kind == TypeKind::kDate && left.kind != TypeKind::kInterval) {
    return DateArithmetic(op, b.i32, IntegerOf(left, a));
  }
  if (left.kind == TypeKind::kInterval && right.kind != TypeKind::kInterval) {
    return MovedBy(right, b, a.interval, settings);
  }
  if (right.kind != TypeKind::kInterval) return IntervalOf(SubtractTimestamps(a.i64, b.i64));
  Interval by = b.interval;
  if (op == kSubtract) {
    OMEN_ASSIGN(by, NegateInterval(by));
  }
  if (left.kind == TypeKind::kInterval) return IntervalOf(AddIntervals(a.interval, by));
  return MovedBy(left, a, by, settings);
}

}  // namespace

Result<SqlType> ArithmeticType(ArithmeticOp op, const SqlType& left, const SqlType& right) {
  if (left.is_array || right.is_array) return NoOperator(op, left, right);
  const SqlType interval{TypeKind::kInterval};
  if (IsTimeAsInterval(op, left, right)) return ArithmeticType(op, interval, right);
  if (IsRightTimeAsInterval(op, left, right)) return ArithmeticType(op, left, interval);
  const int a = NumberRank(left.kind);
  const int b = NumberRank(right.kind);
  if (a == 0 || b == 0) {
    const bool two_times = left.kind == TypeKind::kTime && right.kind == TypeKind::kTime;
    if (op == kAdd && two_times) return NotUnique(SqlType{left.kind});
    const auto result = DateTimeResult(op, left, right);
    if (!result.has_value()) return NoOperator(op, left, right);
    return *result;
  }
  const int rank = std::max(a, b);
  if (rank == 4) return NumericResult(op, left, right);
  if (rank >= 5) {
    if (op == kModulo) return NoOperator(op, left, right);
    // real with anything but real is computed in double precision.
    return SqlType{a == 5 && b == 5 ? TypeKind::kFloat4 : TypeKind::kFloat8};
  }
  return SqlType{rank == 1 ? TypeKind::kInt2 : rank == 2 ? TypeKind::kInt4 : TypeKind::kInt8};
}

Result<Value> Arithmetic(ArithmeticOp op, const SqlType& left, const Value& a, const SqlType& right,
                         const Value& b, const IoSettings& settings) {
  if (a.is_null || b.is_null) return Value::Null();
  OMEN_ASSIGN(const SqlType result, ArithmeticType(op, left, right));
  const SqlType interval{TypeKind::kInterval};
  if (IsTimeAsInterval(op, left, right)) {
    return Arithmetic(op, interval, Value::OfInterval({0, 0, a.i64}), right, b, settings);
  }
  if (IsRightTimeAsInterval(op, left, right)) {
    return Arithmetic(op, left, a, interval, Value::OfInterval({0, 0, b.i64}), settings);
  }
  if (NumberRank(left.kind) == 0 || NumberRank(right.kind) == 0) {
    return DateTimeArithmetic(op, left, a, right, b, settings);
  }
  switch (result.kind) {
    case TypeKind::kNumeric:
      return NumericArithmetic(op, result, left, a, right, b);
    case TypeKind::kFloat4: {
      OMEN_ASSIGN(const float r, FloatOp(op, a.f32, b.f32));
      return Value::Float32(r);
    }
    case TypeKind::kFloat8: {
      OMEN_ASSIGN(const double r, FloatOp(op, FloatOf(left, a), FloatOf(right, b)));
      return Value::Float64(r);
    }
    default:
      return IntegerArithmetic(op, result.kind, IntegerOf(left, a), IntegerOf(right, b));
  }
}

namespace {

// Of at most 38 digits, without an allocation.
bool TrySmall(ArithmeticOp op, std::string_view a, std::string_view b, std::string& out) {
  if (op == kModulo) return false;
  const auto x = DecodeSmall(a);
  const auto y = DecodeSmall(b);
  if (!x || !y) return false;
  if (op == kDivide) {
    const auto quotient = DivideSmall(*x, *y);
    if (quotient) AppendBigBytes(quotient->units, quotient->scale, out);
    return quotient.has_value();
  }
  const Int128 limit = PowerOfTen(kNumericPrecisionMax);
  Int128 units = 0;
  int scale = x->scale + y->scale;
  if (op == kMultiply) {
    if (scale > kBigScaleMax) return false;
    if (__builtin_mul_overflow(x->units, y->units, &units)) return false;
  } else {
    scale = std::max(x->scale, y->scale);
    const auto left = UnitsAt(*x, scale);
    const auto right = UnitsAt(*y, scale);
    if (!left || !right) return false;
    units = op == kAdd ? *left + *right : *left - *right;
  }
  if (units >= limit || units <= -limit) return false;
  AppendBigBytes(units, scale, out);
  return true;
}

Result<BigNumeric> ApplyBig(ArithmeticOp op, const BigNumeric& a, const BigNumeric& b) {
  switch (op) {
    case kAdd:
      return AddBig(a, b);
    case kSubtract:
      return SubtractBig(a, b);
    case kMultiply:
      return MultiplyBig(a, b);
    case kDivide:
      return DivideBig(a, b);
    default:
      return ModuloBig(a, b);
  }
}

}  // namespace

Status UnconstrainedArithmetic(ArithmeticOp op, std::string_view a, std::string_view b,
                               std::string& out) {
  if (TrySmall(op, a, b, out)) return Status::Ok();
  OMEN_ASSIGN(const BigNumeric result, ApplyBig(op, DecodeBig(a), DecodeBig(b)));
  AppendBigBytes(result, out);
  return Status::Ok();
}

Result<Value> Negate(const SqlType& type, const Value& value) {
  if (value.is_null) return value;
  switch (type.kind) {
    case TypeKind::kInt2:
    case TypeKind::kInt4:
    case TypeKind::kInt8:
      return IntegerArithmetic(kSubtract, type.kind, 0, IntegerOf(type, value));
    case TypeKind::kNumeric:
      return NumericFromUnits(type, -NumericUnits(type, value));
    case TypeKind::kFloat4:
      return Value::Float32(-value.f32);
    case TypeKind::kFloat8:
      return Value::Float64(-value.f64);
    case TypeKind::kInterval:
      return IntervalOf(NegateInterval(value.interval));
    default:
      return Status(sqlstate::kUndefinedFunction, "operator does not exist: - " + FormatType(type));
  }
}

}  // namespace omendb::types
