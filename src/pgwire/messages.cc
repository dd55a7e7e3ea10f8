#include "pgwire/messages.h"

#include "base/bytes.h"
#include "base/sqlstate.h"

namespace omendb::pgwire {
namespace {

Status Violation(const char* message) { return Status(sqlstate::kProtocolViolation, message); }

Status Fatal(SqlState state, std::string message) {
  return Status(state, std::move(message)).WithRadius(Radius::kConnection);
}

// Reads a body front to back; every read past the end sets the error once.
class BodyReader {
 public:
  explicit BodyReader(std::string_view body) : rest_(body) {}

  template <typename T>
  T Get() {
    if (rest_.size() < sizeof(T)) {
      Fail("insufficient data left in message");
      return T{};
    }
    T v = LoadBe<std::make_unsigned_t<T>>(rest_.data());
    rest_.remove_prefix(sizeof(T));
    return v;
  }
  char GetByte() {
    if (rest_.empty()) {
      Fail("no data left in message");
      return '\0';
    }
    const char c = rest_.front();
    rest_.remove_prefix(1);
    return c;
  }
  std::string_view GetString() {
    const size_t end = rest_.find('\0');
    if (end == std::string_view::npos) {
      Fail("invalid string in message");
      return {};
    }
    const std::string_view s = rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    return s;
  }
  std::string_view GetBytes(size_t size) {
    if (rest_.size() < size) {
      Fail("insufficient data left in message");
      return {};
    }
    const std::string_view s = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return s;
  }
  bool failed() const { return error_ != nullptr; }
  size_t remaining() const { return rest_.size(); }
  // The first error, or "invalid message format" when bytes are left over.
  Status Finish() const {
    if (error_ != nullptr) return Violation(error_);
    if (!rest_.empty()) return Violation("invalid message format");
    return Status::Ok();
  }

 private:
  void Fail(const char* message) {
    if (error_ == nullptr) error_ = message;
    rest_ = {};
  }
  std::string_view rest_;
  const char* error_ = nullptr;
};

Result<StartupPacket> DecodeParameters(uint32_t version, std::string_view body) {
  StartupPacket packet;
  packet.minor_version = version & 0xffff;
  if (version >> 16 != kProtocolMajor) {
    return Fatal(sqlstate::kFeatureNotSupported,
                 "unsupported frontend protocol " + std::to_string(version >> 16) + "." +
                     std::to_string(version & 0xffff) + ": server supports 3.0 to 3.0");
  }
  BodyReader reader(body);
  while (true) {
    const std::string_view name = reader.GetString();
    if (reader.failed()) break;
    if (name.empty()) {
      if (reader.remaining() == 0) return packet;
      break;
    }
    const std::string_view value = reader.GetString();
    if (reader.failed()) break;
    if (name.substr(0, 5) == "_pq_.") {
      packet.unknown_options.emplace_back(name);
    } else {
      packet.parameters.emplace_back(name, value);
    }
  }
  return Fatal(sqlstate::kProtocolViolation,
               "invalid startup packet layout: expected terminator as last byte");
}

}  // namespace

bool IsFrontendType(char type) {
  switch (type) {
    case frontend::kBind:
    case frontend::kClose:
    case frontend::kDescribe:
    case frontend::kExecute:
    case frontend::kFunctionCall:
    case frontend::kFlush:
    case frontend::kParse:
    case frontend::kPassword:
    case frontend::kQuery:
    case frontend::kSync:
    case frontend::kTerminate:
    case frontend::kCopyData:
    case frontend::kCopyDone:
    case frontend::kCopyFail:
      return true;
    default:
      return false;
  }
}

const std::string* StartupPacket::Find(std::string_view name) const {
  for (const auto& [key, value] : parameters) {
    if (key == name) return &value;
  }
  return nullptr;
}

Result<StartupPacket> DecodeStartup(std::string_view body) {
  BodyReader reader(body);
  const auto code = reader.Get<uint32_t>();
  if (reader.failed()) {
    return Fatal(sqlstate::kProtocolViolation, "invalid length of startup packet");
  }
  StartupPacket packet;
  if (code == kSslRequestCode || code == kGssEncRequestCode) {
    packet.kind = code == kSslRequestCode ? StartupKind::kSslRequest : StartupKind::kGssEncRequest;
    return packet;
  }
  if (code == kCancelRequestCode) {
    packet.kind = StartupKind::kCancelRequest;
    packet.cancel_pid = reader.Get<uint32_t>();
    packet.cancel_secret = reader.Get<uint32_t>();
    if (!reader.Finish().ok()) {
      return Fatal(sqlstate::kProtocolViolation, "invalid length of startup packet");
    }
    return packet;
  }
  return DecodeParameters(code, body.substr(4));
}

Status DecodeParse(std::string_view body, ParseMessage& out) {
  BodyReader reader(body);
  out.statement = reader.GetString();
  out.query = reader.GetString();
  const auto count = reader.Get<int16_t>();
  out.parameter_oids.clear();
  for (int i = 0; i < count && !reader.failed(); ++i) {
    out.parameter_oids.push_back(reader.Get<uint32_t>());
  }
  return reader.Finish();
}

Status DecodeBind(std::string_view body, BindMessage& out) {
  BodyReader reader(body);
  out.portal = reader.GetString();
  out.statement = reader.GetString();
  out.parameters.clear();
  out.result_formats.clear();

  const auto format_count = reader.Get<int16_t>();
  if (format_count < 0) return Violation("invalid message format");
  const std::string_view formats = reader.GetBytes(static_cast<size_t>(format_count) * 2);
  if (reader.failed()) return reader.Finish();
  const auto format_at = [&](int i) { return LoadBe<uint16_t>(formats.data() + 2 * i); };

  const auto count = reader.Get<uint16_t>();  // Up to 65535, as PostgreSQL's clients use it.
  if (reader.failed()) return reader.Finish();
  if (format_count > 1 && format_count != count) {
    return Violation(("bind message has " + std::to_string(format_count) +
                      " parameter formats but " + std::to_string(count) + " parameters")
                         .c_str());
  }
  for (int i = 0; i < count && !reader.failed(); ++i) {
    ParameterView parameter;
    const auto size = reader.Get<int32_t>();
    if (size == -1) {
      parameter.is_null = true;
    } else if (size < 0) {
      return Violation("insufficient data left in message");
    } else {
      parameter.bytes = reader.GetBytes(static_cast<size_t>(size));
    }
    if (format_count > 0) {
      const uint16_t format = format_at(format_count == 1 ? 0 : i);
      if (format > 1) {
        return Status(sqlstate::kInvalidParameterValue,
                      "unsupported format code: " + std::to_string(format));
      }
      parameter.is_binary = format == 1;
    }
    out.parameters.push_back(parameter);
  }

  const auto result_count = reader.Get<int16_t>();
  for (int i = 0; i < result_count && !reader.failed(); ++i) {
    const auto format = reader.Get<int16_t>();
    if (format != 0 && format != 1) {
      return Status(sqlstate::kInvalidParameterValue,
                    "unsupported format code: " + std::to_string(format));
    }
    out.result_formats.push_back(format);
  }
  return reader.Finish();
}

Status DecodeTarget(std::string_view body, TargetMessage& out) {
  BodyReader reader(body);
  out.kind = reader.GetByte();
  out.name = reader.GetString();
  OMEN_TRY(reader.Finish());
  if (out.kind != 'S' && out.kind != 'P') {
    return Status(sqlstate::kProtocolViolation,
                  "invalid DESCRIBE or CLOSE message subtype " + std::to_string(out.kind));
  }
  return Status::Ok();
}

Status DecodeExecute(std::string_view body, ExecuteMessage& out) {
  BodyReader reader(body);
  out.portal = reader.GetString();
  out.rows_max = reader.Get<int32_t>();
  return reader.Finish();
}

Status DecodeString(std::string_view body, std::string_view& out) {
  BodyReader reader(body);
  out = reader.GetString();
  return reader.Finish();
}

Status DecodeSaslInitial(std::string_view body, SaslInitialMessage& out) {
  BodyReader reader(body);
  out.mechanism = reader.GetString();
  const auto size = reader.Get<int32_t>();
  out.has_response = size != -1;
  out.response = {};
  if (size < -1) return Violation("insufficient data left in message");
  if (size >= 0) out.response = reader.GetBytes(static_cast<size_t>(size));
  return reader.Finish();
}

Status DecodeEmpty(std::string_view body) { return BodyReader(body).Finish(); }

}  // namespace omendb::pgwire
