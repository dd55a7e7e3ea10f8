#include "engine/scan_columns.h"

#include <algorithm>

#include "engine/relation_impl.h"

namespace omendb::engine {
namespace {

using rowstore::kPageSlots;

bool IsMissingSomewhere(const RelationImpl& relation, ColumnId column, const RunSet& runs) {
  const size_t stored_min = relation.storage().store().columns_min();
  return static_cast<size_t>(column.value()) > stored_min ||
         std::any_of(runs.runs.begin(), runs.runs.end(),
                     [&](const Run& run) { return run.segment->position_of(column) < 0; });
}

}  // namespace

ScanColumns::ScanColumns(const RelationImpl& relation, std::span<const ColumnId> columns,
                         const RunSet& runs) {
  for (const ColumnId id : columns) {
    Column& column = columns_.emplace_back();
    column.type = relation.TypeOf(id);
    if (!IsMissingSomewhere(relation, id, runs)) continue;
    const types::PhysicalType physical = types::PhysicalTypeOf(column.type);
    const auto size = static_cast<size_t>(types::PhysicalSize(physical));
    column.cells.resize(size * kPageSlots);
    const types::Value value = relation.MissingValue(id);
    if (value.is_null) {
      column.validity.resize(kPageSlots / 64);
      continue;
    }
    for (uint32_t i = 0; i < kPageSlots; ++i) {
      types::StoreCell(physical, column.cells.data() + i * size, value);
    }
  }
}

std::vector<types::SqlType> ScanColumns::types() const {
  std::vector<types::SqlType> types;
  for (const Column& column : columns_) types.push_back(column.type);
  return types;
}

types::ColumnView ScanColumns::Missing(size_t i) const {
  const Column& column = columns_[i];
  types::ColumnView view;
  view.data = column.cells.data();
  view.validity = column.validity.empty() ? nullptr : column.validity.data();
  view.type = column.type;
  view.physical = types::PhysicalTypeOf(column.type);
  return view;
}

}  // namespace omendb::engine
