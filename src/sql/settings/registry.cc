#include "sql/settings/registry.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "base/sqlstate.h"
#include "sql/settings/setting_table.h"

namespace omendb::sql {
namespace {

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

std::string Lowered(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(), Lower);
  return lower;
}

int CompareIgnoreCase(std::string_view a, std::string_view b) {
  return Lowered(a).compare(Lowered(b));
}

struct Unit {
  std::string_view name;
  double factor;  // in the smallest unit of its kind: microseconds or bytes
};
constexpr Unit kTimeUnits[] = {{"d", 86400e6}, {"h", 3600e6}, {"min", 60e6},
                               {"s", 1e6},     {"ms", 1e3},   {"us", 1}};
constexpr double kKilo = 1024;
constexpr Unit kSizeUnits[] = {{"TB", kKilo* kKilo* kKilo* kKilo},
                               {"GB", kKilo* kKilo* kKilo},
                               {"MB", kKilo* kKilo},
                               {"kB", kKilo},
                               {"B", 1}};

bool IsTimeUnit(std::string_view unit) {
  return unit == "ms" || unit == "s" || unit == "min" || unit == "us";
}

// The setting's own unit in microseconds or bytes ("8kB" is one).
double UnitFactor(std::string_view unit) {
  double count = 1;
  size_t digits = unit.find_first_not_of("0123456789");
  if (digits > 0 && digits != std::string_view::npos) {
    count = std::stod(std::string(unit.substr(0, digits)));
    unit.remove_prefix(digits);
  }
  for (const Unit& u : kTimeUnits) {
    if (u.name == unit) return count * u.factor;
  }
  for (const Unit& u : kSizeUnits) {
    if (u.name == unit) return count * u.factor;
  }
  return 1;
}

Status InvalidValue(const SettingDef& setting, std::string_view text) {
  return Status(sqlstate::kInvalidParameterValue,
                fmt::format("invalid value for parameter \"{}\": \"{}\"", setting.name, text));
}

Result<std::string> ParseBool(const SettingDef& setting, std::string_view text) {
  const std::string lower = Lowered(text);
  auto prefix = [&](std::string_view word, size_t least) {
    return lower.size() >= least && word.substr(0, lower.size()) == lower;
  };
  if (lower == "1" || prefix("true", 1) || prefix("yes", 1) || lower == "on") {
    return std::string("on");
  }
  if (lower == "0" || prefix("false", 1) || prefix("no", 1) || prefix("off", 2)) {
    return std::string("off");
  }
  return Status(sqlstate::kInvalidParameterValue,
                fmt::format("parameter \"{}\" requires a Boolean value", setting.name));
}

std::string UnitHint(const SettingDef& setting) {
  if (IsTimeUnit(setting.unit)) {
    return "Valid units for this parameter are \"us\", \"ms\", \"s\", \"min\", \"h\", and \"d\".";
  }
  return "Valid units for this parameter are \"B\", \"kB\", \"MB\", \"GB\", and \"TB\".";
}

Status OutOfRange(const SettingDef& setting, std::string_view value) {
  const std::string unit = setting.unit.empty() ? "" : " " + std::string(setting.unit);
  return Status(sqlstate::kInvalidParameterValue,
                fmt::format("{}{} is outside the valid range for parameter \"{}\" ({} .. {})",
                            value, unit, setting.name, setting.min, setting.max));
}

Result<std::string> ParseNumber(const SettingDef& setting, std::string_view text) {
  std::string trimmed(text);
  while (!trimmed.empty() && trimmed.back() == ' ') trimmed.pop_back();
  char* end = nullptr;
  const char* begin = trimmed.c_str();
  double value = trimmed.starts_with("0x") ? static_cast<double>(std::strtoll(begin, &end, 16))
                                           : std::strtod(begin, &end);
  if (end == begin || !std::isfinite(value)) return InvalidValue(setting, text);
  std::string_view suffix = end;
  while (!suffix.empty() && suffix.front() == ' ') suffix.remove_prefix(1);
  if (!suffix.empty()) {
    if (setting.unit.empty()) return InvalidValue(setting, text);
    std::span<const Unit> units = IsTimeUnit(setting.unit) ? std::span<const Unit>(kTimeUnits)
                                                           : std::span<const Unit>(kSizeUnits);
    auto unit =
        std::find_if(units.begin(), units.end(), [&](const Unit& u) { return u.name == suffix; });
    if (unit == units.end()) {
      return InvalidValue(setting, text).WithHint(UnitHint(setting));
    }
    value = value * unit->factor / UnitFactor(setting.unit);
  }
  if (setting.type == SettingType::kInteger) value = std::rint(value);
  std::string stored = setting.type == SettingType::kInteger
                           ? fmt::format("{}", static_cast<int64_t>(value))
                           : fmt::format("{:g}", value);
  if (!setting.min.empty() && value < std::stod(std::string(setting.min))) {
    return OutOfRange(setting, stored);
  }
  if (!setting.max.empty() && value > std::stod(std::string(setting.max))) {
    return OutOfRange(setting, stored);
  }
  return stored;
}

Result<std::string> ParseEnum(const SettingDef& setting, std::string_view text) {
  const std::string lower = Lowered(text);
  std::string listed;
  std::string_view rest = setting.choices;
  while (!rest.empty()) {
    size_t comma = std::min(rest.find(','), rest.size());
    std::string_view choice = rest.substr(0, comma);
    if (choice == lower) return lower;
    listed += (listed.empty() ? "" : ", ") + std::string(choice);
    rest.remove_prefix(std::min(comma + 1, rest.size()));
  }
  // Enumerations of on and off take every spelling of a Boolean.
  if (setting.choices.find("on") != std::string_view::npos) {
    auto boolean = ParseBool(setting, text);
    if (boolean.ok() && setting.choices.find(*boolean) != std::string_view::npos) return boolean;
  }
  return InvalidValue(setting, text).WithHint("Available values: " + listed + ".");
}

}  // namespace

std::span<const SettingDef> AllSettings() { return SettingTable(); }

const SettingDef* FindSetting(std::string_view name) {
  auto all = SettingTable();
  auto found = std::lower_bound(all.begin(), all.end(), name,
                                [](const SettingDef& def, std::string_view key) {
                                  return CompareIgnoreCase(def.name, key) < 0;
                                });
  if (found != all.end() && CompareIgnoreCase(found->name, name) == 0) return &*found;
  return nullptr;
}

uint64_t DefaultNumber(std::string_view name) {
  return std::stoull(std::string(FindSetting(name)->boot_value));
}

bool IsReported(std::string_view name) {
  constexpr std::string_view kReported[] = {"application_name",
                                            "client_encoding",
                                            "DateStyle",
                                            "default_transaction_read_only",
                                            "in_hot_standby",
                                            "integer_datetimes",
                                            "IntervalStyle",
                                            "is_superuser",
                                            "server_encoding",
                                            "server_version",
                                            "session_authorization",
                                            "standard_conforming_strings",
                                            "TimeZone"};
  return std::find(std::begin(kReported), std::end(kReported), name) != std::end(kReported);
}

std::string_view ContextName(SettingContext context) {
  constexpr std::array<std::string_view, 7> kNames = {
      "internal", "postmaster", "sighup", "superuser-backend", "backend", "superuser", "user"};
  return kNames[static_cast<size_t>(context)];
}

std::string_view TypeNameOf(SettingType type) {
  constexpr std::array<std::string_view, 5> kNames = {"bool", "integer", "real", "string", "enum"};
  return kNames[static_cast<size_t>(type)];
}

Result<std::string> ParseSettingValue(const SettingDef& setting, std::string_view text) {
  switch (setting.type) {
    case SettingType::kBool:
      return ParseBool(setting, text);
    case SettingType::kInteger:
    case SettingType::kReal:
      return ParseNumber(setting, text);
    case SettingType::kEnum:
      return ParseEnum(setting, text);
    case SettingType::kString:
      return std::string(text);
  }
  return std::string(text);
}

std::string FormatSettingValue(const SettingDef& setting, std::string_view stored) {
  if (setting.unit.empty() || setting.type != SettingType::kInteger) return std::string(stored);
  int64_t value = 0;
  std::from_chars(stored.data(), stored.data() + stored.size(), value);
  if (value <= 0) return std::string(stored);
  const bool is_time = IsTimeUnit(setting.unit);
  const auto base = static_cast<int64_t>(UnitFactor(setting.unit));
  std::span<const Unit> units =
      is_time ? std::span<const Unit>(kTimeUnits) : std::span<const Unit>(kSizeUnits);
  for (const Unit& unit : units) {
    const auto factor = static_cast<int64_t>(unit.factor);
    if (value * base % factor == 0) return fmt::format("{}{}", value * base / factor, unit.name);
  }
  return std::string(stored);
}

}  // namespace omendb::sql
