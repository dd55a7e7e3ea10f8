#include "engine/compaction.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <string_view>

#include "engine/deepest_overlap.h"

namespace omendb::engine {
namespace {

constexpr int kTiersMax = 20;

bool IsSettled(const Run& run, uint64_t settled_by) {
  const uint64_t begin = run.segment->begin().load(std::memory_order_acquire);
  if (mvcc::IsTxnWord(begin)) return false;
  return (begin != 0 ? begin : run.segment->settled().value()) <= settled_by;
}

bool MayMove(const Run& run, uint64_t settled_by) {
  return run.live_rows() > 0 && run.masks == nullptr && !run.segment->has_older() &&
         run.segment->keys_are_entered() && IsSettled(run, settled_by);
}

// The oldest that come to as many full segments as all of them together would.
void AddSmall(const RunSet& set, const std::vector<uint64_t>& small, const CompactionRules& rules,
              std::vector<uint64_t>& found) {
  double all = 0;
  for (const uint64_t number : small) all += FullnessOf(set.runs[number], rules);
  double added = 0;
  for (size_t i = 0; i < small.size() && added < std::floor(all); ++i) {
    added += FullnessOf(set.runs[small[i]], rules);
    found.push_back(small[i]);
  }
}

std::vector<uint64_t> SparseAndSmall(const RunSet& set, const CompactionRules& rules) {
  std::vector<uint64_t> found;
  std::vector<uint64_t> small;
  for (uint64_t number = 0; number < set.runs.size(); ++number) {
    const Run& run = set.runs[number];
    if (!MayMove(run, rules.settled_by)) continue;
    if (run.IsSparse()) {
      found.push_back(number);
    } else if (FullnessOf(run, rules) < 0.5) {
      small.push_back(number);
    }
  }
  AddSmall(set, small, rules, found);
  std::sort(found.begin(), found.end());
  return found;
}

// By first key.
std::vector<KeySpan> SpansOf(const RunSet& set, const CompactionRules& rules) {
  std::vector<KeySpan> spans;
  for (uint64_t number = 0; number < set.runs.size(); ++number) {
    const Run& run = set.runs[number];
    if (!MayMove(run, rules.settled_by) || !rules.is_sorted(*run.segment)) continue;
    const colstore::SegmentFooter& footer = run.segment->reader()->footer();
    spans.push_back({number, footer.min_key, footer.max_key});
  }
  std::sort(spans.begin(), spans.end(),
            [](const KeySpan& a, const KeySpan& b) { return a.first < b.first; });
  return spans;
}

// A number for the first eight bytes that keys do not have in common.
uint64_t NumberOf(std::string_view key, size_t common) {
  uint64_t number = 0;
  for (size_t i = 0; i < sizeof(number); ++i) {
    number = number << 8 | (common + i < key.size() ? static_cast<uint8_t>(key[common + i]) : 0);
  }
  return number;
}

size_t CommonPrefix(std::string_view a, std::string_view b) {
  return static_cast<size_t>(std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first -
                             a.begin());
}

// Spans by what part of all keys they lie over: a quarter and more, then an eighth of that, and so
// on. Segments of one merge are of the next tier, so a row is written once for each.
std::map<int, std::vector<KeySpan>> TiersOf(const std::vector<KeySpan>& spans) {
  std::map<int, std::vector<KeySpan>> tiers;
  if (spans.empty()) return tiers;
  const std::string_view least = spans.front().first;
  std::string_view greatest = least;
  for (const KeySpan& span : spans) greatest = std::max(greatest, span.last);
  const size_t common = CommonPrefix(least, greatest);
  const auto all = static_cast<double>(NumberOf(greatest, common) - NumberOf(least, common));
  for (const KeySpan& span : spans) {
    double part = static_cast<double>(NumberOf(span.last, common) - NumberOf(span.first, common));
    int tier = 0;
    for (part *= 4; part < all && tier < kTiersMax; part *= 8) ++tier;
    tiers[tier].push_back(span);
  }
  return tiers;
}

// The most that have a key in common.
std::vector<uint64_t> Deepest(const std::vector<KeySpan>& spans) {
  std::vector<uint64_t> numbers;
  for (const KeySpan& span : DeepestOverlap(spans, SIZE_MAX)) numbers.push_back(span.item);
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

std::vector<uint64_t> Overlapping(const RunSet& set, const CompactionRules& rules) {
  if (rules.overlapping_min == 0) return {};
  const std::vector<KeySpan> spans = SpansOf(set, rules);
  if (rules.overlapping_min == 2) {
    std::vector<uint64_t> deepest = Deepest(spans);
    return deepest.size() >= 2 ? deepest : std::vector<uint64_t>();
  }
  for (const auto& [tier, of_tier] : TiersOf(spans)) {
    std::vector<uint64_t> deepest = Deepest(of_tier);
    if (deepest.size() >= rules.overlapping_min) return deepest;
  }
  return {};
}

// Those that memory has room for, the oldest first; none, when they are too few.
void LimitWords(const RunSet& set, const CompactionRules& rules, std::vector<uint64_t>& found) {
  uint64_t left = rules.words_max;
  std::vector<uint64_t> fitting;
  for (const uint64_t number : found) {
    const Run& run = set.runs[number];
    const uint64_t words = run.segment->rows_have_words() ? 0 : run.live_rows();
    if (words > left) continue;
    left -= words;
    fitting.push_back(number);
  }
  if (fitting.size() < rules.overlapping_min) fitting.clear();
  found = std::move(fitting);
}

// As many as may be read together, the oldest; a sparse one may be alone.
void Limit(const RunSet& set, const CompactionRules& rules, std::vector<uint64_t>& found) {
  if (found.empty()) return;
  const size_t always = set.runs[found.front()].IsSparse() ? 1 : 2;
  uint64_t memory = 0;
  size_t taken = 0;
  for (; taken < std::min(found.size(), rules.inputs_max); ++taken) {
    memory += rules.memory_of(*set.runs[found[taken]].segment);
    if (taken >= always && memory > rules.memory_max) break;
  }
  found.resize(taken);
}

}  // namespace

uint64_t EncodedBytes(const FrozenSegment& segment) {
  uint64_t bytes = 0;
  for (const auto& column : segment.reader()->footer().columns) bytes += column.blocks.bytes;
  return bytes;
}

double FullnessOf(const Run& run, const CompactionRules& rules) {
  const double live = run.live_rows();
  const double bytes = live / run.segment->rows() * static_cast<double>(EncodedBytes(*run.segment));
  return std::max(live / rules.full_rows, bytes / static_cast<double>(rules.full_bytes));
}

std::vector<uint64_t> SegmentsToCompact(const RunSet& set, const CompactionRules& rules) {
  std::vector<uint64_t> found = SparseAndSmall(set, rules);
  if (found.empty()) {
    found = Overlapping(set, rules);
    LimitWords(set, rules, found);
  }
  Limit(set, rules, found);
  return found;
}

}  // namespace omendb::engine
