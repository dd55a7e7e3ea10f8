#include "sql/activity.h"

#include <algorithm>

namespace omendb::sql {

void ActivitySlot::SetQuery(std::string_view text) {
  constexpr size_t kQueryBytes = 1024;  // track_activity_query_size
  MutexLock lock(mu_);
  entry_.query.assign(text.substr(0, kQueryBytes));
  entry_.state = "active";
}

void ActivitySlot::SetState(std::string_view state, int64_t transaction_start) {
  MutexLock lock(mu_);
  entry_.state.assign(state);
  entry_.transaction_start = transaction_start;
  if (transaction_start != 0) entry_.query_start = entry_.state_change = transaction_start;
}

void ActivitySlot::SetApplicationName(std::string_view name) {
  MutexLock lock(mu_);
  entry_.application_name.assign(name);
}

ActivityEntry ActivitySlot::Copy() {
  ActivityEntry entry;
  {
    MutexLock lock(mu_);
    entry = entry_;
  }
  entry.query_progress = progress_.query.Get();
  entry.command = progress_.command.Get();
  return entry;
}

ActivitySlot* ActivityList::Add(ActivityEntry entry, CancelFlag& cancel) {
  MutexLock lock(mu_);
  slots_.push_back(std::make_unique<ActivitySlot>(std::move(entry), cancel));
  return slots_.back().get();
}

void ActivityList::Remove(ActivitySlot* slot) {
  MutexLock lock(mu_);
  slots_.remove_if([&](const auto& entry) { return entry.get() == slot; });
}

std::vector<ActivityEntry> ActivityList::Entries() {
  MutexLock lock(mu_);
  std::vector<ActivityEntry> entries;
  for (const auto& slot : slots_) entries.push_back(slot->Copy());
  return entries;
}

bool ActivityList::Cancel(int32_t pid, int32_t key, CancelFlag::Reason reason) {
  MutexLock lock(mu_);
  for (const auto& slot : slots_) {
    if (slot->pid() != pid || (key != 0 && slot->cancel_key() != key)) continue;
    slot->cancel().Set(reason);
    return true;
  }
  return false;
}

void ActivityList::CancelAll(CancelFlag::Reason reason) {
  MutexLock lock(mu_);
  for (const auto& slot : slots_) slot->cancel().Set(reason);
}

size_t ActivityList::size() {
  MutexLock lock(mu_);
  return slots_.size();
}

size_t ActivityList::CountInDatabase(Oid database) {
  size_t count = 0;
  for (const ActivityEntry& entry : Entries()) count += entry.database_oid == database ? 1 : 0;
  return count;
}

}  // namespace omendb::sql
