#include "engine/index_runs.h"

#include <algorithm>

namespace omendb::engine {

using colstore::IndexRun;

IndexRuns::~IndexRuns() { delete list_.load(std::memory_order_relaxed); }

std::shared_ptr<const IndexRun> IndexRuns::Get(uint64_t segment) const {
  EpochGuard guard(epochs_);
  const Runs* runs = list_.load(std::memory_order_acquire);
  if (runs == nullptr) return nullptr;
  const auto found = std::find_if(runs->begin(), runs->end(),
                                  [&](const Listed& listed) { return listed.segment == segment; });
  return found != runs->end() ? found->run : nullptr;
}

std::vector<IndexRuns::Listed> IndexRuns::all() const {
  EpochGuard guard(epochs_);
  const Runs* runs = list_.load(std::memory_order_acquire);
  return runs != nullptr ? *runs : Runs();
}

Status IndexRuns::Find(std::string_view key, std::vector<RowId>& rows) const {
  EpochGuard guard(epochs_);
  const Runs* runs = list_.load(std::memory_order_acquire);
  if (runs == nullptr) return Status::Ok();
  const uint64_t hash = IndexRun::HashOf(key);
  for (const Listed& listed : *runs) {
    if (key < colstore::KeyOfEntry(listed.run->min_entry())) break;
    OMEN_TRY(listed.run->Find(key, hash, rows));
  }
  return Status::Ok();
}

std::vector<std::shared_ptr<const IndexRun>> IndexRuns::Overlapping(std::string_view low,
                                                                    std::string_view high,
                                                                    bool one_key) const {
  std::vector<std::shared_ptr<const IndexRun>> found;
  EpochGuard guard(epochs_);
  const Runs* runs = list_.load(std::memory_order_acquire);
  if (runs == nullptr) return found;
  const uint64_t hash = one_key ? IndexRun::HashOf(low) : 0;
  for (const Listed& listed : *runs) {
    const IndexRun& run = *listed.run;
    if (!high.empty() && run.min_entry() >= high) break;
    if (run.max_entry() < low || (one_key && !run.MayHave(low, hash))) continue;
    found.push_back(listed.run);
  }
  return found;
}

uint64_t IndexRuns::Estimate(std::string_view low, std::string_view high, bool one_key) const {
  uint64_t entries = 0;
  for (const auto& run : Overlapping(low, high, one_key)) {
    // Damage is for who reads the entries to tell.
    const Result<uint64_t> count = run->CountRange(low, high);
    entries += count.ok() ? *count : run->size();
  }
  return entries;
}

size_t IndexRuns::memory_bytes() const {
  size_t bytes = 0;
  for (const Listed& listed : all()) bytes += listed.run->memory_bytes();
  return bytes;
}

void IndexRuns::List(std::vector<Listed> runs) {
  const Runs* old = list_.load(std::memory_order_relaxed);
  if (old != nullptr) {
    for (const Listed& listed : *old) {
      const bool again = std::any_of(runs.begin(), runs.end(), [&](const Listed& run) {
        return run.segment == listed.segment;
      });
      if (!again) runs.push_back(listed);
    }
  }
  std::stable_sort(runs.begin(), runs.end(), [](const Listed& a, const Listed& b) {
    return a.run->min_entry() < b.run->min_entry();
  });
  Replace(std::move(runs));
}

void IndexRuns::Unlist(std::span<const uint64_t> segments) {
  Runs next = *list_.load(std::memory_order_relaxed);
  std::erase_if(next, [&](const Listed& listed) {
    return std::find(segments.begin(), segments.end(), listed.segment) != segments.end();
  });
  Replace(std::move(next));
}

void IndexRuns::Replace(Runs next) {
  const Runs* old = list_.load(std::memory_order_relaxed);
  list_.store(new Runs(std::move(next)), std::memory_order_release);
  if (old != nullptr) epochs_.RetireObject(const_cast<Runs*>(old));
  moves_.fetch_add(1, std::memory_order_seq_cst);
}

bool IndexRuns::IsWritten(uint64_t file_id) const {
  MutexLock lock(mu_);
  return written_.contains(file_id);
}

void IndexRuns::SetWritten(uint64_t file_id, bool written) {
  MutexLock lock(mu_);
  if (written) {
    written_.insert(file_id);
  } else {
    written_.erase(file_id);
  }
}

}  // namespace omendb::engine
