// lineitem.h - rows shaped as those of TPC-H's largest table: the generator is our own, seeded, and
// follows the specification's ranges, not its text.
//
// Ownership  A Table owns its values: one vector of cells per column, strings in one arena.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "testing/prng.h"
#include "types/value.h"

namespace omendb::bench {

struct Column {
  std::string name;
  types::SqlType type;
  std::string duckdb_type;
  std::vector<types::Value> values;
};

class Lineitem {
 public:
  explicit Lineitem(uint32_t rows) : rows_(rows) {
    using types::TypeKind;
    const types::SqlType money = types::NumericType(15, 2);
    Add("l_orderkey", {TypeKind::kInt8}, "BIGINT");
    Add("l_linenumber", {TypeKind::kInt4}, "INTEGER");
    Add("l_partkey", {TypeKind::kInt4}, "INTEGER");
    Add("l_suppkey", {TypeKind::kInt4}, "INTEGER");
    Add("l_quantity", money, "DECIMAL(15,2)");
    Add("l_extendedprice", money, "DECIMAL(15,2)");
    Add("l_discount", money, "DECIMAL(15,2)");
    Add("l_tax", money, "DECIMAL(15,2)");
    Add("l_returnflag", {TypeKind::kText}, "VARCHAR");
    Add("l_linestatus", {TypeKind::kText}, "VARCHAR");
    Add("l_shipdate", {TypeKind::kDate}, "DATE");
    Add("l_commitdate", {TypeKind::kDate}, "DATE");
    Add("l_receiptdate", {TypeKind::kDate}, "DATE");
    Add("l_shipinstruct", {TypeKind::kText}, "VARCHAR");
    Add("l_shipmode", {TypeKind::kText}, "VARCHAR");
    Add("l_comment", {TypeKind::kText}, "VARCHAR");
    // Not of TPC-H: what telemetry adds.
    Add("reading", {TypeKind::kFloat8}, "DOUBLE");
    Add("noise", {TypeKind::kFloat8}, "DOUBLE");
    Add("url", {TypeKind::kText}, "VARCHAR");
    Fill();
  }
  uint32_t rows() const { return rows_; }
  const std::vector<Column>& columns() const { return columns_; }

 private:
  void Add(std::string name, types::SqlType type, std::string duckdb_type) {
    columns_.push_back({std::move(name), type, std::move(duckdb_type), {}});
    columns_.back().values.reserve(rows_);
  }
  void Fill() {
    int64_t order = 0;
    int32_t line = 7, lines = 0, order_date = 0;
    for (uint32_t i = 0; i < rows_; ++i) {
      if (++line > lines) {
        // TPC-H uses 8 of 32 order keys.
        order += order % 32 == 8 ? 25 : 1;
        line = 1;
        lines = Int(1, 7);
        order_date = Int(8036, 10441);  // 1992-01-01 to 1998-08-02
      }
      AddRow(order, line, order_date);
    }
  }
  void AddRow(int64_t order, int32_t line, int32_t order_date) {
    static const char* const kInstructions[] = {"DELIVER IN PERSON", "COLLECT COD", "NONE",
                                                "TAKE BACK RETURN"};
    static const char* const kModes[] = {"REG AIR", "AIR", "RAIL", "SHIP", "TRUCK", "MAIL", "FOB"};
    const int32_t part = Int(1, 200'000), quantity = Int(1, 50);
    const int64_t price = int64_t{quantity} * (90000 + part / 10 % 20001 + 100 * (part % 1000));
    const int32_t shipped = order_date + Int(1, 121), received = shipped + Int(1, 30);
    const bool is_old = received <= 9298;  // 1995-06-17
    size_t next = 0;
    const auto put = [&](types::Value value) { columns_[next++].values.push_back(value); };
    put(types::Value::Int64(order));
    put(types::Value::Int32(line));
    put(types::Value::Int32(part));
    put(types::Value::Int32(Int(1, 10'000)));
    put(types::Value::Int64(quantity * 100));
    put(types::Value::Int64(price));
    put(types::Value::Int64(Int(0, 10)));
    put(types::Value::Int64(Int(0, 8)));
    put(Text(is_old ? (Int(0, 1) == 0 ? "R" : "A") : "N"));
    put(Text(shipped > 9298 ? "O" : "F"));
    put(types::Value::Int32(shipped));
    put(types::Value::Int32(order_date + Int(30, 90)));
    put(types::Value::Int32(received));
    put(Text(kInstructions[Int(0, 3)]));
    put(Text(kModes[Int(0, 6)]));
    put(Text(Comment()));
    put(types::Value::Float64(static_cast<double>(Int(150, 350)) / 10));
    put(types::Value::Float64(static_cast<double>(prng_() >> 11) * 0x1.0p-53));
    put(Text("https://shop.example.com/catalog/" + std::string(kModes[Int(0, 6)]) + "/item-" +
             std::to_string(part) + "?ref=mail&session=" + std::to_string(Int(1, 1 << 30))));
  }
  std::string Comment() {
    static const char* const kWords[] = {
        "furiously", "quickly",     "carefully", "blithely", "deposits", "requests",  "accounts",
        "packages",  "theodolites", "ideas",     "foxes",    "pending",  "regular",   "express",
        "special",   "ironic",      "final",     "bold",     "even",     "silent",    "sleep",
        "haggle",    "nag",         "wake",      "cajole",   "detect",   "integrate", "above",
        "according", "along",       "among",     "the",      "slyly",    "unusual",   "platelets"};
    std::string text;
    const auto size = static_cast<size_t>(Int(10, 43));
    while (text.size() < size) {
      if (!text.empty()) text += ' ';
      text += kWords[prng_.Below(std::size(kWords))];
    }
    text.resize(size);
    return text;
  }
  int32_t Int(int32_t low, int32_t high) { return static_cast<int32_t>(prng_.Between(low, high)); }
  types::Value Text(std::string_view text) { return types::Value::String(arena_.Copy(text)); }

  const uint32_t rows_;
  testutil::Prng prng_{42};
  types::Arena arena_;
  std::vector<Column> columns_;
};

}  // namespace omendb::bench
