// visibility.h - the visibility rule of snapshot.h, applied to the atomic words of a version.
//
// Thread safety  Any thread; the version must be kept from reuse by an epoch guard or a snapshot.
// Cost           Two loads and two compares for a stamped version.
#pragma once

#include <atomic>
#include <cstdint>

#include "mvcc/snapshot.h"
#include "mvcc/txn_table.h"

namespace omendb::mvcc {

// Whether the event that `word` tells of (a version's begin or end) is seen by `snapshot`.
inline bool IsSeen(const TxnTable& txns, const Snapshot& snapshot,
                   const std::atomic<uint64_t>& word) {
  for (;;) {
    const uint64_t w = word.load(std::memory_order_acquire);
    if (!IsTxnWord(w)) return w <= snapshot.read_ts.value();
    const TxnId writer = TxnOf(w);
    if (writer == snapshot.self) return CommandOf(w) < snapshot.command;
    const uint64_t state = txns.State(writer);
    if (state == TxnTable::kStale) continue;  // Stamped meanwhile: read the word again.
    return state != TxnTable::kRunning && state <= snapshot.read_ts.value();
  }
}

// A scan of pages may meet a slot that is freed and used again while it looks: then begin is of the
// old version and end of the new one. Begin tells, as it never comes back to a former value.
inline bool IsVisible(const TxnTable& txns, const Snapshot& snapshot,
                      const std::atomic<uint64_t>& begin, const std::atomic<uint64_t>& end) {
  for (;;) {
    const uint64_t before = begin.load(std::memory_order_acquire);
    if (!IsSeen(txns, snapshot, begin)) return false;
    if (IsSeen(txns, snapshot, end)) return false;
    if (begin.load(std::memory_order_acquire) == before) return true;
  }
}

// A word with the mark of a finished transaction already resolved.
struct Resolved {
  enum class Kind : uint8_t { kInfinite, kCommitted, kOwn, kRunning } kind;
  uint64_t word;  // The timestamp, or the mark.
};

// What the newest state is, for writers: not of a snapshot, but now. A commit counts once it is
// published (timestamp <= last_visible); before that its transaction is still running.
inline Resolved ResolveNow(const TxnTable& txns, TxnId self, const std::atomic<uint64_t>& word,
                           const std::atomic<uint64_t>& last_visible) {
  for (;;) {
    const uint64_t w = word.load(std::memory_order_acquire);
    if (w == kInfinity || w == kMoved) return {Resolved::Kind::kInfinite, w};
    if (!IsTxnWord(w)) return {Resolved::Kind::kCommitted, w};
    if (TxnOf(w) == self) return {Resolved::Kind::kOwn, w};
    const uint64_t state = txns.State(TxnOf(w));
    if (state == TxnTable::kStale) continue;
    if (state == TxnTable::kRunning || state > last_visible.load(std::memory_order_acquire)) {
      return {Resolved::Kind::kRunning, w};
    }
    return {Resolved::Kind::kCommitted, state};
  }
}

}  // namespace omendb::mvcc
