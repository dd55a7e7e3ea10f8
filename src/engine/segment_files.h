// segment_files.h - the segment files of a data folder: their names, numbers and life.
//
// Files lie in `segments/`, named by their number. A file is in use when a table's set of segments
// has it or the newest checkpoint names it; others are left over from a crash, a freeze that failed
// or a table that was dropped, and are removed. Beside them lie index runs. One of a segment is
// named by its number and the index's storage; one of several by the greatest of their numbers, the
// storage and its identity. One is in use when its index says so (IndexRuns::files).
//
// Format         docs/formats/segment.md, index_run.md
// Thread safety  Any thread; mu_ is a leaf. Start: once, before.
// Ownership      Borrows Env; owns the cache of blocks.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "colstore/block_cache.h"
#include "engine/frozen_table.h"
#include "env/env.h"

namespace omendb::engine {

class SegmentFiles;

// A number for a new segment file, which is in use as long as this lives. Then the file is removed,
// if there is one, unless it was kept. Borrows the files.
class ReservedFile {
 public:
  ReservedFile(SegmentFiles& files, uint64_t id) : files_(&files), id_(id) {}
  ~ReservedFile();
  ReservedFile(ReservedFile&& other) noexcept
      : files_(std::exchange(other.files_, nullptr)), id_(other.id_), kept_(other.kept_) {}
  ReservedFile& operator=(ReservedFile&&) = delete;

  uint64_t id() const { return id_; }
  // A table's set of segments has the file, or a log of which nobody knows what is in it may.
  void Keep() { kept_ = true; }

 private:
  SegmentFiles* files_;  // null: moved away
  uint64_t id_;
  bool kept_ = false;
};

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
  std::string PathOfMergedRun(uint64_t newest_file_id, Oid index, uint64_t identity) const;
  // The files of the second kind that this start has found. Until the first RemoveUnused.
  std::vector<std::string> MergedRunsOf(Oid index);
  Result<std::shared_ptr<const FrozenSegment>> Open(uint64_t file_id);

  // While runs of an index of this storage are written, or itself is made before a table has it:
  // all its runs are in use.
  class WritingRuns {
   public:
    WritingRuns(SegmentFiles& files, Oid index);
    ~WritingRuns();
    WritingRuns(const WritingRuns&) = delete;
    WritingRuns& operator=(const WritingRuns&) = delete;

   private:
    SegmentFiles& files_;
    const Oid index_;
  };

  Result<ReservedFile> Reserve();
  // What is in use.
  struct Used {
    std::set<uint64_t> segments;
    std::set<std::string> runs;  // by path
  };
  // Removes every file that is neither in `used` nor reserved. `used` is asked after the folder was
  // listed: a file that it does not know then is not in use. `at_start`: nobody writes any, and no
  // number that a file has, which may not be removable, is given again. Errors: what cannot be
  // removed stays.
  void RemoveUnused(const std::function<Used()>& used, bool at_start);

 private:
  friend class ReservedFile;
  void Release(uint64_t file_id);

  env::Env& env_;
  const std::string dir_;
  uint64_t system_id_ = 0;
  colstore::BlockCache cache_;
  Mutex mu_;
  uint64_t next_id_ OMEN_GUARDED_BY(mu_) = 1;
  std::set<uint64_t> reserved_ OMEN_GUARDED_BY(mu_);
  std::multiset<Oid> writing_ OMEN_GUARDED_BY(mu_);
  // Of a start; null: not looked for yet.
  std::unique_ptr<std::map<Oid, std::vector<std::string>>> merged_ OMEN_GUARDED_BY(mu_);
};

}  // namespace omendb::engine
