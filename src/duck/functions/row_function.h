// row_function.h - scalar functions written over types::Value, a row at a time: for what is not
// worth a vectorized loop.
//
// Thread safety  Registration: one thread. The body runs on DuckDB's threads.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "duck/functions/registry.h"
#include "duck/session_state.h"
#include "types/value.h"

namespace omendb::duck {

struct RowFunction {
  std::string name;
  std::vector<types::SqlType> arguments;
  types::SqlType result;
  // `state` may be asked for its statement. Values and the result live in `arena` or the arguments.
  std::function<Result<types::Value>(std::span<const types::Value> arguments, SessionState& state,
                                     types::Arena& arena)>
      body;
  duckdb::FunctionStability stability = duckdb::FunctionStability::CONSISTENT;
  bool strict = true;          // NULL in, NULL out without a call
  int optional_arguments = 0;  // How many of the last may be left out.
};

// How a body is run over a chunk.
struct RowShape {
  const std::vector<types::SqlType>& arguments;
  const types::SqlType& result;
  bool strict;
  bool fold_constants;  // Constant arguments: once, for all rows.
};
using RowBody = std::function<Result<types::Value>(std::span<const types::Value> arguments,
                                                   SessionState& state, types::Arena& arena)>;
void RunRowBody(const RowShape& shape, const RowBody& body, duckdb::DataChunk& args,
                duckdb::ExpressionState& state, duckdb::Vector& result);

// One overload for each number of arguments.
void AddRowFunction(duckdb::ScalarFunctionSet& set, const RowFunction& function);
void RegisterRowFunction(Registry& registry, const RowFunction& function);

}  // namespace omendb::duck
