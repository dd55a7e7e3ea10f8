#include "server/server.h"

#include <openssl/rand.h>
#include <openssl/x509.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/post.hpp>
#include <future>

#include "base/sqlstate.h"
#include "server/connection.h"
#include "server/http/http_server.h"
#include "server/listen.h"

namespace omendb::server {
namespace {

using Tcp = boost::asio::ip::tcp;
using Local = boost::asio::local::stream_protocol;

std::string RandomSeed() {
  std::string seed(32, '\0');
  RAND_bytes(reinterpret_cast<unsigned char*>(seed.data()), static_cast<int>(seed.size()));
  return seed;
}

// tls-server-end-point (RFC 5929): the hash of the certificate with the algorithm of its signature,
// SHA-256 where that is MD5 or SHA-1. Empty when it cannot be told.
std::string CertificateHash(SSL_CTX* tls) {
  X509* certificate = SSL_CTX_get0_certificate(tls);
  int algorithm = NID_undef;
  if (certificate == nullptr ||
      X509_get_signature_info(certificate, &algorithm, nullptr, nullptr, nullptr) != 1) {
    return {};
  }
  if (algorithm == NID_md5 || algorithm == NID_sha1) algorithm = NID_sha256;
  const EVP_MD* method = EVP_get_digestbynid(algorithm);
  unsigned char hash[EVP_MAX_MD_SIZE];
  unsigned int bytes = 0;
  if (method == nullptr || X509_digest(certificate, method, hash, &bytes) != 1) return {};
  return {reinterpret_cast<const char*>(hash), bytes};
}

// A socket file whose server is gone can be replaced; one that still answers cannot.
bool SomebodyListens(const std::string& path) {
  boost::asio::io_context io;
  Local::socket probe(io);
  boost::system::error_code error;
  probe.connect(Local::endpoint(path), error);
  return !error;
}

}  // namespace

Server::Server(const ServerOptions& options, sql::Instance& instance)
    : options_(options),
      pool_(
          std::make_unique<AnalyticalPool>(options.analytical_tasks_max, options.analytical_nice)),
      context_(new ConnectionContext{.instance = instance, .pool = *pool_}) {
  context_->auth = options.auth;
  context_->max_connections = options.max_connections;
  context_->mock_seed = RandomSeed();
}

Result<std::unique_ptr<Server>> Server::Start(const ServerOptions& options,
                                              sql::Instance& instance) {
  std::unique_ptr<Server> server(new Server(options, instance));
  OMEN_TRY(server->LoadTls());
  for (int i = 0; i < std::max(1, options.event_loops); ++i) {
    server->loops_.push_back(std::make_unique<Loop>());
  }
  OMEN_TRY(server->Listen());
  for (auto& loop : server->loops_) {
    loop->thread = std::thread([io = &loop->io] { io->run(); });
  }
  return server;
}

Server::~Server() { OMEN_CHECK(Shutdown()); }

uint16_t Server::http_port() const { return http_ != nullptr ? http_->port() : 0; }

int64_t Server::open_connections() const {
  return coroutines_.load() + (http_ != nullptr ? http_->open_connections() : 0);
}

Status Server::LoadTls() {
  if (options_.tls_certificate_file.empty()) return Status::Ok();
  namespace ssl = boost::asio::ssl;
  boost::system::error_code error;
  auto& tls = context_->tls.emplace(ssl::context::tls_server);
  tls.set_options(ssl::context::no_tlsv1 | ssl::context::no_tlsv1_1, error);
  tls.use_certificate_chain_file(options_.tls_certificate_file, error);
  if (error) {
    return Status(SqlState("F0000"), "could not load server certificate file \"" +
                                         options_.tls_certificate_file + "\": " + error.message());
  }
  tls.use_private_key_file(options_.tls_key_file, ssl::context::pem, error);
  if (error) {
    return Status(SqlState("F0000"), "could not load private key file \"" + options_.tls_key_file +
                                         "\": " + error.message());
  }
  context_->tls_certificate_hash = CertificateHash(tls.native_handle());
  return Status::Ok();
}

Status Server::Listen() {
  OMEN_ASSIGN(port_, ListenTcp(options_.port, [this](Loop& loop, Socket socket, Yield yield) {
                ServeWire(loop, std::move(socket), yield);
              }));
  if (options_.http) {
    http_ = std::make_unique<HttpServer>(*context_, loops_[0]->io);
    OMEN_TRY(http_->Listen(options_.listen_address, options_.http_port));
  }
  return ListenUnix();
}

Result<uint16_t> Server::ListenTcp(uint16_t port, Serve serve) {
  auto acceptor = std::make_shared<Tcp::acceptor>(loops_[0]->io);
  OMEN_TRY(OpenTcp(*acceptor, options_.listen_address, port));
  const uint16_t bound = acceptor->local_endpoint().port();
  AcceptLoop(acceptor, std::move(serve));
  return bound;
}

Status Server::ListenUnix() {
  if (options_.unix_socket_directory.empty()) return Status::Ok();
  const std::string path = options_.unix_socket_directory + "/.s.PGSQL." + std::to_string(port_);
  if (SomebodyListens(path)) return CannotListen(path, "another server is using it");
  ::unlink(path.c_str());
  boost::system::error_code error;
  auto acceptor = std::make_shared<Local::acceptor>(loops_[0]->io);
  acceptor->open(Local(), error);
  if (!error) acceptor->bind(Local::endpoint(path), error);
  if (!error) acceptor->listen(boost::asio::socket_base::max_listen_connections, error);
  if (error) return CannotListen(path, error.message());
  ::chmod(path.c_str(), 0777);
  unix_socket_path_ = path;
  AcceptLoop(acceptor, [this](Loop& loop, Socket socket, Yield yield) {
    ServeWire(loop, std::move(socket), yield);
  });
  return Status::Ok();
}

Server::Loop& Server::NextLoop() {
  return *loops_[next_loop_.fetch_add(1, std::memory_order_relaxed) % loops_.size()];
}

template <typename Acceptor>
void Server::AcceptLoop(std::shared_ptr<Acceptor> acceptor, Serve serve) {
  close_acceptors_.push_back([acceptor] {
    boost::system::error_code ignored;
    acceptor->close(ignored);
  });
  Spawn(loops_[0]->io, [this, acceptor, serve = std::move(serve)](Yield yield) {
    while (acceptor->is_open()) {
      Loop& loop = NextLoop();
      typename Acceptor::protocol_type::socket accepted(loop.io);
      boost::system::error_code error;
      acceptor->async_accept(accepted, yield[error]);
      if (error == boost::asio::error::operation_aborted) return;
      if (error) {
        // Out of descriptors, or the client went away: breathe, then go on.
        boost::asio::steady_timer pause(loops_[0]->io, std::chrono::milliseconds(20));
        boost::system::error_code ignored;
        pause.async_wait(yield[ignored]);
        continue;
      }
      if constexpr (std::is_same_v<Acceptor, Tcp::acceptor>) {
        accepted.set_option(Tcp::no_delay(true), error);
      }
      coroutines_.fetch_add(1);
      auto socket = std::make_shared<Socket>(std::move(accepted));
      Spawn(loop.io, [this, &loop, socket, serve](Yield connection_yield) {
        serve(loop, std::move(*socket), connection_yield);
        coroutines_.fetch_sub(1);
      });
    }
  });
}

void Server::ServeWire(Loop& loop, Socket socket, Yield yield) {
  const uint64_t number = next_connection_.fetch_add(1, std::memory_order_relaxed);
  context_->counters.connections_accepted.fetch_add(1, std::memory_order_relaxed);
  // On the heap: input views and the session are large, and a coroutine's stack is not.
  auto connection = std::make_unique<Connection>(*context_, loop.io, std::move(socket), yield);
  loop.connections.emplace(number, connection.get());
  connection->Run();
  loop.connections.erase(number);
}

void Server::OnEveryLoop(const std::function<void(Loop&)>& work) {
  std::vector<std::future<void>> done;
  for (auto& loop : loops_) {
    auto promise = std::make_shared<std::promise<void>>();
    done.push_back(promise->get_future());
    boost::asio::post(loop->io, [&work, promise, l = loop.get()] {
      work(*l);
      promise->set_value();
    });
  }
  for (auto& each : done) each.wait();
}

bool Server::Shutdown() {
  if (shut_down_) return true;
  shut_down_ = true;
  const bool running = !loops_.empty() && loops_[0]->thread.joinable();
  if (running) {
    if (http_ != nullptr) http_->SetNotReady();
    OnEveryLoop([this](Loop& loop) {
      if (&loop != loops_[0].get()) return;
      for (const auto& close : close_acceptors_) close();
      if (http_ != nullptr) http_->Stop();
    });
    const auto deadline =
        std::chrono::steady_clock::now() + std::chrono::milliseconds(options_.shutdown_grace_ms);
    while (open_connections() > 0 && std::chrono::steady_clock::now() < deadline) {
      context_->instance.ShutdownSessions();
      OnEveryLoop([](Loop& loop) {
        for (auto& [number, connection] : loop.connections) connection->Interrupt();
      });
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    if (open_connections() > 0) return false;
  }
  for (auto& loop : loops_) {
    loop->work.reset();
    loop->io.stop();
    if (loop->thread.joinable()) loop->thread.join();
  }
  if (!unix_socket_path_.empty()) ::unlink(unix_socket_path_.c_str());
  return true;
}

}  // namespace omendb::server
