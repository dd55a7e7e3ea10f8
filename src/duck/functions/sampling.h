// sampling.h - TABLESAMPLE, which sql/rewrite/table_sample.cc makes a condition of: whether a row
// is in a sample depends on its id and the seed.
//
// Thread safety  Registration: one thread.
// Errors         2202H and 2202G, of shares and seeds that are none.
#pragma once

#include "duck/functions/registry.h"

namespace omendb::duck {

// omendb_sample_share(percentage real) -> the share, of 1.
// omendb_sample_seed(seed double) -> it.
// omendb_in_sample(row id, rows together, share, seed) -> whether the row is in the sample.
// omendb_no_sample() -> fails when it is bound: what is sampled is no table.
void RegisterSampling(Registry& registry);

}  // namespace omendb::duck
