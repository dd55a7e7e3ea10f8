// registry.h - every setting there is: PostgreSQL 15's, by name, type, unit, range and context, and
// the few of OmenDB's own (omendb.*).
//
// Thread safety  Constant data.
// See            PostgreSQL 15, chapter 20 "Server Configuration"; docs/settings.md says which of
//                them have an effect here.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace omendb::sql {

enum class SettingType : uint8_t { kBool, kInteger, kReal, kString, kEnum };
// Who may change it: nobody, only at server start, on reload, at connection start, superusers,
// users.
enum class SettingContext : uint8_t {
  kInternal,
  kPostmaster,
  kSighup,
  kSuperuserBackend,
  kBackend,
  kSuperuser,
  kUser,
};

struct SettingDef {
  std::string_view name;
  SettingType type;
  SettingContext context;
  std::string_view unit;  // "ms", "kB", "8kB", ...; empty = none
  std::string_view boot_value;
  std::string_view min;
  std::string_view max;
  std::string_view choices;  // kEnum: comma-separated
  std::string_view category;
};

// Sorted by name, ignoring case.
std::span<const SettingDef> AllSettings();
// Case is ignored; nullptr when there is none.
const SettingDef* FindSetting(std::string_view name);
// What a number is unless somebody gives it, in the setting's unit. Requires: there is one.
uint64_t DefaultNumber(std::string_view name);
// Sent to the client as ParameterStatus whenever it changes.
bool IsReported(std::string_view name);
std::string_view ContextName(SettingContext context);
std::string_view TypeNameOf(SettingType type);

// Reads a value as SET takes it ("on", "5s", "64MB", "Serializable") into the form that is stored:
// the number in the setting's unit, the choice in lower case. 22023 with PostgreSQL's messages.
Result<std::string> ParseSettingValue(const SettingDef& setting, std::string_view text);
// The stored form as SHOW prints it: "5s", "64MB".
std::string FormatSettingValue(const SettingDef& setting, std::string_view stored);

}  // namespace omendb::sql
