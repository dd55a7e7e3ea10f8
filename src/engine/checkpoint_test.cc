// What becomes of checkpoints whose files cannot be written, synced or named.
#include "engine/checkpoint.h"

#include <gtest/gtest.h>

#include "base/sqlstate.h"
#include "engine/manifest.h"
#include "engine/segments_fixture.h"

namespace omendb::engine {
namespace {

using testutil::CrashLoss;
using testutil::FaultEnv;
using testutil::FaultRule;

class CheckpointTest : public SegmentsTest {
 protected:
  // Opens the database of `e` again, where calls may be made to fail.
  static void OpenWatched(Engine& e, FaultEnv& watched) {
    ASSERT_TRUE(e.db->Close().ok());
    e.db.reset();
    e.OpenOn(watched);
  }
  // What a crash at this moment leaves has the rows.
  void ExpectAfterCrash(Engine& e, const Pairs& rows) {
    for (const CrashLoss loss : {CrashLoss::kNothing, CrashLoss::kAll, CrashLoss::kRandom}) {
      const auto left = e.env->CrashClone(1, loss);
      auto opened = Database::Open(*left, SmallOptions());
      ASSERT_TRUE(opened.ok()) << opened.status().ToString();
      std::swap(e.db, *opened);
      EXPECT_EQ(Committed(e), rows);
      std::swap(e.db, *opened);
    }
  }
};

// Nobody knows which manifest is there: neither of both checkpoints is overwritten or removed.
TEST_F(CheckpointTest, AManifestThatMayBeThereKeepsItsCheckpoint) {
  Engine e(SmallOptions());
  Pairs rows;
  Fill(e, 100, rows);
  FaultEnv watched(*e.env);
  OpenWatched(e, watched);
  {
    auto txn = e.Begin();
    Change(e, *txn, 5, 7);
    ASSERT_TRUE(e.Commit(*txn).ok());
    rows[5] = 7;
  }
  // The folder is synced for the checkpoint, for the new manifest, and for its name.
  watched.AddRule({.ops = testutil::kOpSyncDir, .skip = 2, .times = 1});
  EXPECT_TRUE(e.db->Checkpoint().Is(sqlstate::kIoError));
  ASSERT_EQ(watched.fault_count(), 1u);
  ExpectAfterCrash(e, rows);
  // One of the same moment.
  watched.ClearRules();
  watched.AddRule({.ops = testutil::kOpAppend, .path_contains = "checkpoint", .error = ENOSPC});
  EXPECT_TRUE(e.db->Checkpoint().Is(sqlstate::kDiskFull));
  ExpectAfterCrash(e, rows);
  watched.ClearRules();
  EXPECT_TRUE(e.db->Checkpoint().ok());
  ExpectAfterCrash(e, rows);
  const auto manifest = ReadManifest(*e.env, "data");
  ASSERT_TRUE(manifest.ok() && *manifest);
  const std::vector<std::string> names = *e.env->List("data");
  for (const std::string& name : names) {
    EXPECT_TRUE(!name.starts_with("checkpoint") || name == (*manifest)->checkpoint_file) << name;
  }
  e.db.reset();
}

// Whatever call of one fails, all is there before and after, and the next one succeeds.
TEST_F(CheckpointTest, AFailureAtAnyFileOperationLosesNothing) {
  Engine e(SmallOptions());
  Pairs rows;
  Fill(e, 100, rows);
  ASSERT_TRUE(e.Freeze().ok());
  FaultEnv watched(*e.env);
  OpenWatched(e, watched);
  bool failed = true;
  for (uint64_t moment = 0; failed; ++moment) {
    ASSERT_LT(moment, 100u);
    auto txn = e.Begin();
    Change(e, *txn, static_cast<int32_t>(moment % 100), static_cast<int32_t>(moment));
    ASSERT_TRUE(e.Commit(*txn).ok());
    rows[static_cast<int32_t>(moment % 100)] = static_cast<int32_t>(moment);
    // Those of the log stop all writes, and have tests of their own.
    const uint64_t before = watched.fault_count();
    for (const char* const path : {"checkpoint", "manifest", "segments"}) {
      watched.AddRule({.ops = testutil::kOpWrites,
                       .path_contains = path,
                       .skip = moment,
                       .times = 1,
                       .error = ENOSPC});
    }
    const Status done = e.db->Checkpoint();
    failed = watched.fault_count() > before;
    EXPECT_TRUE(done.ok() || done.Is(sqlstate::kDiskFull)) << done.ToString();
    watched.ClearRules();
    ExpectAfterCrash(e, rows);
  }
  EXPECT_TRUE(e.db->Checkpoint().ok());
  ExpectAfterCrash(e, rows);
  e.db.reset();
}

}  // namespace
}  // namespace omendb::engine
