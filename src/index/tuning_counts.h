// tuning_counts.h - what self-tuning has done in all indexes of the process, also in those that are
// gone since (/metrics).
//
// Thread safety  Any thread.
#pragma once

#include <atomic>
#include <cstdint>

namespace omendb::index {

struct TuningCounts {
  std::atomic<uint64_t> trials{0};
  std::atomic<uint64_t> kept{0};
  std::atomic<uint64_t> reverted{0};
  std::atomic<uint64_t> leaves_rewritten{0};
};

inline constinit TuningCounts process_tuning_counts;

}  // namespace omendb::index
