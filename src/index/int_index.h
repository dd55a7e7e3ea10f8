// int_index.h - the updatable learned index over unique 64-bit keys.
//
// Keys order as unsigned integers; types/key_encoding.h maps signed integers, floats, dates and
// timestamps onto them so that the order is kept.
//
// Thread safety  Everything but BulkLoad, construction and destruction may be called from any
//                number of threads at once. Each call is atomic (linearizable) by itself; cursors
//                are not:
//                see IntCursor. Readers write no shared line; a writer locks one leaf, and the
//                structure for the rare moments when leaves are split or joined.
// Ownership      Borrows the EpochManager, which must outlive the index. An operation enters a
//                guard itself; a caller that already holds one pays nothing more.
// Errors         None but bad input of BulkLoad (a Status that says what and where).
// See            docs/learned-index.md.
#pragma once

#include <memory>
#include <optional>
#include <span>

#include "base/epoch.h"
#include "base/status.h"
#include "index/index_types.h"

namespace omendb::index {

class IntIndex {
 public:
  explicit IntIndex(EpochManager& epochs, IndexOptions options = {});
  ~IntIndex();
  IntIndex(const IntIndex&) = delete;
  IntIndex& operator=(const IntIndex&) = delete;

  // --- One key ---
  // True and *value set when there; *value is anything when not.
  bool Find(uint64_t key, uint64_t* value) const;
  // The same, put together in the caller: GCC 12 returns an optional of a word by way of a byte
  // written and a word read back, which stalls every lookup.
  std::optional<uint64_t> Lookup(uint64_t key) const {
    uint64_t value = 0;
    if (!Find(key, &value)) return std::nullopt;
    return value;
  }
  // Inserts if absent. Returns the value already there, which stays; nullopt when inserted.
  std::optional<uint64_t> Insert(uint64_t key, uint64_t value) {
    uint64_t existing = 0;
    if (!Put(key, value, /*replace=*/false, &existing)) return std::nullopt;
    return existing;
  }
  // Inserts or replaces. Returns the value replaced.
  std::optional<uint64_t> Upsert(uint64_t key, uint64_t value) {
    uint64_t existing = 0;
    if (!Put(key, value, /*replace=*/true, &existing)) return std::nullopt;
    return existing;
  }
  // Replaces if present. Returns the value replaced, nullopt when the key is absent.
  std::optional<uint64_t> Update(uint64_t key, uint64_t value);
  // Replaces `expected` by `desired`; false when the key is absent or maps to something else.
  bool CompareExchange(uint64_t key, uint64_t expected, uint64_t desired);
  // Removes. Returns the value removed.
  std::optional<uint64_t> Erase(uint64_t key);
  // Removes if the key maps to `expected`.
  bool EraseIf(uint64_t key, uint64_t expected);

  // --- Many keys ---
  // values[i] and found[i] for keys[i]; values[i] is untouched where not found. The misses of many
  // keys overlap. Requires: three spans of one size. Returns how many were found.
  size_t LookupBatch(std::span<const uint64_t> keys, std::span<uint64_t> values,
                     std::span<bool> found) const;
  // Fills an empty index from strictly ascending entries. 22023 on unsorted or repeated keys and
  // 55000 when not empty; the index stays as it was. Not concurrent with other calls.
  Status BulkLoad(std::span<const Entry> entries);

  // --- The whole ---
  size_t Size() const;
  // An estimate of the number of keys in [low, high], exact for small ranges. Costs two descents.
  size_t CountRange(uint64_t low, uint64_t high) const;
  // Keys, values and structure, all that is allocated for the index.
  size_t MemoryBytes() const;
  IndexStats Stats() const;
  // One step of self-tuning, as the process's own thread makes them; for tests. False: there was
  // nothing to learn from since the last one.
  bool Tune();
  // Checks every structural invariant; for tests, not concurrent with writers.
  Status Validate() const;

 private:
  // Insert or Upsert; true and *existing set if the key was there. See Lookup.
  bool Put(uint64_t key, uint64_t value, bool replace, uint64_t* existing);

  friend class IntCursor;
  class Impl;
  std::unique_ptr<Impl> impl_;
};

// Self-tuning of all indexes of the process (docs/learned-index.md). Off at first; switched off,
// what was changed stays.
void SetIndexTuning(bool enabled);

// Ordered scan, forward or backward, from any bound. Next copies a batch out; between calls the
// cursor holds no lock and no guard, only a position (a key), so it may live across waits and
// survives any change of the index.
//
// Each batch is read leaf by leaf, each leaf at one moment; keys come strictly in order, every key
// that was there from before Seek until it was passed is seen, and none twice.
//
// Thread safety  One thread at a time.
class IntCursor {
 public:
  // Borrows `index`. Positioned before the first key.
  explicit IntCursor(const IntIndex& index) : index_(&index) {}

  // The next batch starts with the smallest key >= `low` and goes up.
  void SeekForward(uint64_t low) { Seek(Direction::kForward, low); }
  // The next batch starts with the greatest key <= `high` and goes down.
  void SeekBackward(uint64_t high) { Seek(Direction::kBackward, high); }
  // Copies up to out.size() entries; 0 at the end (and from then on).
  size_t Next(std::span<Entry> out);

 private:
  void Seek(Direction direction, uint64_t bound) {
    direction_ = direction;
    bound_ = bound;
    done_ = false;
  }
  const IntIndex* index_;
  Direction direction_ = Direction::kForward;
  uint64_t bound_ = 0;
  bool done_ = false;
};

}  // namespace omendb::index
