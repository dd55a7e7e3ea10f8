#include "engine/build_index.h"

#include <utility>

#include "base/sqlstate.h"
#include "engine/visible_rows.h"

namespace omendb::engine {
namespace {

// Columns that are read, and what rows of before they were added read in them.
struct Columns {
  Columns(const catalog::TableDef& definition, std::span<const ColumnId> wanted)
      : ids(wanted.begin(), wanted.end()), width(definition.columns.size()) {
    for (const ColumnId id : ids) missing.push_back(MissingValueOf(definition.column(id), arena));
  }
  types::Arena arena;
  std::vector<ColumnId> ids;
  types::Row missing;
  size_t width;  // of a whole row
};

size_t PlaceOf(ColumnId id) { return static_cast<size_t>(id.value() - 1); }

// visit(row id, row), a Status, for each visible row that is not in `runs`. `row` is as wide as the
// table and has values in the columns that are read.
template <typename Visit>
Status ForEachHot(Table& table, const RunSet& runs, const Columns& columns,
                  const mvcc::TxnTable& txns, const mvcc::Snapshot& snapshot, const Visit& visit) {
  types::Row row(columns.width, types::Value::Null());
  return ForEachHotRow(
      table, runs, txns, snapshot, [&](const rowstore::Page& page, uint32_t slot) -> Status {
        const size_t stored = page.layout().columns_count();
        for (size_t i = 0; i < columns.ids.size(); ++i) {
          const size_t place = PlaceOf(columns.ids[i]);
          row[place] =
              place < stored ? page.Read(static_cast<uint32_t>(place), slot) : columns.missing[i];
        }
        return visit(RowId(page.header(slot).row_id), row);
      });
}

// The same for the rows in `runs`.
template <typename Visit>
Status ForEachFrozen(const RunSet& runs, const Columns& columns, const Visit& visit) {
  types::Row row(columns.width, types::Value::Null());
  return ForEachFrozenRow(
      runs, columns.ids, [&](size_t i) { return columns.missing[i]; },
      [&](RowId id, rowstore::VersionRef, const types::Row& values) -> Status {
        for (size_t i = 0; i < values.size(); ++i) row[PlaceOf(columns.ids[i])] = values[i];
        return visit(id, row);
      });
}

// Every visible row whose key belongs in the index, whatever holds it.
template <typename Visit>
Status ForEachRow(Table& table, const TableIndex& index, const Columns& columns,
                  const mvcc::TxnTable& txns, const mvcc::Snapshot& snapshot, const Visit& visit) {
  const std::shared_ptr<const RunSet> runs = SeenRuns(table.frozen().runs(), txns, snapshot);
  OMEN_TRY(ForEachHot(table, *runs, columns, txns, snapshot, visit));
  RunSet entered;
  for (uint64_t number = 0; number < runs->runs.size(); ++number) {
    const Run& run = runs->runs[number];
    const bool listed =
        index.is_row_map() ? index.frozen_keys().Has(*run.segment) : index.runs().Has(number);
    if (!listed) entered.runs.push_back(run);
  }
  return ForEachFrozen(entered, columns, visit);
}

// Tells how many rows were read, and hears whether to go on.
class RowsRead {
 public:
  RowsRead(const BuildWatch& watch, uint64_t rows_total)
      : progress_(watch.progress), cancel_(watch.cancel) {
    if (progress_ != nullptr) progress_->SetRowsTotal(rows_total);
  }
  Status Add(uint64_t rows) {
    constexpr uint64_t kToldAfter = 1024;
    const uint64_t before = std::exchange(rows_, rows_ + rows);
    if (before / kToldAfter == rows_ / kToldAfter) return Status::Ok();
    Tell();
    return cancel_ != nullptr && cancel_->set() ? cancel_->ToStatus() : Status::Ok();
  }
  void End() {
    Tell();
    if (progress_ != nullptr) progress_->SetLoading();
  }

 private:
  void Tell() {
    if (progress_ != nullptr) progress_->SetRows(rows_);
  }
  CommandProgress* const progress_;
  CancelFlag* const cancel_;
  uint64_t rows_ = 0;
};

// Loads an empty index from the rows that `each(visit)` gives. Returns a row whose key is taken.
template <typename Each>
Result<std::optional<RowId>> LoadInts(TableIndex& index, size_t rows, const Each& each) {
  std::vector<index::Entry> entries;
  if (index.frozen_keys().empty()) entries.reserve(rows);
  const size_t place = PlaceOf(index.int_column());
  OMEN_TRY(each([&](RowId id, const types::Row& row) {
    entries.push_back({index.IntKeyOf(row[place]), id.value()});
  }));
  const std::optional<size_t> repeated = index.BulkLoad(entries);
  return repeated ? std::optional(RowId(entries[*repeated].value)) : std::nullopt;
}

template <typename Each>
Result<std::optional<RowId>> LoadBytes(TableIndex& index, size_t rows, const Each& each) {
  std::vector<TableIndex::BulkEntry> entries;
  if (index.frozen_keys().empty() && index.runs().empty()) entries.reserve(rows);
  OMEN_TRY(each([&](RowId id, const types::Row& row) {
    TableIndex::BulkEntry& entry = entries.emplace_back();
    index.KeyOfRow(row, entry.key);
    entry.row = id;
    entry.conflicts = index.unique() && index.Conflicts(row);
  }));
  const std::optional<size_t> repeated = index.BulkLoad(entries);
  return repeated ? std::optional(entries[*repeated].row) : std::nullopt;
}

// Returns a row whose key is taken.
Result<std::optional<RowId>> FillIndex(Table& table, TableIndex& index,
                                       const catalog::TableDef& definition,
                                       const mvcc::TxnTable& txns, const mvcc::Snapshot& snapshot,
                                       RowsRead& read) {
  const Columns columns(definition, index.key_columns());
  const size_t rows = table.store().rows_count();
  const auto each = [&](const auto& visit) -> Status {
    OMEN_TRY(ForEachRow(table, index, columns, txns, snapshot,
                        [&](RowId id, const types::Row& row) -> Status {
                          visit(id, row);
                          return read.Add(1);
                        }));
    read.End();
    return Status::Ok();
  };
  return index.shape() == TableIndex::Shape::kRowByInt ? LoadInts(index, rows, each)
                                                       : LoadBytes(index, rows, each);
}

}  // namespace

Result<std::shared_ptr<TableIndex>> BuildTableIndex(const KeyBudget& budget, Table& table,
                                                    const catalog::TableDef& definition,
                                                    const catalog::IndexDef& index,
                                                    const mvcc::TxnTable& txns,
                                                    const mvcc::Snapshot& snapshot,
                                                    RowRef* duplicate, const BuildWatch& watch) {
  auto built = std::make_shared<TableIndex>(table.epochs(), definition, index);
  RowsRead read(watch, table.store().rows_count());
  if (!built->is_row_map()) {
    OMEN_TRY(budget.ListRuns(*built, *SeenRuns(table.frozen().runs(), txns, snapshot),
                             [&](uint64_t entries) { return read.Add(entries); }));
  }
  OMEN_ASSIGN(const std::optional<RowId> repeated,
              FillIndex(table, *built, definition, txns, snapshot, read));
  if (!repeated) return built;
  if (duplicate != nullptr) *duplicate = {*repeated, table.store().head(*repeated)};
  return std::shared_ptr<TableIndex>();
}

Status AddSegmentStatistics(const FrozenSegment& segment, const catalog::TableDef& definition,
                            const Sketches& sketches) {
  const colstore::SegmentReader& reader = *segment.reader();
  const std::vector<Result<colstore::DistinctSketch>> read = reader.ReadSketches();
  for (size_t i = 0; i < definition.columns.size(); ++i) {
    const int32_t position = segment.position_of(definition.columns[i].id);
    if (position < 0) continue;  // Relation::statistics knows of missing values.
    const Result<colstore::DistinctSketch>& sketch = read[static_cast<size_t>(position)];
    // Who reads the column is told of damage; it need not keep all else from being read.
    if (sketch.status().Is(sqlstate::kDataCorrupted)) continue;
    if (!sketch.ok()) return sketch.status();
    sketches[i]->AddSegment(reader.footer().columns[static_cast<size_t>(position)].zone, *sketch);
  }
  return Status::Ok();
}

Status RebuildTable(const KeyBudget& budget, Table& table, const catalog::TableDef& definition,
                    const mvcc::TxnTable& no_transactions) {
  const mvcc::Snapshot everything{Timestamp(mvcc::kMoved - 1), TxnId(0), 0};
  for (const catalog::IndexDef& index : definition.indexes) {
    auto built = std::make_shared<TableIndex>(table.epochs(), definition, index);
    OMEN_TRY(budget.RestoreKeys(table, *built));
    const auto fill = [&] {
      RowsRead unwatched({}, 0);
      return FillIndex(table, *built, definition, no_transactions, everything, unwatched);
    };
    Result<std::optional<RowId>> repeated = fill();
    if (repeated.status().Is(sqlstate::kDataCorrupted) && !built->is_row_map()) {
      // Damage of a segment must not keep everything else from being read.
      budget.ListUnreadable(*built, *table.frozen().runs());
      repeated = fill();
    }
    if (!repeated.ok()) return std::move(repeated).status();
    if (*repeated) {
      return Status(sqlstate::kDataCorrupted, "index \"" + index.name + "\" of table \"" +
                                                  definition.name +
                                                  "\" has a duplicate key after recovery");
    }
    table.AddIndex(std::move(built));
  }
  std::vector<types::SqlType> column_types;
  std::vector<ColumnId> ids;
  for (const catalog::ColumnDef& column : definition.columns) {
    column_types.push_back(column.type);
    ids.push_back(column.id);
  }
  const Sketches sketches = table.statistics().Ensure(column_types);
  const std::shared_ptr<const RunSet> runs = table.frozen().runs();
  for (const Run& run : runs->runs) {
    run.segment->set_keys_are_entered();
    if (run.live_rows() > 0) OMEN_TRY(AddSegmentStatistics(*run.segment, definition, sketches));
  }
  return ForEachHot(table, *runs, Columns(definition, ids), no_transactions, everything,
                    [&](RowId, const types::Row& row) {
                      for (size_t i = 0; i < row.size(); ++i) sketches[i]->Add(row[i]);
                      return Status::Ok();
                    });
}

}  // namespace omendb::engine
