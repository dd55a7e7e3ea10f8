// portal.h - a statement with its parameters, being run: what Execute, FETCH and MOVE take rows of.
//
//   ready -> streaming -> done        rows come from DuckDB as they are asked for
//         -> buffered  -> done        rows were computed (row plans) or had to be kept because
//                                     another statement runs meanwhile
//         -> active -> buffered -> done   utility statements
//
// A portal that is active, failed, or done without rows cannot be run.
//
// A cursor goes from streaming to buffered when its end is reached. Until then its buffer holds
// what was fetched, and without SCROLL no more than a little of that.
//
// Thread safety  The session's thread.
// Ownership      Owns parameters and buffered rows.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "duck/duck_engine.h"
#include "sql/plan.h"
#include "sql/session.h"

namespace omendb::sql {

// Rows of any result, kept.
struct RowBuffer {
  std::vector<types::ResultColumn> columns;
  std::vector<types::Row> rows;

  // Owns the bytes of the rows; there from its first use on.
  types::Arena& arena() {
    if (arena_ == nullptr) arena_ = std::make_unique<types::Arena>();
    return *arena_;
  }
  void Append(std::span<const types::Value> row);
  void Append(const types::Chunk& chunk);
  // A row of text columns.
  void AppendText(std::initializer_list<std::string_view> fields);

 private:
  std::unique_ptr<types::Arena> arena_;
};

// A utility statement's outcome: a tag, and perhaps rows.
struct UtilityResult {
  RowBuffer buffer;
  std::string tag;
};

// Everything of a portal that begins anew with each statement.
struct PortalRun {
  enum class State { kReady, kActive, kStreaming, kBuffered, kDone };

  std::string name;
  std::shared_ptr<Plan> plan;
  State state = State::kReady;
  engine::StatementContext context;
  std::unique_ptr<duck::DuckResult> stream;
  const types::Chunk* chunk = nullptr;  // the rest of it is next, from chunk_row on
  uint32_t chunk_row = 0;
  bool with_profile = false;
  RowBuffer buffer;
  int64_t dropped = 0;   // rows before the buffer's first that were let go, or sent at once
  int64_t position = 0;  // 0 before the first row, n + 1 behind the last
  uint64_t rows_affected = 0;
  std::string tag;      // utility statements
  uint64_t number = 0;  // in the order in which the session opened its portals

  // Cursors.
  bool is_cursor = false;
  bool scroll = false;
  bool hold = false;
  bool binary = false;
  bool keeps_rows = false;  // SCROLL: rows that were read can be read again, however many they are
  bool failed = false;      // its statement failed: nothing more can be read
  uint64_t transaction_serial = 0;  // it lives as long as this transaction, unless hold
  int64_t created_micros = 0;
  std::shared_ptr<const std::string> query;  // its text
};

struct PortalState : PortalRun {
  // 55000. Requires: a statement.
  Status CheckRunnable() const;
  // The row behind the position, null where the buffer has none.
  const types::Row* NextBuffered() const;
  // Lets go of the buffered rows, all of which are before the position.
  void DropBuffered();

  types::Arena arena;  // owns the parameters' bytes
  std::vector<types::Value> params;
  std::vector<types::ResultColumn> utility_columns;  // those of a utility statement, once described

  // As if it were new, but with its memory.
  void Reuse() {
    stream.reset();  // It runs the plan.
    static_cast<PortalRun&>(*this) = PortalRun();
    arena.Reset();
    params.clear();
    utility_columns.clear();
  }
};

// The command tag of a run that sent so many rows; utility statements have theirs, but for FETCH.
void SetPortalTag(PortalState& portal, uint64_t rows_sent);

}  // namespace omendb::sql
