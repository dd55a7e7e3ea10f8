#include <optional>

#include "base/sqlstate.h"
#include "types/text_io.h"
#include "types/text_parsers.h"

namespace omendb::types {
namespace {

Status InvalidSetting(std::string_view name, std::string_view text) {
  return Status(
      sqlstate::kInvalidParameterValue,
      "invalid value for parameter \"" + std::string(name) + "\": \"" + std::string(text) + "\"");
}

std::optional<DateStyle> StyleOf(std::string_view word) {
  if (EqualsIgnoreCase(word, "iso")) return DateStyle::kIso;
  if (EqualsIgnoreCase(word, "sql")) return DateStyle::kSql;
  if (EqualsIgnoreCase(word.substr(0, 8), "postgres")) return DateStyle::kPostgres;
  if (EqualsIgnoreCase(word, "german")) return DateStyle::kGerman;
  return std::nullopt;
}

std::optional<DateOrder> OrderOf(std::string_view word) {
  if (EqualsIgnoreCase(word, "ymd")) return DateOrder::kYmd;
  if (EqualsIgnoreCase(word, "dmy") || EqualsIgnoreCase(word.substr(0, 4), "euro")) {
    return DateOrder::kDmy;
  }
  if (EqualsIgnoreCase(word, "mdy") || EqualsIgnoreCase(word, "us") ||
      EqualsIgnoreCase(word.substr(0, 7), "noneuro")) {
    return DateOrder::kMdy;
  }
  return std::nullopt;
}

}  // namespace

Status ParseDateStyle(std::string_view text, IoSettings& settings) {
  std::optional<DateStyle> style;
  std::optional<DateOrder> order;
  std::string_view rest = text;
  while (true) {
    size_t comma = rest.find(',');
    std::string_view word = TrimSpace(rest.substr(0, comma));
    std::optional<DateStyle> word_style = StyleOf(word);
    std::optional<DateOrder> word_order = OrderOf(word);
    bool conflict = (word_style && style && *style != *word_style) ||
                    (word_order && order && *order != *word_order);
    bool is_default = EqualsIgnoreCase(word, "default");
    if (conflict || (!word_style && !word_order && !is_default)) {
      Status error = InvalidSetting("DateStyle", text);
      if (conflict) return std::move(error).WithDetail("Conflicting \"datestyle\" specifications.");
      return std::move(error).WithDetail("Unrecognized key word: \"" + std::string(word) + "\".");
    }
    if (word_style) style = word_style;
    if (word_order) order = word_order;
    if (is_default && !style) style = DateStyle::kIso;
    if (is_default && !order) order = DateOrder::kMdy;
    if (comma == std::string_view::npos) break;
    rest.remove_prefix(comma + 1);
  }
  // German without an order means day first.
  if (style == DateStyle::kGerman && !order) order = DateOrder::kDmy;
  if (style) settings.date_style = *style;
  if (order) settings.date_order = *order;
  return Status::Ok();
}

std::string FormatDateStyle(const IoSettings& settings) {
  static constexpr std::string_view kStyles[] = {"ISO", "SQL", "Postgres", "German"};
  static constexpr std::string_view kOrders[] = {"YMD", "DMY", "MDY"};
  return std::string(kStyles[static_cast<size_t>(settings.date_style)]) + ", " +
         std::string(kOrders[static_cast<size_t>(settings.date_order)]);
}

namespace {
constexpr std::string_view kIntervalStyles[] = {"postgres", "postgres_verbose", "sql_standard",
                                                "iso_8601"};
}  // namespace

Status ParseIntervalStyle(std::string_view text, IoSettings& settings) {
  for (size_t i = 0; i < std::size(kIntervalStyles); ++i) {
    if (!EqualsIgnoreCase(text, kIntervalStyles[i])) continue;
    settings.interval_style = static_cast<IntervalStyle>(i);
    return Status::Ok();
  }
  return InvalidSetting("IntervalStyle", text)
      .WithHint("Available values: postgres, postgres_verbose, sql_standard, iso_8601.");
}

std::string_view FormatIntervalStyle(const IoSettings& settings) {
  return kIntervalStyles[static_cast<size_t>(settings.interval_style)];
}

}  // namespace omendb::types
