#include "pgwire/backend.h"

namespace omendb::pgwire {
namespace {

// AuthenticationRequest codes.
constexpr int32_t kAuthOk = 0;
constexpr int32_t kAuthSasl = 10;
constexpr int32_t kAuthSaslContinue = 11;
constexpr int32_t kAuthSaslFinal = 12;

void Field(MessageBuilder& message, char code, std::string_view value) {
  if (value.empty()) return;
  message.Byte(code);
  message.String(value);
}

void WriteErrorOrNotice(std::string& out, char type, Severity severity, const ErrorInfo& info) {
  MessageBuilder message(out, type);
  Field(message, 'S', SeverityName(severity));
  Field(message, 'V', SeverityName(severity));
  Field(message, 'C', info.sqlstate.view());
  Field(message, 'M',
        info.message.empty() ? std::string_view("missing error text")
                             : std::string_view(info.message));
  Field(message, 'D', info.detail);
  Field(message, 'H', info.hint);
  if (info.position > 0) Field(message, 'P', std::to_string(info.position));
  Field(message, 'W', info.context);
  Field(message, 's', info.schema_name);
  Field(message, 't', info.table_name);
  Field(message, 'c', info.column_name);
  Field(message, 'n', info.constraint_name);
  message.Byte('\0');
  message.Finish();
}

void WriteAuthentication(std::string& out, int32_t code, std::string_view data) {
  MessageBuilder message(out, 'R');
  message.Int32(code);
  message.Bytes(data);
  message.Finish();
}

}  // namespace

std::string_view SeverityName(Severity severity) {
  switch (severity) {
    case Severity::kError:
      return "ERROR";
    case Severity::kFatal:
      return "FATAL";
    case Severity::kPanic:
      return "PANIC";
    case Severity::kWarning:
      return "WARNING";
    case Severity::kNotice:
      return "NOTICE";
    case Severity::kInfo:
      return "INFO";
    case Severity::kLog:
      return "LOG";
    case Severity::kDebug:
      return "DEBUG";
  }
  return "ERROR";
}

void WriteAuthenticationOk(std::string& out) { WriteAuthentication(out, kAuthOk, {}); }

void WriteAuthenticationSasl(std::string& out, std::span<const std::string_view> mechanisms) {
  MessageBuilder message(out, 'R');
  message.Int32(kAuthSasl);
  for (const std::string_view mechanism : mechanisms) message.String(mechanism);
  message.Byte('\0');
  message.Finish();
}

void WriteAuthenticationSaslContinue(std::string& out, std::string_view data) {
  WriteAuthentication(out, kAuthSaslContinue, data);
}

void WriteAuthenticationSaslFinal(std::string& out, std::string_view data) {
  WriteAuthentication(out, kAuthSaslFinal, data);
}

void WriteParameterStatus(std::string& out, std::string_view name, std::string_view value) {
  MessageBuilder message(out, 'S');
  message.String(name);
  message.String(value);
  message.Finish();
}

void WriteBackendKeyData(std::string& out, uint32_t pid, uint32_t secret) {
  MessageBuilder message(out, 'K');
  message.Int32(static_cast<int32_t>(pid));
  message.Int32(static_cast<int32_t>(secret));
  message.Finish();
}

void WriteNegotiateProtocolVersion(std::string& out, std::span<const std::string> unknown_options) {
  MessageBuilder message(out, 'v');
  message.Int32(3 << 16);  // Protocol 3.0 is the newest that is spoken here.
  message.Int32(static_cast<int32_t>(unknown_options.size()));
  for (const std::string& option : unknown_options) message.String(option);
  message.Finish();
}

void WriteReadyForQuery(std::string& out, TransactionStatus status) {
  const char bytes[6] = {'Z', 0, 0, 0, 5, static_cast<char>(status)};
  out.append(bytes, 6);
}

void WriteCommandComplete(std::string& out, std::string_view tag) {
  MessageBuilder message(out, 'C');
  message.String(tag);
  message.Finish();
}

void WriteRowDescription(std::string& out, std::span<const FieldDescription> fields) {
  MessageBuilder message(out, 'T');
  message.Int16(static_cast<int16_t>(fields.size()));
  for (const FieldDescription& field : fields) {
    message.String(field.name);
    message.Int32(static_cast<int32_t>(field.table_oid));
    message.Int16(field.column_number);
    message.Int32(static_cast<int32_t>(field.type_oid));
    message.Int16(field.type_size);
    message.Int32(field.type_modifier);
    message.Int16(field.format);
  }
  message.Finish();
}

void WriteParameterDescription(std::string& out, std::span<const uint32_t> oids) {
  MessageBuilder message(out, 't');
  message.Int16(static_cast<int16_t>(oids.size()));
  for (const uint32_t oid : oids) message.Int32(static_cast<int32_t>(oid));
  message.Finish();
}

void WriteNotificationResponse(std::string& out, uint32_t pid, std::string_view channel,
                               std::string_view payload) {
  MessageBuilder message(out, 'A');
  message.Int32(static_cast<int32_t>(pid));
  message.String(channel);
  message.String(payload);
  message.Finish();
}

void WriteEmpty(std::string& out, char type) {
  const char bytes[5] = {type, 0, 0, 0, 4};
  out.append(bytes, 5);
}

void WriteCopyResponse(std::string& out, CopyDirection direction, bool binary, int columns) {
  MessageBuilder message(out, static_cast<char>(direction));
  message.Byte(binary ? 1 : 0);
  message.Int16(static_cast<int16_t>(columns));
  for (int i = 0; i < columns; ++i) message.Int16(binary ? 1 : 0);
  message.Finish();
}

void WriteCopyData(std::string& out, std::string_view data) {
  MessageBuilder message(out, 'd');
  message.Bytes(data);
  message.Finish();
}

void WriteError(std::string& out, const ErrorInfo& error) {
  const Severity severity =
      error.radius == Radius::kConnection ? Severity::kFatal : Severity::kError;
  WriteErrorOrNotice(out, 'E', severity, error);
}

void WriteNotice(std::string& out, Severity severity, const ErrorInfo& notice) {
  WriteErrorOrNotice(out, 'N', severity, notice);
}

}  // namespace omendb::pgwire
