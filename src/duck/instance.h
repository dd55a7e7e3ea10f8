// instance.h - one DuckDB instance with our catalog, functions and settings in it. It holds no
// state of ours: after an INTERNAL or FATAL error it is dropped and another is made.
//
// Thread safety  Connect, Attach: any thread.
#pragma once

#include <memory>
#include <set>

#include "base/mutex.h"
#include "duck/duck_engine.h"
#include "duckdb.hpp"

namespace omendb::duck {

class Instance {
 public:
  static Result<std::shared_ptr<Instance>> Create(const DuckOptions& options,
                                                  SessionFunctions& functions);

  // A new connection whose default catalog is this database.
  Result<std::unique_ptr<duckdb::Connection>> Connect(Oid database);
  // An error left the instance unusable.
  bool invalidated() const;
  uint64_t memory_used() const;
  // Spills to stay within; false, and nothing is changed, when it cannot.
  bool SetMemoryLimit(uint64_t bytes);

 private:
  Instance() = default;
  Status Attach(duckdb::Connection& connection, Oid database);

  std::unique_ptr<duckdb::DuckDB> db_;
  Mutex mu_;
  std::set<uint32_t> attached_ OMEN_GUARDED_BY(mu_);
};

}  // namespace omendb::duck
