// int_fill.cc - new leaves, their memory, and entries put into them.
#include <algorithm>

#include "index/int_tree.h"

namespace omendb::index {

namespace {

// Entries per bucket and buckets per group of a plain leaf when it is built. One that grows is
// given what it would have as a tree that has grown.
constexpr uint32_t kDensePerBucket = 14, kDensePerGroup = 15;
constexpr uint32_t kGrowPerBucket = 12, kGrowPerGroup = 12;

}  // namespace

Leaf* IntTree::NewLeaf(uint64_t low, uint64_t last) {
  Leaf* leaf = new (memory_->AllocateCell(sizeof(Leaf))) Leaf;
  leaf->low = low;
  leaf->last = last;
  leaf->SetPlain(0);
  leaf->filled.set(FillLevels{}.Pack());
  return leaf;
}

void IntTree::FillModel(Leaf* leaf, std::span<const Entry> entries, const ModelPlan& plan) {
  leaf->SetModel(plan.model);
  leaf->spares_used = 0;
  leaf->spare_limit = std::min(SpareTable::RoundUp(plan.spare_limit), SpareTable::kMax);
  leaf->SetBuilt(static_cast<uint32_t>(entries.size()));
  leaf->sticky_plain = 0;
  leaf->downward.set(0);
  leaf->SetUnused(0);
  MakeBuckets(leaf, plan.buckets);
  leaf->spares.Clear();
  leaf->spare_capacity = 0;
  const uint32_t room = std::min(plan.spare_room, SpareTable::kMax);
  while (leaf->spare_capacity < room) AddSpares(leaf, room);
  const Entry* next = entries.data();
  const Entry* const end = next + entries.size();
  uint64_t at = next == end ? plan.buckets : plan.model(next->key);
  for (uint32_t i = 0; i < plan.buckets; ++i) {
    const Entry* const first = next;
    while (at == i) at = ++next == end ? plan.buckets : plan.model(next->key);
    Bucket* const bucket = leaf->BucketAt(i);
    const auto n = static_cast<size_t>(next - first);
    bucket->Fill({first, std::min<size_t>(n, Bucket::kCapacity)});
    if (n > Bucket::kCapacity) FillSpares(leaf, bucket, {first + Bucket::kCapacity, next});
  }
}

// Of a bucket that is full.
void IntTree::FillSpares(Leaf* leaf, Bucket* bucket, std::span<const Entry> entries) {
  Spare* last = nullptr;
  for (size_t i = 0; i < entries.size(); i += Spare::kCapacity) {
    OMEN_CHECK(leaf->spares_used < leaf->spare_capacity);
    Spare* const spare = leaf->spares.At(leaf->spares_used++);
    spare->Fill(entries.subspan(i, std::min<size_t>(Spare::kCapacity, entries.size() - i)));
    last == nullptr ? bucket->SetNext(leaf->spares_used) : last->SetNext(leaf->spares_used);
    last = spare;
  }
}

// Memory for so many, whose entries are still to be put there. Sets the leaf's bytes.
void IntTree::MakeBuckets(Leaf* leaf, uint32_t buckets) {
  OMEN_CHECK(buckets <= kModelBucketsMax);
  leaf->buckets.set(buckets);
  leaf->bytes = 0;
  for (uint32_t s = 0; s < leaf->segments(); ++s) AddSegment(leaf, s);
}

Bucket* IntTree::AddSegment(Leaf* leaf, uint32_t s) {
  const size_t bytes = leaf->SegmentBytes(s);
  auto* segment = static_cast<Bucket*>(memory_->Allocate(bytes));
  leaf->pieces[s].set_release(reinterpret_cast<uint64_t>(segment));
  leaf->bytes += static_cast<uint32_t>(bytes);
  return segment;
}

// A leaf that has got another range: the segments that its keys may be dealt to are there, the
// others go.
void IntTree::FitSegments(Leaf* leaf) {
  const LinearModel model = leaf->model();
  const uint64_t first = model(leaf->low) / kSegmentBuckets;
  const uint64_t last = model(leaf->last) / kSegmentBuckets;
  for (uint32_t s = 0; s < leaf->segments(); ++s) {
    const bool needed = s >= first && s <= last;
    if (needed == leaf->HasSegment(s)) continue;
    if (needed) {
      Bucket* const segment = AddSegment(leaf, s);
      for (size_t i = 0; i < leaf->SegmentBytes(s) / sizeof(Bucket); ++i) segment[i].Clear();
      continue;
    }
    RetireBlock(reinterpret_cast<char*>(leaf->pieces[s].get()), leaf->SegmentBytes(s));
    leaf->pieces[s].set_release(reinterpret_cast<uint64_t>(kNoBuckets));
    leaf->bytes -= static_cast<uint32_t>(leaf->SegmentBytes(s));
  }
}

// See leaf.h, I7.
bool IntTree::SegmentsAreThere(const Leaf& leaf) {
  if (!leaf.is_model()) return true;
  for (uint32_t s = leaf.Route(leaf.low) / kSegmentBuckets;
       s <= leaf.Route(leaf.last) / kSegmentBuckets; ++s) {
    if (!leaf.HasSegment(s)) return false;
  }
  return true;
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

void IntTree::FillPlain(Leaf* leaf, std::span<const Entry> entries, Fill fill) {
  OMEN_CHECK(entries.size() <= kPlainKeysMax);
  const auto n = static_cast<uint32_t>(entries.size());
  const bool dense = fill == Fill::kDense;
  const auto pieces = [](uint32_t of, uint32_t each) { return (of + each - 1) / each; };
  const uint32_t per_bucket = dense ? kDensePerBucket : kGrowPerBucket;
  const uint32_t buckets = std::clamp<uint32_t>(pieces(n, per_bucket), 1, kGroups * kGroupSize);
  const uint32_t groups =
      std::clamp<uint32_t>(pieces(buckets, dense ? kDensePerGroup : kGrowPerGroup),
                           pieces(buckets, kGroupSize), kGroups);
  leaf->SetPlain(groups);
  leaf->SetBuilt(n);
  leaf->bytes = (buckets + groups) * static_cast<uint32_t>(sizeof(Bucket));
  const auto begin_of = [n, buckets](uint32_t bucket) {
    return static_cast<size_t>(uint64_t{n} * bucket / buckets);
  };
  for (uint32_t g = 0; g < groups; ++g) {
    auto* group = static_cast<BucketGroup*>(memory_->Allocate(sizeof(BucketGroup)));
    group->Clear();
    const uint32_t first = buckets * g / groups, end = buckets * (g + 1) / groups;
    for (uint32_t b = first; b < end; ++b) {
      const size_t next = begin_of(b + 1);
      group->bucket[b - first].set(NewBucket(entries.subspan(begin_of(b), next - begin_of(b))));
      group->upper[b - first].set(b + 1 < buckets ? entries[next].key - 1 : UINT64_MAX);
    }
    leaf->sizes[g].set(static_cast<uint8_t>(end - first));
    leaf->tops[g].set(group->upper[end - first - 1].get());
    leaf->pieces[g].set_release(reinterpret_cast<uint64_t>(group) |
                                (group->InRow(end - first) ? Leaf::kInRow : 0));
  }
}

// The address of a bucket of a plain leaf.
uint64_t IntTree::NewBucket(std::span<const Entry> entries) {
  auto* bucket = static_cast<Bucket*>(memory_->Allocate(sizeof(Bucket)));
  bucket->Fill(entries);
  return reinterpret_cast<uint64_t>(bucket);
}

}  // namespace omendb::index
