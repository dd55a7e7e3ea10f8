#include "server/config_file.h"

#include <cctype>

#include "base/sqlstate.h"

namespace omendb::server {
namespace {

bool IsNameCharacter(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '.';
}

bool IsValueCharacter(char c) {
  return std::isspace(static_cast<unsigned char>(c)) == 0 && c != '#' && c != '=' && c != '\'';
}

// One line's text, consumed from the front.
class LineReader {
 public:
  explicit LineReader(std::string_view line) : rest_(line) {}

  void SkipBlanks() {
    while (!rest_.empty() && std::isspace(static_cast<unsigned char>(rest_[0])) != 0) {
      rest_.remove_prefix(1);
    }
  }
  // Nothing but a comment is left.
  bool AtEnd() {
    SkipBlanks();
    return rest_.empty() || rest_[0] == '#';
  }
  bool Take(char c) {
    if (rest_.empty() || rest_[0] != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  template <typename Is>
  std::string TakeWhile(Is is) {
    size_t size = 0;
    while (size < rest_.size() && is(rest_[size])) ++size;
    std::string taken(rest_.substr(0, size));
    rest_.remove_prefix(size);
    return taken;
  }
  // After the opening quote; '' and \' stand for a quote. False when it is never closed.
  bool TakeQuoted(std::string& value) {
    while (!rest_.empty()) {
      const char c = rest_[0];
      rest_.remove_prefix(1);
      if (c == '\'' && !Take('\'')) return true;
      if (c == '\\' && !rest_.empty()) {
        value += rest_[0];
        rest_.remove_prefix(1);
      } else {
        value += c;
      }
    }
    return false;
  }

 private:
  std::string_view rest_;
};

bool ParseLine(std::string_view text, Settings& settings) {
  LineReader line(text);
  if (line.AtEnd()) return true;
  std::string name = line.TakeWhile(IsNameCharacter);
  if (name.empty()) return false;
  line.SkipBlanks();
  line.Take('=');
  line.SkipBlanks();
  std::string value;
  if (line.Take('\'')) {
    if (!line.TakeQuoted(value)) return false;
  } else {
    value = line.TakeWhile(IsValueCharacter);
    if (value.empty()) return false;
  }
  if (!line.AtEnd()) return false;
  settings.emplace_back(std::move(name), std::move(value));
  return true;
}

}  // namespace

Result<Settings> ParseConfig(std::string_view text, const std::string& path) {
  Settings settings;
  int number = 0;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    ++number;
    if (!ParseLine(text.substr(0, end), settings)) {
      return Status(sqlstate::kSyntaxError, "syntax error in file \"" + path + "\" line " +
                                                std::to_string(number) + ": expected name = value");
    }
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  }
  return settings;
}

}  // namespace omendb::server
