// foreign_key_check.h - one foreign key against one key; internal to the engine.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/foreign_key_run.h"
#include "engine/relation.h"

namespace omendb::engine {

struct ForeignKeyCheck {
  ForeignKeyRun& run;
  const catalog::ConstraintDef& constraint;  // of `referring`
  std::shared_ptr<const catalog::TableDef> referring;
  std::shared_ptr<const catalog::TableDef> referenced;

  // The referring row `row` was written with `key`: its referenced row must be there. `ahead`: what
  // FindReferenced found for the key, if it was asked.
  Status CheckReferring(const RowRef& row, std::span<const types::Value> key,
                        const std::optional<RowRef>& ahead);
  // Looks many referenced rows up together; `keys` are those of CheckReferring, one after the
  // other. What it does not find, CheckReferring looks for again.
  Status FindReferenced(std::span<const types::Value> keys, std::span<std::optional<RowRef>> found);
  // What FindReferring found for a key, in the run's snapshot of this number, since when only this
  // constraint has done anything.
  struct Found {
    std::vector<RowRef> rows;
    uint64_t snapshot;
  };
  // A referenced key was deleted (`new_key` empty) or replaced: checks or carries out the action.
  // `found`: if FindReferring was asked.
  Status ReferencedGone(std::span<const types::Value> key, std::span<const types::Value> new_key,
                        const Found* found = nullptr);
  // Whether each key that is gone takes a scan of the referring table.
  bool ScansForReferring() const;
  // The rows that refer to each of these keys, by one scan; `keys` are those of ReferencedGone, one
  // after the other.
  Status FindReferring(std::span<const types::Value> keys, std::span<Found> found);

  // ---- For ForeignKeyRun -----------------------------------------------------------------------
  // Whether the referring row has these values in these columns.
  Result<bool> ValuesAre(const RowRef& row, const std::vector<ColumnId>& columns,
                         std::span<const types::Value> values);
  // A referring row with other values in these columns, and what is generated from them.
  Result<types::Row> WithValues(const RowRef& row, const std::vector<ColumnId>& columns,
                                std::span<const types::Value> values, types::Arena& arena);
  // Gives rows that have this key, as the referring table has it, other values, one by one.
  Status UpdateReferringTo(std::span<const types::Value> key, std::span<const types::Value> values);

 private:
  // One key that went away, and what is done about it.
  struct Gone {
    std::span<const types::Value> key;
    const Found* found = nullptr;
    types::Row referring_key = {};  // as the referring table has it, once its rows were sought
    types::Arena arena = {};        // of that
    // Others have deleted a referring row, or given it another primary key.
    bool look_again = false;
  };
  StatementContext& context() const { return run.context(); }
  std::shared_ptr<Relation> OpenReferring() const;
  Result<std::vector<RowRef>> ReferringRows(Gone& gone);
  Status ForEachReferring(Gone& gone, const std::function<Status(const RowRef&)>& act);
  Status CheckNotReferenced(Gone& gone, bool may_be_taken);
  Result<bool> AnyRefers(Gone& gone);
  // On a newer snapshot, where that is to be.
  Status LookAgain(Gone& gone);
  // The rows whose keys `wanted` has, as EncodedReferring has them, each with its place in `found`.
  Status ScanReferring(const std::unordered_map<std::string, size_t>& wanted,
                       std::span<Found> found);
  // `key`: as the referring table has it.
  Result<std::vector<RowRef>> RowsWithKey(std::span<const types::Value> key);
  Result<bool> StillRefers(const RowRef& row, std::span<const types::Value> key);
  // Deletes or updates a referring row, as long as it refers to the key.
  Status Change(Gone& gone, const RowRef& row,
                const std::function<Result<RowResult>(const RowRef&)>& write);
  Result<std::optional<RowRef>> ChangedByAction(const RowRef& row);
  // A row that was found in an older snapshot of the run; nullopt: it refers to the key no more.
  Result<std::optional<RowRef>> RefersNow(Gone& gone, const RowRef& row);
  Status DeleteReferring(Gone& gone, const RowRef& row);
  // Sets `columns` of a referring row to `values`.
  Status UpdateReferring(Gone& gone, const RowRef& row, const std::vector<ColumnId>& columns,
                         std::span<const types::Value> values);
  Status Complete(types::Row& row, types::Arena& arena);
  Status CascadeUpdate(Gone& gone, std::span<const types::Value> new_key);
  // SET NULL and SET DEFAULT may name some of the constraint's columns.
  const std::vector<ColumnId>& ColumnsToSet(bool deleted) const;
  Status SetDefaults(Gone& gone, const std::vector<ColumnId>& columns);
  Result<bool> LockReferenced(std::span<const types::Value> key,
                              std::optional<RowRef> ahead = std::nullopt);
  const catalog::IndexDef& ReferencedIndex() const;
  // A key of the referring table as the referenced one has it; false: it cannot hold such a value.
  bool CastToReferenced(std::span<types::Value> key, types::Arena& arena) const;
  // The other way round.
  bool CastToReferring(std::span<types::Value> key, types::Arena& arena) const;
  std::string EncodedReferring(std::span<const types::Value> key) const;
  // The referenced index's key order may differ from the constraint's: picks values by column.
  std::vector<types::Value> InIndexOrder(const catalog::IndexDef& index,
                                         const std::vector<ColumnId>& columns,
                                         std::span<const types::Value> key) const;
  std::string KeyText(const catalog::TableDef& table, const std::vector<ColumnId>& columns,
                      std::span<const types::Value> key) const;
  Status Missing(std::span<const types::Value> key) const;
  Status StillReferenced(std::span<const types::Value> key) const;
};

}  // namespace omendb::engine
