#include "engine/run_merger.h"

#include <algorithm>
#include <bit>
#include <map>

#include "colstore/index_run_writer.h"
#include "engine/deepest_overlap.h"

namespace omendb::engine {

std::atomic<size_t> RunMerger::fan_in_for_tests{0};

namespace {

constexpr size_t kFanIn = 4;
constexpr size_t kQuietFanIn = 3;
// At once, each with a block in memory.
constexpr size_t kInputsMax = 64;
// Larger ones are not merged any more, as that would take minutes.
constexpr uint64_t kMergedEntriesMax = uint64_t{1} << 27;

// Nor those of keys so wide that the list of blocks of all of them, which has the first key of
// each, could be longer than a run's may be.
constexpr uint64_t kMergedListMax = UINT32_MAX / 2 / kInputsMax;

// Tiers end at 1.5 times a power of 4: so runs of segments, of a half to all of the rows that one
// may have, are of one, and four of them of the next.
int TierOf(const colstore::IndexRun& run) {
  if (RunMerger::fan_in_for_tests.load(std::memory_order_relaxed) != 0) return 0;
  return (std::bit_width(run.size() - run.size() / 3) + 1) / 2;
}

bool MayGrow(const colstore::IndexRun& run) {
  return run.size() < kMergedEntriesMax && run.list_bytes() < kMergedListMax;
}

bool IsStale(const RunSet& set, const IndexRuns::Listed& listed) {
  if (listed.run->name().segments.size() == 1) return false;  // KeyBudget's.
  uint64_t live = 0;
  for (const uint64_t number : listed.segments) {
    const Run& run = set.runs[number];
    if (run.live_rows() > 0) live += run.segment->rows();
  }
  return 4 * live < 3 * listed.run->size();
}

// Rows of a transaction that runs may still turn out to be none.
bool IsSettled(const RunSet& set, const IndexRuns::Listed& listed) {
  return std::all_of(listed.segments.begin(), listed.segments.end(), [&](uint64_t number) {
    const FrozenSegment& segment = *set.runs[number].segment;
    return !segment.is_hollow() &&
           !mvcc::IsTxnWord(segment.begin().load(std::memory_order_acquire));
  });
}

// The most of these runs, by first entry, that have a key in common.
std::vector<IndexRuns::Listed> Deepest(const std::vector<IndexRuns::Listed>& runs) {
  std::vector<KeySpan> spans;
  for (size_t i = 0; i < runs.size(); ++i) {
    spans.push_back({i, colstore::KeyOfEntry(runs[i].run->min_entry()),
                     colstore::KeyOfEntry(runs[i].run->max_entry())});
  }
  std::vector<IndexRuns::Listed> deepest;
  for (const KeySpan& span : DeepestOverlap(spans, kInputsMax)) deepest.push_back(runs[span.item]);
  return deepest;
}

std::vector<IndexRuns::Listed> InputsOf(const RunSet& set,
                                        const std::vector<IndexRuns::Listed>& all, size_t fan_in) {
  std::map<int, std::vector<IndexRuns::Listed>> tiers;
  for (const IndexRuns::Listed& listed : all) {
    if (listed.run->is_damaged() || IsStale(set, listed)) continue;
    if (MayGrow(*listed.run) && IsSettled(set, listed)) {
      tiers[TierOf(*listed.run)].push_back(listed);
    }
  }
  for (const auto& [tier, runs] : tiers) {
    std::vector<IndexRuns::Listed> deepest = Deepest(runs);
    if (deepest.size() >= fan_in) return deepest;
  }
  return {};
}

}  // namespace

size_t RunMerger::FanIn(bool quiet) const {
  const size_t for_tests = fan_in_for_tests.load();
  if (for_tests != 0) return for_tests;
  return quiet ? kQuietFanIn : kFanIn;
}

RunMerger::Outcome RunMerger::Step(std::span<const std::shared_ptr<Table>> tables, bool quiet,
                                   const Stop& stop) const {
  const size_t fan_in = FanIn(quiet);
  Outcome outcome = Outcome::kNothing;
  for (const auto& table : tables) {
    if (table->frozen().empty()) continue;
    for (const auto indexes = table->indexes(); const auto& index : *indexes) {
      if (index->is_row_map() || index->runs().empty()) continue;
      const Outcome of_index = StepOf(*table, *index, fan_in, stop);
      if (of_index == Outcome::kDone) return of_index;
      if (of_index == Outcome::kFailed) outcome = of_index;
    }
  }
  return outcome;
}

RunMerger::Outcome RunMerger::StepOf(Table& table, TableIndex& index, size_t fan_in,
                                     const Stop& stop) const {
  const std::vector<IndexRuns::Listed> all = index.runs().all();
  const std::shared_ptr<const RunSet> set = table.frozen().runs();
  Outcome outcome = Outcome::kNothing;
  // What cannot be helped keeps none of the others.
  const auto is_done = [&](Outcome step) {
    if (step == Outcome::kFailed) outcome = step;
    return step == Outcome::kDone;
  };
  for (const IndexRuns::Listed& listed : all) {
    if (!listed.run->is_damaged()) continue;
    if (is_done(Mend(table, index, listed, stop))) return Outcome::kDone;
  }
  for (const IndexRuns::Listed& listed : all) {
    if (listed.run->is_damaged() || !IsStale(*set, listed)) continue;
    if (is_done(Dissolve(table, index, listed, stop))) return Outcome::kDone;
  }
  const std::vector<IndexRuns::Listed> inputs = InputsOf(*set, all, fan_in);
  if (!inputs.empty() && is_done(Merge(table, index, inputs, stop))) return Outcome::kDone;
  return outcome;
}

Result<bool> RunMerger::WriteEach(Table& table, TableIndex& index,
                                  std::span<const uint64_t> segments, const Stop& stop,
                                  Listed* written) const {
  const std::shared_ptr<const RunSet> set = table.frozen().runs();
  for (const uint64_t number : segments) {
    if (stop()) return false;
    const std::shared_ptr<const FrozenSegment>& segment = set->runs[number].segment;
    if (segment->is_hollow()) continue;  // It is not listed any more.
    OMEN_ASSIGN(IndexRunPtr run, WriteSegmentRun(files_, index, segment));
    written->push_back({{number}, std::move(run)});
  }
  return true;
}

RunMerger::Outcome RunMerger::Mend(Table& table, TableIndex& index,
                                   const IndexRuns::Listed& damaged, const Stop& stop) const {
  Listed written;
  const Result<bool> all = WriteEach(table, index, damaged.segments, stop, &written);
  if (!all.ok()) return Outcome::kFailed;
  if (!*all) return Outcome::kNothing;
  {
    MutexLock lock(lists_mu_);
    if (index.runs().IsListed(*damaged.run)) index.runs().List(std::move(written));
  }
  RemoveUnneeded(index, {&damaged.run, 1});
  return Outcome::kDone;
}

// The run stays listed until all of it is elsewhere: meanwhile segments are listed for two.
RunMerger::Outcome RunMerger::Dissolve(Table& table, TableIndex& index,
                                       const IndexRuns::Listed& stale, const Stop& stop) const {
  const std::shared_ptr<const RunSet> set = table.frozen().runs();
  std::vector<uint64_t> live;
  std::copy_if(stale.segments.begin(), stale.segments.end(), std::back_inserter(live),
               [&](uint64_t number) { return set->runs[number].live_rows() > 0; });
  Listed written;
  const Result<bool> all = WriteEach(table, index, live, stop, &written);
  if (!all.ok()) return Outcome::kFailed;
  if (!*all) return Outcome::kNothing;
  {
    MutexLock lock(lists_mu_);
    if (!index.runs().IsListed(*stale.run)) return Outcome::kDone;
    if (!written.empty()) index.runs().List(std::move(written));
  }
  if (!table.EnterRun(index, stale, stop).ok()) {
    return stop() ? Outcome::kNothing : Outcome::kFailed;
  }
  {
    MutexLock lock(lists_mu_);
    if (index.runs().IsListed(*stale.run)) index.runs().Unlist(*stale.run);
    ForgetRun(index, *set, stale.run->path());
  }
  RemoveUnneeded(index, {&stale.run, 1});
  return Outcome::kDone;
}

RunMerger::Outcome RunMerger::Merge(Table& table, TableIndex& index, const Listed& inputs,
                                    const Stop& stop) const {
  const std::shared_ptr<const RunSet> set = table.frozen().runs();
  std::vector<uint64_t> numbers;
  std::vector<IndexRunPtr> runs;
  for (const IndexRuns::Listed& input : inputs) {
    runs.push_back(input.run);
    for (const uint64_t number : input.segments) {
      if (set->runs[number].segment->is_hollow()) return Outcome::kNothing;
      numbers.push_back(number);
    }
  }
  std::sort(numbers.begin(), numbers.end());
  numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
  const SegmentFiles::WritingRuns writing(files_, index.storage());
  Result<IndexRunPtr> merged = WriteMergedRun(files_, index, runs, stop);
  if (!merged.ok()) return Outcome::kFailed;
  if (*merged == nullptr) return Outcome::kNothing;
  {
    MutexLock lock(lists_mu_);
    const bool all = std::all_of(runs.begin(), runs.end(), [&](const IndexRunPtr& run) {
      return index.runs().IsListed(*run);
    });
    if (all) {
      index.runs().List({{numbers, *merged}});
      for (const uint64_t number : numbers) {
        index.runs().SetWritten(set->runs[number].segment->file_id(), (*merged)->path());
      }
    }
  }
  runs.push_back(*merged);
  RemoveUnneeded(index, runs);
  return Outcome::kDone;
}

void RunMerger::RemoveUnneeded(const TableIndex& index, std::span<const IndexRunPtr> runs) const {
  const std::set<std::string> needed = index.runs().files();
  for (const IndexRunPtr& run : runs) {
    if (!needed.contains(run->path())) (void)files_.env().Remove(run->path());
  }
}

}  // namespace omendb::engine
