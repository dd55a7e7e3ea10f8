#include "engine/block_tally.h"

#include "engine/engine_transaction.h"

namespace omendb::engine {

void BlockSums::Add(const Relation::BlockCounts& counts) {
  read_.fetch_add(counts.read, std::memory_order_relaxed);
  loaded_.fetch_add(counts.loaded, std::memory_order_relaxed);
  skipped_.fetch_add(counts.skipped, std::memory_order_relaxed);
}

Relation::BlockCounts BlockSums::Get() const {
  return {read_.load(std::memory_order_relaxed), loaded_.load(std::memory_order_relaxed),
          skipped_.load(std::memory_order_relaxed)};
}

BlockTally::BlockTally(txn::Transaction& txn) : txn_(txn), sums_(std::make_shared<BlockSums>()) {
  EngineTransaction::Of(txn_).set_block_sums(sums_);
}

BlockTally::~BlockTally() { EngineTransaction::Of(txn_).set_block_sums(nullptr); }

}  // namespace omendb::engine
