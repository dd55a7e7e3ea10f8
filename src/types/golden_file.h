// golden_file.h - reads the goldens that tools/record_types.py recorded from PostgreSQL. For tests.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "types/interval_parser.h"
#include "types/text_io.h"

namespace omendb::types {

using GoldenLine = std::vector<std::string>;

inline std::string UnescapeGolden(const std::string& field) {
  std::string out;
  for (size_t i = 0; i < field.size(); ++i) {
    if (field[i] != '\\' || i + 1 == field.size()) {
      out += field[i];
      continue;
    }
    switch (field[++i]) {
      case 't':
        out += '\t';
        break;
      case 'n':
        out += '\n';
        break;
      case 'r':
        out += '\r';
        break;
      case 'b':
        out += '\b';
        break;
      case 'f':
        out += '\f';
        break;
      case 'v':
        out += '\v';
        break;
      case 'N':
        out += "\\N";
        break;
      default:
        out += field[i];
    }
  }
  return out;
}

inline std::vector<GoldenLine> ReadGolden(const std::string& name) {
  std::ifstream file(std::filesystem::path(__FILE__).parent_path() / "testdata" / name);
  std::vector<GoldenLine> lines;
  std::string text;
  while (std::getline(file, text)) {
    GoldenLine line;
    size_t begin = 0;
    for (size_t tab = text.find('\t'); tab != std::string::npos; tab = text.find('\t', begin)) {
      line.push_back(UnescapeGolden(text.substr(begin, tab - begin)));
      begin = tab + 1;
    }
    line.push_back(UnescapeGolden(text.substr(begin)));
    lines.push_back(std::move(line));
  }
  return lines;
}

// "numeric(5,2)", "interval day to hour", "character(3)[]" as the recorder writes them.
inline SqlType GoldenType(std::string text) {
  SqlType type;
  if (text.ends_with("[]")) {
    type.is_array = true;
    text.resize(text.size() - 2);
  }
  int32_t range = kRangeFull;
  if (text.starts_with("interval ")) {
    const std::pair<const char*, int32_t> fields[] = {
        {"year", kRangeYear}, {"month", kRangeMonth},   {"day", kRangeDay},
        {"hour", kRangeHour}, {"minute", kRangeMinute}, {"second", kRangeSecond}};
    range = 0;
    bool between = false;  // "day to second" is every field from the first to the last.
    for (auto [name, bit] : fields) {
      bool named = text.find(name) != std::string::npos;
      if (named || between) range |= bit;
      if (named) between = text.find(" to ") != std::string::npos && !between;
    }
  }
  size_t paren = text.find('(');
  std::string name = text.substr(0, std::min(paren, text.find(" year")));
  if (text.starts_with("interval")) name = "interval";
  type = SqlType{TypeFromName(name).value().kind, type.is_array, -1};
  int first = 0;
  int second = 0;
  if (paren != std::string::npos) {
    std::string arguments = text.substr(paren + 1);
    first = std::stoi(arguments);
    size_t comma = arguments.find(',');
    if (comma != std::string::npos) second = std::stoi(arguments.substr(comma + 1));
    type.typmod = first;
    if (type.kind == TypeKind::kVarchar || type.kind == TypeKind::kBpchar) type.typmod += 4;
    if (type.kind == TypeKind::kNumeric) type.typmod = ((first << 16) | second) + 4;
  } else if (type.kind == TypeKind::kBpchar) {
    type.typmod = 5;
  }
  if (type.kind == TypeKind::kInterval && (range != kRangeFull || paren != std::string::npos)) {
    type.typmod = range << 16 | (paren != std::string::npos ? first : kIntervalPrecisionNone);
  }
  return type;
}

inline void ApplyGoldenSetting(const std::string& name, const std::string& value,
                               IoSettings& settings) {
  Status status;
  if (name == "#timezone") settings.time_zone = TimeZone::Find(value).value();
  if (name == "#datestyle") status = ParseDateStyle(value, settings);
  if (name == "#intervalstyle") status = ParseIntervalStyle(value, settings);
  if (name == "#extra_float_digits") settings.extra_float_digits = std::stoi(value);
  if (name == "#bytea_output") {
    settings.bytea_output = value == "hex" ? ByteaOutput::kHex : ByteaOutput::kEscape;
  }
  OMEN_CHECK(status.ok());
}

// What OmenDB does not have, and says so: no difference to report.
inline bool IsRefusal(const Status& status) { return status.sqlstate() == "0A000"; }

}  // namespace omendb::types
