#include "duck/duck_result.h"

#include <algorithm>
#include <chrono>
#include <thread>

#include "base/sqlstate.h"
#include "duck/errors.h"
#include "duck/instance.h"
#include "duck/plan/range_joins.h"
#include "duckdb/common/tree_renderer/text_tree_renderer.hpp"
#include "duckdb/execution/executor.hpp"
#include "duckdb/main/client_config.hpp"
#include "duckdb/main/client_context.hpp"
#include "duckdb/main/pending_query_result.hpp"
#include "duckdb/main/query_profiler.hpp"
#include "duckdb/main/stream_query_result.hpp"

namespace omendb::duck {
namespace {

constexpr duckdb::idx_t kFewRows = STANDARD_VECTOR_SIZE / 2;
// Rows that are found are not kept back for longer.
constexpr std::chrono::milliseconds kWaitMax{20};
// The session's thread has no task while DuckDB's threads end theirs. DuckDB tells nobody when they
// do; asking without a rest takes the locks that they need.
constexpr uint32_t kEagerPolls = 32;
constexpr std::chrono::microseconds kRest{20};
constexpr std::chrono::milliseconds kProgressInterval{10};

}  // namespace

DuckResultImpl::DuckResultImpl(Parts parts)
    : parts_(std::move(parts)), converter_(*parts_.connection->context, parts_.columns) {
  if (parts_.progress != nullptr) parts_.progress->Run(*this);
}

DuckResultImpl::~DuckResultImpl() {
  if (parts_.progress != nullptr) parts_.progress->End();
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
  if (parts_.run != nullptr) parts_.run->set_read_to_end(ended_);
  parts_.run.reset();
  parts_.state->statement = nullptr;
  parts_.state->conflict = nullptr;
}

Status DuckResultImpl::Failed(const duckdb::ErrorData& error) {
  Finish();
  SessionState& state = *parts_.state;
  const bool lost_rows = parts_.has_range_join && TellsOfLostRows(error);
  if (error.Type() != duckdb::ExceptionType::OUT_OF_MEMORY && !lost_rows) return ToStatus(error);
  if (!state.one_thread) state.run_again = RunAgain::kOnOneThread;
  if (!lost_rows) return ToStatus(error);
  return Status(sqlstate::kOutOfMemory, "out of memory")
      .WithDetail("A join by ranges of values has no room for the rows that it sorts.")
      .WithHint("Start the server with a larger --memory.");
}

Status DuckResultImpl::Cancelled() {
  engine::StatementContext* statement = parts_.state->statement;
  if (statement == nullptr || statement->cancel == nullptr || !statement->cancel->set()) {
    return Status::Ok();
  }
  parts_.connection->Interrupt();
  return statement->cancel->ToStatus();
}

QueryProgress::Values DuckResultImpl::Now() const {
  const SessionState& state = *parts_.state;
  const ScanSums scans = state.scans->Sum();
  QueryProgress::Values values;
  values.is_planned = true;
  values.rows_done = scans.rows_done;
  values.rows_total = scans.rows_total;
  values.rows_written = state.rows_written.load(std::memory_order_relaxed);
  values.rows_to_write = state.rows_to_write.load(std::memory_order_relaxed);
  values.blocks_read = scans.blocks.read;
  values.blocks_loaded = scans.blocks.loaded;
  values.blocks_skipped = scans.blocks.skipped;
  if (values.rows_to_write > 0) {  // All rows were found: half of the work, say.
    values.fraction = 0.5 + 0.5 * static_cast<double>(values.rows_written) /
                                static_cast<double>(values.rows_to_write);
    return values;
  }
  const double fraction = known_fraction_.load(std::memory_order_relaxed);
  if (fraction >= 0) values.fraction = std::min(fraction, 1.0) * (parts_.gathers ? 0.5 : 1);
  return values;
}

void DuckResultImpl::NoteProgress() {
  if (parts_.progress == nullptr) return;
  const auto now = std::chrono::steady_clock::now();
  if (now - progress_noted_ < kProgressInterval) return;
  progress_noted_ = now;
  // A query that failed while its rows were awaited has no executor any more.
  if (result_ != nullptr && result_->type == duckdb::QueryResultType::STREAM_RESULT &&
      !result_->Cast<duckdb::StreamQueryResult>().IsOpen()) {
    return;
  }
  duckdb::ProgressData progress;
  auto& executor = parts_.connection->context->GetExecutor();
  if (executor.GetPipelinesProgress(progress) > 0 || !progress.IsValid()) return;
  // Pipelines that are over are forgotten, when all are: then only rows are left to be fetched.
  if (progress.total <= 0 && result_ == nullptr) return;
  const double fraction = progress.total > 0 ? progress.ProgressDone() : 1;
  known_fraction_ = std::max(known_fraction_.load(), fraction);
}

void DuckResultImpl::AfterTask(bool had_one) {
  NoteProgress();
  idle_polls_ = had_one ? 0 : idle_polls_ + 1;
  if (had_one) return;
  if (idle_polls_ <= kEagerPolls) {
    std::this_thread::yield();
  } else {
    std::this_thread::sleep_for(kRest);
  }
}

namespace {

// The operators with their times and rows, without DuckDB's words around them.
std::string OperatorTree(duckdb::QueryProfiler& profiler) {
  auto root = profiler.GetRoot();
  if (root == nullptr) return "";
  duckdb::TextTreeRenderer renderer;
  duckdb::stringstream tree;
  for (duckdb::idx_t i = 0; i < root->GetChildCount(); ++i) {
    renderer.Render(*root->GetChild(i), tree);
  }
  return tree.str();
}

}  // namespace

void DuckResultImpl::Finish() {
  finished_ = true;
  rows_affected_ = parts_.state->rows_affected;
  if (parts_.with_profile && result_ != nullptr) {
    profile_ = OperatorTree(duckdb::QueryProfiler::Get(*parts_.connection->context));
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
    if (outcome == duckdb::PendingExecutionResult::BLOCKED) parts_.pending->WaitForTask();
    AfterTask(outcome != duckdb::PendingExecutionResult::NO_TASKS_AVAILABLE);
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
        AfterTask(true);
        break;
      case duckdb::StreamExecutionResult::BLOCKED:
        stream.WaitForTask();
        break;
      case duckdb::StreamExecutionResult::NO_TASKS_AVAILABLE:
        AfterTask(false);
        break;
      case duckdb::StreamExecutionResult::CHUNK_READY:  // Perhaps without a task of this thread.
        NoteProgress();
        return Status::Ok();
      default:
        return Status::Ok();
    }
  }
}

Result<duckdb::unique_ptr<duckdb::DataChunk>> DuckResultImpl::Fetch() {
  if (left_ != nullptr) return std::move(left_);
  while (!ended_) {
    OMEN_TRY(AwaitChunk());
    auto chunk = result_->Fetch();
    if (result_->HasError()) {
      OMEN_TRY(Cancelled());
      return Failed(result_->GetErrorObject());
    }
    ended_ = chunk == nullptr || chunk->size() == 0;
    if (!ended_ && parts_.returns_rows) return chunk;
  }
  return duckdb::unique_ptr<duckdb::DataChunk>();
}

Result<duckdb::unique_ptr<duckdb::DataChunk>> DuckResultImpl::FetchMany() {
  const auto start = std::chrono::steady_clock::now();
  OMEN_ASSIGN(auto chunk, Fetch());
  if (chunk == nullptr || chunk->size() >= kFewRows) return chunk;
  auto many = duckdb::make_uniq<duckdb::DataChunk>();
  many->Initialize(duckdb::Allocator::DefaultAllocator(), chunk->GetTypes());
  while (chunk != nullptr) {
    if (many->size() + chunk->size() > STANDARD_VECTOR_SIZE) {
      left_ = std::move(chunk);
      break;
    }
    many->Append(*chunk);
    if (many->size() >= kFewRows || std::chrono::steady_clock::now() - start > kWaitMax) break;
    OMEN_ASSIGN(chunk, Fetch());
  }
  return many;
}

Result<const types::Chunk*> DuckResultImpl::Next() {
  if (finished_) return nullptr;
  try {
    if (result_ == nullptr) OMEN_TRY(Start());
    OMEN_ASSIGN(auto chunk, FetchMany());
    if (chunk == nullptr) {
      Finish();
      return nullptr;
    }
    return converter_.Convert(std::move(chunk));
  } catch (const std::exception& exception) {
    return Failed(duckdb::ErrorData(exception));
  }
}

}  // namespace omendb::duck
