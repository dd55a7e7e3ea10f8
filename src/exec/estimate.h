// estimate.h - how many rows a plan gives or visits, as far as indexes and statistics tell.
//
// Conditions that no index answers are not weighed, nor is how many rows fall into one group.
#pragma once

#include <cstdint>
#include <span>

#include "engine/relation.h"
#include "exec/expression.h"
#include "exec/row_plan.h"

namespace omendb::exec {

// At least 1. `params` may be fewer than the plan has: keys that need the others are guessed.
uint64_t EstimateRows(const RowPlan& plan, engine::Database& database,
                      engine::StatementContext& context, std::span<const types::Value> params);

// Whether a SELECT is going to visit more rows than this before it can end. A LIMIT ends it early
// where rows come as they are wanted: then nothing is said.
bool VisitsMoreThan(uint64_t rows, const RowPlan& plan, EvalContext& context);

}  // namespace omendb::exec
