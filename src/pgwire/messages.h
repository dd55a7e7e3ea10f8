// messages.h - what a client sends: frames of protocol 3.0 and the structs inside them.
//
// Thread safety  Values and free functions.
// Ownership      Every string_view points into the frame body that was decoded and lives as long.
// Cost           Decoding into a reused struct allocates only when a vector must grow.
// Errors         A body that does not have the message's layout answers 08P01 with radius
//                statement: the frame's length was sound, so the stream stays in step. Text is
//                checked to be UTF-8 (22021) by the caller that knows which parts are text.
// See            PostgreSQL 15, chapter 55 "Frontend/Backend Protocol".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"

namespace omendb::pgwire {

namespace frontend {
inline constexpr char kBind = 'B';
inline constexpr char kClose = 'C';
inline constexpr char kDescribe = 'D';
inline constexpr char kExecute = 'E';
inline constexpr char kFunctionCall = 'F';
inline constexpr char kFlush = 'H';
inline constexpr char kParse = 'P';
inline constexpr char kPassword = 'p';  // Also SASLInitialResponse and SASLResponse.
inline constexpr char kQuery = 'Q';
inline constexpr char kSync = 'S';
inline constexpr char kTerminate = 'X';
inline constexpr char kCopyData = 'd';
inline constexpr char kCopyDone = 'c';
inline constexpr char kCopyFail = 'f';
}  // namespace frontend

// True for the message types that a frontend may send after authentication.
bool IsFrontendType(char type);

inline constexpr uint32_t kProtocolMajor = 3;
inline constexpr uint32_t kSslRequestCode = (1234u << 16) | 5679;
inline constexpr uint32_t kGssEncRequestCode = (1234u << 16) | 5680;
inline constexpr uint32_t kCancelRequestCode = (1234u << 16) | 5678;

enum class StartupKind { kStartup, kSslRequest, kGssEncRequest, kCancelRequest };

// The first packet of a connection.
struct StartupPacket {
  StartupKind kind = StartupKind::kStartup;
  uint32_t minor_version = 0;
  std::vector<std::pair<std::string, std::string>> parameters;
  std::vector<std::string> unknown_options;  // "_pq_.*": answered by NegotiateProtocolVersion.
  uint32_t cancel_pid = 0;
  uint32_t cancel_secret = 0;

  // Null when the client did not send the parameter.
  const std::string* Find(std::string_view name) const;
};

struct ParseMessage {
  std::string_view statement;
  std::string_view query;
  std::vector<uint32_t> parameter_oids;
};

struct ParameterView {
  std::string_view bytes;
  bool is_null = false;
  bool is_binary = false;
};

struct BindMessage {
  std::string_view portal;
  std::string_view statement;
  std::vector<ParameterView> parameters;
  std::vector<int16_t> result_formats;  // None: all text. One: for all columns.
};

// 'S' statement or 'P' portal.
struct TargetMessage {
  char kind = 'S';
  std::string_view name;
};

struct ExecuteMessage {
  std::string_view portal;
  int32_t rows_max = 0;  // 0 or less: no limit.
};

struct SaslInitialMessage {
  std::string_view mechanism;
  std::string_view response;
  bool has_response = false;
};

// `body` is the packet after its length word. Errors have radius connection.
Result<StartupPacket> DecodeStartup(std::string_view body);
Status DecodeParse(std::string_view body, ParseMessage& out);
Status DecodeBind(std::string_view body, BindMessage& out);
// Describe and Close.
Status DecodeTarget(std::string_view body, TargetMessage& out);
Status DecodeExecute(std::string_view body, ExecuteMessage& out);
// Query, CopyFail, PasswordMessage: one zero-terminated string.
Status DecodeString(std::string_view body, std::string_view& out);
Status DecodeSaslInitial(std::string_view body, SaslInitialMessage& out);
// Sync, Flush, CopyDone, Terminate.
Status DecodeEmpty(std::string_view body);

}  // namespace omendb::pgwire
