// int_index_fixture.h - what tests of the integer index share: operations as events of a history,
// orders of keys.
#pragma once

#include <algorithm>
#include <chrono>
#include <random>
#include <vector>

#include "index/int_index.h"
#include "testing/linearizability.h"

namespace omendb::testutil {

inline int64_t Now() { return std::chrono::steady_clock::now().time_since_epoch().count(); }

// A random operation on `key`, recorded.
inline MapEvent Perform(index::IntIndex& index, int thread, uint64_t key, std::mt19937_64& random) {
  MapEvent event;
  event.thread = thread;
  event.key = key;
  event.op = static_cast<MapOp>(random() % 5);
  event.argument = random() % 4;
  event.expected = random() % 4;
  event.called = Now();
  switch (event.op) {
    case MapOp::kLookup:
      event.result = index.Lookup(key);
      break;
    case MapOp::kInsert:
      event.result = index.Insert(key, event.argument);
      break;
    case MapOp::kUpsert:
      event.result = index.Upsert(key, event.argument);
      break;
    case MapOp::kErase:
      event.result = index.Erase(key);
      break;
    case MapOp::kCompareExchange:
      if (index.CompareExchange(key, event.expected, event.argument)) event.result = 1;
      break;
  }
  event.returned = Now();
  return event;
}

// Cuts the keys into clusters of so many, whose order becomes random.
inline void ArrangeInClusters(std::vector<uint64_t>& keys, size_t cluster, uint64_t seed) {
  std::vector<size_t> starts;
  for (size_t i = 0; i < keys.size(); i += cluster) starts.push_back(i);
  std::shuffle(starts.begin(), starts.end(), std::mt19937_64(seed));
  std::vector<uint64_t> arranged;
  for (const size_t start : starts) {
    for (size_t i = start; i < std::min(start + cluster, keys.size()); ++i) {
      arranged.push_back(keys[i]);
    }
  }
  keys = arranged;
}

}  // namespace omendb::testutil
