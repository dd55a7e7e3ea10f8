// segment_scan.h - the rows of a segment by column, a block at a time, without the blocks that
// zones rule out, without dead rows, and without rows that exact or moving ranges of integers rule
// out.
//
// Thread safety  Next: any number of workers, each with its own Worker. Everything else is
//                constant.
// Ownership      Shares the reader; borrows the mask of dead rows, which must not change while the
//                scan lives. A chunk is valid until its worker asks for the next.
// Errors         As SegmentReader.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "colstore/block_filter.h"
#include "colstore/moving_range.h"
#include "colstore/segment_reader.h"
#include "colstore/value_list.h"
#include "types/chunk.h"

namespace omendb::colstore {

struct ScanOptions {
  std::vector<uint32_t> columns;  // positions; none: rows are only counted
  // So many of the first columns are left empty by Next: Fill reads one when it is wanted. What a
  // filter on another column rules out is then never decoded.
  size_t late_columns = 0;
  // Blocks without a row in every one of these ranges are skipped; other rows may come along, but
  // where the range is exact.
  struct Range {
    uint32_t column;
    ValueRange range;
    // Every row of the scan is within it; the column is among those read. HasIntCells of its type.
    std::optional<IntRange> exact;
    // Rows outside are left out as well, where they are not within it when their block is read. Of
    // a column as for `exact`, in a range of its own.
    std::shared_ptr<const MovingRange> moving;
    // Blocks that have none of these are skipped. Where the range is exact, rows with other values
    // are left out as well, as long as a worker finds that worth it.
    std::shared_ptr<const ValueList> any_of = {};

    bool FiltersRows() const { return exact.has_value() || moving != nullptr; }
    IntRange RowRange(bool with_list) const;
  };
  std::vector<Range> ranges;
  // Rows [first, end): a range of keys, by SegmentReader::LowerBound.
  uint32_t first_row = 0;
  uint32_t end_row = UINT32_MAX;
  // By row of the segment, bit set = not to be seen. Empty: all are live.
  std::span<const uint64_t> dead;
  // What a worker takes at once: a morsel; and what of it it reads with one call for each column.
  uint32_t morsel_blocks = 16;
  uint32_t blocks_at_once = 8;
};

class SegmentScan {
 public:
  class Worker {
   public:
    // Row of the segment that lies at row `i` of the chunk.
    uint32_t row_at(uint32_t i) const { return block_first_row_ + (selected_ ? selection_[i] : i); }
    // How column `i` of the chunk was stored: DuckDB has vectors for all three.
    VectorForm form(size_t i) const { return vectors_[i].form(); }
    uint32_t cells_count(size_t i) const { return vectors_[i].cells_count(); }
    // The first block of the morsel that the chunk is of.
    uint32_t morsel() const { return morsel_; }

   private:
    friend class SegmentScan;
    // A range that filters rows, and how many of those that were left it let through.
    struct Filter {
      size_t range;
      uint64_t tested = 0;
      uint64_t passed = 0;
      bool with_list = true;  // it leaves out enough
      double share() const {
        return tested == 0 ? 1 : static_cast<double>(passed) / static_cast<double>(tested);
      }
    };
    // Blocks of one column among those that were taken.
    struct Held {
      std::vector<std::shared_ptr<const Block>> blocks;  // by block - first_; from the cache
      bool asked = false;                                // for all of them
      bool prefetched = false;                           // what the cache lacked was read ahead
      uint32_t uses = 0;
      bool likely = true;  // most blocks of those taken before were looked at
    };
    Worker(size_t columns, std::vector<Filter> filters)
        : vectors_(columns), composed_(columns), held_(columns), filters_(std::move(filters)) {}
    std::deque<BlockVector> vectors_;
    std::vector<std::vector<uint32_t>> composed_;  // selections of dictionaries, of selected rows
    std::vector<uint32_t> selection_;
    bool selected_ = false;
    uint32_t block_ = 0;  // of the chunk that Next gave
    uint32_t block_first_row_ = 0;
    uint32_t morsel_ = 0;           // its first block
    uint32_t morsel_end_ = 0;       // behind its last
    uint32_t first_ = 0;            // of those that are read together
    uint32_t end_ = 0;              // behind the last of them
    std::vector<uint32_t> blocks_;  // of these, not ruled out by their zones
    std::vector<uint64_t> passes_;  // of each: a bit for each range that all of its rows are in
    size_t next_ = 0;               // of blocks_
    std::vector<Held> held_;        // by column
    std::vector<Filter> filters_;   // which let few through first
    uint32_t filtered_blocks_ = 0;  // since they were put in order
    BlockFilter block_filter_;
    RowMask mask_;
  };
  struct Counters {
    uint64_t blocks_read = 0;     // of columns
    uint64_t blocks_loaded = 0;   // of these, from the file: the cache did not have them
    uint64_t blocks_skipped = 0;  // ruled out by zones
  };

  SegmentScan(std::shared_ptr<const SegmentReader> reader, ScanOptions options);

  std::unique_ptr<Worker> NewWorker() const;
  // The next block with live rows; false at the end.
  Result<bool> Next(Worker& worker, types::Chunk& chunk);
  // Column `i` of the chunk that Next gave. Required for late columns before they are read.
  Status Fill(Worker& worker, types::Chunk& chunk, size_t i);
  Counters counters() const;

 private:
  // False when all are taken.
  bool TakeMorsel(Worker& worker);
  // The next of its morsel.
  Status TakeBlocks(Worker& worker);
  // The blocks that the worker has taken and not read.
  Status Prefetch(Worker& worker, size_t i);
  // Whether a block may have rows within the ranges, and which of the first 64 have all of them.
  Result<bool> MayMatch(uint32_t block, uint64_t& passes) const;
  // The worker's block of column i, when the cache has it; it stays held.
  const std::shared_ptr<const Block>& FindHeld(Worker& worker, size_t i) const;
  // As FindHeld, but reads the block when the cache has none.
  Result<std::shared_ptr<const Block>> BlockOf(Worker& worker, size_t i);
  // False when the entries of a block that is at hand rule out all of its rows.
  bool EntriesMayMatch(Worker& worker) const;
  // Rows that are asked for and live; false when there is none.
  bool SetMask(Worker& worker) const;
  // Whether a block may have rows within the moving ranges as they are now.
  Result<bool> MovedMayMatch(uint32_t block) const;
  // Takes out of the mask what ranges that filter rows rule out; false when no row is left.
  Result<bool> FilterRows(Worker& worker);
  uint32_t SelectRows(Worker& worker) const;

  const std::shared_ptr<const SegmentReader> reader_;
  const ScanOptions options_;
  std::vector<std::optional<size_t>> range_columns_;  // by range: which of options_.columns
  const uint32_t end_row_;
  const uint32_t end_block_;
  std::atomic<uint32_t> next_block_;
  std::atomic<uint64_t> blocks_read_{0};
  std::atomic<uint64_t> blocks_loaded_{0};
  std::atomic<uint64_t> blocks_skipped_{0};
};

}  // namespace omendb::colstore
