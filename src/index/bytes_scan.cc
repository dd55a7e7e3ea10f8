// bytes_scan.cc - ordered scans of the byte-string index, leaf by leaf.
#include <algorithm>

#include "index/bytes_tree.h"

namespace omendb::index {

BytesTree::Way BytesTree::FindWayBelow(const std::string* high, bool inclusive) const {
  return Descend([high, inclusive](const BytesInner& inner) {
    return high == nullptr ? inner.count() - 1 : inner.Find(*high, !inclusive);
  });
}

BytesTree::Way BytesTree::FindWayAndNext(std::string_view key, BytesRef* next) const {
  return Descend([key, next](const BytesInner& inner) {
    const uint32_t place = inner.Find(key);
    *next = place + 1 < inner.count() ? inner.child(place + 1) : BytesRef();
    return place;
  });
}

void BytesTree::ScanForward(std::string_view low, bool inclusive, BytesBatch& batch, size_t count,
                            bool* more) const {
  std::string bound(low);
  while (batch.size() < count) {
    EpochGuard guard(epochs_);  // One leaf at a time, so that a long scan holds nothing back.
    BytesRef next;
    const Way way = FindWayAndNext(bound, &next);
    const BytesLeaf* leaf = way.leaf();
    leaf->PrefetchForScan(way.ref.cell_words());
    const uint64_t version = leaf->lock.Read();
    const BytesRecord* const high = leaf->high.get_acquire();
    const size_t before = batch.size();
    bool whole = VersionLock::Readable(version) && way.Stands();
    if (whole) {
      uint32_t i = 0;
      if (!inclusive || bound != BytesLeaf::KeyOf(leaf->low.get_acquire())) {
        const BytesLeaf::Spot spot = leaf->Search(bound, version);
        i = spot.at + (spot.found && !inclusive ? 1 : 0);
      }
      const uint32_t n = leaf->ReadCount();
      if (i < n) {
        const size_t take = std::min<size_t>(n - i, count - before);
        if (take < count - before && !next.is_null()) {
          next.leaf()->PrefetchForScan(next.cell_words());
        }
        whole = leaf->AppendTo(batch, i, static_cast<uint32_t>(take), 1, version);
      }
    }
    if (!whole || !leaf->lock.Unchanged(version)) {
      batch.Truncate(before);
      CpuRelax();
      continue;
    }
    if (batch.size() == count) break;
    if (high == nullptr) {
      *more = false;
      return;
    }
    bound = high->key();
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
        whole = leaf->AppendTo(batch, i - 1, static_cast<uint32_t>(take), -1, version);
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
