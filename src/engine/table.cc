#include "engine/table.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/check.h"

namespace omendb::engine {

using rowstore::FrozenSegmentOf;
using rowstore::HeadOf;
using rowstore::IsFrozen;
using rowstore::kReinserted;
using rowstore::kRowGone;
using rowstore::OlderOf;
using rowstore::SlotOf;
using rowstore::VersionRef;
using txn::UndoRecord;

std::shared_ptr<const Indexes> Table::indexes() const {
  MutexLock lock(mu_);
  return indexes_;
}

std::shared_ptr<TableIndex> Table::FindIndex(Oid storage) const {
  for (const auto list = indexes(); const auto& index : *list) {
    if (index->storage() == storage) return index;
  }
  return nullptr;
}

void Table::AddIndex(std::shared_ptr<TableIndex> index) {
  MutexLock lock(mu_);
  auto next = std::make_shared<Indexes>(*indexes_);
  next->push_back(std::move(index));
  indexes_ = std::move(next);
}

void Table::DropIndex(Oid storage) {
  MutexLock lock(mu_);
  auto next = std::make_shared<Indexes>(*indexes_);
  std::erase_if(*next, [&](const auto& index) { return index->storage() == storage; });
  indexes_ = std::move(next);
}

TableIndex* Table::RowMapOf(const Indexes& indexes) {
  for (const auto& index : indexes) {
    if (index->is_row_map()) return index.get();
  }
  return nullptr;
}

namespace {

std::array<char, 8> BytesOf(uint64_t int_key) {
  std::array<char, 8> bytes;
  StoreBe<uint64_t>(bytes.data(), int_key);
  return bytes;
}

std::string_view ViewOf(const std::array<char, 8>& bytes) { return {bytes.data(), bytes.size()}; }

}  // namespace

Result<std::optional<RowId>> Table::FindRow(const TableIndex& primary, std::string_view key) const {
  const std::optional<RowId> found = primary.FindRow(key);
  if (found || primary.frozen_keys().empty()) return found;
  return FindFrozenRow(primary, key);
}

Result<std::optional<RowId>> Table::FindFrozenRow(const TableIndex& primary,
                                                  std::string_view key) const {
  const FrozenKeys& segments = primary.frozen_keys();
  for (;;) {
    const uint64_t moves = segments.moves();
    OMEN_ASSIGN(std::optional<RowId> found, segments.Find(store_, key));
    if (!found) found = primary.FindRow(key);  // Come back since the caller looked there.
    if (found || segments.moves() == moves) return found;
  }
}

Result<std::optional<RowId>> Table::FindRow(TableIndex& primary, uint64_t int_key) const {
  const auto found = primary.ints().Lookup(int_key);
  if (found) [[likely]]
    return std::optional(RowId(*found));
  if (primary.frozen_keys().empty()) return std::optional<RowId>();
  return FindFrozenRow(primary, ViewOf(BytesOf(int_key)));
}

Result<std::optional<RowId>> Table::EnterRow(TableIndex& primary, std::string_view key, RowId row) {
  const uint64_t moves = primary.frozen_keys().moves();
  if (!primary.frozen_keys().empty()) {
    OMEN_ASSIGN(const std::optional<RowId> found, primary.frozen_keys().Find(store_, key));
    if (found) return found;
  }
  if (const std::optional<RowId> there = primary.InsertRow(key, row)) return there;
  if (primary.frozen_keys().moves() == moves) [[likely]]
    return std::optional<RowId>();
  // The same key may have left the index between the two looks.
  Result<std::optional<RowId>> found = primary.frozen_keys().Find(store_, key);
  if (!found.ok() || *found) primary.EraseRow(key, row);
  return found;
}

Result<std::optional<RowId>> Table::EnterRow(TableIndex& primary, uint64_t int_key, RowId row) {
  return EnterRow(primary, ViewOf(BytesOf(int_key)), row);
}

Status Table::KeyOf(const TableIndex& index, VersionRef ref, std::string& key) const {
  if (!IsFrozen(ref)) {
    index.KeyOfVersion(store_.page(ref), SlotOf(ref), key);
    return Status::Ok();
  }
  const std::span<const ColumnId> columns = index.key_columns();
  types::Arena arena;
  types::Row values(columns.size());
  OMEN_TRY(frozen_.Read(
      ref, columns, [&](size_t i) { return index.missing_key_value(i); }, arena, values.data()));
  index.KeyOfValues(values, key);
  return Status::Ok();
}

void Table::Undo(const UndoRecord& record) {
  EpochGuard guard(epochs_);
  switch (record.kind) {
    case UndoRecord::Kind::kInsert:
      UndoInsert(record, record.fresh);
      Retire({record.fresh});
      break;
    case UndoRecord::Kind::kInsertRange: {
      std::vector<VersionRef> refs;
      for (uint32_t i = record.count; i-- > 0;) {
        UndoInsert(record, record.fresh + i);
        refs.push_back(record.fresh + i);
      }
      Retire(std::move(refs));
      break;
    }
    case UndoRecord::Kind::kUpdate: {
      std::vector<VersionRef> refs;
      for (uint32_t i = record.count; i-- > 0;) {
        const UndoRecord one = record.At(i);
        UndoUpdate(one);
        refs.push_back(one.fresh);
      }
      Retire(std::move(refs));
      break;
    }
    case UndoRecord::Kind::kDelete:
      for (uint32_t i = record.count; i-- > 0;) Revive(record.At(i).old);
      store_.AddRows(record.count);
      break;
    case UndoRecord::Kind::kThaw:
      UndoThaw(record);
      Retire({record.fresh});
      break;
    case UndoRecord::Kind::kDeleteMask: {
      auto& mask = static_cast<DeleteMask&>(*record.shared_end);
      frozen_.DropMask(FrozenSegmentOf(record.old), mask);
      if (mask.replacement() == nullptr) store_.AddRows(mask.count());
      break;
    }
    case UndoRecord::Kind::kAction:
      break;
  }
}

void Table::Revive(VersionRef old) {
  rowstore::Page& page = store_.page(old);
  page.header(SlotOf(old)).end.store(mvcc::kInfinity, std::memory_order_seq_cst);
  page.Touch();
}

void Table::UndoInsert(const UndoRecord& /*record*/, VersionRef fresh) {
  rowstore::VersionHeader& header = store_.header(fresh);
  const RowId row(header.row_id);
  if (row.value() == 0) return;  // Allocated for a bulk insert that failed before this row.
  {
    MutexLock lock(row_stripe(row));
    const VersionRef older = OlderOf(header.prev.load(std::memory_order_acquire));
    const bool unlinked = store_.SetHead(row, fresh, older != 0 ? older : kRowGone);
    if (!unlinked) {
      // Never became the head: the index had the key already.
      header.begin.store(mvcc::kInfinity, std::memory_order_release);
      return;
    }
    EraseEntries(row, fresh);
    if (older == 0) EraseRow(row, fresh);
  }
  header.begin.store(mvcc::kInfinity, std::memory_order_release);
  store_.AddRows(-1);
}

void Table::UndoUpdate(const UndoRecord& record) {
  rowstore::VersionHeader& fresh = store_.header(record.fresh);
  if (record.keys_changed) {
    MutexLock lock(row_stripe(record.row));
    OMEN_CHECK(store_.SetHead(record.row, record.fresh, record.old));
    EraseEntries(record.row, record.fresh);
  } else {
    OMEN_CHECK(store_.SetHead(record.row, record.fresh, record.old));
  }
  Revive(record.old);
  fresh.begin.store(mvcc::kInfinity, std::memory_order_release);
}

void Table::UndoThaw(const UndoRecord& record) {
  rowstore::VersionHeader& fresh = store_.header(record.fresh);
  frozen_.Refreeze(store_, record.row, record.fresh,
                   fresh.prev.load(std::memory_order_acquire) & ~kReinserted);
  fresh.begin.store(mvcc::kInfinity, std::memory_order_release);
}

void Table::EraseEntries(RowId row, VersionRef gone) {
  const auto list = indexes();
  std::string key;
  for (const auto& index : *list) {
    if (index->is_row_map()) continue;
    index->KeyOfVersion(store_.page(gone), SlotOf(gone), key);
    EraseEntry(*index, key, row);
  }
}

// Of a replaced row whose transaction has not ended: the entry comes with its list, or never.
// (Entering takes the row's stripe, and begins when the transaction has ended: who holds the stripe
// and sees a mark comes before.)
bool Table::IsPacked(const TableIndex& index, VersionRef ref) const {
  if (!IsFrozen(ref) || index.packed().empty()) return false;
  const uint64_t begin = frozen_.SegmentOf(ref).begin().load(std::memory_order_acquire);
  return mvcc::IsTxnWord(begin) && index.packed().Has(FrozenSegmentOf(ref));
}

// An entry that stays without need is harmless; one that goes missing is not. Who undoes the
// replacing of a row makes the old version its head again, without the stripe; who has begun at the
// new one gets to the old one nevertheless, as long as his guard is held (ReplaceUndo). And who
// freezes a page lets go of it at once where no snapshot needs it: then the row has moved since its
// version was found here, and may have the key.
bool Table::HasKey(const TableIndex& index, std::string_view key, RowId row) const {
  std::string other;
  for (VersionRef ref = store_.head(row); ref != 0;) {
    if (IsFrozen(ref)) {
      const bool tells = !IsPacked(index, ref);
      if (tells && (!KeyOf(index, ref, other).ok() || other == key)) return true;
      ref = frozen_.OlderOf(ref);
      continue;
    }
    const rowstore::Page* const page = store_.page_at(rowstore::PageOf(ref));
    if (page == nullptr) return true;
    index.KeyOfVersion(*page, SlotOf(ref), other);
    if (other == key) return true;
    const uint64_t prev = page->header(SlotOf(ref)).prev.load(std::memory_order_acquire);
    ref = rowstore::IsCopy(prev) ? frozen_.OlderOf(prev) : OlderOf(prev);
  }
  return false;
}

void Table::EraseEntry(TableIndex& index, std::string_view key, RowId row) {
  if (!HasKey(index, key, row)) index.EraseEntry(key, row);
}

void Table::EraseRow(RowId row, VersionRef gone) {
  const auto list = indexes();
  TableIndex* row_map = RowMapOf(*list);
  if (row_map == nullptr) return;
  std::string key;
  row_map->KeyOfVersion(store_.page(gone), SlotOf(gone), key);
  row_map->EraseRow(key, row);
}

void Table::Unlink(RowId row, VersionRef old, bool same_keys) {
  rowstore::VersionHeader& gone = store_.header(old);
  MutexLock lock(row_stripe(row));
  for (;;) {
    const uint64_t older = gone.prev.load(std::memory_order_acquire);
    const VersionRef next = OlderThan(old);
    VersionRef ref = store_.head(row);
    if (ref == old) {
      // Fails when the key is being inserted again: then `old` is no longer the head.
      if (!store_.SetHead(row, old, next != 0 ? next : kRowGone)) continue;
      EraseEntries(row, old);
      if (next == 0) EraseRow(row, old);
      return;
    }
    while (ref != 0 && !IsFrozen(ref)) {
      rowstore::VersionHeader& header = store_.header(ref);
      const uint64_t prev = header.prev.load(std::memory_order_acquire);
      if ((prev & ~kReinserted) == old) {
        const bool reinserted = ((prev | older) & kReinserted) != 0;
        header.prev.store(rowstore::PrevOf(next, reinserted), std::memory_order_release);
        if (!same_keys) EraseEntries(row, old);
        return;
      }
      ref = OlderOf(prev);
    }
    return;  // Not in the chain: cannot happen, and would be harmless.
  }
}

void Table::Retire(std::vector<VersionRef> refs) {
  struct Batch {
    std::shared_ptr<Table> table;
    std::vector<VersionRef> refs;
  };
  const size_t bytes = refs.size() * 128;
  auto batch = std::make_unique<Batch>(Batch{shared_from_this(), std::move(refs)});
  epochs_.Retire(
      batch.release(),
      [](void* object, void*) {
        std::unique_ptr<Batch> owned(static_cast<Batch*>(object));
        owned->table->store_.Free(owned->refs);
      },
      nullptr, bytes);
}

void Table::RetirePage(rowstore::Page& page) {
  struct Batch {
    std::shared_ptr<Table> table;
    rowstore::Page* page;
  };
  store_.DropPage(page);
  auto batch = std::make_unique<Batch>(Batch{shared_from_this(), &page});
  epochs_.Retire(
      batch.release(),
      [](void* object, void*) {
        std::unique_ptr<Batch> owned(static_cast<Batch*>(object));
        owned->table->store_.DestroyPage(owned->page);
      },
      nullptr, page.bytes());
}

}  // namespace omendb::engine
