#include "engine/replace_undo.h"

#include "base/check.h"

namespace omendb::engine {

using rowstore::MakeFrozenRef;
using rowstore::VersionRef;

void ReplaceUndo::Add(uint64_t segment, const SegmentBatch& batch) {
  Replacing replacing{segment, batch.rows->rows(), batch.id(0), {}};
  bool in_sequence = true;
  for (uint32_t i = 0; i < replacing.count && in_sequence; ++i) {
    in_sequence = batch.id(i) == replacing.id(i);
  }
  if (!in_sequence) {
    for (uint32_t i = 0; i < replacing.count; ++i) replacing.ids.push_back(batch.id(i));
  }
  replacing_.push_back(std::move(replacing));
}

// What was done to the new versions since has been undone before: they are heads again.
void ReplaceUndo::Restore(const Replacing& replacing) {
  rowstore::TableStore& store = table_->store();
  EpochGuard guard(table_->epochs());
  for (uint32_t i = 0; i < replacing.count; ++i) {
    const VersionRef fresh = MakeFrozenRef(replacing.segment, i);
    const VersionRef old = table_->frozen().OlderOf(fresh);
    if (old != 0) OMEN_CHECK(store.SetHead(replacing.id(i), fresh, old));
  }
}

// When nobody is left who may have met one of its rows as a head: from there he gets to the old
// one.
void ReplaceUndo::ForgetOlder(uint64_t segment) const {
  struct Forgotten {
    std::shared_ptr<Table> table;
    uint64_t segment;
  };
  table_->epochs().Retire(
      new Forgotten{table_, segment},
      [](void* object, void*) {
        const std::unique_ptr<Forgotten> forgotten(static_cast<Forgotten*>(object));
        forgotten->table->frozen().DropOlder(forgotten->segment);
      },
      nullptr, sizeof(Forgotten));
}

// Heads first: who meets one that was abandoned takes its row for gone.
void ReplaceUndo::Undo() {
  for (auto it = replacing_.rbegin(); it != replacing_.rend(); ++it) {
    Restore(*it);
    for (const auto indexes = table_->indexes(); const auto& index : *indexes)
      index->packed().Remove(it->segment);
    table_->frozen().Abandon(it->segment);
    ForgetOlder(it->segment);
  }
}

void ReplaceUndo::Stamp(Timestamp ts) {
  const std::shared_ptr<const RunSet> set = table_->frozen().runs();
  for (const Replacing& replacing : replacing_) {
    const FrozenSegment& segment = *set->runs[replacing.segment].segment;
    segment.set_begin(mvcc::WordOf(ts));
    segment.set_keys_are_entered();  // Where those of the old versions are.
  }
}

}  // namespace omendb::engine
