// any_function.h - scalar functions over arguments of any type, written over types::Value: the
// types are known when a call is bound, and decide the casts of its arguments and its result.
//
// Thread safety  Registration: one thread. Bodies run on DuckDB's threads.
// Errors         A resolver that answers no signature gives 42883 naming the call's types.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "duck/functions/registry.h"
#include "duck/session_state.h"
#include "types/value.h"

namespace omendb::duck {

// What a call is run with.
struct AnySignature {
  std::vector<types::SqlType> arguments;  // The arguments are cast to these.
  types::SqlType result;
};

struct AnyFunction {
  std::string name;
  size_t min_arguments = 0;
  size_t max_arguments = 0;
  // Types as given; kUnknown of string literals, NULLs and untyped parameters.
  std::function<std::optional<AnySignature>(const std::vector<types::SqlType>& given)> resolve;
  std::function<Result<types::Value>(std::span<const types::Value> arguments,
                                     const AnySignature& signature, SessionState& state,
                                     types::Arena& arena)>
      body;
  bool strict = true;  // NULL in, NULL out without a call
  duckdb::FunctionStability stability = duckdb::FunctionStability::CONSISTENT;
};

// One function for each number of arguments from the least to the most.
void AddAnyFunction(duckdb::ScalarFunctionSet& set, const AnyFunction& function);
void RegisterAnyFunction(Registry& registry, const AnyFunction& function);
// A bound call of `function` over `arguments`: the one that AddAnyFunction added, chosen by hand.
duckdb::unique_ptr<duckdb::FunctionData> BindAnyFunction(
    duckdb::ClientContext& context, const AnyFunction& function, duckdb::ScalarFunction& target,
    duckdb::vector<duckdb::unique_ptr<duckdb::Expression>>& arguments);

// The type of a bound argument, text for a char(n); kUnknown where a literal, a NULL or a parameter
// has none.
types::SqlType GivenType(const duckdb::Expression& argument);
// "function f(integer, unknown) does not exist", with PostgreSQL's hint; or of an operator.
Status NoSuchFunction(const std::string& name, const std::vector<std::string>& types);
std::string GivenTypeName(const duckdb::Expression& argument);

}  // namespace omendb::duck
