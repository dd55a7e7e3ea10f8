// index_runs.h - the runs in which entries of a secondary index are found, because the index has
// let them go to save memory: each has the entries of all rows of one segment, or of several
// (colstore/index_run.h). It is listed for these, and a segment is listed for one run, but for
// moments in which one takes the place of another.
//
// Invariants     I1  The entry of each version of a row that somebody may see is in the index, in a
//                    packed list (packed_entries.h), or in a run that is listed here; or in several
//                    of them. Whether the run is of the segment that has the version is of no
//                    account: a row that was thawed and changed has no new entry for a key that
//                    stays, as long as any run has it.
//                I2  An entry is a hint, as one of the index: readers compare it with the version
//                    they find. So a run never changes, and what the index has too is harmless.
//                I3  What is found in a run, and in no other place of I1, is of rows of the
//                    segments that it is listed for: so it can be made anew from these, which are
//                    not hollow.
// Order          A run is listed, which counts a move, before its entries are taken from the index.
//                Before it is taken from the list, which is a move too, each of its entries is
//                entered again that a version of its row has (Table::EnterRun). So who looks at the
//                runs first, then at the index, and sees by moves() that none was moved meanwhile,
//                has missed none.
// Thread safety  List, Unlist: one thread at a time. All else: any thread.
// Ownership      Shares the runs; borrows the epochs.
// Errors         XX001 and 58030, as reading a run.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/epoch.h"
#include "base/mutex.h"
#include "colstore/index_run.h"

namespace omendb::engine {

class IndexRuns {
 public:
  struct Listed {
    std::vector<uint64_t> segments;  // by number, ascending
    std::shared_ptr<const colstore::IndexRun> run;
  };
  // A row that has the key at a place of those that are looked for.
  struct Hit {
    uint32_t key;
    RowId row;
  };

  explicit IndexRuns(EpochManager& epochs) : epochs_(epochs) {}
  ~IndexRuns();
  IndexRuns(const IndexRuns&) = delete;
  IndexRuns& operator=(const IndexRuns&) = delete;

  // No run has ever stood here.
  bool empty() const { return list_.load(std::memory_order_acquire) == nullptr; }
  // How often entries have left the index for here, or come back.
  uint64_t moves() const { return moves_.load(std::memory_order_acquire); }
  bool Has(uint64_t segment) const { return Get(segment) != nullptr; }
  // Null: none is listed.
  std::shared_ptr<const colstore::IndexRun> Get(uint64_t segment) const;
  bool IsListed(const colstore::IndexRun& run) const;
  std::vector<Listed> all() const;

  // Appends the rows that have the key.
  Status Find(std::string_view key, std::vector<RowId>& rows) const;
  // The same for many, ascending: run by run, so that blocks and filters are looked at together.
  Status FindSorted(std::span<const colstore::HashedKey> keys, std::vector<Hit>& hits) const;
  // Those with entries in [low, high), an empty high having no end. `one_key`: only entries of the
  // key `low` are asked for.
  std::vector<std::shared_ptr<const colstore::IndexRun>> Overlapping(std::string_view low,
                                                                     std::string_view high,
                                                                     bool one_key) const;
  // About how many entries those have there.
  uint64_t Estimate(std::string_view low, std::string_view high, bool one_key) const;
  size_t memory_bytes() const;

  // They take the place of runs of which all segments are among theirs. Requires: the entries of
  // all their rows are in the index, or in the runs whose place they take; or, when the index is
  // filled, are not going to be.
  void List(std::vector<Listed> runs);
  void Unlist(const colstore::IndexRun& run);

  // ---- Files -----------------------------------------------------------------------------------
  // Where a run of a segment, by file, has been written: it may be gone or damaged since. Empty:
  // nowhere.
  std::string WrittenAt(uint64_t file_id) const;
  bool IsWritten(uint64_t file_id) const { return !WrittenAt(file_id).empty(); }
  // An empty path: none is there that somebody wants.
  void SetWritten(uint64_t file_id, const std::string& path);
  // All such files.
  std::set<std::string> files() const;

 private:
  using Runs = std::vector<Listed>;  // by first entry
  void Replace(Runs next);

  EpochManager& epochs_;
  std::atomic<const Runs*> list_{nullptr};  // null: none
  std::atomic<uint64_t> moves_{0};
  mutable Mutex mu_;
  std::map<uint64_t, std::string> written_ OMEN_GUARDED_BY(mu_);
};

}  // namespace omendb::engine
