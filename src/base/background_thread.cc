#include "base/background_thread.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>

#include <thread>

namespace omendb {

void StartBackgroundThread(const char* name, void (*body)(void*), void* argument) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  std::thread([=] {
    pthread_setname_np(pthread_self(), name);
    const sched_param param{};
    pthread_setschedparam(pthread_self(), SCHED_BATCH, &param);
    body(argument);
  }).detach();
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

}  // namespace omendb
