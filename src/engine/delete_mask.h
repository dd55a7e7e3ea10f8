// delete_mask.h - rows of one segment that one command deleted, or replaced, where they lie: they
// share one end, a word like a version's (mvcc/snapshot.h).
//
// A row of a segment is in one mask at most whose end is not infinity. Once every snapshot sees the
// end the rows are dead in the set of segments, and the mask goes (frozen_table.h).
//
// Thread safety  Add, Remove: one thread at a time (FrozenTable's mutex). All else: any thread.
//                Has is sequentially consistent: who sets a row's lock flag and then asks for its
//                end, and who adds it and then looks at the flag, do not both miss the other.
// Cost           256 bytes for each 2,048 rows that have one in it, and 8 bytes to find them.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "engine/dead_rows.h"
#include "engine/replacement.h"
#include "txn/undo.h"

namespace omendb::engine {

class DeleteMask final : public txn::SharedEnd {
 public:
  // `replacement`: null where rows are deleted.
  DeleteMask(uint32_t rows, uint64_t word, std::shared_ptr<Replacement> replacement = nullptr);
  ~DeleteMask();
  DeleteMask(const DeleteMask&) = delete;
  DeleteMask& operator=(const DeleteMask&) = delete;

  const std::shared_ptr<Replacement>& replacement() const { return replacement_; }
  uint32_t count() const { return count_.load(std::memory_order_acquire); }
  bool Has(uint32_t row) const {
    const Chunk* const chunk = chunks_[row / kChunkRows].load(std::memory_order_seq_cst);
    return chunk != nullptr && (WordOf(*chunk, row).load(std::memory_order_seq_cst) & BitOf(row));
  }
  void Add(uint32_t row);
  void Remove(uint32_t row);
  void AddTo(DeadRows& dead) const;
  size_t memory_bytes() const { return memory_bytes_.load(std::memory_order_relaxed); }

  // Runs of deleted rows, varint each: rows skipped, rows deleted. First how many runs.
  void Serialize(std::string& out) const;
  // Calls visit(first, count) for each run; false when the bytes are no runs of so many rows.
  static bool Parse(uint32_t rows, ByteReader& in,
                    const std::function<void(uint32_t first, uint32_t count)>& visit);

 private:
  static constexpr uint32_t kChunkRows = 2048;
  struct Chunk {
    std::atomic<uint64_t> words[kChunkRows / 64] = {};
  };
  static const std::atomic<uint64_t>& WordOf(const Chunk& chunk, uint32_t row) {
    return chunk.words[row % kChunkRows / 64];
  }
  static uint64_t BitOf(uint32_t row) { return 1ULL << (row % 64); }

  const uint32_t rows_;
  const std::shared_ptr<Replacement> replacement_;
  std::vector<std::atomic<Chunk*>> chunks_;
  std::atomic<uint32_t> count_{0};
  std::atomic<size_t> memory_bytes_;
};

// Those of one segment; a list once given never changes.
using DeleteMasks = std::vector<std::shared_ptr<DeleteMask>>;

}  // namespace omendb::engine
