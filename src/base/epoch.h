// epoch.h - epoch-based reclamation: memory that concurrent readers may still look at is freed only
// when every reader that could have found it has left.
//
// A reader holds an EpochGuard while it follows shared pointers. A writer unlinks an object (with a
// release store or stronger) and then calls Retire; the deleter runs once no guard that was there
// at the time is held any more.
//
// Thread safety  All of EpochManager is safe from any thread; threads register themselves on their
//                first guard and leave when they end. A guard belongs to the thread that made it:
//                never keep one across a wait or a coroutine suspension.
// Cost           Entering and leaving write one line that only this thread writes. Where the kernel
//                has membarrier(2) entering needs no fence, so that the cache misses of consecutive
//                lookups overlap; the reclaiming side pays for it, unless it is the only thread
//                with a slot. Elsewhere a full fence.
// Ownership      The manager owns retired objects. Its destructor runs every pending deleter and
//                requires that no guard is held.
// Invariants     I1  An object retired at epoch r is freed only when every active slot shows an
//                    epoch > r.
//                I2  A slot shows 0 exactly when its thread holds no guard.
// See            K. Fraser, "Practical lock-freedom" (2004), chapter 5.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace omendb {

namespace epoch_internal {

struct alignas(64) Slot {
  std::atomic<uint64_t> epoch{0};  // I2; release on exit pairs with the collector's acquire.
  uint32_t depth = 0;              // Owning thread only: guards nest.
  std::atomic<bool> in_use{false};
};
struct Registry;

// The calling thread's slot in the registry, remembered per thread.
struct ThreadCache {
  uint64_t manager_id = 0;
  Slot* slot = nullptr;
};
extern constinit thread_local ThreadCache thread_cache;

}  // namespace epoch_internal

class EpochManager {
 public:
  using Deleter = void (*)(void* object, void* context);

  EpochManager();
  ~EpochManager();
  EpochManager(const EpochManager&) = delete;
  EpochManager& operator=(const EpochManager&) = delete;

  // Calls deleter(object, context) when no reader can see `object` any more; the deleter must not
  // enter a guard of this manager. `bytes` is a hint of how much memory that frees: much of it
  // makes a collection come sooner. Collections run on the retiring thread.
  void Retire(void* object, Deleter deleter, void* context, size_t bytes = 0);
  template <typename T>
  void RetireObject(T* object) {
    Retire(
        object, [](void* p, void*) { delete static_cast<T*>(p); }, nullptr, sizeof(T));
  }

  // Frees what can be freed now; returns how many deleters ran.
  size_t Collect();
  // Retired and not yet freed.
  size_t pending() const;

 private:
  friend class EpochGuard;
  [[gnu::always_inline]] epoch_internal::Slot* CurrentSlot() {
    auto& cache = epoch_internal::thread_cache;
    if (cache.manager_id == id_) [[likely]]
      return cache.slot;
    return FindSlot();
  }
  epoch_internal::Slot* FindSlot();

  const uint64_t id_;        // Never reused within the process.
  bool asymmetric_ = false;  // membarrier(2) works.
  std::atomic<uint64_t> global_{1};
  std::shared_ptr<epoch_internal::Registry> registry_;  // Shared with the threads registered.
};

class [[nodiscard]] EpochGuard {
 public:
  [[gnu::always_inline]] explicit EpochGuard(EpochManager& manager) : slot_(manager.CurrentSlot()) {
    if (slot_->depth++ != 0) return;
    // Acquire: who sees an epoch sees everything that was unlinked before it began.
    const uint64_t now = manager.global_.load(std::memory_order_acquire);
    if (manager.asymmetric_) [[likely]] {
      slot_->epoch.store(now, std::memory_order_relaxed);
      std::atomic_signal_fence(std::memory_order_seq_cst);
    } else {
      slot_->epoch.exchange(now, std::memory_order_seq_cst);
    }
  }
  [[gnu::always_inline]] ~EpochGuard() {
    if (--slot_->depth == 0) slot_->epoch.store(0, std::memory_order_release);
  }
  EpochGuard(const EpochGuard&) = delete;
  EpochGuard& operator=(const EpochGuard&) = delete;

 private:
  epoch_internal::Slot* slot_;
};

}  // namespace omendb
