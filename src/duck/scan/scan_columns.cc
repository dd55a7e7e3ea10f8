// The engine's columns as DuckDB's vectors.
#include "duck/errors.h"
#include "duck/logical_types.h"
#include "duck/scan/scan_state.h"

namespace omendb::duck {

namespace {

// Arrays become lists; char(n) loses its trailing blanks, which have no meaning in it.
void FillConverted(const types::ColumnView& view, uint32_t count, const types::SqlType& type,
                   duckdb::Vector& vector) {
  for (uint32_t i = 0; i < count; ++i) {
    const types::Value value = view.Get(i);
    if (!value.is_null && type.kind == types::TypeKind::kBpchar && !type.is_array) {
      const std::string_view trimmed = types::TrimBlanks(value.str());
      duckdb::FlatVector::GetData<duckdb::string_t>(vector)[i] =
          duckdb::string_t(trimmed.data(), static_cast<uint32_t>(trimmed.size()));
      continue;
    }
    StoreVectorCell(vector, i, type, value);
  }
}

void FillStored(const ScannedColumn& column, const types::Chunk& chunk, duckdb::Vector& target) {
  const types::ColumnView& view = chunk.columns[column.chunk_column];
  if (ElementOf(column.type) || column.type.kind == types::TypeKind::kBpchar) {
    duckdb::Vector converted(column.logical);
    FillConverted(view, chunk.rows_count, column.type, converted);
    target.Reference(converted);
    return;
  }
  duckdb::Vector flat(column.logical,
                      reinterpret_cast<duckdb::data_ptr_t>(const_cast<void*>(view.data)));
  if (view.shared_cells == 1) {
    flat.SetVectorType(duckdb::VectorType::CONSTANT_VECTOR);
    if (view.is_null(0)) duckdb::ConstantVector::SetNull(flat, true);
    return target.Reference(flat);
  }
  if (view.validity != nullptr) {
    duckdb::FlatVector::SetValidity(
        flat, duckdb::ValidityMask(const_cast<uint64_t*>(view.validity), STANDARD_VECTOR_SIZE));
  }
  if (view.selection != nullptr) {
    const duckdb::SelectionVector selection(const_cast<uint32_t*>(view.selection));
    if (view.shared_cells == 0) {
      target.Slice(flat, selection, chunk.rows_count);
    } else {
      target.Dictionary(flat, view.shared_cells, selection, chunk.rows_count);
    }
  } else {
    target.Reference(flat);
  }
}

void FillRowRefs(const std::vector<engine::RowRef>& refs, duckdb::Vector& target) {
  duckdb::Vector ids(duckdb::LogicalType::HUGEINT);
  auto* data = duckdb::FlatVector::GetData<duckdb::hugeint_t>(ids);
  for (size_t i = 0; i < refs.size(); ++i) {
    data[i] = duckdb::hugeint_t(static_cast<int64_t>(refs[i].version), refs[i].row_id.value());
  }
  target.Reference(ids);
}

void FillEmpty(duckdb::Vector& target) {
  target.Reference(duckdb::Value(duckdb::LogicalType::BOOLEAN));
}

}  // namespace

void FillColumn(ScanState& state, ScanLocal& local, duckdb::idx_t i) {
  if (local.filled[i]) return;
  local.filled[i] = true;
  const ScannedColumn& column = state.columns[i];
  switch (column.kind) {
    case ScannedColumn::Kind::kStored:
      ThrowIfError(state.scan->Fill(*local.worker, local.chunk, column.chunk_column));
      return FillStored(column, local.chunk, local.scanned.data[i]);
    case ScannedColumn::Kind::kRowRef:
      return FillRowRefs(local.refs, local.scanned.data[i]);
    case ScannedColumn::Kind::kEmpty:
      return FillEmpty(local.scanned.data[i]);
  }
}

}  // namespace omendb::duck
