#include "colstore/segment_scan.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace omendb::colstore {
namespace {

constexpr uint32_t kBlocksPerOrder = 16;
// A list that more of the rows pass is not looked at any more.
constexpr double kShareWorthAList = 0.75;

template <typename T>
bool AnyWithin(const char* cells, uint32_t count, int64_t low, int64_t high) {
  for (uint32_t i = 0; i < count; ++i) {
    T cell;
    std::memcpy(&cell, cells + size_t{i} * sizeof(T), sizeof(T));
    if (cell >= low && cell <= high) return true;
  }
  return false;
}

bool HasAll(const RowMask& mask, uint32_t rows) {
  uint64_t all = ~uint64_t{0};
  for (uint32_t word = 0; word < rows / 64; ++word) all &= mask[word];
  if (rows % 64 != 0) all &= mask[rows / 64] | ~uint64_t{0} << rows % 64;
  return all == ~uint64_t{0};
}

// Whether few enough rows are wanted that each is read for itself.
bool IsSparse(const BlockView& block, uint32_t rows) {
  if (block.encoding == Encoding::kConstant || block.encoding == Encoding::kDelta) return false;
  return rows <= (block.physical == types::PhysicalType::kString ? block.rows / 16 : 24);
}

// Whether all rows of a block with this zone are.
bool IsWithin(const types::SqlType& type, const Zone& zone, const IntRange& range) {
  if (!zone.has_range() || zone.nulls() > 0) return false;
  const int64_t least = IntOfCell(type, zone.min()), greatest = IntOfCell(type, zone.max());
  return least >= range.low && greatest <= range.high &&
         (!range.except || *range.except < least || *range.except > greatest);
}

uint32_t CountRows(const RowMask& mask) {
  uint32_t count = 0;
  for (const uint64_t word : mask) count += static_cast<uint32_t>(std::popcount(word));
  return count;
}

// Whether an entry of a dictionary, or a run, of integers lies in the range. Others may.
bool AnyEntryWithin(const BlockView& block, const types::SqlType& type, const ValueRange& range) {
  if (block.encoding != Encoding::kDictionary && block.encoding != Encoding::kRuns) return true;
  if (!types::HasNativeIntKey(type) || type.kind == types::TypeKind::kOid) return true;
  const auto bound = [&](const std::optional<types::Value>& value, int64_t otherwise) {
    if (!value) return otherwise;
    return static_cast<int64_t>(types::EncodeIntKey(type, *value) ^ uint64_t{1} << 63);
  };
  const int64_t low = bound(range.lower, INT64_MIN);
  const int64_t high = bound(range.upper, INT64_MAX);
  switch (block.physical) {
    case types::PhysicalType::kInt16:
      return AnyWithin<int16_t>(block.cells, block.entries, low, high);
    case types::PhysicalType::kInt32:
      return AnyWithin<int32_t>(block.cells, block.entries, low, high);
    case types::PhysicalType::kInt64:
      return AnyWithin<int64_t>(block.cells, block.entries, low, high);
    default:
      return true;
  }
}

}  // namespace

IntRange ScanOptions::Range::RowRange(bool with_list) const {
  if (moving != nullptr) return {moving->low(), moving->high()};
  IntRange rows = *exact;
  if (with_list && any_of != nullptr) rows.among = any_of->ints();
  return rows;
}

SegmentScan::SegmentScan(std::shared_ptr<const SegmentReader> reader, ScanOptions options)
    : reader_(std::move(reader)),
      options_(std::move(options)),
      end_row_(std::min(options_.end_row, reader_->rows())),
      end_block_(BlocksOf(end_row_)),
      next_block_(options_.first_row / kBlockRows) {
  for (const ScanOptions::Range& range : options_.ranges) {
    const auto at = std::find(options_.columns.begin(), options_.columns.end(), range.column);
    range_columns_.push_back(at == options_.columns.end()
                                 ? std::nullopt
                                 : std::optional<size_t>(at - options_.columns.begin()));
    OMEN_DCHECK(!range.FiltersRows() || range_columns_.back());
  }
}

std::unique_ptr<SegmentScan::Worker> SegmentScan::NewWorker() const {
  std::vector<Worker::Filter> filters;
  for (size_t r = 0; r < options_.ranges.size(); ++r) {
    if (options_.ranges[r].FiltersRows()) filters.push_back({.range = r});
  }
  return std::unique_ptr<Worker>(new Worker(options_.columns.size(), std::move(filters)));
}

SegmentScan::Counters SegmentScan::counters() const {
  return {blocks_read_.load(std::memory_order_relaxed),
          blocks_loaded_.load(std::memory_order_relaxed),
          blocks_skipped_.load(std::memory_order_relaxed)};
}

Result<bool> SegmentScan::MayMatch(uint32_t block, uint64_t& passes) const {
  passes = 0;
  for (size_t r = 0; r < options_.ranges.size(); ++r) {
    const ScanOptions::Range& range = options_.ranges[r];
    if (range.moving != nullptr) continue;
    OMEN_ASSIGN(const ColumnDirectory* directory, reader_->directory(range.column));
    const types::SqlType& type = reader_->footer().columns[range.column].column.type;
    const Zone zone = directory->zone(block);
    if (!zone.MayMatch(type, range.range)) return false;
    if (range.any_of != nullptr && !range.any_of->MayMatch(zone)) return false;
    if (range.exact && range.exact->except && zone.has_range() &&
        IntOfCell(type, zone.min()) == *range.exact->except &&
        IntOfCell(type, zone.max()) == *range.exact->except) {
      return false;
    }
    const bool decides = range.exact && range.any_of == nullptr && r < 64;
    if (decides && IsWithin(type, zone, *range.exact)) passes |= uint64_t{1} << r;
  }
  return true;
}

bool SegmentScan::TakeMorsel(Worker& worker) {
  if (next_block_.load(std::memory_order_relaxed) >= end_block_) return false;
  const uint32_t first = next_block_.fetch_add(options_.morsel_blocks, std::memory_order_relaxed);
  if (first >= end_block_) return false;
  worker.morsel_ = worker.end_ = first;
  worker.morsel_end_ = std::min(first + options_.morsel_blocks, end_block_);
  return true;
}

Status SegmentScan::TakeBlocks(Worker& worker) {
  for (Worker::Held& held : worker.held_) {
    if (!worker.blocks_.empty()) held.likely = held.uses * 2 >= worker.blocks_.size();
    held.uses = 0;
    held.asked = held.prefetched = false;
    held.blocks.clear();
  }
  worker.blocks_.clear();
  worker.passes_.clear();
  worker.first_ = worker.end_;
  worker.end_ = std::min(worker.first_ + options_.blocks_at_once, worker.morsel_end_);
  worker.next_ = 0;
  for (uint32_t block = worker.first_; block < worker.end_; ++block) {
    uint64_t passes = 0;
    OMEN_ASSIGN(const bool matches, MayMatch(block, passes));
    if (matches) {
      worker.blocks_.push_back(block);
      worker.passes_.push_back(passes);
    } else {
      blocks_skipped_.fetch_add(options_.columns.size(), std::memory_order_relaxed);
    }
  }
  return Status::Ok();
}

// Stretches of neighbours are read ahead with one call each.
Status SegmentScan::Prefetch(Worker& worker, size_t i) {
  if (worker.held_[i].prefetched) return Status::Ok();
  worker.held_[i].prefetched = true;
  const std::vector<uint32_t>& blocks = worker.blocks_;
  for (size_t begin = worker.next_ - 1, end = begin; begin < blocks.size(); begin = end) {
    do {
      ++end;
    } while (end < blocks.size() && blocks[end] == blocks[end - 1] + 1);
    if (end - begin == 1) continue;
    const auto held =
        std::span(worker.held_[i].blocks).subspan(blocks[begin] - worker.first_, end - begin);
    OMEN_ASSIGN(const uint32_t loaded, reader_->Prefetch(options_.columns[i], blocks[begin], held));
    blocks_loaded_.fetch_add(loaded, std::memory_order_relaxed);
  }
  return Status::Ok();
}

const std::shared_ptr<const Block>& SegmentScan::FindHeld(Worker& worker, size_t i) const {
  Worker::Held& held = worker.held_[i];
  if (!held.asked) {
    held.asked = true;
    held.blocks.resize(worker.blocks_.back() - worker.first_ + 1);
    if (held.likely) {
      const uint32_t at = worker.block_ - worker.first_;
      reader_->FindCached(options_.columns[i], worker.block_, std::span(held.blocks).subspan(at));
    }
  }
  ++held.uses;
  std::shared_ptr<const Block>& block = held.blocks[worker.block_ - worker.first_];
  if (block == nullptr) block = reader_->FindCached(options_.columns[i], worker.block_);
  return block;
}

bool SegmentScan::EntriesMayMatch(Worker& worker) const {
  for (size_t r = 0; r < options_.ranges.size(); ++r) {
    const std::optional<size_t> i = range_columns_[r];
    if (!i || options_.ranges[r].FiltersRows()) continue;
    const std::shared_ptr<const Block>& block = FindHeld(worker, *i);
    const types::SqlType& type = reader_->footer().columns[options_.ranges[r].column].column.type;
    if (block != nullptr && !AnyEntryWithin(block->view(), type, options_.ranges[r].range)) {
      return false;
    }
  }
  return true;
}

bool SegmentScan::SetMask(Worker& worker) const {
  const uint32_t base = worker.block_ * kBlockRows;
  const uint32_t begin = std::max(options_.first_row, base) - base;
  const uint32_t end = std::min(end_row_ - base, reader_->footer().rows_of(worker.block_));
  worker.block_first_row_ = base;
  uint64_t any = 0;
  for (uint32_t word = 0; word < worker.mask_.size(); ++word) {
    const uint32_t first = word * 64;
    uint64_t bits = begin >= first + 64 || end <= first ? 0 : ~uint64_t{0};
    if (begin > first && begin < first + 64) bits &= ~uint64_t{0} << (begin - first);
    if (end > first && end < first + 64) bits &= ~(~uint64_t{0} << (end - first));
    if (bits != 0 && !options_.dead.empty()) bits &= ~options_.dead[base / 64 + word];
    worker.mask_[word] = bits;
    any |= bits;
  }
  return any != 0;
}

Result<bool> SegmentScan::MovedMayMatch(uint32_t block) const {
  for (const ScanOptions::Range& range : options_.ranges) {
    if (range.moving == nullptr || range.moving->holds_all()) continue;
    OMEN_ASSIGN(const ColumnDirectory* directory, reader_->directory(range.column));
    const types::SqlType& type = reader_->footer().columns[range.column].column.type;
    const Zone zone = directory->zone(block);
    if (!zone.has_range()) continue;
    if (IntOfCell(type, zone.max()) < range.moving->low()) return false;
    if (IntOfCell(type, zone.min()) > range.moving->high()) return false;
  }
  return true;
}

Result<bool> SegmentScan::FilterRows(Worker& worker) {
  std::vector<Worker::Filter>& filters = worker.filters_;
  const uint64_t passes = worker.passes_[worker.next_ - 1];
  uint32_t left = CountRows(worker.mask_);
  for (Worker::Filter& filter : filters) {
    const ScanOptions::Range& range = options_.ranges[filter.range];
    if (range.moving != nullptr && range.moving->holds_all()) continue;
    if (filter.range < 64 && (passes >> filter.range & 1) != 0) continue;
    OMEN_ASSIGN(const auto block, BlockOf(worker, *range_columns_[filter.range]));
    worker.block_filter_.Apply(block->view(), range.RowRange(filter.with_list), worker.mask_, left);
    filter.tested += left;
    left = CountRows(worker.mask_);
    filter.passed += left;
    if (left == 0) return false;
  }
  if (++worker.filtered_blocks_ % kBlocksPerOrder == 0) {
    std::stable_sort(filters.begin(), filters.end(),
                     [](const auto& a, const auto& b) { return a.share() < b.share(); });
    for (Worker::Filter& filter : filters) filter.with_list &= filter.share() < kShareWorthAList;
  }
  return true;
}

// Of the mask; fills the selection unless that is all rows of the block.
uint32_t SegmentScan::SelectRows(Worker& worker) const {
  const uint32_t rows = reader_->footer().rows_of(worker.block_);
  worker.selected_ = !HasAll(worker.mask_, rows);
  if (!worker.selected_) return rows;
  uint32_t count = 0;
  worker.selection_.resize(kBlockRows);
  for (uint32_t word = 0; word < worker.mask_.size(); ++word) {
    uint64_t bits = worker.mask_[word];
    if (bits == ~uint64_t{0}) {
      for (uint32_t i = 0; i < 64; ++i) worker.selection_[count + i] = word * 64 + i;
      count += 64;
      continue;
    }
    for (; bits != 0; bits &= bits - 1) {
      worker.selection_[count++] = word * 64 + static_cast<uint32_t>(std::countr_zero(bits));
    }
  }
  return count;
}

Result<std::shared_ptr<const Block>> SegmentScan::BlockOf(Worker& worker, size_t i) {
  const uint32_t column = options_.columns[i];
  if (const auto& found = FindHeld(worker, i); found != nullptr) return found;
  OMEN_TRY(Prefetch(worker, i));
  std::shared_ptr<const Block>& block = worker.held_[i].blocks[worker.block_ - worker.first_];
  if (block == nullptr) {
    OMEN_ASSIGN(block, reader_->GetBlock(column, worker.block_));
    blocks_loaded_.fetch_add(1, std::memory_order_relaxed);
  }
  return block;
}

Status SegmentScan::Fill(Worker& worker, types::Chunk& chunk, size_t i) {
  const uint32_t column = options_.columns[i];
  OMEN_ASSIGN(std::shared_ptr<const Block> encoded, BlockOf(worker, i));
  BlockVector& vector = worker.vectors_[i];
  blocks_read_.fetch_add(1, std::memory_order_relaxed);
  types::ColumnView& view = chunk.columns[i];
  if (worker.selected_ && IsSparse(encoded->view(), chunk.rows_count)) {
    vector.DecodeRows(std::move(encoded), {worker.selection_.data(), chunk.rows_count});
    view = vector.view(reader_->footer().columns[column].column.type);
    return Status::Ok();
  }
  vector.Decode(std::move(encoded));
  view = vector.view(reader_->footer().columns[column].column.type);
  if (!worker.selected_ || vector.form() == VectorForm::kConstant) return Status::Ok();
  if (vector.form() == VectorForm::kFlat) {
    view.selection = worker.selection_.data();
    return Status::Ok();
  }
  std::vector<uint32_t>& composed = worker.composed_[i];
  composed.resize(kBlockRows);
  for (uint32_t row = 0; row < chunk.rows_count; ++row) {
    composed[row] = vector.selection()[worker.selection_[row]];
  }
  view.selection = composed.data();
  return Status::Ok();
}

Result<bool> SegmentScan::Next(Worker& worker, types::Chunk& chunk) {
  for (;;) {
    while (worker.next_ == worker.blocks_.size()) {
      if (worker.end_ == worker.morsel_end_ && !TakeMorsel(worker)) return false;
      OMEN_TRY(TakeBlocks(worker));
    }
    worker.block_ = worker.blocks_[worker.next_++];
    OMEN_ASSIGN(const bool moved_may_match, MovedMayMatch(worker.block_));
    if (!moved_may_match || !EntriesMayMatch(worker)) {
      blocks_skipped_.fetch_add(options_.columns.size(), std::memory_order_relaxed);
      continue;
    }
    if (!SetMask(worker)) continue;
    if (!worker.filters_.empty()) {
      OMEN_ASSIGN(const bool any, FilterRows(worker));
      if (!any) {
        blocks_skipped_.fetch_add(options_.columns.size(), std::memory_order_relaxed);
        continue;
      }
    }
    chunk.rows_count = SelectRows(worker);
    chunk.columns.resize(options_.columns.size());
    for (size_t i = options_.late_columns; i < options_.columns.size(); ++i) {
      OMEN_TRY(Fill(worker, chunk, i));
    }
    return true;
  }
}

}  // namespace omendb::colstore
