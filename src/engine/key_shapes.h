// key_shapes.h - tables with primary keys of every shape, for tests: all have the columns id, v and
// s of table "t" (engine_fixture.h), and others behind them that follow from the id.
#pragma once

#include <string>
#include <vector>

#include "engine/engine_fixture.h"
#include "types/value.h"

namespace omendb::engine {

struct KeyShape {
  const char* name;
  std::vector<KeyPart> primary;  // id 0, grp 3, name 4, u 5
};

inline const KeyShape kKeyShapes[] = {
    {"integer", {{0}}}, {"descending", {{0, true}}},           {"composite", {{3, true}, {4}}},
    {"text", {{4}}},    {"text_descending", {{4, true}, {3}}}, {"uuid", {{5}}},
};

inline std::string NameOfShape(const KeyShape& shape) { return shape.name; }

// What a table of the shape is made of; indexes are the caller's.
inline TableSpec SpecOf(const KeyShape& shape) {
  TableSpec spec;
  spec.columns.push_back({"grp", types::TypeKind::kInt4});
  spec.columns.push_back({"name", types::TypeKind::kText});
  spec.columns.push_back({"u", types::TypeKind::kUuid});
  spec.primary = shape.primary;
  return spec;
}

// Rows of such a table; their texts live as long as this. Not thread-safe.
class ShapedRows {
 public:
  explicit ShapedRows(const KeyShape& shape) : shape_(shape) {}

  // Valid until the next call, but for its texts.
  const types::Row& RowOf(int32_t id, int32_t v, std::string_view s) {
    // Of other lengths and in another order than the ids, with much in common.
    const std::string name = "the key of row " + std::to_string(id * 7919 % 1000) +
                             std::string(static_cast<size_t>(id % 9), 'x') + std::to_string(id);
    const auto high = static_cast<uint64_t>(id + 1) * 0x9e3779b97f4a7c15;
    row_ = {Int(id),
            Int(v),
            Text(arena_.Copy(s)),
            Int(id % 5),
            Text(arena_.Copy(name)),
            types::Value::I128(static_cast<types::Int128>(high) << 60 | id)};
    return row_;
  }
  const types::Row& KeyOf(int32_t id) {
    RowOf(id, 0, "");
    key_.clear();
    for (const KeyPart& part : shape_.primary) key_.push_back(row_[part.column]);
    return key_;
  }

  std::optional<RowRef> Find(StatementContext& context, Relation& relation, int32_t id) {
    const auto found = relation.Lookup(context, relation.table().primary_key()->oid, KeyOf(id));
    EXPECT_TRUE(found.ok()) << found.status().ToString();
    return found.ok() ? *found : std::nullopt;
  }

 private:
  const KeyShape& shape_;
  types::Arena arena_;
  types::Row row_;
  types::Row key_;
};

}  // namespace omendb::engine
