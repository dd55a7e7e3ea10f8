// kept_plan.h - the physical plans of a session that may be run again: a report that is asked for
// again and again while nobody writes is not planned each time.
//
// A plan is made with the statistics of its snapshot, and holds what was computed ahead. So it is
// run again only at that snapshot (nothing was committed since), in the same catalog, with the same
// settings for text, and only where IsRepeatable (repeatable.h) said so.
//
// Thread safety  The session's, as duck_session.h.
// Ownership      The list owns the plans and the catalog entries that they point to; statements
//                refer to theirs weakly.
#pragma once

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

class KeptPlans {
 public:
  // In place of `old`, if that is still here.
  std::shared_ptr<KeptPlan> Keep(KeptPlan plan, const std::weak_ptr<KeptPlan>& old);
  void Clear() { plans_.clear(); }

 private:
  std::vector<std::shared_ptr<KeptPlan>> plans_;  // the oldest first
};

}  // namespace omendb::duck
