#include "engine/segment_merge.h"

#include <algorithm>
#include <numeric>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/check.h"
#include "engine/compaction.h"
#include "engine/frozen_cursor.h"
#include "engine/key_budget.h"
#include "engine/row_buffer.h"

namespace omendb::engine {
namespace {

constexpr uint64_t kStretchesBetweenLooks = 256;
// Encoded bytes of a row.
constexpr uint64_t kWideRow = 256;
// What a cell takes that was decoded, a key of a row, and text for each byte that it has encoded.
constexpr uint64_t kBytesOfCell = 24;
constexpr uint64_t kBytesOfKey = 64;
constexpr uint64_t kDecodedForEncoded = 3;

// The columns of a new segment, in their order (new_segment.h).
std::vector<ColumnId> ColumnsOf(const catalog::TableDef& table) {
  std::vector<ColumnId> columns = table.live_columns();
  columns.push_back(kRowIdColumn);
  return columns;
}

// Where rows of masks are dead, too.
Run WithoutMasked(const Run& run) {
  if (run.masks == nullptr) return run;
  Run without{run.segment, std::make_shared<DeadRows>(*run.dead), nullptr};
  for (const auto& mask : *run.masks) mask->AddTo(*without.dead);
  return without;
}

uint64_t EncodedBytesOfRow(const FrozenSegment& segment) {
  return EncodedBytes(segment) / segment.rows() + 1;
}

// Ahead, but where rows are so wide that it would fill the memory.
uint32_t BlocksAtOnce(const FrozenSegment& segment) {
  return EncodedBytesOfRow(segment) > kWideRow ? 1 : colstore::ScanOptions().blocks_at_once;
}

}  // namespace

class SegmentMerge::Input {
 public:
  Input(const RelationImpl& relation, const ScanColumns& columns, const Run& run, uint64_t number)
      : primary_(relation.primary_index()),
        run_(WithoutMasked(run)),
        wanted_(ColumnsOf(relation.table())),
        scan_(FrozenScan::ReadingAtOnce(BlocksAtOnce(*run_.segment), run_,
                                        {.columns = wanted_, .with_refs = true})),
        cursor_(scan_, number, columns, /*late_columns=*/false) {
    if (primary_ == nullptr) return;
    for (const ColumnId column : primary_->key_columns()) {
      const auto at = std::find(wanted_.begin(), wanted_.end(), column);
      key_columns_.push_back(static_cast<size_t>(at - wanted_.begin()));
    }
  }

  uint32_t rows() const { return run_.live_rows(); }
  Status Start(const RelationImpl& relation, const ScanColumns& columns) {
    return IsSorted(relation, *run_.segment) ? NextBlock() : ReadAll(columns);
  }
  bool at_end() const { return at_ == chunk_.rows_count; }
  const std::string& key() const { return keys_[at_]; }
  // Rows from here on whose keys are less, at most so many.
  uint32_t RowsBelow(const std::string* end, uint64_t most) const {
    const auto last =
        at_ + static_cast<uint32_t>(std::min<uint64_t>(most, chunk_.rows_count - at_));
    if (end == nullptr) return last - at_;
    // Mostly few.
    uint32_t row = at_ + 1;
    while (row < last && keys_[row] < *end) ++row;
    return row - at_;
  }
  Status Write(uint32_t count, colstore::SegmentWriter& writer, std::vector<RowRef>& from) {
    OMEN_TRY(writer.Append(chunk_, at_, count));
    const auto first = refs_.begin() + at_;
    from.insert(from.end(), first, first + count);
    at_ += count;
    return at_end() && !all_ ? NextBlock() : Status::Ok();
  }

 private:
  Status NextBlock() {
    OMEN_ASSIGN(const bool more, cursor_.Next(chunk_, &refs_));
    if (!more) chunk_.rows_count = 0;
    at_ = 0;
    FindKeys();
    return Status::Ok();
  }
  Status ReadAll(const ScanColumns& columns) {
    all_.emplace(columns.types());
    std::vector<RowRef> refs;
    for (;;) {
      OMEN_ASSIGN(const bool more, cursor_.Next(chunk_, &refs_));
      if (!more) break;
      all_->Append(chunk_, 0, chunk_.rows_count);
      refs.insert(refs.end(), refs_.begin(), refs_.end());
    }
    chunk_ = all_->View();
    FindKeys();
    Sort(std::move(refs));
    return Status::Ok();
  }
  void Sort(std::vector<RowRef> refs) {
    std::vector<uint32_t> order(chunk_.rows_count);
    std::iota(order.begin(), order.end(), 0U);
    std::sort(order.begin(), order.end(),
              [&](uint32_t a, uint32_t b) { return keys_[a] < keys_[b]; });
    std::vector<std::string> keys(order.size());
    refs_.resize(order.size());
    for (size_t i = 0; i < order.size(); ++i) {
      keys[i] = std::move(keys_[order[i]]);
      refs_[i] = refs[order[i]];
    }
    keys_ = std::move(keys);
    all_->SetOrder(std::move(order));
    chunk_ = all_->View();
  }
  void FindKeys() {
    if (keys_.size() < chunk_.rows_count) keys_.resize(chunk_.rows_count);
    types::Row values(key_columns_.size());
    for (uint32_t row = 0; row < chunk_.rows_count; ++row) {
      if (primary_ == nullptr) {
        keys_[row].resize(sizeof(uint64_t));
        StoreBe<uint64_t>(keys_[row].data(), RowIdAt(row));
        continue;
      }
      for (size_t i = 0; i < values.size(); ++i) {
        values[i] = chunk_.columns[key_columns_[i]].Get(row);
      }
      primary_->KeyOfValues(values, keys_[row]);
    }
  }
  uint64_t RowIdAt(uint32_t row) const {
    return static_cast<uint64_t>(chunk_.columns.back().Get(row).i64);
  }

  const TableIndex* const primary_;  // null: the key is the row id
  const Run run_;
  const std::vector<ColumnId> wanted_;
  std::vector<size_t> key_columns_;  // of wanted_
  FrozenScan scan_;
  FrozenCursor cursor_;
  std::optional<RowBuffer> all_;  // of a segment in another order
  types::Chunk chunk_;
  std::vector<std::string> keys_;  // by row of chunk_; there may be more
  std::vector<RowRef> refs_;
  uint32_t at_ = 0;
};

SegmentMerge::SegmentMerge(const RelationImpl& relation, std::shared_ptr<const RunSet> set,
                           std::span<const uint64_t> numbers)
    : relation_(relation),
      set_(std::move(set)),
      columns_(relation, ColumnsOf(relation.table()), *set_) {
  for (const uint64_t number : numbers) {
    inputs_.push_back(std::make_unique<Input>(relation, columns_, set_->runs[number], number));
    rows_left_ += inputs_.back()->rows();
  }
}

SegmentMerge::~SegmentMerge() = default;

bool SegmentMerge::IsGreater(const Input* a, const Input* b) { return b->key() < a->key(); }

bool SegmentMerge::IsSorted(const RelationImpl& relation, const FrozenSegment& segment) {
  const TableIndex* const primary = relation.primary_index();
  if (primary != nullptr) return KeyBudget::IsSortedBy(segment, *primary);
  const colstore::SegmentFooter& footer = segment.reader()->footer();
  return footer.key.size() == 1 && footer.key[0].column == segment.row_ids_position();
}

uint64_t SegmentMerge::MemoryOf(const RelationImpl& relation, const FrozenSegment& segment) {
  const uint64_t columns = relation.table().live_columns().size() + 1;
  const uint64_t encoded = EncodedBytesOfRow(segment);
  const uint64_t decoded = columns * kBytesOfCell + encoded * kDecodedForEncoded;
  if (!IsSorted(relation, segment)) return segment.rows() * (decoded + kBytesOfKey);
  return types::kChunkRowsMax * (decoded + encoded * BlocksAtOnce(segment));
}

Status SegmentMerge::Start() {
  for (const auto& input : inputs_) {
    OMEN_TRY(input->Start(relation_, columns_));
    if (!input->at_end()) heap_.push_back(input.get());
  }
  std::make_heap(heap_.begin(), heap_.end(), IsGreater);
  return Status::Ok();
}

Result<bool> SegmentMerge::Write(uint64_t count, uint64_t bytes_max, const Stop& stop,
                                 colstore::SegmentWriter& writer, std::vector<RowRef>& from) {
  count = std::min(count, rows_left_);
  const size_t end = from.size() + count;
  const size_t begin = from.size();
  for (uint64_t stretches = 0; from.size() < end && writer.encoded_bytes() < bytes_max;
       ++stretches) {
    if (stretches % kStretchesBetweenLooks == 0 && stop()) return false;
    OMEN_TRY(WriteStretch(end - from.size(), writer, from));
  }
  rows_left_ -= from.size() - begin;
  return true;
}

Status SegmentMerge::WriteStretch(uint64_t count, colstore::SegmentWriter& writer,
                                  std::vector<RowRef>& from) {
  OMEN_CHECK(!heap_.empty());
  std::pop_heap(heap_.begin(), heap_.end(), IsGreater);
  Input& least = *heap_.back();
  const std::string* const end = heap_.size() > 1 ? &heap_.front()->key() : nullptr;
  OMEN_TRY(least.Write(least.RowsBelow(end, count), writer, from));
  if (least.at_end()) {
    heap_.pop_back();
  } else {
    std::push_heap(heap_.begin(), heap_.end(), IsGreater);
  }
  return Status::Ok();
}

}  // namespace omendb::engine
