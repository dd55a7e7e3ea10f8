#include "server/http/query_endpoint.h"

#include <nlohmann/json.hpp>

#include "base/sqlstate.h"
#include "pgwire/base64.h"
#include "pgwire/scram.h"
#include "pgwire/utf8.h"
#include "server/http/json_sink.h"
#include "server/http/json_writer.h"
#include "server/session_host.h"

namespace omendb::server {
namespace {

using Json = nlohmann::json;

constexpr std::string_view kDefaultUser = "omendb";

struct Credentials {
  std::string user{kDefaultUser};
  std::string password;
  bool given = false;
};

struct ParsedRequest {
  std::string sql;
  std::string database;
  std::vector<std::string> texts;  // Owns the parameters' bytes.
  std::vector<bool> nulls;
  bool has_params = false;
};

Status BadRequest(std::string message) {
  return Status(sqlstate::kInvalidParameterValue, std::move(message));
}

Result<Credentials> ParseAuthorization(std::string_view header) {
  Credentials credentials;
  if (header.empty()) return credentials;
  constexpr std::string_view kBasic = "Basic ";
  if (header.substr(0, kBasic.size()) != kBasic) {
    return Status(sqlstate::kInvalidAuthorizationSpecification,
                  "only HTTP Basic authentication is offered");
  }
  const auto plain = pgwire::Base64Decode(header.substr(kBasic.size()));
  const size_t colon = plain ? plain->find(':') : std::string::npos;
  if (colon == std::string::npos) {
    return Status(sqlstate::kInvalidAuthorizationSpecification, "malformed Authorization header");
  }
  credentials.user = plain->substr(0, colon);
  credentials.password = plain->substr(colon + 1);
  credentials.given = true;
  return credentials;
}

Status CheckPassword(ConnectionContext& context, const Credentials& credentials,
                     SessionHost& host) {
  const Status wrong(sqlstate::kInvalidPassword,
                     "password authentication failed for user \"" + credentials.user + "\"");
  if (!credentials.given) return wrong;
  const auto stored = context.instance.PasswordVerifier(credentials.user);
  const auto verifier = stored ? pgwire::ParseScramVerifier(*stored) : std::nullopt;
  bool right = false;
  // Thousands of hashes: not on the event loop. An unknown role costs the same.
  CancelFlag never;
  OMEN_TRY(host.RunAnalytical(
      [&](Waiter&) {
        const auto other = pgwire::MakeScramVerifier("other", 1, "0123456789abcdef");
        auto against = verifier.value_or(other);
        if (!verifier) against.iterations = pgwire::kScramIterations;
        right = pgwire::CheckScramPassword(against, credentials.password) && verifier.has_value();
      },
      never, nullptr));
  if (right) return Status::Ok();
  context.counters.authentication_failures.fetch_add(1, std::memory_order_relaxed);
  return wrong;
}

std::string ParameterText(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_boolean()) return value.get<bool>() ? "true" : "false";
  return value.dump();
}

Result<ParsedRequest> ParseRequest(std::string_view body, const std::string& user) {
  OMEN_TRY(pgwire::CheckUtf8(body));
  const Json json = Json::parse(body, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return BadRequest("the request body is not a JSON object");
  ParsedRequest request;
  request.database = user;
  for (const auto& [key, value] : json.items()) {
    if (key == "sql" && value.is_string()) {
      request.sql = value.get<std::string>();
    } else if (key == "database" && value.is_string()) {
      request.database = value.get<std::string>();
    } else if (key == "params" && value.is_array()) {
      for (const Json& param : value) {
        request.nulls.push_back(param.is_null());
        request.texts.push_back(param.is_null() ? std::string() : ParameterText(param));
      }
      request.has_params = !value.empty();
    } else {
      return BadRequest("unknown or mistyped field \"" + key +
                        "\": expected sql (string), params (array), database (string)");
    }
  }
  if (!json.contains("sql")) return BadRequest("the field \"sql\" is missing");
  if (request.sql.find('\0') != std::string::npos) {
    return BadRequest("the field \"sql\" holds a zero byte");
  }
  for (const std::string& text : request.texts) OMEN_TRY(pgwire::CheckUtf8(text));
  return request;
}

Status RunWithParameters(sql::Session& session, const ParsedRequest& request, JsonSink& sink) {
  OMEN_TRY(session.Parse("", request.sql, {}));
  std::vector<sql::BoundParameter> params;
  for (size_t i = 0; i < request.texts.size(); ++i) {
    params.push_back({.is_null = request.nulls[i], .bytes = request.texts[i]});
  }
  OMEN_TRY(session.Bind("", "", params));
  OMEN_ASSIGN(const sql::Session::PortalDescription portal, session.DescribePortal(""));
  if (portal.has_rows) {
    OMEN_TRY(sink.OnColumns({portal.columns.begin(), portal.columns.end()}));
  }
  return session.Execute("", 0, sink);
}

Status Run(sql::Session& session, const ParsedRequest& request, JsonSink& sink) {
  if (!request.has_params) {
    OMEN_TRY(session.ExecuteSimple(request.sql, sink));
  } else {
    Status status = RunWithParameters(session, request, sink);
    if (!status.ok()) session.FailTransaction();
    const Status synced = session.Sync(sink);
    OMEN_TRY(std::move(status));
    OMEN_TRY(synced);
  }
  if (session.transaction_status() == 'I') return Status::Ok();
  return Status(sqlstate::kActiveSqlTransaction,
                "the request left a transaction block open; it was rolled back")
      .WithHint("Send BEGIN and COMMIT in one request.");
}

Result<std::string> Answer(ConnectionContext& context, boost::asio::io_context& loop,
                           const QueryRequest& request, Yield yield) {
  SessionHost host(context.pool, loop, yield);
  OMEN_ASSIGN(const Credentials credentials, ParseAuthorization(request.authorization));
  if (context.auth == AuthMethod::kScram) OMEN_TRY(CheckPassword(context, credentials, host));
  OMEN_ASSIGN(const ParsedRequest parsed, ParseRequest(request.body, credentials.user));

  sql::Instance::SessionOptions options;
  options.user = credentials.user;
  options.database = parsed.database;
  options.application_name = "http";
  options.client_address = request.client_address;
  options.cancel_key = -1;  // Nobody is told the key; zero would mean "any key".
  options.backend_pid = context.next_pid.fetch_add(1, std::memory_order_relaxed);
  OMEN_ASSIGN(const std::unique_ptr<sql::Session> session,
              context.instance.NewSession(std::move(options), host));
  JsonSink sink(session->io_settings());
  OMEN_TRY(Run(*session, parsed, sink));
  return sink.Take();
}

}  // namespace

int HttpStatusOf(std::string_view sqlstate) {
  const std::string_view kind = sqlstate.substr(0, 2);
  if (kind == "28") return 401;
  if (sqlstate == "42501") return 403;
  if (kind == "40" || sqlstate == "55P03") return 409;
  if (kind == "53" || kind == "57" || kind == "58") return 503;
  if (kind == "XX") return 500;
  return 400;
}

QueryAnswer AnswerQuery(ConnectionContext& context, boost::asio::io_context& loop,
                        const QueryRequest& request, Yield yield) {
  auto answer = Answer(context, loop, request, yield);
  if (answer.ok()) return {200, std::move(answer).value()};
  const ErrorInfo& error = answer.status().error();
  return {HttpStatusOf(error.sqlstate.view()), ErrorJson(error)};
}

}  // namespace omendb::server
