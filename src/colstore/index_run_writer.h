// index_run_writer.h - makes an index run, entry by entry, or of several that are there.
//
// Format         docs/formats/index_run.md
// Thread safety  One thread at a time.
// Ownership      Borrows Env, which must outlive it.
// Durability     Once Finish returned Ok all of the file is on disk under its name; when it fails,
//                the name has what it had, or the whole new file. What is not finished is in a file
//                of a temporary name, which is removed, if it can be.
// Errors         Those of env; after one nothing may be called.
// Cost           Memory for some blocks, and 20 to 30 bytes for each block of the whole file.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "colstore/index_run.h"

namespace omendb::colstore {

class IndexRunWriter {
 public:
  // Begins a file that takes the place of what has its name.
  static Result<std::unique_ptr<IndexRunWriter>> Create(env::Env& env, std::string path,
                                                        IndexRunName name);
  ~IndexRunWriter();
  IndexRunWriter(const IndexRunWriter&) = delete;
  IndexRunWriter& operator=(const IndexRunWriter&) = delete;

  // Requires: the entries ascend. The one that was added last, added again, is left out.
  Status Add(std::string_view entry);
  // Requires: there is an entry.
  Status Finish();

 private:
  IndexRunWriter(env::Env& env, std::string path, IndexRunName name);
  std::string draft() const { return path_ + ".tmp"; }
  Status FinishBlock();
  void FinishGroup();
  // Appends what is in hand to the file.
  Status Write();
  Extent PutFrame(std::string_view content);

  env::Env& env_;
  const std::string path_;
  const IndexRunName name_;
  std::unique_ptr<env::WritableFile> file_;  // null: the draft is gone
  std::string pending_;                      // not in the file yet
  uint64_t offset_ = 0;                      // of the end, with what is pending
  std::string keys_;                         // of the block in hand, one behind the other
  std::vector<size_t> ends_;
  std::vector<RowId> rows_;
  std::vector<uint64_t> hashes_;  // of the group in hand
  uint32_t blocks_ = 0;
  std::string fences_;
  uint64_t entries_ = 0;
  std::string min_entry_;
  std::string last_;  // that was added
};

// The whole of it. Requires: the entries are sorted, at least one.
Status WriteIndexRun(env::Env& env, const std::string& path, const IndexRunName& name,
                     std::span<const IndexEntry> entries);

// Adds the entries of all runs, each once. False: `stop` said so, which is asked now and then.
// Errors: those of reading the runs too.
Result<bool> MergeIndexRuns(std::span<const std::shared_ptr<const IndexRun>> runs,
                            const std::function<bool()>& stop, IndexRunWriter& out);

}  // namespace omendb::colstore
