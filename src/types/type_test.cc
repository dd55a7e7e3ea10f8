#include "types/type.h"

#include <gtest/gtest.h>

#include <set>

namespace omendb::types {
namespace {

TEST(TypeTest, EveryKindHasAnOidThatLeadsBack) {
  std::set<uint32_t> oids;
  for (int i = 0; i < kTypeKindCount; ++i) {
    for (bool is_array : {false, true}) {
      SqlType type{static_cast<TypeKind>(i), is_array};
      if (is_array && (type.kind == TypeKind::kUnknown || type.kind == TypeKind::kVoid)) continue;
      uint32_t oid = TypeOid(type);
      EXPECT_TRUE(oids.insert(oid).second) << oid;
      EXPECT_EQ(TypeFromOid(oid).value(), type);
      EXPECT_EQ(TypeFromName(TypeName(type)).value(), type);
    }
  }
}

TEST(TypeTest, OidsArePostgres) {
  EXPECT_EQ(TypeOid({TypeKind::kInt4}), 23u);
  EXPECT_EQ(TypeOid({TypeKind::kInt4, true}), 1007u);
  EXPECT_EQ(TypeOid({TypeKind::kNumeric}), 1700u);
  EXPECT_EQ(TypeOid({TypeKind::kTimestampTz}), 1184u);
  EXPECT_EQ(TypeOid({TypeKind::kJsonb, true}), 3807u);
  EXPECT_EQ(TypeOid({TypeKind::kRegnamespace}), 4089u);
}

TEST(TypeTest, NamesInEverySpelling) {
  struct Case {
    const char* name;
    SqlType type;
  };
  const Case cases[] = {
      {"int", {TypeKind::kInt4}},
      {"integer", {TypeKind::kInt4}},
      {"int8", {TypeKind::kInt8}},
      {"decimal", {TypeKind::kNumeric}},
      {"character varying", {TypeKind::kVarchar}},
      {"double precision", {TypeKind::kFloat8}},
      {"char", {TypeKind::kChar}},
      {"bpchar", {TypeKind::kBpchar}},
      {"timestamp with time zone", {TypeKind::kTimestampTz}},
      {"_int4", {TypeKind::kInt4, true}},
      {"_text", {TypeKind::kText, true}},
  };
  for (const Case& c : cases) EXPECT_EQ(TypeFromName(c.name).value(), c.type) << c.name;
  EXPECT_EQ(TypeFromName("int4", -1, true).value(), (SqlType{TypeKind::kInt4, true}));
}

TEST(TypeTest, UnknownAndUnsupportedNamesDiffer) {
  Status unknown = TypeFromName("serial").status();
  EXPECT_EQ(unknown.sqlstate(), "42704");
  EXPECT_EQ(unknown.error().message, "type \"serial\" does not exist");
  EXPECT_EQ(TypeFromName("money").status().sqlstate(), "0A000");
  EXPECT_EQ(TypeFromOid(99).status().sqlstate(), "42704");
}

TEST(TypeTest, FormatsAsFormatType) {
  EXPECT_EQ(FormatType({TypeKind::kInt4, true}), "integer[]");
  EXPECT_EQ(FormatType(VarcharType(10)), "character varying(10)");
  EXPECT_EQ(FormatType({TypeKind::kBpchar, false, 9}), "character(5)");
  EXPECT_EQ(FormatType(NumericType(10, 2)), "numeric(10,2)");
  EXPECT_EQ(FormatType({TypeKind::kTimestamp, false, 3}), "timestamp(3) without time zone");
  EXPECT_EQ(FormatType({TypeKind::kTimestampTz, true, 0}), "timestamp(0) with time zone[]");
  EXPECT_EQ(FormatType({TypeKind::kTime, false, 6}), "time(6) without time zone");
  EXPECT_EQ(FormatType({TypeKind::kInterval, false, 0x7FFF << 16 | 3}), "interval(3)");
  EXPECT_EQ(FormatType({TypeKind::kInterval, false, (6 << 16) | 0xFFFF}), "interval year to month");
  EXPECT_EQ(FormatType({TypeKind::kChar}), "\"char\"");
}

TEST(TypeTest, NumericWidthFollowsPrecision) {
  EXPECT_EQ(PhysicalTypeOf(NumericType(4, 2)), PhysicalType::kInt16);
  EXPECT_EQ(PhysicalTypeOf(NumericType(5, 2)), PhysicalType::kInt32);
  EXPECT_EQ(PhysicalTypeOf(NumericType(9, 9)), PhysicalType::kInt32);
  EXPECT_EQ(PhysicalTypeOf(NumericType(18, 0)), PhysicalType::kInt64);
  EXPECT_EQ(PhysicalTypeOf(NumericType(19, 0)), PhysicalType::kInt128);
  EXPECT_EQ(PhysicalTypeOf({TypeKind::kNumeric}), PhysicalType::kString);
  const SqlType legacy{TypeKind::kNumeric, false, kLegacyNumericTypmod};
  EXPECT_EQ(PhysicalTypeOf(legacy), PhysicalType::kInt128);
  EXPECT_EQ(legacy.numeric_precision(), 38);
  EXPECT_EQ(legacy.numeric_scale(), kLegacyNumericScale);
  EXPECT_EQ(FormatType(legacy), "numeric");
  EXPECT_EQ(NumericType(10, 3).numeric_precision(), 10);
  EXPECT_EQ(NumericType(10, 3).numeric_scale(), 3);
}

}  // namespace
}  // namespace omendb::types
