// key_scan.h - a bulk scan whose morsels come in the order of the primary key, so that ORDER BY it
// needs no sort: memory for a morsel a thread, and the first rows at once.
//
// The keys are cut where segments, which are sorted by them, have every eighth block begin, and
// where rows of pages are as many as in eight blocks. What lies between two cuts is a morsel: a
// stretch of rows of each segment that has some, and the rows of pages. Of a table that was loaded
// in the order of its keys nearly all are a stretch of one segment, and in order as they lie; the
// rows of any other the receiver sorts (Ascends).
//
// Thread safety  Next: any number of workers, each with its own state.
// Ownership      Holds the relation; the snapshot is the transaction's, which must outlive the
//                scan.
// Cost           Keys and refs of the rows in pages are kept and sorted when the scan begins.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "engine/frozen_cursor.h"
#include "engine/relation_impl.h"

namespace omendb::engine {

class KeyScan final : public Relation::Scan {
 public:
  // Requires: a primary key, by which all segments are sorted, and an order in the options.
  KeyScan(std::shared_ptr<RelationImpl> relation, const StatementContext& context,
          Relation::ScanOptions options);
  ~KeyScan() override;

  // Whether it is possible and cheaper than to sort: all segments are sorted by the key (those that
  // are written while a statement reads the table are), few rows lie in pages, and of few segments
  // the keys overlap.
  static bool IsCheap(const RelationImpl& relation);

  std::unique_ptr<WorkerState> NewWorker() override;
  Result<bool> Next(WorkerState& state, types::Chunk& chunk, std::vector<RowRef>* refs) override;
  Status Fill(WorkerState& state, types::Chunk& chunk, size_t i) override;
  uint64_t MorselOf(const WorkerState& state) const override;
  bool Ascends(const WorkerState& state) const override;
  bool HasApplied(const WorkerState& state, ColumnId column) const override;
  bool HasMoved(const WorkerState& state, ColumnId column) const override;
  uint64_t rows_total_estimate() const override { return relation_->rows_estimate(); }
  double progress() const override;
  Relation::BlockCounts block_counts() const override;

 private:
  struct Worker;
  // Between this key and those below it. It is that of a row of a segment, or of a hot row.
  struct Cut {
    std::string key;
    size_t run;
    uint32_t row;
  };
  struct HotRow {
    std::string key;
    RowRef ref;
  };
  // Finds hot rows and cuts; those who come meanwhile wait.
  Status Prepare();
  Status FindHotRows();
  // Requires: hot_.
  Status FindCuts();
  // False when all are taken.
  Result<bool> TakeMorsel(Worker& worker);
  // The first row of a segment that is not below the cut.
  Result<uint32_t> RowOf(const Cut& cut, size_t run) const;
  std::vector<HotRow>::const_iterator HotRowOf(const Cut& cut) const;
  // The worker's next stretch of a segment; false when its morsel has no more.
  bool OpenStretch(Worker& worker) const;
  void CountBlocks(Worker& worker);
  Result<bool> NextHot(Worker& worker, types::Chunk& chunk, std::vector<RowRef>* refs);

  const std::shared_ptr<RelationImpl> relation_;
  const Relation::ScanOptions options_;
  const mvcc::Snapshot snapshot_;
  const CancelFlag* const cancel_;
  const std::shared_ptr<const RunSet> runs_;  // as the snapshot sees them
  std::vector<size_t> seen_;                  // of runs_
  const ScanColumns columns_;
  std::shared_ptr<BlockSums> block_sums_;  // may be null

  std::atomic<bool> is_prepared_{false};
  Mutex mu_;
  std::optional<Status> prepared_ OMEN_GUARDED_BY(mu_);
  // Constant once they are prepared.
  std::vector<Cut> cuts_;    // by key
  std::vector<HotRow> hot_;  // by key

  std::atomic<size_t> next_morsel_{0};
  std::atomic<uint64_t> blocks_read_{0};
  std::atomic<uint64_t> blocks_loaded_{0};
  std::atomic<uint64_t> blocks_skipped_{0};
};

}  // namespace omendb::engine
