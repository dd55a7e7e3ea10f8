// sequences.h - values of sequences and Oids: given once, never again, also over a crash.
//
// A counter is logged ahead: one record covers the next kAhead values, so most calls touch no log.
// After a crash the values that were covered and not given are skipped, as in PostgreSQL.
//
// Thread safety  Any thread. Lock order: mu_, then the log's.
// See            PostgreSQL 15, src/backend/commands/sequence.c (SEQ_LOG_VALS).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "engine/database.h"
#include "txn/transaction_manager.h"

namespace omendb::engine {

class Sequences {
 public:
  explicit Sequences(txn::TransactionManager& manager) : manager_(manager) {}

  Result<int64_t> Next(const catalog::SequenceDef& sequence);
  Status Set(const catalog::SequenceDef& sequence, Database::SequenceState state);
  Database::SequenceState Get(const catalog::SequenceDef& sequence) const;
  Oid NewOid();

  // ---- Recovery and checkpoints ----------------------------------------------------------------
  // One logged or checkpointed state; older than what is known: ignored. XX001 on bad bytes.
  Status Apply(std::string_view record);
  // The states as records.
  std::vector<std::string> Snapshot() const;
  void RaiseOid(Oid used);
  // Forgets sequences that are not in the catalog.
  void Retain(const catalog::CatalogSnapshot& catalog);

 private:
  static constexpr int64_t kAhead = 32;
  static constexpr uint32_t kOidsAhead = 1024;
  struct State {
    int64_t last_value = 0;
    bool is_called = false;
    uint64_t version = 0;  // of the newest record
    int64_t covered = 0;   // calls that need no record
  };
  static std::string Encode(Oid sequence, const State& logged);
  static Status Advance(const catalog::SequenceDef& sequence, State& state);
  State& StateOf(const catalog::SequenceDef& sequence) OMEN_REQUIRES(mu_);

  txn::TransactionManager& manager_;
  mutable Mutex mu_;
  std::map<Oid, State> states_ OMEN_GUARDED_BY(mu_);
  std::map<Oid, State> logged_ OMEN_GUARDED_BY(mu_);  // as in the newest record
  uint32_t next_oid_ OMEN_GUARDED_BY(mu_) = catalog::kFirstUserOid;
  uint32_t oid_covered_ OMEN_GUARDED_BY(mu_) = catalog::kFirstUserOid;  // first Oid not covered
  uint64_t oid_version_ OMEN_GUARDED_BY(mu_) = 0;
};

}  // namespace omendb::engine
