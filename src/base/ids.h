// ids.h - every id is its own type: explicit construction, no implicit conversion, no mixed
// compare.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>

namespace omendb {

template <typename Tag, typename Rep>
class StrongId {
 public:
  using rep = Rep;
  constexpr StrongId() = default;
  constexpr explicit StrongId(Rep value) : value_(value) {}
  constexpr Rep value() const { return value_; }
  friend constexpr auto operator<=>(StrongId, StrongId) = default;

 private:
  Rep value_ = 0;
};

// An object identifier as PostgreSQL's: unique across databases, schemas, tables, indexes,
// sequences, roles, constraints of one data folder; 16384 and up for user objects.
using Oid = StrongId<struct OidTag, uint32_t>;
// A column within its table, 1-based and never reused (PostgreSQL's attnum).
using ColumnId = StrongId<struct ColumnIdTag, int16_t>;
// One logical row of one table; stable over updates, never reused while the table lives.
using RowId = StrongId<struct RowIdTag, uint64_t>;
// Commit order. 0 = before everything. See mvcc/visibility.h.
using Timestamp = StrongId<struct TimestampTag, uint64_t>;
// A transaction while it runs. See mvcc/visibility.h for how it shares a word with Timestamp.
using TxnId = StrongId<struct TxnIdTag, uint64_t>;
// A byte position in the log.
using Lsn = StrongId<struct LsnTag, uint64_t>;

}  // namespace omendb

template <typename Tag, typename Rep>
struct std::hash<omendb::StrongId<Tag, Rep>> {
  size_t operator()(omendb::StrongId<Tag, Rep> id) const noexcept {
    return std::hash<Rep>()(id.value());
  }
};
