// analytical_share.h - how much of the processors analytics may take while transactions run.
//
// A nice value does not settle it: with Linux' autogroups it counts only among the threads of one
// session, of which clients on the same machine are none. So analytical threads pause:
// when transactions run, all of them together take a share of the processors; more where much is
// idle; and everything when no transactions run.
//
// Method         The limit shrinks by a third for every interval in which less than a third of the
//                machine was idle (transactions that wait for a disk want it back at once), and
//                grows by half of what was idle beyond, never below the share (additive increase,
//                multiplicative decrease). Time that was used is taken from a bucket that fills
//                at the limit's rate; who empties it pauses until it is half full.
// Thread safety  Any thread.
// Units          Processors: 1 is all the time of one of them.
// See            sched(7) and proc(5) of Linux.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>

#include "base/mutex.h"

namespace omendb {

class AnalyticalShare {
 public:
  using Nanos = std::chrono::nanoseconds;
  struct Options {
    double share = 1;       // of all processors, above 0; 1: no limit
    double processors = 1;  // how many there are
    // How many statements of transactions have run so far.
    std::function<uint64_t()> statements;
    std::function<Nanos()> now = ReadNow;
    std::function<Nanos()> idle = ReadIdle;  // of all processors together, since some moment
  };
  explicit AnalyticalShare(Options options);

  static Nanos ReadNow();
  // Of this machine; always the same when the kernel does not tell.
  static Nanos ReadIdle();

  // `used`: by the calling thread, since it last told. How long it has to pause; 0: go on.
  Nanos Use(Nanos used);
  // The same of all the processor time that the thread has taken since its last call; pauses.
  void Rest();
  // How many processors analytics may take now.
  double limit() const;

 private:
  static constexpr std::chrono::milliseconds kInterval{50};
  static constexpr std::chrono::milliseconds kBurst{2};
  // So that a cancelled statement ends soon.
  static constexpr std::chrono::milliseconds kPauseMax{20};
  // Fewer statements a second are no load.
  static constexpr double kStatementsPerSecond = 100;

  void Adapt(Nanos now) OMEN_REQUIRES(mu_);

  const Options options_;
  const double least_;  // processors
  mutable Mutex mu_;
  double limit_ OMEN_GUARDED_BY(mu_);
  Nanos adapted_at_ OMEN_GUARDED_BY(mu_){0};
  Nanos idle_ OMEN_GUARDED_BY(mu_){0};  // then
  uint64_t statements_ OMEN_GUARDED_BY(mu_) = 0;
  double bucket_ns_ OMEN_GUARDED_BY(mu_) = 0;
  Nanos filled_at_ OMEN_GUARDED_BY(mu_){0};
};

}  // namespace omendb
