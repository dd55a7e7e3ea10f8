// serve.h - `omendb serve` and `omendb check`: a data folder, the SQL layer and the server, wired
// together, and ended in order.
//
// Settings       PostgreSQL's names where it has one (docs/settings.md). The command line goes
//                before the configuration file.
// Errors         42704 for a setting that does not exist, 22023 for a bad value; what
//                Database::Open and Server::Start answer.
#pragma once

#include <cstdint>
#include <string>

#include "base/status.h"
#include "engine/database.h"
#include "server/config_file.h"
#include "server/server.h"
#include "sql/session.h"

namespace omendb::server {

struct ServeOptions {
  engine::DatabaseOptions database;
  sql::Instance::Options instance;
  ServerOptions server;
  bool learned_index_tuning = false;
};

// `settings` in order: a later one overrides an earlier one. Names are the settings'.
Result<ServeOptions> ResolveServeOptions(const std::string& data_dir, const Settings& settings);

// Serves until SIGTERM or SIGINT; then ends cleanly. Call it before any thread was started: the
// signals are blocked in all of them.
Status Serve(const ServeOptions& options);

// Opens the folder as a server would, reading and checking everything in it, and checks every table
// against its indexes. Leaves the folder as it was. Appends a line for each table to `report`.
Status Check(const std::string& data_dir, std::string& report);

}  // namespace omendb::server
