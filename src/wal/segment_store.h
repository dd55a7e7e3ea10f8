// segment_store.h - the segment files of one log: which there are, making new ones, reusing old
// ones.
//
// Thread safety  Any thread, but one Prepare at a time.
// Ownership      Borrows Env.
// Errors         As env.h.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "env/env.h"
#include "wal/format.h"

namespace omendb::wal {

// How a new segment gets its space. See docs/formats/wal.md.
enum class Fill {
  kReserve,  // The space alone: quick to make, a little slower to sync into.
  kZero,     // Written zeros: syncs into it change no metadata of the file system.
};

class SegmentStore {
 public:
  SegmentStore(env::Env& env, std::string dir, uint64_t segment_bytes, int recycled_max)
      : env_(env),
        dir_(std::move(dir)),
        segment_bytes_(segment_bytes),
        recycled_max_(recycled_max) {}

  // Creates the folder if there is none, else lists what is in it.
  Status Open();

  // Starts of the segments there are, in order.
  std::vector<uint64_t> Starts() const;
  std::string PathOf(uint64_t start) const { return env::JoinPath(dir_, SegmentName(start)); }

  // Makes the segment that starts at `start`, durable name included; it replaces what has its name.
  Status Prepare(uint64_t start, Fill fill);
  // Removes all that start after `start`, durably.
  Status RemoveAfter(uint64_t start);
  // Removes or keeps for reuse all that end at or before `lsn`. The last one always stays.
  Status RemoveBefore(uint64_t lsn);

  uint64_t created() const;
  uint64_t recycled() const;

 private:
  Status Create(const std::string& path, Fill fill);
  // An old segment to be renamed, or an empty string.
  std::string TakeRecycled();

  env::Env& env_;  // borrowed
  const std::string dir_;
  const uint64_t segment_bytes_;
  const int recycled_max_;

  mutable Mutex mu_;
  std::map<uint64_t, std::string> segments_ OMEN_GUARDED_BY(mu_);  // Start to path.
  std::vector<std::string> recycled_ OMEN_GUARDED_BY(mu_);         // Paths, out of segments_.
  uint64_t created_count_ OMEN_GUARDED_BY(mu_) = 0;
  uint64_t recycled_count_ OMEN_GUARDED_BY(mu_) = 0;
};

// Starts of the segments in `dir`, in order; none if there is no such folder.
Result<std::vector<uint64_t>> ListSegments(env::Env& env, const std::string& dir);

}  // namespace omendb::wal
