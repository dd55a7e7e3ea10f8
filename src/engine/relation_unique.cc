// Whether an index that was just made has a key twice.
#include <algorithm>

#include "base/sqlstate.h"
#include "engine/entry_cursor.h"
#include "engine/relation_impl.h"

namespace omendb::engine {

// Entries of one key lie side by side, so each is compared with the one before; only where they are
// the same it is seen whether rows have it.
Result<std::optional<RowRef>> RelationImpl::FindRepeatedKey(StatementContext& context,
                                                            const TableIndex& index) {
  constexpr uint64_t kCancelEntries = 4096;  // Between two looks at the flag.
  const mvcc::Snapshot& snapshot = context.txn->snapshot();
  EntryCursor cursor(index, index.BoundsOf({}), /*backward=*/false);
  std::string key;
  RowId holder;             // the first row with an entry of the key that may have it
  bool has_holder = false;  // it does have it
  bool conflicts = true;
  RowId row;
  std::string_view entry;
  for (uint64_t visited = 1;; ++visited) {
    OMEN_ASSIGN(const bool more, cursor.Next(&row, &entry));
    if (!more) return std::optional<RowRef>();
    if (visited % kCancelEntries == 0 && context.cancel != nullptr && context.cancel->set()) {
      return context.cancel->ToStatus();
    }
    if (holder == RowId() || entry != key) {
      key = entry;
      holder = row;
      has_holder = false;
      conflicts = true;
      continue;
    }
    if (!conflicts) continue;
    EpochGuard guard(table_->epochs());
    if (!has_holder) {
      OMEN_ASSIGN(const auto held, VersionWithKey(snapshot, index, holder, key));
      has_holder = held.has_value();
      if (!has_holder) {
        holder = row;
        continue;
      }
      OMEN_ASSIGN(conflicts, KeyConflicts(index, *held));
      if (!conflicts) continue;
    }
    OMEN_ASSIGN(const auto repeated, VersionWithKey(snapshot, index, row, key));
    if (repeated) return repeated;
  }
}

Result<bool> RelationImpl::KeyConflicts(const TableIndex& index, const RowRef& row) {
  types::Arena arena;
  types::Row values(physical_.size(), types::Value::Null());
  for (const ColumnId column : index.key_columns()) {
    OMEN_TRY(Read(row, {&column, 1}, arena, &values[static_cast<size_t>(column.value() - 1)]));
  }
  return index.Conflicts(values);
}

}  // namespace omendb::engine
