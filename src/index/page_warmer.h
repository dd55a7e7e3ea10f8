// page_warmer.h - one thread of the process that makes memory present before it is needed.
//
// The first touch of a huge page stops a thread until the kernel (and under a hypervisor the host)
// has found and cleared 2 MB: 0.1 to 7 ms. Whoever maps memory asks for it here, a little ahead,
// and is told when it is there.
//
// Thread safety  Request from any thread. `done` runs on the warmer's thread, with no lock held.
// Ownership      The memory must stay mapped until `done` has run.
// Errors         Where the kernel cannot (before Linux 5.14) `done` comes at once and the first
//                touch costs what it did.
#pragma once

#include <cstddef>
#include <vector>

#include "base/mutex.h"

namespace omendb::index {

class PageWarmer {
 public:
  using Done = void (*)(void* context);

  // The one of the process; its thread starts with the first request and never ends.
  static PageWarmer& Instance();
  // Reads and writes of others meanwhile are safe: contents do not change.
  void Request(void* memory, size_t bytes, Done done, void* context);

 private:
  struct Task {
    void* memory;
    size_t bytes;
    Done done;
    void* context;
  };
  PageWarmer() = default;
  static void Run(void* self);
  void Serve();

  Mutex mu_;
  CondVar wake_;
  std::vector<Task> tasks_ OMEN_GUARDED_BY(mu_);
  bool started_ OMEN_GUARDED_BY(mu_) = false;
};

}  // namespace omendb::index
