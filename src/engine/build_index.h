// build_index.h - fills indexes from the rows that are there: CREATE INDEX and the end of recovery.
//
// Thread safety  No writer may be at work on the table.
#pragma once

#include <memory>

#include "engine/key_budget.h"
#include "engine/relation_impl.h"

namespace omendb::engine {

// Who waits for an index; both may be null.
struct BuildWatch {
  CommandProgress* progress = nullptr;
  CancelFlag* cancel = nullptr;
};

// The index over the rows that `snapshot` sees; where their entries would not fit into its share of
// the memory, those of frozen rows in runs. On a duplicate of a unique key among what is entered:
// the row is told in `duplicate`, and nullptr returned; where there are runs, the caller looks for
// others (RelationImpl::FindRepeatedKey). Errors: those of segments, 57014 when it is cancelled.
Result<std::shared_ptr<TableIndex>> BuildTableIndex(const KeyBudget& budget, Table& table,
                                                    const catalog::TableDef& definition,
                                                    const catalog::IndexDef& index,
                                                    const mvcc::TxnTable& txns,
                                                    const mvcc::Snapshot& snapshot,
                                                    RowRef* duplicate, const BuildWatch& watch);

// Tells `sketches`, one for each column, of the rows of a segment.
Status AddSegmentStatistics(const FrozenSegment& segment, const catalog::TableDef& definition,
                            const Sketches& sketches);

// After recovery, when every version in the table is committed: all indexes and statistics. Of
// frozen rows nothing is read for an index whose keys are found in segments or runs.
// `no_transactions` is a table in which none runs: large, so one serves all.
Status RebuildTable(const KeyBudget& budget, Table& table, const catalog::TableDef& definition,
                    const mvcc::TxnTable& no_transactions);

}  // namespace omendb::engine
