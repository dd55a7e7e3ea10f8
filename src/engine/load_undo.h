// load_undo.h - what a transaction loaded into segments of one table: stamped when it commits,
// taken back when it is undone.
//
// Thread safety  Belongs to its transaction.
// Cost           Undoing reads every index of the table once: keys are not kept.
#pragma once

#include <memory>
#include <vector>

#include "engine/table.h"
#include "txn/undo.h"

namespace omendb::engine {

class LoadUndo final : public txn::UndoAction {
 public:
  explicit LoadUndo(std::shared_ptr<Table> table) : table_(std::move(table)) {}
  // A segment with rows `first`, first + 1, ...
  void Add(uint64_t segment, RowId first, uint32_t count) {
    loaded_.push_back({segment, first, count});
  }

  void Undo() override;
  void Stamp(Timestamp ts) override;

 private:
  struct Loaded {
    uint64_t segment;
    RowId first;
    uint32_t count;
  };
  bool IsLoaded(RowId row) const;
  void EraseKeys(TableIndex& index) const;

  const std::shared_ptr<Table> table_;
  std::vector<Loaded> loaded_;  // row ids ascend
};

}  // namespace omendb::engine
