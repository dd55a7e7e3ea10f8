#include "server/serve.h"

#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <thread>

#include "base/open_files.h"
#include "base/sqlstate.h"
#include "base/thread_priority.h"
#include "engine/check.h"
#include "index/int_index.h"
#include "sql/settings/registry.h"

namespace omendb::server {
namespace {

class SettingReader {
 public:
  // Checks every name and value. A later setting replaces an earlier one of the same name.
  static Result<SettingReader> Create(const Settings& settings) {
    SettingReader reader;
    for (const auto& [name, text] : settings) {
      const sql::SettingDef* def = sql::FindSetting(name);
      if (def == nullptr) {
        return Status(sqlstate::kUndefinedObject,
                      "unrecognized configuration parameter \"" + name + "\"");
      }
      OMEN_ASSIGN(std::string value, sql::ParseSettingValue(*def, text));
      reader.Put(std::string(def->name), std::move(value));
    }
    return reader;
  }
  const std::string* Find(std::string_view name) const {
    for (const auto& [key, value] : values_) {
      if (key == name) return &value;
    }
    return nullptr;
  }
  void Get(std::string_view name, std::string& out) const {
    if (const std::string* value = Find(name)) out = *value;
  }
  // ParseSettingValue has made sure that it is a number in range.
  template <typename T>
  void Get(std::string_view name, T& out, uint64_t unit = 1) const {
    if (const std::string* value = Find(name)) out = static_cast<T>(std::stoull(*value) * unit);
  }
  // The same for settings whose default nothing else gives.
  template <typename T>
  void GetOrDefault(std::string_view name, T& out, uint64_t unit = 1) const {
    out = static_cast<T>(sql::DefaultNumber(name) * unit);
    Get(name, out, unit);
  }
  const Settings& values() const { return values_; }

 private:
  void Put(std::string name, std::string value) {
    for (auto& [key, old] : values_) {
      if (key == name) {
        old = std::move(value);
        return;
      }
    }
    values_.emplace_back(std::move(name), std::move(value));
  }
  Settings values_;
};

int CoreCount() { return std::max(1, static_cast<int>(std::thread::hardware_concurrency())); }

void ReadServerSettings(const SettingReader& settings, ServerOptions& server) {
  settings.Get("listen_addresses", server.listen_address);
  settings.Get("port", server.port);
  settings.Get("omendb.http_port", server.http_port);
  settings.Get("unix_socket_directories", server.unix_socket_directory);
  settings.Get("max_connections", server.max_connections);
  settings.GetOrDefault("omendb.analytical_nice", server.analytical_nice);
  const std::string* auth = settings.Find("omendb.auth");
  server.auth = auth != nullptr && *auth == "scram" ? AuthMethod::kScram : AuthMethod::kTrust;
  const std::string* ssl = settings.Find("ssl");
  if (ssl != nullptr && *ssl == "on") {
    server.tls_certificate_file = "server.crt";
    server.tls_key_file = "server.key";
    settings.Get("ssl_cert_file", server.tls_certificate_file);
    settings.Get("ssl_key_file", server.tls_key_file);
  }
  server.event_loops = std::min(2, CoreCount());
  server.analytical_tasks_max = 2 * CoreCount();
}

// SIGTERM and SIGINT, taken by the thread that waits for them instead of a handler.
sigset_t EndSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  return signals;
}

// DuckDB's threads begin with the nice value of the one that starts them.
Result<std::unique_ptr<sql::Instance>> NewInstance(const ServeOptions& options,
                                                   engine::Database& database) {
  Result<std::unique_ptr<sql::Instance>> instance{nullptr};
  std::thread([&] {
    SetThreadNice(options.server.analytical_nice);
    instance = sql::Instance::Create(database, options.instance);
  }).join();
  return instance;
}

}  // namespace

Result<ServeOptions> ResolveServeOptions(const std::string& data_dir, const Settings& settings) {
  OMEN_ASSIGN(const SettingReader reader, SettingReader::Create(settings));
  ServeOptions options;
  options.database.data_dir = data_dir;
  reader.Get("omendb.memory", options.database.memory_bytes, 1024);
  reader.Get("max_wal_size", options.database.checkpoint_wal_bytes, uint64_t{1} << 20);
  reader.Get("checkpoint_timeout", options.database.checkpoint_interval_ms, 1000);
  reader.GetOrDefault("omendb.freeze_after", options.database.freeze_after_ms, 1000);
  if (const std::string* fsync = reader.Find("fsync")) options.database.fsync = *fsync == "on";

  const std::string* tuning = reader.Find("omendb.learned_index_tuning");
  options.learned_index_tuning = tuning != nullptr && *tuning == "on";

  ReadServerSettings(reader, options.server);
  options.instance.port = options.server.port;
  options.instance.max_connections = options.server.max_connections;
  options.instance.duck_threads = CoreCount();
  int share_percent = 100;
  reader.GetOrDefault("omendb.analytical_share", share_percent);
  options.instance.analytical_share = share_percent / 100.0;
  options.instance.temp_directory = data_dir + "/tmp";
  options.instance.settings = reader.values();
  return options;
}

Status Serve(const ServeOptions& options) {
  const sigset_t signals = EndSignals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGHUP, SIG_IGN);
  AllowAllOpenFiles();

  index::SetIndexTuning(options.learned_index_tuning);
  const std::unique_ptr<env::Env> env = env::NewPosixEnv();
  OMEN_ASSIGN(const std::unique_ptr<engine::Database> database,
              engine::Database::Open(*env, options.database));
  if (const Status health = database->health(); !health.ok()) {
    spdlog::error("{}", health.ToString());
  }
  OMEN_ASSIGN(std::unique_ptr<sql::Instance> instance, NewInstance(options, *database));
  OMEN_ASSIGN(std::unique_ptr<Server> server, Server::Start(options.server, *instance));
  spdlog::info("ready: PostgreSQL protocol on {}:{}, HTTP on port {}, data in {}",
               options.server.listen_address, server->port(), server->http_port(),
               options.database.data_dir);

  int signal = 0;
  sigwait(&signals, &signal);
  spdlog::info("{}: shutting down", signal == SIGINT ? "SIGINT" : "SIGTERM");
  // A second signal ends the process at once: what was acknowledged is in the log.
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
  if (!server->Shutdown()) {
    spdlog::warn("a statement did not end in time: leaving without a checkpoint");
    spdlog::shutdown();
    ::_exit(0);
  }
  server.reset();
  instance.reset();
  OMEN_TRY(database->Close());
  spdlog::info("stopped");
  return Status::Ok();
}

Status Check(const std::string& data_dir, std::string& report) {
  AllowAllOpenFiles();
  const std::unique_ptr<env::Env> env = env::NewPosixEnv();
  OMEN_ASSIGN(const engine::CheckReport found, engine::CheckDatabase(*env, data_dir));
  for (const auto& table : found.tables) {
    report += table.name + ": " + std::to_string(table.rows) + " rows, " +
              std::to_string(table.indexes) + " indexes\n";
  }
  for (const std::string& problem : found.problems) report += problem + "\n";
  if (found.problems.empty()) return Status::Ok();
  return Status(sqlstate::kDataCorrupted,
                std::to_string(found.problems.size()) + " problems found");
}

}  // namespace omendb::server
