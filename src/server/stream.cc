#include "server/stream.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/write.hpp>
#include <cerrno>

#include "base/sqlstate.h"

namespace omendb::server {
namespace {

Status ClientGone() {
  return Status(sqlstate::kConnectionFailure, "connection to client lost")
      .WithRadius(Radius::kConnection);
}

}  // namespace

Stream::Stream(boost::asio::io_context& loop, Socket socket)
    : loop_(loop), socket_(std::move(socket)), timer_(loop) {
  boost::system::error_code ignored;
  socket_.non_blocking(true, ignored);
}

Stream::~Stream() { DisarmDeadline(); }

void Stream::DisarmDeadline() {
  ++*deadline_number_;
  timer_.cancel();
}

void Stream::ArmDeadline(SteadyTime deadline) {
  timed_out_ = false;
  if (deadline == kNoDeadline) return;
  timer_.expires_at(deadline);
  timer_.async_wait([this, number = deadline_number_,
                     mine = *deadline_number_](const boost::system::error_code& error) {
    if (error || *number != mine) return;
    timed_out_ = true;
    boost::system::error_code ignored;
    socket_.cancel(ignored);
  });
}

Stream::ReadResult Stream::Read(std::span<char> into, SteadyTime deadline, Yield yield) {
  if (interrupted_) return {ReadState::kInterrupted};
  return is_tls() ? ReadTls(into, deadline, yield) : ReadPlain(into, deadline, yield);
}

Stream::ReadResult Stream::ReadPlain(std::span<char> into, SteadyTime deadline, Yield yield) {
  // Usually the next request is there already or comes soon: ask the kernel before the reactor.
  while (true) {
    const ssize_t got = ::recv(socket_.native_handle(), into.data(), into.size(), 0);
    if (got > 0) return {ReadState::kData, static_cast<size_t>(got)};
    if (got == 0) return {ReadState::kClosed};
    if (errno == EINTR) continue;
    if (errno != EAGAIN && errno != EWOULDBLOCK) return {ReadState::kClosed};
    ArmDeadline(deadline);
    boost::system::error_code error;
    socket_.async_wait(Socket::wait_read, yield[error]);
    if (deadline != kNoDeadline) DisarmDeadline();
    if (interrupted_) return {ReadState::kInterrupted};
    if (timed_out_) return {ReadState::kTimedOut};
    if (error) return {ReadState::kClosed};
  }
}

Stream::ReadResult Stream::ReadTls(std::span<char> into, SteadyTime deadline, Yield yield) {
  ArmDeadline(deadline);
  boost::system::error_code error;
  const size_t got =
      tls_->async_read_some(boost::asio::buffer(into.data(), into.size()), yield[error]);
  if (deadline != kNoDeadline) DisarmDeadline();
  if (got > 0) return {ReadState::kData, got};
  if (interrupted_) return {ReadState::kInterrupted};
  return {timed_out_ ? ReadState::kTimedOut : ReadState::kClosed};
}

Status Stream::Write(std::string_view bytes, Yield yield) {
  if (is_tls()) {
    boost::system::error_code error;
    boost::asio::async_write(*tls_, boost::asio::buffer(bytes.data(), bytes.size()), yield[error]);
    return error ? ClientGone() : Status::Ok();
  }
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket_.native_handle(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent >= 0) {
      bytes.remove_prefix(static_cast<size_t>(sent));
      continue;
    }
    if (errno == EINTR) continue;
    if (errno != EAGAIN && errno != EWOULDBLOCK) return ClientGone();
    boost::system::error_code error;
    socket_.async_wait(Socket::wait_write, yield[error]);
    if (error) return ClientGone();
  }
  return Status::Ok();
}

Status Stream::StartTls(boost::asio::ssl::context& context, Yield yield) {
  tls_ = std::make_unique<boost::asio::ssl::stream<Socket&>>(socket_, context);
  boost::system::error_code error;
  tls_->async_handshake(boost::asio::ssl::stream_base::server, yield[error]);
  if (!error) return Status::Ok();
  return Status(sqlstate::kProtocolViolation, "could not accept SSL connection: " + error.message())
      .WithRadius(Radius::kConnection);
}

void Stream::Close() {
  boost::system::error_code ignored;
  socket_.shutdown(Socket::shutdown_both, ignored);
  socket_.close(ignored);
}

void Stream::Interrupt() {
  interrupted_ = true;
  boost::system::error_code ignored;
  socket_.cancel(ignored);
}

bool Stream::PeerIsOwnUser() const {
  ucred peer{};
  socklen_t size = sizeof peer;
  auto& socket = const_cast<Socket&>(socket_);
  if (::getsockopt(socket.native_handle(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0)
    return false;
  boost::system::error_code error;
  const auto endpoint = socket_.local_endpoint(error);
  return !error && endpoint.protocol().family() == AF_UNIX && peer.uid == ::geteuid();
}

std::string Stream::PeerAddress() const {
  boost::system::error_code error;
  const auto endpoint = socket_.remote_endpoint(error);
  if (error) return "[local]";
  const auto* address = static_cast<const sockaddr*>(static_cast<const void*>(endpoint.data()));
  char text[INET6_ADDRSTRLEN] = {};
  if (address->sa_family == AF_INET) {
    const auto* v4 = static_cast<const sockaddr_in*>(static_cast<const void*>(endpoint.data()));
    inet_ntop(AF_INET, &v4->sin_addr, text, sizeof(text));
    return std::string(text) + ":" + std::to_string(ntohs(v4->sin_port));
  }
  if (address->sa_family == AF_INET6) {
    const auto* v6 = static_cast<const sockaddr_in6*>(static_cast<const void*>(endpoint.data()));
    inet_ntop(AF_INET6, &v6->sin6_addr, text, sizeof(text));
    return "[" + std::string(text) + "]:" + std::to_string(ntohs(v6->sin6_port));
  }
  return "[local]";
}

}  // namespace omendb::server
