// foreign_keys.h - FOREIGN KEY: what writes queue, and what the end of a statement checks and does.
//
// A write of a row queues events (cheap; nothing for tables without foreign keys). At the end of
// the statement Run() checks them against the newest committed rows: a referring row needs its
// referenced row, which is then locked FOR KEY SHARE until the end of the transaction; a referenced
// row that is gone or has a new key must have no referring row left, or the constraint's action is
// carried out on them (which may queue further events). Deferred constraints wait for the commit.
//
// Why it holds   A referring insert locks the referenced row KEY SHARE, which conflicts with
//                deleting it or changing its key; so whoever comes second waits for the first, and
//                then sees what it committed.
// Thread safety  One queue per transaction, used by its thread.
// Cost           A few bytes for each event (foreign_key_log.h). Where no index has the referring
//                rows of keys that go away, a scan for thousands of them.
// Errors         23503 with PostgreSQL's message, DETAIL and constraint name; 40P01, 55P03, 57014
//                of the locks.
// See            PostgreSQL 15, src/backend/utils/adt/ri_triggers.c for the behaviour.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "engine/database.h"
#include "engine/foreign_key_log.h"
#include "engine/relation.h"

namespace omendb::engine {

struct ForeignKeyCheck;
class ForeignKeyRun;

class ForeignKeyQueue {
 public:
  // Called by Relation after each successful write, with whole rows by ColumnId - 1 (values that
  // are not columns of a key may be anything). Values are copied.
  void OnInsert(const StatementContext& context, const catalog::TableDef& table, const RowRef& row,
                std::span<const types::Value> values);
  void OnUpdate(const StatementContext& context, const catalog::TableDef& table, const RowRef& row,
                std::span<const types::Value> old_values, std::span<const types::Value> new_values);
  // The same of a row that has become another one, `row`: what waits for the old one does so no
  // more.
  void OnMove(const StatementContext& context, const catalog::TableDef& table, const RowRef& row,
              std::span<const types::Value> old_values, std::span<const types::Value> new_values);
  void OnDelete(const StatementContext& context, const catalog::TableDef& table,
                std::span<const types::Value> old_values);
  // Of a row's keys only, those that others refer to.
  void OnReplaced(const StatementContext& context, const catalog::TableDef& table,
                  std::span<const types::Value> old_values,
                  std::span<const types::Value> new_values);
  // While it stands, and if so, rows that are inserted queue nothing: each is another in the place
  // of one with the same foreign keys.
  class Pause {
   public:
    Pause(ForeignKeyQueue& queue, bool pauses) : queue_(queue) { queue_.paused_ = pauses; }
    ~Pause() { queue_.paused_ = false; }
    Pause(const Pause&) = delete;
    Pause& operator=(const Pause&) = delete;

   private:
    ForeignKeyQueue& queue_;
  };

  // Checks what is due, until nothing is.
  Status Run(Database& database, StatementContext& context, bool at_commit);

  // Whether it may take more than some lookups by key.
  bool TakesLong() const { return log_.size() > kShort || log_.may_have_gone_keys(); }

  // SET CONSTRAINTS; empty = all deferrable ones.
  void SetDeferred(const std::vector<Oid>& constraints, bool deferred);

  // Whether checks of earlier statements may wait for rows that this one changes, or a Run is
  // under way.
  bool waits() const { return waits_; }
  // Savepoints: what was queued and set after the mark is forgotten, and what was checked since,
  // having been put off before, is due again.
  struct Mark {
    uint64_t events = 0;
    size_t checked_late = 0;
    std::map<Oid, bool> deferred;
    std::optional<bool> all_deferred;
  };
  Mark SetMark();
  void RollbackTo(const Mark& mark);

  // Whether a write to this table could queue anything: lets Relation skip reading old rows.
  static bool Concerns(const StatementContext& context, const catalog::TableDef& table);
  // Of the table, by whatever foreign key: what OnDelete needs of a row.
  static std::vector<ColumnId> ReferencedColumns(const StatementContext& context,
                                                 const catalog::TableDef& table);

 private:
  // Events: so many lookups are made where the statement runs.
  static constexpr uint64_t kShort = 64;
  // What the last Run has read, and left for the commit or for a savepoint.
  struct PutOff {
    ForeignKeyLog::Reader read;
    bool some = false;  // It waits for the commit; else all is done.
  };
  // An event on its way through Run.
  struct Pending {
    ForeignKeyLog::Event event;
    uint64_t number = 0;
    bool done = false;
    // The referenced row, looked up together with those of other events, in the run's snapshot of
    // this number.
    std::optional<RowRef> ahead;
    std::optional<uint64_t> snapshot;
  };
  // What is at hand of them at once.
  using Window = std::vector<Pending>;
  // One event with the definitions it needs, found in the statement's catalog.
  struct Resolved {
    Oid of;  // the constraint; 0: nothing was sought yet
    std::shared_ptr<const catalog::TableDef> referring;
    std::shared_ptr<const catalog::TableDef> referenced;
    const catalog::ConstraintDef* constraint = nullptr;  // Null: it was dropped.
  };
  struct Running {
    ForeignKeyRun& run;
    bool at_commit;
    uint64_t acts_from;      // Events from this number on are those of actions.
    Resolved resolved = {};  // of the last event
    bool kept = false;       // Some wait for the commit.
  };

  void Queue(const ForeignKeyLog::Subject& subject, const catalog::TableDef& table,
             const std::vector<ColumnId>& columns, const RowRef& row,
             std::span<const types::Value> values, std::span<const types::Value> new_values);
  bool Deferred(const catalog::ConstraintDef& constraint) const;
  // Whether the event is one that its constraint puts off.
  bool MayWait(const ForeignKeyLog::Event& event, const catalog::ConstraintDef& constraint) const;
  static void Resolve(const StatementContext& context, const ForeignKeyLog::Event& event,
                      Resolved& resolved);
  // The next events that are not done; false: there are none.
  bool Fill(ForeignKeyLog::Reader& reader, Window& window) const;
  // Reads the log to its end. `kept`: some wait for the commit.
  Status RunAll(Database& database, StatementContext& context, bool at_commit,
                ForeignKeyLog::Reader& reader, bool& kept);
  Status RunWindow(Running& running, Window& window);
  Status RunEvent(Running& running, Window& window, size_t i);
  // Keys that went away, of this one's constraint, from it on.
  Status RunGone(Running& running, ForeignKeyCheck& check, Window& window, size_t first);
  // Whether rows that refer to the event's new key, by then, may be met by a later event.
  static bool MayChain(const Running& running, const Pending& pending);
  static void NoteTarget(Running& running, const Pending& pending);
  static std::vector<Pending*> GoneTogether(const Running& running, Window& window, size_t first);
  // Finds the referenced rows of event `first` and of those after it with the same constraint.
  static Status LookAhead(ForeignKeyCheck& check, Window& window, size_t first);
  // A referenced key, to be compared.
  static std::string Encoded(const Resolved& resolved, std::span<const types::Value> key);
  void SetDone(Pending& pending);

  ForeignKeyLog log_;
  bool waits_ = false;
  bool paused_ = false;
  std::optional<PutOff> put_off_;  // None when that must be read again.
  std::vector<bool> done_;         // of the log's events, from its first on; may be shorter
  uint64_t marked_ = 0;            // the newest mark
  // Those older than the newest mark that were put off, and have been checked since.
  std::vector<uint64_t> checked_late_;
  std::map<Oid, bool> deferred_;
  std::optional<bool> all_deferred_;
  // Of the key that is being queued.
  std::vector<types::PhysicalType> types_;
  types::Row key_;
  types::Row new_key_;
};

}  // namespace omendb::engine
