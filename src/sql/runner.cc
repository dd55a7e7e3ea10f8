// Running: row plans on the session's own thread, everything else in DuckDB on the pool.
#include <charconv>

#include "base/sqlstate.h"
#include "exec/row_executor.h"
#include "sql/error_position.h"
#include "sql/locking_subqueries.h"
#include "sql/modifying_with.h"
#include "sql/names.h"
#include "sql/session_impl.h"
#include "sql/statements/dispatch.h"

namespace omendb::sql {
namespace {

// How often a READ COMMITTED statement is run again after write conflicts before giving up.
constexpr int kConflictRetries = 100;

// A row plan that had more rows than it is for this often is not tried again.
constexpr int kGiveUpsMax = 3;

class BufferRows : public exec::RowSink {
 public:
  explicit BufferRows(RowBuffer& buffer) : buffer_(buffer) {}
  Status OnRow(std::span<const types::Value> row) override {
    buffer_.Append(row);
    return Status::Ok();
  }

 private:
  RowBuffer& buffer_;
};

class CallbackRows : public exec::RowSink {
 public:
  using Each = std::function<Status(const types::Chunk*, std::span<const types::Value>)>;
  explicit CallbackRows(const Each& each) : each_(each) {}
  Status OnRow(std::span<const types::Value> row) override { return each_(nullptr, row); }

 private:
  const Each& each_;
};

// 25006: a read-only transaction neither writes nor locks rows.
Status CheckMayWrite(SessionImpl& session, const Plan& plan) {
  if (plan.statement.kind() != PG_QUERY__NODE__NODE_SELECT_STMT) {
    return CheckWritable(session, CommandTag(plan.statement.node));
  }
  if (!plan.lock) return Status::Ok();
  static constexpr std::string_view kTags[] = {"SELECT FOR KEY SHARE", "SELECT FOR SHARE",
                                               "SELECT FOR NO KEY UPDATE", "SELECT FOR UPDATE"};
  return CheckWritable(session, kTags[static_cast<size_t>(*plan.lock)]);
}

// Statements that need no query of their own: a cursor goes on streaming between them.
bool RunsBesideStream(const Statement& statement) {
  switch (statement.kind()) {
    case PG_QUERY__NODE__NODE_FETCH_STMT:
    case PG_QUERY__NODE__NODE_CLOSE_PORTAL_STMT:
    case PG_QUERY__NODE__NODE_TRANSACTION_STMT:
      return true;
    default:
      return false;
  }
}

// What writes has its checks behind it before a row of it is read, however few are asked for.
bool IsDoneAtOnce(const Plan& plan) {
  return plan.statement.kind() != PG_QUERY__NODE__NODE_SELECT_STMT || plan.continues_statement;
}

// `tag` keeps its memory.
void SetQueryTag(const Plan& plan, uint64_t rows_returned, uint64_t rows_affected,
                 std::string& tag) {
  const uint64_t count = plan.returns_rows ? rows_returned : rows_affected;
  switch (plan.statement.kind()) {
    case PG_QUERY__NODE__NODE_INSERT_STMT:
      tag = "INSERT 0 ";
      break;
    case PG_QUERY__NODE__NODE_UPDATE_STMT:
      tag = "UPDATE ";
      break;
    case PG_QUERY__NODE__NODE_DELETE_STMT:
      tag = "DELETE ";
      break;
    case PG_QUERY__NODE__NODE_MERGE_STMT:
      tag = "MERGE ";
      break;
    default:
      tag = "SELECT ";
  }
  char digits[20];
  tag.append(digits, std::to_chars(digits, digits + sizeof(digits), count).ptr);
}

}  // namespace

void SetPortalTag(PortalState& portal, uint64_t rows_sent) {
  const Plan& plan = *portal.plan;
  const Node& node = *plan.statement.node;
  if (plan.is_query) {
    SetQueryTag(plan, rows_sent, portal.rows_affected, portal.tag);
  } else if (node.node_case == PG_QUERY__NODE__NODE_FETCH_STMT && !node.fetch_stmt->ismove) {
    portal.tag = "FETCH " + std::to_string(rows_sent);
  }
}

Status SessionImpl::EndStatement(const Plan& plan, engine::StatementContext& context) {
  if (!context.txn->has_writes() || plan.is_part) return Status::Ok();
  return CheckConstraints(context, false);
}

Status SessionImpl::CheckConstraints(engine::StatementContext& context, bool at_commit) {
  if (!db().HasLongChecks(*context.txn)) return db().CheckConstraints(context, at_commit);
  return OnPool([&](Waiter& waiter) -> Status {
    engine::StatementContext there = context;
    there.waiter = &waiter;
    return db().CheckConstraints(there, at_commit);
  });
}

Result<bool> SessionImpl::RunRowPlan(Plan& plan, std::span<const types::Value> params,
                                     engine::StatementContext& context, exec::RowSink& rows,
                                     uint64_t* affected) {
  StatementClock clock(instance_.counters(), KindOf(plan.statement),
                       StatementCounters::Executor::kRow);
  auto run = exec::ExecuteRowPlan(*plan.row_plan, db(), context, params, rows);
  if (!run.ok()) return clock.Done(run.status());
  if (run->gave_up) {
    if (run->was_tried && ++plan.gave_up == kGiveUpsMax) plan.row_plan.reset();
    return false;
  }
  *affected = run->counts.rows_affected;
  OMEN_TRY(clock.Done(EndStatement(plan, context)));
  return true;
}

// Starts the query in DuckDB and waits for its first chunk. A statement that ran into another
// transaction's committed change under READ COMMITTED is undone and run again on a newer snapshot,
// one that ran out of memory on one thread.
Status SessionImpl::OpenStream(Plan& plan, std::span<const types::Value> params,
                               PortalState& portal, uint64_t mark) {
  duck::ExecuteOptions options{.with_profile = portal.with_profile};
  for (int attempt = 0;; ++attempt) {
    auto again = duck::RunAgain::kNo;
    Status status = OnPool([&](Waiter& waiter) -> Status {
      portal.context.waiter = &waiter;
      auto started = duck_->Execute(*plan.bound, params, portal.context, options);
      Status failed;
      if (started.ok()) {
        portal.stream = std::move(*started);
        auto first = portal.stream->Next();
        if (first.ok()) {
          portal.chunk = *first;
          portal.chunk_row = 0;
          return Status::Ok();
        }
        failed = first.status();
      } else {
        failed = started.status();
      }
      if (attempt < kConflictRetries) again = duck_->run_again();
      portal.stream.reset();
      return failed;
    });
    if (status.ok()) {
      portal.state = PortalState::State::kStreaming;
      streaming_ = &portal;
      return status;
    }
    // The parts before this one have to be run again, too.
    if (again == duck::RunAgain::kOnNewSnapshot && plan.continues_statement) {
      conflict_in_part_ = true;
      again = duck::RunAgain::kNo;
    }
    if (again == duck::RunAgain::kNo) return AnnotatePosition(std::move(status), plan.statement);
    instance_.counters().CountRunAgain(again);
    block_.txn()->RollbackTo(mark);
    if (again == duck::RunAgain::kOnOneThread) {
      options.one_thread = true;
      continue;
    }
    block_.txn()->RefreshSnapshot();
    portal.context.catalog = catalog();
  }
}

Status SessionImpl::NextChunk(PortalState& portal) {
  const auto next = [&](Waiter& waiter) -> Status {
    portal.context.waiter = &waiter;
    OMEN_ASSIGN(portal.chunk, portal.stream->Next());
    portal.chunk_row = 0;
    return Status::Ok();
  };
  // The end of a result is mostly known with its last chunk: that is not worth a way to the pool.
  if (portal.stream->at_end()) return next(host_.waiter());
  return OnPool(next);
}

Status SessionImpl::RunInParts(Plan& plan, std::span<const types::Value> params,
                               const std::function<Status(const std::shared_ptr<Plan>&)>& rest) {
  for (int attempt = 0;; ++attempt) {
    OMEN_TRY(EnsureBound(plan));
    block_.EnsureStarted();
    const uint64_t mark = block_.txn()->Mark();
    conflict_in_part_ = false;
    const auto resolved = plan.modifies_below ? RunModifyingWith(*this, plan, params)
                                              : RunLockingSubqueries(*this, plan, params);
    Status status = resolved.ok() ? rest(*resolved) : resolved.status();
    // A part of another statement leaves it to that.
    if (status.ok() || !conflict_in_part_ || plan.continues_statement ||
        attempt == kConflictRetries) {
      return status;
    }
    instance_.counters().CountRunAgain(duck::RunAgain::kOnNewSnapshot);
    block_.txn()->RollbackTo(mark);
  }
}

// Locks, snapshot, and the first rows.
Status SessionImpl::StartPortal(PortalState& portal) {
  OMEN_TRY(SettleStream());
  if (portal.plan->modifies_below || portal.plan->locks_below) {
    const std::shared_ptr<Plan> whole = portal.plan;
    return RunInParts(*whole, portal.params, [&](const std::shared_ptr<Plan>& rest) {
      portal.plan = rest;
      return StartPortal(portal);
    });
  }
  Plan& plan = *portal.plan;
  block_.EnsureStarted();
  portal.context = OwnContext();
  OMEN_TRY(LockAndBind(plan, portal.context));
  OMEN_TRY(CheckMayWrite(*this, plan));
  if (!plan.continues_statement) block_.txn()->BeginStatement();
  portal.buffer.columns = plan.columns;
  if (plan.row_plan != nullptr) {
    BufferRows rows(portal.buffer);
    auto done = RunRowPlan(plan, portal.params, portal.context, rows, &portal.rows_affected);
    if (!done.ok()) return AnnotatePosition(done.status(), plan.statement);
    if (*done) {
      portal.state = PortalState::State::kBuffered;
      return Status::Ok();
    }
  }
  OMEN_TRY(OpenStream(plan, portal.params, portal, block_.txn()->Mark()));
  return IsDoneAtOnce(plan) ? BufferPortal(portal) : Status::Ok();
}

Status SessionImpl::SettleStream() {
  if (streaming_ == nullptr) return Status::Ok();
  return BufferPortal(*streaming_);
}

void SessionImpl::AbandonPortal(PortalState& portal) {
  if (streaming_ == &portal) streaming_ = nullptr;
  portal.stream.reset();
  portal.chunk = nullptr;
  portal.state = PortalState::State::kDone;
}

Status SessionImpl::BufferPortal(PortalState& portal, uint64_t rows_wanted) {
  if (portal.state == PortalState::State::kReady) OMEN_TRY(StartPortal(portal));
  const auto enough = [&] { return portal.buffer.rows.size() >= rows_wanted; };
  while (portal.state == PortalState::State::kStreaming && !enough()) {
    if (portal.chunk == nullptr) {
      portal.rows_affected = portal.stream->rows_affected();
      portal.stream.reset();
      portal.state = PortalState::State::kBuffered;
      if (streaming_ == &portal) streaming_ = nullptr;
      return EndStatement(*portal.plan, portal.context);
    }
    if (portal.chunk_row == portal.chunk->rows_count) {
      OMEN_TRY(NextChunk(portal));
      continue;
    }
    types::Row row(portal.chunk->columns.size());
    for (; portal.chunk_row < portal.chunk->rows_count && !enough(); ++portal.chunk_row) {
      for (size_t c = 0; c < row.size(); ++c) {
        row[c] = portal.chunk->columns[c].Get(portal.chunk_row);
      }
      portal.buffer.Append(row);
    }
  }
  return Status::Ok();
}

Result<bool> SessionImpl::RunPortal(PortalState& portal, uint64_t rows_max, ResultSink& sink) {
  Plan& plan = *portal.plan;
  if (portal.state == PortalState::State::kReady) {
    // Everything is wanted: rows need not be kept.
    if (rows_max == 0 && plan.is_query && !portal.is_cursor) {
      OMEN_TRY(RunQuery(plan, portal.params, false, sink, portal.tag));
      portal.state = PortalState::State::kDone;
      return true;
    }
    OMEN_TRY(StartPortal(portal));
  }
  uint64_t sent = 0;
  const auto full = [&] { return rows_max != 0 && sent == rows_max; };
  const auto left = [&] { return rows_max == 0 ? UINT64_MAX : rows_max - sent; };
  while (!full()) {
    if (const types::Row* row = portal.NextBuffered()) {
      OMEN_TRY(sink.OnRow(*row));
      ++portal.position;
      ++sent;
    } else if (portal.state != PortalState::State::kStreaming) {
      break;
    } else if (portal.is_cursor) {  // It may go back to them.
      const uint64_t have = portal.buffer.rows.size();
      OMEN_TRY(BufferPortal(portal, left() > UINT64_MAX - have ? UINT64_MAX : have + left()));
    } else {
      if (!portal.buffer.rows.empty()) portal.DropBuffered();
      OMEN_TRY(SendStreamed(portal, left(), sink, sent));
    }
  }
  if (full()) return false;
  SetPortalTag(portal, sent);
  if (portal.is_cursor) {
    portal.position = portal.dropped + static_cast<int64_t>(portal.buffer.rows.size()) + 1;
  } else {
    portal.state = PortalState::State::kDone;
  }
  return true;
}

Status SessionImpl::SendStreamed(PortalState& portal, uint64_t rows_max, ResultSink& sink,
                                 uint64_t& sent) {
  if (portal.chunk == nullptr) {
    portal.rows_affected = portal.stream->rows_affected();
    portal.stream.reset();
    streaming_ = nullptr;
    portal.state = PortalState::State::kBuffered;
    return EndStatement(*portal.plan, portal.context);
  }
  types::Row row(portal.chunk->columns.size());
  for (; portal.chunk_row < portal.chunk->rows_count && rows_max > 0; ++portal.chunk_row) {
    for (size_t c = 0; c < row.size(); ++c) row[c] = portal.chunk->columns[c].Get(portal.chunk_row);
    OMEN_TRY(sink.OnRow(row));
    ++portal.dropped;
    ++portal.position;
    ++sent;
    --rows_max;
  }
  return portal.chunk_row == portal.chunk->rows_count ? NextChunk(portal) : Status::Ok();
}

Status SessionImpl::RunQuery(Plan& plan, std::span<const types::Value> params,
                             bool announce_columns, ResultSink& sink, std::string& tag) {
  OMEN_TRY(SettleStream());
  if (plan.modifies_below || plan.locks_below) {
    return RunInParts(plan, params, [&](const std::shared_ptr<Plan>& rest) {
      const bool announce = std::exchange(announce_columns, false);
      return RunQuery(*rest, params, announce, sink, tag);
    });
  }
  block_.EnsureStarted();
  engine::StatementContext context = OwnContext();
  OMEN_TRY(LockAndBind(plan, context));
  OMEN_TRY(CheckMayWrite(*this, plan));
  if (announce_columns && plan.returns_rows) OMEN_TRY(sink.OnColumns(plan.columns));
  if (!plan.continues_statement) block_.txn()->BeginStatement();
  uint64_t affected = 0;
  uint64_t returned = 0;
  bool done = false;
  if (plan.row_plan != nullptr) {
    class CountedRows : public exec::RowSink {
     public:
      CountedRows(ResultSink& out, uint64_t& count) : out_(out), count_(count) {}
      Status OnRow(std::span<const types::Value> row) override {
        ++count_;
        return out_.OnRow(row);
      }

     private:
      ResultSink& out_;
      uint64_t& count_;
    } rows(sink, returned);
    auto by_rows = RunRowPlan(plan, params, context, rows, &affected);
    if (!by_rows.ok()) return AnnotatePosition(by_rows.status(), plan.statement);
    done = *by_rows;
  }
  if (!done) {
    StatementClock clock(instance_.counters(), KindOf(plan.statement),
                         StatementCounters::Executor::kDuck);
    PortalState run;
    run.context = context;
    Status status = OpenStream(plan, params, run, block_.txn()->Mark());
    while (status.ok() && run.chunk != nullptr) {
      returned += run.chunk->rows_count;
      if (plan.returns_rows) status = sink.OnChunk(*run.chunk);
      if (status.ok()) status = NextChunk(run);
    }
    streaming_ = nullptr;
    if (status.ok()) {
      affected = run.stream->rows_affected();
      run.stream.reset();
      status = EndStatement(plan, run.context);
    }
    if (!clock.Done(status).ok()) return AnnotatePosition(std::move(status), plan.statement);
  }
  SetQueryTag(plan, returned, affected, tag);
  return Status::Ok();
}

Status SessionImpl::RunQueryRows(
    Plan& plan, std::span<const types::Value> params,
    const std::function<Status(const types::Chunk*, std::span<const types::Value>)>& each,
    uint64_t* rows_affected, std::string* profile) {
  OMEN_TRY(SettleStream());
  if (plan.modifies_below || plan.locks_below) {
    return RunInParts(plan, params, [&](const std::shared_ptr<Plan>& rest) {
      return RunQueryRows(*rest, params, each, rows_affected, profile);
    });
  }
  block_.EnsureStarted();
  engine::StatementContext context = MakeContext(pool_waiter_ ? *pool_waiter_ : host_.waiter());
  OMEN_TRY(LockAndBind(plan, context));
  OMEN_TRY(CheckMayWrite(*this, plan));
  if (!plan.continues_statement) block_.txn()->BeginStatement();
  if (plan.row_plan != nullptr) {
    CallbackRows rows(each);
    OMEN_ASSIGN(const bool done, RunRowPlan(plan, params, context, rows, rows_affected));
    if (done) return Status::Ok();
  }
  PortalState run;
  run.context = context;
  run.with_profile = profile != nullptr;
  Status status = OpenStream(plan, params, run, block_.txn()->Mark());
  while (status.ok() && run.chunk != nullptr) {
    status = each(run.chunk, {});
    if (status.ok()) status = NextChunk(run);
  }
  streaming_ = nullptr;
  OMEN_TRY(std::move(status));
  *rows_affected = run.stream->rows_affected();
  if (profile != nullptr) *profile = run.stream->profile();
  run.stream.reset();
  return EndStatement(plan, run.context);
}

Result<uint64_t> SessionImpl::RunToEnd(Plan& plan, std::span<const types::Value> params) {
  const auto ignore = [](const types::Chunk*, std::span<const types::Value>) {
    return Status::Ok();
  };
  uint64_t affected = 0;
  OMEN_TRY(RunQueryRows(plan, params, ignore, &affected));
  return affected;
}

Status SessionImpl::RunUtility(const Statement& statement, UtilityResult& result,
                               ResultSink& sink) {
  const bool goes_on =
      streaming_ != nullptr && streaming_->is_cursor && RunsBesideStream(statement);
  if (!goes_on) OMEN_TRY(SettleStream());
  StatementClock clock(instance_.counters(), KindOf(statement),
                       StatementCounters::Executor::kUtility);
  return AnnotatePosition(clock.Done(DispatchUtility(*this, statement, result, sink)), statement);
}

}  // namespace omendb::sql
