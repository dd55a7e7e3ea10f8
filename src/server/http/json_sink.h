// json_sink.h - the result of one statement as JSON.
//
// {"columns": [{"name": "a", "type": "integer"}], "rows": [[1]], "command": "SELECT 1"}
// Of several statements in one text the last one's result is kept.
// Thread safety  One coroutine.
// Errors         54000 when the answer passes kResponseBytesMax: it is built in memory.
#pragma once

#include <string>
#include <vector>

#include "sql/session.h"

namespace omendb::server {

class JsonSink final : public sql::ResultSink {
 public:
  static constexpr size_t kResponseBytesMax = size_t{64} << 20;

  explicit JsonSink(const types::IoSettings& settings) : settings_(settings) {}

  Status OnColumns(const std::vector<types::ResultColumn>& columns) override;
  Status OnRow(std::span<const types::Value> row) override;
  Status OnComplete(std::string_view tag) override;
  Status OnEmptyQuery() override;
  Status OnPortalSuspended() override { return Status::Ok(); }
  void OnNotice(const sql::Notice& notice) override;
  void OnParameterStatus(std::string_view /*name*/, std::string_view /*value*/) override {}
  Status OnCopyIn(sql::CopyFormat format, int columns_count) override;
  Result<std::optional<std::string_view>> ReadCopyData() override;
  Status OnCopyOut(sql::CopyFormat format, int columns_count) override;
  Status OnCopyData(std::string_view data) override;
  Status OnCopyDone() override { return Status::Ok(); }

  std::string Take() const;

 private:
  const types::IoSettings& settings_;
  std::vector<types::SqlType> types_;
  std::string columns_;
  std::string rows_;
  std::string notices_;
  std::string command_;
  bool complete_ = false;
};

}  // namespace omendb::server
