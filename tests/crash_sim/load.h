// load.h - one life of a database: workers move money until the power fails.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "testing/mem_env.h"
#include "tests/crash_sim/bank.h"

namespace omendb::crash_sim {

struct LifeOptions {
  uint64_t seed = 1;
  Progress start;            // Where the workers go on.
  uint64_t calls_max = 400;  // The power fails before this many file calls.
  bool checkpoints = false;  // Checkpoints run beside the load.
  bool freezes = false;      // Settled rows are moved to segments beside it.
  bool fsync = true;
  testutil::CrashLoss loss = testutil::CrashLoss::kRandom;
  size_t text_bytes = 40;  // Stored with each transfer.
};

// What a power failure left, and what must and may be there.
struct Crash {
  std::unique_ptr<testutil::MemEnv> env;
  Progress acknowledged;
  Progress attempted;
  uint64_t rows_frozen = 0;  // when the life ended
};

// Opens the bank in `env` (made if new), runs the load, and returns the moment of the failure. Any
// error of the database under load is the result.
Result<Crash> Live(testutil::MemEnv& env, const LifeOptions& options);

// Opens what the crash left and audits it: everything acknowledged is there, nothing that was never
// tried, no half transfer. The state found, or what does not hold.
Result<Progress> Recover(const Crash& crash);

// Starts to recover, and lets the power fail again at a file call before `calls_max`.
Result<Crash> CrashWhileRecovering(const Crash& crash, uint64_t seed, uint64_t calls_max);

}  // namespace omendb::crash_sim
