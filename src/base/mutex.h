// mutex.h - annotated mutex, lock and condition variable, so that clang's -Wthread-safety can
// check lock discipline (it does not understand std::mutex).
//
// See  https://clang.llvm.org/docs/ThreadSafetyAnalysis.html
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <shared_mutex>

#if defined(__clang__)
#define OMEN_TSA(x) __attribute__((x))
#else
#define OMEN_TSA(x)
#endif
#define OMEN_CAPABILITY(x) OMEN_TSA(capability(x))
#define OMEN_SCOPED_CAPABILITY OMEN_TSA(scoped_lockable)
#define OMEN_GUARDED_BY(x) OMEN_TSA(guarded_by(x))
#define OMEN_PT_GUARDED_BY(x) OMEN_TSA(pt_guarded_by(x))
#define OMEN_REQUIRES(...) OMEN_TSA(requires_capability(__VA_ARGS__))
#define OMEN_REQUIRES_SHARED(...) OMEN_TSA(requires_shared_capability(__VA_ARGS__))
#define OMEN_ACQUIRE(...) OMEN_TSA(acquire_capability(__VA_ARGS__))
#define OMEN_ACQUIRE_SHARED(...) OMEN_TSA(acquire_shared_capability(__VA_ARGS__))
#define OMEN_RELEASE(...) OMEN_TSA(release_capability(__VA_ARGS__))
#define OMEN_RELEASE_SHARED(...) OMEN_TSA(release_shared_capability(__VA_ARGS__))
#define OMEN_TRY_ACQUIRE(...) OMEN_TSA(try_acquire_capability(__VA_ARGS__))
#define OMEN_EXCLUDES(...) OMEN_TSA(locks_excluded(__VA_ARGS__))
#define OMEN_NO_THREAD_SAFETY_ANALYSIS OMEN_TSA(no_thread_safety_analysis)

namespace omendb {

class OMEN_CAPABILITY("mutex") Mutex {
 public:
  void Lock() OMEN_ACQUIRE() { mu_.lock(); }
  void Unlock() OMEN_RELEASE() { mu_.unlock(); }
  bool TryLock() OMEN_TRY_ACQUIRE(true) { return mu_.try_lock(); }

 private:
  friend class CondVar;
  std::mutex mu_;
};

class OMEN_CAPABILITY("mutex") SharedMutex {
 public:
  void Lock() OMEN_ACQUIRE() { mu_.lock(); }
  void Unlock() OMEN_RELEASE() { mu_.unlock(); }
  void LockShared() OMEN_ACQUIRE_SHARED() { mu_.lock_shared(); }
  void UnlockShared() OMEN_RELEASE_SHARED() { mu_.unlock_shared(); }

 private:
  std::shared_mutex mu_;
};

class OMEN_SCOPED_CAPABILITY MutexLock {
 public:
  explicit MutexLock(Mutex& mu) OMEN_ACQUIRE(mu) : mu_(mu) { mu_.Lock(); }
  ~MutexLock() OMEN_RELEASE() { mu_.Unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mu_;
};

class OMEN_SCOPED_CAPABILITY ReaderLock {
 public:
  explicit ReaderLock(SharedMutex& mu) OMEN_ACQUIRE_SHARED(mu) : mu_(mu) { mu_.LockShared(); }
  ~ReaderLock() OMEN_RELEASE() { mu_.UnlockShared(); }
  ReaderLock(const ReaderLock&) = delete;
  ReaderLock& operator=(const ReaderLock&) = delete;

 private:
  SharedMutex& mu_;
};

class OMEN_SCOPED_CAPABILITY WriterLock {
 public:
  explicit WriterLock(SharedMutex& mu) OMEN_ACQUIRE(mu) : mu_(mu) { mu_.Lock(); }
  ~WriterLock() OMEN_RELEASE() { mu_.Unlock(); }
  WriterLock(const WriterLock&) = delete;
  WriterLock& operator=(const WriterLock&) = delete;

 private:
  SharedMutex& mu_;
};

class CondVar {
 public:
  // The caller holds `mu`; it is released while waiting and held again on return.
  void Wait(Mutex& mu) OMEN_REQUIRES(mu) {
    std::unique_lock<std::mutex> lock(mu.mu_, std::adopt_lock);
    cv_.wait(lock);
    lock.release();
  }
  // False when `deadline` passed first.
  bool WaitUntil(Mutex& mu, std::chrono::steady_clock::time_point deadline) OMEN_REQUIRES(mu) {
    std::unique_lock<std::mutex> lock(mu.mu_, std::adopt_lock);
    const bool notified = cv_.wait_until(lock, deadline) == std::cv_status::no_timeout;
    lock.release();
    return notified;
  }
  void NotifyOne() { cv_.notify_one(); }
  void NotifyAll() { cv_.notify_all(); }

 private:
  std::condition_variable cv_;
};

}  // namespace omendb
