// duck_engine_impl.h - the engine behind duck::DuckEngine: holds the current DuckDB instance.
//
// Thread safety  Any thread. Lock order: mu_ before DuckDB's own locks.
#pragma once

#include <memory>

#include "base/mutex.h"
#include "duck/duck_engine.h"
#include "duck/plan/kept_plan.h"

namespace omendb::duck {

class Instance;

class DuckEngineImpl : public DuckEngine {
 public:
  DuckEngineImpl(DuckOptions options, engine::Database& database, SystemTables& system_tables,
                 SessionFunctions& functions)
      : rewriter_(options.rewriter),
        share_(options.share),
        database_(database),
        system_tables_(system_tables),
        functions_(functions),
        options_(std::move(options)) {}

  Result<std::unique_ptr<DuckSession>> NewSession(Oid database) override;
  uint64_t used() const override;
  bool SetLimit(uint64_t bytes) override;

  // The instance in use; a new one when the last was invalidated by an INTERNAL or FATAL error.
  Result<std::shared_ptr<Instance>> CurrentInstance();
  engine::Database& database() { return database_; }
  SystemTables& system_tables() { return system_tables_; }
  SessionFunctions& functions() { return functions_; }
  SqlRewriter* rewriter() { return rewriter_; }
  AnalyticalShare* share() { return share_; }
  KeptPlanCount& kept_plan_count() { return kept_plan_count_; }

 private:
  SqlRewriter* const rewriter_;
  AnalyticalShare* const share_;
  engine::Database& database_;
  SystemTables& system_tables_;
  SessionFunctions& functions_;
  KeptPlanCount kept_plan_count_;
  mutable Mutex mu_;
  DuckOptions options_ OMEN_GUARDED_BY(mu_);  // of the next instance
  std::shared_ptr<Instance> instance_ OMEN_GUARDED_BY(mu_);
};

}  // namespace omendb::duck
