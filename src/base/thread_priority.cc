#include "base/thread_priority.h"

#include <sys/resource.h>
#include <unistd.h>

namespace omendb {

// Refused, the thread is as it was, which costs no more than fairness.
void SetThreadNice(int nice) {
  if (nice > 0) (void)setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), nice);
}

}  // namespace omendb
