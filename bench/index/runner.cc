#include "bench/index/runner.h"

#include <sched.h>
#include <sys/mman.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numeric>
#include <random>
#include <thread>

#include "bench/index/art.h"
#include "bench/index/maps.h"
#include "bench/index/report.h"
#include "bench/index/static_runner.h"
#if defined(OMENDB_BENCH_STORES)
#include "bench/index/stores.h"
#endif
#include "bench/index/subject.h"
#include "testing/key_sets.h"

namespace omendb::bench {

namespace {

using testutil::KeySet;
using Random = std::mt19937_64;

template <typename Key>
using Subjects = std::vector<std::unique_ptr<Subject<Key>>>;

bool Contains(const std::string& list, const std::string& item) {
  return ("," + list + ",").find("," + item + ",") != std::string::npos;
}

template <typename Key, typename Ours>
Subjects<Key> MakeSubjects(const std::string& peers) {
  Subjects<Key> subjects;
  subjects.push_back(std::make_unique<SubjectOf<Key, Ours>>());
  if (Contains(peers, "absl")) subjects.push_back(std::make_unique<SubjectOf<Key, AbslMap<Key>>>());
  if (Contains(peers, "art")) subjects.push_back(std::make_unique<SubjectOf<Key, ArtMap<Key>>>());
  if (Contains(peers, "std::map")) {
    subjects.push_back(std::make_unique<SubjectOf<Key, StdMap<Key>>>());
  }
  return subjects;
}

template <typename Key>
std::vector<std::string> Names(const Subjects<Key>& subjects) {
  std::vector<std::string> names;
  for (const auto& subject : subjects) names.push_back(subject->name());
  return names;
}

// Ranks in [0, n), Zipf 0.99 over a random permutation's worth of scatter.
std::vector<size_t> ZipfRanks(size_t n, size_t count, Random& random) {
  // Rejection-free approximation by Gray et al. (SIGMOD 1994).
  const double theta = 0.99;
  double zeta = 0;
  const size_t exact = std::min<size_t>(n, 1'000'000);
  for (size_t i = 1; i <= exact; ++i) zeta += 1 / std::pow(static_cast<double>(i), theta);
  if (n > exact) {
    zeta += (std::pow(static_cast<double>(n), 1 - theta) -
             std::pow(static_cast<double>(exact), 1 - theta)) /
            (1 - theta);
  }
  const double alpha = 1 / (1 - theta);
  const double zeta2 = 1 + std::pow(0.5, theta);
  const double eta = (1 - std::pow(2.0 / static_cast<double>(n), 1 - theta)) / (1 - zeta2 / zeta);
  std::vector<size_t> ranks(count);
  for (size_t& rank : ranks) {
    const double u = static_cast<double>(random() >> 11) * 0x1p-53;
    const double uz = u * zeta;
    size_t r =
        uz < 1 ? 0
        : uz < zeta2
            ? 1
            : static_cast<size_t>(static_cast<double>(n) * std::pow(eta * u - eta + 1, alpha));
    rank = (std::min(r, n - 1) * 0x9e3779b97f4a7c15) % n;
  }
  return ranks;
}

// Nanoseconds of one dependent random read in `bytes` of huge pages: the physical limit.
class DependentRead {
 public:
  explicit DependentRead(size_t bytes) {
    constexpr size_t kHuge = 2 << 20;
    words_ = bytes / 8;
    mapped_ = (bytes + 2 * kHuge) / kHuge * kHuge;
    raw_ = mmap(nullptr, mapped_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    madvise(raw_, mapped_, MADV_HUGEPAGE);
    data_ = static_cast<uint64_t*>(raw_);
    for (size_t i = 0; i < words_; ++i) data_[i] = i & 1;
  }
  ~DependentRead() { munmap(raw_, mapped_); }
  DependentRead(const DependentRead&) = delete;
  DependentRead& operator=(const DependentRead&) = delete;

  double Measure(Random& random) const {
    constexpr size_t kReads = 500'000;
    std::vector<uint32_t> places(kReads);
    for (auto& place : places) place = static_cast<uint32_t>(random() % (words_ - 2));
    uint64_t carried = 0;
    const double start = CpuNs();
    for (const uint32_t place : places) carried = data_[place + carried];
    return (CpuNs() - start + (carried == 42 ? 1 : 0)) / kReads;
  }

 private:
  size_t words_, mapped_;
  void* raw_;
  uint64_t* data_;
};

template <typename Key>
class SetRunner {
 public:
  using Pair = typename Subject<Key>::Pair;

  SetRunner(std::string label, std::vector<Key> keys, std::vector<Key> absent,
            Subjects<Key> subjects, const Options& options, Report& report)
      : label_(std::move(label)),
        keys_(std::move(keys)),
        absent_(std::move(absent)),
        subjects_(std::move(subjects)),
        options_(options),
        report_(report) {}

  void Lookups() {
    std::vector<Pair> pairs = PairsOf(0, 1);
    for (auto& subject : subjects_) {
      subject->Clear();
      const double start = CpuNs();
      subject->Load(pairs);
      Add("load", *subject, (CpuNs() - start) / static_cast<double>(pairs.size()));
      Add("bytes/key", *subject, PerKey(*subject, pairs.size()));
    }
    pairs = {};
    const size_t n = std::min<size_t>(400'000, keys_.size());
    std::unique_ptr<DependentRead> limit;
    if constexpr (std::is_integral_v<Key>) {
      limit = std::make_unique<DependentRead>(keys_.size() * 16);
    }
    for (int round = 0; round < options_.rounds; ++round) {
      std::vector<Key> uniform, zipf, missing;
      for (size_t i = 0; i < n; ++i) uniform.push_back(keys_[random_() % keys_.size()]);
      for (const size_t rank : ZipfRanks(keys_.size(), n, random_)) zipf.push_back(keys_[rank]);
      for (size_t i = 0; i < n; ++i) missing.push_back(absent_[random_() % absent_.size()]);
      const std::span<const Key> scans(uniform.data(), n / 20);
      if (limit) report_.Add(label_, "hit", "read", limit->Measure(random_));
      for (auto& subject : subjects_) {
        size_t found = 0;
        Add("hit", *subject, subject->Lookup(uniform, &found) / static_cast<double>(n));
        Expect(found == n, "every key is found", *subject);
        Latencies single;
        subject->LookupEach(uniform, &single);
        Percentiles("hit", *subject, single);
        Add("hit zipf", *subject, subject->Lookup(zipf, &found) / static_cast<double>(n));
        Add("miss", *subject, subject->Lookup(missing, &found) / static_cast<double>(n));
        Expect(found == 0, "no absent key is found", *subject);
        Add("batch64", *subject, subject->Batch(uniform, &found) / static_cast<double>(n));
        Add("scan100", *subject,
            subject->Scan(scans, 100, &found) / static_cast<double>(scans.size()));
        LongScans(*subject);
      }
    }
  }

  // The second half of the keys inserted into the first, in chunks: one chunk is one round.
  void HalfInserts() {
    std::vector<Pair> half;
    std::vector<Pair> rest;
    for (size_t i = 0; i < keys_.size(); ++i) {
      (random_() % 2 == 0 ? half : rest).push_back({keys_[i], i});
    }
    std::shuffle(rest.begin(), rest.end(), random_);
    Order("insert half", half, rest);
    const size_t chunk = std::min<size_t>(200'000, keys_.size() / 8);
    for (int round = 0; round < 3; ++round) {
      std::vector<Key> gone;
      const size_t begin = static_cast<size_t>(round) * chunk;
      for (size_t i = begin; i < begin + chunk; ++i) gone.push_back(rest[i].key);
      for (auto& subject : subjects_) {
        size_t found = 0;
        Add("erase", *subject, subject->Erase(gone, &found) / static_cast<double>(chunk));
        Expect(found == chunk, "every key is erased", *subject);
      }
      std::vector<Key> looked;
      for (size_t i = 0; i < chunk; ++i) looked.push_back(half[random_() % half.size()].key);
      const std::span<const Pair> back(rest.data() + begin, chunk);
      for (auto& subject : subjects_) {
        Add("mixed 50/50", *subject, subject->Mixed(looked, back) / static_cast<double>(2 * chunk));
      }
    }
  }

  // The orders in which an index may be filled, after RoBin: the share of the keys that is loaded
  // (taken from all over) by the order in which the others follow.
  void Orders(std::span<const int> loaded_percents) {
    for (const int percent : loaded_percents) {
      std::vector<Pair> loaded, rest;
      for (size_t i = 0; i < keys_.size(); ++i) {
        (random_() % 100 < static_cast<uint64_t>(percent) ? loaded : rest).push_back({keys_[i], i});
      }
      const std::string name = percent == 0 ? "" : std::to_string(percent) + "% + ";
      Order(name + "ascending", loaded, rest);
      Order(name + "clustered", loaded, Clustered(rest));
      std::reverse(rest.begin(), rest.end());
      Order(name + "descending", loaded, rest);
      std::shuffle(rest.begin(), rest.end(), random_);
      Order(name + "random", loaded, rest);
    }
    const std::vector<Pair> all = PairsOf(0, 1);
    const std::span<const Pair> pairs(all);
    Order("low half + asc", pairs.first(all.size() / 2), pairs.subspan(all.size() / 2));
  }

  // The orders that were measured.
  const std::vector<std::string>& orders() const { return orders_; }
  const std::string& label() const { return label_; }
  std::vector<std::string> names() const { return Names(subjects_); }

 private:
  // From the first key on; nanoseconds for each key.
  void LongScans(Subject<Key>& subject) {
    for (const size_t length : {size_t{1'000'000}, size_t{10'000'000}}) {
      if (length > keys_.size()) continue;
      size_t found = 0;
      const double time = subject.Scan({keys_.data(), 1}, length, &found);
      Expect(found == length, "a scan sees every key", subject);
      Add("scan" + std::to_string(length / 1'000'000) + "M, each key", subject,
          time / static_cast<double>(length));
    }
  }
  void Order(const std::string& name, std::span<const Pair> loaded, std::span<const Pair> pairs) {
    orders_.push_back(name);
    InsertChunks(loaded, pairs, name);
  }
  // Clusters of 1,000 consecutive keys, the clusters in random order.
  std::vector<Pair> Clustered(std::span<const Pair> sorted) {
    constexpr size_t kCluster = 1000;
    std::vector<size_t> starts;
    for (size_t i = 0; i < sorted.size(); i += kCluster) starts.push_back(i);
    std::shuffle(starts.begin(), starts.end(), random_);
    std::vector<Pair> pairs;
    for (const size_t start : starts) {
      for (size_t i = start; i < std::min(start + kCluster, sorted.size()); ++i) {
        pairs.push_back(sorted[i]);
      }
    }
    return pairs;
  }

  // Inserts `pairs` into the loaded ones, in chunks: a chunk is a round. The whole is repeated,
  // each time once for the rate, without a clock in the loop, and once for the latency of each
  // single insert, which is its least over the repeats: the structures are deterministic, so what
  // differs between repeats is the rest of the machine (preemption above all).
  void InsertChunks(std::span<const Pair> loaded, std::span<const Pair> pairs,
                    const std::string& operation) {
    const size_t rounds = std::max<size_t>(5, pairs.size() / 1'000'000);
    std::vector<Latencies> least(subjects_.size());
    for (int repeat = 0; repeat < 2 * options_.repeats; ++repeat) {
      const bool clocked = repeat % 2 == 1;
      std::vector<Latencies> latencies(subjects_.size());
      for (size_t s = 0; s < subjects_.size(); ++s) {
        latencies[s].ticks.reserve(pairs.size());
        subjects_[s]->Clear();
        subjects_[s]->Load(loaded);
      }
      for (size_t round = 0; round < rounds; ++round) {
        const size_t begin = pairs.size() * round / rounds;
        const size_t end = pairs.size() * (round + 1) / rounds;
        for (size_t s = 0; s < subjects_.size(); ++s) {
          const double time = subjects_[s]->Insert(pairs.subspan(begin, end - begin),
                                                   clocked ? &latencies[s] : nullptr);
          if (!clocked) Add(operation, *subjects_[s], time / static_cast<double>(end - begin));
        }
      }
      if (!clocked) continue;
      for (size_t s = 0; s < subjects_.size(); ++s) {
        auto& a = least[s].ticks;
        auto& b = latencies[s].ticks;
        if (a.empty()) a = b;
        for (size_t i = 0; i < a.size(); ++i) a[i] = std::min(a[i], b[i]);
      }
    }
    for (size_t s = 0; s < subjects_.size(); ++s) {
      Percentiles(operation, *subjects_[s], least[s]);
      Add("bytes " + operation, *subjects_[s], PerKey(*subjects_[s], keys_.size()));
    }
  }

  void Percentiles(const std::string& operation, const Subject<Key>& subject, Latencies& l) {
    static const double ns_per_tick = TickNs();
    auto& t = l.ticks;
    std::sort(t.begin(), t.end());
    const auto at = [&](double share) {
      return ns_per_tick *
             t[std::min(t.size() - 1, static_cast<size_t>(share * static_cast<double>(t.size())))];
    };
    Add(operation + " p50", subject, at(0.5));
    Add(operation + " p99", subject, at(0.99));
    Add(operation + " p99.9", subject, at(0.999));
    Add(operation + " max", subject, at(1));
  }
  static double TickNs() {
    const double start = NowNs();
    const uint64_t ticks = Ticks();
    while (NowNs() - start < 2e7) {
    }
    return (NowNs() - start) / static_cast<double>(Ticks() - ticks);
  }

  std::vector<Pair> PairsOf(size_t begin, size_t step) const {
    std::vector<Pair> pairs;
    for (size_t i = begin; i < keys_.size(); i += step) pairs.push_back({keys_[i], i});
    return pairs;
  }
  static double PerKey(const Subject<Key>& subject, size_t count) {
    return static_cast<double>(subject.Bytes()) / static_cast<double>(count);
  }
  void Add(const std::string& operation, const Subject<Key>& subject, double figure) {
    report_.Add(label_, operation, subject.name(), figure);
  }
  void Expect(bool ok, const char* what, const Subject<Key>& subject) {
    if (ok) return;
    std::fprintf(stderr, "WRONG ANSWER: not so: %s (%s, %s)\n", what, subject.name().c_str(),
                 label_.c_str());
    std::exit(1);
  }

  std::string label_;
  std::vector<Key> keys_;
  std::vector<Key> absent_;
  Subjects<Key> subjects_;
  const Options& options_;
  Report& report_;
  Random random_{7};
  std::vector<std::string> orders_;
};

std::string Label(const std::string& set, size_t n) {
  return set + " " + std::to_string(n / 1'000'000) + "M";
}

// What the issue asks for, checked against what was measured.
void Bars(Report& report, const std::string& set, size_t n,
          const std::vector<std::string>& orders) {
  const std::string label = Label(set, n);
  const auto ratio = [&](const std::string& op, const std::string& peer) {
    const double ours = report.Get(label, op, "omendb");
    return ours == 0 ? 0 : report.Get(label, op, peer) / ours;
  };
  const auto inverse = [&](const std::string& op, const std::string& peer) {
    const double theirs = report.Get(label, op, peer);
    return theirs == 0 ? 0 : report.Get(label, op, "omendb") / theirs;
  };
  const bool big = n >= 10'000'000;
  const std::map<std::string, double> lookup = {
      {"sequential", 6},    {"uniform", 4}, {"lognormal", 3}, {"books", 3},
      {"time_series", 2.5}, {"fb", 2.5},    {"osm", 2},       {"adversarial", 1},
      {"uuid", 1},          {"email", 1},   {"url", 1},       {"composite", 1}};
  const bool text = set == "uuid" || set == "email" || set == "url" || set == "composite";
  if (lookup.count(set) != 0 && (big || text)) {
    report.Bar(label + ": lookup against absl", ratio("hit", "absl"), lookup.at(set), true);
  }
  if (text) report.Bar(label + ": lookup against ART", ratio("hit", "art"), 1, true);
  const double batch = report.Get(label, "batch64", "omendb");
  if (!text && n == 10'000'000 && batch > 0) {
    report.Bar(label + ": batch against absl's single", report.Get(label, "hit", "absl") / batch, 5,
               true);
  }
  if (n == 10'000'000 && (set == "sequential" || set == "time_series")) {
    report.Bar(label + ": lookup against one dependent read", inverse("hit", "read"), 1.5, false);
  }
  if (n == 100'000'000 && set == "time_series") {
    report.Bar(label + ": lookup against one dependent read", inverse("hit", "read"), 2.5, false);
  }
  if (n == 10'000'000 && set == "sequential") {
    report.Bar(label + ": bytes per key", report.Get(label, "bytes/key", "omendb"), 20, false);
  }
  report.Bar(label + ": scans of 100 against absl", ratio("scan100", "absl"), 1, true);
  report.Bar(label + ": memory, loaded", inverse("bytes/key", "absl"), 1.25, false);
  for (const std::string& o : orders) {
    const bool twice = set == "uniform" && big && o == "insert half";
    report.Bar(label + ": inserts, " + o, ratio(o, "absl"), twice ? 2 : 1, true);
    report.Bar(label + ": p99.9, " + o, inverse(o + " p99.9", "absl"), 2, false);
    if (!text) {
      report.Bar(label + ": worst insert in ms, " + o,
                 report.Get(label, o + " max", "omendb") / 1e6, 1, false);
    }
    report.Bar(label + ": memory, " + o, inverse("bytes " + o, "absl"), 1.25, false);
  }
}

// Lookups and inserts in turn, on the core; operations a microsecond of the thread's own time.
double FiftyFifty(OursInt& ours, std::span<const uint64_t> keys, int core, uint64_t seed) {
  cpu_set_t cpu;
  CPU_ZERO(&cpu);
  CPU_SET(core, &cpu);
  sched_setaffinity(0, sizeof(cpu), &cpu);
  Random random(seed);
  const size_t pairs = keys.size() / 4;
  uint64_t sum = 0;
  const double start = CpuNs();
  for (size_t i = 0; i < pairs; ++i) {
    uint64_t value = 0;
    ours.Find(keys[random() % keys.size()], &value);
    sum += value;
    ours.Insert(keys[random() % keys.size()], i);
  }
  const double time = CpuNs() - start;
  if (sum == 42) std::printf("-");
  return static_cast<double>(2 * pairs) / time * 1e3;
}

// What so many threads do together on `indexes` half loaded, each on the one of its number or the
// only one.
double FiftyFiftyTogether(std::span<const uint64_t> keys, size_t indexes, int threads, int round) {
  std::vector<Subject<uint64_t>::Pair> half;
  for (size_t i = 0; i < keys.size(); i += 2) half.push_back({keys[i], i});
  std::vector<OursInt> ours(indexes);
  for (OursInt& index : ours) index.Load(half);
  std::vector<double> mops(static_cast<size_t>(threads));
  std::vector<std::thread> workers;
  for (int t = 0; t < threads; ++t) {
    const auto thread = static_cast<size_t>(t);
    workers.emplace_back([&, t, thread] {
      mops[thread] =
          FiftyFifty(ours[thread % indexes], keys, 1 - t, static_cast<uint64_t>(round * 2 + t));
    });
  }
  for (auto& worker : workers) worker.join();
  return std::accumulate(mops.begin(), mops.end(), 0.0);
}

// 50/50 by one thread and by two, each on a core of its own. By the threads' own processor time, so
// that what other programs take of a core is left out (waiting for a mutex too, which is rare). Two
// threads with an index each share nothing but the machine: more than that is not to be had.
void TwoThreads(Report& report, size_t n) {
  const auto keys = testutil::MakeKeys(KeySet::kUniform, n, 3);
  const std::string label = Label("uniform", n) + " threads", operation = "50/50 Mops";
  for (int round = 0; round < 9; ++round) {
    report.Add(label, operation, "1 thr", FiftyFiftyTogether(keys, 1, 1, round));
    report.Add(label, operation, "2 thr", FiftyFiftyTogether(keys, 1, 2, round));
    report.Add(label, operation, "2 apart", FiftyFiftyTogether(keys, 2, 2, round));
  }
  report.PrintSet(label, {"1 thr", "2 thr", "2 apart"});
  const double one = report.Get(label, operation, "1 thr");
  const double two = report.Get(label, operation, "2 thr");
  const double apart = report.Get(label, operation, "2 apart");
  std::printf("  two threads with an index each: %.2f of one; with one index: %.2f of that\n",
              apart / one, two / apart);
  report.Bar(label + ": two against one", two / one, 1.7, true);
}

bool WantsIndexes(const Options& options) {
  return Contains(options.operations, "lookup") || Contains(options.operations, "insert") ||
         Contains(options.operations, "orders") || Contains(options.operations, "grid");
}

template <typename Key>
void RunOrders(const Options& options, SetRunner<Key>& runner, size_t n) {
  if (n > 1'000'000) return;
  constexpr int kFew[] = {0, 50}, kGrid[] = {0, 25, 50, 75};
  if (Contains(options.operations, "grid")) {
    runner.Orders(kGrid);
  } else if (Contains(options.operations, "orders")) {
    runner.Orders(kFew);
  }
}

void RunIntSet(const Options& options, Report& report, KeySet set, size_t n) {
  if (!WantsIndexes(options)) return;
  const std::string name(Name(set));
  // Every second key of twice as many is loaded; the others are the misses.
  std::vector<uint64_t> both = testutil::MakeKeys(set, n + n / 10, 42);
  std::vector<uint64_t> keys, absent;
  if (set == KeySet::kSequential) {
    keys.assign(both.begin(), both.begin() + static_cast<int64_t>(n));
    absent.assign(both.begin() + static_cast<int64_t>(n), both.end());
  } else {
    for (size_t i = 0; i < both.size(); ++i) (i % 11 == 10 ? absent : keys).push_back(both[i]);
  }
  both = {};
  const std::string peers = n > 20'000'000 ? "absl" : options.peers;
  SetRunner<uint64_t> runner(Label(name, n), std::move(keys), std::move(absent),
                             MakeSubjects<uint64_t, OursInt>(peers), options, report);
  if (Contains(options.operations, "lookup")) runner.Lookups();
  if (Contains(options.operations, "insert")) runner.HalfInserts();
  RunOrders(options, runner, n);
  auto names = runner.names();
  names.push_back("read");
  report.PrintSet(runner.label(), names);
  Bars(report, name, n, runner.orders());
}

// Whole stores beside the index, without bars.
void RunStores(const Options& options, Report& report, KeySet set, size_t n) {
#if defined(OMENDB_BENCH_STORES)
  const std::vector<uint64_t> both = testutil::MakeKeys(set, n + n / 10, 42);
  std::vector<uint64_t> keys, absent;
  for (size_t i = 0; i < both.size(); ++i) (i % 11 == 10 ? absent : keys).push_back(both[i]);
  Subjects<uint64_t> subjects;
  subjects.push_back(std::make_unique<SubjectOf<uint64_t, OursInt>>());
  subjects.push_back(std::make_unique<SubjectOf<uint64_t, SqliteStore>>());
  subjects.push_back(std::make_unique<SubjectOf<uint64_t, LmdbStore>>());
  subjects.push_back(std::make_unique<SubjectOf<uint64_t, RocksStore>>());
  Options once = options;  // They take a hundred times as long.
  once.repeats = 1;
  SetRunner<uint64_t> runner(Label(std::string(Name(set)), n) + " stores", std::move(keys),
                             std::move(absent), std::move(subjects), once, report);
  runner.Lookups();
  runner.HalfInserts();
  constexpr int kFromEmpty[] = {0};
  runner.Orders(kFromEmpty);
  auto names = runner.names();
  names.push_back("read");
  report.PrintSet(runner.label(), names);
#else
  static_cast<void>(options), static_cast<void>(report), static_cast<void>(set);
  std::printf("%zu keys: built without SQLite, RocksDB and LMDB\n", n);
#endif
}

void RunStringSet(const Options& options, Report& report, testutil::TextSet set, size_t n) {
  if (!WantsIndexes(options)) return;
  const std::string name(Name(set));
  std::vector<std::string> both = testutil::MakeTextKeys(set, n + n / 10, 42);
  std::vector<std::string> keys, absent;
  for (size_t i = 0; i < both.size(); ++i) (i % 11 == 10 ? absent : keys).push_back(both[i]);
  SetRunner<std::string> runner(Label(name, n), std::move(keys), std::move(absent),
                                MakeSubjects<std::string, OursBytes>(options.peers), options,
                                report);
  if (Contains(options.operations, "lookup")) runner.Lookups();
  if (Contains(options.operations, "insert")) runner.HalfInserts();
  RunOrders(options, runner, n);
  report.PrintSet(runner.label(), runner.names());
  Bars(report, name, n, runner.orders());
}

}  // namespace

int RunAll(const Options& options) {
  Report report;
  const auto wanted = [&](std::string_view name) {
    return std::string(name).find(options.only) != std::string::npos;
  };
  for (const size_t n : options.sizes) {
    for (const KeySet set : testutil::kIntKeySets) {
      if (wanted(Name(set))) RunIntSet(options, report, set, n);
    }
    if (Contains(options.operations, "static")) RunStatic(options, report, n);
    const bool stores = Contains(options.operations, "stores") && n <= 10'000'000;
    for (const KeySet set : {KeySet::kSequential, KeySet::kUniform}) {
      if (stores && wanted(Name(set))) RunStores(options, report, set, n);
    }
    if (Contains(options.operations, "threads") && n <= 10'000'000) TwoThreads(report, n);
    if (!Contains(options.operations, "strings") || n > 10'000'000) continue;
    for (const testutil::TextSet set : testutil::kTextSets) {
      if (wanted(Name(set))) RunStringSet(options, report, set, n);
    }
  }
  report.PrintBars();
  return 0;
}

}  // namespace omendb::bench
