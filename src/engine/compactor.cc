#include "engine/compactor.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"
#include "base/sqlstate.h"
#include "engine/new_segment.h"
#include "engine/redo.h"
#include "engine/segment_batch.h"

namespace omendb::engine {

std::atomic<uint32_t> Compactor::full_rows_for_tests{0};
std::atomic<uint64_t> Compactor::words_for_tests{UINT64_MAX};

using rowstore::MakeFrozenRef;
using rowstore::VersionRef;

namespace {

// Of the memory for rows: what is read at once, and row map words of rows that are put in order.
constexpr uint64_t kInputsShare = 16;
constexpr uint64_t kWordsShare = 8;

// Of rows that every snapshot sees, in the segments `numbers`, the greatest begin.
Timestamp NewestOf(const RunSet& set, const std::vector<uint64_t>& numbers) {
  Timestamp newest;
  for (const uint64_t number : numbers) {
    const FrozenSegment& segment = *set.runs[number].segment;
    newest = std::max(newest, segment.settled());
    newest = std::max(newest, Timestamp(segment.begin().load(std::memory_order_acquire)));
  }
  return newest;
}

}  // namespace

// Rows of a new segment, and where they lie until it is committed.
class Compactor::Move final : public txn::CommitHook {
 public:
  Move(Table& table, std::span<const uint64_t> numbers,
       std::shared_ptr<const FrozenSegment> segment, std::span<const RowRef> from,
       std::string& redo)
      : table_(table), numbers_(numbers), segment_(std::move(segment)), redo_(redo) {
    for (const RowRef& row : from) {
      rows_.push_back(row.row_id);
      from_.push_back(row.version);
    }
  }
  ~Move() override {
    if (begun_) table_.frozen().EndMove(numbers_);
  }

  Result<std::string> Prepare() override {
    table_.frozen().BeginMove(numbers_);
    begun_ = true;
    dead_ = FindDead();
    if (has_none()) return Status(sqlstate::kInternalError, "no row is left to move");
    std::string mask;
    dead_.Serialize(mask);
    AppendSegment(RedoOp::kFreeze, table_.storage(), segment_->file_id(), mask, redo_);
    return std::string();
  }
  void OnLogged() override {
    const uint64_t number = table_.frozen().PublishMoved(segment_, dead_, from_);
    rowstore::TableStore& store = table_.store();
    for (uint32_t i = 0; i < rows_.size(); ++i) {
      if (dead_.Has(i)) continue;
      OMEN_CHECK(store.SetHead(rows_[i], from_[i], MakeFrozenRef(number, i)));
    }
    published_ = true;
    table_.frozen().EndMove(numbers_);
    begun_ = false;
  }
  void OnPublished(Timestamp /*ts*/) override {}

  // All rows have been changed meanwhile: nothing has happened.
  bool has_none() const { return !rows_.empty() && dead_.count() == rows_.size(); }
  // Whether the rows have moved, whatever became of the commit since.
  bool published() const { return published_; }
  uint64_t rows_moved() const { return published_ ? rows_.size() - dead_.count() : 0; }

 private:
  // Rows that have been thawed since they were read, or are in a mask. The others have no end, and
  // their words do not change, while they may move.
  DeadRows FindDead() const {
    const std::shared_ptr<const RunSet> set = table_.frozen().runs();
    DeadRows dead(segment_->rows());
    for (uint32_t i = 0; i < rows_.size(); ++i) {
      const Run& run = set->runs[rowstore::FrozenSegmentOf(from_[i])];
      const uint32_t at = rowstore::FrozenRowOf(from_[i]);
      const bool masked =
          run.masks != nullptr && std::any_of(run.masks->begin(), run.masks->end(),
                                              [&](const auto& mask) { return mask->Has(at); });
      if (masked || run.dead->Has(at) || table_.store().head(rows_[i]) != from_[i]) dead.Add(i);
    }
    return dead;
  }

  Table& table_;
  const std::span<const uint64_t> numbers_;
  const std::shared_ptr<const FrozenSegment> segment_;
  std::string& redo_;
  std::vector<RowId> rows_;
  std::vector<VersionRef> from_;
  DeadRows dead_;
  bool begun_ = false;
  bool published_ = false;
};

void Compactor::SetLimits(const RelationImpl& relation, CompactionRules& rules) {
  const uint64_t memory = relation.storage().store().memory().limit();
  const uint32_t for_tests = full_rows_for_tests.load(std::memory_order_relaxed);
  if (for_tests != 0) rules.full_rows = for_tests;
  rules.full_bytes = BatchLimits().Within(memory).segment_bytes;
  rules.memory_max = memory / kInputsShare;
  rules.is_sorted = [&](const FrozenSegment& segment) {
    return relation.primary_index() != nullptr && SegmentMerge::IsSorted(relation, segment);
  };
  rules.memory_of = [&](const FrozenSegment& segment) {
    return SegmentMerge::MemoryOf(relation, segment);
  };
}

uint64_t Compactor::RoomForWords(const RelationImpl& relation) {
  const uint64_t for_tests = words_for_tests.load(std::memory_order_relaxed);
  if (for_tests != UINT64_MAX) return for_tests;
  const rowstore::TableStore& store = relation.storage().store();
  const rowstore::MemoryAccount& memory = store.memory();
  const auto room = [](uint64_t limit, uint64_t used) { return limit - std::min(limit, used); };
  const uint64_t bytes = std::min(room(memory.limit() / kWordsShare, store.row_map_bytes()),
                                  room(memory.limit() / 2, memory.used_with_other()));
  const uint64_t words = bytes / sizeof(uint64_t);
  return words < store.rows_in_ranges() ? words : UINT64_MAX;  // enough for all
}

Result<FreezeResult> Compactor::Compact(RelationImpl& relation, CompactionRules rules,
                                        const Stop& stop) const {
  SetLimits(relation, rules);
  FreezeResult result;
  for (size_t merges = 0; merges < rules.merges_max && !stop(); ++merges) {
    rules.words_max = RoomForWords(relation);
    Inputs inputs{relation.storage().frozen().runs(), {}};
    inputs.numbers = SegmentsToCompact(*inputs.set, rules);
    if (inputs.numbers.empty()) {
      rules.words_max = UINT64_MAX;
      result.lacks_memory = !SegmentsToCompact(*inputs.set, rules).empty();
      break;
    }
    OMEN_ASSIGN(const uint64_t moved, Merge(relation, inputs, rules, stop));
    if (moved == 0) break;  // They are being changed.
    result.rows_moved += moved;
  }
  return result;
}

Result<uint64_t> Compactor::Merge(RelationImpl& relation, const Inputs& inputs,
                                  const CompactionRules& rules, const Stop& stop) const {
  SegmentMerge merge(relation, inputs.set, inputs.numbers);
  OMEN_TRY(merge.Start());
  double full = 0;
  for (const uint64_t number : inputs.numbers) full += FullnessOf(inputs.set->runs[number], rules);
  // As even as may be.
  const auto segments = static_cast<uint64_t>(std::ceil(full));
  const uint64_t rows_each = (merge.rows_left() + segments - 1) / segments;
  uint64_t moved = 0;
  while (merge.rows_left() > 0 && !stop()) {
    OMEN_ASSIGN(const uint64_t of_one,
                WriteOne(relation, inputs, rows_each, rules.full_bytes, stop, merge));
    moved += of_one;
  }
  return moved;
}

Result<uint64_t> Compactor::WriteOne(RelationImpl& relation, const Inputs& inputs, uint64_t count,
                                     uint64_t bytes_max, const Stop& stop,
                                     SegmentMerge& merge) const {
  OMEN_ASSIGN(ReservedFile file, files_.Reserve());
  OMEN_ASSIGN(const auto writer, NewSegment(files_, relation.table(), file.id()));
  std::vector<RowRef> from;
  from.reserve(count);
  OMEN_ASSIGN(const bool written, merge.Write(count, bytes_max, stop, *writer, from));
  if (!written) return uint64_t{0};
  writer->NoteTimestamp(NewestOf(*inputs.set, inputs.numbers));
  OMEN_TRY(writer->Finish().status());
  OMEN_ASSIGN(auto segment, files_.Open(file.id()));
  segment->set_keys_are_entered();
  segment->set_rows_have_words();
  const auto txn = manager_.Begin({}, 0);
  Move move(relation.storage(), inputs.numbers, std::move(segment), from, txn->redo());
  ThreadWaiter waiter;
  const Status committed = manager_.Commit(*txn, waiter, &move);
  // When the log has failed nobody knows what is in it.
  if (move.published() || !manager_.health().ok()) file.Keep();
  if (move.has_none()) return uint64_t{0};
  if (!committed.ok()) return committed;
  return move.rows_moved();
}

}  // namespace omendb::engine
