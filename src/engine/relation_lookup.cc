// Rows by a full key of a unique index, one or many at a time.
#include <algorithm>
#include <array>

#include "base/check.h"
#include "base/sqlstate.h"
#include "engine/relation_impl.h"

namespace omendb::engine {
namespace {

using rowstore::IsFrozen;
using rowstore::VersionRef;

bool AnyNull(std::span<const types::Value> key) {
  return std::any_of(key.begin(), key.end(), [](const types::Value& v) { return v.is_null; });
}

}  // namespace

Result<std::optional<RowRef>> RelationImpl::Lookup(StatementContext& context, Oid index,
                                                   std::span<const types::Value> key) {
  const Access* access = FindAccess(index);
  if (access == nullptr) return Status(sqlstate::kInternalError, "no such index");
  if (AnyNull(key)) return std::optional<RowRef>();
  const mvcc::Snapshot& snapshot = context.txn->snapshot();
  TableIndex& storage = *access->index;
  EpochGuard guard(table_->epochs());
  if (storage.is_row_map()) {
    std::optional<RowId> row;
    if (storage.shape() == TableIndex::Shape::kRowByInt) {
      OMEN_ASSIGN(row, table_->FindRow(storage, storage.IntKeyOf(key[0])));
    } else {
      std::string bytes;
      storage.KeyOfValues(key, bytes);
      OMEN_ASSIGN(row, table_->FindRow(storage, std::string_view(bytes)));
    }
    if (!row) return std::optional<RowRef>();
    return VisibleRow(snapshot, storage, *row, key);
  }
  std::string bytes;
  storage.KeyOfValues(key, bytes);
  std::vector<RowId> rows;
  OMEN_TRY(storage.FindEntries(bytes, rows));
  return FirstWithKey(snapshot, storage, rows, bytes);
}

Result<std::optional<RowRef>> RelationImpl::VisibleRow(const mvcc::Snapshot& snapshot,
                                                       const TableIndex& index, RowId row,
                                                       std::span<const types::Value> key) const {
  const RowRef found{row, VisibleVersion(snapshot, row)};
  if (found.version == 0) return std::optional<RowRef>();
  if (!MayLackKey(index, found)) [[likely]]
    return std::optional<RowRef>(found);
  std::string bytes;
  index.KeyOfValues(key, bytes);
  return VersionWithKey(snapshot, index, row, bytes);
}

Result<std::optional<RowRef>> RelationImpl::FirstWithKey(const mvcc::Snapshot& snapshot,
                                                         const TableIndex& index,
                                                         std::span<const RowId> rows,
                                                         std::string_view key) const {
  for (const RowId row : rows) {
    OMEN_ASSIGN(const std::optional<RowRef> found, VersionWithKey(snapshot, index, row, key));
    if (found) return found;
  }
  return std::optional<RowRef>();
}

Result<std::optional<RowRef>> RelationImpl::VersionWithKey(const mvcc::Snapshot& snapshot,
                                                           const TableIndex& index, RowId row,
                                                           std::string_view key) const {
  const VersionRef version = VisibleVersion(snapshot, row);
  if (version == 0) return std::optional<RowRef>();
  std::string actual;
  OMEN_TRY(table_->KeyOf(index, version, actual));
  if (actual != key) return std::optional<RowRef>();
  return std::optional<RowRef>(RowRef{row, version});
}

void RelationImpl::PrefetchHeads(std::span<const RowId> rows) const {
  const rowstore::TableStore& store = table_->store();
  for (const RowId row : rows) {
    if (row != RowId()) __builtin_prefetch(store.word_address(row));
  }
  for (const RowId row : rows) {
    const VersionRef head = row != RowId() ? store.head(row) : 0;
    if (head != 0 && !IsFrozen(head)) __builtin_prefetch(&store.header(head));
  }
}

Status RelationImpl::LookupBatch(StatementContext& context, Oid index,
                                 std::span<const types::Value> keys,
                                 std::span<std::optional<RowRef>> found) {
  if (found.size() == 1) {
    OMEN_ASSIGN(found[0], Lookup(context, index, keys));
    return Status::Ok();
  }
  const Access* access = FindAccess(index);
  if (access == nullptr) return Status(sqlstate::kInternalError, "no such index");
  const TableIndex& storage = *access->index;
  const size_t width = storage.keys_count();
  OMEN_CHECK(keys.size() == found.size() * width);
  const mvcc::Snapshot& snapshot = context.txn->snapshot();
  for (size_t at = 0; at < found.size(); at += TableIndex::kBatchMax) {
    if (context.cancel != nullptr && context.cancel->set()) return context.cancel->ToStatus();
    const size_t count = std::min(TableIndex::kBatchMax, found.size() - at);
    const auto some_keys = keys.subspan(at * width, count * width);
    const auto some_found = found.subspan(at, count);
    EpochGuard guard(table_->epochs());
    if (storage.is_row_map()) {
      OMEN_TRY(LookupRows(snapshot, storage, some_keys, some_found));
    } else {
      OMEN_TRY(LookupEntries(snapshot, storage, some_keys, some_found));
    }
  }
  return Status::Ok();
}

Status RelationImpl::LookupRows(const mvcc::Snapshot& snapshot, const TableIndex& index,
                                std::span<const types::Value> keys,
                                std::span<std::optional<RowRef>> found) const {
  std::array<RowId, TableIndex::kBatchMax> rows;
  index.FindRows(keys, {rows.data(), found.size()});
  OMEN_TRY(FindFrozenRows(index, keys, {rows.data(), found.size()}));
  PrefetchHeads({rows.data(), found.size()});
  const size_t width = index.keys_count();
  for (size_t i = 0; i < found.size(); ++i) {
    found[i].reset();
    if (rows[i] == RowId()) continue;
    OMEN_ASSIGN(found[i], VisibleRow(snapshot, index, rows[i], keys.subspan(i * width, width)));
  }
  return Status::Ok();
}

Status RelationImpl::FindFrozenRows(const TableIndex& index, std::span<const types::Value> keys,
                                    std::span<RowId> rows) const {
  if (index.frozen_keys().empty()) return Status::Ok();
  const size_t width = index.keys_count();
  std::string bytes;
  for (size_t i = 0; i < rows.size(); ++i) {
    const auto key = keys.subspan(i * width, width);
    if (rows[i] != RowId() || AnyNull(key)) continue;
    index.KeyOfValues(key, bytes);
    OMEN_ASSIGN(const std::optional<RowId> found, table_->FindFrozenRow(index, bytes));
    if (found) rows[i] = *found;
  }
  return Status::Ok();
}

Status RelationImpl::LookupEntries(const mvcc::Snapshot& snapshot, const TableIndex& index,
                                   std::span<const types::Value> keys,
                                   std::span<std::optional<RowRef>> found) const {
  const size_t width = index.keys_count();
  const TableIndex::KeyBatch batch = index.KeysOfValues(keys);
  index.WarmEntries(batch);
  std::vector<RowId> rows;
  std::array<size_t, TableIndex::kBatchMax> ends;  // of each key's in `rows`
  for (size_t i = 0; i < found.size(); ++i) {
    if (!AnyNull(keys.subspan(i * width, width))) {
      OMEN_TRY(index.FindEntries(batch.key(i), rows));
    }
    ends[i] = rows.size();
  }
  PrefetchHeads(rows);
  for (size_t i = 0; i < found.size(); ++i) {
    const size_t begin = i == 0 ? 0 : ends[i - 1];
    const std::span<const RowId> candidates(rows.data() + begin, ends[i] - begin);
    OMEN_ASSIGN(found[i], FirstWithKey(snapshot, index, candidates, batch.key(i)));
  }
  return Status::Ok();
}

}  // namespace omendb::engine
