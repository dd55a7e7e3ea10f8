#include "engine/warm_conflicts.h"

#include <algorithm>
#include <vector>

namespace omendb::engine {
namespace {

// Smaller tables lie in the caches of the processor, indexes included.
constexpr uint64_t kTableRowsMin = 1 << 16;
// Where the first so many keys ascend, all are taken to.
constexpr size_t kKeysProbed = 5;

// The keys of the rows that have all of their values known, and none NULL, one after the other.
std::vector<types::Value> KeysOf(const catalog::IndexDef& index, size_t rows_count,
                                 const ValueAhead& value) {
  std::vector<types::Value> keys;
  keys.reserve(rows_count * index.keys.size());
  for (size_t row = 0; row < rows_count; ++row) {
    const size_t begin = keys.size();
    for (const catalog::IndexKey& key : index.keys) {
      const std::optional<types::Value> known = value(row, key.column);
      if (!known || known->is_null) {
        keys.resize(begin);
        break;
      }
      keys.push_back(*known);
    }
  }
  return keys;
}

bool Ascend(const catalog::TableDef& table, const catalog::IndexDef& index,
            std::span<const types::Value> keys) {
  const size_t width = index.keys.size();
  for (size_t at = width; at < keys.size(); at += width) {
    int order = 0;
    for (size_t i = 0; i < width && order == 0; ++i) {
      const types::SqlType& type = table.column(index.keys[i].column).type;
      order = types::Compare(type, keys[at - width + i], keys[at + i]);
    }
    if (order > 0) return false;
  }
  return true;
}

}  // namespace

Status WarmConflicts(Relation& relation, StatementContext& context, std::span<const Oid> arbiters,
                     size_t rows_count, const ValueAhead& value) {
  const catalog::IndexDef* index = relation.table().primary_key();
  if (index == nullptr || rows_count < 2 || relation.rows_estimate() < kTableRowsMin) {
    return Status::Ok();
  }
  const bool arbiter =
      arbiters.empty() || std::find(arbiters.begin(), arbiters.end(), index->oid) != arbiters.end();
  if (!arbiter) return Status::Ok();
  const size_t probed = std::min(rows_count, kKeysProbed);
  if (Ascend(relation.table(), *index, KeysOf(*index, probed, value))) return Status::Ok();
  const std::vector<types::Value> keys = KeysOf(*index, rows_count, value);
  std::vector<std::optional<RowRef>> found(keys.size() / index->keys.size());
  return relation.LookupBatch(context, index->oid, keys, found);
}

}  // namespace omendb::engine
