// durable_counters.h - sequences and Oids with their records in the log and in checkpoints.
//
// A record covers values before they are given, so most calls touch no log (see sequences.h). Each
// record carries a version, so that a replay which begins before a checkpoint does not go back.
//
// Thread safety  Any thread. Lock order: SequenceStore's, then mu_, then the log's.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "engine/sequences.h"
#include "txn/transaction_manager.h"

namespace omendb::engine {

class DurableCounters {
 public:
  explicit DurableCounters(txn::TransactionManager& manager);

  SequenceStore& sequences() { return sequences_; }
  Oid NewOid();

  // ---- Recovery and checkpoints ----------------------------------------------------------------
  // One logged or checkpointed record; older than what is known: ignored. XX001 on bad bytes.
  Status Apply(std::string_view record);
  std::vector<std::string> Snapshot() const;
  void RaiseOid(Oid used);
  // Forgets sequences that are not in the catalog.
  void Retain(const catalog::CatalogSnapshot& catalog);

 private:
  static constexpr uint32_t kOidsAhead = 1024;
  struct Logged {
    uint64_t version = 0;
    Database::SequenceState state;
  };
  Status Log(Oid sequence, const Database::SequenceState& state);
  static std::string Encode(Oid sequence, const Logged& logged);

  txn::TransactionManager& manager_;
  SequenceStore sequences_;
  mutable Mutex mu_;
  std::map<Oid, Logged> logged_ OMEN_GUARDED_BY(mu_);
  uint64_t version_ OMEN_GUARDED_BY(mu_) = 0;
  uint32_t next_oid_ OMEN_GUARDED_BY(mu_) = catalog::kFirstUserOid;
  uint32_t oid_covered_ OMEN_GUARDED_BY(mu_) = catalog::kFirstUserOid;  // first one not covered
};

}  // namespace omendb::engine
