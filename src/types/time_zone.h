// time_zone.h - offsets and abbreviations of a time zone at an instant, from the system's zoneinfo.
//
// Thread safety  A TimeZone is immutable after loading; Find() may be called from any thread.
// Ownership      Shared: sessions and statements hold what they use.
// Cost           Find() of a zone seen before: one locked map lookup. OffsetAtUtc: a branch for the
//                last used range of a zone without transitions since, else a binary search.
// Errors         Find: 22023 for a name that is no zone.
// Units          Seconds since 1970-01-01 00:00:00 UTC; offsets are seconds east of Greenwich.
// See            RFC 8536 (TZif); POSIX TZ strings; PostgreSQL 15, section 8.5.3 and appendix B.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace omendb::types {

class TimeZone {
 public:
  struct Offset {
    int32_t seconds_east;
    bool is_dst;
    std::string_view abbreviation;  // Lives as long as the zone.
  };

  // "Europe/Berlin" in any case, "UTC", a POSIX string ("EST5EDT", "<+03>-3"), or hours as in
  // SET TIME ZONE -7. 22023 "time zone \"x\" not recognized".
  static Result<std::shared_ptr<const TimeZone>> Find(std::string_view name);
  static std::shared_ptr<const TimeZone> Utc();
  // A zone that is always `seconds_east`; named as PostgreSQL shows it: "<-07>+07".
  static std::shared_ptr<const TimeZone> Fixed(int32_t seconds_east);

  const std::string& name() const { return name_; }
  Offset AtUtc(int64_t utc_seconds) const;
  // The offset of a wall-clock time. In a gap the offset before it, in an overlap standard time, as
  // PostgreSQL decides.
  Offset AtLocal(int64_t local_seconds) const;
  bool is_fixed() const { return transitions_.empty() && !rule_; }

 private:
  friend class TimeZoneParser;
  struct Kind {
    int32_t seconds_east;
    bool is_dst;
    uint32_t abbreviation;  // Index into abbreviations_.
  };
  struct RuleDate {
    enum class Form : uint8_t { kJulianNoLeap, kJulianLeap, kMonthWeekDay } form;
    int month, week, day;
    int32_t seconds;  // Wall-clock time of the change.
  };
  // What holds behind the last transition: the file's POSIX footer.
  struct Rule {
    Kind standard;
    Kind daylight;
    RuleDate daylight_start;
    RuleDate daylight_end;
  };

  struct Change {
    int64_t utc_seconds;
    const Kind* kind;  // From then on.
  };

  const Kind& KindAtUtc(int64_t utc_seconds) const;
  const Kind& KindByRule(int64_t utc_seconds) const;
  // The first change behind `utc_seconds`.
  std::optional<Change> NextChange(int64_t utc_seconds) const;
  std::optional<Change> NextChangeByRule(int64_t utc_seconds) const;
  static int64_t RuleSecond(const RuleDate& date, int64_t year);
  Offset ToOffset(const Kind& kind) const {
    return {kind.seconds_east, kind.is_dst, abbreviations_[kind.abbreviation]};
  }

  std::string name_;
  std::vector<int64_t> transitions_;       // Ascending.
  std::vector<uint8_t> transition_kinds_;  // Kind from transition i on.
  std::vector<Kind> kinds_;                // The first holds before every transition.
  std::vector<std::string> abbreviations_;
  std::optional<Rule> rule_;
};

}  // namespace omendb::types
