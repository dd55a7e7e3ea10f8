// relaxed.h - the memory accesses of optimistic readers.
//
// A reader copies words that a writer may be changing and afterwards asks the version lock whether
// that happened. Every such word is an atomic accessed relaxed: no data race by the language, a
// plain move on the machine, and ThreadSanitizer stays on. The fences below order those words
// against the version; ThreadSanitizer does not model fences (and needs none, since it sees only
// atomics).
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

#if defined(__SANITIZE_THREAD__)
#define OMEN_INDEX_FENCES 0
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define OMEN_INDEX_FENCES 0
#endif
#endif
#ifndef OMEN_INDEX_FENCES
#define OMEN_INDEX_FENCES 1
#endif

// Compiled twice, for machines with AVX2 and for those without; the loader picks. Inserts once more
// for AVX-512: vectors of four words, but moved by one slot in one instruction instead of two.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && OMEN_INDEX_FENCES && \
    !defined(__SANITIZE_ADDRESS__)
#define OMEN_INDEX_CLONES __attribute__((target_clones("avx2", "default")))
#define OMEN_INDEX_CLONES_INSERT __attribute__((target_clones("arch=x86-64-v4", "avx2", "default")))
#else
#define OMEN_INDEX_CLONES
#define OMEN_INDEX_CLONES_INSERT
#endif

namespace omendb::index {

template <typename T>
class Relaxed {
 public:
  Relaxed() = default;
  explicit Relaxed(T value) : value_(value) {}
  [[gnu::always_inline]] T get() const { return value_.load(std::memory_order_relaxed); }
  [[gnu::always_inline]] void set(T value) { value_.store(value, std::memory_order_relaxed); }
  // Publishes what was written before to whoever reads it with get_acquire.
  void set_release(T value) { value_.store(value, std::memory_order_release); }
  [[gnu::always_inline]] T get_acquire() const { return value_.load(std::memory_order_acquire); }

 private:
  std::atomic<T> value_;
};
using Word = Relaxed<uint64_t>;
static_assert(sizeof(Word) == 8);

inline void AcquireFence() {
#if OMEN_INDEX_FENCES
  std::atomic_thread_fence(std::memory_order_acquire);
#endif
}
inline void ReleaseFence() {
#if OMEN_INDEX_FENCES
  std::atomic_thread_fence(std::memory_order_release);
#endif
}

// Always inline: GCC takes a function that only prefetches for one without effect and drops the
// call.
[[gnu::always_inline]] inline void Prefetch(const void* p) { __builtin_prefetch(p, 0, 3); }
[[gnu::always_inline]] inline void PrefetchWrite(const void* p) { __builtin_prefetch(p, 1, 3); }

// A clock for differences: of one thread, in whatever unit.
inline uint64_t Ticks() {
#if defined(__x86_64__)
  return __builtin_ia32_rdtsc();
#else
  return static_cast<uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
#endif
}

inline void CpuRelax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// Optimistic lock: readers remember an even version and compare afterwards; a writer holds it odd.
//
//   free -> locked -> free (version + 4)      dead is final: the object has been replaced, whoever
//             |-----> dead                    meets it starts again from the root
//
// The version counts every holder, also one who has changed nothing: a reader who meets the lock on
// his way gives up what he is at, and whoever reads on must find out by the version.
class VersionLock {
 public:
  static constexpr uint64_t kLocked = 1, kDead = 2, kStep = 4;

  [[gnu::always_inline]] uint64_t Read() const { return word_.load(std::memory_order_acquire); }
  static bool Readable(uint64_t version) { return (version & (kLocked | kDead)) == 0; }
  [[gnu::always_inline]] bool Unchanged(uint64_t version) const {
    AcquireFence();
    return word_.load(std::memory_order_relaxed) == version;
  }
  // True when locked; false when somebody else holds it or it is dead.
  bool TryLock() {
    uint64_t version = word_.load(std::memory_order_relaxed);
    if (!Readable(version)) return false;
    if (!word_.compare_exchange_strong(version, version | kLocked, std::memory_order_acquire)) {
      return false;
    }
    ReleaseFence();
    return true;
  }
  // True when locked, and nobody has held it since it showed `version`.
  bool TryLockAt(uint64_t version) {
    if (!word_.compare_exchange_strong(version, version | kLocked, std::memory_order_acquire)) {
      return false;
    }
    ReleaseFence();
    return true;
  }
  // Of one who locked it at `version`.
  void UnlockAt(uint64_t version) { word_.store(version + kStep, std::memory_order_release); }
  void Unlock() {
    word_.store((word_.load(std::memory_order_relaxed) & ~kLocked) + kStep,
                std::memory_order_release);
  }
  void UnlockDead() {
    word_.store(((word_.load(std::memory_order_relaxed) & ~kLocked) + kStep) | kDead,
                std::memory_order_release);
  }

 private:
  std::atomic<uint64_t> word_{0};
};

}  // namespace omendb::index