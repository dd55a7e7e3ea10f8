#include "pgwire/scram.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include <charconv>

#include "base/check.h"
#include "base/sqlstate.h"
#include "pgwire/base64.h"

namespace omendb::pgwire {
namespace {

constexpr size_t kSaltBytes = 16;
constexpr size_t kNonceBytes = 18;  // 24 characters of base64, as PostgreSQL's.

const uint8_t* Bytes(std::string_view s) { return reinterpret_cast<const uint8_t*>(s.data()); }

std::string_view View(const ScramKey& key) {
  return {reinterpret_cast<const char*>(key.data()), key.size()};
}

ScramKey Hmac(std::string_view key, std::string_view data) {
  ScramKey out;
  unsigned size = out.size();
  OMEN_CHECK(HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), Bytes(data), data.size(),
                  out.data(), &size) != nullptr);
  return out;
}

ScramKey Sha256(std::string_view data) {
  ScramKey out;
  SHA256(Bytes(data), data.size(), out.data());
  return out;
}

ScramKey SaltedPassword(std::string_view password, std::string_view salt, int iterations) {
  ScramKey out;
  OMEN_CHECK(PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()), Bytes(salt),
                               static_cast<int>(salt.size()), iterations, EVP_sha256(),
                               static_cast<int>(out.size()), out.data()) == 1);
  return out;
}

std::string RandomBytes(size_t size) {
  std::string out(size, '\0');
  OMEN_CHECK(RAND_bytes(reinterpret_cast<uint8_t*>(out.data()), static_cast<int>(size)) == 1);
  return out;
}

Status Malformed(std::string detail) {
  return Status(sqlstate::kProtocolViolation, "malformed SCRAM message")
      .WithDetail(std::move(detail))
      .WithRadius(Radius::kConnection);
}

// Takes "x=value" off the front of `rest`, up to the next comma.
bool TakeAttribute(std::string_view& rest, char name, std::string_view& value) {
  if (rest.size() < 2 || rest[0] != name || rest[1] != '=') return false;
  const size_t comma = rest.find(',');
  value = rest.substr(2, comma == std::string_view::npos ? comma : comma - 2);
  rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
  return true;
}

bool IsNonce(std::string_view nonce) {
  for (const char c : nonce) {
    if (c < 0x21 || c > 0x7e || c == ',') return false;
  }
  return !nonce.empty();
}

bool DecodeKey(std::string_view text, ScramKey& key) {
  const std::optional<std::string> raw = Base64Decode(text);
  if (!raw || raw->size() != key.size()) return false;
  std::copy(raw->begin(), raw->end(), key.begin());
  return true;
}

}  // namespace

std::string ScramVerifier::ToString() const {
  return std::string(kScramSha256) + "$" + std::to_string(iterations) + ":" + Base64Encode(salt) +
         "$" + Base64Encode(View(stored_key)) + ":" + Base64Encode(View(server_key));
}

std::optional<ScramVerifier> ParseScramVerifier(std::string_view text) {
  if (text.substr(0, kScramSha256.size()) != kScramSha256) return std::nullopt;
  text.remove_prefix(kScramSha256.size());
  if (text.empty() || text[0] != '$') return std::nullopt;
  text.remove_prefix(1);
  const size_t colon = text.find(':');
  const size_t dollar = text.find('$');
  if (colon == std::string_view::npos || dollar == std::string_view::npos || colon > dollar) {
    return std::nullopt;
  }
  ScramVerifier verifier;
  const char* end = text.data() + colon;
  const auto [stop, error] = std::from_chars(text.data(), end, verifier.iterations);
  if (error != std::errc() || stop != end || verifier.iterations < 1) return std::nullopt;
  const std::optional<std::string> salt = Base64Decode(text.substr(colon + 1, dollar - colon - 1));
  if (!salt) return std::nullopt;
  verifier.salt = *salt;
  const std::string_view keys = text.substr(dollar + 1);
  const size_t split = keys.find(':');
  if (split == std::string_view::npos) return std::nullopt;
  if (!DecodeKey(keys.substr(0, split), verifier.stored_key)) return std::nullopt;
  if (!DecodeKey(keys.substr(split + 1), verifier.server_key)) return std::nullopt;
  return verifier;
}

ScramVerifier MakeScramVerifier(std::string_view password, int iterations) {
  return MakeScramVerifier(password, iterations, RandomBytes(kSaltBytes));
}

ScramVerifier MakeScramVerifier(std::string_view password, int iterations, std::string salt) {
  const ScramKey salted = SaltedPassword(SaslPrep(password), salt, iterations);
  ScramVerifier verifier;
  verifier.iterations = iterations;
  verifier.salt = std::move(salt);
  verifier.stored_key = Sha256(View(Hmac(View(salted), "Client Key")));
  verifier.server_key = Hmac(View(salted), "Server Key");
  return verifier;
}

bool CheckScramPassword(const ScramVerifier& verifier, std::string_view password) {
  const ScramVerifier other = MakeScramVerifier(password, verifier.iterations, verifier.salt);
  return CRYPTO_memcmp(other.stored_key.data(), verifier.stored_key.data(),
                       verifier.stored_key.size()) == 0;
}

ScramServer::ScramServer(std::string role, std::optional<ScramVerifier> verifier,
                         std::string_view mock_seed, std::string certificate_hash)
    : role_(std::move(role)), mock_(!verifier), certificate_hash_(std::move(certificate_hash)) {
  if (verifier) {
    verifier_ = *std::move(verifier);
  } else {
    const ScramKey salt = Hmac(mock_seed, role_);
    verifier_.salt = std::string(View(salt).substr(0, kSaltBytes));
  }
}

Status ScramServer::WrongPassword() const {
  return Status(sqlstate::kInvalidPassword,
                "password authentication failed for user \"" + role_ + "\"")
      .WithRadius(Radius::kConnection);
}

Status ScramServer::ChooseMechanism(std::string_view mechanism) {
  plus_ = mechanism == kScramSha256Plus;
  if (mechanism == kScramSha256 || (plus_ && !certificate_hash_.empty())) return Status::Ok();
  state_ = State::kFailed;
  return Status(sqlstate::kProtocolViolation,
                "client selected an invalid SASL authentication mechanism")
      .WithRadius(Radius::kConnection);
}

// gs2-header = cbind-flag "," [authzid] ","
Status ScramServer::ParseGs2Header(std::string_view& rest) {
  const std::string_view whole = rest;
  std::string_view binding;
  if (rest.substr(0, 2) == "n,") {
    if (plus_) return Malformed("The client selected SCRAM-SHA-256-PLUS without channel binding.");
    rest.remove_prefix(2);
  } else if (rest.substr(0, 2) == "y,") {
    // The client could bind but believes that we cannot: with a certificate that is a downgrade.
    if (!certificate_hash_.empty()) {
      return Status(sqlstate::kInvalidAuthorizationSpecification,
                    "SCRAM channel binding negotiation error")
          .WithDetail(
              "The client supports SCRAM channel binding but thinks the server does not.  However, "
              "this server does support channel binding.")
          .WithRadius(Radius::kConnection);
    }
    rest.remove_prefix(2);
  } else if (TakeAttribute(rest, 'p', binding)) {
    if (!plus_) return Malformed("The client selected SCRAM-SHA-256 with channel binding data.");
    if (binding != "tls-server-end-point") {
      return Status(sqlstate::kProtocolViolation,
                    "unsupported SCRAM channel-binding type \"" + std::string(binding) + "\"")
          .WithRadius(Radius::kConnection);
    }
  } else {
    return Malformed("Unexpected channel-binding flag.");
  }
  if (rest.substr(0, 2) == "a=") {
    return Status(sqlstate::kFeatureNotSupported,
                  "client uses authorization identity, but it is not supported")
        .WithRadius(Radius::kConnection);
  }
  if (rest.empty() || rest[0] != ',') return Malformed("Comma expected.");
  rest.remove_prefix(1);
  gs2_header_ = std::string(whole.substr(0, whole.size() - rest.size()));
  return Status::Ok();
}

Result<std::string> ScramServer::HandleClientFirst(std::string_view message) {
  OMEN_CHECK(state_ == State::kClientFirst);
  state_ = State::kFailed;
  std::string_view rest = message;
  OMEN_TRY(ParseGs2Header(rest));
  client_first_bare_ = std::string(rest);
  if (rest.substr(0, 2) == "m=") {
    return Status(sqlstate::kFeatureNotSupported, "client requires an unsupported SCRAM extension")
        .WithRadius(Radius::kConnection);
  }
  std::string_view user;  // Ignored, as PostgreSQL does: the startup packet named the role.
  std::string_view client_nonce;
  if (!TakeAttribute(rest, 'n', user)) return Malformed("Attribute \"n\" expected.");
  if (!TakeAttribute(rest, 'r', client_nonce)) return Malformed("Attribute \"r\" expected.");
  if (!IsNonce(client_nonce)) return Malformed("The nonce has characters that are not printable.");
  nonce_ = std::string(client_nonce) + Base64Encode(RandomBytes(kNonceBytes));
  server_first_ = "r=" + nonce_ + ",s=" + Base64Encode(verifier_.salt) +
                  ",i=" + std::to_string(verifier_.iterations);
  state_ = State::kClientFinal;
  return server_first_;
}

Status ScramServer::CheckBinding(std::string_view binding) const {
  const std::string expected = Base64Encode(plus_ ? gs2_header_ + certificate_hash_ : gs2_header_);
  if (binding == expected) return Status::Ok();
  if (plus_) {
    return Status(sqlstate::kInvalidAuthorizationSpecification,
                  "SCRAM channel binding check failed")
        .WithRadius(Radius::kConnection);
  }
  return Status(sqlstate::kProtocolViolation,
                "unexpected SCRAM channel-binding attribute in client-final-message")
      .WithRadius(Radius::kConnection);
}

Result<std::string> ScramServer::HandleClientFinal(std::string_view message) {
  OMEN_CHECK(state_ == State::kClientFinal);
  state_ = State::kFailed;
  const size_t proof_at = message.rfind(",p=");
  if (proof_at == std::string_view::npos) return Malformed("Attribute \"p\" expected.");
  const std::string_view without_proof = message.substr(0, proof_at);
  ScramKey proof;
  if (!DecodeKey(message.substr(proof_at + 3), proof)) {
    return Malformed("Malformed proof in client-final-message.");
  }
  std::string_view rest = without_proof;
  std::string_view binding;
  std::string_view nonce;
  if (!TakeAttribute(rest, 'c', binding)) return Malformed("Attribute \"c\" expected.");
  OMEN_TRY(CheckBinding(binding));
  if (!TakeAttribute(rest, 'r', nonce)) return Malformed("Attribute \"r\" expected.");
  if (nonce.size() != nonce_.size() ||
      CRYPTO_memcmp(nonce.data(), nonce_.data(), nonce.size()) != 0) {
    return Status(sqlstate::kProtocolViolation, "invalid SCRAM response")
        .WithDetail("Nonce does not match.")
        .WithRadius(Radius::kConnection);
  }

  const std::string auth_message =
      client_first_bare_ + "," + server_first_ + "," + std::string(without_proof);
  ScramKey client_key = Hmac(View(verifier_.stored_key), auth_message);  // ClientSignature.
  for (size_t i = 0; i < proof.size(); ++i) client_key[i] ^= proof[i];
  const ScramKey stored_key = Sha256(View(client_key));
  const bool same =
      CRYPTO_memcmp(stored_key.data(), verifier_.stored_key.data(), stored_key.size()) == 0;
  if (!same || mock_) return WrongPassword();
  state_ = State::kDone;
  return "v=" + Base64Encode(View(Hmac(View(verifier_.server_key), auth_message)));
}

}  // namespace omendb::pgwire
