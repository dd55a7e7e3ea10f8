// engine_transaction.h - what the engine keeps with a transaction: its catalog edit, its pending
// foreign-key work, its masks of deleted rows, and who counts the blocks that it reads.
//
// Thread safety  As the transaction: one thread at a time.
#pragma once

#include <memory>
#include <optional>

#include "catalog/snapshot.h"
#include "engine/foreign_keys.h"
#include "engine/masked_deletes.h"
#include "txn/transaction_impl.h"

namespace omendb::engine {

class BlockSums;

class EngineTransaction final : public txn::TransactionExtension {
 public:
  explicit EngineTransaction(txn::TransactionImpl& txn);

  static EngineTransaction& Of(txn::Transaction& txn) {
    auto& impl = static_cast<txn::TransactionImpl&>(txn);
    if (!impl.extension()) impl.extension() = std::make_unique<EngineTransaction>(impl);
    return static_cast<EngineTransaction&>(*impl.extension());
  }
  // Null when the transaction has no such state yet.
  static EngineTransaction* Find(const txn::Transaction& txn) {
    auto& impl = const_cast<txn::TransactionImpl&>(static_cast<const txn::TransactionImpl&>(txn));
    return static_cast<EngineTransaction*>(impl.extension().get());
  }

  void OnMark() override;
  bool has_writes() const override { return edit_ != nullptr && !edit_->empty(); }

  catalog::CatalogEdit* edit() { return edit_.get(); }
  catalog::CatalogEdit& Edit(const std::shared_ptr<const catalog::CatalogSnapshot>& base);
  // For an edit without changes: starts it from `base`.
  Status Rebase(const std::shared_ptr<const catalog::CatalogSnapshot>& base) {
    base_ = base;
    return edit_->Rebase(base);
  }
  ForeignKeyQueue& foreign_keys() { return foreign_keys_; }
  const ForeignKeyQueue& foreign_keys() const { return foreign_keys_; }
  MaskedDeletes& masked_deletes() { return masked_deletes_; }
  // What bulk scans add the blocks to that they read; null: nobody asks.
  const std::shared_ptr<BlockSums>& block_sums() const { return block_sums_; }
  void set_block_sums(std::shared_ptr<BlockSums> sums) { block_sums_ = std::move(sums); }

 private:
  class Rollback;
  txn::TransactionImpl& txn_;
  std::shared_ptr<const catalog::CatalogSnapshot> base_;  // of the edit
  std::unique_ptr<catalog::CatalogEdit> edit_;
  ForeignKeyQueue foreign_keys_;
  MaskedDeletes masked_deletes_;
  std::shared_ptr<BlockSums> block_sums_;
};

}  // namespace omendb::engine
