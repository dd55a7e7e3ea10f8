#include "index/page_warmer.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>

#include <thread>

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
    // Signals belong to the threads of the program.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    std::thread([this] { Run(); }).detach();
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }
  wake_.NotifyOne();
}

void PageWarmer::Run() {
  pthread_setname_np(pthread_self(), "index-pages");
  // Waking up, it must not take the processor from the thread that asked.
  const sched_param param{};
  pthread_setschedparam(pthread_self(), SCHED_BATCH, &param);
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
