#include "server/http/json_sink.h"

#include "base/sqlstate.h"
#include "server/http/json_writer.h"

namespace omendb::server {

Status JsonSink::OnColumns(const std::vector<types::ResultColumn>& columns) {
  types_.clear();
  columns_.clear();
  rows_.clear();
  complete_ = false;
  for (const types::ResultColumn& column : columns) {
    types_.push_back(column.type);
    if (!columns_.empty()) columns_ += ',';
    columns_ += "{\"name\":";
    AppendJsonString(columns_, column.name);
    columns_ += ",\"type\":";
    AppendJsonString(columns_, types::FormatType(column.type));
    columns_ += '}';
  }
  return Status::Ok();
}

Status JsonSink::OnRow(std::span<const types::Value> row) {
  rows_ += rows_.empty() ? "[" : ",[";
  for (size_t i = 0; i < row.size() && i < types_.size(); ++i) {
    if (i > 0) rows_ += ',';
    AppendJsonValue(rows_, types_[i], row[i], settings_);
  }
  rows_ += ']';
  if (rows_.size() <= kResponseBytesMax) return Status::Ok();
  return Status(sqlstate::kProgramLimitExceeded,
                "the result is larger than " + std::to_string(kResponseBytesMax >> 20) + " MB")
      .WithHint("Add a LIMIT, or fetch it over the PostgreSQL protocol.");
}

Status JsonSink::OnComplete(std::string_view tag) {
  // A statement without rows after one with rows: its own, empty result.
  if (complete_) {
    columns_.clear();
    rows_.clear();
    types_.clear();
  }
  command_ = tag;
  complete_ = true;
  return Status::Ok();
}

Status JsonSink::OnEmptyQuery() {
  command_.clear();
  return Status::Ok();
}

void JsonSink::OnNotice(const sql::Notice& notice) {
  if (!notices_.empty()) notices_ += ',';
  AppendJsonString(notices_, notice.severity + ": " + notice.info.message);
}

Status JsonSink::OnCopyIn(sql::CopyFormat /*format*/, int /*columns_count*/) {
  return NotSupported("COPY FROM STDIN over HTTP");
}

Result<std::optional<std::string_view>> JsonSink::ReadCopyData() {
  return NotSupported("COPY FROM STDIN over HTTP");
}

Status JsonSink::OnCopyOut(sql::CopyFormat /*format*/, int /*columns_count*/) {
  return NotSupported("COPY TO STDOUT over HTTP");
}

Status JsonSink::OnCopyData(std::string_view /*data*/) {
  return NotSupported("COPY TO STDOUT over HTTP");
}

std::string JsonSink::Take() const {
  std::string out;
  out.reserve(columns_.size() + rows_.size() + notices_.size() + command_.size() + 64);
  out += "{\"columns\":[" + columns_ + "],\"rows\":[" + rows_ + "],\"command\":";
  AppendJsonString(out, command_);
  if (!notices_.empty()) out += ",\"notices\":[" + notices_ + "]";
  out += "}\n";
  return out;
}

}  // namespace omendb::server
