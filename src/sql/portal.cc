#include "sql/portal.h"

#include <fmt/format.h>

#include "base/sqlstate.h"

namespace omendb::sql {

void RowBuffer::Append(std::span<const types::Value> row) {
  types::Row copy(row.begin(), row.end());
  for (size_t i = 0; i < copy.size() && i < columns.size(); ++i) {
    if (copy[i].is_null) continue;
    copy[i] = types::CopyTo(arena(), types::PhysicalTypeOf(columns[i].type), copy[i]);
  }
  rows.push_back(std::move(copy));
}

void RowBuffer::Append(const types::Chunk& chunk) {
  types::Row row(chunk.columns.size());
  for (uint32_t r = 0; r < chunk.rows_count; ++r) {
    for (size_t c = 0; c < row.size(); ++c) row[c] = chunk.columns[c].Get(r);
    Append(row);
  }
}

void RowBuffer::AppendText(std::initializer_list<std::string_view> fields) {
  types::Row row;
  for (std::string_view field : fields) row.push_back(types::Value::String(arena().Copy(field)));
  rows.push_back(std::move(row));
}

Status PortalState::CheckRunnable() const {
  const bool is_over = state == State::kDone && !plan->returns_rows;
  if (state != State::kActive && !failed && !is_over) return Status::Ok();
  return Status(sqlstate::kObjectNotInPrerequisiteState,
                fmt::format("portal \"{}\" cannot be run", name));
}

const types::Row* PortalState::NextBuffered() const {
  const auto index = static_cast<size_t>(position - dropped);
  return index < buffer.rows.size() ? &buffer.rows[index] : nullptr;
}

void PortalState::DropBuffered() {
  dropped += static_cast<int64_t>(buffer.rows.size());
  RowBuffer rest;
  rest.columns = std::move(buffer.columns);
  buffer = std::move(rest);
}

}  // namespace omendb::sql
