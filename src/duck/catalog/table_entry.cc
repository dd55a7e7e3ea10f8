#include "duck/catalog/table_entry.h"

#include "duck/catalog/omen_catalog.h"
#include "duck/errors.h"
#include "duck/logical_types.h"
#include "duck/plan/statement_rewrite.h"
#include "duck/scan/table_scan.h"
#include "duck/session_state.h"
#include "duckdb/common/index_map.hpp"
#include "duckdb/parser/constraints/check_constraint.hpp"
#include "duckdb/parser/expression/constant_expression.hpp"
#include "duckdb/parser/expression/function_expression.hpp"
#include "duckdb/storage/statistics/base_statistics.hpp"
#include "duckdb/storage/statistics/numeric_stats.hpp"
#include "duckdb/storage/table_storage_info.hpp"

namespace omendb::duck {

namespace {

// An identity column's default: nextval of the sequence it owns.
duckdb::unique_ptr<duckdb::ParsedExpression> IdentityDefault(SessionState& state,
                                                             const catalog::TableDef& table,
                                                             ColumnId column) {
  for (const auto& sequence : state.RequireStatement().catalog->sequences(table.database)) {
    if (sequence->owned_by_table != table.oid || sequence->owned_by_column != column) continue;
    duckdb::Value oid = duckdb::Value::UINTEGER(sequence->oid.value());
    oid.Reinterpret(ToLogicalType({types::TypeKind::kRegclass}));
    duckdb::vector<duckdb::unique_ptr<duckdb::ParsedExpression>> arguments;
    arguments.push_back(duckdb::make_uniq<duckdb::ConstantExpression>(std::move(oid)));
    return duckdb::make_uniq<duckdb::FunctionExpression>("nextval", std::move(arguments));
  }
  return nullptr;
}

bool CanHaveStatistics(const types::SqlType& type) {
  if (type.is_array) return false;
  switch (type.kind) {
    case types::TypeKind::kInt2:
    case types::TypeKind::kInt4:
    case types::TypeKind::kInt8:
    case types::TypeKind::kOid:
    case types::TypeKind::kDate:
    case types::TypeKind::kTime:
    case types::TypeKind::kTimestamp:
    case types::TypeKind::kTimestampTz:
      return true;
    case types::TypeKind::kNumeric:
      return !type.numeric_unconstrained();
    default:
      return false;
  }
}

}  // namespace

duckdb::unique_ptr<duckdb::BaseStatistics> OmenTableEntry::GetStatistics(
    duckdb::ClientContext& context, duckdb::column_t column) {
  if (column >= column_ids_.size()) return nullptr;
  SessionState& state = SessionState::Get(context);
  const ColumnId id = column_ids_[column];
  const types::SqlType& column_type = definition_->column(id).type;
  const engine::ColumnStatistics found = state.database->OpenRelation(definition_)->statistics(id);
  auto statistics = duckdb::BaseStatistics::CreateUnknown(ToLogicalType(column_type));
  if (!found.may_have_nulls) {
    statistics.Set(duckdb::StatsInfo::CANNOT_HAVE_NULL_VALUES);
  }
  if (found.has_min_max && CanHaveStatistics(column_type)) {
    duckdb::NumericStats::SetMin(statistics, ToDuckValue(column_type, found.min));
    duckdb::NumericStats::SetMax(statistics, ToDuckValue(column_type, found.max));
  }
  if (found.distinct_count > 0) statistics.SetDistinctCount(found.distinct_count);
  return statistics.ToUnique();
}

duckdb::TableFunction OmenTableEntry::GetScanFunction(
    duckdb::ClientContext&, duckdb::unique_ptr<duckdb::FunctionData>& bind_data) {
  bind_data = MakeTableScanData(*this);
  return TableScanFunction();
}

duckdb::TableStorageInfo OmenTableEntry::GetStorageInfo(duckdb::ClientContext&) {
  duckdb::TableStorageInfo info;
  for (const catalog::IndexDef& index : definition_->indexes) {
    duckdb::IndexInfo found;
    found.is_unique = index.unique;
    found.is_primary = index.primary;
    found.is_foreign = false;
    for (const catalog::IndexKey& key : index.keys) {
      for (size_t i = 0; i < column_ids_.size(); ++i) {
        if (column_ids_[i] == key.column) found.column_set.insert(i);
      }
    }
    info.index_info.push_back(std::move(found));
  }
  return info;
}

duckdb::virtual_column_map_t OmenTableEntry::GetVirtualColumns() const {
  return TableVirtualColumns();
}

duckdb::vector<duckdb::column_t> OmenTableEntry::GetRowIdColumns() const {
  return {duckdb::COLUMN_IDENTIFIER_ROW_ID};
}

std::shared_ptr<duckdb::CatalogEntry> MakeTableEntry(
    duckdb::Catalog& owner, OmenSchema& schema, SessionState& state,
    const std::shared_ptr<const catalog::TableDef>& definition) {
  duckdb::CreateTableInfo info(schema, definition->name);
  info.columns = duckdb::ColumnList(/*allow_duplicate_names=*/true);
  for (const catalog::ColumnDef& column : definition->columns) {
    if (column.dropped) continue;
    duckdb::ColumnDefinition added(column.name, ToLogicalType(column.type));
    if (!column.generated_sql.empty()) {
      // Computed by the write operators; NULL until then.
    } else if (!column.default_sql.empty()) {
      added.SetDefaultValue(ParseCatalogExpression(state, column.default_sql));
    } else if (column.identity != catalog::Identity::kNone) {
      if (auto value = IdentityDefault(state, *definition, column.id)) {
        added.SetDefaultValue(std::move(value));
      }
    }
    info.columns.AddColumn(std::move(added));
  }
  std::vector<std::string> check_names;
  for (const catalog::ConstraintDef& constraint : definition->constraints) {
    if (constraint.kind != catalog::ConstraintKind::kCheck) continue;
    info.constraints.push_back(duckdb::make_uniq<duckdb::CheckConstraint>(
        ParseCatalogExpression(state, constraint.check_sql)));
    check_names.push_back(constraint.name);
  }
  return std::make_shared<OmenTableEntry>(owner, schema, info, definition, std::move(check_names));
}

}  // namespace omendb::duck
