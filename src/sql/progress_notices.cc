#include "sql/progress_notices.h"

#include <fmt/format.h>

namespace omendb::sql {
namespace {

int Percent(double fraction) { return static_cast<int>(fraction * 100); }

std::string QueryText(const QueryProgress::Values& query) {
  if (!query.is_planned) return "the query is being planned";
  std::string text = "the query runs";
  if (query.fraction) text = fmt::format("{}% of the query done", Percent(*query.fraction));
  if (query.rows_to_write > 0) {
    return text + fmt::format(" ({} of {} rows written)", query.rows_written, query.rows_to_write);
  }
  if (query.rows_total == 0) return text;
  return text + fmt::format(" ({} of {} rows scanned)", query.rows_done, query.rows_total);
}

std::string CommandText(const CommandProgress::Values& command) {
  switch (command.target.kind) {
    case CommandProgress::Kind::kCopyFrom:
    case CommandProgress::Kind::kCopyTo:
      return fmt::format("{} rows ({} bytes) copied", command.rows_done, command.bytes_done);
    case CommandProgress::Kind::kCreateIndex:
    case CommandProgress::Kind::kReindex:
      break;
  }
  if (command.is_loading) return fmt::format("loading {} keys into the index", command.rows_done);
  return fmt::format("{} of {} rows read for the index", command.rows_done, command.rows_total);
}

}  // namespace

std::string ProgressText(const StatementProgress& progress, std::chrono::milliseconds elapsed) {
  const auto query = progress.query.Get();
  const auto command = progress.command.Get();
  std::string text = query ? QueryText(*query) : "";
  if (command) text += (query ? ", " : "") + CommandText(*command);
  if (text.empty()) text = "the statement runs";
  return text + fmt::format(", after {:.1f} s", static_cast<double>(elapsed.count()) / 1000);
}

void ProgressNotices::Begin(ResultSink* sink) {
  sink_ = sink;
  interval_ = std::chrono::milliseconds(0);
  next_ = kNoDeadline;
}

void ProgressNotices::SetInterval(uint64_t ms) {
  const std::chrono::milliseconds interval(ms);
  if (sink_ == nullptr || interval == interval_) return;
  const SteadyTime now = std::chrono::steady_clock::now();
  if (interval_.count() == 0) begun_ = now;
  interval_ = interval;
  next_ = ms == 0 ? kNoDeadline : now + interval;
}

void ProgressNotices::Tick() {
  const SteadyTime now = std::chrono::steady_clock::now();
  const auto elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(now - begun_);
  sql::Notice notice;
  // Asked for: sent whatever client_min_messages says.
  notice.severity = "INFO";
  notice.info = Status(SqlState("00000"), ProgressText(progress_, elapsed)).error();
  sink_->OnNotice(notice);
  // The statement hears of a client that is gone when it sends its results.
  next_ = sink_->Flush().ok() ? now + interval_ : kNoDeadline;
}

}  // namespace omendb::sql
