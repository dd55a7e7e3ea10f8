#include <gtest/gtest.h>

#include "exec/expression.h"
#include "types/big_math.h"

namespace omendb::exec {
namespace {

using types::SqlType;
using types::TypeKind;
using types::Value;

constexpr SqlType kBool{TypeKind::kBool};
constexpr SqlType kInt4{TypeKind::kInt4};
constexpr SqlType kInt8{TypeKind::kInt8};
constexpr SqlType kText{TypeKind::kText};

Expression Constant(SqlType type, Value value) {
  Expression e;
  e.op = Op::kConstant;
  e.type = type;
  e.constant = value;
  return e;
}
Expression Int(int32_t i) { return Constant(kInt4, Value::Int32(i)); }
Expression Truth(int b) {  // 0, 1, or -1 for NULL
  return Constant(kBool, b < 0 ? Value::Null() : Value::Bool(b != 0));
}
Expression Of(Op op, SqlType type, std::vector<Expression> children) {
  Expression e;
  e.op = op;
  e.type = type;
  e.children = std::move(children);
  return e;
}

class EvaluateTest : public testing::Test {
 protected:
  EvaluateTest() {
    context_.statement = &statement_;
    context_.arena = &arena_;
  }
  Value Eval(const Expression& e) {
    auto value = Evaluate(e, context_);
    EXPECT_TRUE(value.ok()) << value.status().ToString();
    return value.ok() ? *value : Value::Null();
  }
  // -1 NULL, 0 false, 1 true.
  int EvalTruth(const Expression& e) {
    const Value v = Eval(e);
    return v.is_null ? -1 : static_cast<int>(v.boolean);
  }
  std::string Error(const Expression& e) { return Evaluate(e, context_).status().ToString(); }

  engine::StatementContext statement_;
  types::Arena arena_;
  EvalContext context_;
};

TEST_F(EvaluateTest, AndOrNotFollowThreeValuedLogic) {
  for (int a = -1; a <= 1; ++a) {
    for (int b = -1; b <= 1; ++b) {
      const int expected_and = a == 0 || b == 0 ? 0 : (a < 0 || b < 0 ? -1 : 1);
      const int expected_or = a == 1 || b == 1 ? 1 : (a < 0 || b < 0 ? -1 : 0);
      EXPECT_EQ(EvalTruth(Of(Op::kAnd, kBool, {Truth(a), Truth(b)})), expected_and);
      EXPECT_EQ(EvalTruth(Of(Op::kOr, kBool, {Truth(a), Truth(b)})), expected_or);
    }
    EXPECT_EQ(EvalTruth(Of(Op::kNot, kBool, {Truth(a)})), a < 0 ? -1 : 1 - a);
  }
}

TEST_F(EvaluateTest, ComparisonWithNullIsNullButDistinctFromIsNot) {
  const Expression null = Constant(kInt4, Value::Null());
  EXPECT_EQ(EvalTruth(Of(Op::kEqual, kBool, {Int(1), null})), -1);
  EXPECT_EQ(EvalTruth(Of(Op::kIsDistinctFrom, kBool, {Int(1), null})), 1);
  EXPECT_EQ(EvalTruth(Of(Op::kIsNotDistinctFrom, kBool, {Int(1), null})), 0);
  EXPECT_EQ(EvalTruth(Of(Op::kIsDistinctFrom, kBool, {null, null})), 0);
  EXPECT_EQ(EvalTruth(Of(Op::kIsNotDistinctFrom, kBool, {null, null})), 1);
  EXPECT_EQ(EvalTruth(Of(Op::kIsNotDistinctFrom, kBool, {Int(2), Int(2)})), 1);
}

TEST_F(EvaluateTest, InWithNullIsTrueOrUnknownNeverFalse) {
  const Expression null = Constant(kInt4, Value::Null());
  EXPECT_EQ(EvalTruth(Of(Op::kIn, kBool, {Int(1), Int(2), Int(1)})), 1);
  EXPECT_EQ(EvalTruth(Of(Op::kIn, kBool, {Int(3), Int(2), Int(1)})), 0);
  EXPECT_EQ(EvalTruth(Of(Op::kIn, kBool, {Int(3), null, Int(1)})), -1);
  EXPECT_EQ(EvalTruth(Of(Op::kIn, kBool, {Int(1), null, Int(1)})), 1);
}

TEST_F(EvaluateTest, IntegerArithmeticIsCheckedAsInPostgres) {
  EXPECT_EQ(Eval(Of(Op::kAdd, kInt4, {Int(2), Int(3)})).i32, 5);
  EXPECT_EQ(Eval(Of(Op::kDivide, kInt4, {Int(-7), Int(2)})).i32, -3);
  EXPECT_EQ(Eval(Of(Op::kModulo, kInt4, {Int(-7), Int(2)})).i32, -1);
  EXPECT_EQ(Error(Of(Op::kAdd, kInt4, {Int(INT32_MAX), Int(1)})), "22003: integer out of range");
  EXPECT_EQ(Error(Of(Op::kSubtract, kInt4, {Int(INT32_MIN), Int(1)})),
            "22003: integer out of range");
  EXPECT_EQ(Error(Of(Op::kDivide, kInt4, {Int(1), Int(0)})), "22012: division by zero");
  const Expression big = Constant(kInt8, Value::Int64(INT64_MAX));
  EXPECT_EQ(Error(Of(Op::kAdd, kInt8, {big, Constant(kInt8, Value::Int64(1))})),
            "22003: bigint out of range");
  EXPECT_TRUE(Eval(Of(Op::kAdd, kInt4, {Int(1), Constant(kInt4, Value::Null())})).is_null);
}

// What takes the short way gives the same digits and scale as what does not.
TEST_F(EvaluateTest, NumericsWithoutPrecisionAreComputedExactly) {
  const SqlType numeric{TypeKind::kNumeric};
  const char* const numbers[] = {
      "0",     "-0.00", "1",          "9.99",      "-12345678901234567890.5",
      "1e37",  "1e-37", "0.00000001", "-1e20",     "12345678901234567890123456789012345678",
      "1e200", "NaN",   "Infinity",   "-Infinity", "99999999999999999999999999999999999999"};
  const std::pair<Op,
                  Result<types::BigNumeric> (*)(const types::BigNumeric&, const types::BigNumeric&)>
      operators[] = {{Op::kAdd, types::AddBig},
                     {Op::kSubtract, types::SubtractBig},
                     {Op::kMultiply, types::MultiplyBig},
                     {Op::kDivide, types::DivideBig},
                     {Op::kModulo, types::ModuloBig}};
  types::Arena arena;
  for (const char* const a : numbers) {
    for (const char* const b : numbers) {
      const auto left = types::ParseBig(a);
      const auto right = types::ParseBig(b);
      ASSERT_TRUE(left.ok() && right.ok());
      for (const auto& [op, big] : operators) {
        const Expression e = Of(op, numeric,
                                {Constant(numeric, types::ToValue(*left, arena)),
                                 Constant(numeric, types::ToValue(*right, arena))});
        const auto expected = big(*left, *right);
        const auto found = Evaluate(e, context_);
        ASSERT_EQ(found.ok(), expected.ok()) << a << " " << b;
        if (!found.ok()) continue;
        EXPECT_EQ(found->str(), types::ToValue(*expected, arena).str()) << a << " " << b;
      }
    }
  }
}

TEST_F(EvaluateTest, CaseTakesTheFirstTrueBranchAndElseNull) {
  EXPECT_EQ(Eval(Of(Op::kCase, kInt4, {Truth(-1), Int(1), Truth(1), Int(2), Int(3)})).i32, 2);
  EXPECT_EQ(Eval(Of(Op::kCase, kInt4, {Truth(0), Int(1), Int(3)})).i32, 3);
  EXPECT_TRUE(Eval(Of(Op::kCase, kInt4, {Truth(0), Int(1)})).is_null);
  // The branch not taken is not evaluated.
  const Expression failing = Of(Op::kDivide, kInt4, {Int(1), Int(0)});
  EXPECT_EQ(Eval(Of(Op::kCase, kInt4, {Truth(1), Int(7), failing})).i32, 7);
}

TEST_F(EvaluateTest, CoalesceConcatAndCasts) {
  const Expression null = Constant(kText, Value::Null());
  const Expression a = Constant(kText, Value::String("a"));
  const Expression b = Constant(kText, Value::String("bc"));
  EXPECT_EQ(Eval(Of(Op::kCoalesce, kText, {null, b})).str(), "bc");
  EXPECT_EQ(Eval(Of(Op::kConcat, kText, {a, b})).str(), "abc");
  EXPECT_TRUE(Eval(Of(Op::kConcat, kText, {a, null})).is_null);
  EXPECT_EQ(Eval(Of(Op::kCast, kInt8, {Int(-5)})).i64, -5);
  EXPECT_EQ(Error(Of(Op::kCast, kInt4, {Constant(kText, Value::String("x1"))})),
            "22P02: invalid input syntax for type integer: \"x1\"");
}

TEST_F(EvaluateTest, ParametersColumnsAndExcludedComeFromTheContext) {
  const std::vector<Value> params{Value::Int32(10)};
  const std::vector<Value> row{Value::Int32(20), Value::Int32(21)};
  const std::vector<Value> excluded{Value::Int32(30)};
  context_.params = params;
  context_.row = row;
  context_.excluded = excluded;
  Expression parameter = Of(Op::kParameter, kInt4, {});
  Expression column = Of(Op::kColumn, kInt4, {});
  column.index = 1;
  Expression proposed = Of(Op::kExcluded, kInt4, {});
  EXPECT_EQ(Eval(Of(Op::kAdd, kInt4, {parameter, column})).i32, 31);
  EXPECT_EQ(Eval(proposed).i32, 30);
}

}  // namespace
}  // namespace omendb::exec
