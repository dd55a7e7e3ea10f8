#include "engine/engine_transaction.h"

namespace omendb::engine {

class EngineTransaction::Rollback final : public txn::UndoAction {
 public:
  explicit Rollback(EngineTransaction& owner)
      : owner_(owner), foreign_keys_(owner.foreign_keys_.SetMark()) {
    if (owner.edit_) mark_ = owner.edit_->mark();
  }
  void Undo() override {
    owner_.foreign_keys_.RollbackTo(foreign_keys_);
    if (owner_.edit_ == nullptr) return;
    if (mark_) {
      owner_.edit_->RollbackTo(*mark_);
    } else if (!owner_.edit_->empty()) {
      owner_.edit_->RollbackTo({owner_.base_, 0});
    }
  }

 private:
  EngineTransaction& owner_;
  const ForeignKeyQueue::Mark foreign_keys_;
  std::optional<catalog::CatalogEdit::Mark> mark_;
};

EngineTransaction::EngineTransaction(txn::TransactionImpl& txn) : txn_(txn) {
  txn_.AddUndoAction(std::make_unique<Rollback>(*this));
}

void EngineTransaction::OnMark() { txn_.AddUndoAction(std::make_unique<Rollback>(*this)); }

catalog::CatalogEdit& EngineTransaction::Edit(
    const std::shared_ptr<const catalog::CatalogSnapshot>& base) {
  if (edit_ == nullptr) {
    base_ = base;
    edit_ = std::make_unique<catalog::CatalogEdit>(base);
  }
  return *edit_;
}

}  // namespace omendb::engine
