#include "base/analytical_share.h"

#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <string>
#include <thread>

namespace omendb {
namespace {

using Nanos = AnalyticalShare::Nanos;

double SecondsOf(Nanos time) { return std::chrono::duration<double>(time).count(); }

Nanos ReadClock(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return std::chrono::seconds(time.tv_sec) + Nanos(time.tv_nsec);
}

}  // namespace

AnalyticalShare::AnalyticalShare(Options options)
    : options_(std::move(options)),
      least_(options_.share * options_.processors),
      limit_(options_.processors) {}

Nanos AnalyticalShare::ReadNow() { return ReadClock(CLOCK_MONOTONIC); }

// The first line of /proc/stat, see proc(5): user, nice, system, idle, waiting for a disk, ...
Nanos AnalyticalShare::ReadIdle() {
  std::ifstream stat("/proc/stat");
  std::string name;
  int64_t busy = 0;
  int64_t idle = 0;
  int64_t waiting = 0;
  if (!(stat >> name >> busy >> busy >> busy >> idle >> waiting) || name != "cpu") return Nanos(0);
  return Nanos((idle + waiting) * (1'000'000'000 / sysconf(_SC_CLK_TCK)));
}

void AnalyticalShare::Adapt(Nanos now) {
  const double seconds = SecondsOf(now - adapted_at_);
  const Nanos idle_now = options_.idle();
  const double idle = SecondsOf(idle_now - idle_) / seconds;
  const uint64_t statements = options_.statements();
  const double rate = static_cast<double>(statements - statements_) / seconds;
  const double spare = options_.processors / 3;
  if (rate < kStatementsPerSecond) {
    limit_ = options_.processors;
  } else if (idle < spare) {
    limit_ = std::max(least_, limit_ * 2 / 3);
  } else {
    limit_ = std::min(options_.processors, limit_ + (idle - spare) / 2);
  }
  adapted_at_ = now;
  idle_ = idle_now;
  statements_ = statements;
}

Nanos AnalyticalShare::Use(Nanos used) {
  if (least_ >= options_.processors) return Nanos(0);
  MutexLock lock(mu_);
  const Nanos now = options_.now();
  if (now - adapted_at_ >= kInterval) Adapt(now);
  const double burst = limit_ * static_cast<double>(Nanos(kBurst).count());
  const auto passed = static_cast<double>((now - filled_at_).count());
  bucket_ns_ = std::min(burst, bucket_ns_ + limit_ * passed) - static_cast<double>(used.count());
  filled_at_ = now;
  if (bucket_ns_ >= 0 || limit_ >= options_.processors) {
    bucket_ns_ = std::max(bucket_ns_, 0.0);
    return Nanos(0);
  }
  return std::min<Nanos>(kPauseMax, Nanos(static_cast<int64_t>((burst / 2 - bucket_ns_) / limit_)));
}

void AnalyticalShare::Rest() {
  constexpr std::chrono::microseconds kOften{200};
  thread_local Nanos rested_at{0};
  thread_local Nanos used_before{0};
  const Nanos now = ReadNow();
  if (now - rested_at < kOften) return;
  const Nanos used = ReadClock(CLOCK_THREAD_CPUTIME_ID);
  const Nanos pause = Use(std::min(used - used_before, now - rested_at));
  used_before = used;
  if (pause > Nanos(0)) std::this_thread::sleep_for(pause);
  rested_at = ReadNow();
}

double AnalyticalShare::limit() const {
  MutexLock lock(mu_);
  return limit_;
}

}  // namespace omendb
