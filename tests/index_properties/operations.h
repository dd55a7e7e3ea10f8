// operations.h - a sequence of operations on an index, with a model beside it.
//
// Keys are named by their ranks in a pool (key_pool.h), so the model's order does not come from the
// encodings. One operation touches a whole run of keys: a few of them reach splits, rebuilds and
// merges, and a sequence that fails shrinks to few and short ones.
#pragma once

#include <rapidcheck.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <ostream>
#include <type_traits>
#include <vector>

#include "tests/index_properties/key_pool.h"

namespace omendb::index_properties {

enum class Kind : uint8_t {
  kInsert,
  kUpsert,
  kUpdate,
  kCompareExchange,
  kErase,
  kEraseIf,
  kLookup,
  kLookupBatch,
  kScan,
  kScanBackward,
  kCount,
};
inline constexpr int kKinds = 11;

// `count` keys from rank `at` on, each `step` ranks from the last, around the end of the pool.
struct Operation {
  Kind kind;
  uint32_t at;
  uint32_t count;
  int32_t step;  // Not 0: below, keys come downward.
  uint32_t value;
};

inline std::ostream& operator<<(std::ostream& out, const Operation& o) {
  constexpr const char* kNames[kKinds] = {"insert", "upsert",        "update", "compare exchange",
                                          "erase",  "erase if",      "lookup", "lookup batch",
                                          "scan",   "scan backward", "count"};
  return out << kNames[static_cast<int>(o.kind)] << " at " << o.at << " count " << o.count
             << " step " << o.step << " value " << o.value;
}

template <typename Pool>
class Checked {
 public:
  using Index = typename Pool::Index;

  // Every `stride`-th key is loaded; 0: none.
  Checked(const Pool& pool, size_t stride) : pool_(pool), index_(epochs_) {
    std::vector<typename Pool::Entry> entries;
    for (size_t rank = 0; stride > 0 && rank < size(); rank += stride) {
      entries.push_back({pool_.Get(rank), rank});
      model_.emplace(rank, rank);
    }
    RC_ASSERT(index_.BulkLoad(entries).ok());
  }

  void Run(const Operation& o) {
    if (o.kind == Kind::kLookupBatch) return LookupBatch(o);
    if (o.kind == Kind::kScan) return ExpectScan(o.at % size(), o.count);
    if (o.kind == Kind::kScanBackward) return ExpectScanBackward(o.at % size(), o.count);
    if (o.kind == Kind::kCount) return ExpectCount(o.at % size(), o.count % 300);
    for (uint32_t i = 0; i < o.count; ++i) One(o.kind, Rank(o, i), o.value + i);
  }
  void ExpectSame() const {
    RC_ASSERT(index_.Validate().ok());
    RC_ASSERT(index_.Size() == model_.size());
    ExpectScan(0, size());
    ExpectScanBackward(size() - 1, size());
  }

 private:
  using Model = std::map<size_t, uint64_t>;

  size_t size() const { return pool_.keys.size(); }
  size_t Rank(const Operation& o, uint32_t i) const {
    const auto n = static_cast<int64_t>(size());
    return static_cast<size_t>((((o.at + int64_t{i} * o.step) % n) + n) % n);
  }
  std::optional<uint64_t> Expected(size_t rank) const {
    const auto it = model_.find(rank);
    return it == model_.end() ? std::nullopt : std::optional(it->second);
  }
  void One(Kind kind, size_t rank, uint64_t value) {
    const auto key = pool_.Get(rank);
    const auto before = Expected(rank);
    const uint64_t guess = value % 2 == 0 ? before.value_or(0) : value;
    switch (kind) {
      case Kind::kInsert:
        RC_ASSERT(index_.Insert(key, value) == before);
        model_.emplace(rank, value);
        break;
      case Kind::kUpsert:
        RC_ASSERT(index_.Upsert(key, value) == before);
        model_[rank] = value;
        break;
      case Kind::kUpdate:
        RC_ASSERT(index_.Update(key, value) == before);
        if (before) model_[rank] = value;
        break;
      case Kind::kCompareExchange:
        RC_ASSERT(index_.CompareExchange(key, guess, value + 1) == (before == guess));
        if (before == guess) model_[rank] = value + 1;
        break;
      case Kind::kErase:
        RC_ASSERT(index_.Erase(key) == before);
        model_.erase(rank);
        break;
      case Kind::kEraseIf:
        RC_ASSERT(index_.EraseIf(key, guess) == (before == guess));
        if (before == guess) model_.erase(rank);
        break;
      default:
        RC_ASSERT(index_.Lookup(key) == before);
    }
  }
  void LookupBatch(const Operation& o) const {
    std::vector<typename Pool::Key> keys;
    for (uint32_t i = 0; i < o.count; ++i) keys.push_back(pool_.Get(Rank(o, i)));
    std::vector<uint64_t> values(keys.size());
    const std::unique_ptr<bool[]> found(new bool[keys.size()]());
    size_t hits = 0;
    const size_t said = index_.LookupBatch(keys, values, {found.get(), keys.size()});
    for (uint32_t i = 0; i < o.count; ++i) {
      const auto expected = Expected(Rank(o, i));
      RC_ASSERT(found[i] == expected.has_value());
      RC_ASSERT(!found[i] || values[i] == *expected);
      hits += found[i];
    }
    RC_ASSERT(said == hits);
  }
  // Up to `count` entries from the rank on.
  void ExpectScan(size_t from, size_t count) const {
    auto it = model_.lower_bound(from);
    const size_t seen = Scan(index_, pool_.Get(from), false, count, [&](auto key, uint64_t value) {
      RC_ASSERT(it != model_.end());
      RC_ASSERT(key == pool_.Get(it->first));
      RC_ASSERT(value == it->second);
      ++it;
    });
    RC_ASSERT(seen == count || it == model_.end());
  }
  void ExpectScanBackward(size_t from, size_t count) const {
    auto it = std::make_reverse_iterator(model_.upper_bound(from));
    const size_t seen = Scan(index_, pool_.Get(from), true, count, [&](auto key, uint64_t value) {
      RC_ASSERT(it != model_.rend());
      RC_ASSERT(key == pool_.Get(it->first));
      RC_ASSERT(value == it->second);
      ++it;
    });
    RC_ASSERT(seen == count || it == model_.rend());
  }
  void ExpectCount(size_t low, size_t width) const {
    const size_t high = std::min(low + width, size() - 1);
    const auto end =
        model_.lower_bound(high + (std::is_same_v<typename Pool::Key, uint64_t> ? 1 : 0));
    const auto real = static_cast<size_t>(std::distance(model_.lower_bound(low), end));
    RC_ASSERT(index_.CountRange(pool_.Get(low), pool_.Get(high)) == real);
  }

  template <typename Visit>
  static size_t Scan(const index::IntIndex& index, uint64_t from, bool backward, size_t count,
                     Visit visit) {
    index::IntCursor cursor(index);
    backward ? cursor.SeekBackward(from) : cursor.SeekForward(from);
    index::Entry batch[97];
    size_t seen = 0;
    while (seen < count) {
      const size_t n = cursor.Next({batch, std::min<size_t>(97, count - seen)});
      if (n == 0) break;
      for (size_t i = 0; i < n; ++i) visit(batch[i].key, batch[i].value);
      seen += n;
    }
    return seen;
  }
  template <typename Visit>
  static size_t Scan(const index::BytesIndex& index, std::string_view from, bool backward,
                     size_t count, Visit visit) {
    index::BytesCursor cursor(index);
    backward ? cursor.SeekBackward(from) : cursor.SeekForward(from);
    index::BytesBatch batch;
    size_t seen = 0;
    while (seen < count) {
      const size_t n = cursor.Next(batch, std::min<size_t>(97, count - seen));
      if (n == 0) break;
      for (size_t i = 0; i < n; ++i) visit(batch.key(i), batch.value(i));
      seen += n;
    }
    return seen;
  }

  const Pool& pool_;
  EpochManager epochs_;
  Index index_;
  Model model_;
};

}  // namespace omendb::index_properties

namespace rc {

template <>
struct Arbitrary<omendb::index_properties::Operation> {
  static Gen<omendb::index_properties::Operation> arbitrary() {
    using omendb::index_properties::Kind;
    using omendb::index_properties::Operation;
    return gen::build<Operation>(
        gen::set(
            &Operation::kind,
            gen::map(gen::resize(kNominalSize, gen::inRange(0, omendb::index_properties::kKinds)),
                     [](int kind) { return static_cast<Kind>(kind); })),
        gen::set(&Operation::at, gen::resize(kNominalSize, gen::inRange<uint32_t>(0, 1 << 14))),
        gen::set(&Operation::count, gen::inRange<uint32_t>(0, 6000)),
        gen::set(&Operation::step, gen::element<int32_t>(1, 1, 1, -1, -1, 7, -3, 4999)),
        gen::set(&Operation::value, gen::inRange<uint32_t>(0, 1000)));
  }
};

}  // namespace rc
