// What may be reclaimed, decided on versions made by hand.
#include "engine/garbage_collector.h"

#include <gtest/gtest.h>

#include "engine/engine_fixture.h"

namespace omendb::engine {
namespace {

using rowstore::VersionRef;

// A commit is published before its versions are stamped. If its thread is held up in between,
// others may see such a version, replace it, and hand it over as garbage with its creator's mark
// still on it. It was reclaimed then whatever the pins said, and stamped when its slot was
// another's.
TEST(GarbageCollectorTest, AVersionWithoutItsStampIsKeptForTheSnapshotThatSeesIt) {
  rowstore::MemoryAccount memory(1 << 30);
  EpochManager epochs;
  mvcc::TxnTable txns;
  GarbageCollector garbage(epochs, 0);
  const auto table = std::make_shared<Table>(epochs, memory, Oid(1), /*logged=*/false);
  const types::PhysicalType columns[] = {types::PhysicalType::kInt32};
  const auto layout = table->store().InternLayout(columns);
  const RowId row = table->store().ReserveRows(1);
  const auto write = [&](VersionRef prev, uint64_t begin) {
    const auto slot = table->store().Allocate(layout);
    const types::Value cells[] = {types::Value::Int32(7)};
    table->store().Write(slot, row, prev, cells);
    table->store().header(slot.ref()).begin.store(begin);
    EXPECT_TRUE(table->store().SetHead(row, prev, slot.ref()));
    return slot.ref();
  };
  const TxnId creator = txns.Acquire();
  const VersionRef old = write(0, mvcc::WordOf(creator, 1));
  txns.SetCommitTimestamp(creator, Timestamp(10));
  std::atomic<uint64_t> last_visible{10};
  const TxnId reader = txns.Acquire();
  ASSERT_EQ(txns.Pin(reader, mvcc::TxnTable::kSnapshotPin, last_visible), Timestamp(10));
  const VersionRef fresh = write(old, 11);
  table->store().header(old).end.store(11);
  last_visible = 11;
  txn::UndoRecord update;
  update.kind = txn::UndoRecord::Kind::kUpdate;
  update.table = table.get();
  update.row = row;
  update.fresh = fresh;
  update.old = old;
  garbage.Add({Timestamp(11), {update}, {table}});

  EXPECT_EQ(garbage.Run(txns, last_visible, 1), 0u);
  table->store().header(old).begin.store(10);  // The stamp.
  EXPECT_EQ(garbage.Run(txns, last_visible, 1), 0u);
  EXPECT_EQ(table->store().header(fresh).prev.load(), old);
  txns.Unpin(reader, mvcc::TxnTable::kSnapshotPin);
  EXPECT_EQ(garbage.Run(txns, last_visible, 1), 1u);
  EXPECT_EQ(table->store().header(fresh).prev.load(), 0u);
}

// Pages that are empty leave, whatever scans were at them; what stands between scans is found.
TEST(EmptyPagesTest, MemoryOfDeletedRowsIsFreed) {
  Engine e;
  e.CreateTable({});
  constexpr int32_t kRows = 100'000;
  const auto insert = [&](txn::Transaction& txn, int32_t from) {
    StatementContext context = e.Statement(txn);
    const auto relation = e.Open(context);
    for (int32_t i = from; i < from + kRows; ++i) {
      const types::Value row[] = {Int(i), Int(i), Text("text")};
      ASSERT_TRUE(relation->Insert(context, row).ok());
    }
  };
  auto doomed = e.Begin();
  insert(*doomed, 0);
  // Stands on a page whose rows it does not see, and which will be empty.
  auto reader = e.Begin(txn::IsolationLevel::kRepeatableRead);
  StatementContext context = e.Statement(*reader);
  const auto scan = e.Open(context)->OpenScan(context, {.columns = {ColumnId(1)}});
  const auto worker = scan->NewWorker();
  types::Chunk chunk;
  ASSERT_TRUE(scan->Next(*worker, chunk, nullptr).ok());
  e.db->Abort(*doomed);
  auto txn = e.Begin();
  insert(*txn, kRows);
  ASSERT_TRUE(e.Commit(*txn).ok());
  for (bool more = true; more;) {
    const auto next = scan->Next(*worker, chunk, nullptr);
    ASSERT_TRUE(next.ok());
    EXPECT_EQ(chunk.rows_count, 0u);
    more = *next;
  }
  reader.reset();
  txn = e.Begin();
  StatementContext deleting = e.Statement(*txn);
  const auto relation = e.Open(deleting);
  for (int32_t i = kRows; i < 2 * kRows; ++i) {
    const types::Value key[] = {Int(i)};
    const auto seen = relation->Lookup(deleting, relation->table().primary_key()->oid, key);
    ASSERT_TRUE(seen.ok() && seen->has_value());
    ASSERT_TRUE(relation->Delete(deleting, **seen).ok());
  }
  ASSERT_TRUE(e.Commit(*txn).ok());
  const uint64_t before = e.db->stats().hot_bytes;
  EXPECT_TRUE(Eventually([&] { return e.db->stats().hot_bytes < before / 2; }));
  txn = e.Begin();
  insert(*txn, 0);
  ASSERT_TRUE(e.Commit(*txn).ok());
  txn = e.Begin();
  StatementContext last = e.Statement(*txn);
  EXPECT_EQ(ScanPairs(last, *e.Open(last)).size(), static_cast<size_t>(kRows));
}

}  // namespace
}  // namespace omendb::engine
