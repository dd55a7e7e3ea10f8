#include "engine/key_scan.h"

#include <algorithm>
#include <set>

#include "base/bytes.h"
#include "colstore/key_cursor.h"
#include "engine/block_tally.h"
#include "engine/key_budget.h"
#include "engine/visible_rows.h"
#include "types/chunk_builder.h"

namespace omendb::engine {
namespace {

// The rows of so many blocks lie between two cuts of a segment; of pages, so many rows.
constexpr uint32_t kMorselBlocks = 8;
constexpr size_t kMorselHotRows = size_t{kMorselBlocks} * colstore::kBlockRows;
constexpr size_t kNoRun = SIZE_MAX;
// More rows in pages are sorted faster with their columns than each looked up by its ref.
constexpr uint64_t kHotRowsMax = 1'000'000;
constexpr uint64_t kRowsPerHotRow = 8;
// What is kept of each, for as long as the scan takes, is about 64 bytes: a sixteenth of the memory
// of rows and indexes.
constexpr uint64_t kMemoryPerHotRow = 16 * 64;
// A segment's stretches are of few rows where many others have keys in between.
constexpr uint64_t kOverlapsMax = 3;
// Of hot rows that are looked for.
constexpr uint64_t kRowsPerCancelCheck = 4096;

// The key of a row where a block of the segment begins.
Status KeyOfBlock(const colstore::SegmentReader& reader, uint32_t block, std::string& key) {
  const colstore::SegmentFooter& footer = reader.footer();
  if (!footer.has_integer_key()) {
    return colstore::KeyCursor(reader).KeyAt(block * colstore::kBlockRows, key);
  }
  // The least of its block, which the zone has.
  const uint32_t column = footer.key[0].column;
  OMEN_ASSIGN(const colstore::ColumnDirectory* directory, reader.directory(column));
  key.resize(sizeof(uint64_t));
  StoreBe<uint64_t>(key.data(), types::EncodeIntKey(footer.columns[column].column.type,
                                                    directory->zone(block).min()));
  return Status::Ok();
}

// Those from before the key was given to the table are not.
bool AreSortedByKey(const RunSet& runs, const TableIndex& primary) {
  return std::all_of(runs.runs.begin(), runs.runs.end(), [&](const Run& run) {
    return run.segment->reader() == nullptr || KeyBudget::IsSortedBy(*run.segment, primary);
  });
}

// Each segment's other ones among whose keys its first is, on average.
uint64_t AverageOverlaps(const RunSet& runs) {
  std::vector<std::pair<std::string_view, std::string_view>> ranges;
  for (const Run& run : runs.runs) {
    if (run.live_rows() == 0) continue;
    const colstore::SegmentFooter& footer = run.segment->reader()->footer();
    ranges.emplace_back(footer.min_key, footer.max_key);
  }
  std::sort(ranges.begin(), ranges.end());
  std::multiset<std::string_view> ends;
  uint64_t overlaps = 0;
  for (const auto& [first, last] : ranges) {
    ends.erase(ends.begin(), ends.lower_bound(first));
    overlaps += ends.size();
    ends.insert(last);
  }
  return ranges.empty() ? 0 : overlaps / ranges.size();
}

}  // namespace

struct KeyScan::Worker final : WorkerState {
  explicit Worker(const std::vector<types::SqlType>& types) : builder(types), row(types.size()) {}

  struct Stretch {
    size_t run;
    uint32_t first;
    uint32_t end;
  };
  uint64_t morsel = 0;
  bool ascends = true;
  std::vector<Stretch> stretches;
  size_t next_stretch = 0;
  std::unique_ptr<FrozenScan> scan;  // of the stretch before that
  std::optional<FrozenCursor> cursor;
  colstore::SegmentScan::Counters counted;  // of `scan`
  std::vector<HotRow>::const_iterator next_hot;
  std::vector<HotRow>::const_iterator end_hot;
  // Of hot rows.
  types::ChunkBuilder builder;
  types::Row row;
  types::Arena arena;
};

KeyScan::KeyScan(std::shared_ptr<RelationImpl> relation, const StatementContext& context,
                 Relation::ScanOptions options)
    : relation_(std::move(relation)),
      options_(std::move(options)),
      snapshot_(context.txn->snapshot()),
      cancel_(context.cancel),
      runs_(SeenRuns(relation_->storage().frozen().runs(), relation_->manager().txns(), snapshot_)),
      columns_(*relation_, options_.columns, *runs_) {
  for (size_t i = 0; i < runs_->runs.size(); ++i) {
    if (runs_->runs[i].IsSeen(relation_->manager().txns(), snapshot_)) seen_.push_back(i);
  }
  const EngineTransaction* const engine = EngineTransaction::Find(*context.txn);
  if (engine != nullptr) block_sums_ = engine->block_sums();
}

KeyScan::~KeyScan() {
  if (block_sums_ != nullptr) block_sums_->Add(block_counts());
}

bool KeyScan::IsCheap(const RelationImpl& relation) {
  if (relation.primary_index() == nullptr) return false;
  const uint64_t hot = relation.placement().hot_rows;
  const uint64_t hot_max = std::min(kHotRowsMax, relation.memory_limit() / kMemoryPerHotRow);
  if (hot > hot_max || hot > relation.rows_estimate() / kRowsPerHotRow) return false;
  const std::shared_ptr<const RunSet> runs = relation.storage().frozen().runs();
  return AreSortedByKey(*runs, *relation.primary_index()) && AverageOverlaps(*runs) <= kOverlapsMax;
}

std::unique_ptr<Relation::Scan::WorkerState> KeyScan::NewWorker() {
  return std::make_unique<Worker>(columns_.types());
}

Status KeyScan::Prepare() {
  if (is_prepared_.load(std::memory_order_acquire)) return Status::Ok();
  MutexLock lock(mu_);
  if (!prepared_) {
    prepared_ = FindHotRows();
    if (prepared_->ok()) prepared_ = FindCuts();
  }
  if (prepared_->ok()) is_prepared_.store(true, std::memory_order_release);
  return *prepared_;
}

Status KeyScan::FindCuts() {
  for (const size_t i : seen_) {
    const colstore::SegmentReader& reader = *runs_->runs[i].segment->reader();
    for (uint32_t block = 0; block < reader.footer().blocks_count(); block += kMorselBlocks) {
      if (cancel_ != nullptr && cancel_->set()) return cancel_->ToStatus();
      Cut& cut = cuts_.emplace_back(Cut{{}, i, block * colstore::kBlockRows});
      OMEN_TRY(KeyOfBlock(reader, block, cut.key));
    }
  }
  // Where a table grows most rows of pages are beyond all segments.
  for (size_t i = kMorselHotRows; i < hot_.size(); i += kMorselHotRows) {
    cuts_.push_back({hot_[i].key, kNoRun, 0});
  }
  std::sort(cuts_.begin(), cuts_.end(), [](const Cut& a, const Cut& b) { return a.key < b.key; });
  return Status::Ok();
}

Status KeyScan::FindHotRows() {
  const TableIndex& primary = *relation_->primary_index();
  const auto visit = [&](const rowstore::Page& page, uint32_t slot) {
    if (hot_.size() % kRowsPerCancelCheck == 0 && cancel_ != nullptr && cancel_->set()) {
      return cancel_->ToStatus();
    }
    HotRow& row = hot_.emplace_back();
    primary.KeyOfVersion(page, slot, row.key);
    row.ref = {RowId(page.header(slot).row_id), rowstore::MakeRef(page.number(), slot)};
    return Status::Ok();
  };
  OMEN_TRY(
      ForEachHotRow(relation_->storage(), *runs_, relation_->manager().txns(), snapshot_, visit));
  std::sort(hot_.begin(), hot_.end(),
            [](const HotRow& a, const HotRow& b) { return a.key < b.key; });
  return Status::Ok();
}

Result<uint32_t> KeyScan::RowOf(const Cut& cut, size_t run) const {
  if (cut.run == run) return cut.row;
  const colstore::SegmentReader& reader = *runs_->runs[run].segment->reader();
  if (!reader.footer().has_integer_key()) return reader.LowerBound(cut.key);
  return reader.LowerBound(LoadBe<uint64_t>(cut.key.data()));
}

std::vector<KeyScan::HotRow>::const_iterator KeyScan::HotRowOf(const Cut& cut) const {
  return std::lower_bound(hot_.begin(), hot_.end(), cut.key,
                          [](const HotRow& row, const std::string& key) { return row.key < key; });
}

Result<bool> KeyScan::TakeMorsel(Worker& worker) {
  const size_t number = next_morsel_.fetch_add(1, std::memory_order_relaxed);
  if (number > cuts_.size()) return false;
  const bool descending = options_.order == Relation::KeyOrder::kDescending;
  const size_t part = descending ? cuts_.size() - number : number;
  const Cut* const low = part == 0 ? nullptr : &cuts_[part - 1];
  const Cut* const high = part == cuts_.size() ? nullptr : &cuts_[part];
  worker.morsel = number;
  worker.stretches.clear();
  worker.next_stretch = 0;
  for (const size_t i : seen_) {
    if (low == nullptr) break;  // No segment has such keys.
    const Run& run = runs_->runs[i];
    const colstore::SegmentFooter& footer = run.segment->reader()->footer();
    if (footer.max_key < low->key || (high != nullptr && footer.min_key >= high->key)) continue;
    OMEN_ASSIGN(const uint32_t first, RowOf(*low, i));
    uint32_t end = run.segment->rows();
    if (high != nullptr) {
      OMEN_ASSIGN(end, RowOf(*high, i));
    }
    if (first < end) worker.stretches.push_back({i, first, end});
  }
  worker.next_hot = low == nullptr ? hot_.begin() : HotRowOf(*low);
  worker.end_hot = high == nullptr ? hot_.end() : HotRowOf(*high);
  const size_t sources = worker.stretches.size() + (worker.next_hot == worker.end_hot ? 0 : 1);
  worker.ascends = sources <= 1;
  return true;
}

bool KeyScan::OpenStretch(Worker& worker) const {
  worker.cursor.reset();
  worker.scan.reset();
  if (worker.next_stretch == worker.stretches.size()) return false;
  const auto& [run, first, end] = worker.stretches[worker.next_stretch++];
  worker.scan = std::make_unique<FrozenScan>(runs_->runs[run], options_, first, end);
  worker.cursor.emplace(*worker.scan, run, columns_, options_.late_columns);
  worker.counted = {};
  return true;
}

void KeyScan::CountBlocks(Worker& worker) {
  const auto now = worker.scan->counters();
  const auto before = std::exchange(worker.counted, now);
  const auto add = [](std::atomic<uint64_t>& sum, uint64_t to, uint64_t from) {
    if (to > from) sum.fetch_add(to - from, std::memory_order_relaxed);
  };
  add(blocks_read_, now.blocks_read, before.blocks_read);
  add(blocks_loaded_, now.blocks_loaded, before.blocks_loaded);
  add(blocks_skipped_, now.blocks_skipped, before.blocks_skipped);
}

Result<bool> KeyScan::NextHot(Worker& worker, types::Chunk& chunk, std::vector<RowRef>* refs) {
  uint32_t count = 0;
  worker.arena.Reset();
  if (refs != nullptr) refs->clear();
  for (; worker.next_hot != worker.end_hot && count < types::kChunkRowsMax; ++worker.next_hot) {
    const RowRef& ref = worker.next_hot->ref;
    OMEN_TRY(relation_->Read(ref, options_.columns, worker.arena, worker.row.data()));
    worker.builder.Set(count++, worker.row);
    if (refs != nullptr) refs->push_back(ref);
  }
  if (count > 0) chunk = worker.builder.View(count);
  return count > 0;
}

Result<bool> KeyScan::Next(WorkerState& state, types::Chunk& chunk, std::vector<RowRef>* refs) {
  auto& worker = static_cast<Worker&>(state);
  OMEN_TRY(Prepare());
  for (;;) {
    if (cancel_ != nullptr && cancel_->set()) return cancel_->ToStatus();
    if (worker.cursor) {
      OMEN_ASSIGN(const bool more, worker.cursor->Next(chunk, refs));
      CountBlocks(worker);
      if (more) return true;
    }
    if (OpenStretch(worker)) continue;
    OMEN_ASSIGN(const bool has_hot, NextHot(worker, chunk, refs));
    if (has_hot) return true;
    OMEN_ASSIGN(const bool has_morsel, TakeMorsel(worker));
    if (!has_morsel) return false;
  }
}

Status KeyScan::Fill(WorkerState& state, types::Chunk& chunk, size_t i) {
  auto& worker = static_cast<Worker&>(state);
  return worker.cursor ? worker.cursor->Fill(chunk, i) : Status::Ok();
}

uint64_t KeyScan::MorselOf(const WorkerState& state) const {
  return static_cast<const Worker&>(state).morsel;
}

bool KeyScan::Ascends(const WorkerState& state) const {
  return static_cast<const Worker&>(state).ascends;
}

bool KeyScan::HasApplied(const WorkerState& state, ColumnId column) const {
  const auto& worker = static_cast<const Worker&>(state);
  return worker.cursor && worker.scan->HasApplied(column);
}

bool KeyScan::HasMoved(const WorkerState& state, ColumnId column) const {
  const auto& worker = static_cast<const Worker&>(state);
  return worker.cursor && worker.scan->HasMoved(column);
}

double KeyScan::progress() const {
  if (!is_prepared_.load(std::memory_order_acquire)) return 0;
  return std::min(1.0, static_cast<double>(next_morsel_.load(std::memory_order_relaxed)) /
                           static_cast<double>(cuts_.size() + 1));
}

Relation::BlockCounts KeyScan::block_counts() const {
  return {blocks_read_.load(std::memory_order_relaxed),
          blocks_loaded_.load(std::memory_order_relaxed),
          blocks_skipped_.load(std::memory_order_relaxed)};
}

}  // namespace omendb::engine
