#include "duck/scan/morsel_sorter.h"

#include <algorithm>
#include <numeric>

#include "duckdb/common/operator/comparison_operators.hpp"
#include "duckdb/function/create_sort_key.hpp"

namespace omendb::duck {

namespace {

// Most morsels have no more rows; where many segments overlap one may.
constexpr duckdb::idx_t kRowsExpected = 16'384;

}  // namespace

MorselSorter::MorselSorter(duckdb::ClientContext& context,
                           const duckdb::vector<duckdb::LogicalType>& types,
                           std::vector<duckdb::idx_t> keys, bool descending)
    : context_(context), types_(types), keys_(std::move(keys)), descending_(descending) {}

void MorselSorter::Add(duckdb::DataChunk& rows, uint64_t morsel, bool ascends) {
  if (rows_.ColumnCount() == 0) rows_.Initialize(context_, types_, kRowsExpected);
  rows_.Append(rows, true);
  morsel_ = morsel;
  ascends_ = ascends;
}

void MorselSorter::Sort() {
  order_.resize(rows_.size());
  std::iota(order_.begin(), order_.end(), 0);
  if (!ascends_) return SortByKeys();
  if (descending_) std::reverse(order_.begin(), order_.end());
}

void MorselSorter::SortByKeys() {
  duckdb::vector<duckdb::LogicalType> types;
  for (const duckdb::idx_t key : keys_) types.push_back(types_[key]);
  duckdb::DataChunk keys;
  keys.InitializeEmpty(types);
  for (size_t i = 0; i < keys_.size(); ++i) keys.data[i].Reference(rows_.data[keys_[i]]);
  keys.SetCapacity(rows_.size());
  keys.SetCardinality(rows_.size());
  const duckdb::OrderModifiers modifiers(
      descending_ ? duckdb::OrderType::DESCENDING : duckdb::OrderType::ASCENDING,
      duckdb::OrderByNullType::NULLS_LAST);
  duckdb::Vector encoded(duckdb::LogicalType::BLOB, rows_.size());
  duckdb::CreateSortKeyHelpers::CreateSortKey(
      keys, duckdb::vector<duckdb::OrderModifiers>(keys_.size(), modifiers), encoded);
  const auto* const at = duckdb::FlatVector::GetData<duckdb::string_t>(encoded);
  std::sort(order_.begin(), order_.end(), [at](duckdb::sel_t a, duckdb::sel_t b) {
    return duckdb::LessThan::Operation(at[a], at[b]);
  });
}

void MorselSorter::Next(duckdb::DataChunk& output) {
  if (given_ == 0) Sort();
  const size_t count = std::min<size_t>(order_.size() - given_, STANDARD_VECTOR_SIZE);
  output.Slice(rows_, duckdb::SelectionVector(order_.data() + given_), count);
  output.SetCardinality(count);
  given_ += count;
}

bool MorselSorter::GivesMore() {
  if (given_ < rows_.size()) return true;
  if (given_ > 0) rows_.Reset();
  given_ = 0;
  return false;
}

}  // namespace omendb::duck
