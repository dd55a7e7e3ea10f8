#include "index/page_warmer.h"

#include <sys/mman.h>

#include "base/background_thread.h"

namespace omendb::index {

PageWarmer& PageWarmer::Instance() {
  static auto* const warmer = new PageWarmer();  // Outlives every index, even at exit.
  return *warmer;
}

void PageWarmer::Request(void* memory, size_t bytes, Done done, void* context) {
  MutexLock lock(mu_);
  tasks_.push_back({memory, bytes, done, context});
  if (!started_) {
    started_ = true;
    StartBackgroundThread("index-pages", &PageWarmer::Run, this);
  }
  wake_.NotifyOne();
}

void PageWarmer::Run(void* self) { static_cast<PageWarmer*>(self)->Serve(); }

void PageWarmer::Serve() {
  std::vector<Task> taken;
  for (;;) {
    {
      MutexLock lock(mu_);
      while (tasks_.empty()) wake_.Wait(mu_);
      taken.swap(tasks_);
    }
    for (const Task& task : taken) {
#if defined(MADV_POPULATE_WRITE)
      madvise(task.memory, task.bytes, MADV_POPULATE_WRITE);  // Failing, it leaves it to the touch.
#endif
      task.done(task.context);
    }
    taken.clear();
  }
}

}  // namespace omendb::index
