// segment_fixture.h - a table with a column of every kind for the tests of segments, and its rows.
//
// Ownership  TestTable owns the strings of its rows.
#pragma once

#include <string>
#include <vector>

#include "colstore/segment_reader.h"
#include "colstore/segment_writer.h"
#include "testing/mem_env.h"
#include "testing/prng.h"

namespace omendb::colstore {

inline constexpr uint64_t kTestSystem = 42;

enum class TestKey { kInteger, kText, kComposite, kUuid, kNone };
inline constexpr TestKey kTestKeys[] = {TestKey::kInteger, TestKey::kText, TestKey::kComposite,
                                        TestKey::kUuid, TestKey::kNone};

class TestTable {
 public:
  // Columns: id int8, name text, region int4, uid uuid, price numeric(12,2), score float8, note
  // text with NULLs, flag bool, day date, wide numeric(38,4), spare int2 with NULLs only.
  TestTable(TestKey key, uint32_t rows, uint64_t seed) : key_(key) {
    testutil::Prng prng(seed);
    using types::TypeKind;
    const types::SqlType column_types[] = {
        {TypeKind::kInt8},         {TypeKind::kText},         {TypeKind::kInt4}, {TypeKind::kUuid},
        types::NumericType(12, 2), {TypeKind::kFloat8},       {TypeKind::kText}, {TypeKind::kBool},
        {TypeKind::kDate},         types::NumericType(38, 4), {TypeKind::kInt2}};
    int16_t id = 1;
    for (const types::SqlType& type : column_types) {
      columns_.push_back({ColumnId(id++), type});
    }
    int64_t next_id = -500;
    types::Int128 next_uid = 0;
    for (uint32_t i = 0; i < rows; ++i) {
      next_id += prng.Between(1, 9);
      next_uid += (types::Int128{1} << 90) + static_cast<types::Int128>(prng());
      const bool has_note = prng.Chance(0.3);
      char name[64];
      std::snprintf(name, sizeof(name), "customer-with-a-common-prefix-%08u", i * 3);
      rows_.push_back({types::Value::Int64(next_id), Text(name),
                       types::Value::Int32(static_cast<int32_t>(i / 700)),
                       types::Value::I128(next_uid), types::Value::Int64(prng.Between(0, 99999999)),
                       types::Value::Float64(static_cast<double>(prng.Between(-9999, 9999)) / 10),
                       has_note ? Text("note " + prng.Bytes(prng.Below(60))) : types::Value::Null(),
                       types::Value::Bool(prng.Chance(0.9)),
                       types::Value::Int32(static_cast<int32_t>(18000 + i / 100)),
                       types::Value::I128(prng.Between(0, 1 << 30)), types::Value::Null()});
    }
  }

  SegmentOptions options(uint64_t file_id = 7) const {
    SegmentOptions options{kTestSystem, file_id, Oid(16385), columns_, {}};
    if (key_ == TestKey::kInteger) options.key = {{0, {}}};
    if (key_ == TestKey::kText) options.key = {{1, {}}};
    if (key_ == TestKey::kComposite) options.key = {{2, {}}, {0, {}}};
    if (key_ == TestKey::kUuid) options.key = {{3, {}}};
    return options;
  }

  // The key of a row as lookups give it.
  std::string ByteKey(uint32_t row) const {
    std::string key;
    for (const SegmentKeyColumn& column : options().key) {
      types::AppendKey(columns_[column.column].type, rows_[row][column.column], column.options,
                       key);
    }
    return key;
  }
  uint64_t IntegerKey(uint32_t row) const {
    return types::EncodeIntKey(columns_[0].type, rows_[row][0]);
  }

  Result<SegmentSummary> Write(env::Env& env, const std::string& path,
                               uint32_t version = kFormatVersion) const {
    SegmentOptions as = options();
    as.version = version;
    OMEN_ASSIGN(auto writer, SegmentWriter::Create(env, path, as));
    writer->NoteTimestamp(Timestamp(11));
    writer->NoteTimestamp(Timestamp(5));
    for (const types::Row& row : rows_) OMEN_TRY(writer->AppendRow(row));
    return writer->Finish();
  }

  TestKey key() const { return key_; }
  const std::vector<types::Row>& rows() const { return rows_; }
  const std::vector<SegmentColumn>& columns() const { return columns_; }

 private:
  types::Value Text(std::string_view text) { return types::Value::String(arena_.Copy(text)); }

  const TestKey key_;
  types::Arena arena_;
  std::vector<SegmentColumn> columns_;
  std::vector<types::Row> rows_;
};

}  // namespace omendb::colstore
