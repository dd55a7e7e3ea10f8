// hits_text.h - the texts of `hits`: each is a function of the numbers of its site, page or phrase,
// so that the same page has the same URL in every row without a table of pages.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace omendb::bench::hits {

// A bijection that scatters its argument (splitmix64's finisher).
inline uint64_t Mix(uint64_t x) {
  x += 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

// FNV-1a, 64 bits, scattered.
inline int64_t Hash(std::string_view text) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return static_cast<int64_t>(Mix(hash));
}

inline constexpr std::string_view kWords[] = {
    "auto",    "flat",     "weather", "price",  "review",   "photo",    "cinema",  "recipe",
    "garden",  "football", "used",    "new",    "buy",      "rent",     "holiday", "hotel",
    "ticket",  "music",    "game",    "school", "doctor",   "kitchen",  "sofa",    "phone",
    "camera",  "news",     "city",    "map",    "train",    "river",    "winter",  "summer",
    "dress",   "shoes",    "baby",    "cake",   "soup",     "quick",    "cheap",   "best",
    "погода",  "цена",     "кино",    "отзывы", "квартира", "работа",   "купить",  "фото",
    "café",    "zürich",   "señal",   "straße", "œuvre",    "smörgås",  "naïve",   "żaba",
    "account", "forum",    "login",   "search", "catalog",  "delivery", "contact", "archive",
};
inline std::string_view Word(uint64_t random) { return kWords[random % std::size(kWords)]; }

inline std::string Domain(uint64_t site) {
  static constexpr std::string_view kEndings[] = {".com", ".net", ".org", ".example", ".info"};
  const uint64_t random = Mix(site + 1);
  std::string name(kWords[random % 40]);  // The ASCII ones.
  name.append("-").append(kWords[random / 64 % 40]).append(std::to_string(site % 100));
  return name.append(kEndings[random / 4096 % std::size(kEndings)]);
}

// One page in 700 has google in its path, one in 1,500 lies on a .google. host.
inline std::string Url(uint64_t site, int64_t page) {
  uint64_t random = Mix(site * 1'000'003 + static_cast<uint64_t>(page));
  std::string url(random % 3 == 0 ? "https://" : "http://");
  if (random % 5 < 2) url += "www.";
  if (random % 1'500 == 7) url += "maps.google.";
  url.append(Domain(site)).append("/").append(Word(random >> 8)).append("/");
  if (random % 700 == 3) url += "google/";
  if (page == 0) return url;
  const uint64_t words = 1 + random % 4;
  for (uint64_t i = 0; i < words; ++i) {
    random = Mix(random);
    url.append(Word(random)).append("-");
  }
  url.append(std::to_string(page));
  if (random % 4 == 0) return url.append(".html");
  if (random % 4 == 1) {
    url.append("?id=").append(std::to_string(random % 1'000'000)).append("&ref=");
    url.append(Word(random >> 20));
  }
  return url;
}

inline std::string Title(uint64_t site, int64_t page) {
  uint64_t random = Mix(site * 7'000'003 + static_cast<uint64_t>(page));
  if (random % 12 == 0) return "";
  std::string title;
  if (random % 300 == 11) title += "Google ";
  const uint64_t words = 3 + random % 8;
  for (uint64_t i = 0; i < words; ++i) {
    random = Mix(random);
    title.append(Word(random)).append(random % 6 == 0 ? ", " : " ");
  }
  return title.append("- ").append(Domain(site));
}

inline std::string Phrase(int64_t number) {
  uint64_t random = Mix(static_cast<uint64_t>(number) + 900'000'001);
  std::string phrase;
  const uint64_t words = 1 + random % 5;
  for (uint64_t i = 0; i < words; ++i) {
    random = Mix(random);
    if (i > 0) phrase += ' ';
    phrase += Word(random);
  }
  if (random % 3 == 0) phrase.append(" ").append(std::to_string(number % 2'000));
  return phrase;
}

inline std::string SearchUrl(int engine, int64_t phrase) {
  std::string url = engine % 4 == 0 ? "https://www.google.com/search?q=" : "http://find";
  if (engine % 4 != 0) url.append(std::to_string(engine)).append(".example/search?text=");
  if (phrase < 0) return url;
  for (const char c : Phrase(phrase)) url += c == ' ' ? '+' : c;
  return url;
}

inline std::string PhoneModel(int phone) {
  if (phone == 0) return "";
  static constexpr std::string_view kMakers[] = {"Lumen", "Orbit", "Kestrel", "Nova", "Pico"};
  return std::string(kMakers[phone % 5]).append(" ").append(std::to_string(phone * 3));
}

inline std::string_view Language(uint64_t random) {
  static constexpr std::string_view kLanguages[] = {"en", "ru", "de", "fr", "es", "pl", "tr", "sv"};
  return kLanguages[random % 64 < 40 ? random % 2 : random % 8];
}

// One of a few values of column `column`.
inline std::string ShortText(uint64_t column, uint64_t random) {
  return std::string(Word(Mix(column) + random % 7)).append(std::to_string(random % 3));
}

}  // namespace omendb::bench::hits
