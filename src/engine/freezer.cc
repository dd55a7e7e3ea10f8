#include "engine/freezer.h"

#include <algorithm>

#include "base/check.h"
#include "engine/new_segment.h"
#include "engine/redo.h"

namespace omendb::engine {

using rowstore::MakeRef;
using rowstore::Page;
using rowstore::SlotOf;
using rowstore::VersionRef;

namespace {

// Rows of one segment: the more, the longer a writer may wait for the switch.
constexpr uint32_t kGroupRowsMax = kFullSegmentRows;

CompactionRules RulesOf(const FreezeSelection& selection) {
  CompactionRules rules;
  rules.settled_by = selection.settled_by;
  rules.overlapping_min = selection.overlapping_min;
  rules.merges_max = selection.merges_max;
  return rules;
}

}  // namespace

// Pages that become one segment, and their rows in key order.
struct Freezer::Group {
  struct Row {
    std::string key;
    RowId id;
    VersionRef version;
    uint32_t page;  // index in pages
  };
  std::vector<Page*> pages;
  std::vector<Row> rows;
  uint64_t newest = 0;    // begin of any of them
  bool switched = false;  // The rows have moved, whatever became of the commit since.
};

// Under the commit mutex, once the record is in the log.
class Freezer::Switch final : public txn::CommitHook {
 public:
  Switch(Table& table, const Group& group, std::shared_ptr<const FrozenSegment> segment,
         DeadRows dead, std::vector<Page*> pages)
      : table_(table),
        group_(group),
        segment_(std::move(segment)),
        born_dead_(dead),
        dead_(std::move(dead)),
        pages_(std::move(pages)) {}
  Result<std::string> Prepare() override { return std::string(); }
  void OnLogged() override {
    const uint64_t number = table_.frozen().Publish(segment_, std::move(dead_), pages_);
    rowstore::TableStore& store = table_.store();
    for (uint32_t i = 0; i < group_.rows.size(); ++i) {
      if (born_dead_.Has(i)) continue;
      const Group::Row& row = group_.rows[i];
      // A closed version is its row's head and stays it.
      OMEN_CHECK(store.SetHead(row.id, row.version, rowstore::MakeFrozenRef(number, i)));
    }
    switched_ = true;
  }
  void OnPublished(Timestamp ts) override { published_ = ts; }

  bool switched() const { return switched_; }
  Timestamp published() const { return published_; }

 private:
  Table& table_;
  const Group& group_;
  const std::shared_ptr<const FrozenSegment> segment_;
  const DeadRows born_dead_;  // the mask again: dead_ is given away
  DeadRows dead_;
  const std::vector<Page*> pages_;
  bool switched_ = false;
  Timestamp published_;
};

Freezer::~Freezer() {
  for (const Moved& moved : moved_) {
    for (Page* page : moved.pages) {
      moved.table->store().DropPage(*page);
      moved.table->store().DestroyPage(page);
    }
  }
}

uint64_t Freezer::SeenByAll() const {
  // Our own timestamp first, then the pins: see TxnTable::Pin.
  uint64_t seen = manager_.last_visible().load(std::memory_order_seq_cst);
  for (const uint64_t pin : manager_.txns().Pinned()) seen = std::min(seen, pin);
  return seen;
}

bool Freezer::AddRows(Table& table, const Page& page, const FreezeSelection& selection,
                      Group& group) const {
  const TableIndex* row_map = Table::RowMapOf(*table.indexes());
  const uint64_t table_rows = table.store().rows_count();
  uint64_t calm_range = UINT64_MAX;
  for (uint32_t slot = 0; slot < page.used(); ++slot) {
    const rowstore::VersionHeader& header = page.header(slot);
    const uint64_t begin = header.begin.load(std::memory_order_acquire);
    if (begin == mvcc::kInfinity) continue;
    Group::Row row;
    row.id = RowId(header.row_id);
    const uint64_t range = row.id.value() / ChangeRates::kRangeRows;
    if (selection.calm_for_ms != 0 && range != calm_range) {
      if (!table.change_rates().IsCalm(row.id, table_rows, selection.now_ms,
                                       selection.calm_for_ms)) {
        return false;
      }
      calm_range = range;
    }
    row.version = MakeRef(page.number(), slot);
    row.page = static_cast<uint32_t>(group.pages.size());
    if (row_map != nullptr) row_map->KeyOfVersion(page, slot, row.key);
    group.rows.push_back(std::move(row));
    group.newest = std::max(group.newest, begin);
  }
  return true;
}

void Freezer::Take(Table& table, uint64_t* page_number, const FreezeSelection& selection,
                   Group& group) const {
  rowstore::TableStore& store = table.store();
  const uint64_t end = store.pages_count();
  for (; *page_number <= end && group.rows.size() + rowstore::kPageSlots <= kGroupRowsMax;
       ++*page_number) {
    Page* page = store.TakePage(*page_number);
    if (page == nullptr) continue;
    const size_t before = group.rows.size();
    if (page->IsSettled(selection.settled_by) && !AddRows(table, *page, selection, group)) {
      group.rows.resize(before);
    }
    if (group.rows.size() == before) {
      store.ReturnPage(*page);
    } else {
      group.pages.push_back(page);
    }
  }
  std::sort(group.rows.begin(), group.rows.end(), [](const Group::Row& a, const Group::Row& b) {
    const int order = a.key.compare(b.key);
    return order != 0 ? order < 0 : a.id < b.id;
  });
}

Result<std::shared_ptr<const FrozenSegment>> Freezer::Write(const RelationImpl& relation,
                                                            const Group& group,
                                                            uint64_t file_id) const {
  const std::vector<ColumnId> columns = relation.table().live_columns();
  OMEN_ASSIGN(auto writer, NewSegment(files_, relation.table(), file_id));
  types::Row values(columns.size() + 1);
  for (const Group::Row& row : group.rows) {
    const Page& page = *group.pages[row.page];
    const size_t stored = page.layout().columns_count();
    for (size_t i = 0; i < columns.size(); ++i) {
      const auto column = static_cast<uint32_t>(columns[i].value() - 1);
      values[i] = column < stored ? page.Read(column, SlotOf(row.version))
                                  : relation.MissingValue(columns[i]);
    }
    values.back() = types::Value::Int64(static_cast<int64_t>(row.id.value()));
    OMEN_TRY(writer->AppendRow(values));
  }
  writer->NoteTimestamp(Timestamp(group.newest));
  OMEN_TRY(writer->Finish().status());
  OMEN_ASSIGN(auto segment, files_.Open(file_id));
  segment->set_keys_are_entered();
  segment->set_rows_have_words();
  return segment;
}

Result<uint64_t> Freezer::Commit(Table& table, Group& group,
                                 std::shared_ptr<const FrozenSegment> segment) {
  rowstore::TableStore& store = table.store();
  const auto end_of = [&](const Group::Row& row) -> std::atomic<uint64_t>& {
    return store.header(row.version).end;
  };
  // Close. A page of which one version was ended meanwhile is left alone.
  std::vector<bool> closed(group.rows.size());
  std::vector<bool> lost(group.pages.size());
  for (size_t i = 0; i < group.rows.size(); ++i) {
    uint64_t expected = mvcc::kInfinity;
    closed[i] = end_of(group.rows[i])
                    .compare_exchange_strong(expected, mvcc::kMoved, std::memory_order_seq_cst);
    if (!closed[i]) lost[group.rows[i].page] = true;
  }
  DeadRows dead(segment->rows());
  const auto reopen = [&](size_t i) {
    if (!closed[i]) return;
    closed[i] = false;
    end_of(group.rows[i]).store(mvcc::kInfinity, std::memory_order_seq_cst);
  };
  for (uint32_t i = 0; i < group.rows.size(); ++i) {
    if (!lost[group.rows[i].page]) continue;
    reopen(i);
    dead.Add(i);
  }
  std::vector<Page*> moved;
  std::vector<Page*> kept;
  for (size_t i = 0; i < group.pages.size(); ++i) {
    (lost[i] ? kept : moved).push_back(group.pages[i]);
  }
  for (Page* page : kept) store.ReturnPage(*page);
  group.pages = moved;
  const uint64_t count = segment->rows() - dead.count();
  if (count == 0) return count;
  std::string mask;
  dead.Serialize(mask);
  auto txn = manager_.Begin({}, 0);
  AppendSegment(RedoOp::kFreeze, table.storage(), segment->file_id(), mask, txn->redo());
  Switch hook(table, group, std::move(segment), std::move(dead), moved);
  ThreadWaiter waiter;
  const Status committed = manager_.Commit(*txn, waiter, &hook);
  if (!hook.switched()) {
    for (size_t i = 0; i < group.rows.size(); ++i) reopen(i);
    return committed;
  }
  group.switched = true;
  if (!committed.ok()) return committed;
  MutexLock lock(mu_);
  moved_.push_back({hook.published(), table.shared_from_this(), std::move(moved)});
  return count;
}

Result<uint64_t> Freezer::WriteAndCommit(RelationImpl& relation, Group& group) {
  OMEN_ASSIGN(ReservedFile file, files_.Reserve());
  OMEN_ASSIGN(auto segment, Write(relation, group, file.id()));
  Result<uint64_t> moved = Commit(relation.storage(), group, std::move(segment));
  // When the log has failed nobody knows what is in it.
  if (group.switched || !manager_.health().ok()) file.Keep();
  return moved;
}

Result<uint64_t> Freezer::FreezeGroup(RelationImpl& relation, Group& group) {
  Result<uint64_t> moved = WriteAndCommit(relation, group);
  if (!group.switched) {
    for (Page* page : group.pages) relation.storage().store().ReturnPage(*page);
  }
  return moved;
}

Result<uint64_t> Freezer::FreezePages(RelationImpl& relation, const FreezeSelection& selection,
                                      CancelFlag* cancel) {
  Table& table = relation.storage();
  uint64_t rows = 0;
  for (uint64_t page_number = 1;;) {
    if (cancel != nullptr && cancel->set()) return cancel->ToStatus();
    Group group;
    Take(table, &page_number, selection, group);
    if (group.rows.size() < std::max<size_t>(selection.rows_min, 1)) {
      for (Page* page : group.pages) table.store().ReturnPage(*page);
      break;
    }
    OMEN_ASSIGN(const uint64_t moved, FreezeGroup(relation, group));
    rows += moved;
  }
  FreePages();
  return rows;
}

Result<FreezeResult> Freezer::Freeze(const std::shared_ptr<RelationImpl>& relation,
                                     const FreezeSelection& selection, CancelFlag* cancel) {
  Table& table = relation->storage();
  FreezeResult result;
  if (!table.logged()) return result;
  MutexLock lock(table.freeze_mu());
  for (bool paused = true; paused;) {
    FreezeSelection settled = selection;
    settled.settled_by = std::min(settled.settled_by, SeenByAll());
    OMEN_ASSIGN(const uint64_t frozen, FreezePages(*relation, settled, cancel));
    paused = false;
    OMEN_ASSIGN(const FreezeResult compacted, compactor_.Compact(*relation, RulesOf(settled), [&] {
      paused = settled.pause && settled.pause();
      return paused || (cancel != nullptr && cancel->set()) || (settled.stop && settled.stop());
    }));
    if (cancel != nullptr && cancel->set()) return cancel->ToStatus();
    result.rows_moved += frozen + compacted.rows_moved;
    result.lacks_memory = compacted.lacks_memory;
    if (frozen == 0) break;
  }
  HollowDead(table);
  return result;
}

size_t Freezer::HollowSegments(Table& table) {
  if (!table.freeze_mu().TryLock()) return 0;
  const size_t count = HollowDead(table);
  table.freeze_mu().Unlock();
  return count;
}

// Who thaws a segment must not lose it.
size_t Freezer::HollowDead(Table& table) {
  const std::vector<uint64_t> dead = table.frozen().NewlyDead();
  if (!dead.empty()) {
    const Result<Timestamp> now = TakeTimestamp();
    if (now.ok()) table.frozen().NoteDead(dead, *now);
  }
  uint64_t oldest = UINT64_MAX;
  for (const uint64_t pin : manager_.txns().Pinned()) oldest = std::min(oldest, pin);
  const std::shared_ptr<const Indexes> indexes = table.indexes();
  return table.frozen().HollowDead(oldest, [&](uint64_t number, const FrozenSegment& segment) {
    return std::any_of(indexes->begin(), indexes->end(), [&](const auto& index) {
      return index->packed().Has(number) || index->frozen_keys().Has(segment) ||
             index->runs().Has(number);
    });
  });
}

// A commit of nothing takes one, so that there is an "after" when nobody writes.
Result<Timestamp> Freezer::TakeTimestamp() {
  class Nothing final : public txn::CommitHook {
   public:
    Result<std::string> Prepare() override { return std::string(); }
    void OnLogged() override {}
    void OnPublished(Timestamp ts) override { published = ts; }
    Timestamp published;
  } hook;
  OMEN_TRY(manager_.health());
  auto txn = manager_.Begin({}, 0);
  ThreadWaiter waiter;
  OMEN_TRY(manager_.Commit(*txn, waiter, &hook));
  return hook.published;
}

// Scans that began before may be looking at the pages.
Status Freezer::DropEmptyPages(Table& table) {
  OMEN_TRY(manager_.health());
  std::vector<Page*> pages = table.store().DropEmptyPages();
  if (pages.empty()) return Status::Ok();
  const Result<Timestamp> now = TakeTimestamp();
  MutexLock lock(mu_);
  // Until there is one, for ever.
  const Timestamp ts = now.ok() ? *now : Timestamp(UINT64_MAX);
  moved_.push_back({ts, table.shared_from_this(), std::move(pages)});
  return now.status();
}

size_t Freezer::FreePages() {
  const uint64_t seen_by_all = SeenByAll();
  std::vector<Moved> ready;
  {
    MutexLock lock(mu_);
    const auto first = std::partition(moved_.begin(), moved_.end(), [&](const Moved& moved) {
      return moved.ts.value() > seen_by_all;
    });
    ready.assign(std::make_move_iterator(first), std::make_move_iterator(moved_.end()));
    moved_.erase(first, moved_.end());
  }
  size_t pages = 0;
  for (const Moved& moved : ready) {
    for (Page* page : moved.pages) moved.table->RetirePage(*page);
    pages += moved.pages.size();
  }
  return pages;
}

}  // namespace omendb::engine
