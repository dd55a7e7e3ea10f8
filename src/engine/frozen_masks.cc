// Rows of segments that are deleted where they lie: see frozen_table.h.
#include <algorithm>

#include "base/check.h"
#include "engine/frozen_table.h"

namespace omendb::engine {

using rowstore::FrozenRowOf;
using rowstore::FrozenSegmentOf;
using rowstore::VersionRef;

namespace {

// Whoever meets a row asks each mask of its segment.
constexpr size_t kMasksMax = 64;

DeleteMasks Without(const DeleteMasks& masks, const DeleteMask& gone) {
  DeleteMasks rest;
  for (const auto& mask : masks) {
    if (mask.get() != &gone) rest.push_back(mask);
  }
  return rest;
}

std::shared_ptr<const DeleteMasks> Share(DeleteMasks masks) {
  return masks.empty() ? nullptr : std::make_shared<const DeleteMasks>(std::move(masks));
}

}  // namespace

constinit const std::atomic<uint64_t> FrozenSegment::kNeverEnded{mvcc::kInfinity};

// A mask that was taken back may stay in the list that a reader has.
const std::atomic<uint64_t>& FrozenSegment::EndIn(const DeleteMasks& masks, uint32_t row) {
  for (const auto& mask : masks) {
    if (mask->Has(row) && mask->end.load(std::memory_order_acquire) != mvcc::kInfinity) {
      return mask->end;
    }
  }
  return kNeverEnded;
}

uint32_t Run::masked_rows() const {
  if (masks == nullptr) return 0;
  uint32_t rows = 0;
  for (const auto& mask : *masks) {
    if (mask->end.load(std::memory_order_acquire) != mvcc::kInfinity) rows += mask->count();
  }
  return std::min(rows, live_rows());
}

std::shared_ptr<const RunSet> SeenRuns(std::shared_ptr<const RunSet> runs,
                                       const mvcc::TxnTable& txns, const mvcc::Snapshot& snapshot) {
  std::shared_ptr<RunSet> seen;
  for (size_t i = 0; i < runs->runs.size(); ++i) {
    const Run& run = runs->runs[i];
    if (run.masks == nullptr) continue;
    std::shared_ptr<DeadRows> dead;
    for (const auto& mask : *run.masks) {
      if (!mvcc::IsSeen(txns, snapshot, mask->end)) continue;
      if (dead == nullptr) dead = std::make_shared<DeadRows>(*run.dead);
      mask->AddTo(*dead);
    }
    if (dead == nullptr) continue;
    if (seen == nullptr) seen = std::make_shared<RunSet>(*runs);
    seen->runs[i].dead = std::move(dead);
  }
  return seen != nullptr ? std::move(seen) : std::move(runs);
}

bool FrozenTable::IsDeleted(VersionRef frozen) const {
  return EndOf(frozen).load(std::memory_order_acquire) != mvcc::kInfinity;
}

const DeleteMasks* FrozenTable::Replace(const FrozenSegment& segment, DeleteMasks masks) {
  const DeleteMasks* next = masks.empty() ? nullptr : new DeleteMasks(std::move(masks));
  return segment.masks_.exchange(next, std::memory_order_seq_cst);
}

void FrozenTable::RetireList(const DeleteMasks* list) {
  if (list != nullptr) epochs_.RetireObject(const_cast<DeleteMasks*>(list));
}

std::shared_ptr<DeleteMask> FrozenTable::AddMask(uint64_t segment, uint64_t end,
                                                 std::shared_ptr<Replacement> replacement) {
  std::shared_ptr<DeleteMask> mask;
  const DeleteMasks* old = nullptr;
  {
    MutexLock lock(mu_);
    Run& run = OwnRuns().runs[segment];
    const DeleteMasks* const listed = run.segment->masks_.load(std::memory_order_acquire);
    if (listed != nullptr && listed->size() >= kMasksMax) return nullptr;
    if (replacement != nullptr) replacement->masks.fetch_add(1, std::memory_order_relaxed);
    mask = std::make_shared<DeleteMask>(run.segment->rows(), end, std::move(replacement));
    DeleteMasks in_set = run.masks != nullptr ? *run.masks : DeleteMasks();
    in_set.push_back(mask);
    run.masks = Share(std::move(in_set));
    DeleteMasks next = listed != nullptr ? *listed : DeleteMasks();
    next.push_back(mask);
    old = Replace(*run.segment, std::move(next));
  }
  RetireList(old);
  return mask;
}

bool FrozenTable::Delete(const rowstore::TableStore& store, RowId row, VersionRef frozen,
                         DeleteMask& mask) {
  MutexLock lock(mu_);
  if (store.head(row) != frozen || !MayChange(frozen)) return false;
  mask.Add(FrozenRowOf(frozen));
  return true;
}

void FrozenTable::Undelete(VersionRef frozen, DeleteMask& mask) {
  MutexLock lock(mu_);
  mask.Remove(FrozenRowOf(frozen));
}

void FrozenTable::DropMask(uint64_t segment, DeleteMask& mask) {
  const DeleteMasks* old = nullptr;
  {
    MutexLock lock(mu_);
    mask.end.store(mvcc::kInfinity, std::memory_order_seq_cst);
    if (mask.replacement() != nullptr) {
      mask.replacement()->masks.fetch_sub(1, std::memory_order_relaxed);
    }
    Run& run = OwnRuns().runs[segment];
    run.masks = Share(Without(*run.masks, mask));
    old =
        Replace(*run.segment, Without(*run.segment->masks_.load(std::memory_order_acquire), mask));
  }
  RetireList(old);
}

void FrozenTable::SettleMask(uint64_t segment, const DeleteMask& mask) {
  MutexLock lock(mu_);
  Run& run = OwnRuns().runs[segment];
  run.masks = Share(Without(*run.masks, mask));
  mask.AddTo(OwnMask(segment));
}

void FrozenTable::Unlist(uint64_t segment, const DeleteMask& mask) {
  const std::shared_ptr<Replacement> replacement = mask.replacement();
  const DeleteMasks* old = nullptr;
  {
    MutexLock lock(mu_);
    const FrozenSegment& listed = *current_->runs[segment].segment;
    old = Replace(listed, Without(*listed.masks_.load(std::memory_order_acquire), mask));
  }
  RetireList(old);
  if (replacement == nullptr) return;
  if (replacement->masks.fetch_sub(1, std::memory_order_acq_rel) > 1) return;
  for (const uint64_t number : replacement->segments) DropOlder(number);
}

void FrozenTable::DropOlder(uint64_t segment) {
  const FrozenSegment& replacing = *segments_[segment].load(std::memory_order_acquire);
  using Older = FrozenSegment::OlderVersions;
  Older* const older = replacing.older_.exchange(nullptr, std::memory_order_acq_rel);
  if (older == nullptr) return;
  epochs_.Retire(
      older, [](void* object, void*) { delete static_cast<Older*>(object); }, nullptr,
      older->size() * sizeof(Older::value_type));
}

}  // namespace omendb::engine
