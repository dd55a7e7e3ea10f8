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
  uint32_t runs = 0;

  // Whether a statement that begins in the context may run it.
  bool Serves(const engine::StatementContext& context) const;
};

class KeptPlans {
 public:
  std::weak_ptr<KeptPlan> Keep(KeptPlan plan);
  void Clear() { plans_.clear(); }

 private:
  std::vector<std::shared_ptr<KeptPlan>> plans_;  // the oldest first
};

}  // namespace omendb::duck
