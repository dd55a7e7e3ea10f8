#include "tests/crash_sim/load.h"

#include <thread>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "base/sqlstate.h"
#include "testing/fault_env.h"

namespace omendb::crash_sim {
namespace {

class Counters {
 public:
  explicit Counters(const Progress& start) {
    for (size_t i = 0; i < kWorkers; ++i) counts_[i].store(start.transfers[i]);
  }
  void Set(int worker, int64_t number) { counts_[static_cast<size_t>(worker)].store(number); }
  Progress Read() const {
    Progress progress;
    for (size_t i = 0; i < kWorkers; ++i) progress.transfers[i] = counts_[i].load();
    return progress;
  }

 private:
  std::array<std::atomic<int64_t>, kWorkers> counts_;
};

// Pulls the plug at a chosen file call.
class Plug {
 public:
  Plug(testutil::MemEnv& env, const LifeOptions& options)
      : env_(env), options_(options), acknowledged_(options.start), attempted_(options.start) {}

  void PullAfter(uint64_t calls) { left_.store(static_cast<int64_t>(calls)); }
  void OnCall() {
    if (left_.fetch_sub(1) == 1) Pull();
  }
  bool pulled() const { return pulled_.load(); }
  Crash Take() {
    MutexLock lock(mu_);
    return std::move(crash_);
  }
  Counters& acknowledged() { return acknowledged_; }
  Counters& attempted() { return attempted_; }

 private:
  void Pull() {
    MutexLock lock(mu_);
    // What was acknowledged before this instant must be there, what is tried after it cannot.
    crash_.acknowledged = acknowledged_.Read();
    crash_.env = env_.CrashClone(options_.seed, options_.loss);
    crash_.attempted = attempted_.Read();
    pulled_.store(true);
  }

  testutil::MemEnv& env_;
  const LifeOptions& options_;
  Counters acknowledged_;
  Counters attempted_;
  std::atomic<int64_t> left_{INT64_MAX};
  std::atomic<bool> pulled_{false};
  Mutex mu_;
  Crash crash_ OMEN_GUARDED_BY(mu_);
};

Status Work(Bank& bank, Plug& plug, int worker, const LifeOptions& options) {
  testutil::Prng prng(options.seed * kWorkers + static_cast<uint64_t>(worker));
  int64_t number = options.start.transfers[static_cast<size_t>(worker)];
  while (!plug.pulled()) {
    plug.attempted().Set(worker, ++number);
    OMEN_TRY(bank.Transfer(worker, number, prng, std::string(options.text_bytes, 't')));
    plug.acknowledged().Set(worker, number);
  }
  return Status::Ok();
}

Status RunWorkers(engine::Database& database, Bank& bank, Plug& plug, const LifeOptions& options) {
  std::vector<Status> outcomes(kWorkers + 2);
  std::vector<std::thread> threads;
  for (int worker = 0; worker < kWorkers; ++worker) {
    threads.emplace_back(
        [&, worker] { outcomes[static_cast<size_t>(worker)] = Work(bank, plug, worker, options); });
  }
  if (options.checkpoints) {
    threads.emplace_back([&] {
      while (!plug.pulled() && outcomes[kWorkers].ok()) outcomes[kWorkers] = database.Checkpoint();
    });
  }
  if (options.freezes) {
    threads.emplace_back([&] {
      while (!plug.pulled() && outcomes[kWorkers + 1].ok()) outcomes[kWorkers + 1] = bank.Freeze();
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (Status& outcome : outcomes) OMEN_TRY(std::move(outcome));
  return Status::Ok();
}

}  // namespace

Result<Crash> Live(testutil::MemEnv& env, const LifeOptions& options) {
  Plug plug(env, options);
  testutil::FaultEnv watched(env);
  watched.SetHook([&](testutil::FaultOp, const std::string&) { plug.OnCall(); });
  OMEN_ASSIGN(auto database, OpenDatabase(watched, options.fsync));
  Bank bank(*database);
  if (Status found = bank.Find(); !found.ok()) {
    if (!found.Is(sqlstate::kUndefinedTable)) return found;
    OMEN_TRY(bank.Create());
  }
  testutil::Prng prng(options.seed);
  plug.PullAfter(1 + prng.Below(options.calls_max));
  OMEN_TRY(RunWorkers(*database, bank, plug, options));
  Crash crash = plug.Take();
  crash.rows_frozen = database->stats().rows_frozen;
  return crash;
}

Result<Crash> CrashWhileRecovering(const Crash& crash, uint64_t seed, uint64_t calls_max) {
  testutil::FaultEnv watched(*crash.env);
  testutil::Prng prng(seed);
  const uint64_t moment = prng.Below(calls_max);
  Crash second{nullptr, crash.acknowledged, crash.attempted, crash.rows_frozen};
  Mutex mu;
  watched.SetHook([&](testutil::FaultOp, const std::string&) {
    MutexLock lock(mu);
    if (second.env != nullptr || watched.op_count() < moment) return;
    second.env = crash.env->CrashClone(seed);
  });
  { OMEN_ASSIGN(const auto database, OpenDatabase(watched)); }
  if (second.env == nullptr) second.env = crash.env->CrashClone(seed);
  return second;
}

Result<Progress> Recover(const Crash& crash) {
  OMEN_ASSIGN(auto database, OpenDatabase(*crash.env));
  Bank bank(*database);
  OMEN_TRY(bank.Find());
  OMEN_ASSIGN(const Progress found, bank.Audit());
  for (size_t i = 0; i < kWorkers; ++i) {
    const int64_t number = found.transfers[i];
    if (number >= crash.acknowledged.transfers[i] && number <= crash.attempted.transfers[i]) {
      continue;
    }
    return Status(sqlstate::kInternalError,
                  "worker " + std::to_string(i) + " has " + std::to_string(number) +
                      " transfers, " + std::to_string(crash.acknowledged.transfers[i]) +
                      " were acknowledged and " + std::to_string(crash.attempted.transfers[i]) +
                      " tried");
  }
  return found;
}

}  // namespace omendb::crash_sim
