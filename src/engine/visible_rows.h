// visible_rows.h - every row of a table at one snapshot, once: those in pages, then those in
// segments.
//
// Thread safety  As a scan: beside writers, with the snapshot pinned by the caller. Recovery:
// alone.
#pragma once

#include <utility>

#include "base/epoch.h"
#include "engine/frozen_scan.h"
#include "engine/table.h"
#include "mvcc/visibility.h"

namespace omendb::engine {

// The page of this number when a scan of `runs` must look at it; else null. It stays while the
// caller's snapshot is pinned.
inline rowstore::Page* HotPage(Table& table, const RunSet& runs, uint64_t number) {
  EpochGuard guard(table.epochs());
  rowstore::Page* page = table.store().page_at(number);
  return page == nullptr || runs.HasPage(*page) ? nullptr : page;
}

// visit(page, slot) -> Status, for each visible row that does not lie in `runs`. `runs` must have
// been taken after the snapshot was.
template <typename Visit>
Status ForEachHotRow(Table& table, const RunSet& runs, const mvcc::TxnTable& txns,
                     const mvcc::Snapshot& snapshot, const Visit& visit) {
  const uint64_t pages = table.store().pages_count();
  for (uint64_t number = 1; number <= pages; ++number) {
    const rowstore::Page* page = HotPage(table, runs, number);
    if (page == nullptr) continue;
    const uint32_t used = page->used();
    for (uint32_t slot = 0; slot < used; ++slot) {
      const rowstore::VersionHeader& header = page->header(slot);
      if (!mvcc::IsVisible(txns, snapshot, header.begin, header.end)) continue;
      if (runs.HidesCopy(header)) continue;
      OMEN_TRY(visit(*page, slot));
    }
  }
  return Status::Ok();
}

// visit(row id, version, row) -> Status, for each row of `runs` that is not dead. The row has a
// value for each of `columns`, valid during the call; `missing(i)` is what columns[i] reads in
// segments without it.
template <typename Missing, typename Visit>
Status ForEachFrozenRow(const RunSet& runs, std::span<const ColumnId> columns,
                        const Missing& missing, const Visit& visit) {
  types::Row row(columns.size());
  types::Chunk chunk;
  const Relation::ScanOptions wanted{.columns = {columns.begin(), columns.end()},
                                     .with_refs = true};
  for (size_t number = 0; number < runs.runs.size(); ++number) {
    if (runs.runs[number].live_rows() == 0) continue;
    FrozenScan scan(runs.runs[number], wanted);
    const auto worker = scan.NewWorker();
    for (;;) {
      OMEN_ASSIGN(const bool more, scan.Next(*worker, chunk));
      if (!more) break;
      for (uint32_t i = 0; i < chunk.rows_count; ++i) {
        for (size_t c = 0; c < columns.size(); ++c) {
          const int32_t from = scan.chunk_column(c);
          row[c] = from < 0 ? missing(c) : chunk.columns[static_cast<size_t>(from)].Get(i);
        }
        OMEN_TRY(
            visit(scan.row_id(chunk, i), rowstore::MakeFrozenRef(number, worker->row_at(i)), row));
      }
    }
  }
  return Status::Ok();
}

}  // namespace omendb::engine
