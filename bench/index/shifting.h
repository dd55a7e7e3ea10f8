// shifting.h - one workload that changes, on two indexes side by side: self-tuning on and off.
#pragma once

#include "bench/index/runner.h"

namespace omendb::bench {

// For every integer set whose name contains options.only, options.sizes keys at the end.
void RunShifting(const Options& options);

}  // namespace omendb::bench
