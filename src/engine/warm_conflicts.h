// warm_conflicts.h - goes the way to the keys of many rows at once, before InsertOrFind goes it for
// one row after the other: so the cache misses of all of them overlap.
//
// A hint: what it finds is of no account, each row is judged when its turn comes.
//
// Errors         As Relation::LookupBatch: 57014; XX001 and 58030 of a segment.
#pragma once

#include <functional>
#include <optional>

#include "engine/relation.h"

namespace omendb::engine {

// How many rows make a batch.
inline constexpr size_t kWarmRowsMax = 64;

// What a row of the batch will have in a column; nullopt: not known before its turn.
using ValueAhead = std::function<std::optional<types::Value>(size_t row, ColumnId column)>;

// Does nothing where there is nothing to gain: in a small table; for keys that ascend, each of
// which finds its way warm from the one before; when the primary key is none of the arbiters (all
// unique indexes, if empty). Lookups in other indexes cost more than they warm: each compares its
// key with that of the version.
Status WarmConflicts(Relation& relation, StatementContext& context, std::span<const Oid> arbiters,
                     size_t rows_count, const ValueAhead& value);

}  // namespace omendb::engine
