// morsel_sorter.h - the rows of one morsel of a scan by key, put into their order.
//
// Thread safety  One thread.
// Ownership      Owns copies of the rows. What Next gives is valid until the next call of anything.
// Errors         Throws DuckDB's out of memory.
#pragma once

#include <vector>

#include "duckdb.hpp"
#include "duckdb/common/types/data_chunk.hpp"

namespace omendb::duck {

class MorselSorter {
 public:
  // `keys`: the columns to sort by, the first of them first.
  MorselSorter(duckdb::ClientContext& context, const duckdb::vector<duckdb::LogicalType>& types,
               std::vector<duckdb::idx_t> keys, bool descending);

  // `ascends`: the rows of the morsel come in the order of the columns, upward. Requires: the rows
  // that are there are of the same morsel, and none went out.
  void Add(duckdb::DataChunk& rows, uint64_t morsel, bool ascends);
  // Of the rows that are there.
  uint64_t morsel() const { return morsel_; }
  // Whether Next has rows to give; forgets them when all went out.
  bool GivesMore();
  // Some of the rows, each once, in their order. Requires: GivesMore().
  void Next(duckdb::DataChunk& output);

 private:
  void Sort();
  void SortByKeys();

  duckdb::ClientContext& context_;
  const duckdb::vector<duckdb::LogicalType> types_;
  const std::vector<duckdb::idx_t> keys_;
  const bool descending_;
  uint64_t morsel_ = 0;
  bool ascends_ = false;
  duckdb::DataChunk rows_;
  std::vector<duckdb::sel_t> order_;  // of rows_, once the first went out
  size_t given_ = 0;                  // of order_
};

}  // namespace omendb::duck
