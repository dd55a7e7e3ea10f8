// freezer.h - moves settled rows of a table from pages to a segment.
//
// A page is settled when each of its slots is free or holds the only version of a row, which every
// snapshot sees. For a group of settled pages:
//
//   take       the pages from those who allocate slots
//   write      their rows, sorted by key, to a segment: durable, and nobody knows it
//   close      end of each version := kMoved, unless somebody ended it first: then its page stays
//              as it was, and its rows are dead in the segment from the beginning
//   commit     a log record {kFreeze, file, dead rows} with a timestamp like any other. While the
//              commit mutex is held the set of segments gets the new one and the row map words name
//              it, so that checkpoints, which take their moment under it, see all of it or nothing
//   retire     the pages, once every pinned snapshot is from after the commit
//
// Then segments that are worth it are written anew (compactor.h). Pages without rows leave the
// table and are retired in the same way.
//
// A writer that meets a closed version waits, without sleeping, from close to the end of the commit
// mutex: some milliseconds for a full segment.
//
// Crash          Before the record is durable: the rows are where they were; the file is removed at
//                start. After: recovery puts the rows into the segment.
// Thread safety  Any thread; a table is frozen by one at a time (Table::freeze_mu).
// Failure        53100, 58030 while writing: nothing has happened. When the log fails: as commits.
#pragma once

#include <memory>
#include <vector>

#include "base/waiter.h"
#include "engine/compactor.h"
#include "engine/relation_impl.h"
#include "engine/segment_files.h"
#include "engine/table.h"
#include "txn/transaction_manager.h"

namespace omendb::engine {

// Which rows are frozen: by page, all of its rows or none.
struct FreezeSelection {
  // Committed at this timestamp or before; the least one that all snapshots see bounds it too.
  uint64_t settled_by = UINT64_MAX;
  // Not 0: of ranges that are calm for so long from now_ms on (change_rates.h).
  uint64_t calm_for_ms = 0;
  uint64_t now_ms = 0;
  // A segment of fewer rows is not written.
  uint32_t rows_min = 1;
  // So many segments that have a key in common are put in order; 0: none are.
  size_t overlapping_min = 0;
  // How often segments are written anew, several together.
  size_t merges_max = SIZE_MAX;
  // Both may be empty. When `stop` says so that ends; when `pause` does, pages are frozen first.
  Stop stop;
  Stop pause;
};

class Freezer {
 public:
  Freezer(txn::TransactionManager& manager, SegmentFiles& files)
      : manager_(manager), files_(files), compactor_(manager, files) {}
  // Nobody reads any more.
  ~Freezer();

  // Freezes what is settled now of a table that nobody alters: the caller holds a table lock in
  // `lock` (SHARE UPDATE EXCLUSIVE or above).
  // `cancel`, which may be null, ends it between two segments.
  Result<FreezeResult> Freeze(const std::shared_ptr<RelationImpl>& relation,
                              const FreezeSelection& selection, CancelFlag* cancel);
  // Lets go of what is known of segments whose rows are all dead, once no transaction is from
  // before; returns of how many. Not while rows are being frozen: that does it itself at its end.
  size_t HollowSegments(Table& table);
  // Takes pages whose rows are all deleted out of the table.
  Status DropEmptyPages(Table& table);
  // Frees pages whose rows moved or which were empty, and which no snapshot can reach any more.
  // Returns how many.
  size_t FreePages();

 private:
  // Requires: the table's freeze_mu().
  size_t HollowDead(Table& table);
  // One from after all that has been done until now.
  Result<Timestamp> TakeTimestamp();
  struct Group;
  class Switch;
  Result<uint64_t> FreezePages(RelationImpl& relation, const FreezeSelection& selection,
                               CancelFlag* cancel);
  struct Moved {
    Timestamp ts;  // of the freeze or later: older snapshots may look at the pages
    std::shared_ptr<Table> table;
    std::vector<rowstore::Page*> pages;
  };
  // The greatest timestamp that every snapshot sees, now and later.
  uint64_t SeenByAll() const;
  // Takes settled pages from `*page_number` on, until they have a segment's rows.
  void Take(Table& table, uint64_t* page_number, const FreezeSelection& selection,
            Group& group) const;
  // Adds the rows of a page; false when one of them is not calm.
  bool AddRows(Table& table, const rowstore::Page& page, const FreezeSelection& selection,
               Group& group) const;
  Result<uint64_t> FreezeGroup(RelationImpl& relation, Group& group);
  Result<uint64_t> WriteAndCommit(RelationImpl& relation, Group& group);
  Result<std::shared_ptr<const FrozenSegment>> Write(const RelationImpl& relation,
                                                     const Group& group, uint64_t file_id) const;
  Result<uint64_t> Commit(Table& table, Group& group, std::shared_ptr<const FrozenSegment> segment);

  txn::TransactionManager& manager_;
  SegmentFiles& files_;
  const Compactor compactor_;
  Mutex mu_;
  std::vector<Moved> moved_ OMEN_GUARDED_BY(mu_);
};

}  // namespace omendb::engine
