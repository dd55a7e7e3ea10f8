#include "duck/scan/index_scan.h"

#include <algorithm>
#include <atomic>

#include "duck/scan/filter_bounds.h"
#include "types/chunk_builder.h"

namespace omendb::duck {
namespace {

using engine::KeyRange;
using engine::Relation;
using engine::RowRef;

// Below this a scan of every page is over before an index could help.
constexpr uint64_t kRowsWorthAnIndex = 4096;
// A row through an index costs about as much as this many rows of a scan.
constexpr uint64_t kCostOfIndexedRow = 64;
// A range of primary keys lies in few blocks of each segment, which the zones find: they cost as
// much as this many rows through the index.
constexpr uint64_t kRowsWorthASegment = 16;

const ColumnCondition* ConditionOn(const std::vector<ColumnCondition>& conditions,
                                   ColumnId column) {
  const auto it = std::find_if(conditions.begin(), conditions.end(),
                               [&](const ColumnCondition& c) { return c.column == column; });
  return it != conditions.end() ? &*it : nullptr;
}

bool IsEquality(const ColumnCondition& condition, const types::SqlType& type) {
  return condition.lower && condition.upper &&
         types::Compare(type, *condition.lower, *condition.upper) == 0;
}

// Equality on the first key columns, then a list of values or a range on the next.
std::vector<KeyRange> RangesOf(const catalog::TableDef& table, const catalog::IndexDef& index,
                               const std::vector<ColumnCondition>& conditions) {
  KeyRange range;
  for (const catalog::IndexKey& key : index.keys) {
    const ColumnCondition* condition = ConditionOn(conditions, key.column);
    if (condition == nullptr) break;
    if (IsEquality(*condition, table.column(key.column).type)) {
      range.equal.push_back(*condition->lower);
      continue;
    }
    if (condition->any_of != nullptr) {
      std::vector<KeyRange> ranges;
      for (const types::Value& value : condition->any_of->values()) {
        ranges.push_back(range);
        ranges.back().equal.push_back(value);
      }
      return ranges;
    }
    if (!condition->lower && !condition->upper) break;
    range.lower = condition->lower;
    range.upper = condition->upper;
    return {range};
  }
  if (range.equal.empty()) return {};
  return {range};
}

struct Choice {
  Oid index;
  std::vector<KeyRange> ranges;
  uint64_t rows_estimate = UINT64_MAX;
};

// Whether the range is one key of a unique index: a row at most.
bool IsPoint(const catalog::IndexDef& index, const KeyRange& range) {
  return index.unique && range.equal.size() == index.keys.size();
}

Choice ChooseIndex(Relation& relation, const std::vector<ColumnCondition>& conditions) {
  Choice best;
  for (const catalog::IndexDef& index : relation.table().indexes) {
    std::vector<KeyRange> ranges = RangesOf(relation.table(), index, conditions);
    if (ranges.empty()) continue;
    uint64_t rows = 0;
    for (const KeyRange& range : ranges) {
      rows += IsPoint(index, range) ? 1 : relation.EstimateRange(index.oid, range);
    }
    if (rows < best.rows_estimate) best = {index.oid, std::move(ranges), rows};
  }
  return best;
}

// The rows of a list of row ids, or of one: DuckDB's late materialization names them.
using RowList = std::optional<std::vector<RowRef>>;
Result<RowList> RowsByRowId(Relation& relation, engine::StatementContext& context,
                            const std::vector<ColumnCondition>& conditions) {
  const ColumnCondition* condition = ConditionOn(conditions, engine::kRowIdColumn);
  if (condition == nullptr) return RowList();
  std::vector<types::Value> row_ids;
  if (condition->any_of != nullptr) row_ids = condition->any_of->values();
  if (row_ids.empty() && IsEquality(*condition, {types::TypeKind::kInt8})) {
    row_ids = {*condition->lower};
  }
  if (row_ids.empty()) return RowList();
  std::vector<RowRef> rows;
  for (const types::Value& row_id : row_ids) {
    OMEN_ASSIGN(const auto row,
                relation.FindRow(context, RowId(static_cast<uint64_t>(row_id.i64))));
    if (row) rows.push_back(*row);
  }
  return RowList(std::move(rows));
}

// Appends the rows of points, all of them looked up together.
Status LookUpPoints(Relation& relation, engine::StatementContext& context, const Choice& choice,
                    std::vector<RowRef>& rows) {
  std::vector<types::Value> keys;
  for (const KeyRange& range : choice.ranges) {
    keys.insert(keys.end(), range.equal.begin(), range.equal.end());
  }
  std::vector<std::optional<RowRef>> found(choice.ranges.size());
  OMEN_TRY(relation.LookupBatch(context, choice.index, keys, found));
  for (const std::optional<RowRef>& row : found) {
    if (row.has_value()) rows.push_back(*row);
  }
  return Status::Ok();
}

// Appends rows until there are more than `rows_max`.
Status ScanRanges(Relation& relation, engine::StatementContext& context, const Choice& choice,
                  uint64_t rows_max, std::vector<RowRef>& rows) {
  for (const KeyRange& range : choice.ranges) {
    if (rows.size() > rows_max) break;
    OMEN_TRY(relation.ScanIndex(context, choice.index, range, [&](RowRef row) -> Result<bool> {
      rows.push_back(row);
      return rows.size() <= rows_max;
    }));
  }
  return Status::Ok();
}

// Beyond this a scan is cheaper.
uint64_t RowsWorthTheIndex(const Relation& relation, const Choice& choice) {
  const uint64_t rows_max = relation.rows_estimate() / kCostOfIndexedRow;
  const catalog::IndexDef* const primary = relation.table().primary_key();
  if (choice.ranges.size() != 1 || primary == nullptr || primary->oid != choice.index) {
    return rows_max;
  }
  const Relation::Placement placement = relation.placement();
  return std::min(rows_max,
                  placement.hot_rows / kCostOfIndexedRow + placement.segments * kRowsWorthASegment);
}

class IndexScan : public Relation::Scan {
 public:
  IndexScan(std::shared_ptr<Relation> relation, const Relation::ScanOptions& options,
            std::vector<RowRef> rows)
      : relation_(std::move(relation)),
        columns_(options.columns),
        by_key_(options.order != Relation::KeyOrder::kNone),
        rows_(std::move(rows)) {}

  std::unique_ptr<WorkerState> NewWorker() override {
    std::vector<types::SqlType> types;
    for (ColumnId column : columns_) {
      types.push_back(column == engine::kRowIdColumn ? types::SqlType{types::TypeKind::kInt8}
                                                     : relation_->table().column(column).type);
    }
    return std::make_unique<Worker>(types);
  }

  Result<bool> Next(WorkerState& state, types::Chunk& chunk, std::vector<RowRef>* refs) override {
    auto& worker = static_cast<Worker&>(state);
    const size_t begin = next_.fetch_add(types::kChunkRowsMax, std::memory_order_relaxed);
    if (begin >= rows_.size()) return false;
    const size_t count = std::min<size_t>(types::kChunkRowsMax, rows_.size() - begin);
    worker.begin = begin;
    worker.arena.Reset();
    for (size_t i = 0; i < count; ++i) {
      OMEN_TRY(relation_->Read(rows_[begin + i], columns_, worker.arena, worker.row.data()));
      worker.builder.Set(static_cast<uint32_t>(i), worker.row);
      if (refs != nullptr) refs->push_back(rows_[begin + i]);
    }
    chunk = worker.builder.View(static_cast<uint32_t>(count));
    return true;
  }

  uint64_t MorselOf(const WorkerState& state) const override {
    return by_key_ ? 0 : static_cast<const Worker&>(state).begin;
  }
  uint64_t rows_total_estimate() const override { return rows_.size(); }
  double progress() const override {
    return rows_.empty() ? 1.0
                         : std::min(1.0, static_cast<double>(next_.load()) /
                                             static_cast<double>(rows_.size()));
  }

 private:
  struct Worker : public WorkerState {
    explicit Worker(const std::vector<types::SqlType>& types) : builder(types), row(types.size()) {}
    types::ChunkBuilder builder;
    types::Row row;
    types::Arena arena;  // of the chunk's strings
    size_t begin = 0;    // of the chunk, in rows_
  };

  const std::shared_ptr<Relation> relation_;
  const std::vector<ColumnId> columns_;
  const bool by_key_;  // Then all rows are of one morsel, which one worker reads.
  const std::vector<RowRef> rows_;
  std::atomic<size_t> next_{0};
};

}  // namespace

Result<std::unique_ptr<Relation::Scan>> OpenIndexScan(const std::shared_ptr<Relation>& relation,
                                                      engine::StatementContext& context,
                                                      const Relation::ScanOptions& options) {
  const std::vector<ColumnCondition>& conditions = options.bounds;
  std::unique_ptr<Relation::Scan> none;
  const uint64_t rows_total = relation->rows_estimate();
  if (conditions.empty() || rows_total < kRowsWorthAnIndex) return none;
  OMEN_ASSIGN(auto by_row_id, RowsByRowId(*relation, context, conditions));
  if (by_row_id) {
    return std::unique_ptr<Relation::Scan>(
        std::make_unique<IndexScan>(relation, options, std::move(*by_row_id)));
  }
  const Choice choice = ChooseIndex(*relation, conditions);
  const uint64_t rows_max = RowsWorthTheIndex(*relation, choice);
  if (choice.rows_estimate > rows_max) return none;
  std::vector<RowRef> rows;
  if (IsPoint(*relation->table().FindIndex(choice.index), choice.ranges.front())) {
    OMEN_TRY(LookUpPoints(*relation, context, choice, rows));
  } else {
    OMEN_TRY(ScanRanges(*relation, context, choice, rows_max, rows));
    if (rows.size() > rows_max) return none;  // The estimate was wrong.
  }
  return std::unique_ptr<Relation::Scan>(
      std::make_unique<IndexScan>(relation, options, std::move(rows)));
}

}  // namespace omendb::duck
