// int_scan.cc - copying entries out in order, leaf by leaf, and estimates of a range.
#include <algorithm>

#include "index/int_tree.h"

namespace omendb::index {

namespace {

// Buckets whose lines are asked for ahead of the one being copied.
constexpr uint32_t kBucketsAhead = 3;
// Entries a bucket holds for certain, near enough: no bucket that a scan will not
// reach is asked for.
constexpr size_t kEntriesPerBucket = 12;

// It may be no bucket's address.
void PrefetchBucket(const Bucket* bucket) {
  const auto line = reinterpret_cast<uintptr_t>(bucket);
  for (size_t at = 0; at < sizeof(Bucket); at += 64) {
    Prefetch(reinterpret_cast<const void*>(line + at));
  }
}

// Appends the entries of a run that are >= low. False when `out` is full.
template <typename R>
[[gnu::always_inline]] inline bool TakeForward(const R& run, uint64_t low, std::span<Entry> out,
                                               size_t* n) {
  const int count = std::min(run.count(), R::kCapacity);
  if (low == 0 && out.size() - *n >= R::kCapacity) [[likely]] {
    run.CopySlots(out.data() + *n);
    *n += count;
    return true;
  }
  int i = 0;
  while (i < count && run.keys[i].get() < low) ++i;
  const size_t room = out.size() - *n;
  const int end = static_cast<int>(std::min<size_t>(count, i + room));
  Entry* to = out.data() + *n - i;
  for (int k = i; k < end; ++k) to[k] = run.At(k);
  *n += end - i;
  return end == count;
}

template <typename R>
bool TakeBackward(const R& run, uint64_t high, std::span<Entry> out, size_t* n) {
  for (int i = std::min(run.count(), R::kCapacity); i-- > 0;) {
    const Entry entry = run.At(i);
    if (entry.key > high) continue;
    if (*n == out.size()) return false;
    out[(*n)++] = entry;
  }
  return true;
}

}  // namespace

OMEN_INDEX_CLONES size_t IntTree::CopyForward(const Leaf& leaf, uint64_t version, uint64_t low,
                                              std::span<Entry> out, bool* valid) {
  size_t n = 0;
  *valid = false;
  const uint32_t end = leaf.End();
  uint32_t i = leaf.Route(low);
  // What the header said belongs together only if the version still stands.
  if (!leaf.lock.Unchanged(version)) return 0;
  // `ahead` buckets have been asked for, of `reach`.
  const size_t reach = out.size() / kEntriesPerBucket + 2;
  size_t ahead = 0;
  uint32_t asked = i;
  for (size_t done = 0; i < end && n < out.size(); ++done) {
    for (; ahead < std::min(reach, done + kBucketsAhead) && asked < end; ++ahead) {
      PrefetchBucket(leaf.ChainAt(asked).bucket);
      asked = leaf.After(asked);
    }
    const Chain chain = leaf.ChainAt(i);
    const uint32_t after = leaf.After(i);
    const Bucket* const next = after < end ? leaf.ChainAt(after).bucket : nullptr;
    // Of a bucket that may not have been there when the version was asked for.
    if (!leaf.lock.Unchanged(version)) return 0;
    if (next != nullptr && done + 1 < reach) Prefetch(chain.Next(next->next()));
    if (!TakeForward(*chain.bucket, low, out, &n)) break;
    const Spare* spare = chain.Next(chain.bucket->next());
    for (int k = 0; spare != nullptr && k < kChainMax; ++k) {
      if (!TakeForward(*spare, low, out, &n)) break;
      spare = chain.Next(spare->next());
    }
    low = 0;  // Every bucket after the first is above the bound.
    i = after;
  }
  *valid = leaf.lock.Unchanged(version);
  return n;
}

size_t IntTree::CopyBackward(const Leaf& leaf, uint64_t version, uint64_t high,
                             std::span<Entry> out, bool* valid) {
  size_t n = 0;
  *valid = false;
  for (uint32_t i = leaf.Route(high);; i = leaf.Before(i)) {
    const Chain chain = leaf.ChainAt(i);
    if (!leaf.lock.Unchanged(version)) return 0;
    const Spare* spares[kChainMax];
    int length = 0;
    for (const Spare* spare = chain.Next(chain.bucket->next());
         spare != nullptr && length < kChainMax; spare = chain.Next(spare->next())) {
      spares[length++] = spare;
    }
    bool room = true;
    while (length > 0 && room) room = TakeBackward(*spares[--length], high, out, &n);
    if (!room || !TakeBackward(*chain.bucket, high, out, &n) || n == out.size() || i == 0) break;
  }
  *valid = leaf.lock.Unchanged(version);
  return n;
}

size_t IntTree::ScanForwardNow(uint64_t low, std::span<Entry> out, bool* more) const {
  size_t n = 0;
  while (n < out.size()) {
    EpochGuard guard(epochs_);  // One leaf at a time, so that a long scan holds nothing back.
    const Leaf* leaf = FindLeaf(low);
    const uint64_t version = leaf->lock.Read();
    bool valid = false;
    size_t copied = 0;
    if (VersionLock::Readable(version)) {
      copied = CopyForward(*leaf, version, low, out.subspan(n), &valid);
    }
    if (!valid) {
      CpuRelax();
      continue;
    }
    n += copied;
    if (n == out.size()) break;
    if (leaf->last == UINT64_MAX) {
      *more = false;
      return n;
    }
    low = leaf->last + 1;
  }
  *more = n > 0 && out[n - 1].key != UINT64_MAX;
  return n;
}

size_t IntTree::ScanBackwardNow(uint64_t high, std::span<Entry> out, bool* more) const {
  size_t n = 0;
  while (n < out.size()) {
    EpochGuard guard(epochs_);
    const Leaf* leaf = FindLeaf(high);
    const uint64_t version = leaf->lock.Read();
    bool valid = false;
    size_t copied = 0;
    if (VersionLock::Readable(version)) {
      copied = CopyBackward(*leaf, version, high, out.subspan(n), &valid);
    }
    if (!valid) {
      CpuRelax();
      continue;
    }
    n += copied;
    if (n == out.size()) break;
    if (leaf->low == 0) {
      *more = false;
      return n;
    }
    high = leaf->low - 1;
  }
  *more = n > 0 && out[n - 1].key != 0;
  return n;
}

size_t IntTree::ScanForward(uint64_t low, std::span<Entry> out, bool* more) const {
  if (!TimeThisScan()) [[likely]]
    return ScanForwardNow(low, out, more);
  const uint64_t start = Ticks();
  const size_t n = ScanForwardNow(low, out, more);
  Observe(Operation::kScan, low, Ticks() - start, n);
  return n;
}

size_t IntTree::ScanBackward(uint64_t high, std::span<Entry> out, bool* more) const {
  if (!TimeThisScan()) [[likely]]
    return ScanBackwardNow(high, out, more);
  const uint64_t start = Ticks();
  const size_t n = ScanBackwardNow(high, out, more);
  Observe(Operation::kScan, high, Ticks() - start, n);
  return n;
}

// The share of all keys that lie below `key`, were every child of a node of one weight.
double IntTree::Rank(uint64_t key) const {
  double low = 0, width = 1;
  NodeRef node = root_.load(std::memory_order_acquire);
  while (!node.is_leaf()) {
    const Inner* inner = node.inner();
    const uint32_t place = inner->Find(key);
    width /= inner->count();
    low += width * place;
    node = inner->child(place);
  }
  return low + width * node.leaf()->ShareBelow(key);
}

// By what the leaves say they have; nullopt when more of them than kLeavesCounted have some.
std::optional<size_t> IntTree::CountInLeaves(uint64_t low, uint64_t high) const {
  double rows = 0;
  for (uint32_t i = 0; i < kLeavesCounted; ++i) {
    const Leaf* leaf = FindLeaf(low);
    const bool ends = high <= leaf->last;
    const double share = (ends ? leaf->ShareBelow(high) : 1) - leaf->ShareBelow(low);
    rows += std::max(0.0, share) * leaf->count.get();
    if (ends) return static_cast<size_t>(rows);
    low = leaf->last + 1;
  }
  return std::nullopt;
}

size_t IntTree::CountRange(uint64_t low, uint64_t high) const {
  if (low > high) return 0;
  // Counted exactly as far as two batches reach.
  constexpr size_t kExact = 512;
  Entry entries[kExact];
  bool more = false;
  const size_t n = ScanForward(low, entries, &more);
  const Entry* end = std::upper_bound(entries, entries + n, high,
                                      [](uint64_t k, const Entry& e) { return k < e.key; });
  const auto exact = static_cast<size_t>(end - entries);
  if (exact < n || !more) return exact;
  EpochGuard guard(epochs_);
  if (const auto counted = CountInLeaves(low, high)) return std::max(exact, *counted);
  const double share = Rank(high) - Rank(low);
  return std::max(exact, static_cast<size_t>(std::max(0.0, share) * static_cast<double>(Size())));
}

}  // namespace omendb::index
