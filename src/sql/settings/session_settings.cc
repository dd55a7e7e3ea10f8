#include "sql/settings/session_settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/sqlstate.h"

namespace omendb::sql {
namespace {

// A setting of an extension or application: "myapp.user".
bool IsCustomName(std::string_view name) { return name.find('.') != std::string_view::npos; }

bool AffectsPlans(std::string_view name) {
  constexpr std::string_view kNames[] = {"search_path",        "TimeZone", "DateStyle",
                                         "IntervalStyle",      "role",     "session_authorization",
                                         "omendb.row_executor"};
  return std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames);
}

Status Unrecognized(std::string_view name) {
  return Status(sqlstate::kUndefinedObject,
                fmt::format("unrecognized configuration parameter \"{}\"", name));
}

}  // namespace

Result<std::vector<std::string>> SplitIdentifierList(std::string_view text) {
  std::vector<std::string> names;
  size_t i = 0;
  auto blank = [&] {
    return i < text.size() && (text[i] == ' ' || text[i] == '\t' || text[i] == '\n');
  };
  while (true) {
    while (blank()) ++i;
    if (i == text.size() && names.empty()) return names;
    std::string name;
    if (i < text.size() && text[i] == '"') {
      for (++i;; ++i) {
        if (i == text.size())
          return Status(sqlstate::kInvalidParameterValue, "List syntax is invalid.");
        if (text[i] == '"') {
          if (i + 1 < text.size() && text[i + 1] == '"') {
            ++i;
          } else {
            break;
          }
        }
        name += text[i];
      }
      ++i;
    } else {
      while (i < text.size() && text[i] != ',' && !blank()) {
        name += text[i] >= 'A' && text[i] <= 'Z' ? static_cast<char>(text[i] + 32) : text[i];
        ++i;
      }
      if (name.empty()) return Status(sqlstate::kInvalidParameterValue, "List syntax is invalid.");
    }
    names.push_back(std::move(name));
    while (blank()) ++i;
    if (i == text.size()) return names;
    if (text[i++] != ',')
      return Status(sqlstate::kInvalidParameterValue, "List syntax is invalid.");
  }
}

SessionSettings::SessionSettings() {
  for (const char* name : {"TimeZone", "DateStyle", "search_path"}) Apply(name);
}

const SettingDef* SessionSettings::Known(std::string_view name) const { return FindSetting(name); }

std::string SessionSettings::Get(std::string_view name) const {
  const SettingDef* def = Known(name);
  if (def != nullptr) name = def->name;
  if (auto found = values_.find(name); found != values_.end()) return found->second;
  return GetReset(name);
}

std::string SessionSettings::GetReset(std::string_view name) const {
  const SettingDef* def = Known(name);
  if (def != nullptr) name = def->name;
  if (auto found = defaults_.find(name); found != defaults_.end()) return found->second;
  return def == nullptr ? "" : std::string(def->boot_value);
}

std::string_view SessionSettings::GetSource(std::string_view name) const {
  if (values_.find(name) != values_.end()) return "session";
  if (auto found = sources_.find(name); found != sources_.end()) return found->second;
  return "default";
}

int64_t SessionSettings::GetInteger(std::string_view name) const {
  const std::string text = Get(name);
  int64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

Result<std::string> SessionSettings::Show(std::string_view name) const {
  const SettingDef* def = Known(name);
  if (def != nullptr) return FormatSettingValue(*def, Get(def->name));
  if (auto found = values_.find(name); found != values_.end()) return found->second;
  if (auto found = defaults_.find(name); found != defaults_.end()) return found->second;
  return Unrecognized(name);
}

// The value in its stored form, checked by the type and by what only this setting knows.
Result<std::string> SessionSettings::Check(const SettingDef& def, std::string_view value) {
  OMEN_ASSIGN(std::string stored, ParseSettingValue(def, value));
  types::IoSettings probe = io_;
  auto bad = [&](const Status& why) {
    return Status(sqlstate::kInvalidParameterValue,
                  fmt::format("invalid value for parameter \"{}\": \"{}\"", def.name, value))
        .WithDetail(why.error().message);
  };
  if (def.name == "TimeZone") {
    auto zone = types::TimeZone::Find(value);
    if (!zone.ok()) {
      return Status(sqlstate::kInvalidParameterValue,
                    fmt::format("invalid value for parameter \"TimeZone\": \"{}\"", value));
    }
    return (*zone)->name();
  }
  if (def.name == "DateStyle") {
    Status status = types::ParseDateStyle(value, probe);
    if (!status.ok()) {
      return status.error().message.starts_with("invalid value") ? status : bad(status);
    }
    return types::FormatDateStyle(probe);
  }
  if (def.name == "IntervalStyle") OMEN_TRY(types::ParseIntervalStyle(stored, probe));
  if (def.name == "search_path" && !SplitIdentifierList(value).ok()) {
    return bad(Status(sqlstate::kInvalidParameterValue, "List syntax is invalid."));
  }
  if (def.name == "client_encoding") {
    std::string lower(value);
    std::transform(lower.begin(), lower.end(), lower.begin(), ::tolower);
    // As PostgreSQL looks encodings up: asyncpg sends 'utf-8' with the quotes.
    lower.erase(std::remove_if(lower.begin(), lower.end(), [](char c) { return !::isalnum(c); }),
                lower.end());
    if (lower != "utf8" && lower != "unicode" && lower != "auto" && lower != "sqlascii") {
      return Status(sqlstate::kInvalidParameterValue,
                    fmt::format("invalid value for parameter \"client_encoding\": \"{}\"", value))
          .WithDetail("OmenDB speaks UTF8 only.");
    }
    return std::string("UTF8");
  }
  if (def.name == "standard_conforming_strings" && stored == "off") {
    return NotSupported("standard_conforming_strings = off");
  }
  if (def.name == "application_name") {
    for (char& c : stored) {
      if (static_cast<unsigned char>(c) < 32 || static_cast<unsigned char>(c) > 126) c = '?';
    }
    constexpr size_t kNameBytes = 63;
    if (stored.size() > kNameBytes) stored.resize(kNameBytes);
  }
  return stored;
}

Status SessionSettings::CheckChangeable(std::string_view name, bool superuser) const {
  const SettingDef* def = Known(name);
  if (def == nullptr) return IsCustomName(name) ? Status::Ok() : Unrecognized(name);
  switch (def->context) {
    case SettingContext::kInternal:
      return Status(sqlstate::kCantChangeRuntimeParam,
                    fmt::format("parameter \"{}\" cannot be changed", def->name));
    case SettingContext::kPostmaster:
      return Status(sqlstate::kCantChangeRuntimeParam,
                    fmt::format("parameter \"{}\" cannot be changed without restarting the server",
                                def->name));
    case SettingContext::kSighup:
      return Status(sqlstate::kCantChangeRuntimeParam,
                    fmt::format("parameter \"{}\" cannot be changed now", def->name));
    case SettingContext::kBackend:
    case SettingContext::kSuperuserBackend:
      return Status(
          sqlstate::kCantChangeRuntimeParam,
          fmt::format("parameter \"{}\" cannot be set after connection start", def->name));
    case SettingContext::kSuperuser:
      if (!superuser) {
        return Status(sqlstate::kInsufficientPrivilege,
                      fmt::format("permission denied to set parameter \"{}\"", def->name));
      }
      return Status::Ok();
    case SettingContext::kUser:
      return Status::Ok();
  }
  return Status::Ok();
}

Status SessionSettings::SetDefault(std::string_view name, std::string_view value,
                                   std::string_view source) {
  const SettingDef* def = Known(name);
  std::string key(def != nullptr ? def->name : name);
  if (def == nullptr && !IsCustomName(name)) return Unrecognized(name);
  std::string stored(value);
  if (def != nullptr) {
    OMEN_ASSIGN(stored, Check(*def, value));
  }
  defaults_[key] = stored;
  sources_[key] = source;
  Apply(key);
  return Status::Ok();
}

void SessionSettings::SetInternal(std::string_view name, std::string_view value) {
  defaults_[std::string(name)] = value;
  if (on_report_ && IsReported(name)) on_report_(name, value);
}

Status SessionSettings::Set(std::string_view name, std::string_view value, Scope scope,
                            bool superuser) {
  OMEN_TRY(CheckChangeable(name, superuser));
  const SettingDef* def = Known(name);
  const std::string key(def != nullptr ? def->name : name);
  std::string stored(value);
  if (def != nullptr) {
    OMEN_ASSIGN(stored, Check(*def, value));
  }
  auto found = values_.find(key);
  undo_.push_back({key, found != values_.end() ? found->second : "", found != values_.end(),
                   scope == Scope::kLocal});
  Store(key, &stored);
  return Status::Ok();
}

Status SessionSettings::Reset(std::string_view name, bool superuser) {
  OMEN_TRY(CheckChangeable(name, superuser));
  const SettingDef* def = Known(name);
  const std::string key(def != nullptr ? def->name : name);
  auto found = values_.find(key);
  if (found == values_.end()) return Status::Ok();
  undo_.push_back({key, found->second, true, false});
  Store(key, nullptr);
  return Status::Ok();
}

void SessionSettings::ResetAll() {
  std::vector<std::string> names;
  for (const auto& [name, value] : values_) {
    if (name != "role" && name != "session_authorization" && !name.starts_with("transaction_")) {
      names.push_back(name);
    }
  }
  for (const std::string& name : names) {
    undo_.push_back({name, values_[name], true, false});
    Store(name, nullptr);
  }
}

void SessionSettings::Store(const std::string& name, const std::string* value) {
  const std::string before = Get(name);
  if (value == nullptr) {
    values_.erase(name);
  } else {
    values_[name] = *value;
  }
  const std::string after = Get(name);
  if (before == after) return;
  Apply(name);
  if (on_report_ && IsReported(name)) on_report_(name, after);
}

// Keeps what is read on every statement in parsed form.
void SessionSettings::Apply(const std::string& name) {
  if (AffectsPlans(name)) ++plan_generation_;
  const std::string value = Get(name);
  if (name == "TimeZone") {
    auto zone = types::TimeZone::Find(value);
    if (zone.ok()) io_.time_zone = *zone;
  } else if (name == "DateStyle") {
    (void)types::ParseDateStyle(value, io_).ok();
  } else if (name == "IntervalStyle") {
    (void)types::ParseIntervalStyle(value, io_).ok();
  } else if (name == "bytea_output") {
    io_.bytea_output = value == "escape" ? types::ByteaOutput::kEscape : types::ByteaOutput::kHex;
  } else if (name == "extra_float_digits") {
    io_.extra_float_digits = static_cast<int>(GetInteger(name));
  } else if (name == "search_path") {
    auto names = SplitIdentifierList(value);
    if (names.ok()) search_path_ = *names;
  } else if (name == "statement_timeout") {
    statement_timeout_ms_ = static_cast<uint64_t>(GetInteger(name));
  } else if (name == "lock_timeout") {
    lock_timeout_ms_ = static_cast<uint64_t>(GetInteger(name));
  } else if (name == "idle_in_transaction_session_timeout") {
    idle_in_transaction_timeout_ms_ = static_cast<uint64_t>(GetInteger(name));
  } else if (name == "synchronous_commit") {
    synchronous_commit_ = value != "off";
  } else if (name == "default_transaction_isolation") {
    default_isolation_ = value;
  } else if (name == "default_transaction_read_only") {
    default_read_only_ = value == "on";
  } else if (name == "default_transaction_deferrable") {
    default_deferrable_ = value == "on";
  } else if (name == "omendb.row_executor") {
    row_executor_ = value == "on";
  } else if (name == "omendb.read_damaged_tables") {
    read_damaged_tables_ = value == "on";
  } else if (name == "omendb.progress_notices") {
    progress_notices_ms_ = static_cast<uint64_t>(GetInteger(name));
  } else if (name == "standard_conforming_strings") {
    standard_conforming_strings_ = value == "on";
  }
}

void SessionSettings::RollbackTo(size_t mark) {
  while (undo_.size() > mark) {
    Undo undo = std::move(undo_.back());
    undo_.pop_back();
    Store(undo.name, undo.had_value ? &undo.value : nullptr);
  }
}

// SET LOCAL ends: the value before the first SET LOCAL, or the last plain SET after it, stays.
void SessionSettings::CommitTransaction() {
  if (undo_.empty()) return;
  std::map<std::string, Undo> restore;
  for (const Undo& undo : undo_) {
    if (!undo.local) {
      restore.erase(undo.name);
    } else {
      restore.emplace(undo.name, undo);
    }
  }
  undo_.clear();
  for (auto& [name, undo] : restore) Store(name, undo.had_value ? &undo.value : nullptr);
}

void SessionSettings::RollbackTransaction() { RollbackTo(0); }

}  // namespace omendb::sql
