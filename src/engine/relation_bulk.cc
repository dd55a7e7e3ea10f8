#include <malloc.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "base/check.h"
#include "base/sqlstate.h"
#include "engine/failing_row.h"
#include "engine/redo.h"
#include "engine/relation_impl.h"

namespace omendb::engine {

using rowstore::kReinserted;
using rowstore::kRowGone;
using rowstore::TableStore;
using rowstore::VersionRef;
using txn::UndoRecord;
using types::PhysicalType;

Status RelationImpl::CheckChunk(StatementContext& context, const types::Chunk& chunk,
                                uint32_t* at) {
  OMEN_CHECK(chunk.columns.size() == physical_.size());
  OMEN_TRY(CheckMemory());
  for (const ColumnId column : not_null_) {
    const types::ColumnView& view = chunk.columns[static_cast<size_t>(column.value() - 1)];
    if (view.validity == nullptr) continue;
    for (uint32_t i = 0; i < chunk.rows_count; ++i) {
      if (!view.is_null(i)) continue;
      *at = i;
      types::Row row;
      for (const types::ColumnView& other : chunk.columns) row.push_back(other.Get(i));
      return NotNullViolation(context, *definition_, column, row);
    }
  }
  return Status::Ok();
}

Status RelationImpl::InsertChunk(StatementContext& context, const types::Chunk& chunk) {
  uint32_t at = 0;
  return InsertRows(context, chunk, &at);
}

Status RelationImpl::InsertRows(StatementContext& context, const types::Chunk& chunk,
                                uint32_t* at) {
  OMEN_TRY(TxnOf(context).CheckWritable());
  OMEN_TRY(CheckChunk(context, chunk, at));
  for (uint32_t done = 0; done < chunk.rows_count;) {
    if (context.cancel != nullptr && context.cancel->set()) return context.cancel->ToStatus();
    uint32_t inserted = 0;
    *at = done;
    OMEN_TRY(InsertRange(context, chunk, at, &inserted));
    done += inserted;
  }
  return Status::Ok();
}

Status RelationImpl::InsertRange(StatementContext& context, const types::Chunk& chunk, uint32_t* at,
                                 uint32_t* inserted) {
  const uint32_t first = *at;
  txn::TransactionImpl& txn = TxnOf(context);
  TableStore& store = table_->store();
  const TableStore::SlotRange range = store.AllocateRange(layout_, chunk.rows_count - first);
  if (range.page == nullptr) return Status(sqlstate::kOutOfMemory, "out of memory");
  *inserted = range.count;
  store.WriteColumns(range, chunk, first);
  const RowId rows = store.ReserveRows(range.count);
  for (uint32_t i = 0; i < range.count; ++i) {
    const RowId id(rows.value() + i);
    rowstore::VersionHeader& header = range.page->header(range.first + i);
    header.row_id = id.value();
    header.begin.store(txn.word(), std::memory_order_release);
    store.SetNewRow(id, range.ref(i));
  }
  store.AddRows(range.count);
  UndoRecord undo;
  undo.kind = UndoRecord::Kind::kInsertRange;
  undo.count = range.count;
  undo.row = rows;
  undo.fresh = range.ref();
  txn.AddUndo(undo, table_);
  bool adjacent = true;
  OMEN_TRY(IndexRange(context, range, at, &adjacent));
  for (size_t column = 0; column < chunk.columns.size(); ++column) {
    const types::ColumnView& view = chunk.columns[column];
    ColumnSketch& sketch = *sketches_[column];
    for (uint32_t i = 0; i < range.count; ++i) sketch.Add(view.Get(first + i));
  }
  if (table_->logged()) {
    LogRange(txn, range, rows, adjacent);
    OMEN_TRY(txn.MaybeSpill());
  }
  if (!ConcernsForeignKeys(context)) return Status::Ok();
  types::Row row;
  for (uint32_t i = 0; i < range.count; ++i) {
    ReadWhole(range.ref(i), row);
    const RowRef ref{RowId(range.page->header(range.first + i).row_id), range.ref(i)};
    EngineTransaction::Of(txn).foreign_keys().OnInsert(context, *definition_, ref, row);
  }
  return Status::Ok();
}

Status RelationImpl::IndexRange(StatementContext& context, const TableStore::SlotRange& range,
                                uint32_t* at, bool* adjacent) {
  if (indexes_.empty()) return Status::Ok();
  const bool has_entries = indexes_.size() > (primary_ != nullptr ? 1 : 0);
  const bool int_primary =
      primary_ != nullptr && primary_->index->shape() == TableIndex::Shape::kRowByInt;
  const uint32_t int_column =
      int_primary ? static_cast<uint32_t>(primary_->index->int_column().value() - 1) : 0;
  std::string key;
  types::Row row;
  for (uint32_t i = 0; i < range.count; ++i, ++*at) {
    const uint32_t slot = range.first + i;
    rowstore::VersionHeader& header = range.page->header(slot);
    if (int_primary && i % TableIndex::kBatchMax == 0) {
      const auto ahead = std::min<uint32_t>(TableIndex::kBatchMax, range.count - i);
      primary_->index->WarmInts(*range.page, slot, ahead);
    }
    if (int_primary) {
      const uint64_t int_key = primary_->index->IntKeyOf(range.page->Read(int_column, slot));
      OMEN_ASSIGN(const auto there,
                  table_->EnterRow(*primary_->index, int_key, RowId(header.row_id)));
      if (there) {
        OMEN_TRY(ContinueRow(context, range, i));
        *adjacent = false;
      }
    } else if (primary_ != nullptr) {
      primary_->index->KeyOfVersion(*range.page, slot, key);
      OMEN_ASSIGN(const auto there, table_->EnterRow(*primary_->index, key, RowId(header.row_id)));
      if (there) {
        OMEN_TRY(ContinueRow(context, range, i));
        *adjacent = false;
      }
    }
    if (!has_entries) continue;
    ReadWhole(range.ref(i), row);
    OMEN_TRY(EnterEntries(context, RowId(header.row_id), row, {}));
  }
  return Status::Ok();
}

// The primary key of row `i` of the range is in the index already: 23505, or the key of a deleted
// row, which this version then continues under that row's id.
Status RelationImpl::ContinueRow(StatementContext& context, const TableStore::SlotRange& range,
                                 uint32_t i) {
  TableStore& store = table_->store();
  rowstore::VersionHeader& header = range.page->header(range.first + i);
  // Its own new row id is given up; while that goes on the version counts as none.
  const uint64_t word = header.begin.load(std::memory_order_relaxed);
  header.begin.store(mvcc::kInfinity, std::memory_order_release);
  store.row(RowId(header.row_id)).store(kRowGone, std::memory_order_release);
  store.AddRows(-1);
  header.row_id = 0;
  std::string key;
  primary_->index->KeyOfVersion(*range.page, range.first + i, key);
  types::Row row;
  ReadWhole(range.ref(i), row);
  for (;;) {
    VersionRef dead = 0;
    Conflict conflict;
    OMEN_ASSIGN(const RowId id, PlaceRow(context, key, &dead, &conflict));
    if (conflict.access != nullptr) {
      return DuplicateKey(context, *conflict.access->definition, row);
    }
    header.prev.store(dead != 0 ? dead | kReinserted : 0, std::memory_order_relaxed);
    header.row_id = id.value();
    header.begin.store(word, std::memory_order_release);
    OMEN_ASSIGN(const bool placed, PlaceHead(id, dead, range.ref(i), key));
    if (placed) {
      store.AddRows(1);
      return Status::Ok();
    }
    header.begin.store(mvcc::kInfinity, std::memory_order_release);
    header.row_id = 0;
  }
}

void RelationImpl::LogRange(txn::TransactionImpl& txn, const TableStore::SlotRange& range,
                            RowId rows, bool adjacent) const {
  types::Row row;
  PutManyWriter writer(table_->storage(), rows, physical_);
  for (uint32_t i = 0; i < range.count; ++i) {
    ReadWhole(range.ref(i), row);
    if (adjacent) {
      writer.Add(row);
    } else {
      const RowId id(range.page->header(range.first + i).row_id);
      AppendPut(table_->storage(), id, physical_, row, txn.redo());
    }
  }
  if (adjacent) writer.Finish(txn.redo());
}

}  // namespace omendb::engine
