#include "engine/segment_batch.h"

#include <algorithm>
#include <numeric>
#include <system_error>

#include "base/check.h"
#include "engine/new_segment.h"
#include "engine/relation_impl.h"

namespace omendb::engine {

namespace {

// Gives the rows the order of their keys, which come in the order of arrival and get that of the
// rows. Returns the position of a row whose key the one before it has.
template <typename Key>
std::optional<uint32_t> SortBy(std::vector<Key>& keys, RowBuffer& rows) {
  if (!std::is_sorted(keys.begin(), keys.end())) {
    std::vector<uint32_t> order(keys.size());
    std::iota(order.begin(), order.end(), 0U);
    std::sort(order.begin(), order.end(), [&keys](uint32_t a, uint32_t b) {
      return keys[a] != keys[b] ? keys[a] < keys[b] : a < b;
    });
    std::vector<Key> sorted;
    sorted.reserve(keys.size());
    for (const uint32_t row : order) sorted.push_back(std::move(keys[row]));
    keys = std::move(sorted);
    rows.SetOrder(std::move(order));
  }
  const auto equal = std::adjacent_find(keys.begin(), keys.end());
  if (equal == keys.end()) return std::nullopt;
  return static_cast<uint32_t>(equal - keys.begin()) + 1;
}

std::optional<uint32_t> SortByPrimaryKey(const TableIndex& index, RowBuffer& rows, RowKeys& keys) {
  if (index.shape() == TableIndex::Shape::kRowByInt) {
    const auto column = static_cast<size_t>(index.int_column().value() - 1);
    keys.ints.resize(rows.rows());
    for (uint32_t i = 0; i < rows.rows(); ++i) {
      keys.ints[i] = index.IntKeyOf(rows.Get(column, i));
    }
    return SortBy(keys.ints, rows);
  }
  keys.bytes.resize(rows.rows());
  const std::span<const ColumnId> columns = index.key_columns();
  types::Row values(columns.size());
  for (uint32_t i = 0; i < rows.rows(); ++i) {
    for (size_t k = 0; k < columns.size(); ++k) {
      values[k] = rows.Get(static_cast<size_t>(columns[k].value() - 1), i);
    }
    index.KeyOfValues(values, keys.bytes[i]);
  }
  return SortBy(keys.bytes, rows);
}

Result<std::shared_ptr<const FrozenSegment>> WriteSegment(const SegmentBatch& batch) {
  const catalog::TableDef& table = batch.relation->table();
  SegmentFiles& files = batch.relation->segment_files();
  OMEN_ASSIGN(auto writer, NewSegment(files, table, batch.file->id()));
  const types::Chunk all = batch.rows->View();
  types::Chunk chunk;
  chunk.rows_count = all.rows_count;
  for (const ColumnId id : table.live_columns()) {
    chunk.columns.push_back(all.columns[static_cast<size_t>(id.value() - 1)]);
  }
  std::vector<int64_t> ids(all.rows_count);
  for (uint32_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<int64_t>(batch.id(i).value());
  types::ColumnView id_column;
  id_column.type = types::SqlType{types::TypeKind::kInt8};
  id_column.physical = types::PhysicalType::kInt64;
  id_column.data = ids.data();
  chunk.columns.push_back(id_column);
  OMEN_TRY(writer->Append(chunk));
  OMEN_TRY(writer->Finish().status());
  return files.Open(batch.file->id());
}

// The rows of a table without a primary key lie in the order of their ids, which new ones get in
// the order in which they came.
void SortByRowId(SegmentBatch& batch) {
  std::vector<uint64_t> ids;
  ids.reserve(batch.replaced.size());
  for (const RowRef& row : batch.replaced) ids.push_back(row.row_id.value());
  batch.duplicate = SortBy(ids, *batch.rows);
}

// What the indexes have to know of the rows.
void PackEntries(SegmentBatch& batch) {
  types::Row row;
  for (const auto& index : batch.indexes) {
    std::vector<PackedEntries::Entry> entries(batch.rows->rows());
    for (uint32_t i = 0; i < entries.size(); ++i) {
      batch.rows->Read(i, row);
      index->KeyOfRow(row, entries[i].key);
      entries[i].row = batch.id(i);
    }
    batch.entries.push_back(std::make_shared<const PackedEntries>(std::move(entries)));
  }
}

void Write(SegmentBatch& batch) {
  if (const TableIndex* const primary = batch.relation->primary_index()) {
    batch.duplicate = SortByPrimaryKey(*primary, *batch.rows, batch.keys);
  } else if (!batch.replaced.empty()) {
    SortByRowId(batch);
  }
  if (batch.duplicate) return;
  PackEntries(batch);
  batch.segment = WriteSegment(batch);
  if (!batch.segment.ok()) return;
  const Status counted = batch.relation->AddToStatistics(**batch.segment);
  if (!counted.ok()) batch.segment = counted;
}

}  // namespace

std::vector<uint32_t> SegmentBatch::places() const {
  std::vector<uint32_t> places(rows->rows());
  for (uint32_t i = 0; i < places.size(); ++i) places[rows->arrival(i)] = i;
  return places;
}

BatchLimits BatchLimits::Within(uint64_t memory_limit) const {
  OMEN_CHECK(segment_rows <= colstore::kSegmentRowsMax);
  BatchLimits limits = *this;
  limits.segment_bytes = std::min<size_t>(segment_bytes, memory_limit / 16);
  return limits;
}

bool BatchLimits::AreReachedBy(const RowBuffer& rows) const {
  return rows.rows() >= segment_rows || (rows.rows() >= rows_min && rows.bytes() >= segment_bytes);
}

std::unique_ptr<RowBuffer> NewRowBuffer(const catalog::TableDef& table) {
  std::vector<types::SqlType> types;
  for (const catalog::ColumnDef& column : table.columns) types.push_back(column.type);
  return std::make_unique<RowBuffer>(types);
}

BatchWriter::~BatchWriter() {
  if (thread_.joinable()) thread_.join();
}

Status BatchWriter::Start(std::unique_ptr<SegmentBatch> batch) {
  OMEN_CHECK(batch_ == nullptr);
  OMEN_ASSIGN(ReservedFile file, files_.Reserve());
  batch->file.emplace(std::move(file));
  batch_ = std::move(batch);
  try {
    thread_ = std::thread([batch = batch_.get(), written = batch_->written] {
      Write(*batch);
      written->Signal();
    });
  } catch (const std::system_error&) {  // No thread to be had now.
    Write(*batch_);
    batch_->written->Signal();
  }
  return Status::Ok();
}

Result<const SegmentBatch*> BatchWriter::Await(StatementContext& context) {
  const SegmentBatch* batch = batch_.get();
  if (batch == nullptr) return batch;
  // This may be the thread of many sessions: the others go on.
  OMEN_TRY(context.waiter->Wait(batch->written, kNoDeadline, context.cancel));
  if (thread_.joinable()) thread_.join();
  if (batch->segment.ok() && context.cancel != nullptr && context.cancel->set()) {
    return context.cancel->ToStatus();
  }
  return batch;
}

}  // namespace omendb::engine
