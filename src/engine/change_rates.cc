#include "engine/change_rates.h"

#include <algorithm>
#include <cmath>

namespace omendb::engine {

void ChangeRates::Range::Decay(uint64_t now_ms, uint64_t half_life_ms) {
  if (now_ms <= at_ms) return;
  changes *= std::exp2(-static_cast<double>(now_ms - at_ms) / static_cast<double>(half_life_ms));
  at_ms = now_ms;
}

void ChangeRates::Note(RowId row, uint64_t now_ms, uint64_t half_life_ms) {
  const uint64_t number = row.value() / kRangeRows;
  MutexLock lock(mu_);
  if (number >= ranges_.size()) ranges_.resize(number + 1);
  ranges_[number].Decay(now_ms, half_life_ms);
  ranges_[number].changes += 1;
}

bool ChangeRates::IsCalm(RowId row, uint64_t table_rows, uint64_t now_ms, uint64_t horizon_ms) {
  const uint64_t number = row.value() / kRangeRows;
  MutexLock lock(mu_);
  if (number >= ranges_.size()) return true;
  Range& range = ranges_[number];
  range.Decay(now_ms, horizon_ms);
  const double rows = static_cast<double>(std::clamp<uint64_t>(table_rows, 1, kRangeRows));
  const double expected = range.changes * std::log(2.0);  // within one half-life, which is horizon
  const double part = 1 - std::exp(-expected / rows);
  range.restless = part > (range.restless ? kCalmBelow : kRestlessFrom);
  return !range.restless;
}

}  // namespace omendb::engine
