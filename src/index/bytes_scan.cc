// bytes_scan.cc - ordered scans of the byte-string index, leaf by leaf.
#include <algorithm>

#include "index/bytes_tree.h"

namespace omendb::index {

BytesLeaf* BytesTree::FindLeafBelow(const std::string* high, bool inclusive) const {
  BytesRef node = root_.load(std::memory_order_acquire);
  while (!node.is_leaf()) {
    const BytesInner* inner = node.inner();
    node = inner->child(high == nullptr ? inner->count() - 1 : inner->Find(*high, !inclusive));
  }
  return node.leaf();
}

void BytesTree::ScanForward(std::string_view low, bool inclusive, BytesBatch& batch, size_t count,
                            bool* more) const {
  std::string bound(low);
  while (batch.size() < count) {
    EpochGuard guard(epochs_);  // One leaf at a time, so that a long scan holds nothing back.
    const BytesLeaf* leaf = FindLeaf(bound);
    leaf->PrefetchAll();
    const uint64_t version = leaf->lock.Read();
    const size_t before = batch.size();
    if (VersionLock::Readable(version)) {
      const BytesLeaf::Spot spot = leaf->Search(bound);
      uint32_t i = spot.at + (spot.record != nullptr && !inclusive ? 1 : 0);
      const uint32_t n = std::min(leaf->count.get_acquire(), BytesLeaf::kCapacity);
      for (uint32_t ahead = i; ahead < std::min(i + 8, n); ++ahead) {
        Prefetch(leaf->records[ahead].get());
      }
      for (; i < n && batch.size() < count; ++i) {
        if (i + 8 < n) Prefetch(leaf->records[i + 8].get());
        const BytesRecord* record = leaf->records[i].get_acquire();
        if (record == nullptr) break;
        batch.Append(record->key(), record->value.load(std::memory_order_relaxed));
      }
    }
    if (!VersionLock::Readable(version) || !leaf->lock.Unchanged(version)) {
      batch.Truncate(before);
      CpuRelax();
      continue;
    }
    if (batch.size() == count) break;
    if (!leaf->has_high) {
      *more = false;
      return;
    }
    bound = leaf->high;
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
    const BytesLeaf* leaf = FindLeafBelow(bounded ? &bound : nullptr, inclusive);
    const uint64_t version = leaf->lock.Read();
    const size_t before = batch.size();
    if (VersionLock::Readable(version)) {
      uint32_t i = std::min(leaf->count.get_acquire(), BytesLeaf::kCapacity);
      // Past the leaf's high bound every key of it is below the bound.
      if (bounded && (!leaf->has_high || bound < leaf->high)) {
        const BytesLeaf::Spot spot = leaf->Search(bound);
        i = spot.at + (spot.record != nullptr && inclusive ? 1 : 0);
      }
      while (i-- > 0 && batch.size() < count) {
        const BytesRecord* record = leaf->records[i].get_acquire();
        if (record == nullptr) break;
        batch.Append(record->key(), record->value.load(std::memory_order_relaxed));
      }
    }
    if (!VersionLock::Readable(version) || !leaf->lock.Unchanged(version)) {
      batch.Truncate(before);
      CpuRelax();
      continue;
    }
    if (batch.size() == count) break;
    if (leaf->low.empty()) {
      *more = false;
      return;
    }
    bound = leaf->low;
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
  return low + width * std::min(1.0, leaf->Search(key).at / n);
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
