// Sequences of operations over every set of keys and every type, each compared with a std::map
// after every step; one that fails is shrunk to the least that still does. RC_PARAMS="seed=..." and
// "max_success=..." choose others (rapidcheck's own variable).
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

#include "testing/key_sets.h"
#include "tests/index_properties/key_pool.h"
#include "tests/index_properties/operations.h"

namespace omendb::index_properties {
namespace {

using types::KeyOptions;
using types::SqlType;
using types::TypeKind;

constexpr size_t kKeys = 9000;

// The same sequences in every run, unless others are asked for.
[[maybe_unused]] const int kParameters = setenv("RC_PARAMS", "seed=20261201 max_success=25", 0);

template <typename Pool>
void RunAll(const Pool& pool, size_t stride, const std::vector<Operation>& operations) {
  Checked<Pool> checked(pool, stride);
  for (const Operation& operation : operations) checked.Run(operation);
  checked.ExpectSame();
}

template <typename Pool>
void ExpectLikeAMap(const std::string& name, const Pool& pool) {
  ASSERT_GT(pool.keys.size(), 1U) << name;
  EXPECT_TRUE(rc::check(name, [&](const std::vector<Operation>& operations) {
    RunAll(pool, *rc::gen::element<size_t>(0, 0, 1, 2, 5), operations);
  }));
}

TEST(IndexPropertiesTest, IntegersOfEverySet) {
  for (const testutil::KeySet set : testutil::kIntKeySets) {
    ExpectLikeAMap(std::string(testutil::Name(set)), IntKeys{testutil::MakeKeys(set, kKeys, 7)});
  }
}

TEST(IndexPropertiesTest, StringsOfEverySet) {
  for (const testutil::TextSet set : testutil::kTextSets) {
    ExpectLikeAMap(std::string(testutil::Name(set)),
                   BytesKeys{testutil::MakeTextKeys(set, kKeys, 7)});
  }
}

TEST(IndexPropertiesTest, TypesWithNativeKeys) {
  for (const TypeKind kind :
       {TypeKind::kInt2, TypeKind::kInt4, TypeKind::kInt8, TypeKind::kOid, TypeKind::kDate,
        TypeKind::kTime, TypeKind::kTimestamp, TypeKind::kTimestampTz}) {
    const SqlType type{kind};
    ASSERT_TRUE(types::HasNativeIntKey(type));
    ExpectLikeAMap(types::FormatType(type), IntKeysOf(type, kKeys));
  }
}

TEST(IndexPropertiesTest, TypesInEveryDirection) {
  const SqlType all[] = {{TypeKind::kBool},         {TypeKind::kInt4},    {TypeKind::kFloat4},
                         {TypeKind::kFloat8},       {TypeKind::kNumeric}, types::NumericType(9, 2),
                         types::NumericType(38, 6), {TypeKind::kText},    {TypeKind::kBpchar},
                         {TypeKind::kBytea},        {TypeKind::kUuid},    {TypeKind::kInterval}};
  for (const SqlType& type : all) {
    for (const bool descending : {false, true}) {
      const KeyOptions options{.descending = descending, .nulls_first = descending};
      ExpectLikeAMap(types::FormatType(type) + (descending ? " descending" : ""),
                     BytesKeysOf(type, options, kKeys));
    }
  }
}

TEST(IndexPropertiesTest, ThreeColumns) {
  ExpectLikeAMap("int2, text, float8", CompositeKeys(kKeys));
}

// The control: an index that does not erase one of its keys.
class Forgetful : public index::IntIndex {
 public:
  using IntIndex::IntIndex;
  static constexpr uint64_t kKept = 300;
  std::optional<uint64_t> Erase(uint64_t key) {
    return key == kKept ? Lookup(key) : IntIndex::Erase(key);
  }
};
struct ForgetfulKeys : IntKeys {
  using Index = Forgetful;
};

TEST(IndexPropertiesTest, AMistakeIsFoundAndShrunkToWhatShowsIt) {
  const ForgetfulKeys pool{{testutil::MakeKeys(testutil::KeySet::kSequential, kKeys, 7)}};
  std::vector<Operation> least;
  EXPECT_FALSE(rc::check("forgetful", [&](const std::vector<Operation>& operations) {
    try {
      RunAll(pool, 0, operations);
      return true;
    } catch (...) {  // The assertion's.
      least = operations;
      return false;
    }
  }));
  ASSERT_EQ(least.size(), 2U);
  EXPECT_LE(least[0].kind, Kind::kUpsert);
  EXPECT_EQ(least[1].kind, Kind::kErase);
}

}  // namespace
}  // namespace omendb::index_properties
