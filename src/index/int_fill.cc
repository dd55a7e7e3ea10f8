// int_fill.cc - new leaves, their memory, and entries put into them.
#include <bit>

#include "index/int_tree.h"

namespace omendb::index {

namespace {

// Entries per bucket of a plain leaf when it is built.
constexpr size_t kPlainDensePerBucket = 14;
constexpr size_t kPlainGrowPerBucket = 11;

uint32_t ShrinkBelow(size_t built) { return built < 12 ? 1 : static_cast<uint32_t>(built / 3); }

}  // namespace

Leaf* IntTree::NewLeaf(uint64_t low, uint64_t last) {
  Leaf* leaf = new (memory_->AllocateCell(sizeof(Leaf))) Leaf;
  leaf->low = low;
  leaf->last = last;
  for (Word& upper : leaf->upper) upper.set(UINT64_MAX);
  for (auto& slot : leaf->slot) slot.set(0);
  leaf->spares.Clear();
  leaf->filled.set(FillLevels{}.Pack());
  return leaf;
}

void IntTree::FillModel(Leaf* leaf, std::span<const Entry> entries, const ModelPlan& plan) {
  leaf->SetModel(plan.model);
  leaf->spares_used = 0;
  leaf->spare_limit = std::min(SpareTable::RoundUp(plan.spare_limit), SpareTable::kMax);
  leaf->count.set(static_cast<uint32_t>(entries.size()));
  leaf->built_count = static_cast<uint32_t>(entries.size());
  leaf->shrink_below.set(ShrinkBelow(entries.size()));
  leaf->sticky_plain = 0;
  MakeBuckets(leaf, plan.buckets);
  leaf->spares.Clear();
  leaf->spare_capacity = 0;
  const uint32_t room = std::min(plan.spare_room, SpareTable::kMax);
  while (leaf->spare_capacity < room) AddSpares(leaf, room);
  uint64_t current = UINT64_MAX;
  int n = 0;
  Bucket* bucket = nullptr;
  Spare* spare = nullptr;
  for (const Entry& entry : entries) {
    const uint64_t at = plan.model(entry.key);
    if (at != current) {
      current = at;
      bucket = leaf->BucketAt(at);
      spare = nullptr;
      n = 0;
    }
    if (n < Bucket::kCapacity) {
      bucket->keys[n].set(entry.key);
      bucket->values[n].set(entry.value);
      bucket->SetCount(++n);
      continue;
    }
    if (spare == nullptr || spare->count() == Spare::kCapacity) {
      OMEN_CHECK(leaf->spares_used < leaf->spare_capacity);
      Spare* next = leaf->spares.At(leaf->spares_used++);
      next->Clear();
      (spare == nullptr ? bucket->SetNext(leaf->spares_used) : spare->SetNext(leaf->spares_used));
      spare = next;
    }
    spare->InsertAt(spare->count(), entry.key, entry.value);
  }
}

// Empty ones. Sets the leaf's bytes.
void IntTree::MakeBuckets(Leaf* leaf, uint32_t buckets) {
  OMEN_CHECK(buckets <= kModelBucketsMax);
  leaf->buckets.set(buckets);
  leaf->bytes = 0;
  for (uint32_t first = 0; first < buckets; first += kSegmentBuckets) {
    const uint32_t n = std::min(kSegmentBuckets, buckets - first);
    const size_t bytes = Arena::RoundUp(n * sizeof(Bucket));
    auto* segment = static_cast<Bucket*>(memory_->Allocate(bytes));
    leaf->upper[first / kSegmentBuckets].set_release(reinterpret_cast<uint64_t>(segment));
    leaf->bytes += static_cast<uint32_t>(bytes);
    for (uint32_t i = 0; i < n; ++i) segment[i].Clear();
  }
}

// Room for a few more, `wanted` in all if they fit into the last segment.
void IntTree::AddSpares(Leaf* leaf, uint32_t wanted) {
  const uint32_t capacity = leaf->spare_capacity;
  const uint32_t segment = capacity / SpareTable::kSegment, has = capacity % SpareTable::kSegment;
  const uint32_t more = std::max(wanted - capacity, leaf->buckets.get() / 8);
  const uint32_t holds = std::min(SpareTable::kSegment, has + SpareTable::RoundUp(more));
  auto* memory = static_cast<char*>(memory_->Allocate(holds * sizeof(Spare)));
  for (uint32_t i = 0; i < has; ++i) {
    reinterpret_cast<Spare*>(memory)[i].CopyFrom(
        *leaf->spares.At(segment * SpareTable::kSegment + i));
  }
  if (has > 0) RetireBlock(leaf->spares.memory(segment), has * sizeof(Spare));
  leaf->spares.Set(segment, memory, holds);
  leaf->spare_capacity += holds - has;
  leaf->bytes += (holds - has) * sizeof(Spare);
}

void IntTree::FillPlain(Leaf* leaf, std::span<const Entry> entries, Fill fill,
                        uint32_t capacity_min) {
  const size_t n = entries.size();
  const size_t per = fill == Fill::kDense ? kPlainDensePerBucket : kPlainGrowPerBucket;
  OMEN_CHECK(n <= size_t{kPlainBuckets} * Bucket::kCapacity);
  const auto used =
      static_cast<uint32_t>(std::clamp<size_t>((n + per - 1) / per, 1, kPlainBuckets));
  // Whole granules where no growth is expected.
  const uint32_t capacity =
      fill == Fill::kDense ? (used + kPlainBucketsMin - 1) / kPlainBucketsMin * kPlainBucketsMin
                           : std::max(capacity_min, std::bit_ceil(used));
  const size_t bytes = capacity * sizeof(Bucket);
  leaf->block.set_release(static_cast<char*>(memory_->Allocate(bytes)));
  leaf->bytes = static_cast<uint32_t>(bytes);
  leaf->spares.Clear();
  leaf->shape.set(0);
  leaf->buckets.set(used);
  leaf->bucket_capacity = capacity;
  leaf->slots_used = used == 32 ? ~uint32_t{0} : (uint32_t{1} << used) - 1;
  leaf->count.set(static_cast<uint32_t>(n));
  leaf->built_count = static_cast<uint32_t>(n);
  leaf->shrink_below.set(ShrinkBelow(n));
  Bucket* buckets = leaf->bucket_array();
  for (uint32_t i = 0; i < kPlainBuckets; ++i) leaf->upper[i].set(UINT64_MAX);
  for (uint32_t i = 0; i < used; ++i) {
    Bucket& bucket = buckets[i];
    bucket.Clear();
    const size_t begin = n * i / used, end = n * (i + 1) / used;
    for (size_t k = begin; k < end; ++k) {
      bucket.InsertAt(static_cast<int>(k - begin), entries[k].key, entries[k].value);
    }
    leaf->slot[i].set(static_cast<uint8_t>(i));
    if (i + 1 < used) leaf->upper[i].set(entries[end].key - 1);
  }
}

}  // namespace omendb::index
