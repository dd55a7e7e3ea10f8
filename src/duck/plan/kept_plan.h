// kept_plan.h - the physical plans of a session that may be run again: a report that is asked for
// again and again while nobody writes is not planned each time.
//
// A plan is made with the statistics of its snapshot, and holds what was computed ahead. So it is
// run again only at that snapshot (nothing was committed since), in the same catalog, with the same
// settings for text, and only where IsRepeatable (repeatable.h) said so.
//
// Cost           100 to 200 KB a plan, which no budget counts; 25 times its text where that is
//                long, so those of long texts are not kept. A session keeps those of its newest
//                snapshot only, as the others never serve again, and all sessions together
//                KeptPlanCount::kMax.
// Thread safety  The session's, as duck_session.h. KeptPlanCount: any thread.
// Ownership      The list owns the plans and the catalog entries that they point to; statements
//                refer to theirs weakly.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "base/ids.h"
#include "duckdb.hpp"
#include "duckdb/main/prepared_statement_data.hpp"
#include "engine/database.h"
#include "types/text_io.h"

namespace omendb::duck {

struct KeptPlan {
  duckdb::shared_ptr<duckdb::PreparedStatementData> data;
  std::vector<std::shared_ptr<void>> pinned;
  Timestamp made_at;
  uint64_t catalog_version = 0;
  types::IoSettings io;
  uint32_t runs = 0;  // begun

  // Whether a statement that begins in the context may run it.
  bool Serves(const engine::StatementContext& context) const;
};

// One run of a kept plan, from its begin on. DuckDB leaves in a plan what its operators gathered,
// and a result that nobody read: at the end of the run, when DuckDB is done with the plan, the one
// is freed, and a plan with the other is given up.
class KeptRun {
 public:
  explicit KeptRun(const std::shared_ptr<KeptPlan>& plan);
  ~KeptRun();
  KeptRun(const KeptRun&) = delete;
  KeptRun& operator=(const KeptRun&) = delete;

  void set_read_to_end(bool read_to_end) { read_to_end_ = read_to_end; }

 private:
  const std::weak_ptr<KeptPlan> plan_;
  const uint32_t number_;  // among the plan's
  bool read_to_end_ = false;
};

// How many plans all sessions keep.
class KeptPlanCount {
 public:
  static constexpr size_t kMax = 256;

  // False: no more may be kept.
  bool Add();
  void Subtract() { plans_.fetch_sub(1, std::memory_order_relaxed); }
  size_t plans() const { return plans_.load(std::memory_order_relaxed); }

 private:
  std::atomic<size_t> plans_{0};
};

class KeptPlans {
 public:
  static constexpr size_t kTextBytesMax = 64 << 10;  // of a statement whose plan may be kept

  // Borrows the count.
  explicit KeptPlans(KeptPlanCount& count) : count_(count) {}
  ~KeptPlans() { Clear(); }
  KeptPlans(const KeptPlans&) = delete;
  KeptPlans& operator=(const KeptPlans&) = delete;

  // In place of `old`, if that is still here, and of those that will not serve again. Null: other
  // sessions keep so many that it is not kept.
  std::shared_ptr<KeptPlan> Keep(KeptPlan plan, const std::weak_ptr<KeptPlan>& old);
  void Clear();
  size_t size() const { return plans_.size(); }

 private:
  void DropFirst();

  KeptPlanCount& count_;
  std::vector<std::shared_ptr<KeptPlan>> plans_;  // the oldest first
};

}  // namespace omendb::duck
