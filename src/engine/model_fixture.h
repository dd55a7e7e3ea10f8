// model_fixture.h - random operations of several transactions on table "t" of engine_fixture.h,
// whose key has a shape of key_shapes.h, and the model that says what each must see.
#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <random>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "engine/bulk_load.h"
#include "engine/bulk_update.h"
#include "engine/engine_fixture.h"
#include "engine/key_shapes.h"
#include "engine/masked_deletes.h"

namespace omendb::engine {

using Pairs = std::map<int32_t, int32_t>;

inline constexpr ColumnId kValueColumn[] = {ColumnId(2)};
// All but the text.
inline constexpr ColumnId kKeyColumns[] = {ColumnId(1), ColumnId(2), ColumnId(4), ColumnId(5),
                                           ColumnId(6)};
inline constexpr int32_t kModelKeys = 60;

// One open transaction and what it must see: the committed rows of its snapshot with its own
// changes.
struct Open {
  std::unique_ptr<txn::Transaction> txn;
  Pairs sees;
  std::set<int32_t> written;
  std::vector<std::tuple<uint64_t, Pairs, std::set<int32_t>>> savepoints;
};

class Model {
 public:
  // With `freezing`, rows are moved to segments in between, loaded into them, and deleted and
  // replaced there.
  Model(Engine& engine, const KeyShape& shape, uint64_t seed, bool freezing = false)
      : e_(engine), random_(seed), freezing_(freezing), rows_(shape) {}
  ~Model() { MaskedDeletes::thawed_max = MaskedDeletes::kThawedMax; }

  void Step() {
    // Of the frozen rows that a statement deletes all are deleted where they lie, all but one, or
    // none.
    const uint64_t thawed_max[] = {0, 1, MaskedDeletes::kThawedMax};
    if (freezing_) MaskedDeletes::thawed_max = thawed_max[random_() % 3];
    if (freezing_ && random_() % 20 == 0) return Freeze();
    if (freezing_ && random_() % 80 == 0) return Calm();
    const uint64_t dice = random_() % 100;
    if (open_.size() < 2 || (dice < 10 && open_.size() < 5)) {
      return BeginOne();
    }
    const size_t which = random_() % open_.size();
    if (dice < 20) {
      Finish(which, dice < 16);
    } else if (dice < 30) {
      Check(open_[which]);
    } else if (dice < 35) {
      Savepoint(open_[which]);
    } else if (freezing_ && dice < 41) {
      Load(open_[which]);
    } else if (freezing_ && dice < 46) {
      DeleteSome(open_[which]);
    } else if (freezing_ && dice < 51) {
      UpdateSome(open_[which]);
    } else if (dice < 56) {
      MoveSome(open_[which]);
    } else {
      Change(open_[which]);
    }
  }
  void FinishAll() {
    while (!open_.empty()) Finish(0, true);
  }
  const Pairs& committed() const { return committed_; }

  uint64_t frozen() const { return frozen_; }
  uint64_t loaded() const { return loaded_; }
  uint64_t deleted() const { return deleted_; }
  uint64_t updated() const { return updated_; }
  uint64_t moved() const { return moved_; }

 private:
  // Garbage keeps pages from settling. Transactions begun now see what is then frozen, and use the
  // versions in pages on.
  void Calm() {
    FinishAll();
    for (uint64_t begun = random_() % 3; begun > 0; --begun) BeginOne();
    const uint64_t before = frozen_;
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(100);
    while (frozen_ == before && std::chrono::steady_clock::now() < deadline) Freeze();
  }
  void BeginOne() {
    Open fresh;
    fresh.txn = e_.Begin(txn::IsolationLevel::kRepeatableRead);
    fresh.txn->BeginStatement();
    fresh.sees = committed_;
    open_.push_back(std::move(fresh));
  }

  void Freeze() {
    const auto moved = e_.Freeze("t", /*in_order=*/random_() % 2 == 0);
    ASSERT_TRUE(moved.ok()) << moved.status().ToString();
    frozen_ += *moved;
  }

  void Savepoint(Open& open) {
    if (open.savepoints.empty() || random_() % 2 == 0) {
      open.savepoints.emplace_back(open.txn->Mark(), open.sees, open.written);
      return;
    }
    open.txn->RollbackTo(std::get<0>(open.savepoints.back()));
    open.sees = std::get<1>(open.savepoints.back());
    // Row conflicts with what was undone are gone too, as the model's are.
    open.written = std::get<2>(open.savepoints.back());
    open.savepoints.pop_back();
  }

  // Whether someone else's uncommitted or later commit stands in the way of writing this key.
  bool Conflicts(const Open& open, int32_t key) {
    for (const Open& other : open_) {
      if (&other != &open && other.written.contains(key)) return true;
    }
    return false;
  }

  // Some rows straight to segments, of two rows each.
  void Load(Open& open) {
    std::map<int32_t, int32_t> rows;
    bool taken = false;
    for (uint64_t count = 1 + random_() % 6; count > 0; --count) {
      const int32_t key = static_cast<int32_t>(random_() % kModelKeys);
      if (Conflicts(open, key) || rows.contains(key)) continue;
      // Rarely a key that is there: it fails.
      const bool own = open.written.contains(key);
      const bool is_there = own ? open.sees.contains(key) : committed_.contains(key);
      if (is_there && random_() % 50 != 0) continue;
      // Deleted since the snapshot: its key is free, but the row would still be seen.
      if (!is_there && open.sees.contains(key)) continue;
      taken = taken || is_there;
      rows[key] = static_cast<int32_t>(random_() % 1000);
    }
    StatementContext context = e_.Statement(*open.txn);
    const uint64_t mark = open.txn->Mark();
    BulkLoad load(context, e_.Open(context), {.rows_min = 1, .rest_min = 1, .segment_rows = 2});
    Status loaded;
    for (auto it = rows.rbegin(); it != rows.rend() && loaded.ok(); ++it) {
      const std::string text = "text of row " + std::to_string(it->second);
      loaded = load.AppendRow(rows_.RowOf(it->first, it->second, text));
    }
    if (loaded.ok()) loaded = load.Finish();
    ASSERT_EQ(loaded.ok(), !taken) << loaded.ToString();
    if (taken) {
      ASSERT_EQ(loaded.sqlstate(), "23505");
      open.txn->RollbackTo(mark);
      return;
    }
    for (const auto& [key, v] : rows) {
      open.sees[key] = v;
      open.written.insert(key);
    }
    loaded_ += rows.size();
  }

  void Change(Open& open) {
    const int32_t key = static_cast<int32_t>(random_() % 40);
    if (Conflicts(open, key)) return;  // It would wait, and the test has one thread.
    StatementContext context = e_.Statement(*open.txn);
    auto relation = e_.Open(context);
    const std::optional<RowRef> found = rows_.Find(context, *relation, key);
    ASSERT_EQ(found.has_value(), open.sees.contains(key)) << "key " << key;
    const uint64_t mark = open.txn->Mark();
    const int32_t v = static_cast<int32_t>(random_() % 1000);
    const std::string text = "text of row " + std::to_string(v);
    const types::Row row = rows_.RowOf(key, v, text);
    if (!found.has_value()) {
      auto inserted = relation->Insert(context, row);
      if (!inserted.ok()) {
        // Committed by someone else since the snapshot.
        ASSERT_EQ(inserted.status().sqlstate(), "23505");
        ASSERT_TRUE(committed_.contains(key));
        open.txn->RollbackTo(mark);
        return;
      }
      open.sees[key] = v;
    } else {
      types::Value seen;
      EXPECT_TRUE(relation->Read(*found, kValueColumn, e_.arena, &seen).ok());
      ASSERT_EQ(seen.i32, open.sees[key]);
      const bool remove = random_() % 3 == 0;
      auto result =
          remove ? relation->Delete(context, *found) : relation->Update(context, *found, row);
      if (!result.ok()) {
        ASSERT_EQ(result.status().sqlstate(), "40001");
        open.txn->RollbackTo(mark);
        return;
      }
      ASSERT_EQ(result->outcome, RowOutcome::kDone);
      if (remove) {
        open.sees.erase(key);
      } else {
        open.sees[key] = v;
      }
    }
    open.written.insert(key);
  }

  // Each third or so of the rows, by one statement.
  void DeleteSome(Open& open) {
    StatementContext context = e_.Statement(*open.txn);
    auto relation = e_.Open(context);
    const uint64_t mark = open.txn->Mark();
    std::set<int32_t> deleted;
    for (const auto& [key, v] : open.sees) {
      if (random_() % 3 != 0 || Conflicts(open, key)) continue;
      const std::optional<RowRef> found = rows_.Find(context, *relation, key);
      ASSERT_TRUE(found.has_value()) << "key " << key;
      auto result = relation->Delete(context, *found);
      if (!result.ok()) {
        ASSERT_EQ(result.status().sqlstate(), "40001");
        open.txn->RollbackTo(mark);
        return;
      }
      ASSERT_EQ(result->outcome, RowOutcome::kDone);
      // A second time in the same statement.
      result = relation->Delete(context, *found);
      ASSERT_TRUE(result.ok());
      ASSERT_EQ(result->outcome, RowOutcome::kGone);
      deleted.insert(key);
    }
    for (const int32_t key : deleted) {
      open.sees.erase(key);
      open.written.insert(key);
    }
    deleted_ += deleted.size();
  }

  // Each third or so of the rows, by one statement that leaves the texts: where no index has the
  // values, those in segments are replaced there, eight in each new one. Or too few for that.
  void UpdateSome(Open& open) {
    StatementContext context = e_.Statement(*open.txn);
    auto relation = e_.Open(context);
    const uint64_t mark = open.txn->Mark();
    const uint32_t rows_min = random_() % 4 == 0 ? 1000 : 1;
    BulkUpdate updates(context, relation, kValueColumn,
                       {.rows_min = rows_min, .rest_min = 1, .segment_rows = 8});
    Pairs updated;
    Result<RowOutcome> done = RowOutcome::kDone;
    for (const auto& [key, v] : open.sees) {
      if (random_() % 3 != 0 || Conflicts(open, key)) continue;
      const std::optional<RowRef> found = rows_.Find(context, *relation, key);
      ASSERT_TRUE(found.has_value()) << "key " << key;
      const ColumnId columns[] = {ColumnId(2), ColumnId(3)};
      types::Value read[2];
      ASSERT_TRUE(relation->Read(*found, columns, e_.arena, read).ok());
      ASSERT_EQ(read[0].i32, v);
      updated[key] = static_cast<int32_t>(random_() % 1000);
      const auto result = updates.Update(*found, rows_.RowOf(key, updated[key], read[1].str()));
      if (result.ok()) {
        done = result->outcome;
      } else {
        done = result.status();
      }
      if (!done.ok()) break;
      ASSERT_EQ(*done, RowOutcome::kDone);
    }
    if (done.ok()) done = updates.Finish();
    if (!done.ok() || random_() % 8 == 0) {
      if (!done.ok()) {
        ASSERT_EQ(done.status().sqlstate(), "40001");
      }
      open.txn->RollbackTo(mark);
      return;
    }
    ASSERT_EQ(*done, RowOutcome::kDone);
    for (const auto& [key, v] : updated) {
      open.sees[key] = v;
      open.written.insert(key);
    }
    updated_ += updated.size();
  }

  // Some rows get keys that nobody has or had, by one statement, of many rows or of one.
  void MoveSome(Open& open) {
    StatementContext context = e_.Statement(*open.txn);
    auto relation = e_.Open(context);
    const uint64_t mark = open.txn->Mark();
    const uint32_t rows_min = random_() % 4 == 0 ? 1000 : 1;
    BulkUpdate updates(context, relation, kKeyColumns,
                       {.rows_min = rows_min, .rest_min = 1, .segment_rows = 8});
    std::map<int32_t, int32_t> moved;  // keys by the new ones
    Result<RowOutcome> done = RowOutcome::kDone;
    for (const auto& [key, v] : open.sees) {
      const auto to = static_cast<int32_t>(random_() % kModelKeys);
      if (random_() % 6 != 0 || Conflicts(open, key) || Conflicts(open, to)) continue;
      if (open.sees.contains(to) || committed_.contains(to) || moved.contains(to)) continue;
      const std::optional<RowRef> found = rows_.Find(context, *relation, key);
      ASSERT_TRUE(found.has_value()) << "key " << key;
      const std::string text = "moved from " + std::to_string(key);
      const auto result = updates.Update(*found, rows_.RowOf(to, v, text));
      done = result.ok() ? Result<RowOutcome>(result->outcome) : result.status();
      if (!done.ok()) break;
      ASSERT_EQ(*done, RowOutcome::kDone);
      moved[to] = key;
    }
    if (done.ok()) done = updates.Finish();
    if (!done.ok() || random_() % 8 == 0) {
      if (!done.ok()) {
        ASSERT_EQ(done.status().sqlstate(), "40001") << done.status().ToString();
      }
      open.txn->RollbackTo(mark);
      return;
    }
    ASSERT_EQ(*done, RowOutcome::kDone);
    for (const auto& [to, key] : moved) {
      const auto row = open.sees.extract(key);
      open.sees[to] = row.mapped();
      open.written.insert({key, to});
    }
    moved_ += moved.size();
  }

  void Check(Open& open) {
    StatementContext context = e_.Statement(*open.txn);
    auto relation = e_.Open(context);
    ASSERT_EQ(ScanPairs(context, *relation), open.sees);
    // The same through both indexes.
    for (const catalog::IndexDef& index : relation->table().indexes) {
      Pairs rows;
      int32_t last = INT32_MIN;
      const bool by_id = index.keys[0].column == ColumnId(1) && !index.keys[0].descending;
      const Status scanned =
          relation->ScanIndex(context, index.oid, {}, [&](RowRef row) -> Result<bool> {
            const ColumnId columns[] = {ColumnId(1), ColumnId(2)};
            types::Value values[2];
            EXPECT_TRUE(relation->Read(row, columns, e_.arena, values).ok());
            rows[values[0].i32] = values[1].i32;
            if (!by_id && index.keys[0].column != ColumnId(2)) return true;
            const int32_t order = by_id ? values[0].i32 : values[1].i32;
            EXPECT_LE(last, order);
            last = order;
            return true;
          });
      ASSERT_TRUE(scanned.ok());
      ASSERT_EQ(rows, open.sees) << index.name;
    }
  }

  void Finish(size_t which, bool commit) {
    Open open = std::move(open_[which]);
    open_.erase(open_.begin() + static_cast<ptrdiff_t>(which));
    if (!commit) {
      e_.db->Abort(*open.txn);
      return;
    }
    ASSERT_TRUE(e_.Commit(*open.txn).ok());
    for (const int32_t key : open.written) {
      const auto it = open.sees.find(key);
      if (it == open.sees.end()) {
        committed_.erase(key);
      } else {
        committed_[key] = it->second;
      }
    }
  }

  Engine& e_;
  std::mt19937_64 random_;
  const bool freezing_;
  ShapedRows rows_;
  uint64_t frozen_ = 0;
  uint64_t loaded_ = 0;
  uint64_t deleted_ = 0;
  uint64_t updated_ = 0;
  uint64_t moved_ = 0;
  Pairs committed_;
  std::vector<Open> open_;
};

}  // namespace omendb::engine
