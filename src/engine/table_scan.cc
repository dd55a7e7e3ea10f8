#include "engine/table_scan.h"

#include "engine/block_tally.h"
#include "engine/visible_rows.h"
#include "mvcc/visibility.h"

namespace omendb::engine {

using rowstore::kPageSlots;
using rowstore::Page;

namespace {

// More rows in pages are looked through by all processors, in a plan.
constexpr uint64_t kHotRowsMax = 32'768;
// What a worker takes at once.
constexpr uint64_t kMorselPages = 16;

}  // namespace

struct TableScan::Worker final : Relation::Scan::WorkerState {
  uint32_t count = 0;
  bool whole_page = false;  // Then the selection is not filled.
  uint32_t selection[kPageSlots];
  int64_t row_ids[kPageSlots];  // of a page, when they are read
  // Of its morsel.
  uint64_t pages_begin = 0;
  uint64_t next_page = 0;
  uint64_t pages_end = 0;
  // ---- In segments ----
  size_t run = 0;
  std::optional<FrozenCursor> blocks;  // of `run`
};

TableScan::TableScan(std::shared_ptr<const RelationImpl> relation, const StatementContext& context,
                     Relation::ScanOptions options)
    : relation_(std::move(relation)),
      options_(std::move(options)),
      snapshot_(context.txn->snapshot()),
      cancel_(context.cancel),
      runs_(SeenRuns(relation_->storage().frozen().runs(), relation_->manager().txns(), snapshot_)),
      pages_count_(relation_->storage().store().pages_count()),
      columns_(*relation_, options_.columns, *runs_) {
  const mvcc::TxnTable& txns = relation_->manager().txns();
  for (const Run& run : runs_->runs) {
    std::unique_ptr<FrozenScan>& scan = frozen_.emplace_back();
    blocks_before_.push_back(blocks_count_);
    if (!run.IsSeen(txns, snapshot_)) continue;
    scan = std::make_unique<FrozenScan>(run, options_);
    blocks_count_ += run.segment->reader()->footer().blocks_count();
  }
  const EngineTransaction* const engine = EngineTransaction::Find(*context.txn);
  if (engine != nullptr) block_sums_ = engine->block_sums();
}

TableScan::~TableScan() {
  if (block_sums_ != nullptr) block_sums_->Add(block_counts());
}

std::unique_ptr<Relation::Scan::WorkerState> TableScan::NewWorker() {
  return std::make_unique<Worker>();
}

bool TableScan::SelectPage(Page& page, Worker& worker) const {
  const uint64_t read_ts = snapshot_.read_ts.value();
  const uint64_t clean = page.clean_timestamp();
  if (clean != 0 && clean <= read_ts) {
    worker.whole_page = true;
    worker.count = page.capacity();
    return true;
  }
  const mvcc::TxnTable& txns = relation_->manager().txns();
  const uint32_t used = page.used();
  uint32_t count = 0;
  for (uint32_t slot = 0; slot < used; ++slot) {
    const rowstore::VersionHeader& header = page.header(slot);
    const uint64_t begin = header.begin.load(std::memory_order_acquire);
    const uint64_t end = header.end.load(std::memory_order_acquire);
    // Stamped, seen and not ended: all but always. A mark is greater than any timestamp. Begin is
    // read again for the reason that IsVisible gives.
    const bool visible = begin <= read_ts && end == mvcc::kInfinity &&
                                 header.begin.load(std::memory_order_acquire) == begin
                             ? true
                             : mvcc::IsVisible(txns, snapshot_, header.begin, header.end);
    worker.selection[count] = slot;
    count += visible && !runs_->HidesCopy(header) ? 1 : 0;
  }
  worker.count = count;
  worker.whole_page = count == used;
  if (count == page.capacity()) page.TryMarkClean();
  return count > 0;
}

void TableScan::FillRowIds(const Page& page, Worker& worker, types::ColumnView& view) const {
  const uint32_t used = page.used();
  for (uint32_t slot = 0; slot < used; ++slot) {
    worker.row_ids[slot] = static_cast<int64_t>(page.header(slot).row_id);
  }
  view.data = worker.row_ids;
  view.validity = nullptr;
}

void TableScan::FillChunk(const Page& page, Worker& worker, types::Chunk& chunk) const {
  chunk.rows_count = worker.count;
  chunk.columns.resize(options_.columns.size());
  for (size_t i = 0; i < options_.columns.size(); ++i) {
    types::ColumnView& view = chunk.columns[i] = columns_.Missing(i);
    const ColumnId id = options_.columns[i];
    const auto column = static_cast<uint32_t>(id.value() - 1);
    view.selection = worker.whole_page ? nullptr : worker.selection;
    if (id == kRowIdColumn) {
      FillRowIds(page, worker, view);
    } else if (column < page.layout().columns_count()) {
      view.data = page.cells(column);
      view.validity = page.has_nulls(column) ? page.validity(column) : nullptr;
    }
  }
}

uint64_t TableScan::TakePage(Worker& worker) {
  if (worker.next_page == worker.pages_end) {
    if (next_page_.load(std::memory_order_relaxed) > pages_count_) return 0;
    const uint64_t first = next_page_.fetch_add(kMorselPages, std::memory_order_relaxed);
    if (first > pages_count_) return 0;  // Another worker took the last ones.
    worker.pages_begin = worker.next_page = first;
    worker.pages_end = std::min(first + kMorselPages, pages_count_ + 1);
  }
  return worker.next_page++;
}

Result<bool> TableScan::NextPage(Worker& worker, types::Chunk& chunk, std::vector<RowRef>* refs) {
  while (const uint64_t number = TakePage(worker)) {
    if (cancel_ != nullptr && cancel_->set()) return cancel_->ToStatus();
    Page* page = HotPage(relation_->storage(), *runs_, number);
    if (page == nullptr || !SelectPage(*page, worker)) continue;
    FillChunk(*page, worker, chunk);
    if (refs == nullptr) return true;
    refs->clear();
    for (uint32_t i = 0; i < worker.count; ++i) {
      const uint32_t slot = worker.whole_page ? i : worker.selection[i];
      refs->push_back({RowId(page->header(slot).row_id), rowstore::MakeRef(number, slot)});
    }
    return true;
  }
  return false;
}

Status TableScan::Fill(WorkerState& state, types::Chunk& chunk, size_t i) {
  auto& worker = static_cast<Worker&>(state);
  // A page lies as it is.
  return worker.blocks ? worker.blocks->Fill(chunk, i) : Status::Ok();
}

uint64_t TableScan::MorselOf(const WorkerState& state) const {
  const auto& worker = static_cast<const Worker&>(state);
  if (!worker.blocks) return worker.pages_begin / kMorselPages;
  return pages_count_ / kMorselPages + 1 + blocks_before_[worker.run] + worker.blocks->morsel();
}

bool TableScan::HasApplied(const WorkerState& state, ColumnId column) const {
  const auto& worker = static_cast<const Worker&>(state);
  return worker.blocks && frozen_[worker.run]->HasApplied(column);
}

bool TableScan::HasMoved(const WorkerState& state, ColumnId column) const {
  const auto& worker = static_cast<const Worker&>(state);
  return worker.blocks && frozen_[worker.run]->HasMoved(column);
}

Result<bool> TableScan::NextBlock(Worker& worker, types::Chunk& chunk, std::vector<RowRef>* refs) {
  for (; worker.run < frozen_.size(); ++worker.run, worker.blocks.reset()) {
    if (frozen_[worker.run] == nullptr) continue;
    if (!worker.blocks) {
      worker.blocks.emplace(*frozen_[worker.run], worker.run, columns_, options_.late_columns);
    }
    OMEN_ASSIGN(const bool more, worker.blocks->Next(chunk, refs));
    if (!more) continue;
    blocks_done_.fetch_add(1, std::memory_order_relaxed);
    return true;
  }
  return false;
}

Result<bool> TableScan::Next(WorkerState& state, types::Chunk& chunk, std::vector<RowRef>* refs) {
  auto& worker = static_cast<Worker&>(state);
  OMEN_ASSIGN(const bool has_page, NextPage(worker, chunk, refs));
  if (has_page) return true;
  if (cancel_ != nullptr && cancel_->set()) return cancel_->ToStatus();
  return NextBlock(worker, chunk, refs);
}

Result<uint64_t> TableScan::CountRows() {
  uint64_t rows = 0;
  Worker worker;
  types::Chunk chunk;
  for (;;) {
    OMEN_ASSIGN(const bool more, NextPage(worker, chunk, nullptr));
    if (!more) break;
    rows += chunk.rows_count;
  }
  for (size_t i = 0; i < frozen_.size(); ++i) {
    if (frozen_[i] != nullptr) rows += runs_->runs[i].live_rows();
  }
  return rows;
}

namespace {

void Widen(const types::SqlType& type, const types::Value& value, Relation::ColumnFacts& facts) {
  if (facts.least.is_null || types::Compare(type, value, facts.least) < 0) facts.least = value;
  if (facts.greatest.is_null || types::Compare(type, value, facts.greatest) > 0) {
    facts.greatest = value;
  }
}

void AddToSum(types::Int128 part, Relation::ColumnFacts& facts) {
  if (facts.sum && __builtin_add_overflow(*facts.sum, part, &*facts.sum)) facts.sum.reset();
}

}  // namespace

bool TableScan::AddFrozenFacts(const types::SqlType& type, Relation::ColumnFacts& facts) const {
  for (size_t i = 0; i < frozen_.size(); ++i) {
    if (frozen_[i] == nullptr) continue;
    const Run& run = runs_->runs[i];
    const int32_t position = run.segment->position_of(options_.columns.front());
    if (run.dead->count() > 0 || position < 0) return false;
    const colstore::Zone& zone =
        run.segment->reader()->footer().columns[static_cast<size_t>(position)].zone;
    if (zone.nulls() == run.segment->rows()) continue;
    if (!zone.has_range() || !zone.min_exact() || !zone.max_exact()) return false;
    Widen(type, zone.min(), facts);
    Widen(type, zone.max(), facts);
    facts.values += run.segment->rows() - zone.nulls();
    if (zone.has_sum()) {
      AddToSum(zone.sum(), facts);
    } else {
      facts.sum.reset();
    }
  }
  return true;
}

Result<std::optional<Relation::ColumnFacts>> TableScan::FactsOfColumn() {
  const types::SqlType type = relation_->TypeOf(options_.columns.front());
  std::optional<Relation::ColumnFacts> facts(std::in_place);
  const bool known = colstore::HasIntCells(type) &&
                     relation_->placement().hot_rows <= kHotRowsMax && AddFrozenFacts(type, *facts);
  if (!known) return std::optional<Relation::ColumnFacts>();
  Worker worker;
  types::Chunk chunk;
  for (;;) {
    OMEN_ASSIGN(const bool more, NextPage(worker, chunk, nullptr));
    if (!more) break;
    for (uint32_t i = 0; i < chunk.rows_count; ++i) {
      const types::Value value = chunk.columns.front().Get(i);
      if (value.is_null) continue;
      Widen(type, value, *facts);
      AddToSum(colstore::IntOfCell(type, value), *facts);
      ++facts->values;
    }
  }
  return facts;
}

uint64_t TableScan::rows_total_estimate() const { return relation_->rows_estimate(); }

Relation::BlockCounts TableScan::block_counts() const {
  Relation::BlockCounts sum;
  for (const auto& scan : frozen_) {
    if (scan == nullptr) continue;
    const auto counters = scan->counters();
    sum.read += counters.blocks_read;
    sum.loaded += counters.blocks_loaded;
    sum.skipped += counters.blocks_skipped;
  }
  return sum;
}

double TableScan::progress() const {
  const uint64_t total = pages_count_ + blocks_count_;
  if (total == 0) return 1;
  const uint64_t done =
      next_page_.load(std::memory_order_relaxed) - 1 + blocks_done_.load(std::memory_order_relaxed);
  return std::min(1.0, static_cast<double>(done) / static_cast<double>(total));
}

}  // namespace omendb::engine
