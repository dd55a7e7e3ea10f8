#include "duck/duck_result.h"

#include "base/sqlstate.h"
#include "duck/errors.h"
#include "duck/instance.h"
#include "duckdb/main/client_config.hpp"
#include "duckdb/main/client_context.hpp"
#include "duckdb/main/pending_query_result.hpp"
#include "duckdb/main/query_profiler.hpp"
#include "duckdb/main/stream_query_result.hpp"

namespace omendb::duck {

DuckResultImpl::DuckResultImpl(Parts parts)
    : parts_(std::move(parts)), converter_(*parts_.connection->context, parts_.columns) {}

DuckResultImpl::~DuckResultImpl() {
  if (!finished_) parts_.connection->Interrupt();
  result_.reset();
  parts_.pending.reset();
  if (!finished_) {
    try {
      // Ends the query inside DuckDB, which waits for its tasks.
      parts_.connection->context->CancelTransaction();
      (void)parts_.connection->Query("SELECT 1");
    } catch (const std::exception&) {
      // The connection is of no use any more; the session makes another.
    }
  }
  parts_.state->statement = nullptr;
  parts_.state->conflict = nullptr;
}

Status DuckResultImpl::Failed(const duckdb::ErrorData& error) {
  Finish();
  return ToStatus(error);
}

Status DuckResultImpl::Cancelled() {
  engine::StatementContext* statement = parts_.state->statement;
  if (statement == nullptr || statement->cancel == nullptr || !statement->cancel->set()) {
    return Status::Ok();
  }
  parts_.connection->Interrupt();
  return statement->cancel->ToStatus();
}

void DuckResultImpl::Finish() {
  finished_ = true;
  rows_affected_ = parts_.state->rows_affected;
  if (parts_.with_profile && result_ != nullptr) {
    profile_ = duckdb::QueryProfiler::Get(*parts_.connection->context).ToString();
    duckdb::ClientConfig::GetConfig(*parts_.connection->context).enable_profiler = false;
  }
}

Status DuckResultImpl::Start() {
  for (;;) {
    OMEN_TRY(Cancelled());
    const auto outcome = parts_.pending->ExecuteTask();
    if (outcome == duckdb::PendingExecutionResult::EXECUTION_ERROR) {
      OMEN_TRY(Cancelled());
      return Failed(parts_.pending->GetErrorObject());
    }
    if (duckdb::PendingQueryResult::IsResultReady(outcome)) break;
    if (outcome == duckdb::PendingExecutionResult::BLOCKED ||
        outcome == duckdb::PendingExecutionResult::NO_TASKS_AVAILABLE) {
      parts_.pending->WaitForTask();
    }
  }
  result_ = parts_.pending->Execute();
  if (result_->HasError()) return Failed(result_->GetErrorObject());
  return Status::Ok();
}

Status DuckResultImpl::AwaitChunk() {
  if (result_->type != duckdb::QueryResultType::STREAM_RESULT) return Cancelled();
  auto& stream = result_->Cast<duckdb::StreamQueryResult>();
  for (;;) {
    OMEN_TRY(Cancelled());
    if (!stream.IsOpen()) return Status::Ok();
    const auto outcome = stream.ExecuteTask();
    switch (outcome) {
      case duckdb::StreamExecutionResult::CHUNK_NOT_READY:
        break;
      case duckdb::StreamExecutionResult::BLOCKED:
      case duckdb::StreamExecutionResult::NO_TASKS_AVAILABLE:
        stream.WaitForTask();
        break;
      default:
        return Status::Ok();
    }
  }
}

Result<const types::Chunk*> DuckResultImpl::Next() {
  if (finished_) return nullptr;
  try {
    if (result_ == nullptr) OMEN_TRY(Start());
    for (;;) {
      OMEN_TRY(AwaitChunk());
      auto chunk = result_->Fetch();
      if (result_->HasError()) {
        OMEN_TRY(Cancelled());
        return Failed(result_->GetErrorObject());
      }
      if (chunk == nullptr || chunk->size() == 0) {
        Finish();
        return nullptr;
      }
      if (!parts_.returns_rows) continue;
      return converter_.Convert(std::move(chunk));
    }
  } catch (const std::exception& exception) {
    return Failed(duckdb::ErrorData(exception));
  }
}

}  // namespace omendb::duck
