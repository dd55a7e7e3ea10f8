// foreign_key_run.h - one run over what is queued for foreign keys: the snapshot in which rows are
// sought, and the updates of referring rows that ON DELETE and ON UPDATE ask for.
//
// Snapshot       The newest committed rows, and what the transaction has written before. What
//                actions write is seen after RenewSnapshot.
// Updates        The first thousands are made at once. Those that follow, as long as they are of
//                one constraint, are gathered (bulk_update.h), so that rows of segments are
//                replaced where they lie: until FinishUpdates nobody finds them changed. A row that
//                others have changed by then is looked at again, and changed if it still refers to
//                the key, as it is then.
// Thread safety  One thread, the transaction's.
// Errors         Those of Relation::Update and BulkUpdate. After one the statement is undone.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "engine/bulk_update.h"

namespace omendb::engine {

struct ForeignKeyCheck;

class ForeignKeyRun {
 public:
  // Rows that are updated one by one, before others are gathered; less in tests.
  static constexpr uint64_t kOneByOne = 1 << 15;
  static std::atomic<uint64_t> one_by_one;

  // Takes the snapshot. Borrows both.
  ForeignKeyRun(Database& database, StatementContext& context);
  ~ForeignKeyRun();
  ForeignKeyRun(const ForeignKeyRun&) = delete;
  ForeignKeyRun& operator=(const ForeignKeyRun&) = delete;

  Database& database() const { return database_; }
  StatementContext& context() const { return context_; }

  // Finishes the updates first. Versions that were found before may be gone then.
  Status RenewSnapshot();
  // Goes up with each renewal.
  uint64_t snapshots() const { return snapshots_; }
  // Whether actions have written rows that the snapshot does not see.
  bool acted() const { return !changed_.empty(); }
  // The same of rows of this table, by other constraints, or by any.
  bool HasChanged(Oid table, Oid but_by) const;
  bool HasChanged(Oid table) const { return HasChanged(table, Oid()); }
  // Has to be told of each write.
  void NoteChange(Oid table, Oid constraint);
  // The same of tables that the statement itself has changed.
  void NoteTarget(Oid table) { targets_.insert(table); }
  // Whether rows of the table may have been changed more than once since the statement began.
  bool ChangesTwice(Oid table) const;

  // Of a table's columns; 0A000 where a statement has none.
  Result<RowExpressions*> ExpressionsOf(const catalog::TableDef& table);

  // Relation::Update of a referring row that has got new values in columns of the constraint.
  // kDone may come before that is done.
  Result<RowResult> Update(const ForeignKeyCheck& check, const RowRef& seen,
                           std::span<const types::Value> row);
  Status FinishUpdates();

 private:
  void StartUpdates(const ForeignKeyCheck& check);
  // Of a gathered row.
  Result<RowOutcome> UpdateAgain(ForeignKeyCheck& check, const RowRef& seen, RowResult found,
                                 std::span<const types::Value> row);

  Database& database_;
  StatementContext& context_;
  uint64_t snapshots_ = 0;
  using Changes = std::vector<std::pair<Oid, Oid>>;  // table, constraint
  Changes changed_;                                  // since the snapshot was taken
  Changes all_changes_;
  std::set<Oid> targets_;
  std::map<Oid, std::unique_ptr<RowExpressions>> expressions_;
  uint64_t updated_ = 0;
  Oid updating_;  // the constraint of `updates_`
  std::unique_ptr<BulkUpdate> updates_;
  // Rows that were gone when their update was to be made: what they referred to, and have got now.
  struct Vanished {
    types::Row key;
    types::Row values;
  };
  std::vector<Vanished> vanished_;
  types::Arena vanished_arena_;
  std::unique_ptr<ForeignKeyCheck> check_;  // of `updates_`
};

}  // namespace omendb::engine
