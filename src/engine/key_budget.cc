#include "engine/key_budget.h"

#include "colstore/key_cursor.h"

namespace omendb::engine {

std::atomic<uint64_t> KeyBudget::share_for_tests{0};

Result<uint64_t> KeyBudget::Enforce(std::span<const std::shared_ptr<Table>> tables) const {
  uint64_t total = 0;
  for (const auto& table : tables) {
    const auto indexes = table->indexes();
    if (const TableIndex* primary = Table::RowMapOf(*indexes)) total += primary->memory_bytes();
  }
  uint64_t segments = 0;
  if (total <= share()) return segments;
  const uint64_t excess = total - share() / 2;
  for (const auto& table : tables) {
    const auto indexes = table->indexes();
    TableIndex* const primary = Table::RowMapOf(*indexes);
    if (primary == nullptr || table->frozen().empty()) continue;
    // Each by its part of the whole.
    const double part = static_cast<double>(primary->memory_bytes()) / static_cast<double>(total);
    OMEN_ASSIGN(const uint64_t gone,
                Free(*table, *primary, static_cast<uint64_t>(static_cast<double>(excess) * part)));
    segments += gone;
  }
  return segments;
}

Result<uint64_t> KeyBudget::Free(Table& table, TableIndex& primary, uint64_t excess) {
  uint64_t segments = 0;
  uint64_t freed = 0;
  const std::shared_ptr<const RunSet> set = table.frozen().runs();
  for (const Run& run : set->runs) {
    if (freed >= excess) break;
    const FrozenSegment& segment = *run.segment;
    if (run.live_rows() == 0 || !segment.keys_are_entered()) continue;
    if (!IsSortedBy(segment, primary) || primary.frozen_keys().Has(segment)) continue;
    OMEN_TRY(LetGo(primary, run.segment));
    freed += run.segment->rows() * kBytesOfKey;
    ++segments;
  }
  return segments;
}

void KeyBudget::RestoreKeys(Table& table, TableIndex& primary, uint64_t frozen_rows) const {
  if (frozen_rows * kBytesOfKey <= share()) return;
  const std::shared_ptr<const RunSet> set = table.frozen().runs();
  std::vector<FrozenKeys::SegmentPtr> segments;
  for (const Run& run : set->runs) {
    if (run.live_rows() > 0 && IsSortedBy(*run.segment, primary)) segments.push_back(run.segment);
  }
  if (!segments.empty()) primary.frozen_keys().List(std::move(segments));
}

bool KeyBudget::IsSortedBy(const FrozenSegment& segment, const TableIndex& primary) {
  const colstore::SegmentFooter& footer = segment.reader()->footer();
  if (!primary.is_row_map() || footer.key.size() != primary.keys_count()) return false;
  for (size_t i = 0; i < footer.key.size(); ++i) {
    const colstore::SegmentColumn& column = footer.columns[footer.key[i].column].column;
    if (!primary.IsKey(i, column.id, column.type, footer.key[i].options)) return false;
  }
  return true;
}

Status KeyBudget::LetGo(TableIndex& primary, const FrozenKeys::SegmentPtr& segment) {
  OMEN_ASSIGN(const std::vector<RowId> rows, segment->ReadRowIds());
  primary.frozen_keys().List({segment});
  colstore::KeyCursor keys(*segment->reader());
  std::string key;
  for (uint32_t i = 0; i < rows.size(); ++i) {
    OMEN_TRY(keys.KeyAt(i, key));
    primary.EraseRow(key, rows[i]);
  }
  return Status::Ok();
}

}  // namespace omendb::engine
