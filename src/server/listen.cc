#include "server/listen.h"

#include <boost/asio/ip/v6_only.hpp>

#include "base/sqlstate.h"

namespace omendb::server {
namespace {

using Tcp = boost::asio::ip::tcp;
using ErrorCode = boost::system::error_code;

ErrorCode TryOpen(Tcp::acceptor& acceptor, const Tcp::endpoint& endpoint) {
  ErrorCode error;
  if (acceptor.is_open()) acceptor.close(error);
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(Tcp::acceptor::reuse_address(true), error);
  if (!error && endpoint.address().is_v6() && endpoint.address().is_unspecified()) {
    acceptor.set_option(boost::asio::ip::v6_only(false), error);
  }
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(boost::asio::socket_base::max_listen_connections, error);
  return error;
}

}  // namespace

Status CannotListen(const std::string& where, const std::string& why) {
  return Status(sqlstate::kIoError, "could not listen on " + where + ": " + why);
}

Status OpenTcp(Tcp::acceptor& acceptor, const std::string& address, uint16_t port) {
  const std::string where = address + ":" + std::to_string(port);
  ErrorCode error;
  if (address.empty() || address == "*") {
    error = TryOpen(acceptor, Tcp::endpoint(Tcp::v6(), port));
    if (error == boost::asio::error::address_family_not_supported ||
        error == boost::asio::error::no_protocol_option) {
      error = TryOpen(acceptor, Tcp::endpoint(Tcp::v4(), port));
    }
  } else {
    const auto ip =
        boost::asio::ip::make_address(address == "localhost" ? "127.0.0.1" : address, error);
    if (!error) error = TryOpen(acceptor, Tcp::endpoint(ip, port));
  }
  return error ? CannotListen(where, error.message()) : Status::Ok();
}

}  // namespace omendb::server
