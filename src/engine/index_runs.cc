#include "engine/index_runs.h"

#include <algorithm>

namespace omendb::engine {

using colstore::IndexRun;

IndexRuns::~IndexRuns() { delete list_.load(std::memory_order_relaxed); }

std::shared_ptr<const IndexRun> IndexRuns::Get(uint64_t segment) const {
  EpochGuard guard(epochs_);
  const Runs* runs = list_.load(std::memory_order_acquire);
  if (runs == nullptr) return nullptr;
  const auto found = std::find_if(runs->begin(), runs->end(), [&](const Listed& listed) {
    return std::binary_search(listed.segments.begin(), listed.segments.end(), segment);
  });
  return found != runs->end() ? found->run : nullptr;
}

bool IndexRuns::IsListed(const IndexRun& run) const {
  EpochGuard guard(epochs_);
  const Runs* runs = list_.load(std::memory_order_acquire);
  return runs != nullptr && std::any_of(runs->begin(), runs->end(), [&](const Listed& listed) {
           return listed.run.get() == &run;
         });
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
  const colstore::HashedKey hashed{key, IndexRun::HashOf(key)};
  for (const Listed& listed : *runs) {
    if (key < colstore::KeyOfEntry(listed.run->min_entry())) break;
    OMEN_TRY(listed.run->Find(hashed, rows));
  }
  return Status::Ok();
}

Status IndexRuns::FindSorted(std::span<const colstore::HashedKey> keys,
                             std::vector<Hit>& hits) const {
  for (const Listed& listed : all()) {
    IndexRun::Cursor cursor(*listed.run);
    const std::string_view min = colstore::KeyOfEntry(listed.run->min_entry());
    const std::string_view max = colstore::KeyOfEntry(listed.run->max_entry());
    const auto first = std::partition_point(
        keys.begin(), keys.end(), [&](const colstore::HashedKey& key) { return key.key < min; });
    for (auto at = first; at != keys.end() && at->key <= max; ++at) {
      OMEN_TRY(cursor.SeekKey(*at));
      while (!cursor.at_end() && colstore::KeyOfEntry(cursor.entry()) == at->key) {
        hits.push_back(
            {static_cast<uint32_t>(at - keys.begin()), colstore::RowOfEntry(cursor.entry())});
        OMEN_TRY(cursor.Next());
      }
    }
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
  const colstore::HashedKey key{low, one_key ? IndexRun::HashOf(low) : 0};
  for (const Listed& listed : *runs) {
    const IndexRun& run = *listed.run;
    if (!high.empty() && run.min_entry() >= high) break;
    if (run.max_entry() < low || (one_key && !run.MayHave(key))) continue;
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
  std::set<uint64_t> again;
  for (const Listed& listed : runs) again.insert(listed.segments.begin(), listed.segments.end());
  const Runs* old = list_.load(std::memory_order_relaxed);
  if (old != nullptr) {
    for (const Listed& listed : *old) {
      const bool replaced = std::all_of(listed.segments.begin(), listed.segments.end(),
                                        [&](uint64_t segment) { return again.contains(segment); });
      if (!replaced) runs.push_back(listed);
    }
  }
  std::stable_sort(runs.begin(), runs.end(), [](const Listed& a, const Listed& b) {
    return a.run->min_entry() < b.run->min_entry();
  });
  Replace(std::move(runs));
}

void IndexRuns::Unlist(const IndexRun& run) {
  Runs next = *list_.load(std::memory_order_relaxed);
  std::erase_if(next, [&](const Listed& listed) { return listed.run.get() == &run; });
  Replace(std::move(next));
}

void IndexRuns::Replace(Runs next) {
  const Runs* old = list_.load(std::memory_order_relaxed);
  list_.store(new Runs(std::move(next)), std::memory_order_release);
  if (old != nullptr) epochs_.RetireObject(const_cast<Runs*>(old));
  moves_.fetch_add(1, std::memory_order_seq_cst);
}

std::string IndexRuns::WrittenAt(uint64_t file_id) const {
  MutexLock lock(mu_);
  const auto found = written_.find(file_id);
  return found != written_.end() ? found->second : std::string();
}

void IndexRuns::SetWritten(uint64_t file_id, const std::string& path) {
  MutexLock lock(mu_);
  if (path.empty()) {
    written_.erase(file_id);
  } else {
    written_[file_id] = path;
  }
}

std::set<std::string> IndexRuns::files() const {
  MutexLock lock(mu_);
  std::set<std::string> paths;
  for (const auto& [file_id, path] : written_) paths.insert(path);
  return paths;
}

}  // namespace omendb::engine
