#include "index/tuning_thread.h"

#include <algorithm>
#include <chrono>

#include "base/background_thread.h"

namespace omendb::index {

namespace {

// Between two rounds, and between rounds when nothing was in use.
constexpr auto kPeriod = std::chrono::milliseconds(20);
constexpr auto kIdlePeriod = std::chrono::milliseconds(500);

}  // namespace

TuningThread& TuningThread::Instance() {
  static auto* const thread = new TuningThread();  // Outlives every index, even at exit.
  return *thread;
}

void TuningThread::SetEnabled(bool enabled) {
  MutexLock lock(mu_);
  enabled_ = enabled;
  StartIfNeeded();
}

void TuningThread::StartIfNeeded() {
  if (enabled_ && !subjects_.empty() && !started_) {
    started_ = true;
    StartBackgroundThread("index-tuning", &TuningThread::Run, this);
  }
  changed_.NotifyAll();
}

void TuningThread::Add(void* subject, bool (*tune)(void*)) {
  MutexLock lock(mu_);
  subjects_.push_back({subject, tune});
  StartIfNeeded();
}

void TuningThread::Remove(void* subject) {
  MutexLock lock(mu_);
  std::erase_if(subjects_, [subject](const Subject& s) { return s.self == subject; });
  while (current_ == subject) changed_.Wait(mu_);
}

void TuningThread::Run(void* self) { static_cast<TuningThread*>(self)->Serve(); }

void TuningThread::Serve() {
  for (;;) {
    const bool used = Round();
    const auto next = std::chrono::steady_clock::now() + (used ? kPeriod : kIdlePeriod);
    MutexLock lock(mu_);
    while (!enabled_ || subjects_.empty()) changed_.Wait(mu_);
    while (std::chrono::steady_clock::now() < next) changed_.WaitUntil(mu_, next);
  }
}

bool TuningThread::Round() {
  bool used = false;
  std::vector<Subject> todo;
  {
    MutexLock lock(mu_);
    if (enabled_) todo = subjects_;
  }
  for (const Subject& subject : todo) {
    {
      MutexLock lock(mu_);
      const auto is_it = [&subject](const Subject& s) { return s.self == subject.self; };
      if (std::none_of(subjects_.begin(), subjects_.end(), is_it)) continue;
      current_ = subject.self;
    }
    used |= subject.tune(subject.self);
    MutexLock lock(mu_);
    current_ = nullptr;
    changed_.NotifyAll();
  }
  return used;
}

}  // namespace omendb::index
