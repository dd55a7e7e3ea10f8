// tuning_thread.h - the thread of the process that tunes indexes, and the switch for it.
//
// Thread safety  Any thread. Add may be called under a lock that `tune` takes; Remove may not.
// Ownership      A subject must be there until Remove has returned.
#pragma once

#include <vector>

#include "base/mutex.h"

namespace omendb::index {

class TuningThread {
 public:
  // The one of the process; its thread starts when there is something to tune and never ends.
  static TuningThread& Instance();
  // Off: no subject is tuned from now on, and what was changed stays. Off at first.
  void SetEnabled(bool enabled);
  // From now on `tune(subject)` is called again and again: a step of some milliseconds at most.
  // True: the subject was in use since the last one.
  void Add(void* subject, bool (*tune)(void*));
  // Waits for a step that is under way.
  void Remove(void* subject);

 private:
  struct Subject {
    void* self;
    bool (*tune)(void*);
  };
  TuningThread() = default;
  void StartIfNeeded() OMEN_REQUIRES(mu_);
  static void Run(void* self);
  void Serve();
  // Whether any subject was in use.
  bool Round();

  Mutex mu_;
  CondVar changed_;
  std::vector<Subject> subjects_ OMEN_GUARDED_BY(mu_);
  void* current_ OMEN_GUARDED_BY(mu_) = nullptr;
  bool started_ OMEN_GUARDED_BY(mu_) = false;
  bool enabled_ OMEN_GUARDED_BY(mu_) = false;
};

}  // namespace omendb::index
