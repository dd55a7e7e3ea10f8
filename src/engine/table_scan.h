// table_scan.h - a bulk scan: the pages of a table at one snapshot, one page a batch.
//
// A page that is known to be clean at the snapshot goes out as it lies; of any other page the
// visible slots are selected, and the columns still go out without a copy.
//
// Thread safety  Next: any number of workers, each with its own state.
// Ownership      Holds the relation; the snapshot is the transaction's, which must outlive the
// scan.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "engine/relation_impl.h"

namespace omendb::engine {

class TableScan final : public Relation::Scan {
 public:
  TableScan(std::shared_ptr<const RelationImpl> relation, const StatementContext& context,
            Relation::ScanOptions options);

  std::unique_ptr<WorkerState> NewWorker() override;
  Result<bool> Next(WorkerState& state, types::Chunk& chunk, std::vector<RowRef>* refs) override;
  uint64_t rows_total_estimate() const override;
  double progress() const override;

 private:
  struct Worker;
  // What pages that lack a column read: one value, as often as a page has slots.
  struct Missing {
    std::vector<char> cells;
    std::vector<uint64_t> validity;  // empty = not null
  };
  bool SelectPage(rowstore::Page& page, Worker& worker) const;
  void FillChunk(const rowstore::Page& page, const Worker& worker, types::Chunk& chunk) const;

  const std::shared_ptr<const RelationImpl> relation_;
  const Relation::ScanOptions options_;
  const mvcc::Snapshot snapshot_;
  const CancelFlag* const cancel_;
  const uint64_t pages_count_;
  std::vector<Missing> missing_;  // by projected column
  std::atomic<uint64_t> next_page_{1};
};

}  // namespace omendb::engine
