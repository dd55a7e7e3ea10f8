// hits_columns.h - the columns of `hits`, a table of page views as a web-analytics service keeps
// them: over a hundred columns, most of them small numbers, flags and nearly empty texts; the long
// texts (title, URL, referer, search phrase) make most of the bytes.
#pragma once

#include <cstdint>

namespace omendb::bench::hits {

// Where a value comes from. The first group has its own rule in hits.cc; the second is filler with
// a parameter.
enum class Source {
  kWatchId,
  kTitle,
  kEventTime,
  kEventDate,
  kLocalTime,
  kCounter,
  kClientIp,
  kRemoteIp,
  kRegion,
  kUser,
  kUrl,
  kReferer,
  kIsRefresh,
  kUrlCategory,
  kUrlRegion,
  kRefererCategory,
  kResolutionWidth,
  kResolutionHeight,
  kWindowWidth,
  kWindowHeight,
  kPhone,
  kPhoneModel,
  kIsMobile,
  kTrafficSource,
  kSearchEngine,
  kSearchPhrase,
  kAdvEngine,
  kUrlHash,
  kRefererHash,
  kTitleHash,
  kLanguage,
  kDomain,
  // Fillers.
  kOfVisit,    // one of `parameter` values, skewed, the same for all page views of a visit
  kOfView,     // one of `parameter` values, skewed, anew for each page view
  kFlag,       // 1 in `parameter` percent of the page views
  kZero,       // always 0
  kHash,       // 64 random bits in `parameter` percent of the page views, else 0
  kRareText,   // a short text in `parameter` percent of the page views, else empty
  kEmptyText,  // always empty
  kMillis,     // of page timing: geometric, `parameter` on average; 0 in a third
};

struct Column {
  const char* name;
  const char* type;
  Source source;
  int64_t parameter = 0;
};

inline constexpr const char* kKey = "counter_id, event_date, user_id, event_time, watch_id";

inline constexpr Column kColumns[] = {
    {"watch_id", "bigint", Source::kWatchId},
    {"java_enabled", "smallint", Source::kOfVisit, 2},
    {"title", "text", Source::kTitle},
    {"good_event", "smallint", Source::kFlag, 100},
    {"event_time", "timestamp", Source::kEventTime},
    {"event_date", "date", Source::kEventDate},
    {"counter_id", "integer", Source::kCounter},
    {"client_ip", "integer", Source::kClientIp},
    {"region_id", "integer", Source::kRegion},
    {"user_id", "bigint", Source::kUser},
    {"counter_class", "smallint", Source::kZero},
    {"os", "smallint", Source::kOfVisit, 60},
    {"user_agent", "smallint", Source::kOfVisit, 80},
    {"url", "text", Source::kUrl},
    {"referer", "text", Source::kReferer},
    {"is_refresh", "smallint", Source::kIsRefresh},
    {"referer_category_id", "smallint", Source::kRefererCategory},
    {"referer_region_id", "integer", Source::kOfVisit, 900},
    {"url_category_id", "smallint", Source::kUrlCategory},
    {"url_region_id", "integer", Source::kUrlRegion},
    {"resolution_width", "smallint", Source::kResolutionWidth},
    {"resolution_height", "smallint", Source::kResolutionHeight},
    {"resolution_depth", "smallint", Source::kOfVisit, 3},
    {"flash_major", "smallint", Source::kOfVisit, 14},
    {"flash_minor", "smallint", Source::kOfVisit, 9},
    {"flash_minor2", "text", Source::kRareText, 30},
    {"net_major", "smallint", Source::kOfVisit, 4},
    {"net_minor", "smallint", Source::kOfVisit, 3},
    {"user_agent_major", "smallint", Source::kOfVisit, 40},
    {"user_agent_minor", "text", Source::kRareText, 60},
    {"cookie_enable", "smallint", Source::kFlag, 99},
    {"javascript_enable", "smallint", Source::kFlag, 98},
    {"is_mobile", "smallint", Source::kIsMobile},
    {"mobile_phone", "smallint", Source::kPhone},
    {"mobile_phone_model", "text", Source::kPhoneModel},
    {"params", "text", Source::kRareText, 4},
    {"ip_network_id", "integer", Source::kOfVisit, 60'000},
    {"traffic_source_id", "smallint", Source::kTrafficSource},
    {"search_engine_id", "smallint", Source::kSearchEngine},
    {"search_phrase", "text", Source::kSearchPhrase},
    {"adv_engine_id", "smallint", Source::kAdvEngine},
    {"is_artificial", "smallint", Source::kFlag, 1},
    {"window_client_width", "smallint", Source::kWindowWidth},
    {"window_client_height", "smallint", Source::kWindowHeight},
    {"client_time_zone", "smallint", Source::kOfVisit, 24},
    {"client_event_time", "timestamp", Source::kLocalTime},
    {"silverlight_version1", "smallint", Source::kOfVisit, 5},
    {"silverlight_version2", "smallint", Source::kOfVisit, 2},
    {"silverlight_version3", "integer", Source::kOfVisit, 5'000},
    {"silverlight_version4", "smallint", Source::kZero},
    {"page_charset", "text", Source::kRareText, 97},
    {"code_version", "integer", Source::kOfView, 40},
    {"is_link", "smallint", Source::kFlag, 8},
    {"is_download", "smallint", Source::kFlag, 1},
    {"is_not_bounce", "smallint", Source::kFlag, 5},
    {"f_uniq_id", "bigint", Source::kHash, 80},
    {"original_url", "text", Source::kEmptyText},
    {"h_id", "integer", Source::kOfView, 1 << 30},
    {"is_old_counter", "smallint", Source::kZero},
    {"is_event", "smallint", Source::kFlag, 1},
    {"is_parameter", "smallint", Source::kZero},
    {"dont_count_hits", "smallint", Source::kFlag, 3},
    {"with_hash", "smallint", Source::kFlag, 2},
    {"hit_color", "text", Source::kRareText, 100},
    {"local_event_time", "timestamp", Source::kLocalTime},
    {"age", "smallint", Source::kOfVisit, 60},
    {"sex", "smallint", Source::kOfVisit, 3},
    {"income", "smallint", Source::kOfVisit, 5},
    {"interests", "smallint", Source::kOfVisit, 12'000},
    {"robotness", "smallint", Source::kOfVisit, 4},
    {"remote_ip", "integer", Source::kRemoteIp},
    {"window_name", "integer", Source::kHash, 30},
    {"opener_name", "integer", Source::kHash, 10},
    {"history_length", "smallint", Source::kOfView, 50},
    {"browser_language", "text", Source::kLanguage},
    {"browser_country", "text", Source::kLanguage},
    {"social_network", "text", Source::kRareText, 1},
    {"social_action", "text", Source::kRareText, 1},
    {"http_error", "smallint", Source::kOfView, 2},
    {"send_timing", "integer", Source::kMillis, 300},
    {"dns_timing", "integer", Source::kMillis, 40},
    {"connect_timing", "integer", Source::kMillis, 60},
    {"response_start_timing", "integer", Source::kMillis, 200},
    {"response_end_timing", "integer", Source::kMillis, 350},
    {"fetch_timing", "integer", Source::kMillis, 500},
    {"dom_interactive_timing", "integer", Source::kMillis, 900},
    {"social_source_network_id", "smallint", Source::kOfVisit, 3},
    {"social_source_page", "text", Source::kEmptyText},
    {"param_price", "bigint", Source::kZero},
    {"param_order_id", "text", Source::kEmptyText},
    {"param_currency", "text", Source::kRareText, 100},
    {"param_currency_id", "smallint", Source::kZero},
    {"openstat_service", "text", Source::kRareText, 1},
    {"openstat_campaign", "text", Source::kRareText, 1},
    {"openstat_source", "text", Source::kEmptyText},
    {"utm_source", "text", Source::kRareText, 3},
    {"utm_medium", "text", Source::kRareText, 3},
    {"utm_campaign", "text", Source::kRareText, 3},
    {"utm_content", "text", Source::kRareText, 1},
    {"from_tag", "text", Source::kRareText, 1},
    {"has_gclid", "smallint", Source::kFlag, 1},
    {"title_hash", "bigint", Source::kTitleHash},
    {"referer_hash", "bigint", Source::kRefererHash},
    {"url_hash", "bigint", Source::kUrlHash},
    {"domain", "text", Source::kDomain},
};

}  // namespace omendb::bench::hits
