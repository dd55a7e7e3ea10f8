// scan_columns.h - the columns that a bulk scan gives: their types, and what pages and segments
// that were written before one of them was added read in it.
//
// Thread safety  Immutable.
// Ownership      Owns the values of missing columns; borrows nothing once it is made.
#pragma once

#include <span>
#include <vector>

#include "engine/frozen_table.h"
#include "types/chunk.h"

namespace omendb::engine {

class RelationImpl;

class ScanColumns {
 public:
  // `runs`: the segments that the scan reads.
  ScanColumns(const RelationImpl& relation, std::span<const ColumnId> columns, const RunSet& runs);

  size_t size() const { return columns_.size(); }
  const types::SqlType& type(size_t i) const { return columns_[i].type; }
  std::vector<types::SqlType> types() const;
  // Column `i` where it is missing: one value, as often as a page has slots.
  types::ColumnView Missing(size_t i) const;

 private:
  struct Column {
    types::SqlType type;
    std::vector<char> cells;         // empty = it is missing nowhere
    std::vector<uint64_t> validity;  // empty = not null
  };
  std::vector<Column> columns_;
};

}  // namespace omendb::engine
