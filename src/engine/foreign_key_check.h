// foreign_key_check.h - one foreign key against one key; internal to the engine.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "engine/relation.h"

namespace omendb::engine {

struct ForeignKeyCheck {
  Database& database;
  StatementContext& context;
  const catalog::ConstraintDef& constraint;
  std::shared_ptr<const catalog::TableDef> referring;
  std::shared_ptr<const catalog::TableDef> referenced;

  // The referring row `row` was written with `key`: its referenced row must be there. `ahead`: what
  // FindReferenced found for the key, if it was asked.
  Status CheckReferring(const RowRef& row, std::span<const types::Value> key,
                        const std::optional<RowRef>& ahead);
  // Looks many referenced rows up together; `keys` are those of CheckReferring, one after the
  // other. What it does not find, CheckReferring looks for again.
  Status FindReferenced(std::span<const types::Value> keys, std::span<std::optional<RowRef>> found);
  // A referenced key was deleted (`new_key` empty) or replaced: checks or carries out the action.
  Status ReferencedGone(std::span<const types::Value> key, std::span<const types::Value> new_key);

  // A check took a newer snapshot: rows found before may be gone.
  bool snapshot_renewed = false;

 private:
  Status ForEachReferring(std::span<const types::Value> key,
                          const std::function<Status(const RowRef&)>& act);
  Status DeleteReferring(const RowRef& row);
  // Sets `columns` of a referring row to `values`.
  Status UpdateReferring(const RowRef& row, const std::vector<ColumnId>& columns,
                         std::span<const types::Value> values);
  Status ComputeGenerated(std::span<types::Value> row, types::Arena& arena);
  // SET NULL and SET DEFAULT may name some of the constraint's columns.
  const std::vector<ColumnId>& ColumnsToSet(bool deleted) const;
  Status SetDefaults(std::span<const types::Value> key, const std::vector<ColumnId>& columns);
  Result<bool> LockReferenced(std::span<const types::Value> key,
                              std::optional<RowRef> ahead = std::nullopt);
  const catalog::IndexDef& ReferencedIndex() const;
  // A key of the referring table as the referenced one has it; false: it cannot hold such a value.
  bool CastToReferenced(std::span<types::Value> key, types::Arena& arena) const;
  // Whether the referring row has these values in these columns, none of them NULL.
  Result<bool> ValuesAre(const RowRef& row, const std::vector<ColumnId>& columns,
                         std::span<const types::Value> values);
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
