// What may be reclaimed, decided on versions made by hand.
#include "engine/garbage_collector.h"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace omendb::engine
