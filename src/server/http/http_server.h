// http_server.h - HTTP on its own port: /health, /ready, /metrics, POST /query and a console page.
//
// Thread safety  Listen before the loop runs; Stop and the connections on the loop's thread.
// Ownership      Borrows the context and the loop; both outlive it. Each connection is a coroutine.
// Errors         A request that is not HTTP gets 400 and its connection closed; a body over
//                kBodyBytesMax 413. A page of another origin may not post: 403.
#pragma once

#include <atomic>
#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <set>
#include <string>

#include "server/connection_context.h"
#include "server/coroutine.h"

namespace omendb::server {

class HttpServer {
 public:
  static constexpr uint64_t kBodyBytesMax = uint64_t{16} << 20;

  HttpServer(ConnectionContext& context, boost::asio::io_context& loop);
  ~HttpServer();

  // As OpenTcp of listen.h.
  Status Listen(const std::string& address, uint16_t port);
  uint16_t port() const { return port_; }
  // /ready answers 503 from now on. Any thread.
  void SetNotReady() { ready_.store(false, std::memory_order_release); }
  // Closes the listener and interrupts what waits for clients. On the loop's thread.
  void Stop();
  // Connections whose coroutines have not ended. Any thread.
  int open_connections() const { return open_.load(std::memory_order_acquire); }

 private:
  class Session;
  void AcceptLoop(Yield yield);

  ConnectionContext& context_;
  boost::asio::io_context& loop_;
  boost::asio::ip::tcp::acceptor acceptor_;
  uint16_t port_ = 0;
  std::atomic<bool> ready_{true};
  std::atomic<int> open_{0};
  std::set<Session*> sessions_;  // The loop's thread only.
};

}  // namespace omendb::server
