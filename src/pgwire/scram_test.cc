#include "pgwire/scram.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include "pgwire/base64.h"

namespace omendb::pgwire {
namespace {

std::string Hmac(std::string_view key, std::string_view data) {
  std::string out(32, '\0');
  unsigned size = 32;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const uint8_t*>(data.data()), data.size(),
       reinterpret_cast<uint8_t*>(out.data()), &size);
  return out;
}

// The client's side, written from RFC 5802 alone.
struct Client {
  std::string password;
  std::string gs2 = "n,,";
  std::string binding;
  std::string nonce = "rOprNGfwEbeRWgbNEkqO";
  std::string auth_message;
  std::string salted;

  std::string First() const { return gs2 + "n=,r=" + nonce; }
  std::string Final(const std::string& server_first) {
    const size_t s_at = server_first.find(",s=");
    const size_t i_at = server_first.find(",i=");
    const std::string full_nonce = server_first.substr(2, s_at - 2);
    const std::string salt = *Base64Decode(server_first.substr(s_at + 3, i_at - s_at - 3));
    const int iterations = std::stoi(server_first.substr(i_at + 3));
    salted.resize(32);
    PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()),
                      reinterpret_cast<const uint8_t*>(salt.data()), static_cast<int>(salt.size()),
                      iterations, EVP_sha256(), 32, reinterpret_cast<uint8_t*>(salted.data()));
    const std::string bare = "c=" + Base64Encode(gs2 + binding) + ",r=" + full_nonce;
    auth_message = "n=,r=" + nonce + "," + server_first + "," + bare;
    const std::string client_key = Hmac(salted, "Client Key");
    std::string stored(32, '\0');
    SHA256(reinterpret_cast<const uint8_t*>(client_key.data()), 32,
           reinterpret_cast<uint8_t*>(stored.data()));
    std::string proof = Hmac(stored, auth_message);
    for (size_t i = 0; i < 32; ++i) proof[i] = static_cast<char>(proof[i] ^ client_key[i]);
    return bare + ",p=" + Base64Encode(proof);
  }
  std::string ExpectedServerFinal() const {
    return "v=" + Base64Encode(Hmac(Hmac(salted, "Server Key"), auth_message));
  }
};

TEST(ScramTest, VerifierOfTheRfcExample) {
  // RFC 7677: user "user", password "pencil".
  const auto verifier =
      MakeScramVerifier("pencil", 4096, *Base64Decode("W22ZaJ0SNY7soEsUEjb6gQ=="));
  EXPECT_EQ(verifier.ToString(),
            "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$"
            "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:"
            "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=");
}

TEST(ScramTest, VerifierSurvivesItsText) {
  const auto verifier = MakeScramVerifier("secret");
  const auto parsed = ParseScramVerifier(verifier.ToString());
  ASSERT_TRUE(parsed.has_value());
  EXPECT_EQ(parsed->ToString(), verifier.ToString());
  EXPECT_TRUE(CheckScramPassword(*parsed, "secret"));
  EXPECT_FALSE(CheckScramPassword(*parsed, "Secret"));
  for (const char* bad : {"", "secret", "SCRAM-SHA-256$", "SCRAM-SHA-256$x:AAAA$AAAA:AAAA",
                          "SCRAM-SHA-256$4096:AAAA$AAAA:AAAA", "md5abc"}) {
    EXPECT_FALSE(ParseScramVerifier(bad).has_value()) << bad;
  }
}

TEST(ScramTest, RightPasswordProvesBothSides) {
  ScramServer server("alice", MakeScramVerifier("secret"), "seed", "");
  Client client{"secret"};
  ASSERT_TRUE(server.ChooseMechanism(kScramSha256).ok());
  const auto first = server.HandleClientFirst(client.First());
  ASSERT_TRUE(first.ok()) << first.status().ToString();
  const auto final = server.HandleClientFinal(client.Final(first.value()));
  ASSERT_TRUE(final.ok()) << final.status().ToString();
  EXPECT_EQ(final.value(), client.ExpectedServerFinal());
}

TEST(ScramTest, WrongPasswordAndUnknownRoleAnswerAlike) {
  const auto attempt = [](std::optional<ScramVerifier> verifier) {
    ScramServer server("alice", std::move(verifier), "seed", "");
    Client client{"wrong"};
    EXPECT_TRUE(server.ChooseMechanism(kScramSha256).ok());
    const auto first = server.HandleClientFirst(client.First());
    EXPECT_TRUE(first.ok());
    return server.HandleClientFinal(client.Final(first.value())).status();
  };
  const Status wrong = attempt(MakeScramVerifier("secret"));
  const Status unknown = attempt(std::nullopt);
  EXPECT_EQ(wrong.sqlstate(), "28P01");
  EXPECT_EQ(wrong.ToString(), unknown.ToString());
  EXPECT_EQ(wrong.error().message, "password authentication failed for user \"alice\"");
}

TEST(ScramTest, MockSaltIsStableForARole) {
  const auto salt_of = [](const char* role) {
    ScramServer server(role, std::nullopt, "seed", "");
    EXPECT_TRUE(server.ChooseMechanism(kScramSha256).ok());
    const std::string first = server.HandleClientFirst(Client{"x"}.First()).value();
    return first.substr(first.find(",s="));
  };
  EXPECT_EQ(salt_of("alice"), salt_of("alice"));
  EXPECT_NE(salt_of("alice"), salt_of("bob"));
}

TEST(ScramTest, ChannelBindingIsChecked) {
  const std::string hash(32, 'h');
  const auto run = [&](Client client, std::string_view mechanism) -> Status {
    ScramServer server("alice", MakeScramVerifier("secret"), "seed", hash);
    OMEN_TRY(server.ChooseMechanism(mechanism));
    OMEN_ASSIGN(const std::string first, server.HandleClientFirst(client.First()));
    return server.HandleClientFinal(client.Final(first)).status();
  };
  EXPECT_TRUE(run({"secret", "p=tls-server-end-point,,", hash}, kScramSha256Plus).ok());
  EXPECT_EQ(run({"secret", "p=tls-server-end-point,,", "other"}, kScramSha256Plus).sqlstate(),
            "28000");
  EXPECT_TRUE(run({"secret", "n,,"}, kScramSha256).ok());
  EXPECT_EQ(run({"secret", "y,,"}, kScramSha256).sqlstate(), "28000") << "downgrade";
  EXPECT_EQ(run({"secret", "n,,"}, kScramSha256Plus).sqlstate(), "08P01");
}

TEST(ScramTest, PlusNeedsACertificate) {
  ScramServer server("alice", std::nullopt, "seed", "");
  EXPECT_EQ(server.ChooseMechanism(kScramSha256Plus).sqlstate(), "08P01");
}

TEST(ScramTest, MalformedMessagesAreRefused) {
  for (const char* bad : {"", "n", "n,", "n,,", "n,,n=", "n,,n=,", "n,,n=,r=", "x,,n=,r=abc",
                          "n,,r=abc", "n,,n=,r=a\tb", "n,a=bob,n=,r=abc", "n,,m=1,n=,r=abc"}) {
    ScramServer server("alice", MakeScramVerifier("s", 1), "seed", "");
    ASSERT_TRUE(server.ChooseMechanism(kScramSha256).ok());
    EXPECT_FALSE(server.HandleClientFirst(bad).ok()) << bad;
  }
  for (const char* bad : {"", "c=biws", "c=biws,r=abc,p=", "p=x", "c=biws,r=wrong,p=AAAA", ",p="}) {
    ScramServer server("alice", MakeScramVerifier("s", 1), "seed", "");
    ASSERT_TRUE(server.ChooseMechanism(kScramSha256).ok());
    ASSERT_TRUE(server.HandleClientFirst("n,,n=,r=abc").ok());
    EXPECT_EQ(server.HandleClientFinal(bad).status().sqlstate(), "08P01") << bad;
  }
}

TEST(SaslPrepTest, MapsSpacesAndDropsInvisibles) {
  EXPECT_EQ(SaslPrep("plain"), "plain");
  EXPECT_EQ(SaslPrep("a\xc2\xa0z"), "a z");
  EXPECT_EQ(SaslPrep("I\xc2\xadX"), "IX");
  EXPECT_EQ(SaslPrep("\xff"), "\xff");
  EXPECT_EQ(SaslPrep("a\x01"), "a\x01");
}

TEST(Base64Test, RoundTripsAndRefuses) {
  for (const std::string& text : {std::string(), std::string("f"), std::string("fo"),
                                  std::string("foo"), std::string("\xff\x00\x80", 3)}) {
    EXPECT_EQ(Base64Decode(Base64Encode(text)), text);
  }
  EXPECT_EQ(Base64Encode("fo"), "Zm8=");
  for (const char* bad : {"Zm8", "Zm=8", "Z===", "Zm8=Zm8=", "Zm8\n"}) {
    EXPECT_FALSE(Base64Decode(bad).has_value()) << bad;
  }
}

}  // namespace
}  // namespace omendb::pgwire
