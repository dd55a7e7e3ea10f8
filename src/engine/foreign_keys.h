// foreign_keys.h - FOREIGN KEY: what writes queue, and what the end of a statement checks and does.
//
// A write of a row queues events (cheap; nothing for tables without foreign keys). At the end of
// the statement Run() checks them against the newest committed rows: a referring row needs its
// referenced row, which is then locked FOR KEY SHARE until the end of the transaction; a referenced
// row that is gone or has a new key must have no referring row left, or the constraint's action is
// carried out on them (which may queue further events). Deferred constraints wait for the commit.
//
// Why it holds   A referring insert locks the referenced row KEY SHARE, which conflicts with
// deleting
//                it or changing its key; so whoever comes second waits for the first, and then sees
//                what it committed.
// Thread safety  One queue per transaction, used by its thread.
// Errors         23503 with PostgreSQL's message, DETAIL and constraint name; 40P01, 55P03, 57014
// of
//                the locks.
// See            PostgreSQL 15, src/backend/utils/adt/ri_triggers.c for the behaviour.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <span>
#include <vector>

#include "engine/database.h"
#include "engine/relation.h"

namespace omendb::engine {

struct ForeignKeyCheck;

class ForeignKeyQueue {
 public:
  // Called by Relation after each successful write, with whole rows by ColumnId - 1 (values that
  // are not columns of a key may be anything). Values are copied.
  void OnInsert(const StatementContext& context, const catalog::TableDef& table, const RowRef& row,
                std::span<const types::Value> values);
  void OnUpdate(const StatementContext& context, const catalog::TableDef& table, const RowRef& row,
                std::span<const types::Value> old_values, std::span<const types::Value> new_values);
  void OnDelete(const StatementContext& context, const catalog::TableDef& table,
                std::span<const types::Value> old_values);

  // Checks what is due, until nothing is.
  Status Run(Database& database, StatementContext& context, bool at_commit);

  // SET CONSTRAINTS; empty = all deferrable ones.
  void SetDeferred(const std::vector<Oid>& constraints, bool deferred);

  bool empty() const { return events_.empty(); }
  size_t mark() const { return events_.size(); }
  // Savepoints: forgets events queued after the mark.
  void RollbackTo(size_t mark);

  // Whether a write to this table could queue anything: lets Relation skip reading old rows.
  static bool Concerns(const StatementContext& context, const catalog::TableDef& table);

 private:
  struct Event {
    bool referencing = true;  // A referring row came or changed; else a referenced key went away.
    Oid constraint;
    Oid referring_table;
    Oid referenced_table;
    RowRef row;                         // referencing: the new version
    std::vector<types::Value> key;      // of the constraint's columns: new (referencing) or old
    std::vector<types::Value> new_key;  // referenced key's replacement; empty = deleted
    bool done = false;
    // The referenced row, looked up together with those of other events; of no use once its lookup
    // is not the queue's lookups_.
    std::optional<RowRef> ahead;
    uint64_t lookup = 0;
  };
  // One event with the definitions it needs, found in the statement's catalog.
  struct Resolved {
    std::shared_ptr<const catalog::TableDef> referring;
    std::shared_ptr<const catalog::TableDef> referenced;
    const catalog::ConstraintDef* constraint = nullptr;
  };

  std::vector<types::Value> CopyKey(const catalog::TableDef& table,
                                    const std::vector<ColumnId>& columns,
                                    std::span<const types::Value> row);
  bool Deferred(const catalog::ConstraintDef& constraint) const;
  static bool Resolve(const StatementContext& context, const Event& event, Resolved& resolved);
  Status RunEvent(Database& database, StatementContext& context, size_t i,
                  const Resolved& resolved);
  // Finds the referenced rows of event `first` and of those after it with the same constraint.
  Status LookAhead(ForeignKeyCheck& check, size_t first);

  std::vector<Event> events_;
  types::Arena arena_;    // owns the keys' strings
  uint64_t lookups_ = 0;  // goes up with each snapshot in which rows are looked up
  std::map<Oid, bool> deferred_;
  std::optional<bool> all_deferred_;
};

}  // namespace omendb::engine
