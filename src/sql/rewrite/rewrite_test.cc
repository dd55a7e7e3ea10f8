#include <gtest/gtest.h>

#include "sql/parse/parse_tree.h"
#include "sql/rewrite/rewriter.h"
#include "sql/rewrite/rules.h"

namespace omendb::sql {
namespace {

std::string Rewritten(std::string_view sql) {
  auto result = RewriteQueryText(sql, RewriteContext{});
  if (result.ok()) return *result;
  std::string text(result.status().sqlstate());
  if (result.status().error().position > 0) {
    text += "@" + std::to_string(result.status().error().position);
  }
  return text + " " + result.status().error().message;
}

struct Case {
  const char* sql;
  const char* expected;
};

void Check(std::initializer_list<Case> cases) {
  for (const Case& c : cases) EXPECT_EQ(Rewritten(c.sql), c.expected) << c.sql;
}

TEST(Rewrite, LeavesPlainSqlAlone) {
  Check({{"select a from t where b = $1", "SELECT a FROM t WHERE b = $1"},
         {"insert into t (a) values (1) on conflict (a) do update set b = excluded.b",
          "INSERT INTO t (a) VALUES (1) ON CONFLICT (a) DO UPDATE SET b = excluded.b"}});
}

TEST(Rewrite, Types) {
  Check({{"select a::numeric as a", "SELECT a::omen_numeric AS a"},
         {"select a::numeric(5) as a", "SELECT a::numeric(5, 0) AS a"},
         {"select a::pg_catalog.int4 as a", "SELECT a::int AS a"},
         {"select a::varchar(3) as a", "SELECT \"left\"(a::varchar, 3) AS a"},
         {"select a::text as a", "SELECT a::varchar AS a"},
         {"select a::nosuch", "42704@11 type \"nosuch\" does not exist"},
         {"select a::numeric(50,2)",
          "0A000@11 numeric of precision over 38 or a scale outside it is not supported"}});
}

TEST(Rewrite, ConstantsAreReadByPostgresRules) {
  Check(
      {{"select 'x'::int", "22P02@8 invalid input syntax for type integer: \"x\""},
       {"select interval '1' year as i", "SELECT '12 months 0 days 0 microseconds'::interval AS i"},
       {"select 'January 8, 1999'::date as d", "SELECT '1999-01-08'::date AS d"},
       {"select '{1,NULL}'::int[] as a", "SELECT ARRAY['1', NULL]::int[] AS a"}});
}

TEST(Rewrite, Operators) {
  Check({{"select 1 from t where a OPERATOR(pg_catalog.~) '^x' COLLATE pg_catalog.default",
          "SELECT 1 AS \"?column?\" FROM t WHERE regexp_matches(a, '^x')"},
         {"select a !~* 'x' as m", "SELECT NOT regexp_matches(a, 'x', 'i') AS m"},
         {"select a similar to '%(b|d)%' as m",
          "SELECT regexp_full_match(a, '(?s:.*)(b|d)(?s:.*)') AS m"},
         {"select a # b as x", "SELECT xor(a, b) AS x"}});
}

TEST(Rewrite, FunctionsWithTheirOwnSyntax) {
  Check({{"select position('a' in b)", "SELECT strpos(b, 'a') AS \"position\""},
         {"select trim(both 'x' from y)", "SELECT \"trim\"(y, 'x') AS btrim"},
         {"select current_user", "SELECT omendb_current_user() AS \"current_user\""},
         {"select pg_catalog.version()", "SELECT omendb_version() AS version"}});
}

TEST(Rewrite, OutputColumnsHavePostgresNames) {
  Check({{"select count(*), a + 1, 'x', b::date from t",
          "SELECT count(*) AS count, a + 1 AS \"?column?\", 'x' AS \"?column?\", b::date AS b FROM "
          "t"},
         {"select coalesce(a, 1), case when a then 1 end",
          "SELECT COALESCE(a, 1) AS \"coalesce\", CASE WHEN a THEN 1 END AS \"case\""}});
}

TEST(Rewrite, FromItems) {
  Check({{"select * from generate_series(1, 3) g", "SELECT * FROM generate_series(1, 3) g(g)"},
         {"select * from version()", "SELECT * FROM (SELECT omendb_version() AS version) version"},
         {"select * from (values (1, 2)) v", "SELECT * FROM (VALUES (1, 2)) v(column1, column2)"},
         {"select generate_series(1, 3)",
          "SELECT unnest(generate_series(1, 3)) AS generate_series"}});
}

TEST(Rewrite, RowLocksAreTakenOut) {
  auto tree = ParseTree::Parse("select a from t where b = 1 for update skip locked");
  ASSERT_TRUE(tree.ok());
  auto out = RewriteStatement((*tree)->statement(0).node, (*tree)->text(), {});
  ASSERT_TRUE(out.ok());
  EXPECT_EQ(out->sql, "SELECT a FROM t WHERE b = 1");
  EXPECT_EQ(out->lock, txn::RowLockMode::kUpdate);
  EXPECT_EQ(out->lock_wait, txn::LockWait::kSkipLocked);
}

TEST(Rewrite, WhatDuckDbCannotDoIsSaid) {
  Check({{"with x as (delete from t returning a) select * from x",
          "0A000@6 WITH clause containing a data-modifying statement must be at the top level"},
         {"select a from t order by a fetch first 1 rows with ties",
          "0A000 FETCH FIRST ... WITH TIES is not supported"}});
}

TEST(Rewrite, ExpressionsOfTheCatalog) {
  auto text = RewriteExpressionText("nextval('t_id_seq'::regclass)", {});
  ASSERT_TRUE(text.ok());
  EXPECT_EQ(*text, "nextval('t_id_seq')");
}

TEST(SimilarToRegex, TranslatesSqlPatterns) {
  EXPECT_EQ(SimilarToRegex("a%_.[x%]", '\\'), "a(?s:.*)(?s:.)\\.[x%]");
}

}  // namespace
}  // namespace omendb::sql
