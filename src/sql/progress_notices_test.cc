#include "sql/progress_notices.h"

#include <gtest/gtest.h>

#include "base/sqlstate.h"
#include "sql/null_sink.h"

namespace omendb::sql {
namespace {

using std::chrono::milliseconds;

struct FixedSource final : public QueryProgress::Source {
  FixedSource() { values.is_planned = true; }
  QueryProgress::Values Now() const override { return values; }
  QueryProgress::Values values;
};

TEST(ProgressTextTest, TellsOfQueries) {
  StatementProgress progress;
  EXPECT_EQ(ProgressText(progress, milliseconds(1500)), "the statement runs, after 1.5 s");
  progress.query.Plan();
  EXPECT_EQ(ProgressText(progress, milliseconds(0)), "the query is being planned, after 0.0 s");
  FixedSource source;
  progress.query.Run(source);
  EXPECT_EQ(ProgressText(progress, milliseconds(0)), "the query runs, after 0.0 s");
  source.values.fraction = 0.379;
  source.values.rows_done = 38;
  source.values.rows_total = 100;
  EXPECT_EQ(ProgressText(progress, milliseconds(60'000)),
            "37% of the query done (38 of 100 rows scanned), after 60.0 s");
  source.values.rows_written = 3;
  source.values.rows_to_write = 99;
  EXPECT_EQ(ProgressText(progress, milliseconds(0)),
            "37% of the query done (3 of 99 rows written), after 0.0 s");
  progress.query.End();
  EXPECT_EQ(ProgressText(progress, milliseconds(0)), "the statement runs, after 0.0 s");
}

TEST(ProgressTextTest, TellsOfCommands) {
  StatementProgress progress;
  {
    const CommandProgress::Scope scope(progress.command,
                                       {CommandProgress::Kind::kCopyTo, Oid(0), Oid(0)});
    progress.command.SetRows(7);
    progress.command.AddBytes(30);
    progress.command.AddBytes(12);
    EXPECT_EQ(ProgressText(progress, milliseconds(0)), "7 rows (42 bytes) copied, after 0.0 s");
    progress.query.Plan();
    EXPECT_EQ(ProgressText(progress, milliseconds(0)),
              "the query is being planned, 7 rows (42 bytes) copied, after 0.0 s");
    progress.query.End();
  }
  const CommandProgress::Scope scope(progress.command,
                                     {CommandProgress::Kind::kCreateIndex, Oid(1), Oid(2)});
  progress.command.SetRowsTotal(100);
  EXPECT_EQ(ProgressText(progress, milliseconds(0)),
            "0 of 100 rows read for the index, after 0.0 s");
  progress.command.SetRows(100);
  progress.command.SetLoading();
  EXPECT_EQ(ProgressText(progress, milliseconds(0)),
            "loading 100 keys into the index, after 0.0 s");
}

// Counts notices; the client is gone when told so.
class NoticeSink : public NullSink {
 public:
  void OnNotice(const Notice& notice) override { severities.push_back(notice.severity); }
  Status Flush() override {
    return is_gone ? Status(sqlstate::kConnectionFailure, "gone") : Status::Ok();
  }

  std::vector<std::string> severities;
  bool is_gone = false;
};

TEST(ProgressNoticesTest, NoneIsDueUnlessAskedFor) {
  StatementProgress progress;
  NoticeSink sink;
  ProgressNotices notices(progress);
  notices.SetInterval(1);  // No statement runs.
  EXPECT_EQ(notices.next(), kNoDeadline);
  notices.Begin(&sink);
  notices.SetInterval(0);
  EXPECT_EQ(notices.next(), kNoDeadline);
  notices.SetInterval(3'600'000);
  const SteadyTime next = notices.next();
  EXPECT_GT(next, std::chrono::steady_clock::now());
  EXPECT_NE(next, kNoDeadline);
  notices.SetInterval(3'600'000);
  EXPECT_EQ(notices.next(), next);
  notices.TickIfDue();
  EXPECT_TRUE(sink.severities.empty());
  notices.SetInterval(0);
  EXPECT_EQ(notices.next(), kNoDeadline);
  notices.End();
}

TEST(ProgressNoticesTest, EachMovesTheNext) {
  StatementProgress progress;
  NoticeSink sink;
  ProgressNotices notices(progress);
  notices.Begin(&sink);
  notices.SetInterval(3'600'000);
  const SteadyTime first = notices.next();
  notices.Tick();
  EXPECT_GT(notices.next(), first);
  EXPECT_EQ(sink.severities, std::vector<std::string>{"INFO"});
  sink.is_gone = true;
  notices.Tick();
  EXPECT_EQ(notices.next(), kNoDeadline);
}

}  // namespace
}  // namespace omendb::sql
