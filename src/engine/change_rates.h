// change_rates.h - how often the rows of a table are changed: learned from what happened to them
// and to their neighbours, to tell which rows will stay calm.
//
// The rows of a table are cut into ranges of 2^16 row ids, which is the order of insertion: rows
// with near keys where keys follow time. A range keeps a count of changes that halves every
// half-life; at a steady rate r the count is r * half-life / ln 2, which gives the rate back. A
// range is restless when a greater part of its rows than kRestlessFrom would change within the
// horizon, and calm again below kCalmBelow: the gap keeps it from going to and fro.
//
// Thread safety  Any thread; mu_ is a leaf.
// Units          Milliseconds of a clock that never goes back.
#pragma once

#include <cstdint>
#include <vector>

#include "base/ids.h"
#include "base/mutex.h"

namespace omendb::engine {

class ChangeRates {
 public:
  static constexpr uint64_t kRangeRows = 1U << 16;
  static constexpr double kRestlessFrom = 0.10;
  static constexpr double kCalmBelow = 0.05;

  // A row was updated or deleted.
  void Note(RowId row, uint64_t now_ms, uint64_t half_life_ms);
  // Whether few enough of the rows around `row` are expected to change within `horizon_ms`. The
  // half-life is the horizon. `table_rows`: of the whole table, which may be smaller than a range.
  bool IsCalm(RowId row, uint64_t table_rows, uint64_t now_ms, uint64_t horizon_ms);

 private:
  struct Range {
    double changes = 0;  // as of at_ms
    uint64_t at_ms = 0;
    bool restless = false;

    void Decay(uint64_t now_ms, uint64_t half_life_ms);
  };

  Mutex mu_;
  std::vector<Range> ranges_ OMEN_GUARDED_BY(mu_);
};

}  // namespace omendb::engine
