// server.h - listens, runs the event loops, and ends everything in order.
//
// Threads        `event_loops` threads, each an io_context that serves the connections given to it
//                in turn; the pool for analytical work; nothing else.
// Thread safety  Start, Shutdown: one caller. The rest: any thread.
// Ownership      Borrows the Instance, which must outlive it.
// Errors         58030 naming the address when it cannot be listened on; F0000 for unreadable
//                certificates.
#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "server/connection_context.h"
#include "server/stream.h"

namespace omendb::server {

class Connection;
class HttpServer;

struct ServerOptions {
  std::string listen_address = "127.0.0.1";  // "*" = every address
  uint16_t port = 5433;                      // 0 = any free one
  uint16_t http_port = 8080;                 // 0 = any free one
  bool http = true;
  std::string unix_socket_directory = "/tmp";  // empty = none
  AuthMethod auth = AuthMethod::kTrust;
  std::string tls_certificate_file;  // empty = no TLS
  std::string tls_key_file;
  int max_connections = 100;
  int event_loops = 2;
  int analytical_tasks_max = 2;
  int analytical_nice = 0;              // of the threads that run them
  uint64_t shutdown_grace_ms = 10'000;  // Running statements get this long to notice.
};

class Server {
 public:
  static Result<std::unique_ptr<Server>> Start(const ServerOptions& options,
                                               sql::Instance& instance);
  // Shuts down if that has not been done.
  ~Server();

  // Stops listening, ends running statements and connections with 57P01, joins all threads. False
  // when a session did not end within the grace: then it may still use the Instance, and the
  // process must end without destroying anything.
  bool Shutdown();

  uint16_t port() const { return port_; }
  uint16_t http_port() const;  // 0 without HTTP
  ConnectionContext& context() { return *context_; }

 private:
  struct Loop {
    boost::asio::io_context io{1};
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work{
        boost::asio::make_work_guard(io)};
    std::thread thread;
    // Connections of this loop by number; touched on its thread alone.
    std::map<uint64_t, Connection*> connections;
  };
  using Serve = std::function<void(Loop&, Socket, Yield)>;

  Server(const ServerOptions& options, sql::Instance& instance);
  Status LoadTls();
  Status Listen();
  Result<uint16_t> ListenTcp(uint16_t port, Serve serve);
  Status ListenUnix();
  template <typename Acceptor>
  void AcceptLoop(std::shared_ptr<Acceptor> acceptor, Serve serve);
  void ServeWire(Loop& loop, Socket socket, Yield yield);
  int64_t open_connections() const;
  Loop& NextLoop();
  // On every loop's thread, once, and waits for it.
  void OnEveryLoop(const std::function<void(Loop&)>& work);

  const ServerOptions options_;
  std::unique_ptr<AnalyticalPool> pool_;
  std::unique_ptr<ConnectionContext> context_;
  std::vector<std::unique_ptr<Loop>> loops_;
  std::unique_ptr<HttpServer> http_;  // On the first loop; gone before it.
  std::atomic<size_t> next_loop_{0};
  std::atomic<uint64_t> next_connection_{0};
  std::atomic<int64_t> coroutines_{0};  // Connections of either kind that still run.
  std::vector<std::function<void()>> close_acceptors_;
  std::string unix_socket_path_;
  uint16_t port_ = 0;
  bool shut_down_ = false;
};

}  // namespace omendb::server
