#include "engine/table_scan.h"

#include <cstring>

#include "mvcc/visibility.h"

namespace omendb::engine {

using rowstore::kPageSlots;
using rowstore::Page;

struct TableScan::Worker final : Relation::Scan::WorkerState {
  uint32_t count = 0;
  bool whole_page = false;  // Then the selection is not filled.
  uint32_t selection[kPageSlots];
};

TableScan::TableScan(std::shared_ptr<const RelationImpl> relation, const StatementContext& context,
                     Relation::ScanOptions options)
    : relation_(std::move(relation)),
      options_(std::move(options)),
      snapshot_(context.txn->snapshot()),
      cancel_(context.cancel),
      pages_count_(relation_->storage().store().pages_count()) {
  const size_t stored_min = relation_->storage().store().columns_min();
  for (const ColumnId column : options_.columns) {
    if (static_cast<size_t>(column.value()) <= stored_min) {
      missing_.emplace_back();
      continue;
    }
    const types::PhysicalType physical =
        types::PhysicalTypeOf(relation_->table().column(column).type);
    const auto size = static_cast<size_t>(types::PhysicalSize(physical));
    Missing missing;
    missing.cells.resize(size * kPageSlots);
    const types::Value value = relation_->MissingValue(column);
    if (value.is_null) {
      missing.validity.resize(kPageSlots / 64);
    } else {
      for (uint32_t i = 0; i < kPageSlots; ++i) {
        types::StoreCell(physical, missing.cells.data() + i * size, value);
      }
    }
    missing_.push_back(std::move(missing));
  }
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
    count += visible ? 1 : 0;
  }
  worker.count = count;
  worker.whole_page = count == used;
  if (count == page.capacity()) page.TryMarkClean();
  return count > 0;
}

void TableScan::FillChunk(const Page& page, const Worker& worker, types::Chunk& chunk) const {
  chunk.rows_count = worker.count;
  chunk.columns.resize(options_.columns.size());
  for (size_t i = 0; i < options_.columns.size(); ++i) {
    types::ColumnView& view = chunk.columns[i];
    const ColumnId id = options_.columns[i];
    const auto column = static_cast<uint32_t>(id.value() - 1);
    view.type = relation_->table().column(id).type;
    view.physical = types::PhysicalTypeOf(view.type);
    view.selection = worker.whole_page ? nullptr : worker.selection;
    if (column < page.layout().columns_count()) {
      view.data = page.cells(column);
      view.validity = page.has_nulls(column) ? page.validity(column) : nullptr;
    } else {
      const Missing& missing = missing_[i];
      view.data = missing.cells.data();
      view.validity = missing.validity.empty() ? nullptr : missing.validity.data();
    }
  }
}

Result<bool> TableScan::Next(WorkerState& state, types::Chunk& chunk, std::vector<RowRef>* refs) {
  auto& worker = static_cast<Worker&>(state);
  for (;;) {
    if (cancel_ != nullptr && cancel_->set()) return cancel_->ToStatus();
    const uint64_t number = next_page_.fetch_add(1, std::memory_order_relaxed);
    if (number > pages_count_) return false;
    Page* page = relation_->storage().store().page_at(number);
    if (page == nullptr || !SelectPage(*page, worker)) continue;
    FillChunk(*page, worker, chunk);
    if (refs != nullptr) {
      refs->clear();
      for (uint32_t i = 0; i < worker.count; ++i) {
        const uint32_t slot = worker.whole_page ? i : worker.selection[i];
        refs->push_back({RowId(page->header(slot).row_id), rowstore::MakeRef(number, slot)});
      }
    }
    return true;
  }
}

uint64_t TableScan::rows_total_estimate() const { return relation_->rows_estimate(); }

double TableScan::progress() const {
  if (pages_count_ == 0) return 1;
  const auto done = static_cast<double>(next_page_.load(std::memory_order_relaxed) - 1);
  return std::min(1.0, done / static_cast<double>(pages_count_));
}

}  // namespace omendb::engine
