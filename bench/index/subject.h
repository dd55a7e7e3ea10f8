// subject.h - what the benchmark does to each structure, and one adapter per structure.
//
// Operations run inside the adapter over a whole batch of keys, so that no virtual call is timed.
#pragma once

#include <time.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

namespace omendb::bench {

// The thread's own processor time: what other programs take of a shared machine is left out (what
// they take of its caches and memory is not).
inline double CpuNs() {
  timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) * 1e9 + static_cast<double>(t.tv_nsec);
}
inline double NowNs() {
  return static_cast<double>(std::chrono::steady_clock::now().time_since_epoch().count());
}
inline uint64_t Ticks() {
#if defined(__x86_64__)
  return __rdtsc();
#else
  return static_cast<uint64_t>(NowNs());
#endif
}

// Time per operation, and of single operations where asked for (in ticks).
struct Latencies {
  std::vector<uint32_t> ticks;
};

template <typename Key>
class Subject {
 public:
  struct Pair {
    Key key;
    uint64_t value;
  };
  virtual ~Subject() = default;
  virtual std::string name() const = 0;
  virtual void Clear() = 0;
  virtual void Load(std::span<const Pair> sorted) = 0;
  // Each returns nanoseconds in total.
  virtual double Lookup(std::span<const Key> keys, size_t* found) = 0;
  // Each lookup by itself; their times are added to `latencies`.
  virtual void LookupEach(std::span<const Key> keys, Latencies* latencies) = 0;
  virtual double Batch(std::span<const Key> keys, size_t* found) = 0;
  virtual double Insert(std::span<const Pair> pairs, Latencies* latencies) = 0;
  virtual double Erase(std::span<const Key> keys, size_t* found) = 0;
  virtual double Scan(std::span<const Key> starts, size_t length, size_t* found) = 0;
  // Every second operation a lookup of keys[i], the others an insert of pairs[i].
  virtual double Mixed(std::span<const Key> keys, std::span<const Pair> pairs) = 0;
  virtual size_t Bytes() const = 0;
};

// Map has: bool Find(key, uint64_t*), bool Insert(key, value), bool Erase(key),
// size_t Scan(key, n, uint64_t* sum), void Load(span), size_t Bytes(), static Name().
template <typename Key, typename Map>
class SubjectOf final : public Subject<Key> {
 public:
  using Pair = typename Subject<Key>::Pair;
  SubjectOf() { Clear(); }
  std::string name() const override { return Map::Name(); }
  void Clear() override {
    map_.reset();
    map_ = std::make_unique<Map>();
  }
  void Load(std::span<const Pair> sorted) override { map_->Load(sorted); }
  double Lookup(std::span<const Key> keys, size_t* found) override {
    uint64_t sum = 0;
    size_t hits = 0;
    const double start = CpuNs();
    for (const Key& key : keys) {
      uint64_t value = 0;
      hits += map_->Find(key, &value);
      sum += value;
    }
    const double time = CpuNs() - start;
    *found = hits + (sum == 42);
    return time;
  }
  void LookupEach(std::span<const Key> keys, Latencies* latencies) override {
    latencies->ticks.reserve(keys.size());
    uint64_t before = Ticks();
    for (const Key& key : keys) {
      uint64_t value = 0;
      map_->Find(key, &value);
      // The next time read waits for the value, not only for the call.
      asm volatile("" : : "r"(value) : "memory");
      const uint64_t after = Ticks();
      latencies->ticks.push_back(static_cast<uint32_t>(after - before));
      before = after;
    }
  }
  double Batch(std::span<const Key> keys, size_t* found) override {
    const double start = CpuNs();
    size_t hits = 0;
    if constexpr (requires { map_->Batch(keys); }) {
      for (size_t i = 0; i + 64 <= keys.size(); i += 64) hits += map_->Batch(keys.subspan(i, 64));
    } else {
      return Lookup(keys, found);
    }
    *found = hits;
    return CpuNs() - start;
  }
  double Insert(std::span<const Pair> pairs, Latencies* latencies) override {
    const double start = CpuNs();
    if (latencies == nullptr) {
      for (const Pair& pair : pairs) map_->Insert(pair.key, pair.value);
      return CpuNs() - start;
    }
    uint64_t before = Ticks();
    for (const Pair& pair : pairs) {
      map_->Insert(pair.key, pair.value);
      const uint64_t after = Ticks();
      latencies->ticks.push_back(static_cast<uint32_t>(after - before));
      before = after;
    }
    return CpuNs() - start;
  }
  double Erase(std::span<const Key> keys, size_t* found) override {
    const double start = CpuNs();
    size_t hits = 0;
    for (const Key& key : keys) hits += map_->Erase(key);
    *found = hits;
    return CpuNs() - start;
  }
  double Scan(std::span<const Key> starts, size_t length, size_t* found) override {
    uint64_t sum = 0;
    size_t seen = 0;
    const double start = CpuNs();
    for (const Key& key : starts) seen += map_->Scan(key, length, &sum);
    *found = seen + (sum == 42);
    return CpuNs() - start;
  }
  double Mixed(std::span<const Key> keys, std::span<const Pair> pairs) override {
    uint64_t sum = 0;
    const double start = CpuNs();
    for (size_t i = 0; i < keys.size(); ++i) {
      uint64_t value = 0;
      map_->Find(keys[i], &value);
      sum += value;
      map_->Insert(pairs[i].key, pairs[i].value);
    }
    const double time = CpuNs() - start;
    return time + (sum == 42 ? 1 : 0);
  }
  size_t Bytes() const override { return map_->Bytes(); }
  Map& map() { return *map_; }

 private:
  std::unique_ptr<Map> map_;
};

}  // namespace omendb::bench
