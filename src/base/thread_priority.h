// thread_priority.h - which threads give way to which when processors are short.
//
// Thread safety  Any thread.
// See            sched(7): on Linux each thread has a nice value of its own, which threads that it
//                starts begin with.
#pragma once

namespace omendb {

// Of the calling thread, from 0 to 19: the greater, the less it gets beside others. It cannot be
// made less again without privileges.
void SetThreadNice(int nice);

}  // namespace omendb
