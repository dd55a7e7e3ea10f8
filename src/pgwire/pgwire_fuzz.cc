// Everything a client can send, against arbitrary bytes. The first byte of the input chooses:
//   0  a connection: startup packet, then frames, each decoded as its type says; fed whole and in
//      pieces, which must give the same frames;
//   1  COPY data in text, CSV or binary, fed whole and in pieces, which must give the same rows and
//      the same error;
//   2  a SCRAM exchange, and a stored verifier.
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "pgwire/copy_parser.h"
#include "pgwire/input_buffer.h"
#include "pgwire/messages.h"
#include "pgwire/scram.h"
#include "pgwire/utf8.h"

namespace omendb::pgwire {
namespace {

void Put(InputBuffer& buffer, std::string_view bytes) {
  const std::span<char> room = buffer.Room(bytes.size() + 1);
  OMEN_CHECK(room.size() > bytes.size());
  if (!bytes.empty()) std::memcpy(room.data(), bytes.data(), bytes.size());
  buffer.Commit(bytes.size());
}

// Touches every byte of a view, so that one that points astray is caught.
void Touch(std::string_view bytes) { (void)FindInvalidUtf8(bytes); }

void Decode(const Frame& frame) {
  ParseMessage parse;
  BindMessage bind;
  TargetMessage target;
  ExecuteMessage execute;
  SaslInitialMessage sasl;
  std::string_view text;
  (void)IsFrontendType(frame.type);
  if (DecodeParse(frame.body, parse).ok()) {
    Touch(parse.statement);
    Touch(parse.query);
  }
  if (DecodeBind(frame.body, bind).ok()) {
    for (const ParameterView& parameter : bind.parameters) Touch(parameter.bytes);
    OMEN_CHECK(bind.parameters.size() <= frame.body.size());
  }
  if (DecodeTarget(frame.body, target).ok()) Touch(target.name);
  if (DecodeExecute(frame.body, execute).ok()) Touch(execute.portal);
  if (DecodeSaslInitial(frame.body, sasl).ok()) Touch(sasl.response);
  if (DecodeString(frame.body, text).ok()) Touch(text);
  (void)DecodeEmpty(frame.body);
}

// The frames as text, and how it ended.
std::string ReadConnection(std::string_view input, size_t piece) {
  InputBuffer buffer;
  std::string seen;
  bool started = false;
  for (size_t at = 0; at < input.size(); at += piece) {
    Put(buffer, input.substr(at, piece));
    std::string_view body;
    while (!started) {
      const FrameState state = buffer.NextStartup(body);
      if (state == FrameState::kBroken) return seen + "broken";
      if (state == FrameState::kNeedMore) break;
      started = true;
      seen.append("startup ").append(DecodeStartup(body).ok() ? "ok " : "bad ");
    }
    Frame frame;
    while (started) {
      const FrameState state = buffer.NextFrame(frame);
      if (state == FrameState::kBroken) return seen + "broken";
      if (state == FrameState::kNeedMore) break;
      Decode(frame);
      seen.append(1, frame.type).append(frame.body).append("|");
    }
  }
  return seen;
}

std::string ReadCopy(const CopyDialect& dialect, std::string_view input, size_t piece) {
  auto parser = CopyParser::Create(dialect, "t");
  std::string seen;
  const auto drain = [&] {
    while (true) {
      std::vector<std::string_view> fields;
      const auto count = parser->NextRows(3, fields);
      if (!count.ok()) {
        seen.append(count.status().ToString());
        return false;
      }
      if (*count == 0) return true;
      OMEN_CHECK(fields.size() == *count * dialect.columns.size());
      for (const std::string_view field : fields) {
        seen.append(field.data() == nullptr ? "<null>" : field).append(1, '\x1f');
      }
    }
  };
  for (size_t at = 0; at < input.size(); at += piece) {
    parser->Feed(input.substr(at, piece));
    if (!drain()) return seen;
  }
  parser->Finish();
  drain();
  return seen;
}

void FuzzCopy(uint8_t choice, std::string_view input) {
  CopyOptions options;
  options.format = static_cast<CopyFormat>(choice % 3);
  if (options.format != CopyFormat::kBinary && (choice & 4) != 0) {
    options.header = CopyHeader::kPresent;
  }
  const auto dialect = ResolveCopyOptions(options, CopyWay::kFrom, {"a", "b"});
  if (!dialect.ok()) return;
  const std::string whole = ReadCopy(*dialect, input, input.size() + 1);
  OMEN_CHECK(ReadCopy(*dialect, input, 1 + (choice >> 3)) == whole);
}

void FuzzScram(std::string_view input) {
  (void)ParseScramVerifier(input);
  (void)SaslPrep(input);
  const size_t half = input.size() / 2;
  ScramServer server("user", std::nullopt, "seed", "");
  if (!server.ChooseMechanism(kScramSha256).ok()) return;
  if (!server.HandleClientFirst(input.substr(0, half)).ok()) return;
  OMEN_CHECK(!server.HandleClientFinal(input.substr(half)).ok());
}

}  // namespace
}  // namespace omendb::pgwire

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const std::string_view rest(reinterpret_cast<const char*>(data) + 2, size - 2);
  switch (data[0] % 3) {
    case 0: {
      const std::string whole = omendb::pgwire::ReadConnection(rest, rest.size() + 1);
      OMEN_CHECK(omendb::pgwire::ReadConnection(rest, 1U + data[1]) == whole);
      break;
    }
    case 1:
      omendb::pgwire::FuzzCopy(data[1], rest);
      break;
    default:
      omendb::pgwire::FuzzScram(rest);
  }
  return 0;
}
