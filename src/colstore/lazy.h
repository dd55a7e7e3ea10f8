// lazy.h - something that is loaded once, under a mutex, and then read without one.
//
// Thread safety  Any thread.
// Ownership      Owns what was loaded, as long as it lives.
#pragma once

#include <atomic>
#include <memory>
#include <utility>

#include "base/mutex.h"
#include "base/status.h"

namespace omendb::colstore {

template <typename T>
class Lazy {
 public:
  // `load` answers a Result<T>; an error is not kept.
  template <typename Load>
  Result<const T*> Get(Mutex& mu, Load load) {
    const T* ready = ready_.load(std::memory_order_acquire);
    if (ready != nullptr) return ready;
    MutexLock lock(mu);
    if (owned_ != nullptr) return owned_.get();
    OMEN_ASSIGN(T loaded, load());
    owned_ = std::make_unique<const T>(std::move(loaded));
    ready_.store(owned_.get(), std::memory_order_release);
    return owned_.get();
  }
  const T* ready() const { return ready_.load(std::memory_order_acquire); }

 private:
  std::atomic<const T*> ready_{nullptr};
  std::unique_ptr<const T> owned_;
};

}  // namespace omendb::colstore
