#include "mvcc/txn_table.h"

#include <algorithm>

#include "base/check.h"

namespace omendb::mvcc {

TxnTable::TxnTable() : slots_(std::make_unique<Slot[]>(kSlotsMax)) {}
TxnTable::~TxnTable() = default;

TxnId TxnTable::Acquire() {
  uint32_t index;
  {
    MutexLock lock(mu_);
    if (!free_.empty()) {
      index = free_.back();
      free_.pop_back();
    } else {
      index = slots_used_.load(std::memory_order_relaxed);
      if (index == kSlotsMax) return TxnId(0);
      slots_used_.store(index + 1, std::memory_order_seq_cst);
    }
  }
  Slot& slot = slots_[index];
  // Generation 0 is skipped so that no id is 0; it wraps after 2^23 uses of one slot, by when no
  // reader can still hold a mark of the first.
  slot.generation = (slot.generation + 1) & (kTxnIdMax >> kSlotBits);
  if (slot.generation == 0) slot.generation = 1;
  const TxnId id(slot.generation << kSlotBits | index);
  slot.state.store(kRunning, std::memory_order_relaxed);
  slot.id.store(id.value(), std::memory_order_release);
  return id;
}

void TxnTable::Release(TxnId id) {
  Slot& slot = slots_[SlotOf(id)];
  OMEN_CHECK(slot.id.load(std::memory_order_relaxed) == id.value());
  UnpinAll(id);
  slot.id.store(0, std::memory_order_seq_cst);
  MutexLock lock(mu_);
  free_.push_back(SlotOf(id));
}

uint64_t TxnTable::State(TxnId id) const {
  const Slot& slot = slots_[SlotOf(id)];
  if (slot.id.load(std::memory_order_acquire) != id.value()) return kStale;
  const uint64_t state = slot.state.load(std::memory_order_acquire);
  // The state may be of the slot's next owner unless the id is still the same.
  if (slot.id.load(std::memory_order_acquire) != id.value()) return kStale;
  return state;
}

void TxnTable::SetCommitTimestamp(TxnId id, Timestamp ts) {
  slots_[SlotOf(id)].state.store(ts.value(), std::memory_order_release);
}

// The collector reads its timestamp G, then the pins. If it misses our store, its reads come before
// our re-read of last_visible in the total order, so G <= what we have pinned, and nothing that
// ends after G is reclaimed.
Timestamp TxnTable::Pin(TxnId id, int pin, const std::atomic<uint64_t>& last_visible) {
  std::atomic<uint64_t>& word = slots_[SlotOf(id)].pins[pin];
  uint64_t ts = last_visible.load(std::memory_order_seq_cst);
  for (;;) {
    word.store(ts, std::memory_order_seq_cst);
    const uint64_t again = last_visible.load(std::memory_order_seq_cst);
    if (again == ts) return Timestamp(ts);
    ts = again;
  }
}

void TxnTable::PinAt(TxnId id, int pin, Timestamp ts) {
  slots_[SlotOf(id)].pins[pin].store(ts.value(), std::memory_order_seq_cst);
}

void TxnTable::Unpin(TxnId id, int pin) {
  slots_[SlotOf(id)].pins[pin].store(kInfinity, std::memory_order_release);
}

void TxnTable::UnpinAll(TxnId id) {
  for (std::atomic<uint64_t>& pin : slots_[SlotOf(id)].pins) {
    pin.store(kInfinity, std::memory_order_release);
  }
}

std::vector<uint64_t> TxnTable::Pinned() const {
  std::vector<uint64_t> pins;
  const uint32_t used = slots_used_.load(std::memory_order_seq_cst);
  for (uint32_t i = 0; i < used; ++i) {
    for (const std::atomic<uint64_t>& pin : slots_[i].pins) {
      const uint64_t ts = pin.load(std::memory_order_seq_cst);
      if (ts != kInfinity) pins.push_back(ts);
    }
  }
  std::sort(pins.begin(), pins.end());
  pins.erase(std::unique(pins.begin(), pins.end()), pins.end());
  return pins;
}

uint32_t TxnTable::running() const {
  MutexLock lock(mu_);
  return slots_used_.load(std::memory_order_relaxed) - static_cast<uint32_t>(free_.size());
}

}  // namespace omendb::mvcc
