// stream.h - a connection's bytes, with or without TLS.
//
// Thread safety  One coroutine, except Abort (its event loop's thread).
// Errors         08006 when the client is gone. A read past its deadline answers kTimedOut: what
//                that means is the caller's to say.
#pragma once

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ssl.hpp>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "base/status.h"
#include "server/coroutine.h"

namespace omendb::server {

using Socket = boost::asio::generic::stream_protocol::socket;

class Stream {
 public:
  enum class ReadState { kData, kClosed, kTimedOut, kInterrupted };
  struct ReadResult {
    ReadState state = ReadState::kClosed;
    size_t bytes = 0;
  };

  Stream(boost::asio::io_context& loop, Socket socket);
  ~Stream();

  // Waits for bytes. kInterrupted after Interrupt().
  ReadResult Read(std::span<char> into, SteadyTime deadline, Yield yield);
  // Writes all of it; suspends while the client does not take it.
  Status Write(std::string_view bytes, Yield yield);
  // The server's side of the TLS handshake; 08P01 when it fails.
  Status StartTls(boost::asio::ssl::context& context, Yield yield);
  bool is_tls() const { return tls_ != nullptr; }
  void Close();

  // Makes the present and all later reads return kInterrupted. On the loop's thread.
  void Interrupt();
  boost::asio::io_context& loop() { return loop_; }
  // True for a Unix socket whose client runs as the same user as the server.
  bool PeerIsOwnUser() const;
  // "127.0.0.1:5000" or "[local]".
  std::string PeerAddress() const;

 private:
  ReadResult ReadPlain(std::span<char> into, SteadyTime deadline, Yield yield);
  ReadResult ReadTls(std::span<char> into, SteadyTime deadline, Yield yield);
  // Arms the timer that cancels the socket's waits at the deadline; DisarmDeadline makes a timer
  // that has already fired harmless.
  void ArmDeadline(SteadyTime deadline);
  void DisarmDeadline();

  boost::asio::io_context& loop_;
  Socket socket_;
  std::unique_ptr<boost::asio::ssl::stream<Socket&>> tls_;
  boost::asio::steady_timer timer_;
  // Counts the deadlines; outlives this object in the timer's handler.
  std::shared_ptr<uint64_t> deadline_number_ = std::make_shared<uint64_t>(0);
  bool timed_out_ = false;
  bool interrupted_ = false;
};

}  // namespace omendb::server
