// undo.h - what a transaction did, record by record: enough to stamp it at commit, to undo it, and
// to find the garbage it left.
//
// Thread safety  Belongs to its transaction; after commit, to the garbage collector.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/ids.h"
#include "rowstore/table_store.h"

namespace omendb::txn {

class TransactionImpl;
struct UndoRecord;

// The end of many versions at once, as of one.
struct SharedEnd {
  explicit SharedEnd(uint64_t word) : end(word) {}
  std::atomic<uint64_t> end;
};

// What this layer asks of a table; engine's tables implement it.
class VersionedTable {
 public:
  virtual ~VersionedTable() = default;
  virtual rowstore::TableStore& store() = 0;
  // Takes back one record (all kinds but kAction), newest first. The versions must be unreachable
  // from row map and indexes when it returns; it retires them.
  virtual void Undo(const UndoRecord& record) = 0;
  // What the log is told of a kDeleteMask record before its transaction commits.
  virtual void AppendRedo(const UndoRecord& record, std::string& redo) const = 0;
};

// Anything else to take back: catalog edits, new storage.
class UndoAction {
 public:
  virtual ~UndoAction() = default;
  virtual void Undo() = 0;
  // The transaction has committed: marks that it left are replaced by the timestamp.
  virtual void Stamp(Timestamp /*ts*/) {}
};

struct UndoRecord {
  enum class Kind : uint8_t {
    kInsert,       // fresh: the version
    kInsertRange,  // fresh: the first of `count` versions in adjacent slots
    kUpdate,       // old was ended, fresh put in front of it
    kDelete,       // old was ended
    kThaw,         // fresh: the copy of a frozen row that this transaction itself had loaded
    kDeleteMask,   // shared_end: of rows deleted in the segment of `old`, its first row
    kAction,       // action, owned by the transaction
  };
  Kind kind = Kind::kInsert;
  bool keys_changed = false;  // kUpdate: index entries were added
  // Of a run of kUpdate or kDelete: from one change's versions to the next one's. `row` is then the
  // first change's.
  uint16_t fresh_stride = 0;
  uint16_t old_stride = 0;
  uint32_t count = 1;
  VersionedTable* table = nullptr;
  union {
    UndoAction* action = nullptr;  // kAction
    SharedEnd* shared_end;         // kDeleteMask
  };
  RowId row;
  rowstore::VersionRef fresh = 0;
  rowstore::VersionRef old = 0;
  uint64_t redo_position = 0;  // Where the transaction's redo ended before this.

  // Takes in the change that comes next, when its versions lie where the run goes on. A statement
  // that changes many rows leaves few records then.
  bool Extend(const UndoRecord& next);
  // Of a run: change `i` as a record of its own.
  UndoRecord At(uint32_t i) const;
};

// A finished transaction's records, with what keeps their tables alive.
struct Garbage {
  Timestamp committed;
  std::vector<UndoRecord> records;
  std::vector<std::shared_ptr<VersionedTable>> tables;
};

class GarbageSink {
 public:
  virtual ~GarbageSink() = default;
  virtual void Add(Garbage garbage) = 0;
};

}  // namespace omendb::txn
