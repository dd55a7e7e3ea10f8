// Prepared statements of the library: parameters of every form, and what a statement outlives.
#include <gtest/gtest.h>

#include <filesystem>

#include "omendb/omendb.h"

namespace omendb {
namespace {

class PreparedTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "prepared-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    OpenOptions options;
    options.memory_bytes = 256 << 20;
    auto database = Database::Open(folder_ + "/data", options);
    ASSERT_TRUE(database.ok()) << database.status().ToString();
    database_ = std::move(*database);
    auto connection = database_->Connect();
    ASSERT_TRUE(connection.ok());
    connection_ = std::move(*connection);
    Do("CREATE TABLE t (id int PRIMARY KEY, name varchar(20) UNIQUE, v bigint)");
    Do("INSERT INTO t VALUES (1, 'one', 10), (2, 'two', NULL), (3, 'three', 30)");
  }
  void TearDown() override {
    connection_.reset();
    database_.reset();
    std::filesystem::remove_all(folder_);
  }

  void Do(const std::string& sql) {
    const Status done = connection_->Execute(sql);
    ASSERT_TRUE(done.ok()) << sql << ": " << done.ToString();
  }
  std::unique_ptr<PreparedStatement> Prepare(const std::string& sql) {
    auto statement = connection_->Prepare(sql);
    EXPECT_TRUE(statement.ok()) << sql << ": " << statement.status().ToString();
    return statement.ok() ? std::move(*statement) : nullptr;
  }
  // The rows as "a|b;c|d", or the SQLSTATE.
  static std::string Run(PreparedStatement& statement, std::vector<Parameter> parameters = {}) {
    auto result = statement.Query(parameters);
    if (!result.ok()) return std::string(result.status().sqlstate());
    std::string text;
    for (size_t row = 0; row < result->rows_count(); ++row) {
      if (row > 0) text += ';';
      for (size_t column = 0; column < statement.columns().size(); ++column) {
        if (column > 0) text += '|';
        text += result->IsNull(row, column) ? "NULL" : result->Text(row, column);
      }
    }
    return text;
  }
  std::string RunOnce(const std::string& sql, const Parameter& parameter) {
    auto statement = Prepare(sql);
    return statement == nullptr ? "not prepared" : Run(*statement, {parameter});
  }

  std::string folder_;
  std::unique_ptr<Database> database_;
  std::unique_ptr<Connection> connection_;
};

TEST_F(PreparedTest, ParametersOfEveryFormBecomeWhatTheirTypeReads) {
  const Parameter null;
  const struct {
    const char* type;
    Parameter value;
    const char* expected;
  } cases[] = {
      {"int2", int64_t{-32768}, "-32768"},
      {"int2", int64_t{32768}, "22003"},
      {"int4", int64_t{2147483647}, "2147483647"},
      {"int4", int64_t{2147483648}, "22003"},
      {"int8", INT64_MIN, "-9223372036854775808"},
      {"int8", 1.5, "22P02"},
      {"int4", std::string_view("12"), "12"},
      {"int4", std::string_view("x"), "22P02"},
      {"int4", true, "22P02"},
      {"numeric(10,2)", int64_t{7}, "7.00"},
      {"numeric", 0.25, "0.25"},
      {"float8", 0.1, "0.1"},
      {"float8", int64_t{3}, "3"},
      {"float4", 0.1, "0.1"},
      {"bool", true, "t"},
      {"bool", false, "f"},
      {"bool", int64_t{1}, "t"},
      {"text", int64_t{42}, "42"},
      {"text", 2.5, "2.5"},
      {"text", std::string_view("a b"), "a b"},
      {"date", std::string_view("2024-02-29"), "2024-02-29"},
      {"int4[]", std::string_view("{1,2}"), "{1,2}"},
      {"int4", null, "NULL"},
      {"text", null, "NULL"},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(RunOnce(std::string("SELECT $1::") + c.type, c.value), c.expected) << c.type;
  }
}

TEST_F(PreparedTest, AnErrorTellsTheParameterAsText) {
  auto statement = Prepare("SELECT v FROM t WHERE id = $1");
  const Parameter large[] = {int64_t{1} << 40};
  const auto result = statement->Query(large);
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.status().error().context, "unnamed portal parameter $1 = '1099511627776'");
}

TEST_F(PreparedTest, LookupsFindTheirRowOrNone) {
  auto by_id = Prepare("SELECT v FROM t WHERE id = $1");
  EXPECT_EQ(Run(*by_id, {int64_t{1}}), "10");
  EXPECT_EQ(Run(*by_id, {int64_t{2}}), "NULL");
  EXPECT_EQ(Run(*by_id, {int64_t{4}}), "");
  EXPECT_EQ(Run(*by_id, {Parameter()}), "");
  auto by_name = Prepare("SELECT id, name FROM t WHERE name = $1");
  EXPECT_EQ(Run(*by_name, {std::string_view("three")}), "3|three");
  EXPECT_EQ(Run(*by_name, {std::string_view("three ")}), "");
}

// What the index decides is not checked again; everything else is.
TEST_F(PreparedTest, OtherConditionsThanTheKeysStillHold) {
  auto twice = Prepare("SELECT v FROM t WHERE id = $1 AND id = $2");
  EXPECT_EQ(Run(*twice, {int64_t{1}, int64_t{1}}), "10");
  EXPECT_EQ(Run(*twice, {int64_t{1}, int64_t{3}}), "");
  auto both = Prepare("SELECT v FROM t WHERE id = $1 AND v > $2");
  EXPECT_EQ(Run(*both, {int64_t{1}, int64_t{9}}), "10");
  EXPECT_EQ(Run(*both, {int64_t{1}, int64_t{10}}), "");
  EXPECT_EQ(Run(*both, {int64_t{2}, int64_t{0}}), "");
  auto reversed = Prepare("SELECT name, v, id FROM t WHERE $1 = id AND name <> 'one' ORDER BY v");
  EXPECT_EQ(Run(*reversed, {int64_t{3}}), "three|30|3");
  EXPECT_EQ(Run(*reversed, {int64_t{1}}), "");
  auto constant = Prepare("SELECT $1::int FROM t WHERE id = 1 AND id = 2");
  EXPECT_EQ(Run(*constant, {int64_t{1}}), "");
  auto counted = Prepare("SELECT count(*), max(v) FROM t WHERE id = $1 AND name = 'one'");
  EXPECT_EQ(Run(*counted, {int64_t{1}}), "1|10");
  EXPECT_EQ(Run(*counted, {int64_t{2}}), "0|NULL");
}

TEST_F(PreparedTest, RowLocksStillCheckTheWholeCondition) {
  auto locking = Prepare("SELECT v FROM t WHERE id = $1 AND v = 10 FOR UPDATE");
  EXPECT_EQ(Run(*locking, {int64_t{1}}), "10");
  Do("UPDATE t SET v = 11 WHERE id = 1");
  EXPECT_EQ(Run(*locking, {int64_t{1}}), "");
}

TEST_F(PreparedTest, AStatementGoesOnAfterAnError) {
  auto divide = Prepare("SELECT 100 / v FROM t WHERE id = $1");
  EXPECT_EQ(Run(*divide, {int64_t{1}}), "10");
  Do("UPDATE t SET v = 0 WHERE id = 1");
  EXPECT_EQ(Run(*divide, {int64_t{1}}), "22012");
  EXPECT_EQ(Run(*divide, {int64_t{3}}), "3");
  EXPECT_EQ(Run(*divide), "08P01");
  EXPECT_EQ(Run(*divide, {int64_t{3}}), "3");
}

TEST_F(PreparedTest, AStatementIsBoundAgainAfterDdl) {
  auto lookup = Prepare("SELECT v FROM t WHERE id = $1");
  auto star = Prepare("SELECT * FROM t WHERE id = $1");
  EXPECT_EQ(Run(*lookup, {int64_t{3}}), "30");
  Do("ALTER TABLE t ADD COLUMN w int DEFAULT 5");
  EXPECT_EQ(Run(*lookup, {int64_t{3}}), "30");
  EXPECT_EQ(Run(*star, {int64_t{3}}), "0A000");  // It must not change its columns.
  Do("ALTER TABLE t DROP CONSTRAINT t_pkey");
  EXPECT_EQ(Run(*lookup, {int64_t{3}}), "30");
  Do("DROP TABLE t");
  EXPECT_EQ(Run(*lookup, {int64_t{3}}), "42P01");
  Do("CREATE TABLE t (id int PRIMARY KEY, v bigint)");
  Do("INSERT INTO t VALUES (3, 33)");
  EXPECT_EQ(Run(*lookup, {int64_t{3}}), "33");
}

TEST_F(PreparedTest, StatementsOfOneTransactionSeeItsChanges) {
  auto lookup = Prepare("SELECT v FROM t WHERE id = $1");
  auto change = Prepare("UPDATE t SET v = v + $2 WHERE id = $1");
  Do("BEGIN");
  EXPECT_EQ(Run(*lookup, {int64_t{1}}), "10");
  const Parameter by[] = {int64_t{1}, int64_t{5}};
  auto changed = change->ForEachRow(by, [](const RowView&) { return Status::Ok(); });
  ASSERT_TRUE(changed.ok());
  EXPECT_EQ(*changed, 1U);
  EXPECT_EQ(Run(*lookup, {int64_t{1}}), "15");
  Do("CREATE TABLE other (id int PRIMARY KEY)");
  EXPECT_EQ(Run(*lookup, {int64_t{1}}), "15");
  Do("ROLLBACK");
  EXPECT_EQ(Run(*lookup, {int64_t{1}}), "10");
}

TEST_F(PreparedTest, ACallbackMayEndTheRowsEarlyAndRunNothingElse) {
  auto all = Prepare("SELECT id FROM t WHERE id >= $1 ORDER BY id");
  const Parameter from[] = {int64_t{1}};
  int seen = 0;
  auto stopped = all->ForEachRow(from, [&](const RowView&) {
    return ++seen == 2 ? Status(SqlState("57014"), "enough") : Status::Ok();
  });
  EXPECT_FALSE(stopped.ok());
  EXPECT_EQ(seen, 2);
  EXPECT_EQ(Run(*all, {int64_t{2}}), "2;3");
}

TEST_F(PreparedTest, ALargeParameterLeavesNothingBehind) {
  auto length = Prepare("SELECT length($1::text)");
  const std::string large(1 << 20, 'x');
  EXPECT_EQ(Run(*length, {std::string_view(large)}), "1048576");
  EXPECT_EQ(Run(*length, {std::string_view("ab")}), "2");
}

}  // namespace
}  // namespace omendb
