#include "server/config_file.h"

#include <gtest/gtest.h>

#include "server/serve.h"
#include "sql/settings/registry.h"

namespace omendb::server {
namespace {

TEST(ConfigFileTest, ReadsPostgresSyntax) {
  const auto settings = ParseConfig(
      "# comment\n\nport = 6000 # trailing\n  log_min_messages notice\nsearch_path='a, ''b'''\n"
      "omendb.memory=2GB",
      "f");
  ASSERT_TRUE(settings.ok()) << settings.status().ToString();
  EXPECT_EQ(settings.value(), (Settings{{"port", "6000"},
                                        {"log_min_messages", "notice"},
                                        {"search_path", "a, 'b'"},
                                        {"omendb.memory", "2GB"}}));
}

TEST(ConfigFileTest, NamesTheBadLine) {
  for (const char* text :
       {"port = 1\n= 5\n", "a = 1\nb\n", "a = 1\nb = 'open\n", "a=1\nb = 1 2\n"}) {
    const auto settings = ParseConfig(text, "omendb.conf");
    ASSERT_FALSE(settings.ok()) << text;
    EXPECT_EQ(settings.status().error().message,
              "syntax error in file \"omendb.conf\" line 2: expected name = value");
  }
}

TEST(ServeOptionsTest, LaterSettingsWin) {
  const auto options = ResolveServeOptions("d", {{"port", "1"},
                                                 {"omendb.memory", "1GB"},
                                                 {"port", "2"},
                                                 {"omendb.auth", "scram"},
                                                 {"max_wal_size", "64MB"},
                                                 {"checkpoint_timeout", "1min"}});
  ASSERT_TRUE(options.ok()) << options.status().ToString();
  EXPECT_EQ(options->server.port, 2);
  EXPECT_EQ(options->server.auth, AuthMethod::kScram);
  EXPECT_EQ(options->database.memory_bytes, 1u << 30);
  EXPECT_EQ(options->database.checkpoint_wal_bytes, 64u << 20);
  EXPECT_EQ(options->database.checkpoint_interval_ms, 60000u);
}

// What SHOW tells of a setting that nobody gave is what the server does.
TEST(ServeOptionsTest, DefaultsAreThoseOfTheSettings) {
  const auto options = ResolveServeOptions("d", {});
  ASSERT_TRUE(options.ok()) << options.status().ToString();
  const auto boot = [](std::string_view name, uint64_t unit) {
    return std::stoull(std::string(sql::FindSetting(name)->boot_value)) * unit;
  };
  EXPECT_EQ(options->database.freeze_after_ms, boot("omendb.freeze_after", 1000));
  EXPECT_EQ(options->database.memory_bytes, boot("omendb.memory", 1024));
  EXPECT_EQ(options->database.checkpoint_wal_bytes, boot("max_wal_size", 1 << 20));
  EXPECT_EQ(options->database.checkpoint_interval_ms, boot("checkpoint_timeout", 1000));
  EXPECT_EQ(options->server.analytical_nice, boot("omendb.analytical_nice", 1));
  EXPECT_DOUBLE_EQ(options->instance.analytical_share * 100, boot("omendb.analytical_share", 1));
  EXPECT_EQ(options->server.max_connections, boot("max_connections", 1));
  EXPECT_EQ(options->server.http_port, boot("omendb.http_port", 1));
  EXPECT_EQ(options->learned_index_tuning, false);
}

TEST(ServeOptionsTest, RefusesWhatIsNoSetting) {
  EXPECT_EQ(ResolveServeOptions("d", {{"prot", "1"}}).status().sqlstate(), "42704");
  EXPECT_EQ(ResolveServeOptions("d", {{"port", "x"}}).status().sqlstate(), "22023");
  EXPECT_EQ(ResolveServeOptions("d", {{"port", "70000"}}).status().sqlstate(), "22023");
}

}  // namespace
}  // namespace omendb::server
