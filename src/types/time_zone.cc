#include "types/time_zone.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>
#include <map>

#include "base/bytes.h"
#include "base/mutex.h"
#include "base/sqlstate.h"
#include "types/calendar.h"
#include "types/text_parsers.h"

namespace omendb::types {

// Builds a zone from a TZif file or a POSIX string.
class TimeZoneParser {
 public:
  static std::shared_ptr<const TimeZone> FromFile(std::string name, std::string_view bytes);
  static std::shared_ptr<const TimeZone> FromPosix(std::string name, std::string_view text);
  static std::shared_ptr<const TimeZone> FromOffset(std::string name, int32_t seconds_east,
                                                    std::string abbreviation);

 private:
  explicit TimeZoneParser(std::string name) : zone_(std::make_shared<TimeZone>()) {
    zone_->name_ = std::move(name);
  }
  struct Header {
    uint32_t utc_indicators, standard_indicators, leaps, transitions, kinds, characters;
  };
  static bool ReadHeader(std::string_view& rest, char& version, Header& header);
  bool ReadBody(std::string_view& rest, const Header& header);
  bool ReadRule(std::string_view text);
  bool ReadAbbreviation(std::string& out);
  bool ReadOffset(int32_t& seconds);
  bool ReadRuleDate(TimeZone::RuleDate& date);
  bool ReadNumber(int& number);
  uint32_t Intern(std::string abbreviation);

  std::shared_ptr<TimeZone> zone_;
  std::string_view rest_;  // Of a POSIX string.
};

namespace {

constexpr size_t kHeaderBytes = 44;
constexpr size_t kLeapBytes = 12;
constexpr char kZoneFolder[] = "/usr/share/zoneinfo/";
constexpr int kRuleSecondsDefault = 2 * 3600;

// Names go into a path: nothing but what zone names are made of.
bool IsSafeName(std::string_view name) {
  if (name.empty() || name.size() > 64 || !IsAlpha(name.front())) return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return IsAlpha(c) || IsDigit(c) || c == '/' || c == '_' || c == '-' || c == '+';
  });
}

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return {};
  std::string bytes{std::istreambuf_iterator<char>(file), {}};
  return file.bad() ? std::string() : bytes;
}

// Names in lower case to the spelling that tzdata.zi has: file names are case-sensitive.
std::map<std::string, std::string, std::less<>> ReadZoneNames() {
  std::map<std::string, std::string, std::less<>> names;
  std::ifstream table(std::string(kZoneFolder) + "tzdata.zi");
  std::string line;
  while (std::getline(table, line)) {
    // "Z name ..." and "L target name".
    if (line.size() < 3 || (line[0] != 'Z' && line[0] != 'L') || line[1] != ' ') continue;
    size_t begin = line[0] == 'Z' ? 2 : line.find(' ', 2) + 1;
    std::string name = line.substr(begin, line.find(' ', begin) - begin);
    std::string folded;
    for (char c : name) folded += ToLower(c);
    names.emplace(std::move(folded), std::move(name));
  }
  return names;
}

std::string CanonicalName(std::string_view name) {
  static const auto names = ReadZoneNames();
  std::string folded;
  for (char c : name) folded += ToLower(c);
  auto it = names.find(folded);
  return it == names.end() ? std::string() : it->second;
}

std::shared_ptr<const TimeZone> LoadZone(std::string_view name) {
  if (!IsSafeName(name)) return nullptr;
  std::string bytes = ReadFile(kZoneFolder + std::string(name));
  if (bytes.starts_with("TZif")) return TimeZoneParser::FromFile(std::string(name), bytes);
  std::string canonical = CanonicalName(name);
  if (canonical.empty()) return nullptr;
  bytes = ReadFile(kZoneFolder + canonical);
  if (!bytes.starts_with("TZif")) return nullptr;
  return TimeZoneParser::FromFile(std::move(canonical), bytes);
}

// Zones seen before. Files do not change under a running process, so entries live for good.
struct ZoneCache {
  Mutex mu;
  std::map<std::string, std::shared_ptr<const TimeZone>, std::less<>> zones OMEN_GUARDED_BY(mu);
};

ZoneCache& Cache() {
  static ZoneCache cache;
  return cache;
}
constexpr size_t kCachedZonesMax = 2000;  // POSIX strings are unbounded; zones are about 600.

// Hours as in SET TIME ZONE 5.5.
bool ParseHours(std::string_view name, double& hours) {
  auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), hours);
  return error == std::errc() && end == name.data() + name.size() && hours >= -168 && hours <= 168;
}

std::string FormatHours(int32_t seconds, bool plus) {
  std::string out = seconds < 0 ? "-" : (plus ? "+" : "");
  int32_t magnitude = std::abs(seconds);
  auto two = [&out](int32_t n) {
    out += static_cast<char>('0' + n / 10 % 10);
    out += static_cast<char>('0' + n % 10);
  };
  if (magnitude / 3600 >= 100) out += static_cast<char>('0' + magnitude / 360000);
  two(magnitude / 3600);
  if (magnitude % 3600 != 0) {
    out += ':';
    two(magnitude / 60 % 60);
  }
  if (magnitude % 60 != 0) {
    out += ':';
    two(magnitude % 60);
  }
  return out;
}

}  // namespace

bool TimeZoneParser::ReadHeader(std::string_view& rest, char& version, Header& header) {
  if (rest.size() < kHeaderBytes || rest.substr(0, 4) != "TZif") return false;
  version = rest[4];
  uint32_t* fields[] = {&header.utc_indicators, &header.standard_indicators,
                        &header.leaps,          &header.transitions,
                        &header.kinds,          &header.characters};
  for (size_t i = 0; i < 6; ++i) *fields[i] = LoadBe<uint32_t>(rest.data() + 20 + i * 4);
  rest.remove_prefix(kHeaderBytes);
  return true;
}

uint32_t TimeZoneParser::Intern(std::string abbreviation) {
  auto& all = zone_->abbreviations_;
  auto it = std::find(all.begin(), all.end(), abbreviation);
  if (it == all.end()) it = all.insert(all.end(), std::move(abbreviation));
  return static_cast<uint32_t>(it - all.begin());
}

bool TimeZoneParser::ReadBody(std::string_view& rest, const Header& h) {
  size_t bytes = size_t{h.transitions} * 9 + size_t{h.kinds} * 6 + h.characters +
                 size_t{h.leaps} * kLeapBytes + h.standard_indicators + h.utc_indicators;
  if (rest.size() < bytes || h.kinds == 0 || h.kinds > 256) return false;
  const char* times = rest.data();
  const char* indexes = times + size_t{h.transitions} * 8;
  const char* kinds = indexes + h.transitions;
  std::string_view names(kinds + size_t{h.kinds} * 6, h.characters);
  for (uint32_t i = 0; i < h.transitions; ++i) {
    auto kind = static_cast<uint8_t>(indexes[i]);
    if (kind >= h.kinds) return false;
    zone_->transitions_.push_back(static_cast<int64_t>(LoadBe<uint64_t>(times + size_t{i} * 8)));
    zone_->transition_kinds_.push_back(kind);
  }
  for (uint32_t i = 0; i < h.kinds; ++i) {
    const char* entry = kinds + size_t{i} * 6;
    auto seconds = static_cast<int32_t>(LoadBe<uint32_t>(entry));
    size_t name = static_cast<uint8_t>(entry[5]);
    if (name >= names.size()) return false;
    std::string_view abbreviation = names.substr(name);
    abbreviation = abbreviation.substr(0, abbreviation.find('\0'));
    zone_->kinds_.push_back({seconds, entry[4] != 0, Intern(std::string(abbreviation))});
  }
  rest.remove_prefix(bytes);
  return std::is_sorted(zone_->transitions_.begin(), zone_->transitions_.end());
}

std::shared_ptr<const TimeZone> TimeZoneParser::FromFile(std::string name, std::string_view bytes) {
  TimeZoneParser parser(std::move(name));
  char version = 0;
  Header header{};
  if (!ReadHeader(bytes, version, header) || version < '2') return nullptr;
  // The first body has 32-bit times; everything is in the second too.
  size_t skipped = size_t{header.transitions} * 5 + size_t{header.kinds} * 6 + header.characters +
                   size_t{header.leaps} * 8 + header.standard_indicators + header.utc_indicators;
  if (bytes.size() < skipped) return nullptr;
  bytes.remove_prefix(skipped);
  if (!ReadHeader(bytes, version, header) || !parser.ReadBody(bytes, header)) return nullptr;
  size_t end = bytes.find('\n', 1);
  if (bytes.starts_with('\n') && end != std::string_view::npos && end > 1) {
    if (!parser.ReadRule(bytes.substr(1, end - 1))) return nullptr;
  }
  return parser.zone_;
}

std::shared_ptr<const TimeZone> TimeZoneParser::FromPosix(std::string name, std::string_view text) {
  TimeZoneParser parser(std::move(name));
  if (!parser.ReadRule(text)) return nullptr;
  parser.zone_->kinds_ = {parser.zone_->rule_->standard};
  const TimeZone::Rule& rule = *parser.zone_->rule_;
  if (rule.standard.seconds_east == rule.daylight.seconds_east &&
      rule.standard.abbreviation == rule.daylight.abbreviation) {
    parser.zone_->rule_.reset();
  }
  return parser.zone_;
}

std::shared_ptr<const TimeZone> TimeZoneParser::FromOffset(std::string name, int32_t seconds_east,
                                                           std::string abbreviation) {
  TimeZoneParser parser(std::move(name));
  parser.zone_->kinds_.push_back({seconds_east, false, parser.Intern(std::move(abbreviation))});
  return parser.zone_;
}

bool TimeZoneParser::ReadNumber(int& number) {
  auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), number);
  if (error != std::errc() || number < 0) return false;
  rest_.remove_prefix(static_cast<size_t>(end - rest_.data()));
  return true;
}

bool TimeZoneParser::ReadAbbreviation(std::string& out) {
  size_t size = 0;
  if (rest_.starts_with('<')) {
    size = rest_.find('>');
    if (size == std::string_view::npos) return false;
    out = rest_.substr(1, size - 1);
    rest_.remove_prefix(size + 1);
    return !out.empty();
  }
  while (size < rest_.size() && IsAlpha(rest_[size])) ++size;
  out = rest_.substr(0, size);
  rest_.remove_prefix(size);
  return size >= 3;
}

// [+-]hh[:mm[:ss]], west of Greenwich as it is written.
bool TimeZoneParser::ReadOffset(int32_t& seconds) {
  bool negative = rest_.starts_with('-');
  if (negative || rest_.starts_with('+')) rest_.remove_prefix(1);
  int parts[3] = {0, 0, 0};
  for (int i = 0; i < 3; ++i) {
    if (!ReadNumber(parts[i])) return false;
    if (!rest_.starts_with(':')) break;
    rest_.remove_prefix(1);
  }
  if (parts[0] > 167 || parts[1] > 59 || parts[2] > 59) return false;
  seconds = parts[0] * 3600 + parts[1] * 60 + parts[2];
  if (negative) seconds = -seconds;
  return true;
}

// ",M3.2.0/2:00", ",J60", ",59".
bool TimeZoneParser::ReadRuleDate(TimeZone::RuleDate& date) {
  using Form = TimeZone::RuleDate::Form;
  if (!rest_.starts_with(',')) return false;
  rest_.remove_prefix(1);
  date = {Form::kJulianLeap, 0, 0, 0, kRuleSecondsDefault};
  if (rest_.starts_with('M')) {
    date.form = Form::kMonthWeekDay;
    int* parts[] = {&date.month, &date.week, &date.day};
    for (int* part : parts) {
      rest_.remove_prefix(1);
      if (!ReadNumber(*part)) return false;
      if (part != &date.day && !rest_.starts_with('.')) return false;
    }
    if (date.month < 1 || date.month > 12 || date.week < 1 || date.week > 5 || date.day > 6) {
      return false;
    }
  } else {
    if (rest_.starts_with('J')) {
      date.form = Form::kJulianNoLeap;
      rest_.remove_prefix(1);
    }
    if (!ReadNumber(date.day) || date.day > 365) return false;
  }
  if (!rest_.starts_with('/')) return true;
  rest_.remove_prefix(1);
  return ReadOffset(date.seconds);
}

bool TimeZoneParser::ReadRule(std::string_view text) {
  rest_ = text;
  std::string name;
  int32_t west = 0;
  if (!ReadAbbreviation(name) || !ReadOffset(west)) return false;
  TimeZone::Rule rule{};
  rule.standard = {-west, false, Intern(std::move(name))};
  rule.daylight = rule.standard;
  if (!rest_.empty()) {
    if (!ReadAbbreviation(name)) return false;
    int32_t daylight_west = west - 3600;
    if (!rest_.empty() && rest_.front() != ',' && !ReadOffset(daylight_west)) return false;
    rule.daylight = {-daylight_west, true, Intern(std::move(name))};
    // Without dates: the rule of the United States, as PostgreSQL's posixrules.
    if (rest_.empty()) rest_ = ",M3.2.0,M11.1.0";
    if (!ReadRuleDate(rule.daylight_start) || !ReadRuleDate(rule.daylight_end)) return false;
  }
  zone_->rule_ = rule;
  return rest_.empty();
}

Result<std::shared_ptr<const TimeZone>> TimeZone::Find(std::string_view name) {
  {
    MutexLock lock(Cache().mu);
    auto it = Cache().zones.find(name);
    if (it != Cache().zones.end()) return it->second;
  }
  double hours = 0;
  std::shared_ptr<const TimeZone> zone;
  if (ParseHours(name, hours)) {
    zone = Fixed(static_cast<int32_t>(hours * 3600));
  } else {
    zone = LoadZone(name);
    if (zone == nullptr) zone = TimeZoneParser::FromPosix(std::string(name), name);
  }
  if (zone == nullptr) {
    return Status(sqlstate::kInvalidParameterValue,
                  "time zone \"" + std::string(name) + "\" not recognized");
  }
  MutexLock lock(Cache().mu);
  if (Cache().zones.size() < kCachedZonesMax) Cache().zones.emplace(name, zone);
  return zone;
}

std::shared_ptr<const TimeZone> TimeZone::Utc() {
  static const std::shared_ptr<const TimeZone> utc = TimeZoneParser::FromOffset("UTC", 0, "UTC");
  return utc;
}

std::shared_ptr<const TimeZone> TimeZone::Fixed(int32_t seconds_east) {
  std::string abbreviation = FormatHours(seconds_east, true);
  std::string name = "<" + abbreviation + ">" + FormatHours(-seconds_east, true);
  return TimeZoneParser::FromOffset(std::move(name), seconds_east, std::move(abbreviation));
}

int64_t TimeZone::RuleSecond(const RuleDate& date, int64_t year) {
  int64_t day = 0;
  switch (date.form) {
    case RuleDate::Form::kJulianNoLeap:
      day = DaysFromCivil(year, 1, 1) + date.day - 1 + (IsLeapYear(year) && date.day >= 60);
      break;
    case RuleDate::Form::kJulianLeap:
      day = DaysFromCivil(year, 1, 1) + date.day;
      break;
    case RuleDate::Form::kMonthWeekDay: {
      int64_t first = DaysFromCivil(year, date.month, 1);
      int offset = (date.day - DayOfWeek(first) + 7) % 7 + (date.week - 1) * 7;
      while (offset >= DaysInMonth(year, date.month)) offset -= 7;
      day = first + offset;
      break;
    }
  }
  return day * kSecondsPerDay + date.seconds;
}

const TimeZone::Kind& TimeZone::KindByRule(int64_t utc_seconds) const {
  const Rule& rule = *rule_;
  if (!rule.daylight.is_dst) return rule.standard;
  int64_t local_day = FloorDiv(utc_seconds + rule.standard.seconds_east, kSecondsPerDay);
  int64_t year = CivilFromDays(local_day).year;
  int64_t start = RuleSecond(rule.daylight_start, year) - rule.standard.seconds_east;
  int64_t end = RuleSecond(rule.daylight_end, year) - rule.daylight.seconds_east;
  bool between = start < end ? utc_seconds >= start && utc_seconds < end
                             : utc_seconds >= start || utc_seconds < end;
  return between ? rule.daylight : rule.standard;
}

const TimeZone::Kind& TimeZone::KindAtUtc(int64_t utc_seconds) const {
  if (transitions_.empty()) {
    return rule_ ? KindByRule(utc_seconds) : kinds_.front();
  }
  if (utc_seconds >= transitions_.back()) {
    return rule_ ? KindByRule(utc_seconds) : kinds_[transition_kinds_.back()];
  }
  auto after = std::upper_bound(transitions_.begin(), transitions_.end(), utc_seconds);
  if (after == transitions_.begin()) return kinds_.front();
  return kinds_[transition_kinds_[static_cast<size_t>(after - transitions_.begin() - 1)]];
}

std::optional<TimeZone::Change> TimeZone::NextChangeByRule(int64_t utc_seconds) const {
  const Rule& rule = *rule_;
  if (!rule.daylight.is_dst) return std::nullopt;
  int64_t year = CivilFromDays(FloorDiv(utc_seconds, kSecondsPerDay)).year - 1;
  std::optional<Change> next;
  for (int64_t y = year; y <= year + 2; ++y) {
    Change starts{RuleSecond(rule.daylight_start, y) - rule.standard.seconds_east, &rule.daylight};
    Change ends{RuleSecond(rule.daylight_end, y) - rule.daylight.seconds_east, &rule.standard};
    for (const Change& change : {starts, ends}) {
      bool closer = !next || change.utc_seconds < next->utc_seconds;
      if (change.utc_seconds > utc_seconds && closer) next = change;
    }
  }
  return next;
}

std::optional<TimeZone::Change> TimeZone::NextChange(int64_t utc_seconds) const {
  auto after = std::upper_bound(transitions_.begin(), transitions_.end(), utc_seconds);
  if (after != transitions_.end()) {
    auto index = static_cast<size_t>(after - transitions_.begin());
    return Change{*after, &kinds_[transition_kinds_[index]]};
  }
  return rule_ ? NextChangeByRule(utc_seconds) : std::nullopt;
}

TimeZone::Offset TimeZone::AtUtc(int64_t utc_seconds) const {
  return ToOffset(KindAtUtc(utc_seconds));
}

TimeZone::Offset TimeZone::AtLocal(int64_t local_seconds) const {
  if (is_fixed()) return ToOffset(kinds_.front());
  int64_t day_before = local_seconds - kSecondsPerDay;
  const Kind& before = KindAtUtc(day_before);
  std::optional<Change> change = NextChange(day_before);
  if (!change) return ToOffset(before);
  const Kind& after = *change->kind;
  int64_t as_before = local_seconds - before.seconds_east;
  int64_t as_after = local_seconds - after.seconds_east;
  if (as_before < change->utc_seconds && as_after < change->utc_seconds) return ToOffset(before);
  if (as_before >= change->utc_seconds && as_after >= change->utc_seconds) return ToOffset(after);
  // In a gap (before < after) what held before it, in an overlap what holds after it.
  return ToOffset(as_before > as_after ? before : after);
}

}  // namespace omendb::types
