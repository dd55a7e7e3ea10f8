// masked_deletes.h - which rows of segments a transaction deletes or replaces where they lie, and
// the masks that take them.
//
// The first few rows that a command deletes of segments it thaws, as a point delete is better off
// with a copy than with a mask; those that follow it adds to masks. A mask takes rows of one
// command, and none from before and behind a mark that may be gone back to, so that it is undone as
// a whole.
//
// Thread safety  As the transaction: one thread at a time.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <tuple>
#include <utility>

#include "engine/delete_mask.h"
#include "txn/transaction_impl.h"

namespace omendb::engine {

class FrozenTable;

class MaskedDeletes {
 public:
  // Rows that a command thaws; less in tests.
  static constexpr uint64_t kThawedMax = 1024;
  static std::atomic<uint64_t> thawed_max;

  // Of a transaction that deletes a row of a segment, one after the other.
  static bool IsOneOfMany(txn::TransactionImpl& txn) {
    return txn.CountInCommand() > thawed_max.load(std::memory_order_relaxed);
  }
  // The mask for what the transaction deletes or `replaces` now; null: there is none yet.
  DeleteMask* Find(const txn::TransactionImpl& txn, const FrozenTable& table, uint64_t segment,
                   bool replaces) {
    Begin(txn);
    const auto found = masks_.find({&table, segment, replaces});
    // Undone: it has infinity.
    const bool open = found != masks_.end() && found->second->end == word_;
    return open ? found->second.get() : nullptr;
  }
  // For what Find was asked last.
  DeleteMask* Add(const FrozenTable& table, uint64_t segment, std::shared_ptr<DeleteMask> mask) {
    const bool replaces = mask->replacement() != nullptr;
    return (masks_[{&table, segment, replaces}] = std::move(mask)).get();
  }
  // What the transaction replaces now.
  const std::shared_ptr<Replacement>& ReplacementOf(const txn::TransactionImpl& txn,
                                                    const FrozenTable& table) {
    Begin(txn);
    std::shared_ptr<Replacement>& replacement = replacements_[&table];
    if (replacement == nullptr) replacement = std::make_shared<Replacement>();
    return replacement;
  }

 private:
  void Begin(const txn::TransactionImpl& txn) {
    if (word_ == txn.word() && marked_ == txn.marked()) return;
    masks_.clear();
    replacements_.clear();
    word_ = txn.word();
    marked_ = txn.marked();
  }

  uint64_t word_ = 0;
  uint64_t marked_ = 0;
  std::map<std::tuple<const FrozenTable*, uint64_t, bool>, std::shared_ptr<DeleteMask>> masks_;
  std::map<const FrozenTable*, std::shared_ptr<Replacement>> replacements_;
};

}  // namespace omendb::engine
