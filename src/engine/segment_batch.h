// segment_batch.h - rows of one statement on their way to a segment: sorted by primary key, written
// to a file and synced by a thread, while the next ones are gathered.
//
// Thread safety  One thread, the transaction's; the writing thread is BatchWriter's own affair.
// Ownership      BatchWriter borrows the files. A batch's file is removed with it, unless who
//                takes it keeps it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <thread>
#include <vector>

#include "base/waiter.h"
#include "engine/relation.h"
#include "engine/row_buffer.h"
#include "engine/segment_files.h"
#include "engine/table_index.h"

namespace omendb::engine {

class RelationImpl;

// When rows become a segment.
struct BatchLimits {
  uint32_t rows_min = 1U << 15;  // A statement of fewer rows makes no segment,
  uint32_t rest_min = 1U << 13;  // nor do so many that are left after others.
  uint32_t segment_rows = 1U << 17;
  size_t segment_bytes = 64 << 20;  // About, before they are encoded.

  // With at most a 16th of the memory for rows: two segments are there at once.
  BatchLimits Within(uint64_t memory_limit) const;
  // Whether so many rows were gathered that they are written now.
  bool AreReachedBy(const RowBuffer& rows) const;
};

// In its turn among rows that are replaced: before the row that came as the `before`th.
struct RowToDelete {
  uint32_t before;
  RowRef seen;
};

struct SegmentBatch {
  const RelationImpl* relation = nullptr;
  std::unique_ptr<RowBuffer> rows;
  std::vector<RowRef> replaced;  // Versions, by arrival; none: the rows are new,
  RowId first;                   // the first of which, in their order, has this id.
  uint64_t first_arrival = 0;    // how many rows of the statement came before them
  // Of replaced rows: those whose keys may be new, and whether one of them is unique, so that rows
  // are replaced in the order in which they came.
  std::vector<std::shared_ptr<TableIndex>> indexes;
  bool in_order = false;
  std::vector<RowToDelete> deletes;
  std::vector<ColumnId> linked;  // columns of foreign keys: they may have new values
  // Of rows that others have changed; may be null: BulkUpdate::OnConflict.
  std::function<Result<RowOutcome>(const RowRef&, const RowResult&, std::span<const types::Value>)>
      on_conflict;
  std::optional<ReservedFile> file;  // since it was started
  const std::shared_ptr<WaitPoint> written = std::make_shared<WaitPoint>();
  // ---- Set by the thread -----------------------------------------------------------------------
  RowKeys keys;
  std::optional<uint32_t> duplicate;  // has the key of the row before it; then there is no segment
  Result<std::shared_ptr<const FrozenSegment>> segment{nullptr};
  std::vector<std::shared_ptr<const PackedEntries>> entries;  // of `indexes`

  RowId id(uint32_t row) const {
    return replaced.empty() ? RowId(first.value() + row) : seen(row).row_id;
  }
  const RowRef& seen(uint32_t row) const { return replaced[rows->arrival(row)]; }
  // Rows by arrival: where they are now.
  std::vector<uint32_t> places() const;
};

std::unique_ptr<RowBuffer> NewRowBuffer(const catalog::TableDef& table);

class BatchWriter {
 public:
  explicit BatchWriter(SegmentFiles& files) : files_(files) {}
  ~BatchWriter();
  BatchWriter(const BatchWriter&) = delete;
  BatchWriter& operator=(const BatchWriter&) = delete;

  // Begins to write it. Requires: there is none.
  Status Start(std::unique_ptr<SegmentBatch> batch);
  // The batch, once it is written; null when there is none. Errors: 57014.
  Result<const SegmentBatch*> Await(StatementContext& context);
  std::unique_ptr<SegmentBatch> Take() { return std::move(batch_); }
  // Whether there is one.
  bool is_busy() const { return batch_ != nullptr; }

 private:
  SegmentFiles& files_;
  std::unique_ptr<SegmentBatch> batch_;
  std::thread thread_;
};

}  // namespace omendb::engine
