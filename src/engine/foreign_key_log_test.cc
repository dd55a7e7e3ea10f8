#include "engine/foreign_key_log.h"

#include <gtest/gtest.h>

#include <deque>

#include "testing/prng.h"

namespace omendb::engine {
namespace {

using testutil::Prng;
using types::PhysicalType;
using types::Value;
using Kind = ForeignKeyLog::Kind;

struct Stream {
  ForeignKeyLog::Subject subject;
  std::vector<PhysicalType> types;
};

const std::vector<Stream>& Streams() {
  using T = PhysicalType;
  static const std::vector<Stream> streams = {
      {{Kind::kReferring, Oid(1), Oid(10), Oid(20)}, {T::kInt32}},
      {{Kind::kDeleted, Oid(1), Oid(10), Oid(20)}, {T::kInt32}},
      {{Kind::kReplaced, Oid(2), Oid(10), Oid(20)}, {T::kInt64, T::kString}},
      {{Kind::kReferring, Oid(2), Oid(10), Oid(20)}, {T::kBool8, T::kInt16, T::kFloat64}},
      {{Kind::kReplaced, Oid(3), Oid(11), Oid(20)}, {T::kInt128, T::kInterval, T::kFloat32}},
      {{Kind::kReplaced, Oid(3), Oid(11), Oid(20)}, {T::kString}},  // The column was altered.
  };
  return streams;
}

// As it was appended; strings owned here.
struct Model {
  std::deque<std::string> strings;
  std::deque<ForeignKeyLog::Event> events;
  uint64_t first = 0;
};

Value RandomValue(PhysicalType type, Prng& random, Model& model) {
  if (random.Below(8) == 0) return Value::Null();
  const uint64_t bits = random.Chance(0.5) ? random() : random.Below(300);
  switch (type) {
    case PhysicalType::kBool8:
      return Value::Bool(bits % 2 == 0);
    case PhysicalType::kInt16:
      return Value::Int16(static_cast<int16_t>(bits));
    case PhysicalType::kInt32:
      return Value::Int32(static_cast<int32_t>(bits));
    case PhysicalType::kInt64:
      return Value::Int64(static_cast<int64_t>(bits));
    case PhysicalType::kInt128:
      return Value::I128(static_cast<types::Int128>(bits) * static_cast<int64_t>(random()));
    case PhysicalType::kFloat32:
      return Value::Float32(static_cast<float>(bits));
    case PhysicalType::kFloat64:
      return Value::Float64(static_cast<double>(bits));
    case PhysicalType::kInterval:
      return Value::OfInterval({static_cast<int32_t>(bits), -5, static_cast<int64_t>(random())});
    case PhysicalType::kString:
      // Some are longer than a block.
      model.strings.push_back(random.Bytes(random.Below(200) == 0 ? 100'000 : bits % 50));
      return Value::String(model.strings.back());
  }
  return Value::Null();
}

void ExpectSame(const std::vector<PhysicalType>& types, const std::vector<Value>& expected,
                const std::vector<Value>& found) {
  ASSERT_EQ(expected.size(), found.size());
  for (size_t i = 0; i < expected.size(); ++i) {
    ASSERT_EQ(expected[i].is_null, found[i].is_null);
    if (expected[i].is_null) continue;
    if (types[i] == PhysicalType::kString) {
      ASSERT_EQ(expected[i].str(), found[i].str());
    } else {
      ASSERT_TRUE(expected[i].i128 == found[i].i128);
    }
  }
}

void ExpectNext(const Model& model, ForeignKeyLog::Reader& reader) {
  const uint64_t number = reader.number();
  ASSERT_LT(number - model.first, model.events.size());
  ForeignKeyLog::Event found;
  ASSERT_TRUE(reader.Next(found));
  const ForeignKeyLog::Event& expected = model.events[number - model.first];
  ASSERT_EQ(expected.subject, found.subject);
  ASSERT_EQ(expected.row.row_id, found.row.row_id);
  ASSERT_EQ(expected.row.version, found.row.version);
  const size_t width = expected.key.size();
  for (const Stream& stream : Streams()) {
    if (stream.subject != expected.subject || stream.types.size() != width) continue;
    ExpectSame(stream.types, expected.key, found.key);
    ExpectSame(stream.types, expected.new_key, found.new_key);
  }
}

void AppendOne(ForeignKeyLog& log, Model& model, Prng& random) {
  const Stream& stream = Streams()[random.Below(Streams().size())];
  ForeignKeyLog::Event event;
  event.subject = stream.subject;
  if (stream.subject.kind == Kind::kReferring) {
    event.row = {RowId(random.Below(1000)), random()};
  }
  for (const PhysicalType type : stream.types) {
    event.key.push_back(RandomValue(type, random, model));
    if (stream.subject.kind == Kind::kReplaced) {
      event.new_key.push_back(RandomValue(type, random, model));
    }
  }
  log.Append(stream.subject, stream.types, event.row, event.key, event.new_key);
  model.events.push_back(std::move(event));
}

TEST(ForeignKeyLogTest, GivesBackWhatWasQueuedWhileItGrowsAndGoesBack) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    Prng random(seed);
    ForeignKeyLog log;
    Model model;
    for (int round = 0; round < 30; ++round) {
      // As actions do, some come while others are read.
      ForeignKeyLog::Reader reader(log);
      for (uint64_t i = random.Below(60); i > 0; --i) {
        AppendOne(log, model, random);
        if (random.Chance(0.4)) continue;
        ASSERT_NO_FATAL_FAILURE(ExpectNext(model, reader));
      }
      while (reader.number() < log.end()) ASSERT_NO_FATAL_FAILURE(ExpectNext(model, reader));
      ForeignKeyLog::Event none;
      ASSERT_FALSE(reader.Next(none));
      ASSERT_EQ(log.size(), model.events.size());
      const uint64_t kept = random.Below(log.size() + 2);
      log.Truncate(model.first + kept);
      if (kept == 0) model.first += model.events.size();
      if (kept < model.events.size()) model.events.resize(kept);
      ASSERT_EQ(log.begin(), model.first);
    }
  }
}

TEST(ForeignKeyLogTest, MarksFromBeforeItWasClearedKeepNothing) {
  const Stream& stream = Streams()[1];
  ForeignKeyLog log;
  for (int32_t i = 0; i < 3; ++i) {
    const Value key[] = {Value::Int32(i)};
    log.Append(stream.subject, stream.types, {}, key, {});
  }
  const uint64_t mark = log.end() - 1;
  log.Clear();
  const Value key[] = {Value::Int32(7)};
  log.Append(stream.subject, stream.types, {}, key, {});
  log.Truncate(log.end());
  EXPECT_EQ(log.size(), 1U);
  log.Truncate(mark);
  EXPECT_TRUE(log.empty());
}

TEST(ForeignKeyLogTest, MillionsOfNeighboursTakeAFewBytesEach) {
  constexpr int32_t kEvents = 1'000'000;
  Prng random(3);
  for (const bool in_order : {true, false}) {
    ForeignKeyLog log;
    const Stream& stream = Streams()[0];
    for (int32_t i = 0; i < kEvents; ++i) {
      const Value key[] = {
          Value::Int32(in_order ? i : static_cast<int32_t>(random.Below(3 << 20)))};
      const auto at = static_cast<uint64_t>(i);
      log.Append(stream.subject, stream.types, {RowId(at), at}, key, {});
    }
    EXPECT_LT(log.memory_bytes(), kEvents * (in_order ? 4.1 : 7.5));
  }
}

}  // namespace
}  // namespace omendb::engine
