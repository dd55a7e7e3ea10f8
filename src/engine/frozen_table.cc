#include "engine/frozen_table.h"

#include "base/check.h"
#include "base/sqlstate.h"
#include "colstore/segment_scan.h"

namespace omendb::engine {

using rowstore::FrozenRowOf;
using rowstore::FrozenSegmentOf;
using rowstore::VersionRef;

namespace {

RowId IdInSequence(const colstore::Zone& sequence, uint32_t row) {
  return RowId(static_cast<uint64_t>(sequence.min().i64) + row);
}

}  // namespace

Result<std::shared_ptr<const FrozenSegment>> FrozenSegment::Make(
    std::shared_ptr<const colstore::SegmentReader> reader) {
  auto segment = std::make_shared<FrozenSegment>();
  const auto& columns = reader->footer().columns;
  for (size_t i = 0; i < columns.size(); ++i) {
    const int16_t id = columns[i].column.id.value();
    if (id < 0) continue;
    const auto at = static_cast<size_t>(id);
    if (at >= segment->positions_.size()) segment->positions_.resize(at + 1, -1);
    segment->positions_[at] = static_cast<int32_t>(i);
  }
  if (segment->positions_.empty() || segment->positions_[0] < 0) {
    return env::DamagedFile(reader->path(), 0, "it has no row ids");
  }
  segment->file_id_ = reader->file_id();
  segment->rows_ = reader->rows();
  segment->settled_ = std::max(reader->footer().max_ts, Timestamp(1));
  segment->reader_ = std::move(reader);
  return std::shared_ptr<const FrozenSegment>(std::move(segment));
}

std::shared_ptr<const FrozenSegment> FrozenSegment::Hollow() const {
  auto hollow = std::make_shared<FrozenSegment>();
  hollow->file_id_ = file_id_;
  hollow->rows_ = rows_;
  hollow->settled_ = settled_;
  hollow->positions_ = positions_;
  hollow->begin_.store(begin_.load(std::memory_order_acquire), std::memory_order_relaxed);
  return hollow;
}

const colstore::Zone* FrozenSegment::row_id_sequence() const {
  const colstore::Zone& zone = reader_->footer().columns[row_ids_position()].zone;
  return zone.is_sequence() ? &zone : nullptr;
}

Result<std::vector<RowId>> FrozenSegment::ReadRowIds() const {
  if (const colstore::Zone* sequence = row_id_sequence()) {
    std::vector<RowId> ids(rows());
    for (uint32_t i = 0; i < rows(); ++i) ids[i] = IdInSequence(*sequence, i);
    return ids;
  }
  colstore::ScanOptions options;
  options.columns = {row_ids_position()};
  colstore::SegmentScan scan(reader_, std::move(options));
  const auto worker = scan.NewWorker();
  std::vector<RowId> ids;
  ids.reserve(rows());
  types::Chunk chunk;
  for (;;) {
    OMEN_ASSIGN(const bool more, scan.Next(*worker, chunk));
    if (!more) return ids;
    for (uint32_t i = 0; i < chunk.rows_count; ++i) {
      ids.push_back(RowId(static_cast<uint64_t>(chunk.columns[0].Get(i).i64)));
    }
  }
}

Result<RowId> FrozenSegment::ReadRowId(uint32_t row) const {
  if (const colstore::Zone* sequence = row_id_sequence()) return IdInSequence(*sequence, row);
  const uint32_t column = row_ids_position();
  types::Arena arena;
  types::Value id;
  OMEN_TRY(reader_->ReadRow(row, {&column, 1}, arena, &id));
  return RowId(static_cast<uint64_t>(id.i64));
}

std::shared_ptr<const RunSet> FrozenTable::runs() const {
  MutexLock lock(mu_);
  ++given_;
  return current_;
}

RunSet& FrozenTable::OwnRuns() {
  if (runs_made_ != given_) {
    current_ = std::make_shared<RunSet>(*current_);
    runs_made_ = given_;
  }
  return *current_;
}

DeadRows& FrozenTable::OwnMask(uint64_t segment) {
  std::shared_ptr<DeadRows>& mask = OwnRuns().runs[segment].dead;
  if (masks_made_[segment] != given_) {
    mask = std::make_shared<DeadRows>(*mask);
    masks_made_[segment] = given_;
  }
  return *mask;
}

uint64_t FrozenTable::Publish(std::shared_ptr<const FrozenSegment> segment, DeadRows dead,
                              std::span<rowstore::Page* const> pages) {
  MutexLock lock(mu_);
  const uint64_t number = Add(std::move(segment), std::move(dead));
  for (rowstore::Page* page : pages) page->set_frozen_at(current_->version);
  return number;
}

uint64_t FrozenTable::Add(std::shared_ptr<const FrozenSegment> segment, DeadRows dead) {
  RunSet& set = OwnRuns();
  const uint64_t number = set.runs.size();
  columns_min_.store(std::min(columns_min(), segment->positions_.size() - 1),
                     std::memory_order_release);
  segments_.Ensure(number).store(segment.get(), std::memory_order_release);
  segments_count_.store(number + 1, std::memory_order_release);
  ++set.version;
  set.runs.push_back({std::move(segment), std::make_shared<DeadRows>(std::move(dead))});
  masks_made_.push_back(given_);
  return number;
}

void FrozenTable::SetMoving(std::span<const uint64_t> segments, bool is_moving) {
  MutexLock lock(mu_);
  for (const uint64_t number : segments) {
    segments_[number]
        .load(std::memory_order_acquire)
        ->is_moving_.store(is_moving, std::memory_order_release);
  }
}

void FrozenTable::BeginMove(std::span<const uint64_t> segments) { SetMoving(segments, true); }
void FrozenTable::EndMove(std::span<const uint64_t> segments) { SetMoving(segments, false); }

uint64_t FrozenTable::PublishMoved(std::shared_ptr<const FrozenSegment> segment, DeadRows dead,
                                   std::span<const VersionRef> from) {
  MutexLock lock(mu_);
  for (uint32_t i = 0; i < from.size(); ++i) {
    if (!dead.Has(i)) OwnMask(FrozenSegmentOf(from[i])).Add(FrozenRowOf(from[i]));
  }
  return Add(std::move(segment), std::move(dead));
}

bool FrozenTable::Thaw(rowstore::TableStore& store, RowId row, VersionRef frozen, VersionRef fresh,
                       uint64_t begin) {
  MutexLock lock(mu_);
  if (store.head(row) != frozen || !MayChange(frozen)) return false;
  // Nobody else takes a frozen head away: changing it needs mu_.
  store.header(fresh).begin.store(begin, std::memory_order_release);
  OMEN_CHECK(store.SetHead(row, frozen, fresh));
  OwnMask(FrozenSegmentOf(frozen)).Add(FrozenRowOf(frozen));
  return true;
}

void FrozenTable::Refreeze(rowstore::TableStore& store, RowId row, VersionRef fresh,
                           VersionRef frozen) {
  MutexLock lock(mu_);
  OMEN_CHECK(store.SetHead(row, fresh, frozen));
  OwnMask(FrozenSegmentOf(frozen)).Remove(FrozenRowOf(frozen));
}

void FrozenTable::Abandon(uint64_t segment) {
  MutexLock lock(mu_);
  const FrozenSegment& abandoned = *OwnRuns().runs[segment].segment;
  abandoned.set_begin(mvcc::kInfinity);
  DeadRows& mask = OwnMask(segment);
  for (uint32_t row = 0; row < abandoned.rows(); ++row) mask.Add(row);
}

bool FrozenTable::IsDead(const Run& run) {
  const FrozenSegment& segment = *run.segment;
  return run.live_rows() == 0 && run.masks == nullptr && !segment.is_hollow() &&
         !segment.has_older() && segment.masks_.load(std::memory_order_acquire) == nullptr &&
         !mvcc::IsTxnWord(segment.begin().load(std::memory_order_acquire));
}

Status FrozenTable::HollowIsRead() {
  return Status(sqlstate::kInternalError, "a segment is read whose rows are all dead");
}

std::vector<uint64_t> FrozenTable::NewlyDead() const {
  MutexLock lock(mu_);
  std::vector<uint64_t> dead;
  for (uint64_t number = 0; number < current_->runs.size(); ++number) {
    const Run& run = current_->runs[number];
    if (run.segment->dead_at_ == 0 && IsDead(run)) dead.push_back(number);
  }
  return dead;
}

void FrozenTable::NoteDead(std::span<const uint64_t> segments, Timestamp ts) {
  MutexLock lock(mu_);
  for (const uint64_t number : segments) current_->runs[number].segment->dead_at_ = ts.value();
}

size_t FrozenTable::HollowDead(
    uint64_t oldest, const std::function<bool(uint64_t, const FrozenSegment&)>& is_needed) {
  std::vector<std::shared_ptr<const FrozenSegment>> gone;
  {
    MutexLock lock(mu_);
    for (uint64_t number = 0; number < current_->runs.size(); ++number) {
      const Run& run = current_->runs[number];
      const uint64_t dead_at = run.segment->dead_at_;
      if (dead_at == 0 || dead_at > oldest || !IsDead(run)) continue;
      const std::shared_ptr<const FrozenSegment> segment = run.segment;
      if (is_needed(number, *segment)) continue;
      std::shared_ptr<const FrozenSegment> hollow = segment->Hollow();
      segments_[number].store(hollow.get(), std::memory_order_release);
      Run& changed = OwnRuns().runs[number];
      changed.segment = std::move(hollow);
      changed.dead = std::make_shared<DeadRows>(DeadRows::All(segment->rows()));
      masks_made_[number] = given_;
      gone.push_back(segment);
    }
  }
  // Somebody may just have found it at its number.
  using Gone = std::vector<std::shared_ptr<const FrozenSegment>>;
  const size_t count = gone.size();
  if (count == 0) return count;
  epochs_.Retire(
      new Gone(std::move(gone)), [](void* object, void*) { delete static_cast<Gone*>(object); },
      nullptr, count * sizeof(FrozenSegment));
  return count;
}

void FrozenTable::MarkDead(VersionRef frozen) {
  MutexLock lock(mu_);
  OwnMask(FrozenSegmentOf(frozen)).Add(FrozenRowOf(frozen));
}

size_t FrozenTable::memory_bytes() const {
  const std::shared_ptr<const RunSet> set = runs();
  size_t bytes = 0;
  for (const Run& run : set->runs) {
    bytes += sizeof(FrozenSegment) + run.dead->words().size() * sizeof(uint64_t);
    if (!run.segment->is_hollow()) bytes += run.segment->reader()->memory_bytes();
    if (run.segment->has_older()) bytes += run.segment->rows() * sizeof(VersionRef);
    if (run.masks == nullptr) continue;
    for (const auto& mask : *run.masks) bytes += mask->memory_bytes();
  }
  return bytes;
}

}  // namespace omendb::engine
