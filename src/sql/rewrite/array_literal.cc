#include "sql/rewrite/rules.h"

namespace omendb::sql {
namespace {

bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

}  // namespace

bool SplitArrayLiteral(std::string_view text, std::vector<std::optional<std::string>>& elements) {
  while (!text.empty() && IsBlank(text.front())) text.remove_prefix(1);
  while (!text.empty() && IsBlank(text.back())) text.remove_suffix(1);
  if (text.size() < 2 || text.front() != '{' || text.back() != '}') return false;
  text = text.substr(1, text.size() - 2);
  size_t i = 0;
  auto skip = [&] {
    while (i < text.size() && IsBlank(text[i])) ++i;
  };
  skip();
  if (i == text.size()) return true;
  while (true) {
    skip();
    std::string element;
    bool quoted = i < text.size() && text[i] == '"';
    if (quoted) {
      for (++i; i < text.size() && text[i] != '"'; ++i) {
        if (text[i] == '\\' && i + 1 < text.size()) ++i;
        element += text[i];
      }
      if (i == text.size()) return false;
      ++i;
      skip();
    } else {
      while (i < text.size() && text[i] != ',') {
        if (text[i] == '{' || text[i] == '}' || text[i] == '"') return false;
        if (text[i] == '\\' && i + 1 < text.size()) ++i;
        element += text[i++];
      }
      while (!element.empty() && IsBlank(element.back())) element.pop_back();
      if (element.empty()) return false;
    }
    const bool is_null = !quoted && element.size() == 4 &&
                         (element == "NULL" || element == "null" || element == "Null");
    elements.push_back(is_null ? std::nullopt : std::optional<std::string>(element));
    if (i == text.size()) return true;
    if (text[i++] != ',') return false;
  }
}

}  // namespace omendb::sql
