// scram.h - the server's side of SCRAM-SHA-256, and the verifiers it checks against.
//
// A verifier is what the catalog stores instead of a password:
//   SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>      (base64)
// States         kClientFirst -> kClientFinal -> kDone; a failed step ends in kFailed.
// Thread safety  One thread at a time.
// Errors         08P01 for a message without SCRAM's layout; 28P01 for a wrong password, and the
//                same for a role without a verifier: such an exchange runs to its end against a
//                mock verifier, so that a client cannot learn which roles exist. Radius connection.
// See            RFC 5802, RFC 7677, RFC 5929 (tls-server-end-point).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/status.h"

namespace omendb::pgwire {

inline constexpr std::string_view kScramSha256 = "SCRAM-SHA-256";
inline constexpr std::string_view kScramSha256Plus = "SCRAM-SHA-256-PLUS";
inline constexpr int kScramIterations = 4096;  // PostgreSQL's SCRAM_DEFAULT_ITERATIONS.

using ScramKey = std::array<uint8_t, 32>;

struct ScramVerifier {
  int iterations = kScramIterations;
  std::string salt;  // Raw bytes.
  ScramKey stored_key{};
  ScramKey server_key{};

  std::string ToString() const;
};

// The verifier's text, or none when `text` is not one (then it is a plain password).
std::optional<ScramVerifier> ParseScramVerifier(std::string_view text);
// A verifier with a random salt. The password is normalised as SASLprep says.
ScramVerifier MakeScramVerifier(std::string_view password, int iterations = kScramIterations);
ScramVerifier MakeScramVerifier(std::string_view password, int iterations, std::string salt);
// Checks a plain password, as HTTP Basic sends it. Constant time in the keys.
bool CheckScramPassword(const ScramVerifier& verifier, std::string_view password);

// RFC 4013 for the characters that PostgreSQL clients agree on: text that is not valid UTF-8 or
// holds prohibited characters is used as it is; non-ASCII spaces become a space, soft hyphens and
// their like vanish. Text outside ASCII is not brought to NFKC.
std::string SaslPrep(std::string_view password);

class ScramServer {
 public:
  // `verifier` none: the exchange runs against a mock one and fails at its end.
  // `mock_seed` makes the mock salt of a role the same each time; secret of this server.
  // `certificate_hash` is the tls-server-end-point binding, empty without TLS.
  ScramServer(std::string role, std::optional<ScramVerifier> verifier, std::string_view mock_seed,
              std::string certificate_hash);

  // The client's choice out of kScramSha256 and, when there is a certificate, kScramSha256Plus.
  Status ChooseMechanism(std::string_view mechanism);
  // client-first-message in, server-first-message out.
  Result<std::string> HandleClientFirst(std::string_view message);
  // client-final-message in, server-final-message out when the proof is right.
  Result<std::string> HandleClientFinal(std::string_view message);

 private:
  enum class State { kClientFirst, kClientFinal, kDone, kFailed };
  Status ParseGs2Header(std::string_view& rest);
  Status CheckBinding(std::string_view binding) const;
  Status WrongPassword() const;

  const std::string role_;
  const bool mock_;
  ScramVerifier verifier_;
  const std::string certificate_hash_;
  State state_ = State::kClientFirst;
  bool plus_ = false;
  std::string gs2_header_;
  std::string client_first_bare_;
  std::string nonce_;  // Client's and server's parts together.
  std::string server_first_;
};

}  // namespace omendb::pgwire
