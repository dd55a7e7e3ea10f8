// bench_index - the learned index beside its peers: one program, one run, all interleaved.
//
// Every figure is the median over rounds; in each round every structure performs the same
// operations on the same keys, one structure after the other. See docs/benchmarks-index.md.
//
//   bench_index                   1 M and 10 M keys of every set
//   bench_index --keys N          everything at N keys
//   bench_index --only SUBSTRING  only sets whose name contains it
//   bench_index --operations A,B  of lookup, insert, orders, grid (more shares loaded before the
//                                 orders), threads, static, strings, stores; shifting
//   bench_index --peers A,B       of absl, art, std::map
//   bench_index --rounds N        rounds (default 5)
//   bench_index --long            50 M and 100 M keys too
#include <sched.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "base/epoch.h"
#include "bench/index/runner.h"
#include "bench/index/shifting.h"
#include "index/page_warmer.h"
#include "index/tuning_thread.h"

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
  // Threads inherit the core they may run on: the index's own must exist before we take one.
  omendb::index::PageWarmer::Instance().Request(
      nullptr, 0, [](void*) {}, nullptr);
  omendb::EpochManager epochs;  // So much retired asks for a barrier.
  epochs.Retire(
      nullptr, [](void*, void*) {}, nullptr, size_t{1} << 30);
  const bool shifting = options.operations == "shifting";
  omendb::index::TuningThread::Instance().SetEnabled(shifting);
  omendb::index::TuningThread::Instance().Add(nullptr, [](void*) { return false; });
  cpu_set_t cpu;
  CPU_ZERO(&cpu);
  CPU_SET(1, &cpu);
  if (sched_setaffinity(0, sizeof(cpu), &cpu) != 0) std::printf("not pinned to a core\n");
  if (shifting) {
    omendb::bench::RunShifting(options);
    return 0;
  }
  return omendb::bench::RunAll(options);
}
