#include <gtest/gtest.h>

#include <random>

#include "pgwire/backend.h"
#include "pgwire/copy_binary.h"
#include "pgwire/copy_parser.h"
#include "pgwire/copy_writer.h"
#include "pgwire/utf8.h"

namespace omendb::pgwire {
namespace {

using std::string_literals::operator""s;
using Rows = std::vector<std::vector<std::string>>;

CopyDialect Dialect(CopyOptions options, std::vector<std::string> columns,
                    CopyWay way = CopyWay::kFrom) {
  auto dialect = ResolveCopyOptions(options, way, std::move(columns));
  EXPECT_TRUE(dialect.ok()) << dialect.status().ToString();
  return std::move(dialect).value();
}

// All rows, fed in pieces of `piece` bytes; NULL is shown as <null>.
Result<Rows> ParseAll(const CopyDialect& dialect, std::string_view data, size_t piece) {
  auto parser = CopyParser::Create(dialect, "t");
  Rows rows;
  const size_t width = dialect.columns.size();
  const auto drain = [&]() -> Status {
    while (true) {
      std::vector<std::string_view> fields;
      OMEN_ASSIGN(const size_t count, parser->NextRows(3, fields));
      if (count == 0) return Status::Ok();
      EXPECT_EQ(fields.size(), count * width);
      for (size_t row = 0; row < count; ++row) {
        rows.emplace_back();
        for (size_t i = 0; i < width; ++i) {
          const std::string_view field = fields[row * width + i];
          rows.back().emplace_back(field.data() == nullptr ? "<null>" : std::string(field));
        }
      }
    }
  };
  for (size_t at = 0; at < data.size(); at += piece) {
    parser->Feed(data.substr(at, piece));
    OMEN_TRY(drain());
  }
  parser->Finish();
  OMEN_TRY(drain());
  return rows;
}

// The same answer whatever the pieces.
Result<Rows> Parse(const CopyDialect& dialect, std::string_view data) {
  auto whole = ParseAll(dialect, data, data.size() + 1);
  for (const size_t piece : {1, 2, 3, 7, 64}) {
    const auto cut = ParseAll(dialect, data, piece);
    EXPECT_EQ(cut.ok(), whole.ok()) << piece;
    if (cut.ok() && whole.ok()) {
      EXPECT_EQ(cut.value(), whole.value()) << piece;
    } else {
      EXPECT_EQ(cut.status().ToString(), whole.status().ToString()) << piece;
    }
  }
  return whole;
}

const CopyOptions kText;
CopyOptions Csv() {
  CopyOptions options;
  options.format = CopyFormat::kCsv;
  return options;
}

void ExpectError(const Result<Rows>& result, std::string_view message, std::string_view context) {
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.status().error().message, message);
  EXPECT_EQ(result.status().error().context, context);
}

TEST(CopyTextTest, SplitsFieldsAndNulls) {
  const auto rows = Parse(Dialect(kText, {"a", "b", "c"}), "1\tx\t\\N\n\t\\\\N\tz\n");
  ASSERT_TRUE(rows.ok()) << rows.status().ToString();
  EXPECT_EQ(rows.value(), (Rows{{"1", "x", "<null>"}, {"", "\\N", "z"}}));
}

TEST(CopyTextTest, UndoesEveryEscape) {
  const auto rows =
      Parse(Dialect(kText, {"a"}), "\\b\\f\\n\\r\\t\\v\\\\\\q\\101\\x41\\x4z\\\tend\n");
  ASSERT_TRUE(rows.ok()) << rows.status().ToString();
  EXPECT_EQ(rows.value(), (Rows{{"\b\f\n\r\t\v\\qAA\4z\tend"}}));
}

TEST(CopyTextTest, BackslashKeepsANewlineInTheField) {
  const auto rows = Parse(Dialect(kText, {"a", "b"}), "one\\\ntwo\tb\n");
  ASSERT_TRUE(rows.ok());
  EXPECT_EQ(rows.value(), (Rows{{"one\ntwo", "b"}}));
}

TEST(CopyTextTest, EndMarkerEndsTheData) {
  const auto rows = Parse(Dialect(kText, {"a"}), "1\n\\.\nignored\t\xff\n");
  ASSERT_TRUE(rows.ok()) << rows.status().ToString();
  EXPECT_EQ(rows.value(), (Rows{{"1"}}));
  ExpectError(Parse(Dialect(kText, {"a"}), "1\n\\.x\n"), "end-of-copy marker corrupt",
              "COPY t, line 2");
  ExpectError(Parse(Dialect(kText, {"a"}), "1\r\n\\.\n\n"),
              "end-of-copy marker does not match previous newline style", "COPY t, line 2");
}

TEST(CopyTextTest, LastLineNeedsNoNewline) {
  const auto rows = Parse(Dialect(kText, {"a", "b"}), "1\t2\n3\t4");
  ASSERT_TRUE(rows.ok());
  EXPECT_EQ(rows.value(), (Rows{{"1", "2"}, {"3", "4"}}));
}

TEST(CopyTextTest, EachNewlineStyleIsKept) {
  for (const char* data : {"1\n2\n", "1\r2\r", "1\r\n2\r\n"}) {
    const auto rows = Parse(Dialect(kText, {"a"}), data);
    ASSERT_TRUE(rows.ok()) << rows.status().ToString();
    EXPECT_EQ(rows.value(), (Rows{{"1"}, {"2"}}));
  }
  ExpectError(Parse(Dialect(kText, {"a"}), "1\n2\r3\n"), "literal carriage return found in data",
              "COPY t, line 2");
  ExpectError(Parse(Dialect(kText, {"a"}), "1\r\n2\n"), "literal newline found in data",
              "COPY t, line 2");
}

TEST(CopyTextTest, FieldCountsMustFit) {
  ExpectError(Parse(Dialect(kText, {"a", "b"}), "1\t2\n3\n"), "missing data for column \"b\"",
              "COPY t, line 2: \"3\"");
  ExpectError(Parse(Dialect(kText, {"a", "b"}), "1\t2\t3\n"),
              "extra data after last expected column", "COPY t, line 1: \"1\t2\t3\"");
}

TEST(CopyTextTest, BadUtf8IsNamed) {
  const auto rows = Parse(Dialect(kText, {"a"}), "ok\nb\xe9 d\n");
  ASSERT_FALSE(rows.ok());
  EXPECT_EQ(rows.status().sqlstate(), "22021");
  EXPECT_EQ(rows.status().error().message,
            "invalid byte sequence for encoding \"UTF8\": 0xe9 0x20 0x64");
  EXPECT_EQ(Parse(Dialect(kText, {"a"}), "\\000\n").status().sqlstate(), "22021");
  EXPECT_EQ(Parse(Dialect(kText, {"a"}), "\\xff\n").status().sqlstate(), "22021");
  EXPECT_TRUE(Parse(Dialect(kText, {"a"}), "\xe2\x82\xac\xf0\x9f\x98\x80\n").ok());
}

TEST(CopyTextTest, Latin1IsConverted) {
  CopyOptions options;
  options.encoding = "latin1";
  const auto rows = Parse(Dialect(options, {"a"}), "caf\xe9\n");
  ASSERT_TRUE(rows.ok());
  EXPECT_EQ(rows.value(), (Rows{{"caf\xc3\xa9"}}));
}

TEST(CopyTextTest, HeaderIsSkippedOrMatched) {
  CopyOptions options;
  options.header = CopyHeader::kPresent;
  EXPECT_EQ(Parse(Dialect(options, {"a"}), "whatever\n1\n").value(), (Rows{{"1"}}));
  options.header = CopyHeader::kMatch;
  EXPECT_EQ(Parse(Dialect(options, {"a", "b"}), "a\tb\n1\t2\n").value(), (Rows{{"1", "2"}}));
  ExpectError(Parse(Dialect(options, {"a", "b"}), "a\tc\n1\t2\n"),
              "column name mismatch in header line field 2: got \"c\", expected \"b\"",
              "COPY t, line 1");
}

TEST(CopyCsvTest, QuotesEscapesAndNulls) {
  const auto rows = Parse(Dialect(Csv(), {"a", "b", "c"}),
                          "1,\"x, \"\"y\"\"\",\n\"\",\"two\nlines\",ab\"cd\"ef\n");
  ASSERT_TRUE(rows.ok()) << rows.status().ToString();
  EXPECT_EQ(rows.value(), (Rows{{"1", "x, \"y\"", "<null>"}, {"", "two\nlines", "abcdef"}}));
}

TEST(CopyCsvTest, OwnEscapeAndDelimiter) {
  CopyOptions options = Csv();
  options.delimiter = ";";
  options.quote = "'";
  options.escape = "\\";
  options.null_text = "nil";
  const auto rows = Parse(Dialect(options, {"a", "b"}), "'it\\'s \\\\ \\n';nil\n'nil';\\x\n");
  ASSERT_TRUE(rows.ok()) << rows.status().ToString();
  EXPECT_EQ(rows.value(), (Rows{{"it's \\ \\n", "<null>"}, {"nil", "\\x"}}));
}

TEST(CopyCsvTest, ForceNullAndForceNotNull) {
  CopyOptions options = Csv();
  options.force_not_null = {"a"};
  options.force_null = {"b"};
  EXPECT_EQ(Parse(Dialect(options, {"a", "b"}), ",\"\"\n").value(), (Rows{{"", "<null>"}}));
}

TEST(CopyCsvTest, UnterminatedQuoteIsFound) {
  ExpectError(Parse(Dialect(Csv(), {"a"}), "1\n\"open\nstill"), "unterminated CSV quoted field",
              "COPY t, line 3");
  ExpectError(Parse(Dialect(Csv(), {"a"}), "1\n2\r\n"), "unquoted carriage return found in data",
              "COPY t, line 2");
}

TEST(CopyCsvTest, EndMarkerOnlyAloneOnItsLine) {
  EXPECT_EQ(Parse(Dialect(Csv(), {"a"}), "1\n\\.x\n\"\\.\"\n\\.\nno\n").value(),
            (Rows{{"1"}, {"\\.x"}, {"\\."}}));
}

TEST(CopyCsvTest, ManyRowsCrossEveryBlockBoundary) {
  std::mt19937 random(7);
  std::string data;
  Rows expected;
  for (int i = 0; i < 3000; ++i) {
    std::string text(random() % 90, 'x');
    expected.push_back({std::to_string(i), text});
    data += std::to_string(i) + ",\"" + text + "\"\n";
  }
  const auto rows = ParseAll(Dialect(Csv(), {"a", "b"}), data, 1000);
  ASSERT_TRUE(rows.ok()) << rows.status().ToString();
  EXPECT_EQ(rows.value(), expected);
}

TEST(CopyBinaryTest, WriterAndParserAgree) {
  CopyOptions options;
  options.format = CopyFormat::kBinary;
  std::string out;
  CopyWriter writer(Dialect(options, {"a", "b"}, CopyWay::kTo), out);
  writer.WriteHeader();
  for (int i = 0; i < 10; ++i) {
    writer.BeginRow();
    writer.Field("\0\xff\n"s);
    writer.Null();
    writer.EndRow();
  }
  writer.WriteTrailer();
  const auto rows = Parse(Dialect(options, {"a", "b"}), out);
  ASSERT_TRUE(rows.ok()) << rows.status().ToString();
  EXPECT_EQ(rows.value().size(), 10u);
  EXPECT_EQ(rows.value()[3], (std::vector<std::string>{"\0\xff\n"s, "<null>"}));
}

TEST(CopyBinaryTest, DamageIsNamed) {
  CopyOptions options;
  options.format = CopyFormat::kBinary;
  const CopyDialect dialect = Dialect(options, {"a"});
  const std::string head = std::string(kCopyBinarySignature) + "\0\0\0\0\0\0\0\0"s;
  const auto message = [&](const std::string& data) {
    const auto rows = Parse(dialect, data);
    return rows.ok() ? "ok" : rows.status().error().message;
  };
  EXPECT_EQ(message("1\t2\n"), "COPY file signature not recognized");
  EXPECT_EQ(message(head + "\0\2"s), "row field count is 2, expected 1");
  EXPECT_EQ(message(head + "\0\1\0\0\0\5ab"s), "unexpected EOF in COPY data");
  EXPECT_EQ(message(head + "\0\1\xff\xff\xff\xf0"s), "invalid field size");
  EXPECT_EQ(message(head + "\xff\xffx"s), "received copy data after EOF marker");
  EXPECT_EQ(message(head + "\xff\xff"s), "ok");
}

TEST(CopyWriterTest, TextAndCsvReadBackWhatTheyWrote) {
  std::mt19937 random(11);
  constexpr std::string_view kAlphabet = "a,\"\\\n\r\t\b;N.\xc3\xa9";
  for (int round = 0; round < 400; ++round) {
    CopyOptions options;
    options.format = round % 2 == 0 ? CopyFormat::kText : CopyFormat::kCsv;
    if (round % 3 == 0) options.delimiter = ";";
    Rows expected(3);
    std::string out;
    CopyWriter writer(Dialect(options, {"a", "b"}, CopyWay::kTo), out);
    for (auto& row : expected) {
      writer.BeginRow();
      for (int i = 0; i < 2; ++i) {
        std::string value;
        for (size_t n = random() % 6; n > 0; --n) {
          const char c = kAlphabet[random() % (kAlphabet.size() - 2)];
          value += random() % 8 == 0 ? "\xc3\xa9"s : std::string(1, c);
        }
        if (random() % 5 == 0) {
          writer.Null();
          value = "<null>";
        } else {
          writer.Field(value);
        }
        row.push_back(value);
      }
      writer.EndRow();
    }
    const auto rows = Parse(Dialect(options, {"a", "b"}), out);
    ASSERT_TRUE(rows.ok()) << rows.status().ToString() << out;
    EXPECT_EQ(rows.value(), expected) << out;
  }
}

TEST(CopyOptionsTest, RefusesAsPostgresDoes) {
  const auto message = [](CopyOptions options, CopyWay way = CopyWay::kFrom) {
    const auto dialect = ResolveCopyOptions(options, way, {"a"});
    return dialect.ok() ? "ok" : dialect.status().error().message;
  };
  CopyOptions o;
  o.delimiter = "ab";
  EXPECT_EQ(message(o), "COPY delimiter must be a single one-byte character");
  o.delimiter = "a";
  EXPECT_EQ(message(o), "COPY delimiter cannot be \"a\"");
  o = {};
  o.quote = "'";
  EXPECT_EQ(message(o), "COPY quote available only in CSV mode");
  o = Csv();
  o.delimiter = "\"";
  EXPECT_EQ(message(o), "COPY delimiter and quote must be different");
  o = Csv();
  o.force_null = {"zz"};
  EXPECT_EQ(message(o), "FORCE_NULL column \"zz\" not referenced by COPY");
  o = Csv();
  o.force_quote_all = true;
  EXPECT_EQ(message(o), "COPY force quote only available using COPY TO");
  EXPECT_EQ(message(o, CopyWay::kTo), "ok");
  o = {};
  o.format = CopyFormat::kBinary;
  o.delimiter = ",";
  EXPECT_EQ(message(o), "cannot specify DELIMITER in BINARY mode");
}

TEST(Utf8Test, FindsTheFirstBadByte) {
  EXPECT_EQ(FindInvalidUtf8(""), 0u);
  for (const char* good : {"plain ascii that is longer than sixteen bytes", "\xc3\xa9",
                           "\xed\x9f\xbf", "\xee\x80\x80", "\xf4\x8f\xbf\xbf"}) {
    EXPECT_EQ(FindInvalidUtf8(good), std::string_view(good).size()) << good;
  }
  for (const std::string& bad : {"\x80"s, "\xc0\x80"s, "\xc3"s, "\xe0\x80\x80"s, "\xed\xa0\x80"s,
                                 "\xf0\x80\x80\x80"s, "\xf4\x90\x80\x80"s, "\xff"s, "\0"s}) {
    for (const size_t before : {0, 1, 15, 16, 17, 40}) {
      EXPECT_EQ(FindInvalidUtf8(std::string(before, 'a') + bad + std::string(20, 'b')), before);
    }
  }
}

}  // namespace
}  // namespace omendb::pgwire
