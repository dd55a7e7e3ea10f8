#include "testing/key_sets.h"

#include <algorithm>
#include <cmath>
#include <random>

namespace omendb::testutil {

namespace {

using Random = std::mt19937_64;

uint64_t Scaled(double share, double scale) {
  return static_cast<uint64_t>(std::clamp(share * scale, 0.0, 1.8e19));
}

std::vector<uint64_t> TimeSeries(size_t count, Random& random) {
  std::vector<uint64_t> keys;
  uint64_t now = 1'600'000'000'000'000;
  uint64_t step = 1000;
  while (keys.size() < count) {
    const uint64_t dice = random() % 20000;
    if (dice < 4) {
      now += 1'000'000'000 + random() % 100'000'000'000;  // A gap: minutes to a day.
    } else if (dice < 10) {
      step = 20 + random() % 2000;  // Another device rate from here on.
    } else if (dice < 14) {
      for (int i = 0; i < 500 && keys.size() < count; ++i) keys.push_back(now += 1 + random() % 4);
    }
    now += step / 2 + random() % step + 1;
    if (keys.size() < count) keys.push_back(now);
  }
  return keys;
}

std::vector<uint64_t> Books(size_t count, Random& random) {
  std::vector<uint64_t> keys;
  uint64_t now = 1000;
  while (keys.size() < count) {
    const uint64_t mean = uint64_t{1} << (4 + random() % 12);
    const size_t stretch = 2000 + random() % 60000;
    std::exponential_distribution<double> gap(1.0 / static_cast<double>(mean));
    for (size_t i = 0; i < stretch && keys.size() < count; ++i) {
      keys.push_back(now += 1 + static_cast<uint64_t>(gap(random)));
    }
  }
  return keys;
}

std::vector<uint64_t> Osm(size_t count, Random& random) {
  // Each of the levels doubles one half's chance, differently everywhere: clusters in clusters.
  std::vector<uint64_t> keys(count);
  const uint64_t salt = random();
  for (uint64_t& key : keys) {
    uint64_t prefix = 1;
    for (int level = 0; level < 48; ++level) {
      uint64_t mixed = (prefix ^ salt) * 0x9e3779b97f4a7c15;
      mixed ^= mixed >> 32;
      const double bias = 0.5 + 0.45 * (static_cast<double>(mixed & 0xffff) / 65536 - 0.5) * 2;
      const double dice = static_cast<double>(random() >> 11) * 0x1p-53;
      prefix = prefix * 2 + (dice < bias ? 1 : 0);
    }
    key = prefix << 12 | (random() & 0xfff);
  }
  return keys;
}

std::vector<uint64_t> Adversarial(size_t count, Random& random) {
  // Lumps of consecutive keys somewhat larger than a chain of spares holds, between them jumps
  // whose logarithm is uniform: no line is right for two lumps in a row.
  std::vector<uint64_t> keys;
  uint64_t now = 1;
  while (keys.size() < count) {
    const size_t lump = 40 + random() % 30;
    for (size_t i = 0; i < lump && keys.size() < count; ++i) keys.push_back(now++);
    now += uint64_t{1} << (6 + random() % 36);
  }
  return keys;
}

std::vector<uint64_t> Draw(KeySet set, size_t count, Random& random) {
  std::vector<uint64_t> keys;
  keys.reserve(count);
  switch (set) {
    case KeySet::kSequential:
      for (size_t i = 0; i < count; ++i) keys.push_back(i + 1);
      return keys;
    case KeySet::kTimeSeries:
      return TimeSeries(count, random);
    case KeySet::kUniform:
      for (size_t i = 0; i < count; ++i) keys.push_back(random());
      return keys;
    case KeySet::kLognormal: {
      std::lognormal_distribution<double> draw(0, 2);
      for (size_t i = 0; i < count; ++i) keys.push_back(Scaled(draw(random), 1e15));
      return keys;
    }
    case KeySet::kBooks:
      return Books(count, random);
    case KeySet::kFb:
      for (size_t i = 0; i < count; ++i) {
        keys.push_back(random() % 100000 == 0 ? random() : random() >> 20);
      }
      return keys;
    case KeySet::kOsm:
      return Osm(count, random);
    case KeySet::kAdversarial:
      return Adversarial(count, random);
  }
  return keys;
}

}  // namespace

std::string_view Name(KeySet set) {
  switch (set) {
    case KeySet::kSequential:
      return "sequential";
    case KeySet::kTimeSeries:
      return "time_series";
    case KeySet::kUniform:
      return "uniform";
    case KeySet::kLognormal:
      return "lognormal";
    case KeySet::kBooks:
      return "books";
    case KeySet::kFb:
      return "fb";
    case KeySet::kOsm:
      return "osm";
    case KeySet::kAdversarial:
      return "adversarial";
  }
  return "";
}

std::vector<uint64_t> MakeKeys(KeySet set, size_t count, uint64_t seed) {
  Random random(seed);
  std::vector<uint64_t> keys = Draw(set, count, random);
  for (;;) {
    std::sort(keys.begin(), keys.end());
    keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
    if (keys.size() >= count) break;
    const auto more = Draw(set, count - keys.size() + 8, random);
    if (set == KeySet::kSequential || set == KeySet::kAdversarial) break;
    keys.insert(keys.end(), more.begin(), more.end());
  }
  // Too many after topping up: drop from all over, not from the end.
  for (size_t i = 0; keys.size() > count; ++i) {
    keys.erase(keys.begin() + static_cast<int64_t>(random() % keys.size()));
  }
  return keys;
}

std::string_view Name(TextSet set) {
  switch (set) {
    case TextSet::kUuid:
      return "uuid";
    case TextSet::kEmail:
      return "email";
    case TextSet::kUrl:
      return "url";
    case TextSet::kComposite:
      return "composite";
  }
  return "";
}

namespace {

constexpr std::string_view kSyllables[] = {"an", "ber", "chi", "do", "el", "fa",  "gus", "hen",
                                           "i",  "jo",  "ka",  "li", "ma", "nor", "os",  "pe",
                                           "ra", "sa",  "to",  "u",  "vi", "wal", "xe",  "zu"};

std::string Word(Random& random, int syllables) {
  std::string word;
  for (int i = 0; i < syllables; ++i) word += kSyllables[random() % std::size(kSyllables)];
  return word;
}

std::string BigEndian(uint32_t v) {
  return {static_cast<char>(v >> 24), static_cast<char>(v >> 16), static_cast<char>(v >> 8),
          static_cast<char>(v)};
}

std::string OneText(TextSet set, Random& random) {
  switch (set) {
    case TextSet::kUuid: {
      std::string key;
      for (int i = 0; i < 16; ++i) key += static_cast<char>(random() % 255 + 1);
      return key;
    }
    case TextSet::kEmail: {
      constexpr std::string_view kHosts[] = {"@gmail.com", "@yahoo.com", "@outlook.com",
                                             "@example.org"};
      return Word(random, 2) + "." + Word(random, 3) + std::to_string(random() % 10000) +
             std::string(kHosts[random() % 4]);
    }
    case TextSet::kUrl: {
      const uint64_t host = random() % 1000;
      return "https://www." + std::string(kSyllables[host % 24]) + std::to_string(host) +
             ".com/articles/2" + std::to_string(random() % 30 + 100) + "/" + Word(random, 3) + "-" +
             Word(random, 2) + "/" + std::to_string(random() % 100000) + ".html";
    }
    case TextSet::kComposite:
      return BigEndian(static_cast<uint32_t>(random() % 200 + 0x01010101)) +
             BigEndian(static_cast<uint32_t>(random() % 20000) * 3 + 0x01010101) +
             BigEndian(static_cast<uint32_t>(random() >> 40 | 0x01010101));
  }
  return {};
}

}  // namespace

std::vector<std::string> MakeTextKeys(TextSet set, size_t count, uint64_t seed) {
  Random random(seed);
  std::vector<std::string> keys;
  while (keys.size() < count) {
    while (keys.size() < count + 8) keys.push_back(OneText(set, random));
    std::sort(keys.begin(), keys.end());
    keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  }
  while (keys.size() > count) {
    keys.erase(keys.begin() + static_cast<int64_t>(random() % keys.size()));
  }
  return keys;
}

}  // namespace omendb::testutil
