// static_runner.h - what the static index costs beside the key column, and how far it points.
#pragma once

#include <cstddef>

#include "bench/index/report.h"
#include "bench/index/runner.h"

namespace omendb::bench {

// Every integer key set at `n` keys: bytes a key, blocks of 1,024 keys a lookup touches, time.
void RunStatic(const Options& options, Report& report, size_t n);

}  // namespace omendb::bench
