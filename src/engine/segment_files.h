// segment_files.h - the segment files of a data folder: their names, numbers and life.
//
// Files lie in `segments/`, named by their number. A file is in use when a table's set of segments
// has it or the newest checkpoint names it; others are left over from a crash, a freeze that failed
// or a table that was dropped, and are removed. Beside a segment lie its index runs, named by its
// number and the index's storage; one is in use when both are.
//
// Format         docs/formats/segment.md, index_run.md
// Thread safety  Any thread; mu_ is a leaf. Start: once, before.
// Ownership      Borrows Env; owns the cache of blocks.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>

#include "base/mutex.h"
#include "colstore/block_cache.h"
#include "engine/frozen_table.h"
#include "env/env.h"

namespace omendb::engine {

class SegmentFiles {
 public:
  SegmentFiles(env::Env& env, const std::string& data_dir, uint64_t cache_bytes)
      : env_(env), dir_(env::JoinPath(data_dir, "segments")), cache_(cache_bytes) {}

  void Start(uint64_t system_id) { system_id_ = system_id; }
  uint64_t system_id() const { return system_id_; }
  env::Env& env() const { return env_; }
  colstore::BlockCache& cache() { return cache_; }
  const colstore::BlockCache& cache() const { return cache_; }

  std::string PathOf(uint64_t file_id) const;
  std::string PathOfRun(uint64_t file_id, Oid index) const;
  Result<std::shared_ptr<const FrozenSegment>> Open(uint64_t file_id);

  // While an index of this storage is made, before a table has it: its runs are in use.
  class MakingIndex {
   public:
    MakingIndex(SegmentFiles& files, Oid index);
    ~MakingIndex();
    MakingIndex(const MakingIndex&) = delete;
    MakingIndex& operator=(const MakingIndex&) = delete;

   private:
    SegmentFiles& files_;
    const Oid index_;
  };

  // A number for a new file, which is in use until Release.
  Result<uint64_t> Reserve();
  // The file is in a table's set now, or was given up.
  void Release(uint64_t file_id);
  // What is in use.
  struct Used {
    std::set<uint64_t> segments;
    std::set<Oid> indexes;  // by storage
  };
  // Removes every file that is neither in `used` nor reserved. `used` is asked after the folder was
  // listed: a file that it does not know then is not in use. `at_start`: nobody writes any, and no
  // number that a file has, which may not be removable, is given again. Errors: what cannot be
  // removed stays.
  void RemoveUnused(const std::function<Used()>& used, bool at_start);

 private:
  env::Env& env_;
  const std::string dir_;
  uint64_t system_id_ = 0;
  colstore::BlockCache cache_;
  Mutex mu_;
  uint64_t next_id_ OMEN_GUARDED_BY(mu_) = 1;
  std::set<uint64_t> reserved_ OMEN_GUARDED_BY(mu_);
  std::set<Oid> made_ OMEN_GUARDED_BY(mu_);
};

}  // namespace omendb::engine
