#include <gtest/gtest.h>
#include <pg_query.h>

#include "sql/parse/parse_tree.h"
#include "sql/parse/tokenizer.h"

namespace omendb::sql {
namespace {

std::shared_ptr<const ParseTree> MustParse(std::string_view text) {
  auto tree = ParseTree::Parse(text);
  EXPECT_TRUE(tree.ok()) << text << ": " << tree.status().ToString();
  return tree.ok() ? *tree : nullptr;
}

TEST(ParseTree, CutsATextIntoItsStatements) {
  auto tree = MustParse(" select 1 ;\n-- two\nselect 'a;b'; ;");
  ASSERT_EQ(tree->size(), 2u);
  EXPECT_EQ(tree->statement(0).text, "select 1");
  EXPECT_EQ(tree->statement(0).offset_bytes, 1);
  EXPECT_EQ(tree->statement(1).text.substr(tree->statement(1).text.find("select")), "select 'a;b'");
}

TEST(ParseTree, AnEmptyTextHasNoStatement) {
  EXPECT_EQ(MustParse("")->size(), 0u);
  EXPECT_EQ(MustParse(" -- nothing\n;")->size(), 0u);
}

TEST(ParseTree, ErrorsCarryPositionInCharacters) {
  auto tree = ParseTree::Parse("select '\xc3\xa9' frm x");
  ASSERT_FALSE(tree.ok());
  EXPECT_EQ(tree.status().sqlstate(), "42601");
  EXPECT_EQ(tree.status().error().message, "syntax error at or near \"x\"");
  EXPECT_EQ(tree.status().error().position, 16);
}

TEST(ParseTree, BadUtf8IsRefused) {
  EXPECT_EQ(ParseTree::Parse("select '\xff'").status().sqlstate(), "22021");
}

TEST(ParseTree, DeepNestingDoesNotEndTheProcess) {
  std::string deep = "select " + std::string(100000, '(') + "1" + std::string(100000, ')');
  EXPECT_EQ(ParseTree::Parse(deep).status().sqlstate(), "54001");
  std::string fine = "select " + std::string(500, '(') + "1" + std::string(500, ')');
  EXPECT_TRUE(ParseTree::Parse(fine).ok());
}

TEST(ParseTree, TheDeepestTextAllowedIsCopiedAndDeparsed) {
  std::string text = "select ";
  for (int i = 0; i < 950; ++i) text += "abs(";
  text += "1" + std::string(950, ')');
  auto tree = ParseTree::Parse(text);
  ASSERT_TRUE(tree.ok());
  types::Arena arena;
  Node* copy = AstBuilder(arena).Clone((*tree)->statement(0).node);
  EXPECT_TRUE(DeparseStatement(copy).ok());
  std::string deeper = "select ";
  for (int i = 0; i < 3000; ++i) deeper += "abs(";
  deeper += "1" + std::string(3000, ')');
  EXPECT_EQ(ParseTree::Parse(deeper).status().sqlstate(), "54001");
}

TEST(ParseTree, LongListsAreNotDeep) {
  std::string text = "insert into t values (1)";
  for (int i = 0; i < 20000; ++i) text += ", (" + std::to_string(i) + ", 'x')";
  EXPECT_TRUE(ParseTree::Parse(text).ok());
}

TEST(CommandTag, IsPostgresTag) {
  const std::pair<const char*, const char*> cases[] = {
      {"select 1", "SELECT"},
      {"drop table a", "DROP TABLE"},
      {"alter table a rename to b", "ALTER TABLE"},
      {"alter table a rename column b to c", "ALTER TABLE"},
      {"alter index a rename to b", "ALTER INDEX"},
      {"truncate a", "TRUNCATE TABLE"},
      {"reset all", "RESET"},
      {"deallocate all", "DEALLOCATE ALL"},
      {"start transaction", "START TRANSACTION"},
      {"end", "COMMIT"},
      {"close all", "CLOSE CURSOR ALL"},
      {"create table a as select 1", "CREATE TABLE AS"},
      {"discard all", "DISCARD ALL"},
  };
  for (auto [text, tag] : cases) EXPECT_EQ(CommandTag(MustParse(text)->statement(0).node), tag);
}

TEST(Deparse, ExpressionsComeBackAsText) {
  auto tree = MustParse("select a + 1 > 2 and b like 'x%'");
  const Node* target = tree->statement(0).node->select_stmt->target_list[0];
  auto text = DeparseExpression(target->res_target->val);
  ASSERT_TRUE(text.ok());
  EXPECT_EQ(*text, "(a + 1) > 2 AND b LIKE 'x%'");
}

TEST(Quote, QuotesWhatPostgresQuotes) {
  EXPECT_EQ(QuoteIdentifier("abc_1"), "abc_1");
  EXPECT_EQ(QuoteIdentifier("Abc"), "\"Abc\"");
  EXPECT_EQ(QuoteIdentifier("select"), "\"select\"");
  EXPECT_EQ(QuoteIdentifier("a\"b"), "\"a\"\"b\"");
  EXPECT_EQ(QuoteLiteral("it's"), "'it''s'");
}

std::string Lifted(std::string_view text) {
  LiftedText lifted;
  LiftLiterals(text, lifted);
  if (!lifted.liftable) return "-";
  std::string out(LiftedSql(lifted));
  for (const LiftedLiteral& literal : lifted.literals) {
    out += "|" + types::FormatType(literal.type) + ":" + literal.text;
  }
  return out;
}

TEST(Lift, LiteralsBecomeParameters) {
  EXPECT_EQ(Lifted("SELECT abalance FROM pgbench_accounts WHERE aid = 42;"),
            "SELECT abalance FROM pgbench_accounts WHERE aid = $1|integer:42");
  EXPECT_EQ(
      Lifted("UPDATE t SET a = a + -5, b = 'it''s' WHERE id = 3000000000"),
      "UPDATE t SET a = a + $1, b = $2 WHERE id = $3|integer:-5|unknown:it's|bigint:3000000000");
  EXPECT_EQ(Lifted("select a-5, 1.50 from t1 where \"x1\" in (1)"),
            "select a-$1, $2 from t1 where \"x1\" in ($3)|integer:5|numeric(3,2):1.50|integer:1");
  EXPECT_EQ(Lifted("select date '2020-01-01'"), "-");
  EXPECT_EQ(Lifted("select $1 + 1"), "-");
  EXPECT_EQ(Lifted("select 1; select 2"), "-");
  EXPECT_EQ(Lifted("select E'\\n'"), "-");
  EXPECT_EQ(Lifted("select a from t"), "-");
}

// Every token of ours begins where PostgreSQL's scanner begins one.
TEST(Tokenizer, AgreesWithPostgresScanner) {
  const std::string_view texts[] = {
      "select a.b, 'it''s', E'x\\'y', $tag$ body $x$ $tag$, 1.5e-3, .5, 5., a->>'b' from t -- end",
      "select /* a /* nested */ b */ 1+-2, a<=-3, a@>-b, x::int4[], :=, b'01' , "
      "\"Q\"\"q\"",
      "insert into t values($1,$2,-7) on conflict do nothing;",
  };
  for (std::string_view text : texts) {
    PgQueryScanResult scan = pg_query_scan(std::string(text).c_str());
    if (scan.error != nullptr) {
      pg_query_free_scan_result(scan);
      continue;
    }
    auto* tokens = pg_query__scan_result__unpack(nullptr, scan.pbuf.len,
                                                 reinterpret_cast<const uint8_t*>(scan.pbuf.data));
    Tokenizer tokenizer(text);
    for (size_t i = 0; i < tokens->n_tokens; ++i) {
      if (tokens->tokens[i]->token == PG_QUERY__TOKEN__C_COMMENT ||
          tokens->tokens[i]->token == PG_QUERY__TOKEN__SQL_COMMENT) {
        continue;
      }
      Token token = tokenizer.Next();
      EXPECT_EQ(token.offset, static_cast<size_t>(tokens->tokens[i]->start)) << text << token.text;
      EXPECT_EQ(token.offset + token.text.size(), static_cast<size_t>(tokens->tokens[i]->end));
    }
    pg_query__scan_result__free_unpacked(tokens, nullptr);
    pg_query_free_scan_result(scan);
  }
}

TEST(Walk, FindsTheHighestParameter) {
  EXPECT_EQ(ParameterCount(MustParse("select $2 from t where a = $5")->statement(0).node), 5);
}

TEST(Clone, IsDeepAndEqual) {
  auto tree = MustParse("select a, (select max(b) from u where u.id = t.id) from t order by 1");
  types::Arena arena;
  Node* copy = AstBuilder(arena).Clone(tree->statement(0).node);
  EXPECT_EQ(*DeparseStatement(copy), *DeparseStatement(tree->statement(0).node));
}

}  // namespace
}  // namespace omendb::sql
