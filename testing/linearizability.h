// linearizability.h - checks recorded histories of a map's single-key operations.
//
// Operations on different keys commute, so a history is linearizable exactly when the history of
// each key is (Herlihy and Wing, 1990: locality). For one key the state is a value or nothing. The
// search walks all orders that respect real time: an operation may come next when no other pending
// one returned before it was called. States are remembered by how far each thread is and the
// value, which keeps the search small for a few threads.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace omendb::testutil {

enum class MapOp { kLookup, kInsert, kUpsert, kErase, kCompareExchange };

struct MapEvent {
  int thread = 0;
  MapOp op = MapOp::kLookup;
  uint64_t key = 0;
  uint64_t argument = 0;             // What is written.
  uint64_t expected = 0;             // CompareExchange.
  std::optional<uint64_t> result;    // The value found; CompareExchange: 1 or nothing.
  int64_t called = 0, returned = 0;  // A clock that all threads share.
};

// True when `event` may happen to `value`; changes it accordingly.
inline bool Step(const MapEvent& event, std::optional<uint64_t>& value) {
  switch (event.op) {
    case MapOp::kLookup:
      return event.result == value;
    case MapOp::kInsert:
      if (event.result != value) return false;
      if (!value) value = event.argument;
      return true;
    case MapOp::kUpsert:
      if (event.result != value) return false;
      value = event.argument;
      return true;
    case MapOp::kErase:
      if (event.result != value) return false;
      value.reset();
      return true;
    case MapOp::kCompareExchange: {
      const bool swap = value == event.expected;
      if (event.result.has_value() != swap) return false;
      if (swap) value = event.argument;
      return true;
    }
  }
  return false;
}

// Events of one key, split by thread in program order.
inline bool IsLinearizable(const std::vector<std::vector<MapEvent>>& threads,
                           std::optional<uint64_t> initial) {
  using State = std::pair<std::vector<size_t>, std::optional<uint64_t>>;
  std::set<State> seen;
  std::vector<State> open{{std::vector<size_t>(threads.size(), 0), initial}};
  while (!open.empty()) {
    const State state = open.back();
    open.pop_back();
    if (!seen.insert(state).second) continue;
    const auto& [at, value] = state;
    int64_t first_return = INT64_MAX;
    for (size_t t = 0; t < threads.size(); ++t) {
      if (at[t] < threads[t].size()) {
        first_return = std::min(first_return, threads[t][at[t]].returned);
      }
    }
    if (first_return == INT64_MAX) return true;  // Every operation has its place.
    for (size_t t = 0; t < threads.size(); ++t) {
      if (at[t] == threads[t].size() || threads[t][at[t]].called > first_return) continue;
      State next = state;
      if (!Step(threads[t][at[t]], next.second)) continue;
      ++next.first[t];
      open.push_back(std::move(next));
    }
  }
  return false;
}

// The first key whose history is not linearizable, starting from an empty map.
inline std::optional<uint64_t> FirstBadKey(const std::vector<std::vector<MapEvent>>& threads) {
  std::map<uint64_t, std::vector<std::vector<MapEvent>>> by_key;
  for (size_t t = 0; t < threads.size(); ++t) {
    for (const MapEvent& event : threads[t]) {
      auto& history = by_key[event.key];
      history.resize(threads.size());
      history[t].push_back(event);
    }
  }
  for (const auto& [key, history] : by_key) {
    if (!IsLinearizable(history, std::nullopt)) return key;
  }
  return std::nullopt;
}

}  // namespace omendb::testutil
