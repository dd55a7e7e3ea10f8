#include "engine/durable_counters.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/sqlstate.h"

namespace omendb::engine {

DurableCounters::DurableCounters(txn::TransactionManager& manager)
    : manager_(manager), sequences_([this](Oid oid, const Database::SequenceState& state) {
        return Log(oid, state);
      }) {}

std::string DurableCounters::Encode(Oid sequence, const Logged& logged) {
  std::string record;
  ByteWriter out(record);
  out.Put<uint32_t>(sequence.value());
  out.Put<uint64_t>(logged.version);
  out.Put<int64_t>(logged.state.last_value);
  out.Put<uint8_t>(logged.state.is_called ? 1 : 0);
  return record;
}

Status DurableCounters::Log(Oid sequence, const Database::SequenceState& state) {
  MutexLock lock(mu_);
  Logged next{version_ + 1, state};
  auto appended =
      manager_.AppendRecord(txn::kSequenceRecord, Encode(sequence, next), wal::Durability::kAsync);
  if (!appended.ok()) return std::move(appended).status();
  version_ = next.version;
  logged_[sequence] = next;
  return Status::Ok();
}

// Oid 0 in the log stands for the Oids themselves.
Oid DurableCounters::NewOid() {
  MutexLock lock(mu_);
  if (next_oid_ >= oid_covered_) {
    oid_covered_ = next_oid_ + kOidsAhead;
    const Logged ahead{++version_, {static_cast<int64_t>(oid_covered_), true}};
    logged_[Oid(0)] = ahead;
    // If the log refuses this, it refuses the commit that would make the Oid known.
    (void)manager_.AppendRecord(txn::kSequenceRecord, Encode(Oid(0), ahead),
                                wal::Durability::kAsync);
  }
  return Oid(next_oid_++);
}

Status DurableCounters::Apply(std::string_view record) {
  ByteReader in(record);
  const Oid sequence(in.Get<uint32_t>());
  Logged logged;
  logged.version = in.Get<uint64_t>();
  logged.state.last_value = in.Get<int64_t>();
  logged.state.is_called = in.Get<uint8_t>() != 0;
  if (in.failed()) return Status(sqlstate::kDataCorrupted, "a sequence record is damaged");
  {
    MutexLock lock(mu_);
    version_ = std::max(version_, logged.version);
    Logged& known = logged_[sequence];
    if (known.version >= logged.version) return Status::Ok();
    known = logged;
    if (sequence.value() == 0) {
      next_oid_ = std::max(next_oid_, static_cast<uint32_t>(logged.state.last_value));
      oid_covered_ = std::max(oid_covered_, next_oid_);
    }
  }
  // A sequence's lock is taken before this one when it logs, so not under it here.
  if (sequence.value() != 0) sequences_.Restore(sequence, logged.state);
  return Status::Ok();
}

std::vector<std::string> DurableCounters::Snapshot() const {
  MutexLock lock(mu_);
  std::vector<std::string> records;
  for (const auto& [oid, logged] : logged_) records.push_back(Encode(oid, logged));
  return records;
}

void DurableCounters::RaiseOid(Oid used) {
  MutexLock lock(mu_);
  next_oid_ = std::max(next_oid_, used.value() + 1);
  oid_covered_ = std::max(oid_covered_, next_oid_);
}

void DurableCounters::Retain(const catalog::CatalogSnapshot& catalog) {
  MutexLock lock(mu_);
  std::erase_if(logged_, [&](const auto& entry) {
    if (entry.first.value() == 0 || catalog.sequence(entry.first) != nullptr) return false;
    sequences_.Forget(entry.first);
    return true;
  });
}

}  // namespace omendb::engine
