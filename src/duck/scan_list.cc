#include "duck/scan_list.h"

namespace omendb::duck {

void ScanList::Add(const engine::Relation::Scan& scan) {
  MutexLock lock(mu_);
  scans_.insert(&scan);
}

void ScanList::Remove(const engine::Relation::Scan& scan) {
  MutexLock lock(mu_);
  scans_.erase(&scan);
}

ScanSums ScanList::Sum() const {
  ScanSums sums;
  MutexLock lock(mu_);
  for (const engine::Relation::Scan* scan : scans_) {
    const uint64_t rows = scan->rows_total_estimate();
    sums.rows_total += rows;
    sums.rows_done += static_cast<uint64_t>(static_cast<double>(rows) * scan->progress());
    const engine::Relation::BlockCounts blocks = scan->block_counts();
    sums.blocks.read += blocks.read;
    sums.blocks.loaded += blocks.loaded;
    sums.blocks.skipped += blocks.skipped;
  }
  return sums;
}

}  // namespace omendb::duck
