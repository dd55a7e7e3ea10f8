// parameters.h - values of the library's callers as text, as the session takes them.
#pragma once

#include <string>
#include <vector>

#include "omendb/omendb.h"
#include "sql/session.h"

namespace omendb::api {

// Text forms of parameters. Keeps the bytes; reuse it to keep its memory.
class ParameterText {
 public:
  // The result is valid until the next call and as long as the parameters are.
  std::span<const sql::BoundParameter> Of(std::span<const Parameter> parameters);

 private:
  static constexpr size_t kNumberBytesMax = 32;
  std::vector<sql::BoundParameter> bound_;
  std::vector<char> numbers_;
};

// One line of COPY text format.
void AppendCopyLine(std::span<const Parameter> row, std::string& out);

}  // namespace omendb::api
