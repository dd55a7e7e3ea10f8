// row_set.h - the rows of one step of a plan, all of one width; internal to exec.
#pragma once

#include <span>
#include <vector>

#include "types/value.h"

namespace omendb::exec {

class RowSet {
 public:
  explicit RowSet(size_t width) : width_(width) {}

  size_t size() const { return count_; }
  std::span<const types::Value> row(size_t i) const {
    return {values_.data() + i * width_, width_};
  }
  void Append(std::span<const types::Value> row) {
    values_.insert(values_.end(), row.begin(), row.end());
    ++count_;
  }
  void Clear() {
    values_.clear();
    count_ = 0;
  }

 private:
  size_t width_;
  size_t count_ = 0;  // A row may have no values: SELECT count(*).
  std::vector<types::Value> values_;
};

}  // namespace omendb::exec
