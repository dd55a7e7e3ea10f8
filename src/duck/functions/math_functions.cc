#include "duck/functions/math_functions.h"

#include <cmath>
#include <numbers>

#include "base/sqlstate.h"
#include "duck/errors.h"
#include "duck/functions/row_function.h"
#include "types/big_math.h"

namespace omendb::duck {

namespace {

using duckdb::LogicalType;
using types::Arena;
using types::SqlType;
using types::TypeKind;
using types::Value;
using Arguments = std::span<const Value>;

constexpr SqlType kDouble{TypeKind::kFloat8};
constexpr SqlType kInt4{TypeKind::kInt4};
constexpr SqlType kInt8{TypeKind::kInt8};

double Checked(double result, bool finite_input) {
  if (std::isinf(result) && finite_input) {
    ThrowStatus(Status(sqlstate::kNumericValueOutOfRange, "value out of range: overflow"));
  }
  return result;
}

double Power(double base, double exponent) {
  if (base == 0 && exponent < 0) {
    ThrowStatus(Status(SqlState("2201F"), "zero raised to a negative power is undefined"));
  }
  if (base < 0 && std::isfinite(exponent) && exponent != std::floor(exponent)) {
    ThrowStatus(Status(SqlState("2201F"),
                       "a negative number raised to a non-integer power yields a complex result"));
  }
  return Checked(std::pow(base, exponent), std::isfinite(base) && std::isfinite(exponent));
}

template <double (*FUNCTION)(double)>
void Unary(duckdb::DataChunk& args, duckdb::ExpressionState&, duckdb::Vector& result) {
  duckdb::UnaryExecutor::Execute<double, double>(args.data[0], result, args.size(), FUNCTION);
}

double RoundEven(double x) { return std::nearbyint(x); }
double Exp(double x) { return Checked(std::exp(x), std::isfinite(x)); }
double Sign(double x) { return x > 0 ? 1 : x < 0 ? -1 : x; }

// ---- Degrees: exact where the angle is a round one
// -----------------------------------------------

constexpr double kDegree = std::numbers::pi / 180;

double SinFirst(double degrees) {  // 0 to 90
  if (degrees <= 30) return std::sin(degrees * kDegree) / std::sin(30 * kDegree) * 0.5;
  return 1 - (1 - std::cos((90 - degrees) * kDegree)) / (1 - std::cos(60 * kDegree)) * 0.5;
}
double Finite(double degrees) {
  if (std::isinf(degrees)) {
    ThrowStatus(Status(sqlstate::kNumericValueOutOfRange, "input is out of range"));
  }
  return degrees;
}
double SinDegrees(double degrees) {
  if (std::isnan(degrees)) return degrees;
  double x = std::fmod(Finite(degrees), 360);
  int sign = 1;
  if (x < 0) {
    x = -x;
    sign = -sign;
  }
  if (x > 180) {
    x = 360 - x;
    sign = -sign;
  }
  if (x > 90) x = 180 - x;
  return sign * SinFirst(x);
}
double CosDegrees(double degrees) {
  if (std::isnan(degrees)) return degrees;
  double x = std::fabs(std::fmod(Finite(degrees), 360));
  int sign = 1;
  if (x > 180) x = 360 - x;
  if (x > 90) {
    x = 180 - x;
    sign = -1;
  }
  return sign * SinFirst(90 - x);
}
double TanDegrees(double degrees) { return SinDegrees(degrees) / CosDegrees(degrees); }
double CotDegrees(double degrees) { return CosDegrees(degrees) / SinDegrees(degrees); }

double InRange(double x) {
  if (x < -1 || x > 1) {
    ThrowStatus(Status(sqlstate::kNumericValueOutOfRange, "input is out of range"));
  }
  return x;
}
double AsinFirst(double x) {  // 0 to 1
  if (x <= 0.5) return std::asin(x) / std::asin(0.5) * 30;
  return 90 - std::acos(x) / std::acos(0.5) * 60;
}
double AsinDegrees(double x) { return InRange(x) >= 0 ? AsinFirst(x) : -AsinFirst(-x); }
double AcosDegrees(double x) { return 90 - AsinDegrees(x); }
double AtanDegrees(double x) { return std::atan(x) / std::atan(1.0) * 45; }

void RegisterDegrees(Registry& registry) {
  const LogicalType number = LogicalType::DOUBLE;
  const auto add = [&](const char* name, duckdb::scalar_function_t function) {
    registry.Replace(duckdb::ScalarFunction(name, {number}, number, std::move(function)));
  };
  add("sind", Unary<SinDegrees>);
  add("cosd", Unary<CosDegrees>);
  add("tand", Unary<TanDegrees>);
  add("cotd", Unary<CotDegrees>);
  add("asind", Unary<AsinDegrees>);
  add("acosd", Unary<AcosDegrees>);
  add("atand", Unary<AtanDegrees>);
  RegisterRowFunction(registry, {"atan2d",
                                 {kDouble, kDouble},
                                 kDouble,
                                 [](Arguments args, SessionState&, Arena&) -> Result<Value> {
                                   return Value::Float64(std::atan2(args[0].f64, args[1].f64) /
                                                         std::atan(1.0) * 45);
                                 }});
}

// ---- Whole numbers
// ---------------------------------------------------------------------------------

Result<Value> WidthBucket(Arguments args, SessionState&, Arena&) {
  const double operand = args[0].f64;
  const double low = args[1].f64;
  const double high = args[2].f64;
  const int32_t count = args[3].i32;
  const auto fail = [](const char* message) { return Status(SqlState("2201G"), message); };
  if (count <= 0) return fail("count must be greater than zero");
  if (std::isnan(operand) || std::isnan(low) || std::isnan(high)) {
    return fail("operand, lower bound, and upper bound cannot be NaN");
  }
  if (!std::isfinite(low) || !std::isfinite(high)) {
    return fail("lower and upper bounds must be finite");
  }
  if (low == high) return fail("lower bound cannot equal upper bound");
  const bool rising = low < high;
  if (rising ? operand < low : operand > low) return Value::Int32(0);
  if (rising ? operand >= high : operand <= high) return Value::Int32(count + 1);
  return Value::Int32(static_cast<int32_t>((operand - low) / (high - low) * count) + 1);
}

Result<Value> Factorial(Arguments args, SessionState&, Arena& arena) {
  OMEN_ASSIGN(const types::BigNumeric product, types::FactorialBig(args[0].i64));
  return types::ToValue(product, arena);
}

template <typename T>
Result<Value> Gcd(Arguments args, bool multiple) {
  const types::Int128 a = sizeof(T) == 4 ? args[0].i32 : args[0].i64;
  const types::Int128 b = sizeof(T) == 4 ? args[1].i32 : args[1].i64;
  types::Int128 x = a < 0 ? -a : a;
  types::Int128 y = b < 0 ? -b : b;
  while (y != 0) {
    const types::Int128 rest = x % y;
    x = y;
    y = rest;
  }
  types::Int128 result = x;
  if (multiple) {
    result = x == 0 ? 0 : (a < 0 ? -a : a) / x * (b < 0 ? -b : b);
  }
  if (result != static_cast<T>(result)) {
    return Status(sqlstate::kNumericValueOutOfRange,
                  sizeof(T) == 4 ? "integer out of range" : "bigint out of range");
  }
  return sizeof(T) == 4 ? Value::Int32(static_cast<int32_t>(result))
                        : Value::Int64(static_cast<int64_t>(result));
}

void RegisterGcd(Registry& registry, const char* name, bool multiple) {
  duckdb::ScalarFunctionSet set(name);
  AddRowFunction(set,
                 {name, {kInt4, kInt4}, kInt4, [multiple](Arguments args, SessionState&, Arena&) {
                    return Gcd<int32_t>(args, multiple);
                  }});
  AddRowFunction(set,
                 {name, {kInt8, kInt8}, kInt8, [multiple](Arguments args, SessionState&, Arena&) {
                    return Gcd<int64_t>(args, multiple);
                  }});
  registry.Replace(std::move(set));
}

// round() of a double is the even neighbour. round(double, digits) stays, which PostgreSQL has not:
// stddev and its like are doubles here and numerics there.
void RegisterRound(Registry& registry) {
  duckdb::ScalarFunctionSet set("round");
  for (const duckdb::ScalarFunction& function : registry.Existing("round").functions) {
    const auto id = function.arguments[0].id();
    const bool real = id == duckdb::LogicalTypeId::DOUBLE || id == duckdb::LogicalTypeId::FLOAT;
    if (real && function.arguments.size() == 1) continue;
    set.AddFunction(function);
  }
  set.AddFunction({{LogicalType::DOUBLE}, LogicalType::DOUBLE, Unary<RoundEven>});
  registry.Replace(std::move(set));
}

}  // namespace

void RegisterMath(Registry& registry) {
  RegisterRowFunction(registry, {"omendb_nth_position",
                                 {kInt8},
                                 kInt8,
                                 [](Arguments args, SessionState&, Arena&) -> Result<Value> {
                                   if (args[0].i64 > 0) return args[0];
                                   return Status(SqlState("22016"),
                                                 "argument of nth_value must be greater than zero");
                                 }});
  const LogicalType number = LogicalType::DOUBLE;
  RegisterRound(registry);
  RegisterDegrees(registry);
  RegisterGcd(registry, "gcd", false);
  RegisterGcd(registry, "lcm", true);
  registry.Replace(duckdb::ScalarFunction("exp", {number}, number, Unary<Exp>));
  for (const char* name : {"power", "pow", "^"}) {
    registry.Replace(duckdb::ScalarFunction(
        name, {number, number}, number,
        [](duckdb::DataChunk& args, duckdb::ExpressionState&, duckdb::Vector& result) {
          duckdb::BinaryExecutor::Execute<double, double, double>(args.data[0], args.data[1],
                                                                  result, args.size(), Power);
        }));
  }
  duckdb::ScalarFunctionSet sign("sign");
  sign.AddFunction({{number}, number, Unary<Sign>});
  registry.Replace(std::move(sign));
  RegisterRowFunction(registry,
                      {"width_bucket", {kDouble, kDouble, kDouble, kInt4}, kInt4, WidthBucket});
  RegisterRowFunction(registry, {"factorial", {kInt8}, {TypeKind::kNumeric}, Factorial});
}

}  // namespace omendb::duck
