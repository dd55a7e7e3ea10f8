// snapshot.h - commit timestamps, the version word, and the visibility rule. Pure: no locks, no I/O.
//
// Every row version has two words, begin and end. A word is either a commit Timestamp or, with the
// top bit set, the TxnId of a transaction that wrote it and has not been stamped yet.
//
//   A version is visible to snapshot S of transaction T  iff
//     begin was committed with timestamp <= S, or was written by T itself, and
//     end is not so: it is infinite, or later than S, or of another unfinished transaction.
//
// After Larson et al., "High-Performance Concurrency Control Mechanisms for Main-Memory Databases"
// (VLDB 2011), and Neumann et al., "Fast Serializable Multi-Version Concurrency Control" (2015).
#pragma once

#include <cstdint>

#include "base/ids.h"

namespace omendb::mvcc {

inline constexpr uint64_t kTxnBit = 1ULL << 63;
// End word of a version nobody has ended. Greater than every timestamp, without the top bit.
inline constexpr uint64_t kInfinity = kTxnBit - 1;

constexpr bool IsTxnWord(uint64_t word) { return (word & kTxnBit) != 0; }
constexpr uint64_t WordOf(TxnId id) { return id.value() | kTxnBit; }
constexpr uint64_t WordOf(Timestamp ts) { return ts.value(); }
constexpr TxnId TxnOf(uint64_t word) { return TxnId(word & ~kTxnBit); }

// What a reader needs to judge versions. Value type.
struct Snapshot {
  Timestamp read_ts;  // Commits up to and including this one are seen.
  TxnId self;         // Own writes are seen. 0 = none.
};

}  // namespace omendb::mvcc
