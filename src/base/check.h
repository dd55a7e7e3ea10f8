// check.h - assertions about our own code, never about user input or bytes read for the first time.
//
// OMEN_CHECK is always on: cheap relations, state transitions. OMEN_DCHECK is for debug builds.
// A failed check prints the condition with its place and aborts: nothing is unwound, so nothing
// half-done is made durable.
#pragma once

namespace omendb {
[[noreturn]] void CheckFailed(const char* condition, const char* file, int line);
}  // namespace omendb

#define OMEN_CHECK(condition)                                \
  do {                                                       \
    if (!(condition)) [[unlikely]]                           \
      ::omendb::CheckFailed(#condition, __FILE__, __LINE__); \
  } while (false)

#ifdef NDEBUG
#define OMEN_DCHECK(condition)  \
  do {                          \
    if (false && (condition)) { \
    }                           \
  } while (false)
#else
#define OMEN_DCHECK(condition) OMEN_CHECK(condition)
#endif
