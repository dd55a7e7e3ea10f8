// garbage_collector.h - takes away versions that no snapshot can see.
//
// Every committed update and delete hands over the versions it ended. A version [begin, end) is
// garbage when no pinned timestamp lies in it; otherwise it waits for the greatest such pin to go,
// and is not looked at before. So one old snapshot keeps one version of each row, and costs nothing
// more. Rows of a segment that were deleted together are one such version; what is to be done for
// them takes long, and is done for few segments in each pass, as is entering what is packed of the
// keys of rows that replaced others (packed_entries.h). A commit is published before its
// versions are stamped: a version that still has its creator's mark waits for the next pass, as
// nothing is known of its begin, and the stamp must not meet a slot that has been given away.
//
// Thread safety  Add: any thread. Run: one thread (the engine's maintenance thread).
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <vector>

#include "base/epoch.h"
#include "base/mutex.h"
#include "engine/table.h"
#include "mvcc/txn_table.h"
#include "txn/undo.h"

namespace omendb::engine {

class GarbageCollector final : public txn::GarbageSink {
 public:
  // `change_half_life_ms`: of the tables' change rates; 0 = they are not kept.
  GarbageCollector(EpochManager& epochs, uint64_t change_half_life_ms)
      : epochs_(epochs), change_half_life_ms_(change_half_life_ms) {}

  void Add(txn::Garbage garbage) override;
  // One pass. Returns how many versions were unlinked.
  size_t Run(const mvcc::TxnTable& txns, const std::atomic<uint64_t>& last_visible,
             uint64_t now_ms);
  uint64_t reclaimed() const { return reclaimed_.load(std::memory_order_relaxed); }
  uint64_t waiting() const { return waiting_.load(std::memory_order_relaxed); }

 private:
  struct Item {
    std::shared_ptr<Table> table;
    RowId row;
    rowstore::VersionRef version;
    bool same_keys;
    const DeleteMask* mask = nullptr;  // not null: all its rows, in the segment of `version`
  };
  // Begin and end.
  static std::pair<uint64_t, uint64_t> LifeOf(const Item& item);
  void AddGarbage(const txn::UndoRecord& record, uint64_t now_ms,
                  const std::vector<uint64_t>& pins);
  void SettleSome();
  void EnterPacked();
  void Collect(Item item, const std::vector<uint64_t>& pins);
  void FlushRetired();

  EpochManager& epochs_;
  const uint64_t change_half_life_ms_;
  Mutex mu_;
  std::vector<txn::Garbage> queue_ OMEN_GUARDED_BY(mu_);
  // ---- The maintenance thread's ----
  std::map<uint64_t, std::vector<Item>> blocked_;  // by the pin that keeps them
  std::vector<Item> unstamped_;
  std::deque<Item> settling_;                // masks that no snapshot needs
  std::set<std::shared_ptr<Table>> packed_;  // with entries that are to be entered
  std::map<std::shared_ptr<Table>, std::vector<rowstore::VersionRef>> retired_;
  std::atomic<uint64_t> reclaimed_{0};
  std::atomic<uint64_t> waiting_{0};
};

}  // namespace omendb::engine
