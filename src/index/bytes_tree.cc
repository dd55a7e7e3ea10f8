#include "index/bytes_tree.h"

#include <algorithm>
#include <string>
#include <thread>

#include "base/sqlstate.h"

namespace omendb::index {

namespace {

// Keys in flight at once in LookupBatch.
constexpr size_t kBatch = 16;
// Entries of a leaf and children of a node at bulk load: nearly full, as the keys will hardly
// change.
constexpr size_t kBulkLeaf = BytesLeaf::kCapacity * 15 / 16;
constexpr size_t kBulkFanout = BytesInner::kFanout * 7 / 8;

void Pause(uint32_t round) {
  if (round < 64) {
    CpuRelax();
  } else {
    std::this_thread::yield();
  }
}

// The shortest string above `left` and not above `right`. Requires: left < right.
std::string Separator(std::string_view left, std::string_view right) {
  return std::string(right.substr(0, CommonPrefix(left, right) + 1));
}

Status Invalid(const std::string& what) {
  return Status(sqlstate::kInternalError, "index invariant broken: " + what);
}

}  // namespace

BytesTree::BytesTree(EpochManager& epochs) : epochs_(epochs), arena_(Arena::Make()) {
  root_.store(BytesRef(NewLeaf({}, {}, false)), std::memory_order_release);
}

BytesTree::~BytesTree() {
  FreeTree(root_.load(std::memory_order_acquire), true);
  arena_->Unref();
}

void BytesTree::FreeTree(BytesRef root, bool records) {
  std::vector<BytesRef> nodes{root};
  while (!nodes.empty()) {
    const BytesRef node = nodes.back();
    nodes.pop_back();
    if (node.is_leaf()) {
      for (uint32_t i = 0; records && i < node.leaf()->count.get(); ++i) {
        BytesRecord::Free(node.leaf()->records[i].get());
      }
      node.leaf()->~BytesLeaf();
      arena_->FreeCell(node.leaf());
      continue;
    }
    for (uint32_t i = 0; i < node.inner()->count(); ++i) nodes.push_back(node.inner()->child(i));
    delete node.inner();
  }
}

BytesLeaf* BytesTree::NewLeaf(std::string low, std::string high, bool has_high) {
  return new (arena_->AllocateCell(sizeof(BytesLeaf)))
      BytesLeaf(std::move(low), std::move(high), has_high);
}

BytesInner* BytesTree::NewInner(std::span<const BytesChild> children) {
  auto* inner = new BytesInner(children);
  inner_bytes_.fetch_add(inner->bytes(), std::memory_order_relaxed);
  return inner;
}

bool BytesTree::Find(std::string_view key, uint64_t* value) const {
  if (SampleThis()) [[unlikely]]
    Count(key);
  EpochGuard guard(epochs_);
  const uint8_t fingerprint = FingerprintOf(key);
  for (uint32_t round = 0;; Pause(round++)) {
    const BytesLeaf* leaf = FindLeaf(key);
    leaf->PrefetchForLookup();
    const uint64_t version = leaf->lock.Read();
    if (!VersionLock::Readable(version)) continue;
    const BytesRecord* record = leaf->Find(key, fingerprint);
    if (record != nullptr) *value = record->value.load(std::memory_order_relaxed);
    if (leaf->lock.Unchanged(version)) return record != nullptr;
  }
}

// Which nodes on the way to `key` are searched by a model.
void BytesTree::Count(std::string_view key) const {
  EpochGuard guard(epochs_);
  BytesRef node = root_.load(std::memory_order_acquire);
  bool model = !node.is_leaf();
  while (!node.is_leaf()) {
    model = model && node.inner()->uses_model();
    node = node.inner()->child(node.inner()->Find(key));
  }
  counters_.Count(model ? LookupPath::kModelHit : LookupPath::kFallback);
}

size_t BytesTree::LookupBatch(std::span<const std::string_view> keys, std::span<uint64_t> values,
                              std::span<bool> found) const {
  size_t total = 0;
  EpochGuard guard(epochs_);
  const BytesLeaf* leaves[kBatch];
  uint64_t versions[kBatch];
  uint8_t fingerprints[kBatch];
  uint32_t places[kBatch];
  for (size_t at = 0; at < keys.size(); at += kBatch) {
    const size_t n = std::min(kBatch, keys.size() - at);
    // Three rounds of misses for all keys together: leaves, pointers to records, records.
    for (size_t i = 0; i < n; ++i) {
      leaves[i] = FindLeaf(keys[at + i]);
      leaves[i]->PrefetchForLookup();
      fingerprints[i] = FingerprintOf(keys[at + i]);
    }
    for (size_t i = 0; i < n; ++i) {
      versions[i] = leaves[i]->lock.Read();
      const uint64_t matches = leaves[i]->Matches(fingerprints[i]);
      places[i] = matches == 0 ? 0 : static_cast<uint32_t>(std::countr_zero(matches));
      if (matches != 0) Prefetch(leaves[i]->records + places[i]);
    }
    for (size_t i = 0; i < n; ++i) Prefetch(leaves[i]->records[places[i]].get());
    for (size_t i = 0; i < n; ++i) {
      uint64_t value = 0;
      const BytesRecord* record = leaves[i]->Find(keys[at + i], fingerprints[i]);
      bool hit = record != nullptr;
      if (hit) value = record->value.load(std::memory_order_relaxed);
      if (!VersionLock::Readable(versions[i]) || !leaves[i]->lock.Unchanged(versions[i])) {
        hit = Find(keys[at + i], &value);
      }
      found[at + i] = hit;
      if (hit) values[at + i] = value;
      total += hit;
    }
  }
  return total;
}

BytesLeaf* BytesTree::LockLeaf(std::string_view key) {
  for (uint32_t round = 0;; Pause(round++)) {
    BytesLeaf* leaf = FindLeaf(key);
    leaf->PrefetchAll();
    if (leaf->lock.TryLock()) return leaf;
  }
}

std::optional<uint64_t> BytesTree::Insert(std::string_view key, uint64_t value, bool replace) {
  EpochGuard guard(epochs_);
  for (;;) {
    BytesLeaf* leaf = LockLeaf(key);
    const BytesLeaf::Spot spot = leaf->Search(key);
    if (spot.record != nullptr) {
      const uint64_t existing = spot.record->value.load(std::memory_order_relaxed);
      if (replace) spot.record->value.store(value, std::memory_order_relaxed);
      leaf->lock.UnlockChanged();
      return existing;
    }
    if (leaf->count.get() < BytesLeaf::kCapacity) {
      leaf->InsertAt(spot.at, BytesRecord::Make(key, value));
      leaf->lock.UnlockChanged();
      size_.Add(1);
      record_bytes_.Add(static_cast<int64_t>(BytesRecord::Bytes(key.size())));
      return std::nullopt;
    }
    SplitLeaf(leaf, key);
  }
}

std::optional<uint64_t> BytesTree::Update(std::string_view key, uint64_t value,
                                          const uint64_t* expected) {
  EpochGuard guard(epochs_);
  BytesLeaf* leaf = LockLeaf(key);
  const BytesLeaf::Spot spot = leaf->Search(key);
  std::optional<uint64_t> existing;
  if (spot.record != nullptr) {
    existing = spot.record->value.load(std::memory_order_relaxed);
    if (expected == nullptr || *expected == *existing) {
      spot.record->value.store(value, std::memory_order_relaxed);
    }
  }
  leaf->lock.UnlockChanged();
  return existing;
}

std::optional<uint64_t> BytesTree::Erase(std::string_view key, const uint64_t* expected) {
  EpochGuard guard(epochs_);
  BytesLeaf* leaf = LockLeaf(key);
  const BytesLeaf::Spot spot = leaf->Search(key);
  if (spot.record == nullptr) {
    leaf->lock.UnlockUnchanged();
    return std::nullopt;
  }
  const uint64_t existing = spot.record->value.load(std::memory_order_relaxed);
  if (expected != nullptr && *expected != existing) {
    leaf->lock.UnlockUnchanged();
    return existing;
  }
  leaf->RemoveAt(spot.at);
  size_.Add(-1);
  record_bytes_.Add(-static_cast<int64_t>(BytesRecord::Bytes(key.size())));
  AfterErase(leaf);
  RetireRecord(spot.record);
  return existing;
}

Status BytesTree::BulkLoad(std::span<const BytesEntry> entries) {
  for (size_t i = 1; i < entries.size(); ++i) {
    if (entries[i - 1].key < entries[i].key) continue;
    const bool repeated = entries[i - 1].key == entries[i].key;
    return Status(sqlstate::kInvalidParameterValue,
                  "bulk load needs strictly ascending keys: entry " + std::to_string(i) +
                      (repeated ? " repeats the key before it" : " is below the one before it"));
  }
  if (Size() != 0) {
    return Status(
        sqlstate::kObjectNotInPrerequisiteState,
        "bulk load needs an empty index; this one holds " + std::to_string(Size()) + " keys");
  }
  if (entries.empty()) return Status::Ok();
  const size_t leaves = (entries.size() + kBulkLeaf - 1) / kBulkLeaf;
  std::vector<BytesChild> level;
  std::string low;
  int64_t bytes = 0;
  arena_->SetPatient(true);
  for (size_t i = 0; i < leaves; ++i) {
    const size_t begin = entries.size() * i / leaves, end = entries.size() * (i + 1) / leaves;
    const bool bounded = i + 1 < leaves;
    std::string high = bounded ? Separator(entries[end - 1].key, entries[end].key) : std::string();
    BytesLeaf* leaf = NewLeaf(low, high, bounded);
    for (size_t k = begin; k < end; ++k) {
      leaf->InsertAt(static_cast<uint32_t>(k - begin),
                     BytesRecord::Make(entries[k].key, entries[k].value));
      bytes += static_cast<int64_t>(BytesRecord::Bytes(entries[k].key.size()));
    }
    level.push_back({std::move(low), BytesRef(leaf)});
    low = std::move(high);
  }
  arena_->SetPatient(false);
  const BytesRef before = root_.load(std::memory_order_acquire);
  root_.store(BuildLevels(std::move(level)), std::memory_order_release);
  FreeTree(before, true);
  size_.Add(static_cast<int64_t>(entries.size()));
  record_bytes_.Add(bytes);
  return Status::Ok();
}

BytesRef BytesTree::BuildLevels(std::vector<BytesChild> level) {
  while (level.size() > 1) {
    const size_t nodes = (level.size() + kBulkFanout - 1) / kBulkFanout;
    std::vector<BytesChild> above;
    for (size_t i = 0; i < nodes; ++i) {
      const size_t begin = level.size() * i / nodes, end = level.size() * (i + 1) / nodes;
      const std::span<const BytesChild> part(level.data() + begin, end - begin);
      above.push_back({part.front().low, BytesRef(NewInner(part))});
    }
    level = std::move(above);
  }
  return level.front().node;
}

void BytesTree::ForEachLeaf(
    const std::function<void(const BytesLeaf&, uint32_t depth)>& visit) const {
  std::vector<std::pair<BytesRef, uint32_t>> nodes{{root_.load(std::memory_order_acquire), 1}};
  while (!nodes.empty()) {
    const auto [node, depth] = nodes.back();
    nodes.pop_back();
    if (node.is_leaf()) {
      visit(*node.leaf(), depth);
      continue;
    }
    for (uint32_t i = node.inner()->count(); i-- > 0;) {
      nodes.emplace_back(node.inner()->child(i), depth + 1);
    }
  }
}

size_t BytesTree::MemoryBytes() const {
  return sizeof(*this) + arena_->MemoryBytes() + inner_bytes_.load(std::memory_order_relaxed) +
         static_cast<size_t>(record_bytes_.Sum());
}

IndexStats BytesTree::Stats() const {
  IndexStats stats;
  stats.model_hits = static_cast<uint64_t>(counters_.model_hits.Sum());
  stats.fallbacks = static_cast<uint64_t>(counters_.fallbacks.Sum());
  stats.splits = splits_.load(std::memory_order_relaxed);
  stats.merges = merges_.load(std::memory_order_relaxed);
  EpochGuard guard(epochs_);
  ForEachLeaf([&stats](const BytesLeaf&, uint32_t depth) {
    ++stats.plain_leaves;
    stats.depth = std::max(stats.depth, depth);
  });
  return stats;
}

Status BytesTree::Validate() const {
  EpochGuard guard(epochs_);
  Status status;
  size_t total = 0;
  uint32_t leaf_depth = 0;
  bool ended = false;
  std::string expected_low;
  ForEachLeaf([&](const BytesLeaf& leaf, uint32_t depth) {
    if (!status.ok()) return;
    if (leaf_depth == 0) leaf_depth = depth;
    if (depth != leaf_depth) status = Invalid("leaves at different depths");
    if (ended || leaf.low != expected_low) status = Invalid("a gap in the ranges");
    if (!VersionLock::Readable(leaf.lock.Read())) status = Invalid("a leaf is locked or dead");
    expected_low = leaf.high;
    ended = !leaf.has_high;
    const uint32_t n = leaf.count.get();
    total += n;
    for (uint32_t i = 0; i < n && status.ok(); ++i) {
      const std::string_view key = leaf.records[i].get()->key();
      if (key < leaf.low || (leaf.has_high && key >= leaf.high)) {
        status = Invalid("a key outside its leaf's range");
      }
      if (i > 0 && leaf.records[i - 1].get()->key() >= key) status = Invalid("keys out of order");
      if (leaf.heads[i].get() != HeadOf(key, leaf.skip)) status = Invalid("a wrong head");
      if (leaf.fingerprints[i].get() != FingerprintOf(key)) status = Invalid("a wrong fingerprint");
      if (FindLeaf(key) != &leaf) status = Invalid("an inner node leads elsewhere");
    }
  });
  if (status.ok() && !ended) status = Invalid("the ranges do not reach the end");
  if (status.ok() && total != Size()) status = Invalid("the size is wrong");
  return status;
}

}  // namespace omendb::index
