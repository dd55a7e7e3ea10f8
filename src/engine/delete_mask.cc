#include "engine/delete_mask.h"

#include <utility>

#include "base/check.h"

namespace omendb::engine {

DeleteMask::DeleteMask(uint32_t rows, uint64_t word, std::shared_ptr<Replacement> replacement)
    : txn::SharedEnd(word),
      rows_(rows),
      replacement_(std::move(replacement)),
      chunks_((rows + kChunkRows - 1) / kChunkRows),
      memory_bytes_(sizeof(*this) + chunks_.size() * sizeof(chunks_[0])) {}

DeleteMask::~DeleteMask() {
  for (const std::atomic<Chunk*>& chunk : chunks_) delete chunk.load(std::memory_order_relaxed);
}

void DeleteMask::Add(uint32_t row) {
  std::atomic<Chunk*>& entry = chunks_[row / kChunkRows];
  Chunk* chunk = entry.load(std::memory_order_relaxed);
  if (chunk == nullptr) {
    chunk = new Chunk();
    entry.store(chunk, std::memory_order_seq_cst);
    memory_bytes_.fetch_add(sizeof(Chunk), std::memory_order_relaxed);
  }
  const uint64_t before =
      chunk->words[row % kChunkRows / 64].fetch_or(BitOf(row), std::memory_order_seq_cst);
  OMEN_CHECK((before & BitOf(row)) == 0);
  count_.fetch_add(1, std::memory_order_acq_rel);
}

void DeleteMask::Remove(uint32_t row) {
  Chunk* const chunk = chunks_[row / kChunkRows].load(std::memory_order_relaxed);
  const uint64_t before =
      chunk->words[row % kChunkRows / 64].fetch_and(~BitOf(row), std::memory_order_seq_cst);
  OMEN_CHECK((before & BitOf(row)) != 0);
  count_.fetch_sub(1, std::memory_order_acq_rel);
}

void DeleteMask::AddTo(DeadRows& dead) const {
  for (size_t c = 0; c < chunks_.size(); ++c) {
    const Chunk* const chunk = chunks_[c].load(std::memory_order_acquire);
    if (chunk == nullptr) continue;
    for (size_t w = 0; w < kChunkRows / 64; ++w) {
      const uint64_t bits = chunk->words[w].load(std::memory_order_acquire);
      if (bits != 0) dead.AddWord(c * (kChunkRows / 64) + w, bits);
    }
  }
}

void DeleteMask::Serialize(std::string& out) const {
  std::string runs;
  ByteWriter writer(runs);
  uint64_t runs_count = 0;
  uint32_t run_end = 0;  // of the last one
  for (uint32_t row = 0; row < rows_;) {
    if (!Has(row)) {
      row += chunks_[row / kChunkRows].load(std::memory_order_acquire) == nullptr
                 ? kChunkRows - row % kChunkRows
                 : 1;
      continue;
    }
    const uint32_t first = row;
    while (row < rows_ && Has(row)) ++row;
    writer.PutVarint(first - run_end);
    writer.PutVarint(row - first);
    run_end = row;
    ++runs_count;
  }
  ByteWriter(out).PutVarint(runs_count);
  out.append(runs);
}

bool DeleteMask::Parse(uint32_t rows, ByteReader& in,
                       const std::function<void(uint32_t first, uint32_t count)>& visit) {
  uint64_t run_end = 0;
  for (uint64_t runs = in.GetVarint(); runs > 0; --runs) {
    const uint64_t skipped = in.GetVarint();
    const uint64_t count = in.GetVarint();
    if (in.failed() || skipped > rows || count == 0 || count > rows) return false;
    const uint64_t first = run_end + skipped;
    run_end = first + count;
    if (run_end > rows) return false;
    visit(static_cast<uint32_t>(first), static_cast<uint32_t>(count));
  }
  return !in.failed();
}

}  // namespace omendb::engine
