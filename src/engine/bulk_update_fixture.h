// bulk_update_fixture.h - what the tests of rows that are replaced in segments share.
#pragma once

#include <gtest/gtest.h>

#include "base/sqlstate.h"
#include "engine/bulk_update.h"
#include "engine/masked_deletes.h"
#include "engine/segments_fixture.h"

namespace omendb::engine {

using txn::IsolationLevel;
using txn::LockWait;
using txn::RowLockMode;
inline constexpr auto kRc = IsolationLevel::kReadCommitted;
inline constexpr auto kRr = IsolationLevel::kRepeatableRead;
inline constexpr ColumnId kColumns[] = {ColumnId(1), ColumnId(2), ColumnId(3)};
inline constexpr BulkUpdate::Limits kSmallSegments{
    .rows_min = 1, .rest_min = 1, .segment_rows = 1000};

class BulkUpdateTest : public MasksTest {
 protected:
  void Fill(Engine& e, int32_t rows, size_t keys = 1) {
    spec_.keys = keys;
    MasksTest::Fill(e, rows, spec_);
  }
  // One statement: adds to v of these rows, as the statement sees them.
  Result<RowOutcome> Add(Engine& e, StatementContext& context, int32_t from, int32_t to, int32_t by,
                         int32_t step = 1, BulkUpdate::Limits limits = kSmallSegments,
                         std::span<const ColumnId> changed = {&kColumns[1], 1}) {
    auto relation = e.Open(context);
    BulkUpdate updates(context, relation, changed, limits);
    const auto has_id = [&](int32_t id) {
      return id >= from && id < to && (id - from) % step == 0;
    };
    auto scan = relation->OpenScan(
        context, {.columns = {kColumns[0], kColumns[1], kColumns[2]}, .with_refs = true});
    auto worker = scan->NewWorker();
    types::Chunk chunk;
    std::vector<RowRef> refs;
    for (;;) {
      OMEN_ASSIGN(const bool more, scan->Next(*worker, chunk, &refs));
      if (!more) break;
      for (uint32_t i = 0; i < chunk.rows_count; ++i) {
        types::Value row[] = {chunk.columns[0].Get(i), chunk.columns[1].Get(i),
                              chunk.columns[2].Get(i)};
        if (!has_id(row[0].i32)) continue;
        row[1] = Int(row[1].i32 + by);
        OMEN_ASSIGN(const RowResult result, updates.Update(refs[i], row));
        if (result.outcome != RowOutcome::kDone) return result.outcome;
      }
    }
    return updates.Finish();
  }
  void Add(Engine& e, txn::Transaction& txn, int32_t from, int32_t to, int32_t by,
           int32_t step = 1) {
    StatementContext context = e.Statement(txn);
    const auto done = Add(e, context, from, to, by, step);
    ASSERT_TRUE(done.ok()) << done.status().ToString();
    ASSERT_EQ(*done, RowOutcome::kDone);
  }
  void AddAndCommit(Engine& e, int32_t from, int32_t to, int32_t by, int32_t step = 1) {
    auto txn = e.Begin();
    Add(e, *txn, from, to, by, step);
    ASSERT_TRUE(e.Commit(*txn).ok());
    Add(expected_, from, to, by, step);
  }
  static void Add(Pairs& pairs, int32_t from, int32_t to, int32_t by, int32_t step = 1) {
    for (int32_t i = from; i < to; i += step) pairs[i] += by;
  }
  // Until nothing is left of so many versions.
  static bool Reclaimed(Engine& e, uint64_t versions) {
    return Eventually([&] { return e.db->stats().versions_reclaimed >= versions; });
  }

  TableSpec spec_{.secondary = {{2}}};  // An index has the texts.
};

}  // namespace omendb::engine
