#include "engine/bulk_load.h"

#include <algorithm>
#include <numeric>
#include <system_error>

#include "base/check.h"
#include "engine/load_undo.h"
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

Result<std::shared_ptr<const FrozenSegment>> WriteSegment(const RelationImpl& relation,
                                                          const RowBuffer& rows, RowId first,
                                                          uint64_t file_id) {
  SegmentFiles& files = relation.segment_files();
  OMEN_ASSIGN(auto writer, NewSegment(files, relation.table(), file_id));
  const types::Chunk all = rows.View();
  types::Chunk chunk;
  chunk.rows_count = all.rows_count;
  for (const ColumnId id : relation.table().live_columns()) {
    chunk.columns.push_back(all.columns[static_cast<size_t>(id.value() - 1)]);
  }
  std::vector<int64_t> ids(all.rows_count);
  std::iota(ids.begin(), ids.end(), static_cast<int64_t>(first.value()));
  types::ColumnView id_column;
  id_column.type = types::SqlType{types::TypeKind::kInt8};
  id_column.physical = types::PhysicalType::kInt64;
  id_column.data = ids.data();
  chunk.columns.push_back(id_column);
  OMEN_TRY(writer->Append(chunk));
  OMEN_TRY(writer->Finish().status());
  return files.Open(file_id);
}

}  // namespace

// Rows on their way to a segment.
struct BulkLoad::Batch {
  const RelationImpl* relation;
  std::unique_ptr<RowBuffer> rows;
  RowKeys keys;
  uint64_t first_arrival;
  RowId first;
  uint64_t file_id = 0;
  const std::shared_ptr<WaitPoint> written = std::make_shared<WaitPoint>();
  // ---- Set by Write ----
  std::optional<uint32_t> duplicate;  // has the key of the row before it
  Result<std::shared_ptr<const FrozenSegment>> segment{nullptr};
};

BulkLoad::BulkLoad(StatementContext& context, std::shared_ptr<Relation> relation, Limits limits)
    : context_(context),
      relation_(std::static_pointer_cast<RelationImpl>(std::move(relation))),
      limits_(limits),
      segment_bytes_(std::min<size_t>(limits.segment_bytes, relation_->memory_limit() / 16)),
      gathered_(NewBuffer()) {
  OMEN_CHECK(limits.segment_rows <= colstore::kSegmentRowsMax);
}

BulkLoad::~BulkLoad() {
  if (writer_.joinable()) writer_.join();
  if (writing_ == nullptr) return;
  SegmentFiles& files = relation_->segment_files();
  (void)files.env().Remove(files.PathOf(writing_->file_id));
  files.Release(writing_->file_id);
}

std::unique_ptr<RowBuffer> BulkLoad::NewBuffer() const {
  std::vector<types::SqlType> types;
  for (const catalog::ColumnDef& column : relation_->table().columns) types.push_back(column.type);
  return std::make_unique<RowBuffer>(types);
}

Status BulkLoad::Append(const types::Chunk& chunk) {
  if (!relation_->storage().logged()) return relation_->InsertChunk(context_, chunk);
  uint32_t at = 0;
  const Status checked = relation_->CheckChunk(context_, chunk, &at);
  failed_row_ = gathered_first_ + gathered_->rows() + at;
  OMEN_TRY(checked);
  for (uint32_t first = 0; first < chunk.rows_count;) {
    const uint32_t count =
        std::min(chunk.rows_count - first, limits_.segment_rows - gathered_->rows());
    gathered_->Append(chunk, first, count);
    first += count;
    OMEN_TRY(FlushWhenFull());
  }
  return Status::Ok();
}

Status BulkLoad::AppendRow(std::span<const types::Value> row) {
  if (!relation_->storage().logged()) return relation_->Insert(context_, row).status();
  OMEN_TRY(relation_->CheckRow(context_, row));
  gathered_->AppendRow(row);
  return FlushWhenFull();
}

Status BulkLoad::FlushWhenFull() {
  const uint32_t rows = gathered_->rows();
  const bool large = rows >= limits_.rows_min && gathered_->bytes() >= segment_bytes_;
  if (rows < limits_.segment_rows && !large) return Status::Ok();
  OMEN_TRY(EnterWritten());
  return StartWriting();
}

Status BulkLoad::StartWriting() {
  OMEN_TRY(relation_->CheckWritable(context_));
  OMEN_ASSIGN(const uint64_t file_id, relation_->segment_files().Reserve());
  writing_ = std::make_unique<Batch>();
  writing_->relation = relation_.get();
  writing_->rows = std::move(gathered_);
  writing_->file_id = file_id;
  writing_->first_arrival = gathered_first_;
  gathered_first_ += writing_->rows->rows();
  writing_->first = relation_->storage().store().ReserveRows(writing_->rows->rows());
  gathered_ = spare_ != nullptr ? std::move(spare_) : NewBuffer();
  try {
    writer_ = std::thread([batch = writing_.get(), written = writing_->written] {
      Write(*batch);
      written->Signal();
    });
  } catch (const std::system_error&) {  // No thread to be had now.
    Write(*writing_);
    writing_->written->Signal();
  }
  return Status::Ok();
}

void BulkLoad::Write(Batch& batch) {
  const TableIndex* const primary = batch.relation->primary_index();
  if (primary != nullptr) batch.duplicate = SortByPrimaryKey(*primary, *batch.rows, batch.keys);
  if (batch.duplicate) return;
  batch.segment = WriteSegment(*batch.relation, *batch.rows, batch.first, batch.file_id);
  if (!batch.segment.ok()) return;
  const Status counted = batch.relation->AddToStatistics(**batch.segment);
  if (!counted.ok()) batch.segment = counted;
}

Status BulkLoad::EnterWritten() {
  if (writing_ == nullptr) return Status::Ok();
  // This may be the thread of many sessions: the others go on.
  OMEN_TRY(context_.waiter->Wait(writing_->written, kNoDeadline, context_.cancel));
  if (writer_.joinable()) writer_.join();
  if (writing_->duplicate) {
    types::Row row;
    writing_->rows->Read(*writing_->duplicate, row);
    failed_row_ = writing_->first_arrival + writing_->rows->arrival(*writing_->duplicate);
    return relation_->DuplicatePrimaryKey(context_, row);
  }
  OMEN_TRY(writing_->segment.status());
  if (context_.cancel != nullptr && context_.cancel->set()) return context_.cancel->ToStatus();
  if (undo_ == nullptr) undo_ = relation_->NewLoadUndo(context_);
  const std::unique_ptr<Batch> batch = std::move(writing_);
  // From here on the table's set of segments keeps the file.
  uint32_t at = 0;
  const Status entered = relation_->EnterSegment(
      context_, *batch->segment, {batch->first, *batch->rows, batch->keys}, *undo_, &at);
  failed_row_ = batch->first_arrival + at;
  relation_->segment_files().Release(batch->file_id);
  spare_ = std::move(batch->rows);
  spare_->Clear();
  return entered;
}

Status BulkLoad::InsertGathered() {
  if (gathered_->rows() == 0) return Status::Ok();
  uint32_t at = 0;
  const Status inserted = relation_->InsertRows(context_, gathered_->View(), &at);
  failed_row_ = gathered_first_ + at;
  return inserted;
}

Status BulkLoad::Finish() {
  OMEN_TRY(EnterWritten());
  if (gathered_->rows() < (undo_ != nullptr ? limits_.rest_min : limits_.rows_min)) {
    return InsertGathered();
  }
  OMEN_TRY(StartWriting());
  return EnterWritten();
}

}  // namespace omendb::engine
