// open_files.h - how many files and sockets the process may have open.
//
// Thread safety  Any thread.
// See            getrlimit(2): the soft limit, often 1,024, holds; a process may raise it as far as
//                the hard one, often 2^19. It is that low for select(2), which nobody here calls.
#pragma once

namespace omendb {

// As many as the hard limit allows: each segment and each index run is one. Where that fails, it
// stays as it is.
void AllowAllOpenFiles();

}  // namespace omendb
