#include "index/bytes_tree.h"

#include <algorithm>
#include <bit>
#include <string>
#include <thread>

#include "base/sqlstate.h"

namespace omendb::index {

namespace {

// Keys in flight at once in LookupBatch.
constexpr size_t kBatch = 16;
// Entries of a leaf and children of a node at bulk load: nearly full, as the keys will hardly
// change.
constexpr size_t kBulkLeaf = BytesLeaf::kCapacity * 13 / 16;
constexpr size_t kBulkFanout = BytesInner::kFanout * 7 / 8;

Status Invalid(const std::string& what) {
  return Status(sqlstate::kInternalError, "index invariant broken: " + what);
}

}  // namespace

BytesTree::BytesTree(EpochManager& epochs) : epochs_(epochs), pool_(BytesLeafPool::Make()) {
  root_.store(BytesRef(NewLeaf(nullptr, nullptr, {})), std::memory_order_release);
}

void BytesTree::Pause(uint32_t round) {
  if (round < 64) {
    CpuRelax();
  } else {
    std::this_thread::yield();
  }
}

BytesTree::~BytesTree() {
  Drop(ahead_);
  FreeTree(root_.load(std::memory_order_acquire));
  pool_->Unref();
}

void BytesTree::FreeTree(BytesRef root) {
  std::vector<BytesRef> nodes{root};
  while (!nodes.empty()) {
    const BytesRef node = nodes.back();
    nodes.pop_back();
    if (node.is_leaf()) {
      BytesLeaf* leaf = node.leaf();
      for (uint32_t i = 0; i < leaf->count.get(); ++i) {
        if (leaf->outside_at(i)) BytesRecord::Free(BytesLeaf::RecordOf(leaf->cell_at(i)));
      }
      BytesRecord::Free(leaf->low.get());
      pool_->Delete(leaf);
      continue;
    }
    for (uint32_t i = 0; i < node.inner()->count(); ++i) nodes.push_back(node.inner()->child(i));
    delete node.inner();
  }
}

BytesLeaf* BytesTree::NewLeaf(BytesRecord* low, BytesRecord* high, const BytesKeySizes& sizes) {
  return pool_->New(low, high, sizes.ChooseWords(BytesLeaf::SkipOf(low, high)));
}

BytesRecord* BytesTree::NewRecord(std::string_view key) {
  record_bytes_.Add(static_cast<int64_t>(BytesRecord::Bytes(key.size())));
  return BytesRecord::Make(key);
}

void BytesTree::InsertInto(BytesLeaf* leaf, uint32_t at, std::string_view key, uint64_t value) {
  leaf->InsertAt(at, key, value, leaf->Fits(key) ? nullptr : NewRecord(key));
}

BytesInner* BytesTree::NewInner(std::span<const BytesChild> children) {
  auto* inner = new BytesInner(children);
  inner_bytes_.fetch_add(BytesInner::bytes(), std::memory_order_relaxed);
  return inner;
}

bool BytesTree::Find(std::string_view key, uint64_t* value) const {
  if (SampleThis()) [[unlikely]]
    Count(key);
  EpochGuard guard(epochs_);
  const uint8_t fingerprint = FingerprintOf(key);
  for (uint32_t round = 0;; Pause(round++)) {
    const Way way = FindWay(key);
    const BytesLeaf* leaf = way.leaf();
    leaf->PrefetchForLookup(fingerprint, way.ref.cell_words());
    const uint64_t version = leaf->lock.Read();
    if (!VersionLock::Readable(version) || !way.Stands()) continue;
    const Word* cell = leaf->Find(key, fingerprint, version);
    if (cell != nullptr) *value = cell->get();
    if (leaf->lock.Unchanged(version)) return cell != nullptr;
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
  Way ways[kBatch];
  uint64_t versions[kBatch];
  uint8_t fingerprints[kBatch];
  for (size_t at = 0; at < keys.size(); at += kBatch) {
    const size_t n = std::min(kBatch, keys.size() - at);
    // Three rounds of misses for all keys together: leaves, cells that are not where they were
    // looked for, records.
    for (size_t i = 0; i < n; ++i) {
      if (SampleThis()) [[unlikely]]
        Count(keys[at + i]);
      fingerprints[i] = FingerprintOf(keys[at + i]);
      ways[i] = FindWay(keys[at + i]);
      ways[i].leaf()->PrefetchForLookup(fingerprints[i], ways[i].ref.cell_words());
    }
    const Word* cells[kBatch];
    for (size_t i = 0; i < n; ++i) {
      const BytesLeaf& leaf = *ways[i].leaf();
      versions[i] = leaf.lock.Read();
      if (!ways[i].Stands()) versions[i] = VersionLock::kDead;
      const uint64_t matches = leaf.Matches(fingerprints[i]);
      const uint32_t place = matches == 0 ? 0 : static_cast<uint32_t>(std::countr_zero(matches));
      cells[i] = leaf.IsOutside(place) ? leaf.cell(place) : nullptr;
      if (matches != 0) Prefetch(leaf.cell(place));
    }
    for (size_t i = 0; i < n; ++i) {
      if (cells[i] != nullptr) Prefetch(BytesLeaf::RecordOf(cells[i]));
    }
    for (size_t i = 0; i < n; ++i) {
      uint64_t value = 0;
      const BytesLeaf& leaf = *ways[i].leaf();
      const Word* cell = VersionLock::Readable(versions[i])
                             ? leaf.Find(keys[at + i], fingerprints[i], versions[i])
                             : nullptr;
      bool hit = cell != nullptr;
      if (hit) value = cell->get();
      if (!VersionLock::Readable(versions[i]) || !leaf.lock.Unchanged(versions[i])) {
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
    const Way way = FindWay(key);
    BytesLeaf* leaf = way.leaf();
    leaf->PrefetchForSearch();
    if (!leaf->lock.TryLock()) continue;
    if (way.Stands()) return leaf;
    leaf->lock.Unlock();
  }
}

BytesLeaf* BytesTree::LockRun(std::string_view key) {
  BytesLeaf* leaf = run_.load(std::memory_order_acquire);
  if (leaf == nullptr) return nullptr;
  const BytesRecord* const low = leaf->low.get_acquire();
  const BytesRecord* const high = leaf->high.get_acquire();
  if (key < BytesLeaf::KeyOf(low) || (high != nullptr && key >= high->key())) {
    // Keys come elsewhere now: they are not compared with it any more.
    run_.compare_exchange_strong(leaf, nullptr);
    return nullptr;
  }
  if (!leaf->lock.TryLock()) return nullptr;
  if (leaf->low.get() == low && leaf->high.get() == high) return leaf;
  leaf->lock.Unlock();
  return nullptr;
}

std::optional<uint64_t> BytesTree::Insert(std::string_view key, uint64_t value, bool replace) {
  EpochGuard guard(epochs_);
  for (;;) {
    BytesLeaf* leaf = LockRun(key);
    if (leaf == nullptr) leaf = LockLeaf(key);
    const BytesLeaf::Spot spot = leaf->SearchInOrder(key, leaf->lock.Read());
    if (spot.found) {
      Word* cell = leaf->cell_at(spot.at);
      const uint64_t existing = cell->get();
      if (replace) cell->set(value);
      leaf->lock.Unlock();
      return existing;
    }
    if (leaf->count.get() < BytesLeaf::kCapacity) {
      InsertInto(leaf, spot.at, key, value);
      if (leaf->NoteInsert(spot.at)) {
        GoOn(leaf, key);
      } else {
        leaf->lock.Unlock();
      }
      size_.Add(1);
      return std::nullopt;
    }
    SplitLeaf(leaf, key, spot.at);
  }
}

std::optional<uint64_t> BytesTree::Update(std::string_view key, uint64_t value,
                                          const uint64_t* expected) {
  EpochGuard guard(epochs_);
  BytesLeaf* leaf = LockLeaf(key);
  const BytesLeaf::Spot spot = leaf->Search(key, leaf->lock.Read());
  std::optional<uint64_t> existing;
  if (spot.found) {
    Word* cell = leaf->cell_at(spot.at);
    existing = cell->get();
    if (expected == nullptr || *expected == *existing) cell->set(value);
  }
  leaf->lock.Unlock();
  return existing;
}

std::optional<uint64_t> BytesTree::Erase(std::string_view key, const uint64_t* expected) {
  EpochGuard guard(epochs_);
  BytesLeaf* leaf = LockLeaf(key);
  const BytesLeaf::Spot spot = leaf->Search(key, leaf->lock.Read());
  if (!spot.found) {
    leaf->lock.Unlock();
    return std::nullopt;
  }
  const uint64_t existing = leaf->cell_at(spot.at)->get();
  if (expected != nullptr && *expected != existing) {
    leaf->lock.Unlock();
    return existing;
  }
  BytesRecord* record = leaf->RemoveAt(spot.at);
  size_.Add(-1);
  AfterErase(leaf);
  if (record != nullptr) RetireRecord(record);
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
  BytesRecord* low = nullptr;
  pool_->SetPatient(true);
  for (size_t i = 0; i < leaves; ++i) {
    const size_t begin = entries.size() * i / leaves, end = entries.size() * (i + 1) / leaves;
    BytesRecord* high = nullptr;
    if (i + 1 < leaves) high = NewRecord(Separator(entries[end - 1].key, entries[end].key));
    BytesKeySizes sizes;
    for (size_t k = begin; k < end; ++k) sizes.Add(static_cast<uint32_t>(entries[k].key.size()));
    BytesLeaf* leaf = NewLeaf(low, high, sizes);
    for (size_t k = begin; k < end; ++k) {
      InsertInto(leaf, static_cast<uint32_t>(k - begin), entries[k].key, entries[k].value);
    }
    level.push_back({low, BytesRef(leaf)});
    low = high;
  }
  pool_->SetPatient(false);
  const BytesRef before = root_.load(std::memory_order_acquire);
  root_.store(BuildLevels(std::move(level)), std::memory_order_release);
  run_.store(nullptr, std::memory_order_release);  // It may be the leaf that goes.
  {
    MutexLock lock(structure_mu_);
    last_ = {};
  }
  FreeTree(before);
  size_.Add(static_cast<int64_t>(entries.size()));
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
  return sizeof(*this) + pool_->MemoryBytes() + inner_bytes_.load(std::memory_order_relaxed) +
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
  const BytesRecord* expected_low = nullptr;
  ForEachLeaf([&](const BytesLeaf& leaf, uint32_t depth) {
    if (!status.ok()) return;
    if (leaf_depth == 0) leaf_depth = depth;
    if (depth != leaf_depth) status = Invalid("leaves at different depths");
    const BytesRecord* const low = leaf.low.get();
    const BytesRecord* const high = leaf.high.get();
    if (ended || low != expected_low) status = Invalid("a gap in the ranges");
    if (!VersionLock::Readable(leaf.lock.Read())) status = Invalid("a leaf is locked or dead");
    if (leaf.skip > BytesLeaf::SkipOf(low, high)) status = Invalid("a prefix that is not shared");
    expected_low = high;
    ended = high == nullptr;
    const uint32_t n = leaf.count.get();
    total += n;
    uint64_t cells = 0;
    std::string before;
    for (uint32_t i = 0; i < n && status.ok(); ++i) {
      const std::string key = leaf.KeyAt(i);
      const uint32_t cell = leaf.order[i].get();
      cells |= uint64_t{1} << cell;
      if (key < BytesLeaf::KeyOf(low) || (high != nullptr && key >= high->key())) {
        status = Invalid("a key outside its leaf's range");
      }
      if (i > 0 && before >= key) status = Invalid("keys out of order");
      if (leaf.heads[i].get() != HeadOf(key, leaf.skip)) status = Invalid("a wrong head");
      if (leaf.fingerprints[cell].get() != FingerprintOf(key)) {
        status = Invalid("a wrong fingerprint");
      }
      if (FindWay(key).leaf() != &leaf) status = Invalid("an inner node leads elsewhere");
      before = key;
    }
    if (cells != leaf.used.get() || std::popcount(cells) != static_cast<int>(n)) {
      status = Invalid("cells in use and entries do not agree");
    }
  });
  if (status.ok() && !ended) status = Invalid("the ranges do not reach the end");
  if (status.ok() && total != Size()) status = Invalid("the size is wrong");
  return status;
}

}  // namespace omendb::index
