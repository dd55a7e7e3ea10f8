// sequences.h - the current values of all sequences. Not transactional, as in PostgreSQL: a value
// given is never given again, whatever becomes of the transaction that took it.
//
// Durability     What would be lost in a crash is logged ahead of time: one record covers the next
//                kValuesLogged values, and recovery goes on behind them. So a crash may skip values
//                but never repeats one. The record lies in the log before the commit record of any
//                transaction that used the values, and is durable with it.
// Thread safety  Any thread. One mutex for each sequence; the log callback runs under it.
// Errors         2200H at the end of a sequence that does not cycle; whatever the log answers.
// See            PostgreSQL 15, src/backend/commands/sequence.c (SEQ_LOG_VALS) for the behaviour.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "engine/database.h"

namespace omendb::engine {

class SequenceStore {
 public:
  using State = Database::SequenceState;
  // Appends to the log: "after a crash, sequence `oid` has this state".
  using Log = std::function<Status(Oid oid, const State& state)>;

  static constexpr int64_t kValuesLogged = 32;

  explicit SequenceStore(Log log) : log_(std::move(log)) {}

  Result<int64_t> Next(const catalog::SequenceDef& sequence);
  Status Set(const catalog::SequenceDef& sequence, State state);
  State Get(const catalog::SequenceDef& sequence);

  // Recovery: the state that a log record or a checkpoint names.
  void Restore(Oid oid, State state);
  void Forget(Oid oid);
  // For a checkpoint: states from which no value that was given is given again.
  std::vector<std::pair<Oid, State>> LoggedStates() const;

 private:
  struct Entry {
    Mutex mu;
    State state OMEN_GUARDED_BY(mu);
    State logged OMEN_GUARDED_BY(mu);             // What recovery would find.
    int64_t values_left OMEN_GUARDED_BY(mu) = 0;  // before the log must be written again
  };
  std::shared_ptr<Entry> Find(const catalog::SequenceDef& sequence);
  Status LogAhead(const catalog::SequenceDef& sequence, Entry& entry) OMEN_REQUIRES(entry.mu);

  const Log log_;
  mutable Mutex mu_;
  std::map<Oid, std::shared_ptr<Entry>> entries_ OMEN_GUARDED_BY(mu_);
};

}  // namespace omendb::engine
