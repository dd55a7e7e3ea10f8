// runner.h - what is run, over which sets and sizes.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace omendb::bench {

struct Options {
  std::vector<size_t> sizes = {1'000'000, 10'000'000};
  std::string only;
  std::string operations = "lookup,insert,grid,threads,static,strings,stores";
  std::string peers = "absl,art,std::map";
  int rounds = 5;
  int repeats = 3;  // Of orders of inserts, as often for their rates and for their latencies.
};

// 0 when everything ran; missed bars are printed, not failures.
int RunAll(const Options& options);

}  // namespace omendb::bench
