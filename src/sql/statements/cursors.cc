// DECLARE, FETCH, MOVE, CLOSE. A cursor is a portal whose query goes on as rows are fetched. All
// its rows are kept when it is WITH HOLD, and when another statement runs while it is open: that
// must not change them.
#include <fmt/format.h>

#include "base/sqlstate.h"
#include "sql/statements/dispatch.h"

namespace omendb::sql {
namespace {

constexpr int32_t kBinary = 0x0001, kScroll = 0x0002, kNoScroll = 0x0004, kHold = 0x0020;
constexpr int64_t kAll = INT64_MAX;

Result<PortalState*> FindCursor(SessionImpl& session, std::string_view name) {
  if (PortalState* found = session.portals().Find(name)) return found;
  return Status(sqlstate::kInvalidCursorName, fmt::format("cursor \"{}\" does not exist", name));
}

// Rows [first, last) of the buffer, in the order of the fetch.
struct Range {
  std::vector<int64_t> rows;  // 1-based
  int64_t position;           // afterwards
};

Range Forward(int64_t position, int64_t total, int64_t count) {
  Range range;
  const int64_t available = std::max<int64_t>(0, total - position);
  const int64_t take = count == kAll ? available : std::min(count, available);
  for (int64_t i = 1; i <= take; ++i) range.rows.push_back(position + i);
  range.position = count == kAll || count > available ? total + 1 : position + take;
  return range;
}

Range Backward(int64_t position, int64_t total, int64_t count) {
  Range range;
  const int64_t from = std::min(position, total + 1);
  const int64_t available = std::max<int64_t>(0, from - 1);
  const int64_t take = count == kAll ? available : std::min(count, available);
  for (int64_t i = 1; i <= take; ++i) range.rows.push_back(from - i);
  range.position = count == kAll || count > available ? 0 : from - take;
  return range;
}

Range At(int64_t row, int64_t total) {
  Range range;
  if (row >= 1 && row <= total) range.rows.push_back(row);
  range.position = std::min(std::max<int64_t>(row, 0), total + 1);
  return range;
}

Range Resolve(const PgQuery__FetchStmt& fetch, int64_t position, int64_t total) {
  const int64_t n = fetch.how_many;
  switch (fetch.direction) {
    case PG_QUERY__FETCH_DIRECTION__FETCH_ABSOLUTE:
      return At(n < 0 ? total + 1 + n : n, total);
    case PG_QUERY__FETCH_DIRECTION__FETCH_RELATIVE:
      return At(position + n, total);
    case PG_QUERY__FETCH_DIRECTION__FETCH_BACKWARD:
      if (n == 0) return At(position, total);
      return n < 0 ? Forward(position, total, -n) : Backward(position, total, n);
    default:
      if (n == 0) return At(position, total);
      return n < 0 ? Backward(position, total, -n) : Forward(position, total, n);
  }
}

bool GoesBackward(const PgQuery__FetchStmt& fetch) {
  switch (fetch.direction) {
    case PG_QUERY__FETCH_DIRECTION__FETCH_FORWARD:
      return fetch.how_many < 0;
    case PG_QUERY__FETCH_DIRECTION__FETCH_BACKWARD:
      return fetch.how_many > 0;
    default:
      return fetch.how_many < 0;
  }
}

int64_t Ahead(int64_t position, int64_t rows) {
  return rows > kAll - position ? kAll : position + rows;
}

// The last row that the fetch may look at; kAll where only the end tells.
int64_t FurthestRow(const PgQuery__FetchStmt& fetch, int64_t position) {
  const int64_t n = fetch.how_many;
  switch (fetch.direction) {
    case PG_QUERY__FETCH_DIRECTION__FETCH_ABSOLUTE:
      return n < 0 ? kAll : n;
    case PG_QUERY__FETCH_DIRECTION__FETCH_BACKWARD:
      return n < 0 ? Ahead(position, -n) : position;
    default:
      return n > 0 ? Ahead(position, n) : position;
  }
}

// A portal of the protocol may be of any statement, of the very one that fetches too.
Status CheckFetchable(const PortalState& portal) {
  if (portal.plan == nullptr) return NotSupported("FETCH from a portal without a statement");
  OMEN_TRY(portal.CheckRunnable());
  if (portal.plan->is_query && portal.plan->returns_rows) return Status::Ok();
  return NotSupported(
      fmt::format("FETCH from a portal of {}", CommandTag(portal.plan->statement.node)));
}

Status CannotGoBack() {
  return Status(sqlstate::kObjectNotInPrerequisiteState, "cursor can only scan forward")
      .WithHint("Declare it with SCROLL option to enable backward scan.");
}

// Takes rows from the query up to the one that is needed.
Status ReadUpTo(SessionImpl& session, PortalState& portal, int64_t row) {
  const int64_t wanted = row == kAll ? kAll : std::max<int64_t>(row - portal.dropped, 0);
  Status status = session.BufferPortal(portal, static_cast<uint64_t>(wanted));
  if (status.ok() || !portal.is_cursor) return status;
  portal.failed = true;
  session.AbandonPortal(portal);
  return status;
}

// A cursor without SCROLL keeps what it has read while that is little: many clients step back by a
// few rows. The row it stands on stays in any case.
void ForgetRowsRead(PortalState& portal) {
  constexpr size_t kBytesKept = size_t{4} << 20;
  RowBuffer& buffer = portal.buffer;
  if (portal.keeps_rows || portal.state != PortalState::State::kStreaming) return;
  const size_t row_bytes = sizeof(types::Row) + buffer.columns.size() * sizeof(types::Value);
  if (buffer.arena().bytes_reserved() + buffer.rows.size() * row_bytes <= kBytesKept) return;
  if (portal.position != portal.dropped + static_cast<int64_t>(buffer.rows.size())) return;
  RowBuffer rest;
  rest.columns = std::move(buffer.columns);
  rest.Append(buffer.rows.back());
  buffer = std::move(rest);
  portal.dropped = portal.position - 1;
}

}  // namespace

Status RunDeclareCursor(UtilityCall& call) {
  const PgQuery__DeclareCursorStmt& declare = *call.node()->declare_cursor_stmt;
  SessionImpl& session = call.session;
  const std::string name(View(declare.portalname));
  const bool hold = (declare.options & kHold) != 0;
  if (!hold && !session.block().in_block() && !session.in_multi_statement()) {
    return Status(sqlstate::kNoActiveSqlTransaction,
                  "DECLARE CURSOR can only be used in transaction blocks");
  }
  if (session.portals().Find(name) != nullptr) {
    return Status(sqlstate::kDuplicateCursor, fmt::format("cursor \"{}\" already exists", name));
  }
  Statement inner = call.statement;
  inner.node = declare.query;
  auto portal = session.portals().New();
  portal->name = name;
  portal->plan = session.NewPlan(inner, {});
  if (inner.kind() != PG_QUERY__NODE__NODE_SELECT_STMT || !portal->plan->is_query) {
    return Status(sqlstate::kSyntaxError, "DECLARE CURSOR must specify a SELECT statement");
  }
  if (portal->plan->modifies_below) {
    return Status(sqlstate::kFeatureNotSupported,
                  "DECLARE CURSOR must not contain data-modifying statements in WITH");
  }
  portal->is_cursor = true;
  portal->scroll = (declare.options & kNoScroll) == 0;
  portal->keeps_rows = (declare.options & kScroll) != 0;
  portal->hold = hold;
  portal->binary = (declare.options & kBinary) != 0;
  portal->transaction_serial = session.block().serial();
  portal->created_micros = session.now_micros();
  portal->query = std::make_shared<const std::string>(call.statement.text);
  Status started = session.BufferPortal(*portal, 0);
  // Locks are taken before the first row is seen.
  if (started.ok() && (hold || portal->plan->lock)) started = session.BufferPortal(*portal);
  if (!started.ok()) {
    session.AbandonPortal(*portal);
    return started;
  }
  session.portals().Open(std::move(portal));
  return Status::Ok();
}

Status RunFetch(UtilityCall& call) {
  const PgQuery__FetchStmt& fetch = *call.node()->fetch_stmt;
  OMEN_ASSIGN(PortalState * portal, FindCursor(call.session, View(fetch.portalname)));
  OMEN_TRY(CheckFetchable(*portal));
  if (!portal->scroll && GoesBackward(fetch)) return CannotGoBack();
  OMEN_TRY(ReadUpTo(call.session, *portal, FurthestRow(fetch, portal->position)));
  const auto total = portal->dropped + static_cast<int64_t>(portal->buffer.rows.size());
  const Range range = Resolve(fetch, portal->position, total);
  for (int64_t row : range.rows) {
    if (row <= portal->dropped) return CannotGoBack();
  }
  portal->position = range.position;
  call.result.tag = fmt::format("{} {}", fetch.ismove ? "MOVE" : "FETCH", range.rows.size());
  if (!fetch.ismove) {
    call.result.buffer.columns = portal->plan->columns;
    for (int64_t row : range.rows) {
      call.result.buffer.Append(
          portal->buffer.rows[static_cast<size_t>(row - portal->dropped - 1)]);
    }
  }
  ForgetRowsRead(*portal);
  return Status::Ok();
}

Status RunClosePortal(UtilityCall& call) {
  const std::string name(View(call.node()->close_portal_stmt->portalname));
  SessionImpl& session = call.session;
  if (name.empty()) {
    session.portals().CloseIf([&](PortalState& portal) {
      if (portal.is_cursor) session.AbandonPortal(portal);
      return portal.is_cursor;
    });
    return Status::Ok();
  }
  OMEN_ASSIGN(PortalState * portal, FindCursor(session, name));
  if (portal->state == PortalState::State::kActive) {
    return Status(sqlstate::kInvalidCursorState,
                  fmt::format("cannot drop active portal \"{}\"", name));
  }
  return session.ClosePortal(name);
}

}  // namespace omendb::sql
