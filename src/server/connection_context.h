// connection_context.h - what all connections of a server share.
//
// Thread safety  Constant after construction, or atomic.
#pragma once

#include <atomic>
#include <boost/asio/ssl/context.hpp>
#include <cstdint>
#include <optional>
#include <string>

#include "server/pool.h"
#include "sql/session.h"

namespace omendb::server {

enum class AuthMethod : uint8_t { kTrust, kScram };

struct ServerCounters {
  std::atomic<uint64_t> connections_accepted{0};
  std::atomic<uint64_t> connections_refused{0};
  std::atomic<uint64_t> authentication_failures{0};
  std::atomic<int64_t> connections_open{0};
  std::atomic<uint64_t> bytes_received{0};
  std::atomic<uint64_t> bytes_sent{0};
};

struct ConnectionContext {
  sql::Instance& instance;
  AnalyticalPool& pool;
  AuthMethod auth = AuthMethod::kTrust;
  int max_connections = 100;
  std::optional<boost::asio::ssl::context> tls;
  std::string tls_certificate_hash;  // tls-server-end-point channel binding
  std::string mock_seed;             // secret; see pgwire::ScramServer
  std::atomic<int32_t> next_pid{1};
  ServerCounters counters;
};

}  // namespace omendb::server
