#include "server/wire_sink.h"

#include "types/binary_io.h"
#include "types/text_io.h"

namespace omendb::server {
namespace {

// Output that is sent while a statement still makes more.
constexpr size_t kFlushBytes = 64 * 1024;

int16_t FormatOf(std::span<const int16_t> formats, size_t column) {
  if (formats.empty()) return 0;
  return formats.size() == 1 ? formats[0] : formats[column];
}

pgwire::Severity SeverityOf(const std::string& name) {
  if (name == "WARNING") return pgwire::Severity::kWarning;
  if (name == "INFO") return pgwire::Severity::kInfo;
  if (name == "LOG") return pgwire::Severity::kLog;
  if (name == "DEBUG") return pgwire::Severity::kDebug;
  return pgwire::Severity::kNotice;
}

}  // namespace

void WriteColumns(std::string& out, std::span<const types::ResultColumn> columns,
                  std::span<const int16_t> formats) {
  std::vector<pgwire::FieldDescription> fields;
  fields.reserve(columns.size());
  for (size_t i = 0; i < columns.size(); ++i) {
    const types::ResultColumn& column = columns[i];
    fields.push_back({column.name, column.table.value(), column.column.value(),
                      types::TypeOid(column.type), types::TypeLength(column.type),
                      column.type.numeric_legacy() ? -1 : column.type.typmod,
                      FormatOf(formats, i)});
  }
  pgwire::WriteRowDescription(out, fields);
}

void WireSink::Begin(std::span<const int16_t> formats, std::span<const types::SqlType> types,
                     const types::IoSettings& settings) {
  settings_ = &settings;
  types_.assign(types.begin(), types.end());
  formats_.clear();
  for (size_t i = 0; i < types.size(); ++i) formats_.push_back(FormatOf(formats, i));
}

Status WireSink::OnColumns(const std::vector<types::ResultColumn>& columns) {
  types_.clear();
  for (const types::ResultColumn& column : columns) types_.push_back(column.type);
  formats_.assign(columns.size(), 0);
  WriteColumns(channel_.output(), columns, {});
  return Status::Ok();
}

void WireSink::AppendValue(pgwire::RowBuilder& row, size_t column, const types::Value& value) {
  if (value.is_null) {
    row.Null();
    return;
  }
  row.BeginValue();
  if (formats_[column] == 1) {
    types::SendBinary(types_[column], value, row.buffer());
  } else {
    types::FormatText(types_[column], value, *settings_, row.buffer());
  }
  row.EndValue();
}

Status WireSink::OnRow(std::span<const types::Value> row) {
  pgwire::RowBuilder builder(channel_.output());
  builder.BeginRow(static_cast<int>(row.size()));
  for (size_t i = 0; i < row.size(); ++i) AppendValue(builder, i, row[i]);
  builder.EndRow();
  return FlushIfLarge();
}

Status WireSink::OnChunk(const types::Chunk& chunk) {
  pgwire::RowBuilder builder(channel_.output());
  for (uint32_t r = 0; r < chunk.rows_count; ++r) {
    builder.BeginRow(static_cast<int>(chunk.columns.size()));
    for (size_t c = 0; c < chunk.columns.size(); ++c) {
      AppendValue(builder, c, chunk.columns[c].Get(r));
    }
    builder.EndRow();
    OMEN_TRY(FlushIfLarge());
  }
  return Status::Ok();
}

Status WireSink::FlushIfLarge() {
  return channel_.output().size() >= kFlushBytes ? channel_.Flush() : Status::Ok();
}

Status WireSink::OnComplete(std::string_view tag) {
  pgwire::WriteCommandComplete(channel_.output(), tag);
  return Status::Ok();
}

Status WireSink::OnEmptyQuery() {
  pgwire::WriteEmptyQueryResponse(channel_.output());
  return Status::Ok();
}

Status WireSink::OnPortalSuspended() {
  pgwire::WritePortalSuspended(channel_.output());
  return Status::Ok();
}

void WireSink::OnNotice(const sql::Notice& notice) {
  pgwire::WriteNotice(channel_.output(), SeverityOf(notice.severity), notice.info);
}

void WireSink::OnParameterStatus(std::string_view name, std::string_view value) {
  pgwire::WriteParameterStatus(channel_.output(), name, value);
}

Status WireSink::OnCopyIn(sql::CopyFormat format, int columns_count) {
  pgwire::WriteCopyResponse(channel_.output(), pgwire::CopyDirection::kIn,
                            format == sql::CopyFormat::kBinary, columns_count);
  return channel_.Flush();
}

Result<std::optional<std::string_view>> WireSink::ReadCopyData() {
  return channel_.ReadCopyMessage();
}

Status WireSink::OnCopyOut(sql::CopyFormat format, int columns_count) {
  pgwire::WriteCopyResponse(channel_.output(), pgwire::CopyDirection::kOut,
                            format == sql::CopyFormat::kBinary, columns_count);
  return Status::Ok();
}

Status WireSink::OnCopyData(std::string_view data) {
  pgwire::WriteCopyData(channel_.output(), data);
  return FlushIfLarge();
}

Status WireSink::OnCopyDone() {
  pgwire::WriteCopyDone(channel_.output());
  return Status::Ok();
}

}  // namespace omendb::server
