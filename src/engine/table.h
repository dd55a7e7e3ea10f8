// table.h - the storage of one table: its row versions, its indexes, and what keeps them consistent
// when versions are undone or collected.
//
// Index entries  Added by the writer of a version after it became the row's head. Taken away when
//                no version of the row has the key any more. Both happen under the row's stripe
//                when the row is not new, so that an entry cannot be taken away behind the back of
//                a writer that has just found it there.
// Thread safety  Any thread.
// Lock order     row stripe, key stripe, then the leaves of rowstore and index.
// Ownership      Shared by relations, transactions that touched it, and the garbage collector.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <set>
#include <vector>

#include "base/epoch.h"
#include "base/mutex.h"
#include "engine/change_rates.h"
#include "engine/frozen_table.h"
#include "engine/statistics.h"
#include "engine/table_index.h"
#include "rowstore/table_store.h"
#include "txn/undo.h"

namespace omendb::engine {

// Asked by long work now and then: whether to end.
using Stop = std::function<bool()>;

using Indexes = std::vector<std::shared_ptr<TableIndex>>;

class Table final : public txn::VersionedTable, public std::enable_shared_from_this<Table> {
 public:
  Table(EpochManager& epochs, rowstore::MemoryAccount& memory, Oid storage, bool logged)
      : epochs_(epochs), storage_(storage), logged_(logged), store_(memory), frozen_(epochs) {}

  Oid storage() const { return storage_; }
  // False for temporary tables: their rows never reach the log or a checkpoint.
  bool logged() const { return logged_; }
  rowstore::TableStore& store() override { return store_; }
  // The rows that lie in segments.
  FrozenTable& frozen() { return frozen_; }
  const FrozenTable& frozen() const { return frozen_; }
  TableStatistics& statistics() { return statistics_; }
  ChangeRates& change_rates() { return change_rates_; }
  EpochManager& epochs() const { return epochs_; }
  // Held while rows move to segments, or from one to another.
  Mutex& freeze_mu() { return freeze_mu_; }

  // The indexes now; a list once given never changes, and stays as long as it is held (a loop over
  // *indexes() does not hold it).
  std::shared_ptr<const Indexes> indexes() const;
  std::shared_ptr<TableIndex> FindIndex(Oid storage) const;
  void AddIndex(std::shared_ptr<TableIndex> index);
  void DropIndex(Oid storage);
  // The index of the primary key, which decides row ids; null when there is none.
  static TableIndex* RowMapOf(const Indexes& indexes);

  // ---- Rows by primary key ---------------------------------------------------------------------
  // In the index or in a segment; `primary` is RowMapOf. The row may be dead or in doubt.
  Result<std::optional<RowId>> FindRow(const TableIndex& primary, std::string_view key) const;
  Result<std::optional<RowId>> FindRow(TableIndex& primary, uint64_t int_key) const;
  // When the index has no such key, or had none a moment ago.
  Result<std::optional<RowId>> FindFrozenRow(const TableIndex& primary, std::string_view key) const;
  // The row already there, or nullopt when entered.
  Result<std::optional<RowId>> EnterRow(TableIndex& primary, std::string_view key, RowId row);
  Result<std::optional<RowId>> EnterRow(TableIndex& primary, uint64_t int_key, RowId row);

  Mutex& row_stripe(RowId row) { return row_stripes_[row.value() % kStripes].mu; }
  Mutex& key_stripe(size_t hash) { return key_stripes_[hash % kStripes].mu; }

  // The older version of a row than this one, hot or frozen; 0: none. The caller holds an epoch
  // guard.
  rowstore::VersionRef OlderThan(rowstore::VersionRef ref) const {
    if (rowstore::IsFrozen(ref)) return frozen_.OlderOf(ref);
    const uint64_t prev = store_.header(ref).prev.load(std::memory_order_acquire);
    return rowstore::IsCopy(prev) ? frozen_.OlderOf(prev) : rowstore::OlderOf(prev);
  }
  // The key of a version, hot or frozen. Errors: those of segments.
  Status KeyOf(const TableIndex& index, rowstore::VersionRef ref, std::string& key) const;

  void Undo(const txn::UndoRecord& record) override;
  void AppendRedo(const txn::UndoRecord& record, std::string& redo) const override;
  // Unlinks version `old` of the row, which no snapshot can see, and what it had in the indexes.
  // The caller retires it. `same_keys`: its successor has its keys.
  void Unlink(RowId row, rowstore::VersionRef old, bool same_keys);
  // The same for all rows of a mask of a segment that has no older versions (has_older); then
  // settles the mask. Errors: those of the segment; it can be tried again.
  Status SettleMask(uint64_t segment, const DeleteMask& mask);
  // Enters packed entries of up to so many segments whose rows are committed and have no older
  // versions, and drops their lists. Whether any lists are left. One thread at a time.
  bool EnterPacked(size_t segments_max);
  // Enters the entries of a run, which is still listed, that a version of their row has; but of
  // rows that lie in a segment with another listed run. Errors: those of the run; 57014 when `stop`
  // says so, which is asked now and then.
  Status EnterRun(TableIndex& index, const IndexRuns::Listed& listed, const Stop& stop);
  // Frees versions once no epoch guard can reach them.
  void Retire(std::vector<rowstore::VersionRef> refs);
  // The same for a page taken from the store, all of whose rows have moved away.
  void RetirePage(rowstore::Page& page);

 private:
  static constexpr size_t kStripes = 64;
  struct alignas(64) Stripe {
    Mutex mu;
  };
  void UndoInsert(const txn::UndoRecord& record, rowstore::VersionRef fresh);
  void UndoUpdate(const txn::UndoRecord& record);
  void UndoThaw(const txn::UndoRecord& record);
  void Revive(rowstore::VersionRef old);
  Status UnlinkRows(uint64_t segment, const DeleteMask& mask, const Indexes& indexes);
  using Keys = std::vector<std::pair<TableIndex*, std::string>>;
  // Of a version that was replaced by one with its keys, but for these.
  Status UnlinkReplaced(RowId row, rowstore::VersionRef old, const Indexes& indexes,
                        const Keys& changed);
  // Whether the version that replaced it is still there, which forgets it then.
  bool LeavesReplaced(RowId row, rowstore::VersionRef old);
  void UnlinkFrozen(RowId row, rowstore::VersionRef old,
                    std::span<const std::pair<TableIndex*, std::string>> keys);
  // Whether the index needs no entry of the version, as a packed one is there.
  bool IsPacked(const TableIndex& index, rowstore::VersionRef ref) const;
  // Whether a version of the row has the key and needs an entry; what cannot be read does.
  // Requires: the row's stripe, and an epoch guard.
  bool HasKey(const TableIndex& index, std::string_view key, RowId row) const;
  void EnterPackedOf(TableIndex& index, uint64_t segment, const PackedEntries& entries);
  // Where entries come from: segments, by number, whose rows have theirs there, ascending; and
  // others whose rows have theirs in a run that is listed.
  struct EntrySource {
    std::vector<uint64_t> own;
    std::set<uint64_t> elsewhere;
  };
  void EnterEntry(TableIndex& index, const EntrySource& source, std::string_view key, RowId row);
  // Erases an entry unless a version of the row has its key.
  void EraseEntry(TableIndex& index, std::string_view key, RowId row);
  // Erases the entries of a version that is no longer in the row's chain.
  void EraseEntries(RowId row, rowstore::VersionRef gone);
  void EraseRow(RowId row, rowstore::VersionRef gone);

  EpochManager& epochs_;
  const Oid storage_;
  const bool logged_;
  rowstore::TableStore store_;
  FrozenTable frozen_;
  TableStatistics statistics_;
  ChangeRates change_rates_;
  mutable Mutex mu_;
  std::shared_ptr<const Indexes> indexes_ OMEN_GUARDED_BY(mu_) = std::make_shared<Indexes>();
  Mutex freeze_mu_;
  std::array<Stripe, kStripes> row_stripes_;
  std::array<Stripe, kStripes> key_stripes_;
};

}  // namespace omendb::engine
