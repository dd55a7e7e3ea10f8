#include "duck/locking_result.h"

#include <algorithm>

#include "base/sqlstate.h"

namespace omendb::duck {
namespace {

std::vector<types::SqlType> TypesOf(const std::vector<types::ResultColumn>& columns) {
  std::vector<types::SqlType> types;
  for (const types::ResultColumn& column : columns) types.push_back(column.type);
  return types;
}

engine::RowRef RefOf(const types::Value& row_id) {
  const auto bits = static_cast<unsigned __int128>(row_id.i128);
  return {RowId(static_cast<uint64_t>(bits)), static_cast<uint64_t>(bits >> 64)};
}

}  // namespace

LockingResult::LockingResult(std::unique_ptr<DuckResult> rows,
                             duckdb::shared_ptr<SessionState> state, const BindOptions& options,
                             const std::vector<types::ResultColumn>& columns)
    : rows_(std::move(rows)),
      state_(std::move(state)),
      options_(options),
      width_(columns.size()),
      builder_(TypesOf(columns)) {
  const auto& catalog = *state_->RequireStatement().catalog;
  for (Oid table : options_.hidden->tables) {
    relations_.push_back(state_->database->OpenRelation(catalog.table(table)));
  }
}

Status LockingResult::ReadLimits(const types::Chunk& chunk) {
  size_t column = width_;
  auto read = [&](uint64_t& count, SqlState state, const char* what) -> Status {
    const types::Value value = chunk.columns[column++].Get(0);
    if (value.is_null) return Status::Ok();
    if (value.i64 < 0) return Status(state, std::string(what) + " must not be negative");
    count = static_cast<uint64_t>(value.i64);
    return Status::Ok();
  };
  if (options_.hidden->has_limit) {
    OMEN_TRY(read(limit_, sqlstate::kInvalidLimitValue, "LIMIT"));
  }
  if (options_.hidden->has_offset) {
    OMEN_TRY(read(offset_, sqlstate::kInvalidOffsetValue, "OFFSET"));
  }
  return Status::Ok();
}

Result<bool> LockingResult::LockRow(const types::Chunk& chunk, uint32_t row) {
  const size_t first =
      width_ + (options_.hidden->has_limit ? 1 : 0) + (options_.hidden->has_offset ? 1 : 0);
  for (size_t t = 0; t < relations_.size(); ++t) {
    const types::Value row_id = chunk.columns[first + t].Get(row);
    if (row_id.is_null) continue;
    OMEN_ASSIGN(const engine::RowResult result,
                relations_[t]->Lock(state_->RequireStatement(), RefOf(row_id), *options_.lock,
                                    options_.lock_wait));
    if (result.outcome == engine::RowOutcome::kChanged) {
      state_->run_again = RunAgain::kOnNewSnapshot;
      return Status(sqlstate::kSerializationFailure,
                    "could not serialize access due to concurrent update");
    }
    if (result.outcome != engine::RowOutcome::kDone) return false;
  }
  return true;
}

Status LockingResult::LockRows() {
  uint64_t skipped = 0;
  bool limits_known = false;
  while (true) {
    OMEN_ASSIGN(const types::Chunk* chunk, rows_->Next());
    if (chunk == nullptr) return Status::Ok();
    if (!limits_known) OMEN_TRY(ReadLimits(*chunk));
    limits_known = true;
    for (uint32_t r = 0; r < chunk->rows_count; ++r) {
      if (locked_.size() >= limit_) return Status::Ok();
      OMEN_ASSIGN(const bool locked, LockRow(*chunk, r));
      if (!locked || skipped++ < offset_) continue;
      types::Row row;
      for (size_t c = 0; c < width_; ++c) {
        const types::ColumnView& column = chunk->columns[c];
        const types::Value value = column.Get(r);
        row.push_back(value.is_null ? value : types::CopyTo(arena_, column.physical, value));
      }
      locked_.push_back(std::move(row));
    }
  }
}

Result<const types::Chunk*> LockingResult::Next() {
  if (!all_locked_) {
    OMEN_TRY(LockRows());
    all_locked_ = true;
  }
  if (next_ == locked_.size()) return nullptr;
  const auto count =
      static_cast<uint32_t>(std::min<size_t>(types::kChunkRowsMax, locked_.size() - next_));
  for (uint32_t r = 0; r < count; ++r) builder_.Set(r, locked_[next_ + r]);
  next_ += count;
  return &builder_.View(count);
}

}  // namespace omendb::duck
