#include "duck/functions/arithmetic.h"

#include "base/sqlstate.h"
#include "duck/errors.h"
#include "duck/functions/any_function.h"
#include "duck/functions/json_functions.h"
#include "duck/functions/numeric_operators.h"
#include "duck/logical_types.h"
#include "duckdb/function/function_binder.hpp"
#include "duckdb/planner/expression/bound_cast_expression.hpp"
#include "duckdb/planner/expression/bound_function_expression.hpp"
#include "duckdb/planner/expression_binder.hpp"
#include "types/arithmetic.h"
#include "types/big_math.h"
#include "types/numeric.h"

namespace omendb::duck {

namespace {

using duckdb::LogicalType;
using duckdb::LogicalTypeId;
using Arguments = duckdb::vector<duckdb::unique_ptr<duckdb::Expression>>;

struct OperatorInfo : public duckdb::ScalarFunctionInfo {
  explicit OperatorInfo(duckdb::ScalarFunctionSet set) : existing(std::move(set)) {}
  duckdb::ScalarFunctionSet existing;
  char op = '+';
};

[[noreturn]] void ThrowNoOperator(char op, const LogicalType& left, const LogicalType& right) {
  ThrowStatus(Status(sqlstate::kUndefinedFunction,
                     "operator does not exist: " + PostgresTypeName(left.ToString()) + " " +
                         std::string(1, op) + " " + PostgresTypeName(right.ToString()))
                  .WithHint("No operator matches the given name and argument types. You might need "
                            "to add explicit type casts."));
}

// The type of an argument with literals settled; INVALID when it has none.
LogicalType ArgumentType(const duckdb::Expression& argument) {
  const LogicalType type = duckdb::ExpressionBinder::GetExpressionReturnType(argument);
  switch (type.id()) {
    case LogicalTypeId::UNKNOWN:
    case LogicalTypeId::STRING_LITERAL:
    case LogicalTypeId::SQLNULL:
    case LogicalTypeId::INVALID:
      return LogicalType::INVALID;
    case LogicalTypeId::INTEGER_LITERAL:
      switch (argument.return_type.id()) {
        case LogicalTypeId::TINYINT:
        case LogicalTypeId::SMALLINT:
        case LogicalTypeId::UTINYINT:
        case LogicalTypeId::USMALLINT:
          return LogicalType::INTEGER;
        case LogicalTypeId::UINTEGER:
          return LogicalType::BIGINT;
        default:
          return argument.return_type;
      }
    default:
      return type;
  }
}

int IntegerRank(const LogicalType& type) {
  switch (type.id()) {
    case LogicalTypeId::TINYINT:
    case LogicalTypeId::SMALLINT:
      return 1;
    case LogicalTypeId::INTEGER:
      return 2;
    case LogicalTypeId::UINTEGER:
    case LogicalTypeId::BIGINT:
      return 3;
    default:
      return 0;
  }
}
LogicalType IntegerOfRank(int rank) {
  return rank == 1 ? LogicalType::SMALLINT : rank == 2 ? LogicalType::INTEGER : LogicalType::BIGINT;
}
bool IsFloat(const LogicalType& type) {
  return type.id() == LogicalTypeId::FLOAT || type.id() == LogicalTypeId::DOUBLE;
}
bool IsExactWide(const LogicalType& type) {
  return type.id() == LogicalTypeId::DECIMAL || type.id() == LogicalTypeId::HUGEINT ||
         type.id() == LogicalTypeId::UBIGINT || type.id() == LogicalTypeId::UHUGEINT ||
         IsBigNumeric(type);
}
LogicalType AsDecimal(const LogicalType& type) {
  if (type.id() == LogicalTypeId::DECIMAL) return type;
  switch (IntegerRank(type)) {
    case 1:
      return LogicalType::DECIMAL(5, 0);
    case 2:
      return LogicalType::DECIMAL(10, 0);
    case 3:
      return LogicalType::DECIMAL(19, 0);
    default:
      return LogicalType::DECIMAL(38, 0);
  }
}

// What an untyped operand becomes beside one of type `other`.
LogicalType GuessUnknown(char op, const LogicalType& other, bool unknown_is_right) {
  switch (other.id()) {
    case LogicalTypeId::DATE:
      return op == '-' && !unknown_is_right ? LogicalType::DATE
             : op == '-'                    ? LogicalType::DATE
                                            : LogicalType::INTEGER;
    case LogicalTypeId::TIMESTAMP:
    case LogicalTypeId::TIMESTAMP_TZ:
      return op == '-' ? other : LogicalType::INTERVAL;
    case LogicalTypeId::TIME:
      return LogicalType::INTERVAL;
    case LogicalTypeId::INTERVAL:
      return op == '*' || op == '/' ? LogicalType::DOUBLE : LogicalType::INTERVAL;
    default:
      return other;
  }
}

// ---- Own implementations ----------------------------------------------------------------------

[[noreturn]] void ThrowDivisionByZero() {
  ThrowStatus(Status(sqlstate::kDivisionByZero, "division by zero"));
}
[[noreturn]] void ThrowRange(const char* type) {
  ThrowStatus(Status(sqlstate::kNumericValueOutOfRange, std::string(type) + " out of range"));
}

template <typename T>
const char* IntegerName() {
  return sizeof(T) == 2 ? "smallint" : sizeof(T) == 4 ? "integer" : "bigint";
}

template <typename T>
void DivideIntegers(duckdb::DataChunk& args, duckdb::ExpressionState&, duckdb::Vector& result) {
  duckdb::BinaryExecutor::Execute<T, T, T>(args.data[0], args.data[1], result, args.size(),
                                           [](T a, T b) -> T {
                                             if (b == 0) ThrowDivisionByZero();
                                             if (b == -1 && a == std::numeric_limits<T>::min()) {
                                               ThrowRange(IntegerName<T>());
                                             }
                                             return static_cast<T>(a / b);
                                           });
}
template <typename T>
void ModuloIntegers(duckdb::DataChunk& args, duckdb::ExpressionState&, duckdb::Vector& result) {
  duckdb::BinaryExecutor::Execute<T, T, T>(args.data[0], args.data[1], result, args.size(),
                                           [](T a, T b) -> T {
                                             if (b == 0) ThrowDivisionByZero();
                                             return b == -1 ? T{0} : static_cast<T>(a % b);
                                           });
}
template <typename T>
void DivideFloats(duckdb::DataChunk& args, duckdb::ExpressionState&, duckdb::Vector& result) {
  duckdb::BinaryExecutor::Execute<T, T, T>(args.data[0], args.data[1], result, args.size(),
                                           [](T a, T b) -> T {
                                             if (b == 0) ThrowDivisionByZero();
                                             return a / b;
                                           });
}
void SubtractDates(duckdb::DataChunk& args, duckdb::ExpressionState&, duckdb::Vector& result) {
  duckdb::BinaryExecutor::Execute<duckdb::date_t, duckdb::date_t, int32_t>(
      args.data[0], args.data[1], result, args.size(),
      [](duckdb::date_t a, duckdb::date_t b) { return a.days - b.days; });
}
void AddDateTime(duckdb::DataChunk& args, duckdb::ExpressionState&, duckdb::Vector& result) {
  duckdb::BinaryExecutor::Execute<duckdb::date_t, duckdb::dtime_t, duckdb::timestamp_t>(
      args.data[0], args.data[1], result, args.size(), [](duckdb::date_t a, duckdb::dtime_t b) {
        return duckdb::timestamp_t(int64_t{a.days} * 86'400'000'000 + b.micros);
      });
}

// Remainders of numerics with precision, whose scale DuckDB has no rule for.
struct ModuloData : public duckdb::FunctionData {
  ModuloData(types::SqlType l, types::SqlType r, types::SqlType t) : left(l), right(r), result(t) {}
  types::SqlType left, right, result;
  duckdb::unique_ptr<duckdb::FunctionData> Copy() const override {
    return duckdb::make_uniq<ModuloData>(left, right, result);
  }
  bool Equals(const duckdb::FunctionData& other) const override {
    const auto& data = other.Cast<ModuloData>();
    return data.left == left && data.right == right;
  }
};

// Calls `apply` for each pair of operands that are not NULL; it stores the result's cell.
template <typename Apply>
void ForEachPair(duckdb::DataChunk& args, types::PhysicalType left_physical,
                 types::PhysicalType right_physical, duckdb::Vector& result, Apply apply) {
  duckdb::UnifiedVectorFormat left;
  duckdb::UnifiedVectorFormat right;
  args.data[0].ToUnifiedFormat(args.size(), left);
  args.data[1].ToUnifiedFormat(args.size(), right);
  const bool constant = args.AllConstant();
  result.SetVectorType(duckdb::VectorType::FLAT_VECTOR);
  const duckdb::idx_t count = constant ? 1 : args.size();
  for (duckdb::idx_t i = 0; i < count; ++i) {
    const types::Value a = LoadVectorCell(left, left_physical, i);
    const types::Value b = LoadVectorCell(right, right_physical, i);
    if (a.is_null || b.is_null) {
      duckdb::FlatVector::SetNull(result, i, true);
    } else {
      apply(i, a, b);
    }
  }
  if (constant) result.SetVectorType(duckdb::VectorType::CONSTANT_VECTOR);
}

void ModuloDecimals(duckdb::DataChunk& args, duckdb::ExpressionState& state,
                    duckdb::Vector& result) {
  const auto& data =
      state.expr.Cast<duckdb::BoundFunctionExpression>().bind_info->Cast<ModuloData>();
  ForEachPair(args, types::PhysicalTypeOf(data.left), types::PhysicalTypeOf(data.right), result,
              [&](duckdb::idx_t i, const types::Value& a, const types::Value& b) {
                const types::Int128 rest = ValueOrThrow(
                    ModuloNumeric(types::NumericUnits(data.left, a), data.left.numeric_scale(),
                                  types::NumericUnits(data.right, b), data.right.numeric_scale()));
                StoreVectorCell(result, i, data.result, types::Value::I128(rest));
              });
}

template <types::ArithmeticOp kOp>
void BigOperator(duckdb::DataChunk& args, duckdb::ExpressionState&, duckdb::Vector& result) {
  const types::SqlType numeric{types::TypeKind::kNumeric};
  std::string bytes;
  ForEachPair(args, types::PhysicalType::kString, types::PhysicalType::kString, result,
              [&](duckdb::idx_t i, const types::Value& a, const types::Value& b) {
                bytes.clear();
                ThrowIfError(types::UnconstrainedArithmetic(kOp, a.str(), b.str(), bytes));
                StoreVectorCell(result, i, numeric, types::Value::String(bytes));
              });
}

duckdb::scalar_function_t BigOperatorOf(char op) {
  switch (op) {
    case '+':
      return BigOperator<types::ArithmeticOp::kAdd>;
    case '-':
      return BigOperator<types::ArithmeticOp::kSubtract>;
    case '*':
      return BigOperator<types::ArithmeticOp::kMultiply>;
    case '/':
      return BigOperator<types::ArithmeticOp::kDivide>;
    default:
      return BigOperator<types::ArithmeticOp::kModulo>;
  }
}

void NegateBigNumbers(duckdb::DataChunk& args, duckdb::ExpressionState&, duckdb::Vector& result) {
  std::string bytes;
  duckdb::UnaryExecutor::Execute<duckdb::string_t, duckdb::string_t>(
      args.data[0], result, args.size(), [&](duckdb::string_t number) {
        bytes.clear();
        types::AppendBigBytes(
            types::NegateBig(types::DecodeBig({number.GetData(), number.GetSize()})), bytes);
        return duckdb::StringVector::AddStringOrBlob(result, bytes);
      });
}

// ---- Binding ----------------------------------------------------------------------------------

// Products and quotients of intervals, the difference of two times: by PostgreSQL's rules.
AnyFunction IntervalArithmetic(char op) {
  const auto kind = op == '*'   ? types::ArithmeticOp::kMultiply
                    : op == '/' ? types::ArithmeticOp::kDivide
                                : types::ArithmeticOp::kSubtract;
  AnyFunction function{std::string(1, op), 2, 2, nullptr, nullptr};
  function.resolve = [](const std::vector<types::SqlType>& given) -> std::optional<AnySignature> {
    AnySignature signature{given, {types::TypeKind::kInterval}};
    for (size_t i = 0; i < 2; ++i) {
      if (given[i].kind == types::TypeKind::kInterval || given[i].kind == types::TypeKind::kTime) {
        continue;
      }
      const LogicalType type = ToLogicalType(given[i]);
      const bool number = IntegerRank(type) > 0 || IsFloat(type) || IsExactWide(type);
      if (!number && given[i].kind != types::TypeKind::kUnknown) return std::nullopt;
      signature.arguments[i] = {types::TypeKind::kFloat8};
    }
    return signature;
  };
  function.body = [kind](std::span<const types::Value> args, const AnySignature& signature,
                         SessionState& state, types::Arena&) {
    return types::Arithmetic(kind, signature.arguments[0], args[0], signature.arguments[1], args[1],
                             state.io_settings());
  };
  return function;
}

class Resolver {
 public:
  Resolver(duckdb::ClientContext& context, duckdb::ScalarFunction& function, Arguments& arguments,
           OperatorInfo& info)
      : context_(context), function_(function), arguments_(arguments), info_(info), op_(info.op) {}

  duckdb::unique_ptr<duckdb::FunctionData> Resolve() {
    LogicalType left = ArgumentType(*arguments_[0]);
    LogicalType right = ArgumentType(*arguments_[1]);
    if (op_ == '-' && IsJsonb(left)) {
      return BindAnyFunction(context_, JsonbMinus(), function_, arguments_);
    }
    const bool left_known = left.id() != LogicalTypeId::INVALID;
    const bool right_known = right.id() != LogicalTypeId::INVALID;
    if (!left_known && !right_known) {
      // $1 + $2, 'a' + 'b': PostgreSQL finds no single best operator either.
      if (IsParameter(0) || IsParameter(1)) throw duckdb::ParameterNotResolvedException();
      left = right = LogicalType::INTEGER;
    } else if (!left_known) {
      left = GuessUnknown(op_, right, false);
    } else if (!right_known) {
      right = GuessUnknown(op_, left, true);
    }
    return ResolveKnown(left, right);
  }

 private:
  bool IsParameter(size_t i) const {
    return arguments_[i]->return_type.id() == LogicalTypeId::UNKNOWN;
  }

  duckdb::unique_ptr<duckdb::FunctionData> ResolveKnown(LogicalType left, LogicalType right) {
    const int left_rank = IntegerRank(left);
    const int right_rank = IntegerRank(right);
    if (left_rank > 0 && right_rank > 0)
      return Integers(IntegerOfRank(std::max(left_rank, right_rank)));
    const bool left_number = left_rank > 0 || IsFloat(left) || IsExactWide(left);
    const bool right_number = right_rank > 0 || IsFloat(right) || IsExactWide(right);
    if (left_number && right_number) {
      if (IsFloat(left) || IsFloat(right)) {
        const bool both_real =
            left.id() == LogicalTypeId::FLOAT && right.id() == LogicalTypeId::FLOAT;
        return Floats(both_real ? LogicalType::FLOAT : LogicalType::DOUBLE);
      }
      if (IsBigNumeric(left) || IsBigNumeric(right)) return BigNumbers();
      return Decimals(AsDecimal(left), AsDecimal(right));
    }
    return Temporal(std::move(left), std::move(right));
  }

  void Use(const LogicalType& left, const LogicalType& right, const LogicalType& result,
           duckdb::scalar_function_t implementation) {
    function_.arguments = {left, right};
    function_.return_type = result;
    function_.function = std::move(implementation);
    function_.bind = nullptr;
  }

  // DuckDB's own operator for exactly these types.
  duckdb::unique_ptr<duckdb::FunctionData> Delegate(const LogicalType& left,
                                                    const LogicalType& right) {
    for (size_t i = 0; i < 2; ++i) {
      const LogicalType& type = i == 0 ? left : right;
      arguments_[i] =
          duckdb::BoundCastExpression::AddCastToType(context_, std::move(arguments_[i]), type);
    }
    duckdb::FunctionBinder binder(context_);
    duckdb::ErrorData error;
    auto index = binder.BindFunction(info_.existing.name, info_.existing,
                                     duckdb::vector<LogicalType>{left, right}, error);
    if (!index.IsValid()) ThrowNoOperator(op_, left, right);
    duckdb::ScalarFunction chosen = info_.existing.GetFunctionByOffset(index.GetIndex());
    chosen.name = function_.name;
    function_ = std::move(chosen);
    if (function_.bind != nullptr) return function_.bind(context_, function_, arguments_);
    return nullptr;
  }

  duckdb::unique_ptr<duckdb::FunctionData> Integers(const LogicalType& type) {
    if (op_ != '/' && op_ != '%') return Delegate(type, type);
    const bool divide = op_ == '/';
    switch (type.id()) {
      case LogicalTypeId::SMALLINT:
        Use(type, type, type, divide ? DivideIntegers<int16_t> : ModuloIntegers<int16_t>);
        break;
      case LogicalTypeId::INTEGER:
        Use(type, type, type, divide ? DivideIntegers<int32_t> : ModuloIntegers<int32_t>);
        break;
      default:
        Use(type, type, type, divide ? DivideIntegers<int64_t> : ModuloIntegers<int64_t>);
        break;
    }
    return nullptr;
  }

  duckdb::unique_ptr<duckdb::FunctionData> Floats(const LogicalType& type) {
    if (op_ == '%') ThrowNoOperator(op_, type, type);
    if (op_ != '/') return Delegate(type, type);
    if (type.id() == LogicalTypeId::FLOAT) {
      Use(type, type, type, DivideFloats<float>);
    } else {
      Use(type, type, type, DivideFloats<double>);
    }
    return nullptr;
  }

  duckdb::unique_ptr<duckdb::FunctionData> Decimals(const LogicalType& left,
                                                    const LogicalType& right) {
    const int scales = duckdb::DecimalType::GetScale(left) + duckdb::DecimalType::GetScale(right);
    const int widths = duckdb::DecimalType::GetWidth(left) + duckdb::DecimalType::GetWidth(right);
    if (op_ == '+' || op_ == '-') return Delegate(left, right);
    if (op_ == '*' && scales <= 38 && (widths <= 38 || IsFastProduct(scales))) {
      return Delegate(left, right);
    }
    if (op_ != '%') return BigNumbers();
    const types::SqlType l = ToSqlType(left);
    const types::SqlType r = ToSqlType(right);
    const types::SqlType result =
        types::NumericType(38, std::max(l.numeric_scale(), r.numeric_scale()));
    Use(left, right, ToLogicalType(result), ModuloDecimals);
    return duckdb::make_uniq<ModuloData>(l, r, result);
  }

  // Declared widths rarely say how wide values are: price * (1 - discount) * (1 + tax) of TPC-H may
  // have 47 digits and has 12. Such products stay 128-bit integers while that leaves 26 digits
  // before the point; a product with more answers 22003. Constants are multiplied once, exactly.
  bool IsFastProduct(int scales) const {
    constexpr int kScaleMax = 12;
    return scales <= kScaleMax && !(arguments_[0]->IsFoldable() && arguments_[1]->IsFoldable());
  }

  duckdb::unique_ptr<duckdb::FunctionData> BigNumbers() {
    const LogicalType numeric = BigNumericType();
    Use(numeric, numeric, numeric, BigOperatorOf(op_));
    return nullptr;
  }

  duckdb::unique_ptr<duckdb::FunctionData> Temporal(LogicalType left, LogicalType right) {
    if (op_ == '-' && left.id() == LogicalTypeId::DATE && right.id() == LogicalTypeId::DATE) {
      Use(left, right, LogicalType::INTEGER, SubtractDates);
      return nullptr;
    }
    if (op_ == '+' && left.id() == LogicalTypeId::DATE && right.id() == LogicalTypeId::TIME) {
      Use(left, right, LogicalType::TIMESTAMP, AddDateTime);
      return nullptr;
    }
    if (IntegerRank(left) > 0 && right.id() == LogicalTypeId::DATE) left = LogicalType::INTEGER;
    if (IntegerRank(right) > 0 && left.id() == LogicalTypeId::DATE) right = LogicalType::INTEGER;
    if (op_ == '-' && left.id() == LogicalTypeId::DATE &&
        (right.id() == LogicalTypeId::TIMESTAMP || right.id() == LogicalTypeId::TIMESTAMP_TZ)) {
      left = right;
    }
    if (op_ == '-' && right.id() == LogicalTypeId::DATE &&
        (left.id() == LogicalTypeId::TIMESTAMP || left.id() == LogicalTypeId::TIMESTAMP_TZ)) {
      right = left;
    }
    const bool times = left.id() == LogicalTypeId::TIME && right.id() == LogicalTypeId::TIME;
    const bool interval =
        left.id() == LogicalTypeId::INTERVAL || right.id() == LogicalTypeId::INTERVAL;
    if ((op_ == '-' && times) || (interval && (op_ == '*' || op_ == '/'))) {
      return BindAnyFunction(context_, IntervalArithmetic(op_), function_, arguments_);
    }
    if (op_ == '*' || op_ == '/') {
      const bool left_number = IntegerRank(left) > 0 || IsFloat(left) || IsExactWide(left);
      const bool right_number = IntegerRank(right) > 0 || IsFloat(right) || IsExactWide(right);
      if (left.id() == LogicalTypeId::INTERVAL && right_number) right = LogicalType::DOUBLE;
      if (right.id() == LogicalTypeId::INTERVAL && left_number) left = LogicalType::DOUBLE;
    }
    if (left.id() == LogicalTypeId::VARCHAR && !left.HasAlias()) ThrowNoOperator(op_, left, right);
    if (right.id() == LogicalTypeId::VARCHAR && !right.HasAlias() && !left.HasAlias()) {
      ThrowNoOperator(op_, left, right);
    }
    return Delegate(left, right);
  }

  duckdb::ClientContext& context_;
  duckdb::ScalarFunction& function_;
  Arguments& arguments_;
  OperatorInfo& info_;
  const char op_;
};

duckdb::unique_ptr<duckdb::FunctionData> BindOperator(duckdb::ClientContext& context,
                                                      duckdb::ScalarFunction& function,
                                                      Arguments& arguments) {
  // A reference of its own: choosing another function drops the one of `function`.
  auto info =
      duckdb::shared_ptr_cast<duckdb::ScalarFunctionInfo, OperatorInfo>(function.function_info);
  return Resolver(context, function, arguments, *info).Resolve();
}

}  // namespace

void RegisterArithmetic(Registry& registry) {
  for (const char op : {'+', '-', '*', '/', '%'}) {
    const std::string name(1, op);
    auto info = duckdb::make_shared_ptr<OperatorInfo>(registry.Existing(name));
    info->op = op;
    duckdb::ScalarFunctionSet set(name);
    duckdb::ScalarFunction function(name, {LogicalType::ANY, LogicalType::ANY}, LogicalType::ANY,
                                    nullptr, BindOperator);
    function.function_info = info;
    // Bound even when an operand is a NULL literal: its type decides the result's.
    function.null_handling = duckdb::FunctionNullHandling::SPECIAL_HANDLING;
    set.AddFunction(function);
    // Unary plus and minus of other numbers stay DuckDB's.
    const LogicalType numeric = BigNumericType();
    if (op == '-') set.AddFunction({{numeric}, numeric, NegateBigNumbers});
    if (op == '+') set.AddFunction({{numeric}, numeric, duckdb::ScalarFunction::NopFunction});
    for (const auto& existing : info->existing.functions) {
      if (existing.arguments.size() == 1) set.AddFunction(existing);
    }
    registry.Replace(std::move(set));
    if (op == '%') {
      function.name = "mod";
      registry.Replace(function);
    }
  }
}

}  // namespace omendb::duck
