// main.cc - the command line of omendb.
#include <fmt/format.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <CLI/CLI.hpp>
#include <cstdio>

#include "env/env.h"
#include "server/serve.h"

// Read by jemalloc before main: memory that nobody uses goes back to the kernel soon, so
// that the parts of one budget can shift (engine/memory_budget.h).
extern "C" {
extern const char* malloc_conf;
const char* malloc_conf = "background_thread:true,dirty_decay_ms:100,muzzy_decay_ms:0";
}

namespace {

constexpr const char* kVersion = "omendb 0.1.0 (PostgreSQL protocol 3.0, SQL of PostgreSQL 15)";

// What was given on the command line; empty = not given.
struct Arguments {
  std::string data_dir;
  std::string config;
  std::string port;
  std::string listen;
  std::string http_port;
  std::string memory;
  std::string auth;
  std::string tls_cert;
  std::string tls_key;
  std::string log_level = "info";
  std::vector<std::string> settings;
};

omendb::Result<std::string> ReadFile(const std::string& path) {
  const auto env = omendb::env::NewPosixEnv();
  OMEN_ASSIGN(const uint64_t size, env->FileSize(path));
  OMEN_ASSIGN(const auto file, env->NewSequentialFile(path));
  std::string text(size, '\0');
  size_t filled = 0;
  while (filled < text.size()) {
    OMEN_ASSIGN(const size_t got, file->Read({text.data() + filled, text.size() - filled}));
    if (got == 0) break;
    filled += got;
  }
  text.resize(filled);
  return text;
}

void AddCommandLine(const Arguments& arguments, omendb::server::Settings& settings) {
  const auto add = [&](const char* name, const std::string& value) {
    if (!value.empty()) settings.emplace_back(name, value);
  };
  add("port", arguments.port);
  add("listen_addresses", arguments.listen);
  add("omendb.http_port", arguments.http_port);
  add("omendb.memory", arguments.memory);
  add("omendb.auth", arguments.auth);
  if (!arguments.tls_cert.empty()) settings.emplace_back("ssl", "on");
  add("ssl_cert_file", arguments.tls_cert);
  add("ssl_key_file", arguments.tls_key);
  for (const std::string& setting : arguments.settings) {
    const size_t equals = setting.find('=');
    settings.emplace_back(setting.substr(0, equals),
                          equals == std::string::npos ? "" : setting.substr(equals + 1));
  }
}

omendb::Status Serve(const Arguments& arguments) {
  omendb::server::Settings settings;
  if (!arguments.config.empty()) {
    OMEN_ASSIGN(const std::string text, ReadFile(arguments.config));
    OMEN_ASSIGN(settings, omendb::server::ParseConfig(text, arguments.config));
  }
  AddCommandLine(arguments, settings);
  OMEN_ASSIGN(const omendb::server::ServeOptions options,
              omendb::server::ResolveServeOptions(arguments.data_dir, settings));
  return omendb::server::Serve(options);
}

omendb::Status Check(const Arguments& arguments) {
  std::string report;
  omendb::Status status = omendb::server::Check(arguments.data_dir, report);
  std::fputs(report.c_str(), stdout);
  if (status.ok()) std::puts("no damage found");
  return status;
}

int Finish(const omendb::Status& status) {
  if (status.ok()) return 0;
  const omendb::ErrorInfo& error = status.error();
  fmt::print(stderr, "omendb: {} ({})\n", error.message, error.sqlstate.view());
  if (!error.detail.empty()) fmt::print(stderr, "  {}\n", error.detail);
  if (!error.hint.empty()) fmt::print(stderr, "  hint: {}\n", error.hint);
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  CLI::App app{"OmenDB: transactions and analytics on the same rows, over PostgreSQL's protocol"};
  app.set_version_flag("--version", kVersion);
  app.require_subcommand(1);

  CLI::App* serve = app.add_subcommand("serve", "Serve a data folder until SIGTERM");
  serve->add_option("--data-dir", arguments.data_dir, "The data folder; made when missing")
      ->required();
  serve->add_option("--config", arguments.config, "File of name = value lines")
      ->check(CLI::ExistingFile);
  serve->add_option("--port", arguments.port, "PostgreSQL protocol (default 5433)");
  serve->add_option("--listen", arguments.listen, "Address; * for all (default 127.0.0.1)");
  serve->add_option("--http-port", arguments.http_port, "HTTP (default 8080)");
  serve->add_option("--memory", arguments.memory, "For rows, indexes and queries (default 4GB)");
  serve->add_option("--auth", arguments.auth, "trust or scram (default trust)")
      ->check(CLI::IsMember({"trust", "scram"}));
  CLI::Option* cert = serve->add_option("--tls-cert", arguments.tls_cert, "Certificate chain, PEM");
  CLI::Option* key = serve->add_option("--tls-key", arguments.tls_key, "Private key, PEM");
  cert->needs(key);
  key->needs(cert);
  serve->add_option("--log-level", arguments.log_level, "trace, debug, info, warn or error")
      ->check(CLI::IsMember({"trace", "debug", "info", "warn", "error"}));
  serve->add_option("-c,--set", arguments.settings, "A setting: name=value")
      ->allow_extra_args(false);

  CLI::App* check = app.add_subcommand("check", "Verify a stopped database");
  check->add_option("--data-dir", arguments.data_dir, "The data folder")->required();

  CLI11_PARSE(app, argc, argv);
  spdlog::set_default_logger(spdlog::stderr_color_mt("omendb"));
  spdlog::set_level(spdlog::level::from_str(arguments.log_level));
  return Finish(serve->parsed() ? Serve(arguments) : Check(arguments));
}
