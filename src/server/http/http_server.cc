#include "server/http/http_server.h"

#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <optional>

#include "server/http/console_page.h"
#include "server/http/metrics.h"
#include "server/http/query_endpoint.h"
#include "server/listen.h"

namespace omendb::server {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using ErrorCode = boost::system::error_code;
using Request = http::request<http::string_body>;
using Response = http::response<http::string_body>;

// A client that neither sends nor takes a byte for so long is let go.
constexpr auto kIdleTimeout = std::chrono::seconds(60);

std::string_view View(beast::string_view text) { return {text.data(), text.size()}; }

Response MakeResponse(const Request& request, int status, std::string_view type, std::string body) {
  Response response(static_cast<http::status>(status), request.version());
  response.set(http::field::content_type, beast::string_view(type.data(), type.size()));
  response.set("X-Content-Type-Options", "nosniff");
  if (status == 401) response.set(http::field::www_authenticate, "Basic realm=\"OmenDB\"");
  response.keep_alive(request.keep_alive());
  response.body() = std::move(body);
  response.prepare_payload();
  if (request.method() == http::verb::head) response.body().clear();
  return response;
}

Response Text(const Request& request, int status, std::string text) {
  return MakeResponse(request, status, "text/plain; charset=utf-8", std::move(text));
}

// True when a browser sends the request on behalf of a page that is not ours.
bool IsForeignOrigin(const Request& request) {
  const std::string_view origin = View(request[http::field::origin]);
  if (origin.empty()) return false;
  const size_t host_at = origin.find("://");
  return host_at == std::string_view::npos ||
         origin.substr(host_at + 3) != View(request[http::field::host]);
}

}  // namespace

class HttpServer::Session {
 public:
  Session(HttpServer& server, asio::ip::tcp::socket socket)
      : server_(server), stream_(std::move(socket)) {
    server_.sessions_.insert(this);
  }
  ~Session() {
    server_.sessions_.erase(this);
    server_.open_.fetch_sub(1, std::memory_order_release);
  }
  void Run(Yield yield);
  void Interrupt() {
    interrupted_ = true;
    stream_.cancel();
  }

 private:
  Response Answer(const Request& request, Yield yield);
  Response AnswerGet(const Request& request);
  std::string PeerAddress() const;

  HttpServer& server_;
  beast::tcp_stream stream_;
  bool interrupted_ = false;
};

void HttpServer::Session::Run(Yield yield) {
  beast::flat_buffer buffer;
  while (!interrupted_) {
    http::request_parser<http::string_body> parser;
    parser.body_limit(kBodyBytesMax);
    stream_.expires_after(kIdleTimeout);
    ErrorCode error;
    http::async_read(stream_, buffer, parser, yield[error]);
    if (error == http::error::end_of_stream || interrupted_) break;
    std::optional<Response> response;
    if (error) {
      if (error.category() != make_error_code(http::error::end_of_stream).category()) break;
      const int status = error == http::error::body_limit ? 413 : 400;
      response = Text(parser.get(), status, error.message() + "\n");
      response->keep_alive(false);
    } else {
      stream_.expires_never();
      response = Answer(parser.get(), yield);
    }
    stream_.expires_after(kIdleTimeout);
    http::async_write(stream_, *response, yield[error]);
    if (error || !response->keep_alive()) break;
  }
  ErrorCode ignored;
  stream_.socket().shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
}

std::string HttpServer::Session::PeerAddress() const {
  ErrorCode error;
  const auto endpoint = stream_.socket().remote_endpoint(error);
  return error ? std::string()
               : endpoint.address().to_string() + ":" + std::to_string(endpoint.port());
}

Response HttpServer::Session::AnswerGet(const Request& request) {
  const std::string_view target = View(request.target());
  if (target == "/") {
    return MakeResponse(request, 200, "text/html; charset=utf-8", std::string(ConsolePage()));
  }
  if (target == "/health") {
    const Status health = server_.context_.instance.database().health();
    return health.ok() ? Text(request, 200, "ok\n") : Text(request, 503, health.ToString() + "\n");
  }
  if (target == "/ready") {
    const bool ready = server_.ready_.load(std::memory_order_acquire);
    return ready ? Text(request, 200, "ready\n") : Text(request, 503, "shutting down\n");
  }
  if (target == "/metrics") {
    return MakeResponse(request, 200, "text/plain; version=0.0.4; charset=utf-8",
                        MetricsText(server_.context_));
  }
  if (target == "/query") return Text(request, 405, "use POST\n");
  return Text(request, 404, "there is /, /health, /ready, /metrics and POST /query\n");
}

Response HttpServer::Session::Answer(const Request& request, Yield yield) {
  if (request.method() == http::verb::get || request.method() == http::verb::head) {
    return AnswerGet(request);
  }
  if (request.method() != http::verb::post) return Text(request, 405, "use GET or POST\n");
  if (View(request.target()) != "/query") return Text(request, 404, "there is POST /query\n");
  if (IsForeignOrigin(request)) return Text(request, 403, "pages of other origins may not post\n");
  QueryRequest query;
  query.authorization = View(request[http::field::authorization]);
  query.body = request.body();
  query.client_address = PeerAddress();
  QueryAnswer answer = AnswerQuery(server_.context_, server_.loop_, query, yield);
  return MakeResponse(request, answer.status, "application/json", std::move(answer.json));
}

HttpServer::HttpServer(ConnectionContext& context, asio::io_context& loop)
    : context_(context), loop_(loop), acceptor_(loop) {}

HttpServer::~HttpServer() = default;

Status HttpServer::Listen(const std::string& address, uint16_t port) {
  OMEN_TRY(OpenTcp(acceptor_, address, port));
  port_ = acceptor_.local_endpoint().port();
  Spawn(loop_, [this](Yield yield) { AcceptLoop(yield); });
  return Status::Ok();
}

void HttpServer::AcceptLoop(Yield yield) {
  while (acceptor_.is_open()) {
    asio::ip::tcp::socket socket(loop_);
    ErrorCode error;
    acceptor_.async_accept(socket, yield[error]);
    if (!acceptor_.is_open()) break;
    if (error) {
      // Out of file descriptors, most likely: they come back as connections end.
      asio::steady_timer pause(loop_, std::chrono::milliseconds(100));
      pause.async_wait(yield[error]);
      continue;
    }
    socket.set_option(asio::ip::tcp::no_delay(true), error);
    open_.fetch_add(1, std::memory_order_relaxed);
    auto session = std::make_shared<Session>(*this, std::move(socket));
    Spawn(loop_, [session](Yield own) { session->Run(own); });
  }
}

void HttpServer::Stop() {
  SetNotReady();
  ErrorCode ignored;
  acceptor_.close(ignored);
  for (Session* session : sessions_) session->Interrupt();
}

}  // namespace omendb::server
