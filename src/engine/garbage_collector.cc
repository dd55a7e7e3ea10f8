#include "engine/garbage_collector.h"

#include <algorithm>

namespace omendb::engine {

using rowstore::VersionRef;
using txn::UndoRecord;

namespace {

constexpr size_t kPackedAtOnce = 2;  // Lists that a pass enters of a table.

}  // namespace

void GarbageCollector::Add(txn::Garbage garbage) {
  MutexLock lock(mu_);
  queue_.push_back(std::move(garbage));
}

std::pair<uint64_t, uint64_t> GarbageCollector::LifeOf(const Item& item) {
  if (item.mask != nullptr) {
    const FrozenSegment& segment = item.table->frozen().SegmentOf(item.version);
    return {segment.begin().load(std::memory_order_acquire),
            item.mask->end.load(std::memory_order_acquire)};
  }
  const rowstore::VersionHeader& header = item.table->store().header(item.version);
  const uint64_t begin = header.begin.load(std::memory_order_acquire);
  return {begin, header.end.load(std::memory_order_acquire)};
}

void GarbageCollector::Collect(Item item, const std::vector<uint64_t>& pins) {
  const auto [begin, end] = LifeOf(item);
  if (mvcc::IsTxnWord(begin)) {
    unstamped_.push_back(std::move(item));
    return;
  }
  // The greatest pin below `end`: it sees the version unless it is below `begin` too.
  const auto above = std::lower_bound(pins.begin(), pins.end(), end);
  if (above != pins.begin() && *(above - 1) >= begin) {
    blocked_[*(above - 1)].push_back(std::move(item));
    waiting_.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  if (item.mask != nullptr) {
    settling_.push_back(std::move(item));
    waiting_.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  item.table->Unlink(item.row, item.version, item.same_keys);
  retired_[item.table].push_back(item.version);
  reclaimed_.fetch_add(1, std::memory_order_relaxed);
}

void GarbageCollector::AddGarbage(const UndoRecord& record, uint64_t now_ms,
                                  const std::vector<uint64_t>& pins) {
  auto* table = static_cast<Table*>(record.table);
  if (record.kind == UndoRecord::Kind::kDeleteMask) {
    const auto* mask = static_cast<const DeleteMask*>(record.shared_end);
    return Collect({table->shared_from_this(), RowId(0), record.old, false, mask}, pins);
  }
  const bool update = record.kind == UndoRecord::Kind::kUpdate;
  if (!update && record.kind != UndoRecord::Kind::kDelete) return;
  for (uint32_t i = 0; i < record.count; ++i) {
    const UndoRecord one = record.At(i);
    if (change_half_life_ms_ != 0) {
      table->change_rates().Note(one.row, now_ms, change_half_life_ms_);
    }
    Collect({table->shared_from_this(), one.row, one.old, update && !one.keys_changed}, pins);
  }
}

// What cannot be read now waits behind the others.
void GarbageCollector::SettleSome() {
  constexpr size_t kAtOnce = 4;
  for (size_t left = std::min(kAtOnce, settling_.size()); left > 0; --left) {
    Item item = std::move(settling_.front());
    settling_.pop_front();
    // The mask is gone when it is settled.
    const uint32_t rows = item.mask->count();
    const auto& replacement = item.mask->replacement();
    const bool is_packed = replacement != nullptr && !replacement->changed.empty();
    // The oldest versions first: see replacement.h.
    if (item.table->frozen().SegmentOf(item.version).has_older() ||
        !item.table->SettleMask(rowstore::FrozenSegmentOf(item.version), *item.mask).ok()) {
      settling_.push_back(std::move(item));
      continue;
    }
    if (is_packed) packed_.insert(item.table);
    waiting_.fetch_sub(1, std::memory_order_relaxed);
    reclaimed_.fetch_add(rows, std::memory_order_relaxed);
  }
}

void GarbageCollector::EnterPacked() {
  std::erase_if(packed_, [](const auto& table) { return !table->EnterPacked(kPackedAtOnce); });
}

void GarbageCollector::FlushRetired() {
  for (auto& [table, refs] : retired_) table->Retire(std::move(refs));
  retired_.clear();
}

size_t GarbageCollector::Run(const mvcc::TxnTable& txns, const std::atomic<uint64_t>& last_visible,
                             uint64_t now_ms) {
  std::vector<txn::Garbage> queue;
  // Our own timestamp first, then the pins: see TxnTable::Pin. What is in the queue was committed
  // before, so it ends at or before a timestamp read after taking it.
  {
    MutexLock lock(mu_);
    queue.swap(queue_);
  }
  (void)last_visible.load(std::memory_order_seq_cst);
  const std::vector<uint64_t> pins = txns.Pinned();
  const uint64_t before = reclaimed();
  {
    EpochGuard guard(epochs_);
    std::vector<Item> unstamped;
    unstamped.swap(unstamped_);
    for (Item& item : unstamped) Collect(std::move(item), pins);
    for (auto it = blocked_.begin(); it != blocked_.end();) {
      if (std::binary_search(pins.begin(), pins.end(), it->first)) {
        ++it;
        continue;
      }
      std::vector<Item> items = std::move(it->second);
      it = blocked_.erase(it);
      waiting_.fetch_sub(items.size(), std::memory_order_relaxed);
      // May block them again, on a smaller pin: those come before `it`.
      for (Item& item : items) Collect(std::move(item), pins);
    }
    for (txn::Garbage& garbage : queue) {
      for (const UndoRecord& record : garbage.records) AddGarbage(record, now_ms, pins);
    }
    FlushRetired();
  }
  SettleSome();
  EnterPacked();
  epochs_.Collect();
  return reclaimed() - before;
}

}  // namespace omendb::engine
