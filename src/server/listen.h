// listen.h - opens listening TCP sockets.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <string>

#include "base/status.h"

namespace omendb::server {

Status CannotListen(const std::string& where, const std::string& why);

// `address`: a number, "localhost" (127.0.0.1), or "*" or empty for every address of the machine
// (IPv6 and IPv4 where there is IPv6, else IPv4). Port 0 takes any free one. 58030 naming the
// address when it cannot be listened on.
Status OpenTcp(boost::asio::ip::tcp::acceptor& acceptor, const std::string& address, uint16_t port);

}  // namespace omendb::server
