#include "engine/sequences.h"

#include "base/sqlstate.h"

namespace omendb::engine {
namespace {

using catalog::SequenceDef;

Status AtTheEnd(const SequenceDef& sequence) {
  const bool up = sequence.increment > 0;
  return Status(sqlstate::kSequenceLimitExceeded,
                std::string("nextval: reached ") + (up ? "maximum" : "minimum") +
                    " value of sequence \"" + sequence.name + "\" (" +
                    std::to_string(up ? sequence.max_value : sequence.min_value) + ")");
}

// The value after `last`; nullopt at the end of a sequence that does not cycle.
std::optional<int64_t> Successor(const SequenceDef& sequence, int64_t last) {
  int64_t next = 0;
  const bool overflow = __builtin_add_overflow(last, sequence.increment, &next);
  if (!overflow && next >= sequence.min_value && next <= sequence.max_value) return next;
  if (!sequence.cycle) return std::nullopt;
  return sequence.increment > 0 ? sequence.min_value : sequence.max_value;
}

}  // namespace

std::shared_ptr<SequenceStore::Entry> SequenceStore::Find(const SequenceDef& sequence) {
  MutexLock lock(mu_);
  std::shared_ptr<Entry>& entry = entries_[sequence.oid];
  if (entry == nullptr) {
    entry = std::make_shared<Entry>();
    MutexLock entry_lock(entry->mu);
    entry->state = entry->logged = {sequence.start, false};
  }
  return entry;
}

Status SequenceStore::LogAhead(const SequenceDef& sequence, Entry& entry) {
  State ahead = entry.state;
  for (int64_t i = 1; i < kValuesLogged; ++i) {
    const auto next = Successor(sequence, ahead.last_value);
    if (!next.has_value()) break;
    ahead.last_value = *next;
  }
  OMEN_TRY(log_(sequence.oid, ahead));
  entry.logged = ahead;
  entry.values_left = kValuesLogged;
  return Status::Ok();
}

Result<int64_t> SequenceStore::Next(const SequenceDef& sequence) {
  const std::shared_ptr<Entry> entry = Find(sequence);
  MutexLock lock(entry->mu);
  const State before = entry->state;
  if (before.is_called) {
    const auto next = Successor(sequence, before.last_value);
    if (!next.has_value()) return AtTheEnd(sequence);
    entry->state.last_value = *next;
  }
  entry->state.is_called = true;
  if (entry->values_left == 0) {
    Status logged = LogAhead(sequence, *entry);
    if (!logged.ok()) {
      entry->state = before;
      return logged;
    }
  }
  --entry->values_left;
  return entry->state.last_value;
}

Status SequenceStore::Set(const SequenceDef& sequence, State state) {
  const std::shared_ptr<Entry> entry = Find(sequence);
  MutexLock lock(entry->mu);
  OMEN_TRY(log_(sequence.oid, state));
  entry->state = entry->logged = state;
  entry->values_left = 0;
  return Status::Ok();
}

SequenceStore::State SequenceStore::Get(const SequenceDef& sequence) {
  const std::shared_ptr<Entry> entry = Find(sequence);
  MutexLock lock(entry->mu);
  return entry->state;
}

void SequenceStore::Restore(Oid oid, State state) {
  auto entry = std::make_shared<Entry>();
  {
    MutexLock entry_lock(entry->mu);
    entry->state = entry->logged = state;
  }
  MutexLock lock(mu_);
  entries_[oid] = std::move(entry);
}

void SequenceStore::Forget(Oid oid) {
  MutexLock lock(mu_);
  entries_.erase(oid);
}

std::vector<std::pair<Oid, SequenceStore::State>> SequenceStore::LoggedStates() const {
  std::vector<std::pair<Oid, State>> states;
  MutexLock lock(mu_);
  for (const auto& [oid, entry] : entries_) {
    MutexLock entry_lock(entry->mu);
    states.emplace_back(oid, entry->logged);
  }
  return states;
}

}  // namespace omendb::engine
