// access.h - finding the rows of an IndexAccess; internal to exec.
//
// Matching rows are collected before anything is done with them: a sink may wait for a slow client,
// and an UPDATE must not meet its own new versions.
#pragma once

#include <boost/container/small_vector.hpp>
#include <functional>
#include <vector>

#include "exec/row_executor.h"

namespace omendb::exec {

// The values of a row or a key, on the stack where they are few.
using Values = boost::container::small_vector<types::Value, 8>;

// Rows found, with the plan's columns read: row i has values [i * columns, (i + 1) * columns).
struct Matches {
  boost::container::small_vector<engine::RowRef, 2> rows;
  Values values;
  std::span<const types::Value> row(size_t i, size_t columns_count) const {
    return {values.data() + i * columns_count, columns_count};
  }
};

// Calls `visit` for each row of `access`, in index order, until it answers false. The access's
// expressions see context.row. `rows_wanted`: it is likely to answer false after so many.
Status VisitRows(const IndexAccess& access, engine::Relation& relation, EvalContext& context,
                 uint64_t rows_wanted,
                 const std::function<Result<bool>(const engine::RowRef&)>& visit);

// Rows of the access that pass plan.filter, in index order, at most `rows_max`.
Status FindRows(const RowPlan& plan, engine::Relation& relation, EvalContext& context,
                uint64_t rows_max, Matches& matches);

// Reads the plan's columns of `row` into `values` and says whether plan.filter holds.
Result<bool> ReadAndTest(const RowPlan& plan, engine::Relation& relation, EvalContext& context,
                         const engine::RowRef& row, std::vector<types::Value>& values);

}  // namespace omendb::exec
