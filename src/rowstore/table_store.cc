#include "rowstore/table_store.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"

namespace omendb::rowstore {
namespace {

// A small table stays small: pages grow with their number.
uint32_t CapacityOf(uint64_t page_number) {
  if (page_number == 1) return 64;
  if (page_number == 2) return 512;
  return kPageSlots;
}

}  // namespace

TableStore::TableStore(MemoryAccount& memory) : memory_(memory) {}

TableStore::~TableStore() {
  for (uint64_t number = 1; number <= pages_count(); ++number) {
    if (Page* page = page_at(number)) Page::Deleter()(page);
  }
  memory_.Remove(memory_bytes_.load(std::memory_order_relaxed));
}

void TableStore::Charge(size_t bytes) {
  memory_bytes_.fetch_add(bytes, std::memory_order_relaxed);
  memory_.Add(bytes);
}

void TableStore::Discharge(size_t bytes) {
  memory_bytes_.fetch_sub(bytes, std::memory_order_relaxed);
  memory_.Remove(bytes);
}

std::shared_ptr<const Layout> TableStore::InternLayout(
    std::span<const types::PhysicalType> columns) {
  MutexLock lock(mu_);
  for (const auto& layout : layouts_) {
    if (std::equal(columns.begin(), columns.end(), layout->columns().begin(),
                   layout->columns().end())) {
      return layout;
    }
  }
  layouts_.push_back(std::make_shared<const Layout>(
      std::vector<types::PhysicalType>(columns.begin(), columns.end())));
  columns_min_.store(std::min(columns_min(), columns.size()), std::memory_order_release);
  return layouts_.back();
}

// Prefers the first lane, so that a single writer fills pages densely.
TableStore::Lane& TableStore::LockLane() OMEN_NO_THREAD_SAFETY_ANALYSIS {
  for (Lane& lane : lanes_) {
    if (lane.mu.TryLock()) return lane;
  }
  Lane& last = lanes_[kLanes - 1];
  last.mu.Lock();
  return last;
}

Page* TableStore::NewPage(const std::shared_ptr<const Layout>& layout) {
  const uint64_t number = pages_count_.fetch_add(1, std::memory_order_acq_rel) + 1;
  std::atomic<Page*>& entry = pages_.Ensure(number);
  Page::Ptr page = Page::Create(number, CapacityOf(number), layout);
  if (page == nullptr) return nullptr;
  Charge(page->bytes());
  entry.store(page.get(), std::memory_order_release);
  return page.release();
}

// Slots freed while the lane had the page are given back for whoever comes next.
void TableStore::ReleaseLane(Lane& lane) {
  for (size_t w = 0; w < lane.reusable.size(); ++w) {
    lane.page->freed_[w].fetch_or(lane.reusable[w], std::memory_order_relaxed);
  }
  lane.page->freed_count_.fetch_add(lane.reusable_count, std::memory_order_release);
  lane.reusable = {};
  lane.reusable_count = 0;
  lane.page = nullptr;
}

bool TableStore::NextPage(Lane& lane, const std::shared_ptr<const Layout>& layout) {
  if (lane.page != nullptr) {
    Page& page = *lane.page;
    ReleaseLane(lane);
    page.claimed_.store(false, std::memory_order_release);
  }
  {
    MutexLock lock(mu_);
    for (size_t i = reuse_.size(); i-- > 0;) {
      if (&reuse_[i]->layout() != layout.get()) continue;
      lane.page = reuse_[i];
      reuse_.erase(reuse_.begin() + static_cast<ptrdiff_t>(i));
      return true;
    }
  }
  lane.page = NewPage(layout);
  return lane.page != nullptr;
}

bool TableStore::TakeReusable(Lane& lane, uint32_t* slot) {
  Page& page = *lane.page;
  if (lane.reusable_count == 0) {
    if (page.freed_count_.load(std::memory_order_acquire) == 0) return false;
    for (size_t w = 0; w < lane.reusable.size(); ++w) {
      lane.reusable[w] = page.freed_[w].exchange(0, std::memory_order_acquire);
      lane.reusable_count += static_cast<uint32_t>(__builtin_popcountll(lane.reusable[w]));
    }
    page.freed_count_.fetch_sub(lane.reusable_count, std::memory_order_relaxed);
    if (lane.reusable_count == 0) return false;
  }
  for (size_t w = 0; w < lane.reusable.size(); ++w) {
    if (lane.reusable[w] == 0) continue;
    const int bit = __builtin_ctzll(lane.reusable[w]);
    lane.reusable[w] &= lane.reusable[w] - 1;
    --lane.reusable_count;
    *slot = static_cast<uint32_t>(w * 64 + static_cast<size_t>(bit));
    return true;
  }
  return false;
}

TableStore::SlotRange TableStore::Allocate(const std::shared_ptr<const Layout>& layout)
    OMEN_NO_THREAD_SAFETY_ANALYSIS {
  Lane& lane = LockLane();
  SlotRange range;
  for (;;) {
    if (lane.page != nullptr && &lane.page->layout() == layout.get()) {
      Page& page = *lane.page;
      uint32_t slot;
      const uint32_t used = page.used_.load(std::memory_order_relaxed);
      if (used < page.capacity()) {
        page.used_.store(used + 1, std::memory_order_release);
        range = {&page, used, 1};
        break;
      }
      if (TakeReusable(lane, &slot)) {
        page.Touch();
        for (uint32_t i = 0; i < layout->columns_count(); ++i) {
          if (page.has_nulls(i)) page.SetValid(i, slot);
        }
        range = {&page, slot, 1};
        break;
      }
    }
    if (!NextPage(lane, layout)) break;
  }
  lane.mu.Unlock();
  return range;
}

TableStore::SlotRange TableStore::AllocateRange(const std::shared_ptr<const Layout>& layout,
                                                uint32_t count) OMEN_NO_THREAD_SAFETY_ANALYSIS {
  Lane& lane = LockLane();
  SlotRange range;
  for (;;) {
    if (lane.page != nullptr && &lane.page->layout() == layout.get()) {
      Page& page = *lane.page;
      const uint32_t used = page.used_.load(std::memory_order_relaxed);
      const uint32_t taken = std::min(count, page.capacity() - used);
      if (taken > 0) {
        page.used_.store(used + taken, std::memory_order_release);
        range = {&page, used, taken};
        break;
      }
    }
    // A page with only scattered free slots is of no use here, and must not be lost to Allocate.
    Page* scattered = nullptr;
    if (!NextPage(lane, layout)) break;
    if (lane.page->used_.load(std::memory_order_relaxed) == lane.page->capacity()) {
      scattered = lane.page;
      lane.page = NewPage(layout);
      MutexLock lock(mu_);
      reuse_.push_back(scattered);
      if (lane.page == nullptr) break;
    }
  }
  lane.mu.Unlock();
  return range;
}

void TableStore::Write(const SlotRange& slot, RowId row, VersionRef prev,
                       std::span<const types::Value> cells) {
  const size_t bytes = slot.page->WriteRow(slot.first, cells);
  if (bytes > 0) Charge(bytes);
  VersionHeader& header = slot.page->header(slot.first);
  header.row_id = row.value();
  header.prev.store(prev, std::memory_order_relaxed);
  // Release: who sees this end sees that begin is no longer the old version's.
  header.end.store(mvcc::kInfinity, std::memory_order_release);
}

void TableStore::WriteColumns(const SlotRange& slots, const types::Chunk& chunk, uint32_t first) {
  const size_t bytes = slots.page->WriteRows(slots.first, slots.count, chunk, first);
  if (bytes > 0) Charge(bytes);
  for (uint32_t i = 0; i < slots.count; ++i) {
    VersionHeader& header = slots.page->header(slots.first + i);
    header.prev.store(0, std::memory_order_relaxed);
    header.end.store(mvcc::kInfinity, std::memory_order_relaxed);
  }
}

void TableStore::Free(std::span<const VersionRef> refs) {
  for (const VersionRef ref : refs) {
    Page& owner = page(ref);
    const uint32_t slot = SlotOf(ref);
    const size_t bytes = owner.FreeStrings(slot);
    if (bytes > 0) Discharge(bytes);
    for (const uint32_t column : owner.layout().string_columns()) {
      std::memset(owner.cells(column) + size_t{slot} * 16, 0, 16);
    }
    owner.header(slot).begin.store(mvcc::kInfinity, std::memory_order_release);
    owner.Touch();
    owner.freed_[slot >> 6].fetch_or(1ULL << (slot & 63), std::memory_order_release);
    const uint32_t freed = owner.freed_count_.fetch_add(1, std::memory_order_acq_rel) + 1;
    if (freed == owner.capacity()) {
      MutexLock lock(mu_);
      emptied_.push_back(owner.number());
    }
    if (freed < owner.capacity() / 4 || owner.claimed_.load(std::memory_order_acquire)) continue;
    if (!owner.claimed_.exchange(true, std::memory_order_acq_rel)) {
      MutexLock lock(mu_);
      reuse_.push_back(&owner);
    }
  }
}

Page* TableStore::TakePage(uint64_t number) {
  Page* page = page_at(number);
  if (page == nullptr) return nullptr;
  for (Lane& lane : lanes_) {
    MutexLock lock(lane.mu);
    if (lane.page != page) continue;
    ReleaseLane(lane);
    return page;
  }
  MutexLock lock(mu_);
  const auto waiting = std::find(reuse_.begin(), reuse_.end(), page);
  if (waiting != reuse_.end()) {
    reuse_.erase(waiting);
    return page;
  }
  return page->claimed_.exchange(true, std::memory_order_acq_rel) ? nullptr : page;
}

void TableStore::ReturnPage(Page& page) {
  page.claimed_.store(false, std::memory_order_release);
  const bool roomy = page.used() < page.capacity() ||
                     page.freed_count_.load(std::memory_order_acquire) >= page.capacity() / 4;
  if (!roomy || page.claimed_.exchange(true, std::memory_order_acq_rel)) return;
  MutexLock lock(mu_);
  reuse_.push_back(&page);
}

void TableStore::DropPage(Page& page) {
  pages_[page.number()].store(nullptr, std::memory_order_release);
}

std::vector<Page*> TableStore::DropEmptyPages() {
  constexpr size_t kKept = 16;      // Rows that come soon need no new pages.
  constexpr size_t kAtOnce = 1024;  // TakePage looks through those that wait for a lane.
  std::vector<uint64_t> numbers;
  {
    MutexLock lock(mu_);
    while (emptied_.size() > kKept && numbers.size() < kAtOnce) {
      numbers.push_back(emptied_.back());
      emptied_.pop_back();
    }
  }
  std::vector<Page*> dropped;
  std::vector<uint64_t> taken;  // by somebody else
  for (const uint64_t number : numbers) {
    Page* page = TakePage(number);
    if (page == nullptr) {
      if (page_at(number) != nullptr) taken.push_back(number);
      continue;
    }
    if (page->freed_count_.load(std::memory_order_acquire) == page->capacity()) {
      DropPage(*page);
      dropped.push_back(page);
    } else {
      ReturnPage(*page);
    }
  }
  MutexLock lock(mu_);
  emptied_.insert(emptied_.begin(), taken.begin(), taken.end());
  return dropped;
}

void TableStore::DestroyPage(Page* page) {
  size_t bytes = page->bytes();
  for (uint32_t slot = 0; slot < page->used(); ++slot) {
    bytes += page->FreeStrings(slot);
    for (const uint32_t column : page->layout().string_columns()) {
      std::memset(page->cells(column) + size_t{slot} * 16, 0, 16);
    }
  }
  Page::Deleter()(page);
  Discharge(bytes);
}

void TableStore::Restore(RowId id, const std::shared_ptr<const Layout>& layout, Timestamp ts,
                         std::span<const types::Value> cells) {
  RaiseRows(id);
  const VersionRef old = head(id);
  const SlotRange slot = Allocate(layout);
  OMEN_CHECK(slot.page != nullptr);
  Write(slot, id, 0, cells);
  slot.page->header(slot.first).begin.store(ts.value(), std::memory_order_release);
  row(id).store(slot.ref(), std::memory_order_release);
  if (old == 0) AddRows(1);
  if (old != 0 && !IsFrozen(old)) Free(std::span(&old, 1));
}

void TableStore::RestoreDelete(RowId id) {
  RaiseRows(id);
  const VersionRef old = head(id);
  if (old == 0) return;
  row(id).store(RangeWord(id) != 0 ? kRowGone : 0, std::memory_order_release);
  if (!IsFrozen(old)) Free(std::span(&old, 1));
  AddRows(-1);
}

void TableStore::RestoreFrozen(RowId id, VersionRef frozen) {
  RestoreDelete(id);
  row(id).store(frozen, std::memory_order_release);
  AddRows(1);
}

void TableStore::RestoreFrozenRange(RowId first, uint32_t count, VersionRef frozen) {
  RaiseRows(RowId(first.value() + count - 1));
  EnsureRows(first.value(), count);
  SetNewRange(first, count, frozen);
  AddRows(count);
}

// Others may write the word out at the same time: the first does.
std::atomic<uint64_t>& TableStore::row(RowId id) const {
  std::atomic<uint64_t>& word = rows_[id.value()];
  if (word.load(std::memory_order_acquire) != 0) return word;
  const uint64_t ranged = RangeWord(id);
  uint64_t none = 0;
  if (ranged != 0 && word.compare_exchange_strong(none, ranged, std::memory_order_seq_cst)) {
    rows_in_ranges_.fetch_sub(1, std::memory_order_relaxed);
  }
  return word;
}

void TableStore::SetNewRange(RowId first, uint32_t count, VersionRef frozen) {
  for (uint32_t i = 0; i < count;) {
    const uint64_t id = first.value() + i;
    if (id % kRangeRows == 0 && count - i >= kRangeRows) {
      ranges_.Ensure(id / kRangeRows).store(frozen + i, std::memory_order_release);
      rows_in_ranges_.fetch_add(kRangeRows, std::memory_order_relaxed);
      i += kRangeRows;
    } else {
      SetNewRow(RowId(id), frozen + i);
      ++i;
    }
  }
}

RowId TableStore::ReserveRows(uint64_t count) {
  const uint64_t first = next_row_.fetch_add(count, std::memory_order_relaxed);
  EnsureRows(first, count);
  return RowId(first);
}

void TableStore::EnsureRows(uint64_t first, uint64_t count) {
  for (uint64_t id = first; id < first + count;) {
    rows_.Ensure(id);
    id += 256;  // No segment is shorter.
  }
  rows_.Ensure(first + count - 1);
}

void TableStore::RaiseRows(RowId last) {
  rows_.Ensure(last.value());
  uint64_t next = next_row_.load(std::memory_order_relaxed);
  while (next <= last.value() &&
         !next_row_.compare_exchange_weak(next, last.value() + 1, std::memory_order_relaxed)) {
  }
}

bool TableStore::SetHead(RowId id, VersionRef expected, VersionRef desired) {
  std::atomic<uint64_t>& word = row(id);
  uint64_t current = word.load(std::memory_order_acquire);
  for (;;) {
    if ((current & ~kRowLocked) != expected) return false;
    if (word.compare_exchange_weak(current, desired | (current & kRowLocked),
                                   std::memory_order_seq_cst)) {
      return true;
    }
  }
}

}  // namespace omendb::rowstore
