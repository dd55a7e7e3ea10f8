#include "txn/undo.h"

namespace omendb::txn {
namespace {

using rowstore::PageOf;
using rowstore::VersionRef;

// Whether `next` follows version `last` of a run of `count` from `first` on, which this settles the
// stride of when the run has but one.
bool Follows(VersionRef first, uint32_t count, VersionRef next, uint16_t& stride) {
  if (first == 0 || next == 0) return first == next;
  if (PageOf(next) != PageOf(first) || next <= first) return false;
  if (count > 1) return next == first + uint64_t{count} * stride;
  stride = static_cast<uint16_t>(next - first);  // Slots of a page are few.
  return true;
}

}  // namespace

bool UndoRecord::Extend(const UndoRecord& next) {
  if (kind != Kind::kUpdate && kind != Kind::kDelete) return false;
  if (next.kind != kind || next.table != table || next.keys_changed != keys_changed) return false;
  uint16_t fresh_step = fresh_stride;
  uint16_t old_step = old_stride;
  if (!Follows(fresh, count, next.fresh, fresh_step)) return false;
  if (!Follows(old, count, next.old, old_step)) return false;
  fresh_stride = fresh_step;
  old_stride = old_step;
  ++count;
  return true;
}

UndoRecord UndoRecord::At(uint32_t i) const {
  UndoRecord one = *this;
  one.count = 1;
  one.old += uint64_t{i} * old_stride;
  if (fresh != 0) one.fresh += uint64_t{i} * fresh_stride;
  if (i > 0) one.row = RowId(table->store().header(one.old).row_id);
  return one;
}

}  // namespace omendb::txn
