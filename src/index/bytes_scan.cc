// bytes_scan.cc - ordered scans of the byte-string index, leaf by leaf.
#include <algorithm>

#include "index/bytes_tree.h"

namespace omendb::index {

namespace {

// Its text is the next leaf's first bound.
[[gnu::always_inline]] inline void PrefetchRecord(const BytesRecord* record) {
  Prefetch(record);
  Prefetch(reinterpret_cast<const char*>(record) + 64);
}

}  // namespace

BytesTree::Way BytesTree::FindWayBelow(const std::string* high, bool inclusive) const {
  return Descend([high, inclusive](const BytesInner& inner) {
    return high == nullptr ? inner.count() - 1 : inner.Find(*high, !inclusive);
  });
}

BytesTree::Way BytesTree::FindWayAndPlace(std::string_view key, uint32_t* place) const {
  *place = 0;
  return Descend([key, place](const BytesInner& inner) { return *place = inner.Find(key); });
}

// The leaf behind the one at `place` below the node that led there. Null: there is none, or the
// node has changed.
BytesRef BytesTree::Behind(const Way& way, uint32_t place) {
  if (way.above == nullptr || place + 1 >= way.above->count()) return {};
  const BytesRef ref = way.above->child(place + 1);
  return way.Stands() ? ref : BytesRef();
}

// Appends a leaf's entries, from the one on that `first` names, if the leaf `covers` what is looked
// for, `within` any key of its range. False: it does not, or it has changed; nothing was done.
// *high: where it ends.
template <typename Covers, typename First>
bool BytesTree::CopyForward(BytesRef ref, BytesRef next, std::string_view within,
                            const Covers& covers, const First& first, BytesBatch& batch,
                            size_t count, const BytesRecord** high) {
  const BytesLeaf* leaf = ref.leaf();
  const uint64_t version = leaf->lock.Read();
  *high = leaf->high.get_acquire();
  const size_t before = batch.size();
  bool whole = VersionLock::Readable(version) && covers(*leaf);
  if (whole) {
    const uint32_t i = first(*leaf, version), n = leaf->ReadCount();
    if (i < n) {
      const size_t take = std::min<size_t>(n - i, count - before);
      if (take < count - before && !next.is_null()) {
        next.leaf()->PrefetchForScan(next.cell_words());
        PrefetchRecord(*high);
      }
      whole = leaf->AppendTo(batch, i, static_cast<uint32_t>(take), 1, within, version);
    }
  }
  if (whole && leaf->lock.Unchanged(version)) return true;
  batch.Truncate(before);
  return false;
}

// Goes on behind a leaf that ends at *high, without descending: a leaf that begins with the same
// record covers the keys from there on. (No other bound can have its address while our guard
// holds.) Stops where that is not so.
void BytesTree::FollowForward(const Way& way, uint32_t place, BytesBatch& batch, size_t count,
                              const BytesRecord** high) {
  constexpr uint32_t kLeavesHeld = 8;
  for (uint32_t i = 1; i < kLeavesHeld && batch.size() < count && *high != nullptr; ++i) {
    const BytesRef next = Behind(way, place);
    if (next.is_null()) return;
    ++place;
    const auto covers = [high](const BytesLeaf& leaf) { return leaf.low.get_acquire() == *high; };
    const auto first = [](const BytesLeaf&, uint64_t) { return 0u; };
    const BytesRecord* end = nullptr;
    const std::string_view within = (*high)->key();
    if (!CopyForward(next, Behind(way, place), within, covers, first, batch, count, &end)) return;
    *high = end;
  }
}

void BytesTree::ScanForward(std::string_view low, bool inclusive, BytesBatch& batch, size_t count,
                            bool* more) const {
  std::string_view bound = low;
  std::string copied;  // Bounds further on.
  while (batch.size() < count) {
    EpochGuard guard(epochs_);  // Few leaves at a time, so that a long scan holds nothing back.
    uint32_t place = 0;
    const Way way = FindWayAndPlace(bound, &place);
    way.leaf()->PrefetchForScan(way.ref.cell_words());
    const auto covers = [&way](const BytesLeaf&) { return way.Stands(); };
    const auto first = [&](const BytesLeaf& leaf, uint64_t version) -> uint32_t {
      if (!copied.empty() && bound == BytesLeaf::KeyOf(leaf.low.get_acquire())) return 0;
      const BytesLeaf::Spot spot = leaf.Search(bound, version);
      return spot.at + (spot.found && !inclusive ? 1 : 0);
    };
    const BytesRecord* high = nullptr;
    if (!CopyForward(way.ref, Behind(way, place), bound, covers, first, batch, count, &high)) {
      CpuRelax();
      continue;
    }
    FollowForward(way, place, batch, count, &high);
    if (batch.size() == count) break;
    if (high == nullptr) {
      *more = false;
      return;
    }
    copied = high->key();
    bound = copied;
    inclusive = true;
  }
  *more = true;
}

void BytesTree::ScanBackward(const std::string* high, bool inclusive, BytesBatch& batch,
                             size_t count, bool* more) const {
  std::string bound = high == nullptr ? std::string() : *high;
  bool bounded = high != nullptr;
  while (batch.size() < count) {
    EpochGuard guard(epochs_);
    const Way way = FindWayBelow(bounded ? &bound : nullptr, inclusive);
    const BytesLeaf* leaf = way.leaf();
    const uint64_t version = leaf->lock.Read();
    const BytesRecord* const low = leaf->low.get_acquire();
    const BytesRecord* const end = leaf->high.get_acquire();
    const size_t before = batch.size();
    bool whole = VersionLock::Readable(version) && way.Stands();
    if (whole) {
      uint32_t i = leaf->ReadCount();
      // Past the leaf's high bound every key of it is below the bound.
      if (bounded && (end == nullptr || bound < end->key())) {
        const BytesLeaf::Spot spot = leaf->Search(bound, version);
        i = spot.at + (spot.found && inclusive ? 1 : 0);
      }
      const size_t take = std::min<size_t>(i, count - before);
      if (take > 0) {
        whole =
            leaf->AppendTo(batch, i - 1, static_cast<uint32_t>(take), -1, leaf->prefix(), version);
      }
    }
    if (!whole || !leaf->lock.Unchanged(version)) {
      batch.Truncate(before);
      CpuRelax();
      continue;
    }
    if (batch.size() == count) break;
    if (low == nullptr) {
      *more = false;
      return;
    }
    bound = low->key();
    bounded = true;
    inclusive = false;
  }
  *more = true;
}

// As IntTree::Rank, to the precision of a leaf.
double BytesTree::Rank(std::string_view key) const {
  double low = 0, width = 1;
  BytesRef node = root_.load(std::memory_order_acquire);
  while (!node.is_leaf()) {
    const BytesInner* inner = node.inner();
    const uint32_t place = inner->Find(key);
    width /= inner->count();
    low += width * place;
    node = inner->child(place);
  }
  const BytesLeaf* leaf = node.leaf();
  const double n = std::max<uint32_t>(1, leaf->count.get());
  const uint64_t version = leaf->lock.Read();
  if (!VersionLock::Readable(version)) return low;
  return low + width * std::min(1.0, leaf->Search(key, version).at / n);
}

size_t BytesTree::CountRange(std::string_view low, std::string_view high) const {
  if (!high.empty() && low >= high) return 0;
  constexpr size_t kExact = 512;
  BytesBatch batch;
  bool more = false;
  ScanForward(low, true, batch, kExact, &more);
  size_t exact = batch.size();
  while (exact > 0 && !high.empty() && batch.key(exact - 1) >= high) --exact;
  if (exact < batch.size() || !more) return exact;
  EpochGuard guard(epochs_);
  const double share = (high.empty() ? 1.0 : Rank(high)) - Rank(low);
  return std::max(exact, static_cast<size_t>(std::max(0.0, share) * static_cast<double>(Size())));
}

}  // namespace omendb::index
