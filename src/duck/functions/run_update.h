// run_update.h - an aggregate's update that keeps a group's state in registers while neighbouring
// rows belong to it. Rows of a segment are sorted by the primary key, so grouping by its first
// columns meets every group in runs; adding to memory row by row would wait for the last store each
// time.
//
// Thread safety  As DuckDB's aggregates: a state belongs to one thread at a time.
// Requires       OP ignores NULL and does not look at its AggregateUnaryInput.
#pragma once

#include "duckdb.hpp"
#include "duckdb/function/aggregate_function.hpp"

namespace omendb::duck {

// Whether most rows have the group of the row before, by a sample: where groups alternate, the end
// of each run would be a branch that the processor guesses wrong.
template <typename STATE>
bool ComesInRuns(const STATE* const* states, duckdb::idx_t count) {
  constexpr duckdb::idx_t kSample = 32;
  if (count < 4 * kSample) return false;
  const duckdb::idx_t step = count / kSample;
  duckdb::idx_t changes = 0;
  for (duckdb::idx_t i = 0; i < kSample; ++i) {
    changes += states[i * step] != states[i * step + 1] ? 1 : 0;
  }
  return changes <= kSample / 8;
}

template <typename STATE, typename INPUT, typename OP>
void UpdateRuns(duckdb::Vector inputs[], duckdb::AggregateInputData& data,
                duckdb::idx_t inputs_count, duckdb::Vector& states, duckdb::idx_t count) {
  if (states.GetVectorType() == duckdb::VectorType::FLAT_VECTOR) {
    STATE** const targets = duckdb::FlatVector::GetData<STATE*>(states);
    duckdb::UnifiedVectorFormat input;
    inputs[0].ToUnifiedFormat(count, input);
    if (input.validity.AllValid() && ComesInRuns(targets, count)) {
      const INPUT* const cells = duckdb::UnifiedVectorFormat::GetData<INPUT>(input);
      duckdb::AggregateUnaryInput unused(data, input.validity);
      for (duckdb::idx_t i = 0; i < count;) {
        STATE* const target = targets[i];
        STATE state = *target;
        do {
          OP::template Operation<INPUT, STATE, OP>(state, cells[input.sel->get_index(i)], unused);
        } while (++i < count && targets[i] == target);
        *target = state;
      }
      return;
    }
  }
  duckdb::AggregateFunction::UnaryScatterUpdate<STATE, INPUT, OP>(inputs, data, inputs_count,
                                                                  states, count);
}

// As AggregateFunction::UnaryAggregate, but for the update.
template <typename STATE, typename INPUT, typename RESULT, typename OP>
duckdb::AggregateFunction RunAggregate(const duckdb::LogicalType& input,
                                       const duckdb::LogicalType& result) {
  duckdb::AggregateFunction function =
      duckdb::AggregateFunction::UnaryAggregate<STATE, INPUT, RESULT, OP>(input, result);
  function.update = UpdateRuns<STATE, INPUT, OP>;
  return function;
}

}  // namespace omendb::duck
