// bench_index - the learned index beside its peers: one program, one run, all interleaved.
//
// Every figure is the median over rounds; in each round every structure performs the same
// operations on the same keys, one structure after the other. See docs/benchmarks-index.md.
//
//   bench_index                    headline bars: 1 M keys on every set, 10 M where a bar asks for
//   it index_bench --keys N           everything at N keys index_bench --only SUBSTRING   only sets
//   whose name contains it index_bench --rounds N         rounds (default 5) index_bench --long 50
//   M and 100 M keys too
#include <sched.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "bench/index/runner.h"

int main(int argc, char** argv) {
  using omendb::bench::Options;
  Options options;
  for (int i = 1; i < argc; ++i) {
    const auto value = [&] { return i + 1 < argc ? argv[++i] : ""; };
    if (std::strcmp(argv[i], "--keys") == 0) {
      options.sizes = {static_cast<size_t>(std::atoll(value()))};
    } else if (std::strcmp(argv[i], "--only") == 0) {
      options.only = value();
    } else if (std::strcmp(argv[i], "--operations") == 0) {
      options.operations = value();
    } else if (std::strcmp(argv[i], "--peers") == 0) {
      options.peers = value();
    } else if (std::strcmp(argv[i], "--rounds") == 0) {
      options.rounds = std::atoi(value());
    } else if (std::strcmp(argv[i], "--long") == 0) {
      options.sizes = {1'000'000, 10'000'000, 50'000'000, 100'000'000};
    } else if (std::strcmp(argv[i], "--quick") != 0) {
      std::fprintf(stderr, "unknown argument %s\n", argv[i]);
      return 2;
    }
  }
  cpu_set_t cpu;
  CPU_ZERO(&cpu);
  CPU_SET(1, &cpu);
  if (sched_setaffinity(0, sizeof(cpu), &cpu) != 0) std::printf("not pinned to a core\n");
  return omendb::bench::RunAll(options);
}
