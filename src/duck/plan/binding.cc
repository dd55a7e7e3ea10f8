#include "duck/plan/binding.h"

#include "duck/dml/conflict_clause.h"
#include "duck/dml/joined_returning.h"
#include "duck/errors.h"
#include "duck/logical_types.h"
#include "duck/plan/char_padding.h"
#include "duck/plan/column_origin.h"
#include "duck/plan/each_expression.h"
#include "duck/plan/exact_store.h"
#include "duck/plan/merge_actions.h"
#include "duck/plan/number_comparison.h"
#include "duck/plan/statement_rewrite.h"
#include "duck/plan/time_constants.h"
#include "duck/plan/value_equality.h"
#include "duck/session_state.h"
#include "duckdb/parser/statement/insert_statement.hpp"
#include "duckdb/planner/bound_parameter_map.hpp"
#include "duckdb/planner/expression/bound_constant_expression.hpp"
#include "duckdb/planner/expression/bound_function_expression.hpp"
#include "duckdb/planner/expression/bound_parameter_expression.hpp"
#include "duckdb/planner/subquery/flatten_dependent_join.hpp"

namespace omendb::duck {

namespace {

using duckdb::LogicalType;
using duckdb::LogicalTypeId;
using Expression = duckdb::unique_ptr<duckdb::Expression>;

bool IsKnown(const LogicalType& type) {
  return type.id() != LogicalTypeId::INVALID && type.id() != LogicalTypeId::UNKNOWN &&
         type.id() != LogicalTypeId::SQLNULL && type.id() != LogicalTypeId::ANY;
}

LogicalType UnconstrainedNumeric() { return ToLogicalType({types::TypeKind::kNumeric}); }

LogicalType Settled(const LogicalType& type) {
  if (type.id() == LogicalTypeId::INTEGER_LITERAL) return LogicalType::INTEGER;
  if (type.id() == LogicalTypeId::STRING_LITERAL) return LogicalType::VARCHAR;
  // PostgreSQL's operators know no precision: a value with more digits is not to be rounded.
  if (type.id() == LogicalTypeId::DECIMAL) return UnconstrainedNumeric();
  return type;
}

struct Attempt {
  Binding binding;
  // What each untyped parameter turned out to be; INVALID where nothing is known.
  std::vector<LogicalType> inferred;
  bool consistent = true;  // All occurrences of a parameter have the same, known type.
};

void CollectTypes(duckdb::BoundParameterMap& parameters, const std::vector<LogicalType>& given,
                  Attempt& attempt) {
  attempt.inferred = given;
  // In the order of the occurrences: the first use decides, as in PostgreSQL.
  std::map<size_t, std::pair<size_t, LogicalType>> ordered;
  for (const auto& [identifier, data] : parameters.GetParameters()) {
    const size_t number = ParameterNumber(identifier);
    const size_t colon = identifier.find(':');
    const size_t occurrence =
        colon == std::string::npos ? 0 : std::stoul(identifier.substr(colon + 1));
    ordered[occurrence * 1000000 + number] = {number, data->return_type};
  }
  for (const auto& [order, found] : ordered) {
    (void)order;
    const auto& [number, type] = found;
    if (number < 1 || number > given.size() || IsKnown(given[number - 1])) continue;
    LogicalType& settled = attempt.inferred[number - 1];
    if (!IsKnown(type)) {
      attempt.consistent = false;
    } else if (!IsKnown(settled)) {
      settled = Settled(type);
      if (settled != type) attempt.consistent = false;
    } else if (settled != type) {
      attempt.consistent = false;
    }
  }
}

void CompareInConflict(duckdb::ClientContext& context, ConflictClause& conflict) {
  for (auto& expr : conflict.set_expressions) CompareNumbers(context, expr);
  if (conflict.where != nullptr) CompareNumbers(context, conflict.where);
}

Attempt TryBind(duckdb::ClientContext& context, SessionState& state,
                const duckdb::SQLStatement& statement, const RewriteInput& input) {
  Attempt attempt;
  auto copy = statement.Copy();
  RewriteStatement(*copy, input);
  duckdb::unique_ptr<duckdb::OnConflictInfo> on_conflict;
  if (copy->type == duckdb::StatementType::INSERT_STATEMENT) {
    on_conflict = std::move(copy->Cast<duckdb::InsertStatement>().on_conflict_info);
  }
  JoinedReturning returning(*copy, context);
  duckdb::case_insensitive_map_t<duckdb::BoundParameterData> no_values;
  duckdb::BoundParameterMap parameters(no_values);
  Binding& binding = attempt.binding;
  binding.binder = duckdb::Binder::CreateBinder(context);
  binding.binder->parameters = &parameters;
  std::string insert_alias;
  if (on_conflict != nullptr) {
    const auto& insert = copy->Cast<duckdb::InsertStatement>();
    insert_alias = insert.table_ref != nullptr && !insert.table_ref->alias.empty()
                       ? insert.table_ref->alias
                       : insert.table;
  }
  try {
    auto bound = binding.binder->Bind(*copy);
    binding.names = std::move(bound.names);
    binding.types = std::move(bound.types);
    binding.plan = std::move(bound.plan);
    returning.Finish(binding);
    if (on_conflict != nullptr) {
      binding.conflict =
          BindConflictClause(context, state, *binding.plan, *on_conflict, insert_alias, parameters);
    }
    binding.plan = duckdb::FlattenDependentJoins::DecorrelateIndependent(*binding.binder,
                                                                         std::move(binding.plan));
    ReadTimeWords(state, *binding.plan);
    ComputeInActions(*binding.plan);
    StoreExactly(*binding.plan);
    CompareNumbers(context, *binding.plan);
    if (binding.conflict != nullptr) CompareInConflict(context, *binding.conflict);
    CompareByValue(context, *binding.binder, *binding.plan);
    PadCharOperands(context, *binding.plan);
    FormatVectorCasts(*binding.plan);
  } catch (const duckdb::Exception& exception) {
    duckdb::ErrorData error(exception);
    if (error.Type() != duckdb::ExceptionType::PARAMETER_NOT_RESOLVED) throw;
    binding.plan = nullptr;
    attempt.consistent = false;
  }
  CollectTypes(parameters, input.param_types, attempt);
  binding.properties = binding.binder->GetStatementProperties();
  binding.binder->parameters = nullptr;
  return attempt;
}

// kParameterFunction(parameter) becomes the parameter, and that its value, where there are values.
void ReplaceParameter(Expression& expr, const std::vector<duckdb::Value>* values) {
  const std::string alias = expr->GetAlias();
  if (values != nullptr && expr->GetExpressionClass() == duckdb::ExpressionClass::BOUND_PARAMETER) {
    const auto& parameter = expr->Cast<duckdb::BoundParameterExpression>();
    duckdb::Value value = (*values)[ParameterNumber(parameter.identifier) - 1];
    if (value.IsNull()) value = duckdb::Value(parameter.return_type);
    expr = duckdb::make_uniq<duckdb::BoundConstantExpression>(std::move(value));
    expr->SetAlias(alias);
  } else if (expr->GetExpressionClass() == duckdb::ExpressionClass::BOUND_FUNCTION) {
    auto& function = expr->Cast<duckdb::BoundFunctionExpression>();
    if (function.function.name != kParameterFunction) return;
    Expression child = std::move(function.children[0]);
    expr = std::move(child);
    if (expr->GetAlias().empty()) expr->SetAlias(alias);
  }
}

void ReplaceParameters(Binding& binding, const std::vector<duckdb::Value>* values) {
  const auto replace = [&](Expression& expr) { ReplaceParameter(expr, values); };
  if (binding.plan != nullptr) EachExpression(*binding.plan, replace);
  if (binding.conflict == nullptr) return;
  for (Expression& expr : binding.conflict->set_expressions) EachExpression(expr, replace);
  if (binding.conflict->where != nullptr) EachExpression(binding.conflict->where, replace);
}

bool AllKnown(const std::vector<LogicalType>& types) {
  return std::all_of(types.begin(), types.end(), IsKnown);
}

// What nothing is known of is text; or a number, where text has no such operator: DuckDB does not
// say what a parameter beside a numeric is. `input` gets the types.
Attempt TryDefaults(duckdb::ClientContext& context, SessionState& state,
                    const duckdb::SQLStatement& statement, RewriteInput& input,
                    const std::vector<LogicalType>& inferred) {
  const auto with = [&](const LogicalType& otherwise) {
    input.param_types = inferred;
    std::replace_if(
        input.param_types.begin(), input.param_types.end(),
        [](const LogicalType& type) { return !IsKnown(type); }, otherwise);
    return TryBind(context, state, statement, input);
  };
  std::exception_ptr refused;
  try {
    return with(LogicalType::VARCHAR);
  } catch (const duckdb::Exception&) {
    if (AllKnown(inferred)) throw;
    refused = std::current_exception();
  }
  try {
    return with(UnconstrainedNumeric());
  } catch (const duckdb::Exception&) {
    std::rethrow_exception(refused);
  }
}

}  // namespace

Binding BindStatement(duckdb::ClientContext& context, SessionState& state,
                      const duckdb::SQLStatement& statement, std::vector<LogicalType> param_types) {
  param_types.resize(std::max(param_types.size(), CountParameters(statement)),
                     LogicalType::INVALID);
  RewriteInput input = MakeRewriteInput(state);
  input.context = &context;
  input.param_types = param_types;
  Attempt attempt;
  if (AllKnown(param_types)) {
    attempt = TryBind(context, state, statement, input);
  } else {
    input.split_occurrences = true;
    attempt = TryBind(context, state, statement, input);
    if (!attempt.consistent || attempt.binding.plan == nullptr) {
      input.split_occurrences = false;
      attempt = TryDefaults(context, state, statement, input, attempt.inferred);
    }
  }
  if (attempt.binding.plan == nullptr) {
    // Some places take no parameter, only constants: look at the types with NULLs in them.
    std::vector<duckdb::Value> nulls;
    for (const LogicalType& type : input.param_types) nulls.emplace_back(type);
    input.values = &nulls;
    input.split_occurrences = false;
    attempt.binding = TryBind(context, state, statement, input).binding;
    attempt.inferred = input.param_types;
    attempt.binding.needs_values = true;
  }
  attempt.binding.param_types = attempt.inferred;
  ReplaceParameters(attempt.binding, nullptr);
  return std::move(attempt.binding);
}

Binding BindWithValues(duckdb::ClientContext& context, SessionState& state,
                       const duckdb::SQLStatement& statement,
                       const std::vector<LogicalType>& param_types,
                       const std::vector<duckdb::Value>& values, bool needs_values) {
  RewriteInput input = MakeRewriteInput(state);
  input.context = &context;
  input.param_types = param_types;
  if (needs_values) input.values = &values;
  Binding binding = TryBind(context, state, statement, input).binding;
  if (binding.plan == nullptr) {
    throw duckdb::ParameterNotResolvedException();
  }
  binding.param_types = param_types;
  ReplaceParameters(binding, &values);
  return binding;
}

}  // namespace omendb::duck
