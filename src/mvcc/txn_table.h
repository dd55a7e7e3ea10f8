// txn_table.h - the transactions that run: their state for readers that meet their marks, and the
// snapshots that garbage collection must respect.
//
// States         running (0) -> committing/committed (its timestamp)
//                running (0) -> undone: the slot is released after its marks are gone
// Slots          A TxnId is (generation, slot). While marks of a transaction can be met, its slot
//                holds its id. A reader that finds another id there knows that the mark has been
//                replaced, and reads the word again.
// Snapshots      A slot pins up to kPins timestamps. Version [b, e) is garbage when no pinned ts
//                lies in it and e is not above the collector's own timestamp.
// Thread safety  Acquire, Release, State, Pinned: any thread. Pin...: the slot's owner.
// Ownership      Fixed memory, allocated with the table.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/ids.h"
#include "base/mutex.h"
#include "mvcc/snapshot.h"

namespace omendb::mvcc {

class TxnTable {
 public:
  static constexpr int kSlotBits = 16;
  static constexpr uint32_t kSlotsMax = 1U << kSlotBits;
  static constexpr uint64_t kRunning = 0;
  // State(): the slot has moved on; the version word has been stamped.
  static constexpr uint64_t kStale = UINT64_MAX;

  TxnTable();
  ~TxnTable();

  // A new running transaction; TxnId(0) when all slots are taken.
  TxnId Acquire();
  // No mark of it may be reachable any more.
  void Release(TxnId id);

  // kRunning, the commit timestamp (taken, perhaps not yet published), or kStale.
  uint64_t State(TxnId id) const;
  void SetCommitTimestamp(TxnId id, Timestamp ts);

  // A transaction's pins: its snapshot, then those of PushLatestSnapshot, then the newest version
  // of a row that it must look at again (READ COMMITTED).
  static constexpr int kPins = 4;
  static constexpr int kSnapshotPin = 0;
  static constexpr int kConflictPin = 3;
  // Registers the newest published timestamp in one pin of the transaction and returns it. After
  // this returns nothing visible at it is reclaimed until Unpin or the next Pin of the same pin.
  Timestamp Pin(TxnId id, int pin, const std::atomic<uint64_t>& last_visible);
  // Pins a timestamp that is not published yet, or not by much: at least `last_visible`.
  void PinAt(TxnId id, int pin, Timestamp ts);
  void Unpin(TxnId id, int pin);
  void UnpinAll(TxnId id);

  // Every pinned timestamp, sorted, without duplicates. The caller must read the collector's own
  // timestamp before calling this.
  std::vector<uint64_t> Pinned() const;
  uint32_t running() const;

 private:
  struct alignas(64) Slot {
    std::atomic<uint64_t> id{0};     // release on Acquire/Release pairs with acquire in State
    std::atomic<uint64_t> state{0};  // release in SetCommitTimestamp
    std::atomic<uint64_t> pins[kPins] = {kInfinity, kInfinity, kInfinity, kInfinity};  // See Pin.
    uint64_t generation = 0;  // Owner of the slot; guarded by mu_ while free.
  };
  static uint32_t SlotOf(TxnId id) { return static_cast<uint32_t>(id.value()) & (kSlotsMax - 1); }

  const std::unique_ptr<Slot[]> slots_;
  mutable Mutex mu_;
  std::vector<uint32_t> free_
      OMEN_GUARDED_BY(mu_);              // Last in, first out: keeps slots few and warm.
  std::atomic<uint32_t> slots_used_{0};  // High-water mark.
};

}  // namespace omendb::mvcc
