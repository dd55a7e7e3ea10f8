// memory_account.h - how much memory the rows take, against the budget they share.
//
// Thread safety  Any thread. The count is exact, the limit is checked before a write and may be
//                overshot by what is written concurrently.
// Units          Bytes.
#pragma once

#include <atomic>
#include <cstdint>

namespace omendb::rowstore {

class MemoryAccount {
 public:
  explicit MemoryAccount(uint64_t limit_bytes) : limit_(limit_bytes) {}
  void Add(uint64_t bytes) { used_.fetch_add(bytes, std::memory_order_relaxed); }
  void Remove(uint64_t bytes) { used_.fetch_sub(bytes, std::memory_order_relaxed); }
  // Memory that is measured from time to time and not counted here: indexes.
  void SetOther(uint64_t bytes) { other_.store(bytes, std::memory_order_relaxed); }
  uint64_t used() const { return used_.load(std::memory_order_relaxed); }
  uint64_t used_with_other() const { return used() + other_.load(std::memory_order_relaxed); }
  bool exhausted() const { return used_with_other() >= limit_; }
  uint64_t limit() const { return limit_; }

 private:
  std::atomic<uint64_t> used_{0};
  std::atomic<uint64_t> other_{0};
  const uint64_t limit_;
};

}  // namespace omendb::rowstore
