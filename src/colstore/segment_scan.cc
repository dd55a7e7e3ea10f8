#include "colstore/segment_scan.h"

#include <algorithm>

namespace omendb::colstore {

SegmentScan::SegmentScan(std::shared_ptr<const SegmentReader> reader, ScanOptions options)
    : reader_(std::move(reader)),
      options_(std::move(options)),
      end_row_(std::min(options_.end_row, reader_->rows())),
      end_block_(BlocksOf(end_row_)),
      next_block_(options_.first_row / kBlockRows) {}

std::unique_ptr<SegmentScan::Worker> SegmentScan::NewWorker() const {
  return std::unique_ptr<Worker>(new Worker(options_.columns.size()));
}

SegmentScan::Counters SegmentScan::counters() const {
  return {blocks_read_.load(std::memory_order_relaxed),
          blocks_skipped_.load(std::memory_order_relaxed)};
}

Result<bool> SegmentScan::MayMatch(uint32_t block) const {
  for (const ScanOptions::Range& range : options_.ranges) {
    OMEN_ASSIGN(const ColumnSection* directory, reader_->section(range.column));
    const types::SqlType& type = reader_->footer().columns[range.column].column.type;
    if (!directory->zones[block].MayMatch(type, range.range)) return false;
  }
  return true;
}

Status SegmentScan::TakeBlocks(Worker& worker) {
  const uint32_t count = std::max(1U, options_.blocks_at_once);
  const uint32_t first = next_block_.fetch_add(count, std::memory_order_relaxed);
  worker.blocks_.clear();
  worker.next_ = 0;
  for (uint32_t block = first; block < std::min(first + count, end_block_); ++block) {
    OMEN_ASSIGN(const bool matches, MayMatch(block));
    if (matches) {
      worker.blocks_.push_back(block);
    } else {
      blocks_skipped_.fetch_add(options_.columns.size(), std::memory_order_relaxed);
    }
  }
  return PrefetchBlocks(worker.blocks_);
}

// Stretches of neighbours are read ahead with one call for each column.
Status SegmentScan::PrefetchBlocks(const std::vector<uint32_t>& blocks) const {
  for (size_t begin = 0, end = 0; begin < blocks.size(); begin = end) {
    do {
      ++end;
    } while (end < blocks.size() && blocks[end] == blocks[end - 1] + 1);
    if (end - begin == 1) continue;
    for (const uint32_t column : options_.columns) {
      OMEN_TRY(reader_->Prefetch(column, blocks[begin], static_cast<uint32_t>(end - begin)));
    }
  }
  return Status::Ok();
}

// Rows of the block that are asked for and live; fills the selection unless that is all of them.
uint32_t SegmentScan::SelectRows(uint32_t block, Worker& worker) const {
  const uint32_t base = block * kBlockRows;
  const uint32_t rows = reader_->footer().rows_of(block);
  const uint32_t begin = std::max(options_.first_row, base) - base;
  const uint32_t end = std::min(end_row_ - base, rows);
  worker.block_first_row_ = base;
  bool any_dead = false;
  if (!options_.dead.empty()) {
    const auto words = options_.dead.subspan(base / 64, (rows + 63) / 64);
    any_dead = std::any_of(words.begin(), words.end(), [](uint64_t word) { return word != 0; });
  }
  worker.selected_ = any_dead || begin > 0 || end < rows;
  if (!worker.selected_) return rows;
  worker.selection_.resize(kBlockRows);
  uint32_t count = 0;
  for (uint32_t i = begin; i < end; ++i) {
    const uint32_t row = base + i;
    worker.selection_[count] = i;
    const bool dead = any_dead && (options_.dead[row / 64] >> row % 64 & 1) != 0;
    count += dead ? 0 : 1;
  }
  return count;
}

Status SegmentScan::FillChunk(uint32_t block, uint32_t count, Worker& worker, types::Chunk& chunk) {
  chunk.rows_count = count;
  chunk.columns.resize(options_.columns.size());
  for (size_t i = 0; i < options_.columns.size(); ++i) {
    const uint32_t column = options_.columns[i];
    OMEN_ASSIGN(auto encoded, reader_->GetBlock(column, block));
    BlockVector& vector = worker.vectors_[i];
    vector.Decode(std::move(encoded));
    chunk.columns[i] = vector.view(reader_->footer().columns[column].column.type);
    if (!worker.selected_ || vector.form() == VectorForm::kConstant) continue;
    if (vector.form() == VectorForm::kFlat) {
      chunk.columns[i].selection = worker.selection_.data();
      continue;
    }
    std::vector<uint32_t>& composed = worker.composed_[i];
    composed.resize(kBlockRows);
    for (uint32_t row = 0; row < count; ++row) {
      composed[row] = vector.selection()[worker.selection_[row]];
    }
    chunk.columns[i].selection = composed.data();
  }
  blocks_read_.fetch_add(options_.columns.size(), std::memory_order_relaxed);
  return Status::Ok();
}

Result<bool> SegmentScan::Next(Worker& worker, types::Chunk& chunk) {
  for (;;) {
    while (worker.next_ == worker.blocks_.size()) {
      if (next_block_.load(std::memory_order_relaxed) >= end_block_) return false;
      OMEN_TRY(TakeBlocks(worker));
    }
    const uint32_t block = worker.blocks_[worker.next_++];
    const uint32_t count = SelectRows(block, worker);
    if (count == 0) continue;
    OMEN_TRY(FillChunk(block, count, worker, chunk));
    return true;
  }
}

}  // namespace omendb::colstore
