// key_sets.h - the seeded key sets that tests and benchmarks share.
//
// Each imitates a shape for which learned indexes are known to be good or bad; the names in quotes
// are the public data sets of the SOSD benchmark after which three of them are modelled.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace omendb::testutil {

enum class KeySet {
  kSequential,   // 1, 2, 3, ...
  kTimeSeries,   // Microseconds: steady with jitter, gaps, bursts.
  kUniform,      // Uniform over 64 bits.
  kLognormal,    // exp(N(0, 2)), scaled.
  kBooks,        // Piecewise: stretches of differing density, random inside.
  kFb,           // Random ids with a few extreme outliers at the end.
  kOsm,          // Clusters at all scales, as cells of a space-filling curve.
  kAdversarial,  // Made against our own fitting: dense lumps that fill a bucket and then jump.
};

inline constexpr KeySet kIntKeySets[] = {KeySet::kSequential, KeySet::kTimeSeries, KeySet::kUniform,
                                         KeySet::kLognormal,  KeySet::kBooks,      KeySet::kFb,
                                         KeySet::kOsm,        KeySet::kAdversarial};

std::string_view Name(KeySet set);

// `count` strictly ascending keys.
std::vector<uint64_t> MakeKeys(KeySet set, size_t count, uint64_t seed);

enum class TextSet {
  kUuid,       // 16 random bytes.
  kEmail,      // name.name123@provider.tld
  kUrl,        // Few hosts, long common prefixes.
  kComposite,  // (int, int, int) as 12 big-endian bytes: few, more, many distinct.
};
inline constexpr TextSet kTextSets[] = {TextSet::kUuid, TextSet::kEmail, TextSet::kUrl,
                                        TextSet::kComposite};
std::string_view Name(TextSet set);
// `count` strictly ascending keys in memcmp order.
std::vector<std::string> MakeTextKeys(TextSet set, size_t count, uint64_t seed);

}  // namespace omendb::testutil
