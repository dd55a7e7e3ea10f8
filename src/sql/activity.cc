#include "sql/activity.h"

#include <algorithm>
#include <thread>

namespace omendb::sql {

namespace {

constexpr size_t kQueryBytes = 1024;  // track_activity_query_size

// A longer text is not kept here for as long as the session is idle.
constexpr size_t kKeptQueryBytesMax = 64 << 10;

// Whole characters of the text, as many as fit.
std::string_view Shown(std::string_view text) {
  if (text.size() <= kQueryBytes) return text;
  size_t size = kQueryBytes;
  while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xC0) == 0x80) --size;
  return text.substr(0, size);
}

std::string_view NameOf(ActivitySlot::State state) {
  switch (state) {
    case ActivitySlot::State::kIdle:
      return "idle";
    case ActivitySlot::State::kActive:
      return "active";
    case ActivitySlot::State::kIdleInTransaction:
      return "idle in transaction";
    case ActivitySlot::State::kIdleAborted:
      break;
  }
  return "idle in transaction (aborted)";
}

}  // namespace

void ActivitySlot::SetQuery(std::string_view text) {
  text = Shown(text);
  if (text_ != nullptr && *text_ == text) {
    const Change change(changes_);
    state_.store(State::kActive, std::memory_order_release);
    return;
  }
  Activate(std::make_shared<const std::string>(text));
}

void ActivitySlot::SetQuery(const std::shared_ptr<const std::string>& text) {
  if (text.get() == text_) {
    const Change change(changes_);
    state_.store(State::kActive, std::memory_order_release);
    return;
  }
  if (text->size() > kKeptQueryBytesMax) return SetQuery(std::string_view(*text));
  Activate(text);
}

void ActivitySlot::Activate(std::shared_ptr<const std::string> text) {
  const MutexLock lock(mu_);
  const Change change(changes_);
  text_ = text.get();
  query_ = std::move(text);
  state_.store(State::kActive, std::memory_order_release);
}

void ActivitySlot::SetState(State state, int64_t transaction_start) {
  const Change change(changes_);
  state_.store(state, std::memory_order_release);
  transaction_start_.store(transaction_start, std::memory_order_release);
  if (transaction_start == 0) return;
  query_start_.store(transaction_start, std::memory_order_release);
  state_change_.store(transaction_start, std::memory_order_release);
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
    if (query_ != nullptr) entry.query = Shown(*query_);
    while (!TryCopyTimes(entry)) std::this_thread::yield();
  }
  entry.query_progress = progress_.query.Get();
  entry.command = progress_.command.Get();
  return entry;
}

bool ActivitySlot::TryCopyTimes(ActivityEntry& entry) const {
  const uint64_t before = changes_.load(std::memory_order_acquire);
  entry.state = NameOf(state_.load(std::memory_order_acquire));
  entry.query_start = query_start_.load(std::memory_order_acquire);
  entry.transaction_start = transaction_start_.load(std::memory_order_acquire);
  entry.state_change = state_change_.load(std::memory_order_acquire);
  return before % 2 == 0 && changes_.load(std::memory_order_relaxed) == before;
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
