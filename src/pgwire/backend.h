// backend.h - what the server sends: messages appended to a buffer of bytes.
//
// Thread safety  One thread at a time for one buffer.
// Cost           No allocation once the buffer has grown. A DataRow is built in place: Begin, one
//                field after another, End.
// Invariants     Outside Begin/End the buffer holds whole messages only.
// See            PostgreSQL 15, section 55.7 "Message Formats".
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/status.h"

namespace omendb::pgwire {

// One column of a RowDescription.
struct FieldDescription {
  std::string_view name;
  uint32_t table_oid = 0;
  int16_t column_number = 0;
  uint32_t type_oid = 0;
  int16_t type_size = 0;
  int32_t type_modifier = -1;
  int16_t format = 0;
};

enum class TransactionStatus : char { kIdle = 'I', kInBlock = 'T', kFailed = 'E' };
enum class Severity { kError, kFatal, kPanic, kWarning, kNotice, kInfo, kLog, kDebug };
std::string_view SeverityName(Severity severity);

inline void AppendInt16(std::string& out, int16_t v) {
  char bytes[2];
  StoreBe<uint16_t>(bytes, static_cast<uint16_t>(v));
  out.append(bytes, 2);
}
inline void AppendInt32(std::string& out, int32_t v) {
  char bytes[4];
  StoreBe<uint32_t>(bytes, static_cast<uint32_t>(v));
  out.append(bytes, 4);
}

// One message under construction: type byte, length patched by Finish().
class MessageBuilder {
 public:
  MessageBuilder(std::string& out, char type) : out_(out), start_(out.size()) {
    out_.push_back(type);
    out_.append(4, '\0');
  }
  void Byte(char c) { out_.push_back(c); }
  void Int16(int16_t v) { AppendInt16(out_, v); }
  void Int32(int32_t v) { AppendInt32(out_, v); }
  void String(std::string_view s) {
    out_.append(s);
    out_.push_back('\0');
  }
  void Bytes(std::string_view s) { out_.append(s); }
  void Finish() {
    StoreBe<uint32_t>(out_.data() + start_ + 1, static_cast<uint32_t>(out_.size() - start_ - 1));
  }

 private:
  std::string& out_;
  size_t start_;
};

// Builds DataRow messages: BeginRow, then for each column Null(), Value(), or BeginValue() ...
// append to buffer() ... EndValue(), then EndRow.
class RowBuilder {
 public:
  explicit RowBuilder(std::string& out) : out_(out) {}
  void BeginRow(int columns) {
    row_start_ = out_.size();
    char head[7] = {'D'};
    StoreBe<uint16_t>(head + 5, static_cast<uint16_t>(columns));
    out_.append(head, 7);
  }
  void Null() { out_.append("\xff\xff\xff\xff", 4); }
  void Value(std::string_view bytes) {
    AppendInt32(out_, static_cast<int32_t>(bytes.size()));
    out_.append(bytes);
  }
  void BeginValue() {
    value_start_ = out_.size();
    out_.append(4, '\0');
  }
  void EndValue() {
    StoreBe<uint32_t>(out_.data() + value_start_,
                      static_cast<uint32_t>(out_.size() - value_start_ - 4));
  }
  void EndRow() {
    StoreBe<uint32_t>(out_.data() + row_start_ + 1,
                      static_cast<uint32_t>(out_.size() - row_start_ - 1));
  }
  // Takes the row under construction back.
  void AbandonRow() { out_.resize(row_start_); }
  std::string& buffer() { return out_; }

 private:
  std::string& out_;
  size_t row_start_ = 0;
  size_t value_start_ = 0;
};

void WriteAuthenticationOk(std::string& out);
void WriteAuthenticationSasl(std::string& out, std::span<const std::string_view> mechanisms);
void WriteAuthenticationSaslContinue(std::string& out, std::string_view data);
void WriteAuthenticationSaslFinal(std::string& out, std::string_view data);
void WriteParameterStatus(std::string& out, std::string_view name, std::string_view value);
void WriteBackendKeyData(std::string& out, uint32_t pid, uint32_t secret);
void WriteNegotiateProtocolVersion(std::string& out, std::span<const std::string> unknown_options);
void WriteReadyForQuery(std::string& out, TransactionStatus status);
void WriteCommandComplete(std::string& out, std::string_view tag);
void WriteRowDescription(std::string& out, std::span<const FieldDescription> fields);
void WriteParameterDescription(std::string& out, std::span<const uint32_t> oids);
void WriteNotificationResponse(std::string& out, uint32_t pid, std::string_view channel,
                               std::string_view payload);
// ParseComplete '1', BindComplete '2', CloseComplete '3', NoData 'n', PortalSuspended 's',
// EmptyQueryResponse 'I', CopyDone 'c'.
void WriteEmpty(std::string& out, char type);
inline void WriteParseComplete(std::string& out) { WriteEmpty(out, '1'); }
inline void WriteBindComplete(std::string& out) { WriteEmpty(out, '2'); }
inline void WriteCloseComplete(std::string& out) { WriteEmpty(out, '3'); }
inline void WriteNoData(std::string& out) { WriteEmpty(out, 'n'); }
inline void WritePortalSuspended(std::string& out) { WriteEmpty(out, 's'); }
inline void WriteEmptyQueryResponse(std::string& out) { WriteEmpty(out, 'I'); }
inline void WriteCopyDone(std::string& out) { WriteEmpty(out, 'c'); }
// CopyInResponse 'G' and CopyOutResponse 'H': `binary` is the format of the whole and of each of
// the `columns` columns.
enum class CopyDirection : char { kIn = 'G', kOut = 'H' };
void WriteCopyResponse(std::string& out, CopyDirection direction, bool binary, int columns);
void WriteCopyData(std::string& out, std::string_view data);
// ErrorResponse. FATAL when the error's radius is the connection.
void WriteError(std::string& out, const ErrorInfo& error);
void WriteNotice(std::string& out, Severity severity, const ErrorInfo& notice);

}  // namespace omendb::pgwire
