#include "engine/entry_cursor.h"

#include <algorithm>

namespace omendb::engine {

EntryCursor::EntryCursor(const TableIndex& index, TableIndex::Bounds bounds, bool backward)
    : index_(index),
      bounds_(std::move(bounds)),
      one_key_(bounds_.one_key ? bounds_.low : std::string()),
      backward_(backward) {
  Start();
}

void EntryCursor::Start() {
  const IndexRuns& runs = index_.runs();
  moves_ = runs.moves();
  has_entry_ = false;
  entries_ended_ = false;
  parts_.clear();
  // Before the index is looked at: entries may come back to it from there.
  if (!bounds_.empty && !runs.empty()) {
    const std::string& low = bounds_.one_key ? one_key_ : bounds_.low;
    for (auto& run : runs.Overlapping(low, bounds_.high, bounds_.one_key)) {
      const std::string_view entry = backward_ ? run->max_entry() : run->min_entry();
      parts_.push_back(std::make_unique<Part>(Part{std::move(run), nullptr, entry}));
    }
    std::make_heap(parts_.begin(), parts_.end(),
                   [&](const auto& a, const auto& b) { return IsBefore(b->entry, a->entry); });
  }
  entries_.emplace(index_, bounds_, backward_);
}

void EntryCursor::StartAgain() {
  if (!last_.empty()) {
    if (backward_) {
      bounds_.high = last_;
    } else {
      bounds_.low = last_;
      bounds_.low.push_back('\0');
    }
  }
  Start();
}

Result<bool> EntryCursor::Next(RowId* row, std::string_view* key) {
  for (;;) {
    OMEN_ASSIGN(const bool more, NextMerged());
    // Entries that left the index before they were read are in runs that are not among the parts.
    if (index_.runs().moves() != moves_) [[unlikely]] {
      StartAgain();
      continue;
    }
    if (!more) return false;
    if (next_ == last_) continue;
    last_.swap(next_);
    *row = colstore::RowOfEntry(last_);
    *key = colstore::KeyOfEntry(last_);
    return true;
  }
}

Result<bool> EntryCursor::NextMerged() {
  for (;;) {
    if (!has_entry_ && !entries_ended_) {
      RowId row;
      has_entry_ = entries_->NextEntry(&row, &entry_);
      entries_ended_ = !has_entry_;
    }
    if (parts_.empty() || (has_entry_ && IsBefore(entry_, parts_.front()->entry))) break;
    if (parts_.front()->cursor == nullptr) {
      OMEN_TRY(OpenPart());
      continue;
    }
    next_ = parts_.front()->entry;
    OMEN_TRY(StepPart());
    return true;
  }
  if (!has_entry_) return false;
  has_entry_ = false;
  next_ = entry_;
  return true;
}

Status EntryCursor::OpenPart() {
  Part& part = *parts_.front();
  part.cursor = std::make_unique<colstore::IndexRun::Cursor>(*part.run);
  OMEN_TRY(backward_ ? part.cursor->SeekBackward(bounds_.high)
                     : part.cursor->SeekForward(bounds_.low));
  Reorder();
  return Status::Ok();
}

Status EntryCursor::StepPart() {
  OMEN_TRY(parts_.front()->cursor->Next());
  Reorder();
  return Status::Ok();
}

void EntryCursor::Reorder() {
  const auto after = [&](const auto& a, const auto& b) { return IsBefore(b->entry, a->entry); };
  // pop_heap needs the heap whole but for the first, which it moves away.
  std::pop_heap(parts_.begin(), parts_.end(), after);
  Part& part = *parts_.back();
  if (!part.cursor->at_end()) part.entry = part.cursor->entry();
  if (part.cursor->at_end() || !IsWithin(part.entry)) {
    parts_.pop_back();
  } else {
    std::push_heap(parts_.begin(), parts_.end(), after);
  }
}

}  // namespace omendb::engine
