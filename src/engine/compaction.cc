#include "engine/compaction.h"

#include <algorithm>

namespace omendb::engine {
namespace {

bool IsSettled(const Run& run, uint64_t settled_by) {
  const uint64_t begin = run.segment->begin().load(std::memory_order_acquire);
  if (mvcc::IsTxnWord(begin)) return false;
  return (begin != 0 ? begin : run.segment->settled().value()) <= settled_by;
}

// The oldest whose rows come to as many full segments as all of them together would.
void AddSmall(const RunSet& set, std::vector<size_t> small, uint32_t full_rows,
              std::vector<size_t>& found) {
  uint64_t rows = 0;
  for (const size_t number : small) rows += set.runs[number].live_rows();
  const uint64_t wanted = rows - rows % full_rows;
  rows = 0;
  for (size_t i = 0; i < small.size() && rows < wanted; ++i) {
    rows += set.runs[small[i]].live_rows();
    found.push_back(small[i]);
  }
}

}  // namespace

std::vector<size_t> SegmentsToCompact(const RunSet& set, uint64_t settled_by, uint32_t full_rows) {
  std::vector<size_t> found;
  std::vector<size_t> small;
  for (size_t number = 0; number < set.runs.size(); ++number) {
    const Run& run = set.runs[number];
    if (run.live_rows() == 0 || run.masks != nullptr || !IsSettled(run, settled_by)) continue;
    if (run.IsSparse()) {
      found.push_back(number);
    } else if (run.live_rows() < full_rows / 2) {
      small.push_back(number);
    }
  }
  AddSmall(set, std::move(small), full_rows, found);
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace omendb::engine
