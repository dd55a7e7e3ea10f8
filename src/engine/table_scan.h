// table_scan.h - a bulk scan: the pages of a table at one snapshot, one page a batch, then the
// segments, one block a batch.
//
// A page that is known to be clean at the snapshot goes out as it lies; of any other page the
// visible slots are selected, and the columns still go out without a copy. Which rows are looked
// for in segments is settled when the scan begins: see frozen_table.h.
//
// Thread safety  Next: any number of workers, each with its own state.
// Ownership      Holds the relation; the snapshot is the transaction's, which must outlive the
// scan.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "engine/frozen_cursor.h"
#include "engine/relation_impl.h"

namespace omendb::engine {

class TableScan final : public Relation::Scan {
 public:
  TableScan(std::shared_ptr<const RelationImpl> relation, const StatementContext& context,
            Relation::ScanOptions options);
  ~TableScan() override;

  std::unique_ptr<WorkerState> NewWorker() override;
  Result<bool> Next(WorkerState& state, types::Chunk& chunk, std::vector<RowRef>* refs) override;
  Status Fill(WorkerState& state, types::Chunk& chunk, size_t i) override;
  uint64_t MorselOf(const WorkerState& state) const override;
  bool HasApplied(const WorkerState& state, ColumnId column) const override;
  bool HasMoved(const WorkerState& state, ColumnId column) const override;
  // Of all rows, by what segments know of themselves. Requires: nothing was scanned.
  Result<uint64_t> CountRows();
  // Of the one column; nullopt when rows of segments are dead, or many are in pages.
  Result<std::optional<Relation::ColumnFacts>> FactsOfColumn();
  uint64_t rows_total_estimate() const override;
  double progress() const override;
  Relation::BlockCounts block_counts() const override;

 private:
  struct Worker;
  // Batches of pages, of segments; false at the end.
  Result<bool> NextPage(Worker& worker, types::Chunk& chunk, std::vector<RowRef>* refs);
  // The next of the worker's pages; 0: all are taken.
  uint64_t TakePage(Worker& worker);
  Result<bool> NextBlock(Worker& worker, types::Chunk& chunk, std::vector<RowRef>* refs);
  bool SelectPage(rowstore::Page& page, Worker& worker) const;
  // Adds what segments have; false when they cannot tell.
  bool AddFrozenFacts(const types::SqlType& type, Relation::ColumnFacts& facts) const;
  void FillChunk(const rowstore::Page& page, Worker& worker, types::Chunk& chunk) const;
  void FillRowIds(const rowstore::Page& page, Worker& worker, types::ColumnView& view) const;

  const std::shared_ptr<const RelationImpl> relation_;
  const Relation::ScanOptions options_;
  const mvcc::Snapshot snapshot_;
  const CancelFlag* const cancel_;
  const std::shared_ptr<const RunSet> runs_;  // as the snapshot sees them; before pages_count_
  const uint64_t pages_count_;
  const ScanColumns columns_;
  std::atomic<uint64_t> next_page_{1};
  std::vector<std::unique_ptr<FrozenScan>> frozen_;  // of runs_
  std::vector<uint64_t> blocks_before_;              // by run: in those before it
  std::atomic<uint64_t> blocks_done_{0};
  uint64_t blocks_count_ = 0;
  std::shared_ptr<BlockSums> block_sums_;  // may be null
};

}  // namespace omendb::engine
