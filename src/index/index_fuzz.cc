// The indexes against arbitrary sequences of operations. The first byte chooses: operations on an
// IntIndex, each of nine bytes, or on a BytesIndex, with std::map beside them; or the image of a
// StaticIndex, whatever its bytes; or keys for one, each of whose answers is checked. One operation
// may insert or erase a whole run of keys, so that short inputs reach splits, rebuilds and merges.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "index/bytes_index.h"
#include "index/int_index.h"
#include "index/static_index.h"

namespace omendb::index {
namespace {

using IntMap = std::map<uint64_t, uint64_t>;

// A run of keys: `count` of them from `base` on (wrapping around), a power of two apart.
struct Run {
  uint64_t base, step;
  uint32_t count;
};

uint64_t LoadWord(std::string_view bytes) {
  uint64_t word = 0;
  std::memcpy(&word, bytes.data(), std::min(bytes.size(), sizeof(word)));
  return word;
}

void InsertRun(IntIndex& index, IntMap& map, const Run& run) {
  for (uint32_t i = 0; i < run.count; ++i) {
    const uint64_t key = run.base + i * run.step;
    OMEN_CHECK(index.Insert(key, i).has_value() == !map.emplace(key, i).second);
  }
}

void EraseRun(IntIndex& index, IntMap& map, const Run& run) {
  for (uint32_t i = 0; i < run.count; ++i) {
    const uint64_t key = run.base + i * run.step;
    OMEN_CHECK(index.Erase(key).has_value() == (map.erase(key) == 1));
  }
}

void CheckScan(const IntIndex& index, const IntMap& map, uint64_t from) {
  Entry out[100];
  IntCursor cursor(index);
  cursor.SeekForward(from);
  const size_t n = cursor.Next(out);
  auto it = map.lower_bound(from);
  for (size_t i = 0; i < n; ++i, ++it) {
    OMEN_CHECK(it != map.end() && out[i].key == it->first && out[i].value == it->second);
  }
  OMEN_CHECK(n == std::size(out) || it == map.end());
  cursor.SeekBackward(from);
  const size_t back = cursor.Next(out);
  auto above = map.upper_bound(from);
  for (size_t i = 0; i < back; ++i) OMEN_CHECK(out[i].key == (--above)->first);
  OMEN_CHECK(back == std::size(out) || above == map.begin());
}

void Operate(IntIndex& index, IntMap& map, uint8_t op, uint64_t key) {
  const Run run{key, uint64_t{1} << (op >> 3), static_cast<uint32_t>(key % 700)};
  const auto at = map.find(key);
  const auto there = at == map.end() ? std::nullopt : std::optional<uint64_t>(at->second);
  switch (op & 7) {
    case 0:
      OMEN_CHECK(index.Insert(key, op) == there);
      map.emplace(key, op);
      break;
    case 1:
      OMEN_CHECK(index.Erase(key) == there);
      map.erase(key);
      break;
    case 2:
      OMEN_CHECK(index.Upsert(key, op) == there);
      map[key] = op;
      break;
    case 3:
      return CheckScan(index, map, key);
    case 4:
      return EraseRun(index, map, run);
    case 5:  // Downwards.
      return InsertRun(index, map, {key, ~run.step + 1, run.count});
    default:
      return InsertRun(index, map, run);
  }
  OMEN_CHECK(index.Lookup(key).has_value() == map.contains(key));
}

void FuzzInt(std::string_view input) {
  EpochManager epochs;
  IntIndex index(epochs);
  IntMap map;
  for (; input.size() >= 9 && map.size() < 50'000; input.remove_prefix(9)) {
    Operate(index, map, static_cast<uint8_t>(input[0]), LoadWord(input.substr(1)));
  }
  OMEN_CHECK(index.Size() == map.size());
  OMEN_CHECK(index.Validate().ok());
  for (const auto& [key, value] : map) OMEN_CHECK(index.Lookup(key) == value);
}

// Each operation: its kind, the length of the key, the key.
void FuzzBytes(std::string_view input) {
  EpochManager epochs;
  BytesIndex index(epochs);
  std::map<std::string, uint64_t> map;
  while (input.size() >= 2) {
    const auto op = static_cast<uint8_t>(input[0]);
    const size_t length = std::min<size_t>(static_cast<uint8_t>(input[1]) % 40, input.size() - 2);
    std::string key(input.substr(2, length));
    input.remove_prefix(2 + length);
    const bool erase = op % 4 == 0;
    const uint32_t times = op % 4 == 1 ? 100 : 1;
    for (uint32_t i = 0; i < times; ++i) {
      if (i > 0) key.push_back(static_cast<char>(op + i));
      if (erase) {
        OMEN_CHECK(index.Erase(key).has_value() == (map.erase(key) == 1));
      } else {
        OMEN_CHECK(index.Insert(key, i).has_value() == !map.emplace(key, i).second);
      }
    }
  }
  OMEN_CHECK(index.Size() == map.size());
  OMEN_CHECK(index.Validate().ok());
  for (const auto& [key, value] : map) OMEN_CHECK(index.Lookup(key) == value);
}

void CheckWindow(const StaticIndex& index, const std::vector<uint64_t>& keys, uint64_t key) {
  const auto found = std::lower_bound(keys.begin(), keys.end(), key);
  const auto position = static_cast<uint64_t>(found - keys.begin());
  const PositionRange range = index.LowerBound(key);
  OMEN_CHECK(range.begin <= position && position <= range.end);
  OMEN_CHECK(range.end - range.begin <= StaticIndex::kBlockKeys);
}

// Runs of keys, of nine bytes each, sorted; built, written, read back and asked.
void FuzzStatic(std::string_view input) {
  std::vector<uint64_t> keys;
  for (; input.size() >= 9 && keys.size() < 20'000; input.remove_prefix(9)) {
    const uint64_t base = LoadWord(input.substr(1));
    const uint64_t step = (uint64_t{1} << (static_cast<uint8_t>(input[0]) % 64)) - 1;
    for (uint64_t i = 0; i < base % 1500; ++i) keys.push_back(base + i * step);
  }
  std::sort(keys.begin(), keys.end());
  const auto built = StaticIndex::Build(keys);
  OMEN_CHECK(built.ok());
  const auto read = StaticIndex::Parse(built->Serialize());
  OMEN_CHECK(read.ok());
  for (const uint64_t key : keys) {
    for (const uint64_t near : {key - 1, key, key + 1}) CheckWindow(*read, keys, near);
  }
}

void FuzzImage(std::string_view input) {
  const auto index = StaticIndex::Parse(input);
  if (!index.ok()) return;
  for (const uint64_t key : {uint64_t{0}, uint64_t{1} << 40, UINT64_MAX}) {
    OMEN_CHECK(index->LowerBound(key).end <= index->size());
  }
}

}  // namespace
}  // namespace omendb::index

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 4) {
    case 0:
      omendb::index::FuzzInt(rest);
      break;
    case 1:
      omendb::index::FuzzBytes(rest);
      break;
    case 2:
      omendb::index::FuzzStatic(rest);
      break;
    default:
      omendb::index::FuzzImage(rest);
  }
  return 0;
}
