// null_sink.h - a ResultSink that ignores what it gets, for who overrides some of it.
//
// Thread safety  As ResultSink.
#pragma once

#include "sql/session.h"

namespace omendb::sql {

class NullSink : public ResultSink {
 public:
  Status OnColumns(const std::vector<types::ResultColumn>&) override { return Status::Ok(); }
  Status OnRow(std::span<const types::Value>) override { return Status::Ok(); }
  Status OnComplete(std::string_view) override { return Status::Ok(); }
  Status OnEmptyQuery() override { return Status::Ok(); }
  Status OnPortalSuspended() override { return Status::Ok(); }
  void OnNotice(const Notice&) override {}
  void OnParameterStatus(std::string_view, std::string_view) override {}
  Status OnCopyIn(CopyFormat, int) override { return Status::Ok(); }
  Result<std::optional<std::string_view>> ReadCopyData() override {
    return std::optional<std::string_view>();
  }
  Status OnCopyOut(CopyFormat, int) override { return Status::Ok(); }
  Status OnCopyData(std::string_view) override { return Status::Ok(); }
  Status OnCopyDone() override { return Status::Ok(); }
};

}  // namespace omendb::sql
