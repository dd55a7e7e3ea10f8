// connection_startup.cc - the first packets of a connection: TLS, who it is, its session.
#include <openssl/rand.h>

#include <algorithm>

#include "base/sqlstate.h"
#include "pgwire/scram.h"
#include "server/connection.h"

namespace omendb::server {
namespace {

// PostgreSQL's authentication_timeout.
constexpr std::chrono::seconds kAuthenticationTimeout{60};

SteadyTime AuthenticationDeadline() {
  return std::chrono::steady_clock::now() + kAuthenticationTimeout;
}

Status Fatal(SqlState sqlstate, std::string message) {
  return Status(sqlstate, std::move(message)).WithRadius(Radius::kConnection);
}

int32_t RandomKey() {
  // Zero would mean "any key" to the activity list.
  int32_t key = 0;
  while (key == 0) RAND_bytes(reinterpret_cast<unsigned char*>(&key), sizeof(key));
  return key;
}

// Startup parameters that are not settings of the session.
bool IsConnectionParameter(std::string_view name) {
  return name == "user" || name == "database" || name == "replication" || name == "options" ||
         name == "application_name";
}

// "-c name=value --name=value" of the `options` parameter; backslash escapes a blank.
Status ParseOptions(std::string_view text,
                    std::vector<std::pair<std::string, std::string>>& settings) {
  std::vector<std::string> words(1);
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size()) {
      words.back() += text[++i];
    } else if (text[i] == ' ') {
      if (!words.back().empty()) words.emplace_back();
    } else {
      words.back() += text[i];
    }
  }
  for (size_t i = 0; i < words.size(); ++i) {
    std::string assignment = words[i];
    if (assignment.empty()) continue;
    if (assignment == "-c" && i + 1 < words.size()) {
      assignment = words[++i];
    } else if (assignment.starts_with("-c") || assignment.starts_with("--")) {
      assignment = assignment.substr(2);
    } else {
      return Fatal(sqlstate::kSyntaxError,
                   "invalid command-line argument for server process: " + assignment);
    }
    const size_t equals = assignment.find('=');
    if (equals == std::string::npos) {
      return Fatal(sqlstate::kSyntaxError, "-c " + assignment + " requires a value");
    }
    std::string name = assignment.substr(0, equals);
    std::replace(name.begin(), name.end(), '-', '_');
    settings.emplace_back(std::move(name), assignment.substr(equals + 1));
  }
  return Status::Ok();
}

}  // namespace

Status Connection::ReadStartupPacket(pgwire::StartupPacket& packet) {
  const SteadyTime deadline = AuthenticationDeadline();
  std::string_view body;
  while (true) {
    const pgwire::FrameState state = input_.NextStartup(body);
    if (state == pgwire::FrameState::kBroken) return input_.error();
    if (state == pgwire::FrameState::kFrame) break;
    OMEN_TRY(ReadMore(deadline));
  }
  OMEN_ASSIGN(packet, pgwire::DecodeStartup(body));
  return Status::Ok();
}

Status Connection::AnswerTlsRequest() {
  if (stream_.is_tls()) return Fatal(sqlstate::kProtocolViolation, "SSL request inside SSL");
  if (!context_.tls.has_value()) {
    return stream_.Write("N", yield_);
  }
  // Bytes after the request would be taken for encrypted ones (CVE-2021-23214).
  if (input_.buffered() > 0) {
    return Fatal(sqlstate::kProtocolViolation, "received unencrypted data after SSL request");
  }
  OMEN_TRY(stream_.Write("S", yield_));
  return stream_.StartTls(*context_.tls, yield_);
}

Result<bool> Connection::Start() {
  pgwire::StartupPacket packet;
  while (true) {
    OMEN_TRY(ReadStartupPacket(packet));
    if (packet.kind == pgwire::StartupKind::kCancelRequest) {
      // As PostgreSQL: no answer, whether it matched or not.
      if (packet.cancel_secret == 0) return false;
      context_.instance.CancelBackend(static_cast<int32_t>(packet.cancel_pid),
                                      static_cast<int32_t>(packet.cancel_secret));
      return false;
    }
    if (packet.kind == pgwire::StartupKind::kStartup) break;
    if (packet.kind == pgwire::StartupKind::kSslRequest) {
      OMEN_TRY(AnswerTlsRequest());
    } else {
      OMEN_TRY(stream_.Write("N", yield_));
    }
  }
  const std::string* user = packet.Find("user");
  if (user == nullptr || user->empty()) {
    return Fatal(sqlstate::kInvalidAuthorizationSpecification,
                 "no PostgreSQL user name specified in startup packet");
  }
  if (context_.counters.connections_open.load(std::memory_order_relaxed) >
      context_.max_connections) {
    context_.counters.connections_refused.fetch_add(1, std::memory_order_relaxed);
    return Fatal(sqlstate::kTooManyConnections, "sorry, too many clients already");
  }
  if (packet.minor_version > 0 || !packet.unknown_options.empty()) {
    pgwire::WriteNegotiateProtocolVersion(output_, packet.unknown_options);
  }
  const Status authenticated = Authenticate(*user);
  if (!authenticated.ok()) {
    context_.counters.authentication_failures.fetch_add(1, std::memory_order_relaxed);
    return authenticated;
  }
  OMEN_TRY(OpenSession(packet));
  return true;
}

Result<std::string_view> Connection::ReadPassword() {
  pgwire::Frame frame;
  OMEN_TRY(NextFrame(frame, AuthenticationDeadline(), pgwire::InputBuffer::kAuthBytesMax));
  if (frame.type != pgwire::frontend::kPassword) {
    return Fatal(sqlstate::kProtocolViolation,
                 "expected SASL response, got message type " + std::to_string(frame.type));
  }
  return frame.body;
}

Status Connection::Authenticate(const std::string& user) {
  // Whoever runs the server may come in through its socket: that is how the first password is set.
  if (context_.auth == AuthMethod::kScram && !stream_.PeerIsOwnUser()) {
    const auto stored = context_.instance.PasswordVerifier(user);
    pgwire::ScramServer scram(
        user, stored.has_value() ? pgwire::ParseScramVerifier(*stored) : std::nullopt,
        context_.mock_seed, stream_.is_tls() ? context_.tls_certificate_hash : std::string());
    std::vector<std::string_view> mechanisms;
    if (stream_.is_tls() && !context_.tls_certificate_hash.empty()) {
      mechanisms.push_back(pgwire::kScramSha256Plus);
    }
    mechanisms.push_back(pgwire::kScramSha256);
    pgwire::WriteAuthenticationSasl(output_, mechanisms);
    OMEN_ASSIGN(const std::string_view first, ReadPassword());
    pgwire::SaslInitialMessage initial;
    OMEN_TRY(pgwire::DecodeSaslInitial(first, initial));
    OMEN_TRY(scram.ChooseMechanism(initial.mechanism));
    OMEN_ASSIGN(const std::string challenge, scram.HandleClientFirst(initial.response));
    pgwire::WriteAuthenticationSaslContinue(output_, challenge);
    OMEN_ASSIGN(const std::string_view proof, ReadPassword());
    OMEN_ASSIGN(const std::string verdict, scram.HandleClientFinal(proof));
    pgwire::WriteAuthenticationSaslFinal(output_, verdict);
  }
  pgwire::WriteAuthenticationOk(output_);
  return Status::Ok();
}

Status Connection::OpenSession(const pgwire::StartupPacket& packet) {
  pid_ = context_.next_pid.fetch_add(1, std::memory_order_relaxed);
  cancel_key_ = RandomKey();
  sql::Instance::SessionOptions options;
  options.user = *packet.Find("user");
  const std::string* database = packet.Find("database");
  options.database = database != nullptr && !database->empty() ? *database : options.user;
  if (const std::string* name = packet.Find("application_name")) options.application_name = *name;
  if (const std::string* text = packet.Find("options")) {
    OMEN_TRY(ParseOptions(*text, options.settings));
  }
  if (packet.Find("replication") != nullptr) {
    const std::string& mode = *packet.Find("replication");
    if (mode != "false" && mode != "off" && mode != "0" && mode != "no") {
      return NotSupported("the replication protocol");
    }
  }
  for (const auto& [name, value] : packet.parameters) {
    if (!IsConnectionParameter(name)) options.settings.emplace_back(name, value);
  }
  options.client_address = stream_.PeerAddress();
  options.backend_pid = pid_;
  options.cancel_key = cancel_key_;
  OMEN_ASSIGN(session_, context_.instance.NewSession(std::move(options), *this));
  for (const auto& [name, value] : session_->ReportedSettings()) {
    pgwire::WriteParameterStatus(output_, name, value);
  }
  pgwire::WriteBackendKeyData(output_, static_cast<uint32_t>(pid_),
                              static_cast<uint32_t>(cancel_key_));
  WriteReady();
  return Status::Ok();
}

}  // namespace omendb::server
