// background_thread.h - a thread of the process that does what others ask for and never ends.
//
// Thread safety  Any thread.
#pragma once

namespace omendb {

// Runs `body(argument)` on a detached thread with this name (15 characters at most). Signals are
// blocked on it: they belong to the threads of the program. It is scheduled as a batch job, so that
// waking it up does not take the processor from the thread that asked.
void StartBackgroundThread(const char* name, void (*body)(void*), void* argument);

}  // namespace omendb
