// undecided.h - what is left to check and to read of rows that an index has found.
//
// Thread safety  Pure functions.
#pragma once

#include <vector>

#include "duck/plan/plan_columns.h"
#include "exec/row_plan.h"

namespace omendb::duck {

// Of the conditions that all rows must meet, those that a row of `access` may still fail: not
// `column = value` where the access looks for just that key. Requires: the table is the plan's only
// one, and the rows are used as they are found (no newer version of one is checked again).
std::vector<exec::Expression> Undecided(std::vector<exec::Expression> conditions,
                                        const exec::IndexAccess& access,
                                        const catalog::TableDef& table, const PlanColumns& columns);

// Sets plan.columns to those of `columns` that the plan reads, and numbers its expressions anew.
// Requires: a SELECT of one table without groups.
void KeepReadColumns(const PlanColumns& columns, exec::RowPlan& plan);

}  // namespace omendb::duck
