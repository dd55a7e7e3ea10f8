// Rows of a segment that were deleted or replaced together leave the table together.
#include "base/check.h"
#include "catalog/column_ids.h"
#include "engine/frozen_scan.h"
#include "engine/redo.h"
#include "engine/table.h"

namespace omendb::engine {

using rowstore::FrozenRowOf;
using rowstore::FrozenSegmentOf;
using rowstore::IsFrozen;
using rowstore::kRowGone;
using rowstore::MakeFrozenRef;
using rowstore::OlderOf;
using rowstore::VersionRef;

namespace {

// The segment with these rows only.
Run OnlyRowsOf(const Run& run, const DeleteMask& mask) {
  DeadRows wanted(run.segment->rows());
  mask.AddTo(wanted);
  Run only{run.segment, std::make_shared<DeadRows>(run.segment->rows()), nullptr};
  for (uint32_t row = 0; row < run.segment->rows(); ++row) {
    if (!wanted.Has(row)) only.dead->Add(row);
  }
  return only;
}

// Those in which replaced rows may have got other keys.
Indexes ChangedIndexes(const Indexes& indexes, const Replacement& replacement) {
  Indexes changed;
  for (const auto& index : indexes) {
    if (index->is_row_map()) continue;
    if (catalog::HaveCommon(index->key_columns(), replacement.changed)) changed.push_back(index);
  }
  return changed;
}

// The columns that the keys of all indexes have.
class KeyColumns {
 public:
  explicit KeyColumns(const Indexes& indexes) {
    for (const auto& index : indexes) {
      Part& part = parts_.emplace_back(Part{index.get(), columns_.size()});
      for (const ColumnId column : index->key_columns()) columns_.push_back(column);
      part.values.resize(columns_.size() - part.first);
    }
  }
  std::span<const ColumnId> columns() const { return columns_; }

  using Keys = std::vector<std::pair<TableIndex*, std::string>>;
  void ReadKeys(const FrozenScan& scan, const types::Chunk& chunk, uint32_t row, Keys& keys) {
    keys.resize(parts_.size());
    for (size_t p = 0; p < parts_.size(); ++p) {
      Part& part = parts_[p];
      for (size_t i = 0; i < part.values.size(); ++i) {
        const int32_t from = scan.chunk_column(part.first + i);
        part.values[i] = from < 0 ? part.index->missing_key_value(i)
                                  : chunk.columns[static_cast<size_t>(from)].Get(row);
      }
      keys[p].first = part.index;
      part.index->KeyOfValues(part.values, keys[p].second);
    }
  }

 private:
  struct Part {
    TableIndex* index;
    size_t first;  // of columns_
    types::Row values = {};
  };
  std::vector<ColumnId> columns_;
  std::vector<Part> parts_;
};

}  // namespace

void Table::AppendRedo(const txn::UndoRecord& record, std::string& redo) const {
  const auto& mask = static_cast<const DeleteMask&>(*record.shared_end);
  // Where they are replaced, the segment that replaces them says so (RedoOp::kFreeze).
  if (!logged_ || mask.count() == 0 || mask.replacement() != nullptr) return;
  std::string runs;
  mask.Serialize(runs);
  AppendSegment(RedoOp::kDeleteMask, storage_, frozen_.SegmentOf(record.old).file_id(), runs, redo);
}

Status Table::SettleMask(uint64_t segment, const DeleteMask& mask) {
  if (mask.count() > 0) OMEN_TRY(UnlinkRows(segment, mask, *indexes()));
  frozen_.SettleMask(segment, mask);
  struct Settled {
    std::shared_ptr<Table> table;
    uint64_t segment;
    const DeleteMask& mask;
  };
  epochs_.Retire(
      new Settled{shared_from_this(), segment, mask},
      [](void* object, void*) {
        const std::unique_ptr<Settled> settled(static_cast<Settled*>(object));
        settled->table->frozen_.Unlist(settled->segment, settled->mask);
      },
      nullptr, mask.memory_bytes());
  return Status::Ok();
}

Status Table::UnlinkRows(uint64_t segment, const DeleteMask& mask, const Indexes& indexes) {
  const std::shared_ptr<const RunSet> set = frozen_.runs();
  const Run only = OnlyRowsOf(set->runs[segment], mask);
  const bool replaced = mask.replacement() != nullptr;
  KeyColumns key_columns(replaced ? ChangedIndexes(indexes, *mask.replacement()) : indexes);
  const std::span<const ColumnId> columns = key_columns.columns();
  FrozenScan scan(only, {.columns = {columns.begin(), columns.end()}, .with_refs = true});
  const auto worker = scan.NewWorker();
  types::Chunk chunk;
  KeyColumns::Keys keys;
  for (;;) {
    OMEN_ASSIGN(const bool more, scan.Next(*worker, chunk));
    if (!more) return Status::Ok();
    EpochGuard guard(epochs_);
    for (uint32_t i = 0; i < chunk.rows_count; ++i) {
      const VersionRef old = MakeFrozenRef(segment, worker->row_at(i));
      key_columns.ReadKeys(scan, chunk, i, keys);
      if (replaced) {
        OMEN_TRY(UnlinkReplaced(scan.row_id(chunk, i), old, indexes, keys));
      } else {
        UnlinkFrozen(scan.row_id(chunk, i), old, keys);
      }
    }
  }
}

bool Table::LeavesReplaced(RowId row, VersionRef old) {
  MutexLock lock(row_stripe(row));
  VersionRef newer = 0;
  for (VersionRef ref = store_.head(row); ref != old; ref = OlderThan(ref)) {
    if (ref == 0) return true;  // Frozen again since: nobody gets from there to what was before.
    newer = ref;
  }
  if (newer == 0) return false;
  if (!IsFrozen(newer)) {
    newer = store_.header(newer).prev.load(std::memory_order_acquire);
    if (!rowstore::IsCopy(newer)) return false;
  }
  frozen_.SegmentOf(newer).SetOlder(FrozenRowOf(newer), 0);
  return true;
}

// Where its successor went before it, the keys that both had are its to take away.
Status Table::UnlinkReplaced(RowId row, VersionRef old, const Indexes& indexes,
                             const Keys& changed) {
  if (LeavesReplaced(row, old)) {
    if (changed.empty()) return Status::Ok();
    MutexLock lock(row_stripe(row));
    for (const auto& [index, key] : changed) EraseEntry(*index, key, row);
    return Status::Ok();
  }
  KeyColumns::Keys keys;
  for (const auto& index : indexes) {
    keys.emplace_back(index.get(), std::string());
    OMEN_TRY(KeyOf(*index, old, keys.back().second));
  }
  UnlinkFrozen(row, old, keys);
  return Status::Ok();
}

void Table::UnlinkFrozen(RowId row, VersionRef old,
                         std::span<const std::pair<TableIndex*, std::string>> keys) {
  MutexLock lock(row_stripe(row));
  // Its key may be inserted again at the same time: then it is no longer the head.
  store_.SetHead(row, old, kRowGone);
  const bool gone = store_.head(row) == 0;
  for (VersionRef ref = store_.head(row); ref != 0 && !IsFrozen(ref);) {
    std::atomic<uint64_t>& prev = store_.header(ref).prev;
    ref = OlderOf(prev.load(std::memory_order_acquire));
    if (ref == old) prev.store(0, std::memory_order_release);
  }
  for (const auto& [index, key] : keys) {
    if (!index->is_row_map()) {
      EraseEntry(*index, key, row);
    } else if (gone) {
      index->EraseRow(key, row);
    }
  }
}

}  // namespace omendb::engine
