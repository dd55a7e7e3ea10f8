// runs_ahead.h - what the index runs of a unique index have of the keys of many rows that are about
// to be entered: looked up in the order of the keys before, run by run, instead of one by one.
//
// Runs are looked at before the index is, as always (index_runs.h): what is found here is good as
// long as no entries have moved since, and is of no use afterwards.
//
// Thread safety  One thread.
// Ownership      Borrows the index.
// Errors         XX001 and 58030, as reading a run.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/table_index.h"

namespace omendb::engine {

class RunsAhead {
 public:
  // The more keys, the better a run's filters and blocks are used while they are in the caches.
  static constexpr uint32_t kKeysAtOnce = 1 << 14;

  explicit RunsAhead(const TableIndex& index) : index_(&index) {}

  const TableIndex& index() const { return *index_; }
  // `row`: a number of the caller's, greater than that of the key before.
  void Add(uint32_t row, std::string_view key);
  // Looks for all of them.
  Status Look();
  TableIndex::RunRows RowsOf(uint32_t row) const;

 private:
  const TableIndex* index_;
  std::string keys_;  // one behind the other
  std::vector<size_t> ends_;
  std::vector<uint32_t> numbers_;
  uint64_t moves_ = 0;
  // Of what was found, by number.
  std::vector<uint32_t> found_;
  std::vector<RowId> rows_;
};

// One row of those that were looked up together.
struct RowAhead {
  std::span<const RunsAhead> indexes;
  uint32_t number = 0;
  // Nothing: the index was not among them.
  std::optional<TableIndex::RunRows> In(const TableIndex& index) const;
};

}  // namespace omendb::engine
