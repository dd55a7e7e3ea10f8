#include "pgwire/messages.h"

#include <gtest/gtest.h>

#include <cstring>

#include "pgwire/backend.h"
#include "pgwire/input_buffer.h"

namespace omendb::pgwire {
namespace {

using std::string_literals::operator""s;

void Receive(InputBuffer& buffer, std::string_view bytes) {
  auto room = buffer.Room(bytes.size());
  std::memcpy(room.data(), bytes.data(), bytes.size());
  buffer.Commit(bytes.size());
}

TEST(StartupTest, ReadsParametersInOrder) {
  const auto packet = DecodeStartup("\0\3\0\0user\0alice\0database\0shop\0_pq_.x\0y\0\0"s);
  ASSERT_TRUE(packet.ok()) << packet.status().ToString();
  EXPECT_EQ(packet.value().kind, StartupKind::kStartup);
  ASSERT_NE(packet.value().Find("user"), nullptr);
  EXPECT_EQ(*packet.value().Find("user"), "alice");
  EXPECT_EQ(*packet.value().Find("database"), "shop");
  EXPECT_EQ(packet.value().Find("options"), nullptr);
  EXPECT_EQ(packet.value().unknown_options, std::vector<std::string>{"_pq_.x"});
}

TEST(StartupTest, KnowsTheSpecialRequests) {
  EXPECT_EQ(DecodeStartup("\x04\xd2\x16\x2f"s).value().kind, StartupKind::kSslRequest);
  EXPECT_EQ(DecodeStartup("\x04\xd2\x16\x30"s).value().kind, StartupKind::kGssEncRequest);
  const auto cancel = DecodeStartup("\x04\xd2\x16\x2e\0\0\0\x07\0\0\1\0"s);
  ASSERT_TRUE(cancel.ok());
  EXPECT_EQ(cancel.value().kind, StartupKind::kCancelRequest);
  EXPECT_EQ(cancel.value().cancel_pid, 7u);
  EXPECT_EQ(cancel.value().cancel_secret, 256u);
}

TEST(StartupTest, RefusesOldProtocolsAndBrokenLayouts) {
  EXPECT_EQ(DecodeStartup("\0\2\0\0"s).status().sqlstate(), "0A000");
  EXPECT_EQ(DecodeStartup("\0\3\0\0user\0alice\0"s).status().sqlstate(), "08P01");
  EXPECT_EQ(DecodeStartup("\0\3\0\0user"s).status().sqlstate(), "08P01");
  EXPECT_EQ(DecodeStartup("\0\3\0\0\0x"s).status().sqlstate(), "08P01");
  EXPECT_EQ(DecodeStartup("\0\3"s).status().sqlstate(), "08P01");
  EXPECT_EQ(DecodeStartup("\x04\xd2\x16\x2e\0\0"s).status().error().radius, Radius::kConnection);
}

TEST(MessagesTest, DecodesParse) {
  ParseMessage m;
  const std::string bytes = "s1\0select $1\0\0\2\0\0\0\x17\0\0\0\0"s;
  ASSERT_TRUE(DecodeParse(bytes, m).ok());
  EXPECT_EQ(m.statement, "s1");
  EXPECT_EQ(m.query, "select $1");
  EXPECT_EQ(m.parameter_oids, (std::vector<uint32_t>{23, 0}));
}

TEST(MessagesTest, DecodesBindWithOneFormatForAll) {
  BindMessage m;
  const std::string bytes = "p\0s\0\0\1\0\1\0\2\0\0\0\4\0\0\0\7\xff\xff\xff\xff\0\1\0\1"s;
  ASSERT_TRUE(DecodeBind(bytes, m).ok());
  EXPECT_EQ(m.portal, "p");
  EXPECT_EQ(m.statement, "s");
  ASSERT_EQ(m.parameters.size(), 2u);
  EXPECT_EQ(m.parameters[0].bytes, "\0\0\0\7"s);
  EXPECT_TRUE(m.parameters[0].is_binary);
  EXPECT_TRUE(m.parameters[1].is_null);
  EXPECT_EQ(m.result_formats, std::vector<int16_t>{1});
}

TEST(MessagesTest, BindCountsMustAgree) {
  BindMessage m;
  const Status status = DecodeBind("\0\0\0\2\0\0\0\1\0\1\0\0\0\1x\0\0"s, m);
  EXPECT_EQ(status.sqlstate(), "08P01");
  EXPECT_EQ(status.error().message, "bind message has 2 parameter formats but 1 parameters");
}

TEST(MessagesTest, EveryTruncationIsAProtocolViolation) {
  const std::string bind = "p\0s\0\0\1\0\1\0\2\0\0\0\4\0\0\0\7\xff\xff\xff\xff\0\1\0\1"s;
  for (size_t size = 0; size < bind.size(); ++size) {
    BindMessage m;
    EXPECT_EQ(DecodeBind(bind.substr(0, size), m).sqlstate(), "08P01") << size;
  }
  BindMessage m;
  EXPECT_EQ(DecodeBind(bind + "x", m).error().message, "invalid message format");
  TargetMessage target;
  EXPECT_EQ(DecodeTarget("S", target).sqlstate(), "08P01");
  EXPECT_EQ(DecodeTarget("Xname\0"s, target).sqlstate(), "08P01");
  ExecuteMessage execute;
  EXPECT_EQ(DecodeExecute("\0\0\0\1"s, execute).sqlstate(), "08P01");
  EXPECT_EQ(DecodeEmpty("x").sqlstate(), "08P01");
}

TEST(MessagesTest, DecodesSaslInitialResponse) {
  SaslInitialMessage m;
  const std::string bytes = "SCRAM-SHA-256\0\0\0\0\3n,,"s;
  ASSERT_TRUE(DecodeSaslInitial(bytes, m).ok());
  EXPECT_EQ(m.mechanism, "SCRAM-SHA-256");
  EXPECT_EQ(m.response, "n,,");
  const std::string no_response = "SCRAM-SHA-256\0\xff\xff\xff\xff"s;
  ASSERT_TRUE(DecodeSaslInitial(no_response, m).ok());
  EXPECT_FALSE(m.has_response);
  EXPECT_EQ(DecodeSaslInitial("SCRAM-SHA-256\0\0\0\0\4n,,"s, m).sqlstate(), "08P01");
}

TEST(InputBufferTest, CutsFramesThatArriveByteByByte) {
  InputBuffer buffer;
  const std::string stream = "Q\0\0\0\x0dselect 1\0S\0\0\0\4"s;
  std::string types;
  for (const char c : stream) {
    Receive(buffer, {&c, 1});
    Frame frame;
    while (buffer.NextFrame(frame) == FrameState::kFrame) {
      types += frame.type;
      if (frame.type == 'Q') {
        EXPECT_EQ(frame.body, "select 1\0"s);
      }
    }
  }
  EXPECT_EQ(types, "QS");
  EXPECT_EQ(buffer.buffered(), 0u);
}

TEST(InputBufferTest, TakesAllPipelinedFramesOfOneRead) {
  InputBuffer buffer;
  std::string stream;
  for (int i = 0; i < 5000; ++i) stream += "S\0\0\0\4"s;
  Receive(buffer, stream);
  Frame frame;
  int frames = 0;
  while (buffer.NextFrame(frame) == FrameState::kFrame) ++frames;
  EXPECT_EQ(frames, 5000);
}

TEST(InputBufferTest, ImpossibleLengthsEndTheConnection) {
  for (const std::string& bytes :
       {"Q\0\0\0\3"s, "Q\xff\xff\xff\xff"s, "Q\x40\0\0\0"s, "Q\0\0\0\0"s}) {
    InputBuffer buffer;
    Receive(buffer, bytes);
    Frame frame;
    EXPECT_EQ(buffer.NextFrame(frame), FrameState::kBroken);
    EXPECT_EQ(buffer.error().sqlstate(), "08P01");
    EXPECT_EQ(buffer.error().error().radius, Radius::kConnection);
    Receive(buffer, "S\0\0\0\4"s);
    EXPECT_EQ(buffer.NextFrame(frame), FrameState::kBroken) << "stays broken";
  }
}

TEST(InputBufferTest, ReportsWhatIsMissing) {
  InputBuffer buffer;
  Receive(buffer, "d\0\0\1\0abc"s);
  Frame frame;
  EXPECT_EQ(buffer.NextFrame(frame), FrameState::kNeedMore);
  EXPECT_EQ(buffer.missing(), 257u - 8u);
}

TEST(InputBufferTest, StartupLengthIsLimited) {
  InputBuffer buffer;
  std::string_view body;
  Receive(buffer, "\0\0\x27\x11"s);  // 10001
  EXPECT_EQ(buffer.NextStartup(body), FrameState::kBroken);
  InputBuffer other;
  Receive(other, "\0\0\0\x08\x04\xd2\x16\x2f"s);
  ASSERT_EQ(other.NextStartup(body), FrameState::kFrame);
  EXPECT_EQ(body, "\x04\xd2\x16\x2f"s);
}

TEST(BackendTest, WritesGoldenBytes) {
  std::string out;
  WriteAuthenticationOk(out);
  WriteParameterStatus(out, "a", "b");
  WriteBackendKeyData(out, 1, 2);
  WriteReadyForQuery(out, TransactionStatus::kIdle);
  EXPECT_EQ(out,
            "R\0\0\0\x08\0\0\0\0"s
            "S\0\0\0\x08"s +
                "a\0b\0"s
                "K\0\0\0\x0c\0\0\0\1\0\0\0\2"s
                "Z\0\0\0\5I"s);
}

TEST(BackendTest, BuildsRowsInPlace) {
  std::string out;
  RowBuilder row(out);
  row.BeginRow(3);
  row.Value("ab");
  row.Null();
  row.BeginValue();
  row.buffer() += "xyz";
  row.EndValue();
  row.EndRow();
  EXPECT_EQ(out, "D\0\0\0\x17\0\3\0\0\0\2ab\xff\xff\xff\xff\0\0\0\3xyz"s);
  row.BeginRow(1);
  row.Value("lost");
  row.AbandonRow();
  EXPECT_EQ(out.size(), 24u);
}

TEST(BackendTest, ErrorCarriesEveryKnownField) {
  ErrorInfo info;
  info.sqlstate = SqlState("23505");
  info.message = "m";
  info.detail = "d";
  info.position = 7;
  info.constraint_name = "t_pkey";
  std::string out;
  WriteError(out, info);
  EXPECT_EQ(out.substr(5), "SERROR\0VERROR\0C23505\0Mm\0Dd\0P7\0nt_pkey\0\0"s);
  info.radius = Radius::kConnection;
  out.clear();
  WriteError(out, info);
  EXPECT_EQ(out.substr(5, 7), "SFATAL\0"s);
}

TEST(BackendTest, DescribesColumns) {
  std::string out;
  const FieldDescription field{"id", 16384, 1, 23, 4, -1, 1};
  WriteRowDescription(out, {&field, 1});
  EXPECT_EQ(out, "T\0\0\0\x1b\0\1id\0\0\0\x40\0\0\1\0\0\0\x17\0\4\xff\xff\xff\xff\0\1"s);
}

}  // namespace
}  // namespace omendb::pgwire
