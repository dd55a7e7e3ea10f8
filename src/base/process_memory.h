// process_memory.h - what the kernel says of this process.
//
// Thread safety  Any thread.
#pragma once

#include <cstdint>

namespace omendb {

// Bytes of resident memory that no file is behind: heap, stacks, what the allocator keeps. 0 when
// the kernel does not tell.
uint64_t AnonymousResidentBytes();

}  // namespace omendb
