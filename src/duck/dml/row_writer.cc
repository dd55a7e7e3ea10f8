#include "duck/dml/row_writer.h"

#include <algorithm>

#include "base/sqlstate.h"
#include "duck/catalog/table_entry.h"
#include "duck/errors.h"
#include "duck/logical_types.h"
#include "duck/session_state.h"
#include "duckdb/planner/constraints/bound_check_constraint.hpp"
#include "engine/failing_row.h"
#include "types/casts.h"
#include "types/json.h"

namespace omendb::duck {

namespace {

// Types whose modifier or form DuckDB knows nothing of.
bool NeedsCoercion(const types::SqlType& type) {
  if (type.is_array) return false;
  switch (type.kind) {
    case types::TypeKind::kVarchar:
    case types::TypeKind::kBpchar:
    case types::TypeKind::kTime:
    case types::TypeKind::kTimestamp:
    case types::TypeKind::kTimestampTz:
    case types::TypeKind::kInterval:
      return type.typmod >= 0;
    case types::TypeKind::kName:
      return true;
    default:
      return false;
  }
}

types::SqlType WithoutModifier(types::SqlType type) {
  if (type.kind == types::TypeKind::kVarchar || type.kind == types::TypeKind::kBpchar ||
      type.kind == types::TypeKind::kName) {
    return {types::TypeKind::kText};
  }
  type.typmod = -1;
  return type;
}

}  // namespace

RowWriter::RowWriter(duckdb::ClientContext& context, const OmenTableEntry& table,
                     const duckdb::vector<duckdb::unique_ptr<duckdb::BoundConstraint>>& constraints,
                     const duckdb::vector<duckdb::LogicalType>* returned)
    : context_(context), state_(SessionState::Get(context)), table_(table) {
  relation_ = state_.database->OpenRelation(table.definition());
  for (const catalog::ColumnDef& column : definition().columns) all_columns_.push_back(column.id);
  const auto types = table.GetTypes();
  if (returned != nullptr) {
    returning_ = duckdb::make_uniq<duckdb::ColumnDataCollection>(context, *returned);
    returning_chunk_.Initialize(context, *returned);
  }
  size_t index = 0;
  for (const auto& constraint : constraints) {
    if (constraint->type != duckdb::ConstraintType::CHECK) continue;
    auto& check = constraint->Cast<duckdb::BoundCheckConstraint>();
    checks_.push_back({table.check_names()[index++],
                       duckdb::make_uniq<duckdb::ExpressionExecutor>(context, *check.expression)});
  }
  for (GeneratedColumn& bound : BindGeneratedColumns(context, state_, table)) {
    auto executor = duckdb::make_uniq<duckdb::ExpressionExecutor>(context, *bound.value);
    generated_.push_back({bound.column, std::move(bound.value), std::move(executor)});
  }
  if (!checks_.empty() || !generated_.empty()) row_chunk_.Initialize(context, types);
}

const catalog::TableDef& RowWriter::definition() const { return *table_.definition(); }
engine::StatementContext& RowWriter::statement() { return state_.RequireStatement(); }

types::Value RowWriter::LoadCell(duckdb::Vector& vector, duckdb::idx_t count, duckdb::idx_t i,
                                 size_t column) {
  const types::SqlType& type = definition().column(table_.column_ids()[column]).type;
  duckdb::UnifiedVectorFormat format;
  vector.ToUnifiedFormat(count, format);
  if (ElementOf(type)) {
    const auto cell = format.sel->get_index(i);
    if (!format.validity.RowIsValid(cell)) return types::Value::Null();
    auto& child = duckdb::ListVector::GetEntry(vector);
    duckdb::UnifiedVectorFormat child_format;
    child.ToUnifiedFormat(duckdb::ListVector::GetListSize(vector), child_format);
    return EncodeList(child, child_format,
                      duckdb::UnifiedVectorFormat::GetData<duckdb::list_entry_t>(format)[cell],
                      *ElementOf(type), arena_);
  }
  types::Value value = LoadVectorCell(format, types::PhysicalTypeOf(type), i);
  if (value.is_null) return value;
  if (type.kind == types::TypeKind::kJsonb) {
    std::string normal;
    ThrowIfError(types::NormalizeJsonb(value.str(), normal));
    return types::Value::String(arena_.Copy(normal));
  }
  if (type.kind == types::TypeKind::kJson) {
    ThrowIfError(types::ValidateJson(value.str()));
    return value;
  }
  if (!NeedsCoercion(type)) return value;
  return ValueOrThrow(types::CastValue(WithoutModifier(type), type, value, arena_,
                                       types::CastContext::kAssignment, state_.io_settings()));
}

void RowWriter::LoadRow(duckdb::DataChunk& chunk, duckdb::idx_t i, types::Row& row) {
  row.assign(definition().columns.size(), types::Value::Null());
  for (size_t c = 0; c < table_.column_ids().size(); ++c) {
    AssignCell(chunk.data[c], chunk.size(), i, c, row);
  }
}

void RowWriter::AssignCell(duckdb::Vector& vector, duckdb::idx_t count, duckdb::idx_t i,
                           size_t column, types::Row& row) {
  row[static_cast<size_t>(table_.column_ids()[column].value() - 1)] =
      LoadCell(vector, count, i, column);
}

std::optional<types::Value> RowWriter::ValueAhead(duckdb::DataChunk& chunk, duckdb::idx_t i,
                                                  ColumnId column) {
  const types::SqlType& type = definition().column(column).type;
  const bool json = type.kind == types::TypeKind::kJson || type.kind == types::TypeKind::kJsonb;
  if (ElementOf(type) || json || NeedsCoercion(type)) return std::nullopt;
  const auto& ids = table_.column_ids();
  const auto c = static_cast<size_t>(std::find(ids.begin(), ids.end(), column) - ids.begin());
  return LoadCell(chunk.data[c], chunk.size(), i, c);
}

std::unique_ptr<engine::BulkUpdate> RowWriter::StartUpdates(const std::vector<size_t>& columns,
                                                            engine::BulkUpdate::Beside beside) {
  std::vector<ColumnId> changed;
  for (const size_t column : columns) changed.push_back(table_.column_ids()[column]);
  for (const Generated& generated : generated_) {
    changed.push_back(table_.column_ids()[generated.column]);
  }
  return std::make_unique<engine::BulkUpdate>(statement(), relation_, changed,
                                              engine::BulkUpdate::Limits(), beside);
}

void RowWriter::ReadRow(const engine::RowRef& ref, types::Row& row) {
  row.resize(all_columns_.size());
  ThrowIfError(relation_->Read(ref, all_columns_, arena_, row.data()));
}

void RowWriter::StoreRow(duckdb::DataChunk& chunk, duckdb::idx_t i, const types::Row& row) {
  const auto& ids = table_.column_ids();
  for (size_t c = 0; c < ids.size(); ++c) {
    StoreVectorCell(chunk.data[c], i, definition().column(ids[c]).type,
                    row[static_cast<size_t>(ids[c].value() - 1)]);
  }
}

types::Value RowWriter::KeepCell(duckdb::Vector& vector, size_t column, types::Arena& arena) {
  const types::Value value = LoadCell(vector, 1, 0, column);
  if (value.is_null) return value;
  const types::SqlType& type = definition().column(table_.column_ids()[column]).type;
  return types::CopyTo(arena, types::PhysicalTypeOf(type), value);
}

void RowWriter::ComputeGenerated(types::Row& row, types::Arena& arena) {
  row_chunk_.Reset();
  StoreRow(row_chunk_, 0, row);
  row_chunk_.SetCardinality(1);
  for (Generated& generated : generated_) {
    duckdb::Vector value(generated.value->return_type);
    generated.executor->ExecuteExpression(row_chunk_, value);
    row[static_cast<size_t>(table_.column_ids()[generated.column].value() - 1)] =
        KeepCell(value, generated.column, arena);
  }
}

void RowWriter::Complete(types::Row& row, types::Arena& arena) {
  if (!generated_.empty()) ComputeGenerated(row, arena);
  if (checks_.empty()) return;
  row_chunk_.Reset();
  StoreRow(row_chunk_, 0, row);
  row_chunk_.SetCardinality(1);
  for (CheckConstraint& check : checks_) {
    duckdb::Vector result(check.executor->expressions[0]->return_type);
    check.executor->ExecuteExpression(row_chunk_, result);
    const duckdb::Value value = result.GetValue(0).DefaultCastAs(duckdb::LogicalType::BOOLEAN);
    if (!value.IsNull() && !value.GetValue<bool>()) {
      ThrowStatus(engine::CheckViolation(statement(), definition(), check.name, row));
    }
  }
}

void RowWriter::FlushReturning() {
  if (returning_chunk_.size() == 0) return;
  returning_->Append(returning_chunk_);
  returning_chunk_.Reset();
}

void RowWriter::AddReturning(const types::Row& row) {
  if (returning_ == nullptr) return;
  StoreRow(returning_chunk_, returning_chunk_.size(), row);
  EndReturned();
}

void RowWriter::AddReturning(const types::Row& row, duckdb::DataChunk& chunk, duckdb::idx_t i,
                             const std::vector<duckdb::idx_t>& joined) {
  if (returning_ == nullptr) return;
  const duckdb::idx_t at = returning_chunk_.size();
  StoreRow(returning_chunk_, at, row);
  duckdb::idx_t column = table_.column_ids().size();
  for (const duckdb::idx_t from : joined) {
    duckdb::VectorOperations::Copy(chunk.data[from], returning_chunk_.data[column++], i + 1, i, at);
  }
  EndReturned();
}

void RowWriter::EndReturned() {
  const duckdb::idx_t count = returning_chunk_.size() + 1;
  returning_chunk_.SetCardinality(count);
  // One by one would cost an append each; a full chunk or the end flushes.
  if (count == STANDARD_VECTOR_SIZE) FlushReturning();
}

void RowWriter::Finish() {
  if (returning_ != nullptr) FlushReturning();
}

void RowWriter::ThrowConflict() {
  state_.run_again = RunAgain::kOnNewSnapshot;
  ThrowStatus(Status(sqlstate::kSerializationFailure,
                     "could not serialize access due to concurrent update"));
}

}  // namespace omendb::duck
