// duck_result.h - duck::DuckResult: runs DuckDB's tasks on the caller's thread (beside DuckDB's own
// threads) and looks at the cancel flag between them.
//
// Thread safety  One thread; Now: any.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "duck/chunk_converter.h"
#include "duck/duck_engine.h"
#include "duck/plan/kept_plan.h"
#include "duck/session_state.h"

namespace omendb::duck {

class Instance;

class DuckResultImpl : public DuckResult, private QueryProgress::Source {
 public:
  struct Parts {
    std::shared_ptr<Instance> instance;
    duckdb::Connection* connection = nullptr;  // borrowed
    duckdb::shared_ptr<SessionState> state;
    duckdb::unique_ptr<duckdb::PendingQueryResult> pending;
    std::vector<types::ResultColumn> columns;
    std::vector<std::shared_ptr<void>> pinned;  // catalog entries of the plan
    std::unique_ptr<KeptRun> run;               // null: the plan is not kept
    bool returns_rows = true;
    bool with_profile = false;
    bool gathers = false;  // A write that finds all its rows first.
    bool has_range_join = false;
    QueryProgress* progress = nullptr;  // borrowed; may be null
  };
  explicit DuckResultImpl(Parts parts);
  ~DuckResultImpl() override;

  Result<const types::Chunk*> Next() override;
  bool at_end() const override { return ended_ && left_ == nullptr; }
  uint64_t rows_affected() const override { return rows_affected_; }
  std::string profile() const override { return profile_; }

 private:
  Status Start();
  Status Cancelled();
  QueryProgress::Values Now() const override;
  // Requires: the query is active.
  void NoteProgress();
  // Rests when there was no task of DuckDB's to run.
  void AfterTask(bool had_one);
  // Runs until a chunk can be fetched.
  Status AwaitChunk();
  // The next chunk as DuckDB gives it; nullptr at the end.
  Result<duckdb::unique_ptr<duckdb::DataChunk>> Fetch();
  // Chunks of few rows as one: each that goes out costs the session a change of threads.
  Result<duckdb::unique_ptr<duckdb::DataChunk>> FetchMany();
  Status Failed(const duckdb::ErrorData& error);
  void Finish();

  Parts parts_;
  ChunkConverter converter_;
  duckdb::unique_ptr<duckdb::QueryResult> result_;
  duckdb::unique_ptr<duckdb::DataChunk> left_;  // did not fit into the chunk that went out
  std::atomic<double> known_fraction_{-1};      // of the work; < 0: nothing is known
  std::chrono::steady_clock::time_point progress_noted_;
  uint32_t idle_polls_ = 0;  // that found no task, in a row
  bool ended_ = false;       // DuckDB has no more chunks
  bool finished_ = false;    // and all of them went out
  uint64_t rows_affected_ = 0;
  std::string profile_;
};

}  // namespace omendb::duck
