// replace_undo.h - the segments in which a transaction replaced rows of segments of one table:
// stamped when it commits; when it is undone, the old versions are their rows' heads again.
//
// Order          The masks of the old versions are made after this, so they are taken back before:
//                meanwhile the new versions have the transaction's mark, and others wait.
// Thread safety  Belongs to its transaction.
// Cost           8 bytes for each row whose id does not follow the one before, until the end of the
//                transaction: undoing must not need to read.
#pragma once

#include <memory>
#include <vector>

#include "engine/segment_batch.h"
#include "engine/table.h"
#include "txn/undo.h"

namespace omendb::engine {

class ReplaceUndo final : public txn::UndoAction {
 public:
  explicit ReplaceUndo(std::shared_ptr<Table> table) : table_(std::move(table)) {}
  void Add(uint64_t segment, const SegmentBatch& batch);

  void Undo() override;
  void Stamp(Timestamp ts) override;

 private:
  struct Replacing {
    uint64_t segment;
    uint32_t count;
    RowId first;
    std::vector<RowId> ids;  // none: first, first + 1, ...
    RowId id(uint32_t row) const { return ids.empty() ? RowId(first.value() + row) : ids[row]; }
  };
  void Restore(const Replacing& replacing);
  void ForgetOlder(uint64_t segment) const;

  const std::shared_ptr<Table> table_;
  std::vector<Replacing> replacing_;
};

}  // namespace omendb::engine
