// snapshot.h - commit timestamps, the version word, and what a reader needs. Pure: no locks, no
// I/O.
//
// Every row version has two words, begin and end. A word is either a commit Timestamp or, with the
// top bit set, the mark of a transaction that wrote it and has not been stamped yet:
//
//   bit 63     1
//   bits 62-24 TxnId
//   bits 23-0  command within the transaction
//
//   A version is visible to snapshot S of transaction T  iff
//     begin was committed with timestamp <= S, or was written by an earlier command of T itself,
//     and end is not so: it is infinite, or later than S, or of another unfinished transaction.
//
// The command keeps a statement from seeing its own writes (UPDATE t SET x = x + 1 must not meet
// the rows that it has just made).
//
// After Larson et al., "High-Performance Concurrency Control Mechanisms for Main-Memory Databases"
// (VLDB 2011), and Neumann et al., "Fast Serializable Multi-Version Concurrency Control" (2015).
#pragma once

#include <cstdint>

#include "base/ids.h"

namespace omendb::mvcc {

inline constexpr uint64_t kTxnBit = 1ULL << 63;
inline constexpr int kCommandBits = 24;
inline constexpr uint32_t kCommandMax = (1U << kCommandBits) - 1;
inline constexpr uint64_t kTxnIdMax = (1ULL << (63 - kCommandBits)) - 1;
// End word of a version nobody has ended. Greater than every timestamp, without the top bit. As a
// begin word: the version is dead (its transaction was undone) and never visible.
inline constexpr uint64_t kInfinity = kTxnBit - 1;
// End word of a version that nobody has ended and nobody can end any more: its row has moved to a
// segment as it is. Readers take it for infinity.
inline constexpr uint64_t kMoved = kInfinity - 1;

constexpr bool IsTxnWord(uint64_t word) { return (word & kTxnBit) != 0; }
constexpr uint64_t WordOf(TxnId id, uint32_t command) {
  return kTxnBit | id.value() << kCommandBits | command;
}
constexpr uint64_t WordOf(Timestamp ts) { return ts.value(); }
constexpr TxnId TxnOf(uint64_t word) { return TxnId((word & ~kTxnBit) >> kCommandBits); }
constexpr uint32_t CommandOf(uint64_t word) { return static_cast<uint32_t>(word) & kCommandMax; }

// What a reader needs to judge versions. Value type.
struct Snapshot {
  Timestamp read_ts;     // Commits up to and including this one are seen.
  TxnId self;            // Own writes are seen. 0 = none.
  uint32_t command = 0;  // Own writes of commands before this one, to be exact.
};

}  // namespace omendb::mvcc
