// recovery.h - brings the newest checkpoint and the log after it back into memory.
//
// Only committed work is in the checkpoint, and of the log only transactions whose commit record is
// there are applied, in commit order. So nothing is ever undone. Indexes are built at the end, in
// bulk.
//
// Damage         A segment of which header, footer or row ids cannot be read keeps its table from
//                being read, and nothing else: its other rows are brought back for who wants them.
//
// Thread safety  One thread, before anybody else uses the database.
// Errors         XX001 for damage of anything else, naming file and offset.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "catalog/snapshot.h"
#include "engine/checkpoint.h"
#include "engine/durable_counters.h"
#include "engine/key_budget.h"
#include "engine/manifest.h"
#include "engine/segment_files.h"
#include "engine/storages.h"
#include "wal/log_reader.h"

namespace omendb::engine {

class Recovery final : public CheckpointSink {
 public:
  Recovery(Storages& storages, DurableCounters& counters, SegmentFiles& segments,
           const KeyBudget& key_budget);

  Status LoadCheckpoint(env::Env& env, const std::string& path, const Manifest& manifest);
  // Applies the log; `end` becomes where a writer continues.
  Status ReplayLog(env::Env& env, const std::string& dir, const Manifest& manifest, Lsn* end);
  // Drops what must not survive a restart and builds indexes and statistics.
  Status Finish();

  const std::shared_ptr<const catalog::CatalogSnapshot>& catalog() const { return catalog_; }
  Timestamp last_commit() const { return last_commit_; }
  uint64_t transactions() const { return transactions_; }
  // Every segment file that was read, those of dropped tables included: a recovery that starts
  // again from the same checkpoint needs them.
  const std::set<uint64_t>& segment_files() const { return segment_files_; }
  // Tables that lack a segment, by storage. After Finish.
  struct Damage {
    Status status;          // of the first file that could not be read
    bool has_rest = false;  // The other rows are there.
  };
  const std::map<Oid, Damage>& damages() const { return damages_; }

  // CheckpointSink
  Status OnCatalog(const std::vector<catalog::CatalogChange>& objects) override;
  Status OnSequence(std::string_view record) override;
  Status OnSegment(Oid storage, uint64_t file_id, std::string_view dead) override;
  Status OnRows(Oid storage, uint64_t count, std::string_view images) override;

 private:
  struct Target {
    std::shared_ptr<Table> table;
    std::vector<types::PhysicalType> columns;
    std::shared_ptr<const rowstore::Layout> layout;
    Status damage;
  };
  Status ApplyCatalog(const std::vector<catalog::CatalogChange>& changes);
  Status ApplyRecord(const wal::Record& record, Timestamp checkpoint_ts);
  Status ApplyCommit(std::string_view payload, Timestamp checkpoint_ts);
  Status ApplyRedo(std::string_view redo, Timestamp ts);
  Status ApplyOperation(uint8_t op, Target& target, std::string_view payload, Timestamp ts);
  // The file cannot be read: its table cannot, from now on. Other errors are returned.
  static Status NoteDamage(Target& target, const Status& status);
  Status Rebuild(const catalog::TableDef& definition, const mvcc::TxnTable& no_transactions);
  // Adds a segment to the table; its rows must be there already, or none of them may be.
  Status AddSegment(Target& target, uint64_t file_id, ByteReader& dead, bool rows_are_there);
  static void RestoreNewRows(rowstore::TableStore& store, const std::vector<RowId>& rows,
                             const std::vector<bool>& live, uint64_t segment);
  // Rows of a segment are gone, those of them that lie there still.
  static Status DeleteMasked(Target& target, uint64_t file_id, ByteReader& runs);
  // A row is about to be put or deleted: if it is frozen, its segment has it no more.
  static void LeaveSegment(Table& table, RowId row);
  Target* TargetOf(Oid storage);

  Storages& storages_;
  DurableCounters& counters_;
  SegmentFiles& segments_;
  const KeyBudget& key_budget_;
  std::set<uint64_t> segment_files_;
  std::map<Oid, Damage> damages_;
  std::shared_ptr<const catalog::CatalogSnapshot> catalog_;
  std::map<Oid, Target> targets_;
  Target* last_target_ = nullptr;  // Rows of one table come in runs.
  Oid last_storage_;
  std::map<uint64_t, std::string> streams_;  // changes of transactions not committed yet
  // Of these, those whose first changes come before where the log is read from: the transaction had
  // ended by the time of the checkpoint.
  std::set<uint64_t> headless_;
  Timestamp checkpoint_ts_;
  Timestamp last_commit_{1};
  uint64_t transactions_ = 0;
  types::Row row_;
};

}  // namespace omendb::engine
