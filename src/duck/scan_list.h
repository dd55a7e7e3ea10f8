// scan_list.h - the scans of our tables that a statement has open in DuckDB, for its progress.
//
// Thread safety  Any thread. A scan that was taken out is not looked at any more.
// Ownership      Borrows the scans, each until it is taken out.
#pragma once

#include <unordered_set>

#include "base/mutex.h"
#include "engine/relation.h"

namespace omendb::duck {

struct ScanSums {
  uint64_t rows_done = 0;
  uint64_t rows_total = 0;
  engine::Relation::BlockCounts blocks;
};

class ScanList {
 public:
  void Add(const engine::Relation::Scan& scan);
  void Remove(const engine::Relation::Scan& scan);
  ScanSums Sum() const;

 private:
  mutable Mutex mu_;
  std::unordered_set<const engine::Relation::Scan*> scans_ OMEN_GUARDED_BY(mu_);
};

}  // namespace omendb::duck
