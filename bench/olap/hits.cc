#include "bench/olap/hits.h"

#include <algorithm>
#include <cmath>
#include <string_view>
#include <vector>

#include "bench/olap/csv_file.h"
#include "bench/olap/hits_columns.h"
#include "bench/olap/hits_text.h"
#include "testing/prng.h"

namespace omendb::bench {
namespace {

using hits::Column;
using hits::Mix;
using hits::Source;
using testutil::Prng;

constexpr int32_t kFirstDay = 19905;  // 2024-07-01
constexpr int32_t kDays = 31;
constexpr int64_t kSecondsOfDay = 86400;
constexpr uint64_t kSeed = 20240701;
// The busiest site, and a user whom a query asks for by number.
constexpr int32_t kBusiestCounter = 62;
constexpr int64_t kKnownUser = 435090932899640449;

struct Site {
  int32_t counter;
  uint64_t id;
  int64_t rows_end;  // of all sites up to this one
  int64_t pages;
};

struct Visit {
  uint64_t seed;
  int64_t user;
  int64_t time;
  int32_t client_ip;
  int32_t region;
  int resolution;
  int phone;
  int engine;         // of the search that led here, or 0
  int advertisement;  // or 0
  int traffic;
  int64_t phrase;   // or -1
  int64_t referer;  // page of the site, -1 for none, -2 for another site
};

struct View {
  int64_t page;
  uint64_t random;
  bool is_first;
  bool is_refresh;
  std::string url, referer, title, phrase;
};

class Generator {
 public:
  Generator(int64_t rows, const std::string& folder)
      : rows_(rows),
        users_(std::max<int64_t>(10, rows / 4)),
        phrases_(std::max<int64_t>(10, rows / 30)),
        file_(folder + "/hits.csv") {}

  void Run() {
    int64_t row = 0;
    for (const Site& site : Sites()) {
      const int64_t first = row, count = site.rows_end - row;
      for (int32_t day = 0; day < kDays; ++day) {
        const int64_t end = first + count * (day + 1) / kDays;
        while (row < end) row += WriteVisit(site, kFirstDay + day, end - row);
      }
    }
  }

 private:
  // A skewed number in [0, n): low ones often, as n^(1 - 1/power) hits the first.
  int64_t Skewed(int64_t n, double power) {
    const double uniform = static_cast<double>(prng_() >> 11) * 0x1.0p-53;
    return std::min<int64_t>(
        n - 1, static_cast<int64_t>(static_cast<double>(n) * std::pow(uniform, power)));
  }

  // Sites by counter; their sizes fall with a rank that has nothing to do with the counter.
  std::vector<Site> Sites() const {
    const int64_t count = std::clamp<int64_t>(rows_ / 15'000, 8, 6'500);
    std::vector<Site> sites;
    std::vector<double> weights;
    for (int64_t i = 0; i < count; ++i) {
      const auto id = static_cast<uint64_t>(i);
      sites.push_back({static_cast<int32_t>(i * 41 + Mix(id) % 40), id, 0, 0});
      weights.push_back(1 / (4 + static_cast<double>(Mix(id + 77) % static_cast<uint64_t>(count))));
    }
    sites[1].counter = kBusiestCounter;
    weights[1] = 0.3;
    double total = 0, so_far = 0;
    for (const double w : weights) total += w;
    for (size_t i = 0; i < sites.size(); ++i) {
      const double before = so_far;
      so_far += weights[i];
      sites[i].rows_end = std::llround(static_cast<double>(rows_) * so_far / total);
      sites[i].pages = std::llround(static_cast<double>(rows_) * (so_far - before) / total / 4) + 4;
    }
    return sites;
  }

  Visit NewVisit(int32_t day) {
    Visit visit;
    const int64_t number = Skewed(users_, 2);
    visit.seed = Mix(static_cast<uint64_t>(number) + kSeed);
    visit.user = number == 0 ? kKnownUser : static_cast<int64_t>(visit.seed >> 1);
    visit.time = day * kSecondsOfDay + prng_.Between(0, kSecondsOfDay - 1);
    visit.client_ip = static_cast<int32_t>(visit.seed * 31);
    visit.region = static_cast<int32_t>(std::pow(static_cast<double>(visit.seed % 5'000), 1.3));
    visit.resolution = static_cast<int>(visit.seed >> 20 & 15);
    visit.phone = (visit.seed >> 32) % 10 == 0 ? static_cast<int>((visit.seed >> 40) % 60) + 1 : 0;
    visit.engine = prng_.Chance(0.6) ? static_cast<int>(Skewed(30, 4)) + 2 : 0;
    visit.phrase = visit.engine > 0 && prng_.Chance(0.9) ? Skewed(phrases_, 2.5) : -1;
    visit.advertisement = prng_.Chance(0.02) ? static_cast<int>(Skewed(18, 2)) + 2 : 0;
    visit.traffic = visit.engine > 0 ? 2 : static_cast<int>(prng_.Below(9)) - 1;
    visit.referer = visit.traffic == 0 ? -1 : -2;
    return visit;
  }

  // At most `room` page views; returns how many.
  int64_t WriteVisit(const Site& site, int32_t day, int64_t room) {
    Visit visit = NewVisit(day);
    const int64_t end_of_day = (day + 1) * kSecondsOfDay - 1;
    const int64_t views = std::min(room, 1 + Skewed(25, 5));
    View view;
    for (int64_t i = 0; i < views; ++i) {
      view.is_first = i == 0;
      view.is_refresh = i > 0 && prng_.Chance(0.08);
      view.random = prng_();
      if (!view.is_refresh) view.page = Skewed(site.pages, 3);
      view.url = hits::Url(site.id, view.page);
      view.title = hits::Title(site.id, view.page);
      view.referer = Referer(site, visit);
      view.phrase = i == 0 && visit.phrase >= 0 ? hits::Phrase(visit.phrase) : "";
      for (const Column& column : hits::kColumns) WriteCell(column, site, visit, view, day);
      file_.EndRow();
      visit.referer = view.page;
      visit.time = std::min(end_of_day, visit.time + prng_.Between(1, 240));
    }
    return views;
  }
  static std::string Referer(const Site& site, const Visit& visit) {
    if (visit.referer == -1) return "";
    if (visit.referer >= 0) return hits::Url(site.id, visit.referer);
    if (visit.engine > 0) return hits::SearchUrl(visit.engine, visit.phrase);
    return hits::Url(visit.seed % 500 + 1'000, static_cast<int64_t>(visit.seed % 97));
  }

  void WriteCell(const Column& column, const Site& site, const Visit& visit, const View& view,
                 int32_t day) {
    static constexpr int kWidths[] = {1366, 1920, 1280, 1024, 1440, 1600, 360, 1680};
    static constexpr int kHeights[] = {768, 1080, 1024, 768, 900, 900, 640, 1050};
    const int screen = visit.phone > 0 ? 6 : visit.resolution % 8;
    switch (column.source) {
      case Source::kWatchId:
        file_.Int(static_cast<int64_t>(Mix(view.random) >> 1));
        break;
      case Source::kTitle:
        file_.Text(view.title);
        break;
      case Source::kEventTime:
        file_.Timestamp(visit.time);
        break;
      case Source::kEventDate:
        file_.Date(day);
        break;
      case Source::kLocalTime:
        file_.Timestamp(visit.time + static_cast<int64_t>(visit.seed % 24) * 3600);
        break;
      case Source::kCounter:
        file_.Int(site.counter);
        break;
      case Source::kClientIp:
        file_.Int(visit.client_ip);
        break;
      case Source::kRemoteIp:
        file_.Int(static_cast<int32_t>(visit.seed * 37));
        break;
      case Source::kRegion:
        file_.Int(visit.region);
        break;
      case Source::kUser:
        file_.Int(visit.user);
        break;
      case Source::kUrl:
        file_.Text(view.url);
        break;
      case Source::kReferer:
        file_.Text(view.referer);
        break;
      case Source::kIsRefresh:
        file_.Int(view.is_refresh);
        break;
      case Source::kUrlCategory:
        file_.Int(static_cast<int64_t>(Mix(site.id) % 180));
        break;
      case Source::kUrlRegion:
        file_.Int(static_cast<int64_t>(Mix(site.id + 5) % 900));
        break;
      case Source::kRefererCategory:
        file_.Int(view.referer.empty() ? 0 : static_cast<int64_t>(Mix(view.referer.size()) % 180));
        break;
      case Source::kResolutionWidth:
        file_.Int(kWidths[screen]);
        break;
      case Source::kResolutionHeight:
        file_.Int(kHeights[screen]);
        break;
      case Source::kWindowWidth:
        file_.Int(kWidths[screen] - static_cast<int64_t>(visit.seed >> 8 & 63));
        break;
      case Source::kWindowHeight:
        file_.Int(kHeights[screen] - static_cast<int64_t>(view.random >> 8 & 127));
        break;
      case Source::kPhone:
        file_.Int(visit.phone);
        break;
      case Source::kPhoneModel:
        file_.Text(hits::PhoneModel(visit.phone));
        break;
      case Source::kIsMobile:
        file_.Int(visit.phone > 0);
        break;
      case Source::kTrafficSource:
        file_.Int(view.is_first ? visit.traffic : 6);
        break;
      case Source::kSearchEngine:
        file_.Int(view.is_first ? visit.engine : 0);
        break;
      case Source::kSearchPhrase:
        file_.Text(view.phrase);
        break;
      case Source::kAdvEngine:
        file_.Int(view.is_first ? visit.advertisement : 0);
        break;
      case Source::kUrlHash:
        file_.Int(hits::Hash(view.url));
        break;
      case Source::kRefererHash:
        file_.Int(hits::Hash(view.referer));
        break;
      case Source::kTitleHash:
        file_.Int(hits::Hash(view.title));
        break;
      case Source::kLanguage:
        file_.Text(hits::Language(visit.seed));
        break;
      case Source::kDomain:
        file_.Text(hits::Domain(site.id));
        break;
      default:
        WriteFiller(column, visit, view);
    }
  }

  // Each filler column has a random stream of its own over visits or views.
  void WriteFiller(const Column& column, const Visit& visit, const View& view) {
    const auto number = static_cast<uint64_t>(&column - hits::kColumns);
    const uint64_t of_view = Mix(view.random + number), of_visit = Mix(visit.seed + number);
    switch (column.source) {
      case Source::kOfVisit:
        file_.Int(SkewedFrom(of_visit, column.parameter));
        break;
      case Source::kOfView:
        file_.Int(SkewedFrom(of_view, column.parameter));
        break;
      case Source::kFlag:
        file_.Int(static_cast<int64_t>(of_view % 100) < column.parameter);
        break;
      case Source::kHash: {
        const auto value = static_cast<int64_t>(Mix(of_view));
        const bool is_wide = std::string_view(column.type) == "bigint";
        const bool is_set = static_cast<int64_t>(of_view % 100) < column.parameter;
        file_.Int(!is_set ? 0 : is_wide ? value : static_cast<int32_t>(value));
        break;
      }
      case Source::kRareText:
        if (static_cast<int64_t>(of_view % 100) >= column.parameter) {
          file_.Text("");
        } else {
          file_.Text(hits::ShortText(number, of_visit));
        }
        break;
      case Source::kEmptyText:
        file_.Text("");
        break;
      case Source::kMillis:
        file_.Int(of_view % 3 == 0 ? 0 : Geometric(of_view, column.parameter));
        break;
      default:
        file_.Int(0);
    }
  }
  static int64_t SkewedFrom(uint64_t random, int64_t values) {
    const double uniform = static_cast<double>(random >> 11) * 0x1.0p-53;
    return static_cast<int64_t>(static_cast<double>(values) * uniform * uniform * uniform);
  }
  static int64_t Geometric(uint64_t random, int64_t mean) {
    const double uniform = (static_cast<double>(random >> 11) + 1) * 0x1.0p-53;
    return std::min<int64_t>(30'000,
                             static_cast<int64_t>(-std::log(uniform) * static_cast<double>(mean)));
  }

  const int64_t rows_, users_, phrases_;
  Prng prng_{kSeed};
  CsvFile file_;
};

void WriteSchema(const std::string& path) {
  std::FILE* const file = std::fopen(path.c_str(), "wb");
  if (file == nullptr) {
    std::perror(path.c_str());
    std::exit(1);
  }
  std::fputs("CREATE TABLE hits (\n", file);
  for (const Column& column : hits::kColumns) {
    std::fprintf(file, "  %s %s NOT NULL,\n", column.name, column.type);
  }
  std::fprintf(file, "  PRIMARY KEY (%s)\n);\n", hits::kKey);
  std::fclose(file);
}

}  // namespace

void GenerateHits(int64_t rows, const std::string& folder) {
  WriteSchema(folder + "/schema.sql");
  Generator(rows, folder).Run();
}

void GenerateSeries(int64_t rows, const std::string& folder) {
  constexpr int64_t kSensors = 1'000;
  Prng prng(kSeed);
  CsvFile file(folder + "/series.csv");
  std::vector<int64_t> levels(kSensors);  // thousandths; a random walk each
  for (int64_t& level : levels) level = prng.Between(15'000, 35'000);
  for (int64_t i = 0; i < rows; ++i) {
    int64_t& level = levels[static_cast<size_t>(i % kSensors)];
    level += prng.Between(-50, 50);
    file.Int(i % kSensors).Timestamp(kFirstDay * kSecondsOfDay + i / kSensors * 10);
    file.Real(static_cast<double>(level) / 1000).EndRow();
  }
}

}  // namespace omendb::bench
