// progress.h - how far the statement of a session is: told by who runs it, shown to others
// (pg_stat_progress_*) and to its client (omendb.progress_notices).
//
// Thread safety  Any thread. A Scope: the statement's.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>

#include "base/ids.h"
#include "base/mutex.h"

namespace omendb {

// A query in DuckDB.
class QueryProgress {
 public:
  struct Values {
    bool is_planned = false;         // It is executed now.
    std::optional<double> fraction;  // 0..1 of its work; nullopt: nobody can tell
    uint64_t rows_done = 0;          // of the tables that it scans
    uint64_t rows_total = 0;
    uint64_t rows_written = 0;
    uint64_t rows_to_write = 0;  // 0: not known
    uint64_t blocks_read = 0;    // of segments, each of one column
    uint64_t blocks_loaded = 0;  // of these, from files
    uint64_t blocks_skipped = 0;
  };
  // Who executes it. Asked on any thread, and not any more once End has returned.
  class Source {
   public:
    virtual ~Source() = default;
    virtual Values Now() const = 0;
  };

  void Plan() { Set(State::kPlanned, nullptr); }
  void Run(const Source& source) { Set(State::kRun, &source); }
  void End() { Set(State::kNone, nullptr); }
  // nullopt: none runs.
  std::optional<Values> Get() const {
    MutexLock lock(mu_);
    if (state_ == State::kNone) return std::nullopt;
    return state_ == State::kRun ? source_->Now() : Values();
  }

 private:
  enum class State : uint8_t { kNone, kPlanned, kRun };
  void Set(State state, const Source* source) {
    MutexLock lock(mu_);
    state_ = state;
    source_ = source;
  }

  mutable Mutex mu_;
  State state_ OMEN_GUARDED_BY(mu_) = State::kNone;
  const Source* source_ OMEN_GUARDED_BY(mu_) = nullptr;
};

// COPY, or the building of an index.
class CommandProgress {
 public:
  enum class Kind : uint8_t { kCopyFrom, kCopyTo, kCreateIndex, kReindex };
  struct Target {
    Kind kind = Kind::kCopyFrom;
    Oid table;  // 0: COPY of a query
    Oid index;
  };
  struct Values {
    Target target;
    bool is_loading = false;  // An index: its rows are read, their keys are loaded.
    uint64_t rows_done = 0;
    uint64_t rows_total = 0;  // 0: not known
    uint64_t bytes_done = 0;
  };

  // The command runs while it stands.
  class Scope {
   public:
    Scope(CommandProgress& progress, const Target& target) : progress_(progress) {
      progress_.Begin(target);
    }
    ~Scope() { progress_.End(); }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    CommandProgress& progress_;
  };

  // Counters: one writer at a time.
  void SetRowsTotal(uint64_t rows) { rows_total_.store(rows, std::memory_order_relaxed); }
  void SetRows(uint64_t rows) { rows_done_.store(rows, std::memory_order_relaxed); }
  void AddBytes(uint64_t bytes) {
    bytes_done_.store(bytes_done_.load(std::memory_order_relaxed) + bytes,
                      std::memory_order_relaxed);
  }
  void SetLoading() { is_loading_.store(true, std::memory_order_relaxed); }

  std::optional<Values> Get() const {
    MutexLock lock(mu_);
    if (!target_) return std::nullopt;
    return Values{*target_, is_loading_.load(std::memory_order_relaxed),
                  rows_done_.load(std::memory_order_relaxed),
                  rows_total_.load(std::memory_order_relaxed),
                  bytes_done_.load(std::memory_order_relaxed)};
  }

 private:
  void Begin(const Target& target) {
    MutexLock lock(mu_);
    target_ = target;
    is_loading_.store(false, std::memory_order_relaxed);
    for (auto* counter : {&rows_done_, &rows_total_, &bytes_done_}) {
      counter->store(0, std::memory_order_relaxed);
    }
  }
  void End() {
    MutexLock lock(mu_);
    target_.reset();
  }

  mutable Mutex mu_;
  std::optional<Target> target_ OMEN_GUARDED_BY(mu_);  // nullopt: none runs
  std::atomic<bool> is_loading_{false};
  std::atomic<uint64_t> rows_done_{0}, rows_total_{0}, bytes_done_{0};
};

// Of one session. COPY of a query has both.
struct StatementProgress {
  QueryProgress query;
  CommandProgress command;
};

}  // namespace omendb
