#include "engine/runs_ahead.h"

#include <algorithm>

#include "base/bytes.h"

namespace omendb::engine {
namespace {

// A key by its first bytes, which mostly decide how it compares.
struct Place {
  uint64_t prefix;
  uint32_t place;
};

// As a number; what is missing counts as zeros, so that equal ones need a second look.
uint64_t PrefixOf(std::string_view key) {
  char bytes[sizeof(uint64_t)] = {};
  std::copy_n(key.data(), std::min(key.size(), sizeof(bytes)), bytes);
  return LoadBe<uint64_t>(bytes);
}

}  // namespace

void RunsAhead::Add(uint32_t row, std::string_view key) {
  keys_.append(key);
  ends_.push_back(keys_.size());
  numbers_.push_back(row);
}

Status RunsAhead::Look() {
  const auto key_at = [&](uint32_t i) {
    const size_t begin = i == 0 ? 0 : ends_[i - 1];
    return std::string_view(keys_).substr(begin, ends_[i] - begin);
  };
  std::vector<Place> order;
  order.reserve(numbers_.size());
  for (uint32_t i = 0; i < numbers_.size(); ++i) order.push_back({PrefixOf(key_at(i)), i});
  std::sort(order.begin(), order.end(), [&](const Place& a, const Place& b) {
    return a.prefix != b.prefix ? a.prefix < b.prefix : key_at(a.place) < key_at(b.place);
  });
  std::vector<colstore::HashedKey> keys;
  keys.reserve(order.size());
  for (const Place& at : order) {
    keys.push_back({key_at(at.place), colstore::IndexRun::HashOf(key_at(at.place))});
  }
  moves_ = index_->runs().moves();
  std::vector<IndexRuns::Hit> hits;
  OMEN_TRY(index_->runs().FindSorted(keys, hits));
  for (IndexRuns::Hit& hit : hits) hit.key = numbers_[order[hit.key].place];
  std::sort(hits.begin(), hits.end(),
            [](const IndexRuns::Hit& a, const IndexRuns::Hit& b) { return a.key < b.key; });
  for (const IndexRuns::Hit& hit : hits) {
    found_.push_back(hit.key);
    rows_.push_back(hit.row);
  }
  return Status::Ok();
}

TableIndex::RunRows RunsAhead::RowsOf(uint32_t row) const {
  const auto [begin, end] = std::equal_range(found_.begin(), found_.end(), row);
  return {moves_, std::span(rows_).subspan(static_cast<size_t>(begin - found_.begin()),
                                           static_cast<size_t>(end - begin))};
}

std::optional<TableIndex::RunRows> RowAhead::In(const TableIndex& index) const {
  const auto found = std::find_if(indexes.begin(), indexes.end(),
                                  [&](const RunsAhead& ahead) { return &ahead.index() == &index; });
  return found != indexes.end() ? std::optional(found->RowsOf(number)) : std::nullopt;
}

}  // namespace omendb::engine
