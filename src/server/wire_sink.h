// wire_sink.h - results of a session as protocol messages in the connection's output buffer.
//
// Thread safety  The connection's coroutine.
// Ownership      Borrows the output buffer and the connection's input.
// Cost           Rows are encoded in place; the buffer goes to the socket when it is large, which
//                suspends the coroutine while the client does not take it: a slow client holds
//                nothing but its own session.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "pgwire/backend.h"
#include "sql/session.h"

namespace omendb::server {

// What the sink needs of its connection.
class WireChannel {
 public:
  virtual ~WireChannel() = default;
  virtual std::string& output() = 0;
  // Sends the buffered output.
  virtual Status Flush() = 0;
  // The next message of COPY ... FROM STDIN: data, nullopt at CopyDone; 57014 at CopyFail.
  virtual Result<std::optional<std::string_view>> ReadCopyMessage() = 0;
};

class WireSink : public sql::ResultSink {
 public:
  explicit WireSink(WireChannel& channel) : channel_(channel) {}

  // Before each Execute of the extended protocol: result formats as Bind gave them (none = text,
  // one = for all columns), the types of the portal's columns, and the session's text settings. The
  // simple protocol has text throughout.
  void Begin(std::span<const int16_t> formats, std::span<const types::SqlType> types,
             const types::IoSettings& settings);

  Status OnColumns(const std::vector<types::ResultColumn>& columns) override;
  Status OnRow(std::span<const types::Value> row) override;
  Status OnChunk(const types::Chunk& chunk) override;
  Status OnComplete(std::string_view tag) override;
  Status OnEmptyQuery() override;
  Status OnPortalSuspended() override;
  void OnNotice(const sql::Notice& notice) override;
  void OnParameterStatus(std::string_view name, std::string_view value) override;
  Status OnCopyIn(sql::CopyFormat format, int columns_count) override;
  Result<std::optional<std::string_view>> ReadCopyData() override;
  Status OnCopyOut(sql::CopyFormat format, int columns_count) override;
  Status OnCopyData(std::string_view data) override;
  Status OnCopyDone() override;
  Status Flush() override { return channel_.Flush(); }

 private:
  void AppendValue(pgwire::RowBuilder& row, size_t column, const types::Value& value);
  Status FlushIfLarge();

  WireChannel& channel_;
  std::vector<int16_t> formats_;
  std::vector<types::SqlType> types_;
  const types::IoSettings* settings_ = nullptr;
};

// RowDescription of a result whose columns have these formats (see WireSink::Begin).
void WriteColumns(std::string& out, std::span<const types::ResultColumn> columns,
                  std::span<const int16_t> formats);

}  // namespace omendb::server
