#include "engine/sequences.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/sqlstate.h"

namespace omendb::engine {

using catalog::SequenceDef;

std::string Sequences::Encode(Oid sequence, const State& logged) {
  std::string record;
  ByteWriter out(record);
  out.Put<uint32_t>(sequence.value());
  out.Put<uint64_t>(logged.version);
  out.Put<int64_t>(logged.last_value);
  out.Put<uint8_t>(logged.is_called ? 1 : 0);
  return record;
}

Sequences::State& Sequences::StateOf(const SequenceDef& sequence) {
  const auto [it, fresh] = states_.try_emplace(sequence.oid);
  if (fresh) it->second.last_value = sequence.start;
  return it->second;
}

Status Sequences::Advance(const SequenceDef& sequence, State& state) {
  if (!state.is_called) {
    state.is_called = true;
    return Status::Ok();
  }
  int64_t next;
  const bool overflow = __builtin_add_overflow(state.last_value, sequence.increment, &next);
  if (sequence.increment > 0 && (overflow || next > sequence.max_value)) {
    if (!sequence.cycle) {
      return Status(SqlState("2200H"), "nextval: reached maximum value of sequence \"" +
                                           sequence.name + "\" (" +
                                           std::to_string(sequence.max_value) + ")");
    }
    next = sequence.min_value;
  } else if (sequence.increment < 0 && (overflow || next < sequence.min_value)) {
    if (!sequence.cycle) {
      return Status(SqlState("2200H"), "nextval: reached minimum value of sequence \"" +
                                           sequence.name + "\" (" +
                                           std::to_string(sequence.min_value) + ")");
    }
    next = sequence.max_value;
  }
  state.last_value = next;
  return Status::Ok();
}

Result<int64_t> Sequences::Next(const SequenceDef& sequence) {
  MutexLock lock(mu_);
  State& state = StateOf(sequence);
  State next = state;
  OMEN_TRY(Advance(sequence, next));
  if (next.covered > 0) {
    --next.covered;
    state = next;
    return state.last_value;
  }
  if (sequence.persistence != catalog::Persistence::kTemporary) {
    State ahead = next;
    for (int64_t i = 1; i < kAhead && Advance(sequence, ahead).ok(); ++i) ++next.covered;
    ahead.version = ++next.version;
    auto logged = manager_.AppendRecord(txn::kSequenceRecord, Encode(sequence.oid, ahead),
                                        wal::Durability::kAsync);
    if (!logged.ok()) return std::move(logged).status();
    logged_[sequence.oid] = ahead;
  }
  state = next;
  return state.last_value;
}

Status Sequences::Set(const SequenceDef& sequence, Database::SequenceState wanted) {
  if (wanted.last_value < sequence.min_value || wanted.last_value > sequence.max_value) {
    return Status(sqlstate::kNumericValueOutOfRange,
                  "setval: value " + std::to_string(wanted.last_value) +
                      " is out of bounds for sequence \"" + sequence.name + "\" (" +
                      std::to_string(sequence.min_value) + ".." +
                      std::to_string(sequence.max_value) + ")");
  }
  MutexLock lock(mu_);
  State& state = StateOf(sequence);
  State next = state;
  next.last_value = wanted.last_value;
  next.is_called = wanted.is_called;
  next.covered = 0;
  ++next.version;
  auto logged = manager_.AppendRecord(txn::kSequenceRecord, Encode(sequence.oid, next),
                                      wal::Durability::kAsync);
  if (!logged.ok()) return std::move(logged).status();
  logged_[sequence.oid] = next;
  state = next;
  return Status::Ok();
}

Database::SequenceState Sequences::Get(const SequenceDef& sequence) const {
  MutexLock lock(mu_);
  const auto it = states_.find(sequence.oid);
  if (it == states_.end()) return {sequence.start, false};
  return {it->second.last_value, it->second.is_called};
}

Oid Sequences::NewOid() {
  MutexLock lock(mu_);
  if (next_oid_ >= oid_covered_) {
    oid_covered_ = next_oid_ + kOidsAhead;
    State ahead;
    ahead.last_value = oid_covered_;
    ahead.version = ++oid_version_;
    // If the log refuses, so will the commit that would make the Oid known.
    (void)manager_.AppendRecord(txn::kSequenceRecord, Encode(Oid(0), ahead),
                                wal::Durability::kAsync);
  }
  return Oid(next_oid_++);
}

Status Sequences::Apply(std::string_view record) {
  ByteReader in(record);
  const Oid sequence(in.Get<uint32_t>());
  State state;
  state.version = in.Get<uint64_t>();
  state.last_value = in.Get<int64_t>();
  state.is_called = in.Get<uint8_t>() != 0;
  if (in.failed()) return Status(sqlstate::kDataCorrupted, "a sequence record is damaged");
  MutexLock lock(mu_);
  if (sequence.value() == 0) {
    oid_version_ = std::max(oid_version_, state.version);
    next_oid_ = std::max(next_oid_, static_cast<uint32_t>(state.last_value));
    oid_covered_ = std::max(oid_covered_, next_oid_);
    return Status::Ok();
  }
  const auto it = states_.find(sequence);
  if (it != states_.end() && it->second.version >= state.version) return Status::Ok();
  states_[sequence] = state;
  logged_[sequence] = state;
  return Status::Ok();
}

std::vector<std::string> Sequences::Snapshot() const {
  MutexLock lock(mu_);
  std::vector<std::string> records;
  for (const auto& [oid, state] : logged_) records.push_back(Encode(oid, state));
  State oids;
  oids.last_value = oid_covered_;
  oids.version = oid_version_;
  records.push_back(Encode(Oid(0), oids));
  return records;
}

void Sequences::RaiseOid(Oid used) {
  MutexLock lock(mu_);
  next_oid_ = std::max(next_oid_, used.value() + 1);
  oid_covered_ = std::max(oid_covered_, next_oid_);
}

void Sequences::Retain(const catalog::CatalogSnapshot& catalog) {
  MutexLock lock(mu_);
  const auto gone = [&](const auto& entry) { return catalog.sequence(entry.first) == nullptr; };
  std::erase_if(states_, gone);
  std::erase_if(logged_, gone);
}

}  // namespace omendb::engine
