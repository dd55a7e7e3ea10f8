// block_tally.h - counts the blocks of segments that bulk scans of one transaction read while it
// stands (EXPLAIN ANALYZE).
//
// Thread safety  Made and destroyed by the transaction's thread, while none of its statements runs.
//                Scans add to it from any thread, each when it ends.
// Ownership      Borrows the transaction, of which it is the only one.
#pragma once

#include <atomic>
#include <memory>

#include "engine/relation.h"

namespace omendb::engine {

class BlockSums {
 public:
  void Add(const Relation::BlockCounts& counts);
  Relation::BlockCounts Get() const;

 private:
  std::atomic<uint64_t> read_{0}, loaded_{0}, skipped_{0};
};

class BlockTally {
 public:
  explicit BlockTally(txn::Transaction& txn);
  ~BlockTally();
  BlockTally(const BlockTally&) = delete;
  BlockTally& operator=(const BlockTally&) = delete;

  // Of the scans that have ended.
  Relation::BlockCounts counts() const { return sums_->Get(); }

 private:
  txn::Transaction& txn_;
  const std::shared_ptr<BlockSums> sums_;
};

}  // namespace omendb::engine
