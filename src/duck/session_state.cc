#include "duck/session_state.h"

#include "base/sqlstate.h"
#include "duck/errors.h"

namespace omendb::duck {

SessionState* SessionState::TryGet(duckdb::ClientContext& context) {
  return context.registered_state->Get<SessionState>(kKey).get();
}

SessionState& SessionState::Get(duckdb::ClientContext& context) {
  SessionState* state = TryGet(context);
  if (state == nullptr) {
    ThrowStatus(Status(sqlstate::kInternalError, "DuckDB connection without a session"));
  }
  return *state;
}

const types::IoSettings& SessionState::io_settings() const {
  static const types::IoSettings kDefaults;
  return statement != nullptr && statement->io_settings != nullptr ? *statement->io_settings
                                                                   : kDefaults;
}

engine::StatementContext& SessionState::RequireStatement() {
  if (statement == nullptr) {
    ThrowStatus(Status(sqlstate::kInternalError, "no statement is running"));
  }
  return *statement;
}

void SessionState::ThrowIfCancelled() {
  if (statement != nullptr && statement->cancel != nullptr && statement->cancel->set()) {
    ThrowStatus(statement->cancel->ToStatus());
  }
}

}  // namespace omendb::duck
