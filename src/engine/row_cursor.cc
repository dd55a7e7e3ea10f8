#include "engine/row_cursor.h"

#include <algorithm>

#include "base/bytes.h"

namespace omendb::engine {
namespace {

// The least key above this one.
bool Increment(const TableIndex& index, std::string& key) {
  if (index.shape() != TableIndex::Shape::kRowByInt) {
    key.push_back('\0');
    return true;
  }
  const auto value = LoadBe<uint64_t>(key.data());
  if (value == UINT64_MAX) return false;
  StoreBe<uint64_t>(key.data(), value + 1);
  return true;
}

}  // namespace

RowCursor::RowCursor(const TableIndex& index, TableIndex::Bounds bounds, bool backward)
    : index_(index), bounds_(std::move(bounds)), backward_(backward) {
  if (index_.is_row_map()) {
    Start();
  } else {
    secondary_.emplace(index_, bounds_, backward_);
  }
}

void RowCursor::Start() {
  moves_ = index_.frozen_keys().moves();
  has_entry_ = false;
  entries_ended_ = false;
  runs_.clear();
  entries_.emplace(index_, bounds_, backward_);
  if (bounds_.empty) return;
  for (FrozenKeys::SegmentPtr& segment :
       index_.frozen_keys().Overlapping(bounds_.low, bounds_.high)) {
    auto run = std::make_unique<Run>();
    const colstore::SegmentFooter& footer = segment->reader()->footer();
    run->key = backward_ ? footer.max_key : footer.min_key;
    run->segment = std::move(segment);
    runs_.push_back(std::move(run));
  }
  std::make_heap(runs_.begin(), runs_.end(),
                 [&](const auto& a, const auto& b) { return IsBefore(b->key, a->key); });
}

void RowCursor::StartAgain() {
  if (!last_rows_.empty()) {
    if (!backward_) {
      bounds_.low = last_key_;
    } else {
      bounds_.high = last_key_;
      if (!Increment(index_, bounds_.high)) bounds_.high.clear();
    }
  }
  Start();
}

Result<bool> RowCursor::Next(RowId* row, std::string_view* key) {
  if (secondary_) return secondary_->Next(row, key);
  for (;;) {
    OMEN_ASSIGN(const bool more, NextMerged(row, key));
    // Keys that left the index before they were read are in segments that are not among the runs.
    if (index_.frozen_keys().moves() != moves_) [[unlikely]] {
      StartAgain();
      continue;
    }
    if (!more) return false;
    if (!Note(*row, *key)) continue;
    *key = last_key_;
    return true;
  }
}

bool RowCursor::Note(RowId row, std::string_view key) {
  if (key != last_key_) {
    last_rows_.clear();
    last_key_ = key;
  }
  if (std::find(last_rows_.begin(), last_rows_.end(), row) != last_rows_.end()) return false;
  last_rows_.push_back(row);
  return true;
}

Result<bool> RowCursor::NextMerged(RowId* row, std::string_view* key) {
  for (;;) {
    if (!has_entry_ && !entries_ended_) {
      has_entry_ = entries_->Next(&entry_row_, &entry_key_);
      entries_ended_ = !has_entry_;
    }
    if (runs_.empty() || (has_entry_ && IsBefore(entry_key_, runs_.front()->key))) break;
    if (runs_.front()->keys == nullptr) {
      OMEN_TRY(OpenRun());
      continue;
    }
    Run& run = *runs_.front();
    OMEN_ASSIGN(*row, run.segment->ReadRowId(run.at));
    run_key_ = run.key;
    *key = run_key_;
    OMEN_TRY(StepRun());
    return true;
  }
  if (!has_entry_) return false;
  has_entry_ = false;
  *row = entry_row_;
  *key = entry_key_;
  return true;
}

bool RowCursor::IsWithin(std::string_view key) const {
  return key >= bounds_.low && (bounds_.high.empty() || key < bounds_.high);
}

Status RowCursor::OpenRun() {
  Run& run = *runs_.front();
  const colstore::SegmentReader& reader = *run.segment->reader();
  run.keys = std::make_unique<colstore::KeyCursor>(reader);
  if (backward_) {
    uint32_t end = reader.rows();
    if (!bounds_.high.empty()) {
      OMEN_ASSIGN(end, LowerBoundOf(reader, bounds_.high));
    }
    if (end == 0) return Reorder(false), Status::Ok();
    run.at = end - 1;
  } else if (!bounds_.low.empty()) {
    OMEN_ASSIGN(run.at, LowerBoundOf(reader, bounds_.low));
    if (run.at == reader.rows()) return Reorder(false), Status::Ok();
  }
  OMEN_TRY(run.keys->KeyAt(run.at, run.key));
  Reorder(IsWithin(run.key));
  return Status::Ok();
}

Status RowCursor::StepRun() {
  Run& run = *runs_.front();
  const bool ended = backward_ ? run.at == 0 : run.at + 1 == run.segment->rows();
  if (!ended) {
    run.at = backward_ ? run.at - 1 : run.at + 1;
    OMEN_TRY(run.keys->KeyAt(run.at, run.key));
  }
  Reorder(!ended && IsWithin(run.key));
  return Status::Ok();
}

void RowCursor::Reorder(bool more) {
  const auto after = [&](const auto& a, const auto& b) { return IsBefore(b->key, a->key); };
  // pop_heap needs the heap whole but for the first, which it moves away.
  std::pop_heap(runs_.begin(), runs_.end(), after);
  if (more) {
    std::push_heap(runs_.begin(), runs_.end(), after);
  } else {
    runs_.pop_back();
  }
}

}  // namespace omendb::engine
