#include "exec/sort.h"

#include <algorithm>
#include <numeric>

namespace omendb::exec {
namespace {

using types::Value;

// <0, 0, >0
int CompareBy(const SortKey& key, const Value& a, const Value& b) {
  if (a.is_null || b.is_null) {
    if (a.is_null == b.is_null) return 0;
    return a.is_null == key.nulls_first ? -1 : 1;
  }
  const int order = types::Compare(key.value.type, a, b);
  return key.descending ? -order : order;
}

}  // namespace

Result<std::vector<uint32_t>> SortRows(const std::vector<SortKey>& keys, EvalContext& context,
                                       const RowSet& rows) {
  RowSet key_rows(keys.size());
  std::vector<Value> values(keys.size());
  for (size_t i = 0; i < rows.size(); ++i) {
    context.row = rows.row(i);
    for (size_t k = 0; k < keys.size(); ++k) {
      OMEN_ASSIGN(values[k], Evaluate(keys[k].value, context));
    }
    key_rows.Append(values);
  }
  std::vector<uint32_t> order(rows.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
    for (size_t k = 0; k < keys.size(); ++k) {
      const int by_key = CompareBy(keys[k], key_rows.row(a)[k], key_rows.row(b)[k]);
      if (by_key != 0) return by_key < 0;
    }
    return false;
  });
  return order;
}

}  // namespace omendb::exec
