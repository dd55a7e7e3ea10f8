// int_index_fixture.h - for tests: operations on an index as events of a history.
#pragma once

#include <chrono>
#include <random>

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

}  // namespace omendb::testutil
