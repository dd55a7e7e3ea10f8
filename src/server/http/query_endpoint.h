// query_endpoint.h - POST /query without HTTP: a JSON request in, a status and JSON out.
//
// Request        {"sql": "SELECT $1::int", "params": ["7"], "database": "omendb"}
//                params: null, true, false, numbers and strings; arrays and objects go as JSON
//                text.
// Authentication As the wire's: with trust the Basic user name is believed (default omendb); with
//                scram the password is checked against the role's verifier.
// Thread safety  One coroutine a request.
#pragma once

#include <string>
#include <string_view>

#include "server/connection_context.h"
#include "server/coroutine.h"

namespace omendb::server {

struct QueryRequest {
  std::string_view authorization;  // The header's value; empty when there is none.
  std::string_view body;
  std::string client_address;
};

struct QueryAnswer {
  int status = 200;  // HTTP's.
  std::string json;
};

QueryAnswer AnswerQuery(ConnectionContext& context, boost::asio::io_context& loop,
                        const QueryRequest& request, Yield yield);

// The HTTP status that fits an error of this SQLSTATE.
int HttpStatusOf(std::string_view sqlstate);

}  // namespace omendb::server
