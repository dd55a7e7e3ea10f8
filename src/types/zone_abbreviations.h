// zone_abbreviations.h - what "EST" and "CEST" mean in a date, whatever the session's zone.
//
// The facts are PostgreSQL 15's timezonesets/Default.
#pragma once

#include <cstdint>
#include <string_view>

namespace omendb::types {

struct ZoneAbbreviation {
  std::string_view name;
  int32_t seconds_east;
  bool is_dst;
  std::string_view zone;  // Not empty: the offset is that zone's at the time in question.
};

// `lower` is in lower case; nullptr when unknown.
const ZoneAbbreviation* FindZoneAbbreviation(std::string_view lower);

}  // namespace omendb::types
