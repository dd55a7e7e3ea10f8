// relation.h - reading and writing the rows of one table through its indexes, in a transaction.
//
// This is the one door to rows: the row executor, DuckDB's scans and DML, COPY and foreign-key
// checks all come through it, so constraints and isolation hold whoever writes.
//
// Thread safety  Any number of threads read at once (a parallel scan); writes of one transaction
//                come from one thread at a time.
// Ownership      Borrowed from Database::OpenRelation.
// Errors         23502/23505 with the constraint's name and PostgreSQL's DETAIL ("Key (id)=(1)
//                already exists."); 40001 "could not serialize access due to concurrent update";
//                40P01; 55P03; 57014; 53200 when the memory budget is spent; 25006 in a read-only
//                transaction; 58030/53100 once the database stopped writing.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "catalog/definitions.h"
#include "colstore/format.h"
#include "colstore/moving_range.h"
#include "colstore/value_list.h"
#include "engine/database.h"
#include "types/chunk.h"
#include "types/value.h"

namespace omendb::engine {

// One visible version of a row, as found by a lookup or a scan. Cheap to copy. Stays readable
// until the statement ends (its snapshot keeps the version from being reclaimed).
struct RowRef {
  RowId row_id;
  uint64_t version = 0;  // rowstore's reference of the version that was seen
};

// The column of row ids, which SQL does not see. A row keeps its id when it is updated, unless its
// primary key changes, and when it is frozen or thawed; in one snapshot an id names one row.
using colstore::kRowIdColumn;

// Bounds of an index access: equality on a prefix of the key, then at most one range.
struct KeyRange {
  std::vector<types::Value> equal;    // values of the first key columns; a NULL matches no row
  std::optional<types::Value> lower;  // on the next key column
  std::optional<types::Value> upper;
  bool lower_inclusive = true;
  bool upper_inclusive = true;
  bool backward = false;
};

// The outcome of trying to lock or change a row that others may be changing.
enum class RowOutcome : uint8_t {
  kDone,     // Changed or locked as asked.
  kChanged,  // READ COMMITTED: another transaction changed it and committed; see `latest`.
  kGone,     // It was deleted and that committed; or a change of its key moved it.
  kSkipped,  // SKIP LOCKED
};
struct RowResult {
  RowOutcome outcome = RowOutcome::kDone;
  RowRef latest;  // kChanged: the newest committed version, to re-check and try again with.
                  // kDone of Update/Insert: the new version.
};

// Statistics for planning. Approximate but always current.
struct ColumnStatistics {
  bool has_min_max = false;  // numbers and dates only
  types::Value min;
  types::Value max;
  uint64_t distinct_count = 0;
  bool may_have_nulls = true;
};

class Relation {
 public:
  virtual ~Relation() = default;
  virtual const catalog::TableDef& table() const = 0;

  // ---- Point and range reads ------------------------------------------------------------------
  // The visible row with this full key of a unique index; nullopt when there is none.
  virtual Result<std::optional<RowRef>> Lookup(StatementContext& context, Oid index,
                                               std::span<const types::Value> key) = 0;
  // Lookup for many keys, whose cache misses overlap: `keys` has them one after the other, as
  // many as found.size().
  virtual Status LookupBatch(StatementContext& context, Oid index,
                             std::span<const types::Value> keys,
                             std::span<std::optional<RowRef>> found) = 0;
  // The visible version of a row by its id; nullopt when there is none.
  virtual Result<std::optional<RowRef>> FindRow(StatementContext& context, RowId row) = 0;
  // Visible rows in index order; `visit` returns false to stop.
  virtual Status ScanIndex(StatementContext& context, Oid index, const KeyRange& range,
                           const std::function<Result<bool>(RowRef)>& visit) = 0;
  // Estimated number of rows in the range.
  virtual uint64_t EstimateRange(Oid index, const KeyRange& range) = 0;
  // Levels of the index, the leaves counted; it walks all of them.
  virtual uint32_t IndexDepth(Oid index) = 0;
  // Reads columns of a version. String bytes are borrowed from the version, valid until the
  // statement ends, or copied to the arena. out.size() == columns.size(). kRowIdColumn reads the
  // row id. Fails only where the row lies in a segment that cannot be read: XX001, 58030.
  virtual Status Read(const RowRef& row, std::span<const ColumnId> columns, types::Arena& arena,
                      types::Value* out) = 0;

  // Whether `row` is the row's newest version, not deleted, for the context's transaction.
  virtual Result<bool> IsCurrent(StatementContext& context, const RowRef& row) = 0;

  // ---- Bulk scan ------------------------------------------------------------------------------
  // Blocks of segments, each of one column.
  struct BlockCounts {
    uint64_t read = 0;
    uint64_t loaded = 0;   // of these, from files: the cache did not have them
    uint64_t skipped = 0;  // ruled out by zones
  };
  // The row pages as of the statement's snapshot, cut into independent morsels.
  class Scan {
   public:
    virtual ~Scan() = default;
    // Next batch for one worker; false at the end. A worker passes the same `state` each time.
    struct WorkerState {
      virtual ~WorkerState() = default;
    };
    virtual std::unique_ptr<WorkerState> NewWorker() = 0;
    // `chunk` has the projected columns, valid until the worker's next call. Zero-copy where page
    // or block allow it. `refs` are filled when they were asked for at OpenScan.
    virtual Result<bool> Next(WorkerState& state, types::Chunk& chunk,
                              std::vector<RowRef>* refs) = 0;
    // With ScanOptions::late_columns: column `i` of the chunk that Next gave, before it is read. A
    // column that a filter makes needless is never decoded.
    virtual Status Fill(WorkerState&, types::Chunk&, size_t) { return Status::Ok(); }
    // Where the chunk that Next gave belongs: a number that ascends for each worker, and that no
    // two share. Rows of lower ones come before.
    virtual uint64_t MorselOf(const WorkerState& state) const = 0;
    // Of a scan by key: whether the rows of that morsel come by ascending keys, in either order of
    // morsels. Who needs them in another order, or if not, puts all of them into it.
    virtual bool Ascends(const WorkerState&) const { return false; }
    // Whether the chunk that Next gave has only rows that pass the bound, which is an exact one.
    virtual bool HasApplied(const WorkerState&, ColumnId) const { return false; }
    // Whether rows outside the column's moving bound were left out of it.
    virtual bool HasMoved(const WorkerState&, ColumnId) const { return false; }
    virtual uint64_t rows_total_estimate() const = 0;
    virtual double progress() const = 0;  // 0..1
    // So far, by all workers.
    virtual BlockCounts block_counts() const { return {}; }
  };
  // Of morsels, by the primary key.
  enum class KeyOrder : uint8_t { kNone, kAscending, kDescending };
  struct ScanOptions {
    KeyOrder order = KeyOrder::kNone;  // an order requires ScansByKeyCheaply
    std::vector<ColumnId> columns;     // kRowIdColumn: the row ids, as bigint
    bool with_refs = false;
    bool late_columns = false;  // Fill is called for each column that is read
    // Zone-map hints: rows outside may be skipped or not. One per column at most.
    struct Bound {
      ColumnId column;
      std::optional<types::Value> lower;
      std::optional<types::Value> upper;
      // What passes is not NULL, within the bounds, and not this: Scan::HasApplied tells where all
      // other rows were left out. Integers only.
      bool exact = false;
      std::optional<types::Value> except = {};
      // Rows that have none of these are unwanted; they may be left out or not.
      std::shared_ptr<const colstore::ValueList> any_of = {};
    };
    std::vector<Bound> bounds;
    // Rows outside may be left out: what the range says when they are read. Integers only.
    struct MovingBound {
      ColumnId column;
      std::shared_ptr<const colstore::MovingRange> range;
    };
    std::vector<MovingBound> moving;
  };
  virtual std::unique_ptr<Scan> OpenScan(StatementContext& context, ScanOptions options) = 0;
  // Whether a scan by key is possible and costs less than sorting what any other gives.
  virtual bool ScansByKeyCheaply() const = 0;

  // The rows that the statement sees.
  virtual Result<uint64_t> CountRows(StatementContext& context) const = 0;
  struct ColumnFacts {
    types::Value least = types::Value::Null();  // NULL: there is no value
    types::Value greatest = types::Value::Null();
    uint64_t values = 0;                   // that are not NULL
    std::optional<types::Int128> sum = 0;  // of the cells as integers; nullopt: not known
  };
  // Of what the statement sees in a column of integers or times; nullopt: only a scan can tell.
  virtual Result<std::optional<ColumnFacts>> FactsOf(StatementContext& context,
                                                     ColumnId column) const = 0;
  virtual uint64_t rows_estimate() const = 0;
  // Where the rows lie, about.
  struct Placement {
    uint64_t hot_rows = 0;
    uint64_t segments = 0;  // sorted by primary key
  };
  virtual Placement placement() const = 0;
  virtual ColumnStatistics statistics(ColumnId column) const = 0;

  // ---- Writes ---------------------------------------------------------------------------------
  // `row` has one value for each column of the table definition, dropped ones included (ignored),
  // already of the column's type. Waits for in-doubt unique conflicts.
  virtual Result<RowRef> Insert(StatementContext& context, std::span<const types::Value> row) = 0;
  // ON CONFLICT: like Insert, but a conflict on one of `arbiters` (empty = any unique index) is not
  // an error: returns nullopt and the conflicting row in `conflict`. That row is committed, or our
  // own. (It may be newer than the snapshot, as in PostgreSQL.)
  virtual Result<std::optional<RowRef>> InsertOrFind(StatementContext& context,
                                                     std::span<const types::Value> row,
                                                     std::span<const Oid> arbiters,
                                                     RowRef* conflict) = 0;
  // Many rows by column, in the columns' order of the table (COPY, INSERT ... SELECT).
  virtual Status InsertChunk(StatementContext& context, const types::Chunk& chunk) = 0;

  // Replaces the seen version. `row` as for Insert. Under READ COMMITTED a row changed meanwhile
  // gives kChanged/kGone and nothing is done; under the higher levels it is 40001.
  virtual Result<RowResult> Update(StatementContext& context, const RowRef& seen,
                                   std::span<const types::Value> row) = 0;
  virtual Result<RowResult> Delete(StatementContext& context, const RowRef& seen) = 0;
  // SELECT ... FOR UPDATE/SHARE.
  virtual Result<RowResult> Lock(StatementContext& context, const RowRef& seen,
                                 txn::RowLockMode mode, txn::LockWait wait) = 0;
};

}  // namespace omendb::engine
