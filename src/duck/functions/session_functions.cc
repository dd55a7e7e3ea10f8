#include "duck/functions/session_functions.h"

#include <chrono>
#include <map>

#include "base/sqlstate.h"
#include "duck/errors.h"
#include "duck/functions/row_function.h"
#include "duck/functions/sequence_name.h"
#include "duck/logical_types.h"

namespace omendb::duck {

namespace {

using types::SqlType;
using types::TypeKind;
using types::Value;

constexpr SqlType kBigint{TypeKind::kInt8};
constexpr SqlType kText{TypeKind::kText};
constexpr SqlType kBool{TypeKind::kBool};
constexpr SqlType kRegclass{TypeKind::kRegclass};
constexpr SqlType kOid{TypeKind::kOid};
constexpr SqlType kTimestampTz{TypeKind::kTimestampTz};

Result<Value> NextValue(const SqlType& type, std::span<const Value> arguments,
                        SessionState& state) {
  OMEN_ASSIGN(auto sequence, FindSequence(state, type, arguments[0]));
  auto* observer = state.RequireStatement().sequence_observer;
  if (observer != nullptr) {
    OMEN_TRY(observer->CheckUse(*sequence, engine::SequenceObserver::Access::kNext));
  }
  OMEN_ASSIGN(const int64_t value, state.database->NextValue(*sequence));
  if (observer != nullptr) observer->OnNextValue(sequence->oid, value);
  return Value::Int64(value);
}

Result<Value> SetValue(const SqlType& type, std::span<const Value> arguments, SessionState& state) {
  OMEN_ASSIGN(auto sequence, FindSequence(state, type, arguments[0]));
  auto* observer = state.RequireStatement().sequence_observer;
  if (observer != nullptr) {
    OMEN_TRY(observer->CheckUse(*sequence, engine::SequenceObserver::Access::kSet));
  }
  const int64_t value = arguments[1].i64;
  if (value < sequence->min_value || value > sequence->max_value) {
    return Status(sqlstate::kNumericValueOutOfRange,
                  "setval: value " + std::to_string(value) + " is out of bounds for sequence \"" +
                      sequence->name + "\" (" + std::to_string(sequence->min_value) + ".." +
                      std::to_string(sequence->max_value) + ")");
  }
  const bool is_called = arguments.size() < 3 || arguments[2].boolean;
  OMEN_TRY(state.database->SetSequence(*sequence, {value, is_called}));
  if (is_called && observer != nullptr) observer->OnNextValue(sequence->oid, value);
  return Value::Int64(value);
}

}  // namespace

void RegisterSequences(Registry& registry) {
  duckdb::ScalarFunctionSet nextval("nextval");
  duckdb::ScalarFunctionSet setval("setval");
  for (const SqlType& type : {kText, kRegclass, kOid}) {
    AddRowFunction(nextval, {"nextval",
                             {type},
                             kBigint,
                             [type](std::span<const Value> args, SessionState& state,
                                    types::Arena&) { return NextValue(type, args, state); },
                             duckdb::FunctionStability::VOLATILE});
    AddRowFunction(setval, {"setval",
                            {type, kBigint, kBool},
                            kBigint,
                            [type](std::span<const Value> args, SessionState& state,
                                   types::Arena&) { return SetValue(type, args, state); },
                            duckdb::FunctionStability::VOLATILE,
                            true,
                            1});
  }
  registry.Replace(std::move(nextval));
  registry.Replace(std::move(setval));
  RegisterRowFunction(
      registry,
      {"sequence_last_value",
       {kOid},
       kBigint,
       [](std::span<const Value> args, SessionState& state, types::Arena&) -> Result<Value> {
         OMEN_ASSIGN(auto sequence, FindSequence(state, kOid, args[0]));
         return Value::Int64(state.database->GetSequence(*sequence).last_value);
       },
       duckdb::FunctionStability::VOLATILE});
  RegisterRowFunction(
      registry,
      {"sequence_is_called",
       {kOid},
       kBool,
       [](std::span<const Value> args, SessionState& state, types::Arena&) -> Result<Value> {
         OMEN_ASSIGN(auto sequence, FindSequence(state, kOid, args[0]));
         return Value::Bool(state.database->GetSequence(*sequence).is_called);
       },
       duckdb::FunctionStability::VOLATILE});
}

void RegisterClocks(Registry& registry) {
  for (const char* name : {"now", "get_current_timestamp", "transaction_timestamp",
                           "statement_timestamp", "current_timestamp"}) {
    RegisterRowFunction(
        registry, {name,
                   {},
                   kTimestampTz,
                   [](std::span<const Value>, SessionState& state, types::Arena&) -> Result<Value> {
                     return Value::Int64(state.RequireStatement().txn->start_micros());
                   },
                   duckdb::FunctionStability::CONSISTENT_WITHIN_QUERY});
  }
  RegisterRowFunction(
      registry,
      {"clock_timestamp",
       {},
       kTimestampTz,
       [](std::span<const Value>, SessionState&, types::Arena&) -> Result<Value> {
         const auto now = std::chrono::system_clock::now().time_since_epoch();
         return Value::Int64(std::chrono::duration_cast<std::chrono::microseconds>(now).count());
       },
       duckdb::FunctionStability::VOLATILE});
}

void RegisterSessionFunctions(Registry& registry, SessionFunctions& functions) {
  std::map<std::string, duckdb::ScalarFunctionSet> sets;
  const auto& declared = functions.functions();
  for (size_t i = 0; i < declared.size(); ++i) {
    const SessionFunctions::Declaration& declaration = declared[i];
    auto [it, added] = sets.try_emplace(declaration.name, declaration.name);
    (void)added;
    AddRowFunction(
        it->second,
        {declaration.name, declaration.arguments, declaration.result,
         [i, &functions](std::span<const Value> args, SessionState& state, types::Arena& arena) {
           return functions.Call(i, args, state.RequireStatement(), state.session_data, arena);
         },
         declaration.stable ? duckdb::FunctionStability::CONSISTENT_WITHIN_QUERY
                            : duckdb::FunctionStability::VOLATILE,
         declaration.strict, declaration.optional_arguments});
  }
  for (auto& [name, set] : sets) {
    (void)name;
    registry.Replace(std::move(set));
  }
}

}  // namespace omendb::duck
