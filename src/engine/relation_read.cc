#include <algorithm>

#include "base/check.h"
#include "base/sqlstate.h"
#include "engine/key_scan.h"
#include "engine/relation_impl.h"
#include "engine/row_cursor.h"
#include "engine/table_scan.h"
#include "mvcc/visibility.h"

namespace omendb::engine {

using rowstore::HeadOf;
using rowstore::IsCopy;
using rowstore::IsFrozen;
using rowstore::kRowGone;
using rowstore::SlotOf;
using rowstore::VersionRef;

RelationImpl::RelationImpl(txn::TransactionManager& manager, SegmentFiles& segment_files,
                           std::shared_ptr<Table> table,
                           std::shared_ptr<const catalog::TableDef> definition)
    : manager_(manager),
      segment_files_(segment_files),
      table_(std::move(table)),
      definition_(std::move(definition)) {
  std::vector<types::SqlType> column_types;
  for (const catalog::ColumnDef& column : definition_->columns) {
    column_types.push_back(column.type);
    all_columns_.push_back(column.id);
    physical_.push_back(types::PhysicalTypeOf(column.type));
    if (column.not_null && !column.dropped) not_null_.push_back(column.id);
    missing_.push_back(MissingValueOf(column, missing_arena_));
  }
  layout_ = table_->store().InternLayout(physical_);
  sketches_ = table_->statistics().Ensure(column_types);
  for (const catalog::IndexDef& index : definition_->indexes) {
    std::shared_ptr<TableIndex> storage = table_->FindIndex(index.storage);
    if (storage != nullptr) indexes_.push_back({&index, std::move(storage)});
  }
  for (const Access& access : indexes_) {
    if (access.index->is_row_map()) primary_ = &access;
  }
}

txn::TransactionImpl& RelationImpl::TxnOf(const StatementContext& context) {
  return static_cast<txn::TransactionImpl&>(*context.txn);
}

const RelationImpl::Access* RelationImpl::FindAccess(Oid index) const {
  for (const Access& access : indexes_) {
    if (access.definition->oid == index) return &access;
  }
  return nullptr;
}

const std::atomic<uint64_t>& RelationImpl::BeginOf(VersionRef ref) const {
  return IsFrozen(ref) ? table_->frozen().SegmentOf(ref).begin()
                       : table_->store().header(ref).begin;
}

const std::atomic<uint64_t>& RelationImpl::EndOf(VersionRef ref) const {
  return IsFrozen(ref) ? table_->frozen().EndOf(ref) : table_->store().header(ref).end;
}

// The caller holds an epoch guard.
VersionRef RelationImpl::VisibleVersion(const mvcc::Snapshot& snapshot, RowId row) const {
  const rowstore::TableStore& store = table_->store();
  VersionRef ref = store.head(row);
  const auto seen = [&](const std::atomic<uint64_t>& word) {
    return mvcc::IsSeen(manager_.txns(), snapshot, word);
  };
  for (; ref != 0; ref = table_->OlderThan(ref)) {
    if (IsFrozen(ref)) {
      if (seen(table_->frozen().SegmentOf(ref).begin())) {
        return seen(table_->frozen().EndOf(ref)) ? 0 : ref;
      }
      continue;
    }
    // A clean page tells for all its versions, which spares the miss on the header of this one.
    const rowstore::Page& page = store.page(ref);
    const uint64_t clean = page.clean_timestamp();
    if (clean != 0 && clean <= snapshot.read_ts.value()) return ref;
    const rowstore::VersionHeader& header = page.header(SlotOf(ref));
    if (seen(header.begin)) return seen(header.end) ? 0 : ref;
  }
  return 0;
}

Result<std::optional<RowRef>> RelationImpl::FindRow(StatementContext& context, RowId row) {
  EpochGuard guard(table_->epochs());
  if (row.value() == 0 || row.value() > table_->store().rows_reserved()) {
    return std::optional<RowRef>();
  }
  const VersionRef version = VisibleVersion(context.txn->snapshot(), row);
  if (version == 0) return std::optional<RowRef>();
  return std::optional<RowRef>(RowRef{row, version});
}

Status RelationImpl::ScanIndex(StatementContext& context, Oid index, const KeyRange& range,
                               const std::function<Result<bool>(RowRef)>& visit) {
  const Access* access = FindAccess(index);
  if (access == nullptr) return Status(sqlstate::kInternalError, "no such index");
  const mvcc::Snapshot snapshot = context.txn->snapshot();
  TableIndex& storage = *access->index;
  RowCursor cursor(storage, storage.BoundsOf(range), range.backward);
  RowId row;
  std::string_view entry;
  std::string actual;
  for (uint64_t visited = 1;; ++visited) {
    OMEN_ASSIGN(const bool found, cursor.Next(&row, &entry));
    if (!found) break;
    if (visited % 1024 == 0 && context.cancel != nullptr && context.cancel->set()) {
      return context.cancel->ToStatus();
    }
    VersionRef version;
    {
      EpochGuard guard(table_->epochs());
      version = VisibleVersion(snapshot, row);
      if (version == 0) continue;
      if (MayLackKey(storage, {row, version})) {
        OMEN_TRY(table_->KeyOf(storage, version, actual));
        if (actual != entry) continue;
      }
    }
    OMEN_ASSIGN(const bool more, visit(RowRef{row, version}));
    if (!more) break;
  }
  return Status::Ok();
}

uint64_t RelationImpl::EstimateRange(Oid index, const KeyRange& range) {
  const Access* access = FindAccess(index);
  if (access == nullptr) return rows_estimate();
  const TableIndex& storage = *access->index;
  const uint64_t entries = storage.Estimate(range);
  if (storage.frozen_keys().empty()) return entries;
  const TableIndex::Bounds bounds = storage.BoundsOf(range);
  return bounds.empty ? 0 : entries + storage.frozen_keys().Estimate(bounds.low, bounds.high);
}

uint32_t RelationImpl::IndexDepth(Oid index) {
  const Access* access = FindAccess(index);
  return access == nullptr ? 0 : access->index->stats().depth;
}

Status RelationImpl::Read(const RowRef& row, std::span<const ColumnId> columns, types::Arena& arena,
                          types::Value* out) {
  if (IsFrozen(row.version)) [[unlikely]] {
    return table_->frozen().Read(
        row.version, columns, [&](size_t i) { return MissingValue(columns[i]); }, arena, out);
  }
  const rowstore::Page& page = table_->store().page(row.version);
  const uint32_t slot = SlotOf(row.version);
  const size_t stored = page.layout().columns_count();
  for (size_t i = 0; i < columns.size(); ++i) {
    const auto column = static_cast<uint32_t>(columns[i].value() - 1);
    if (column < stored) {
      out[i] = page.Read(column, slot);
    } else {
      out[i] = columns[i] == kRowIdColumn
                   ? types::Value::Int64(static_cast<int64_t>(row.row_id.value()))
                   : missing_[column];
    }
  }
  return Status::Ok();
}

types::SqlType RelationImpl::TypeOf(ColumnId column) const {
  if (column == kRowIdColumn) return {types::TypeKind::kInt8};
  return definition_->column(column).type;
}

void RelationImpl::ReadWhole(VersionRef ref, types::Row& row) const {
  const rowstore::Page& page = table_->store().page(ref);
  const uint32_t slot = SlotOf(ref);
  const size_t stored = page.layout().columns_count();
  row.resize(physical_.size());
  for (uint32_t i = 0; i < row.size(); ++i) {
    row[i] = i < stored ? page.Read(i, slot) : missing_[i];
  }
}

Result<bool> RelationImpl::IsCurrent(StatementContext& context, const RowRef& row) {
  const TxnId self = context.txn->id();
  EpochGuard guard(table_->epochs());
  VersionRef ref = 0;
  uint64_t mark = 0;
  const RowState state = NewestState(self, row.row_id, &ref, &mark);
  if (state == RowState::kGone || state == RowState::kDead) return false;
  const rowstore::TableStore& store = table_->store();
  const VersionRef head = store.head(row.row_id);
  if (head == row.version) return true;
  // The same version may have moved to a segment, and back as a copy.
  const bool moved = IsFrozen(row.version) ||
                     store.header(row.version).end.load(std::memory_order_acquire) == mvcc::kMoved;
  if (!moved) return false;
  if (IsFrozen(head)) return IsSame(row, head);
  const uint64_t prev = store.header(head).prev.load(std::memory_order_acquire);
  return IsCopy(prev) && IsSame(row, prev);
}

uint64_t RelationImpl::rows_estimate() const { return table_->store().rows_count(); }

Relation::Placement RelationImpl::placement() const {
  Placement placement{rows_estimate(), 0};
  const std::shared_ptr<const RunSet> set = table_->frozen().runs();
  for (const Run& run : set->runs) {
    const uint32_t rows = run.live_rows() - run.masked_rows();
    placement.hot_rows -= std::min<uint64_t>(placement.hot_rows, rows);
    placement.segments += run.live_rows() > 0 ? 1 : 0;
  }
  return placement;
}

ColumnStatistics RelationImpl::statistics(ColumnId column) const {
  const auto i = static_cast<size_t>(column.value() - 1);
  ColumnStatistics statistics = sketches_[i]->Get(rows_estimate());
  // Rows of before ADD COLUMN read the missing value, which no insert has told the sketch of.
  if (definition_->columns[i].missing_value) statistics.has_min_max = false;
  const size_t in_all = std::min(table_->store().columns_min(), table_->frozen().columns_min());
  if (missing_[i].is_null && !definition_->columns[i].not_null && i >= in_all) {
    statistics.may_have_nulls = true;
  }
  return statistics;
}

std::unique_ptr<Relation::Scan> RelationImpl::OpenScan(StatementContext& context,
                                                       ScanOptions options) {
  if (options.order != KeyOrder::kNone) {
    return std::make_unique<KeyScan>(shared_from_this(), context, std::move(options));
  }
  return std::make_unique<TableScan>(shared_from_this(), context, std::move(options));
}

bool RelationImpl::ScansByKeyCheaply() const { return KeyScan::IsCheap(*this); }

Result<uint64_t> RelationImpl::CountRows(StatementContext& context) const {
  return TableScan(shared_from_this(), context, {}).CountRows();
}

Result<std::optional<Relation::ColumnFacts>> RelationImpl::FactsOf(StatementContext& context,
                                                                   ColumnId column) const {
  ScanOptions options;
  options.columns = {column};
  return TableScan(shared_from_this(), context, std::move(options)).FactsOfColumn();
}

RelationImpl::RowState RelationImpl::NewestState(TxnId self, RowId row, VersionRef* ref,
                                                 uint64_t* mark) const {
  using Kind = mvcc::Resolved::Kind;
  const rowstore::TableStore& store = table_->store();
  const uint64_t word = store.row_word(row);
  *ref = HeadOf(word);
  if ((word & kRowGone) != 0 || *ref == 0) return RowState::kGone;
  const mvcc::Resolved begin =
      mvcc::ResolveNow(manager_.txns(), self, BeginOf(*ref), manager_.last_visible());
  if (begin.kind == Kind::kInfinite) {  // Undone: where an older version is the head again, that.
    return store.head(row) == *ref ? RowState::kGone : NewestState(self, row, ref, mark);
  }
  if (begin.kind == Kind::kRunning) {
    *mark = begin.word;
    return RowState::kInDoubt;
  }
  const mvcc::Resolved end =
      mvcc::ResolveNow(manager_.txns(), self, EndOf(*ref), manager_.last_visible());
  switch (end.kind) {
    case Kind::kInfinite:
      return RowState::kLive;
    case Kind::kRunning:
      *mark = end.word;
      return RowState::kInDoubt;
    case Kind::kOwn:
    case Kind::kCommitted:
      break;
  }
  return RowState::kDead;
}

}  // namespace omendb::engine
