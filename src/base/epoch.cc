#include "base/epoch.h"

#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <deque>
#include <vector>

#include "base/background_thread.h"
#include "base/check.h"
#include "base/mutex.h"

#if defined(__SANITIZE_THREAD__)
#define OMEN_EPOCH_ASYMMETRIC 0  // ThreadSanitizer does not know membarrier(2).
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define OMEN_EPOCH_ASYMMETRIC 0
#else
#define OMEN_EPOCH_ASYMMETRIC 1
#endif
#else
#define OMEN_EPOCH_ASYMMETRIC 1
#endif

namespace omendb {
namespace epoch_internal {

constinit thread_local ThreadCache thread_cache;

// A collection after this many retirements, or this much memory: frequent enough to bound what is
// held back, rare enough that scanning the slots does not show.
constexpr size_t kCollectEveryCount = 256;
constexpr size_t kCollectEveryBytes = 256 << 10;
// The same for a thread that is alone, and needs no barrier.
constexpr size_t kAloneEveryCount = 64;
constexpr size_t kAloneEveryBytes = 64 << 10;

struct Retired {
  void* object;
  EpochManager::Deleter deleter;
  void* context;
  uint64_t epoch;
};

struct Registry {
  Mutex mu;
  std::deque<Slot> slots OMEN_GUARDED_BY(mu);  // A deque: slots never move.
  std::vector<Retired> retired OMEN_GUARDED_BY(mu);
  size_t retired_since_collect OMEN_GUARDED_BY(mu) = 0;
  size_t bytes_since_collect OMEN_GUARDED_BY(mu) = 0;
  uint64_t barrier_ticket OMEN_GUARDED_BY(mu) = 0;  // Of the barrier asked for, 0 = none.
  uint64_t barrier_epoch OMEN_GUARDED_BY(mu) = 0;   // The epoch that began before it.

  // Not before an eighth of all is new: where a guard holds much back, looking at it stays cheap.
  bool Due(size_t count, size_t bytes) const OMEN_REQUIRES(mu) {
    return retired_since_collect >= retired.size() / 8 &&
           (retired_since_collect >= count || bytes_since_collect >= bytes);
  }
  // A new epoch: objects retired from now on carry a later one than any guard entered before.
  uint64_t Begin(std::atomic<uint64_t>& global) OMEN_REQUIRES(mu) {
    retired_since_collect = 0;
    bytes_since_collect = 0;
    return global.fetch_add(1, std::memory_order_seq_cst) + 1;
  }
  // Whether no thread but this one has a slot: a new one waits for `mu`, and then finds nothing
  // that was unlinked before.
  bool Alone(uint64_t manager_id) OMEN_REQUIRES(mu) {
    const Slot* own = thread_cache.manager_id == manager_id ? thread_cache.slot : nullptr;
    for (const Slot& slot : slots) {
      if (&slot != own && slot.in_use.load(std::memory_order_acquire)) return false;
    }
    return true;
  }
  // Moves to `expired` what was retired before `now` and before any guard still held. The caller
  // has seen a barrier of all threads completed that was begun after epoch `now` was.
  void TakeExpired(uint64_t now, std::vector<Retired>* expired) OMEN_REQUIRES(mu) {
    uint64_t oldest = now;
    for (Slot& slot : slots) {
      const uint64_t epoch = slot.epoch.load(std::memory_order_seq_cst);
      if (epoch != 0 && epoch < oldest) oldest = epoch;
    }
    size_t kept = 0;
    for (Retired& r : retired) {
      if (r.epoch < oldest) {
        expired->push_back(r);
      } else {
        retired[kept++] = r;
      }
    }
    retired.resize(kept);
  }

  Slot* Acquire() {
    MutexLock lock(mu);
    for (Slot& slot : slots) {
      if (slot.in_use.load(std::memory_order_acquire)) continue;
      slot.in_use.store(true, std::memory_order_relaxed);
      return &slot;
    }
    Slot& slot = slots.emplace_back();
    slot.in_use.store(true, std::memory_order_relaxed);
    return &slot;
  }
};

namespace {

std::atomic<uint64_t> next_manager_id{1};

// Every (manager, slot) the thread has used. Holding the registry keeps the slots alive when the
// manager goes first.
struct ThreadSlots {
  struct Entry {
    uint64_t manager_id;
    Slot* slot;
    std::shared_ptr<Registry> registry;
  };
  std::vector<Entry> entries;
  ~ThreadSlots() {
    thread_cache = ThreadCache{};
    for (Entry& entry : entries) {
      entry.slot->epoch.store(0, std::memory_order_release);
      entry.slot->in_use.store(false, std::memory_order_release);
    }
  }
};
thread_local ThreadSlots thread_slots;

// This much retired means that the barrier thread does not keep up: then the retiring thread waits.
constexpr size_t kWaitFromCount = 64 * kCollectEveryCount;

void BarrierOfAllThreads() {
  OMEN_CHECK(syscall(__NR_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) == 0);
}

// Runs membarrier(2) for whoever cannot wait: it interrupts every processor that runs a thread of
// ours, and one whose host has put it aside answers only milliseconds later.
class BarrierThread {
 public:
  static BarrierThread& Instance() {
    static auto* const thread = new BarrierThread();  // Outlives every manager, even at exit.
    return *thread;
  }
  // The ticket of a barrier that begins after this call.
  uint64_t Request() {
    MutexLock lock(mu_);
    if (!started_) {
      started_ = true;
      StartBackgroundThread("epoch-barrier", &BarrierThread::Run, this);
    }
    wake_.NotifyOne();
    return ++requested_;
  }
  bool Completed(uint64_t ticket) const {
    return completed_.load(std::memory_order_acquire) >= ticket;
  }

 private:
  static void Run(void* self) { static_cast<BarrierThread*>(self)->Serve(); }
  void Serve() {
    for (uint64_t done = 0;;) {
      {
        MutexLock lock(mu_);
        while (requested_ == done) wake_.Wait(mu_);
        done = requested_;
      }
      BarrierOfAllThreads();
      completed_.store(done, std::memory_order_release);
    }
  }

  Mutex mu_;
  CondVar wake_;
  uint64_t requested_ OMEN_GUARDED_BY(mu_) = 0;
  bool started_ OMEN_GUARDED_BY(mu_) = false;
  std::atomic<uint64_t> completed_{0};
};

// Moves to `expired` what the barrier last asked for covers, if it is complete.
void TakeCovered(Registry& registry, std::vector<Retired>* expired) OMEN_REQUIRES(registry.mu) {
  if (registry.barrier_ticket == 0) return;
  if (!BarrierThread::Instance().Completed(registry.barrier_ticket)) return;
  registry.barrier_ticket = 0;
  registry.TakeExpired(registry.barrier_epoch, expired);
}

bool RegisterMembarrier() {
#if OMEN_EPOCH_ASYMMETRIC
  return syscall(__NR_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0;
#else
  return false;
#endif
}

}  // namespace
}  // namespace epoch_internal

using epoch_internal::Retired;
using epoch_internal::Slot;

EpochManager::EpochManager()
    : id_(epoch_internal::next_manager_id.fetch_add(1, std::memory_order_relaxed)),
      asymmetric_(epoch_internal::RegisterMembarrier()),
      registry_(std::make_shared<epoch_internal::Registry>()) {}

EpochManager::~EpochManager() {
  std::vector<Retired> rest;
  do {  // A deleter may retire more.
    for (const Retired& r : rest) r.deleter(r.object, r.context);
    MutexLock lock(registry_->mu);
    for (Slot& slot : registry_->slots) {
      OMEN_CHECK(slot.epoch.load(std::memory_order_acquire) == 0);
    }
    rest.clear();
    rest.swap(registry_->retired);
  } while (!rest.empty());
}

Slot* EpochManager::FindSlot() {
  auto& entries = epoch_internal::thread_slots.entries;
  Slot* slot = nullptr;
  for (size_t i = 0; i < entries.size();) {
    if (entries[i].manager_id == id_) {
      slot = entries[i++].slot;
    } else if (entries[i].registry.use_count() == 1) {  // Its manager is gone.
      entries[i] = std::move(entries.back());
      entries.pop_back();
    } else {
      ++i;
    }
  }
  if (slot == nullptr) {
    slot = registry_->Acquire();
    entries.push_back({id_, slot, registry_});
  }
  epoch_internal::thread_cache = {id_, slot};
  return slot;
}

// What is due is freed here, but without waiting for a barrier: one is asked for, and what it
// covers is freed by the first retirement that finds it complete.
void EpochManager::Retire(void* object, Deleter deleter, void* context, size_t bytes) {
  std::vector<Retired> expired;
  bool wait = false;
  {
    MutexLock lock(registry_->mu);
    registry_->retired.push_back(
        {object, deleter, context, global_.load(std::memory_order_seq_cst)});
    registry_->bytes_since_collect += bytes;
    ++registry_->retired_since_collect;
    epoch_internal::TakeCovered(*registry_, &expired);
    if (registry_->Due(epoch_internal::kAloneEveryCount, epoch_internal::kAloneEveryBytes) &&
        registry_->Alone(id_)) {
      registry_->TakeExpired(registry_->Begin(global_), &expired);
    } else if (registry_->Due(epoch_internal::kCollectEveryCount,
                              epoch_internal::kCollectEveryBytes)) {
      wait = !asymmetric_ || registry_->retired.size() >= epoch_internal::kWaitFromCount;
      if (!wait && registry_->barrier_ticket == 0) {
        registry_->barrier_epoch = registry_->Begin(global_);
        registry_->barrier_ticket = epoch_internal::BarrierThread::Instance().Request();
      }
    }
  }
  if (wait) Collect();
  for (const Retired& r : expired) r.deleter(r.object, r.context);
}

size_t EpochManager::Collect() {
  std::vector<Retired> expired;
  {
    MutexLock lock(registry_->mu);
    const uint64_t now = registry_->Begin(global_);
    if (registry_->retired.empty()) return 0;
    if (asymmetric_) epoch_internal::BarrierOfAllThreads();
    registry_->TakeExpired(now, &expired);
  }
  for (const Retired& r : expired) r.deleter(r.object, r.context);
  return expired.size();
}

size_t EpochManager::pending() const {
  MutexLock lock(registry_->mu);
  return registry_->retired.size();
}

}  // namespace omendb
