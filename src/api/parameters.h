// parameters.h - values of the library's callers as the session takes them.
#pragma once

#include <string>
#include <vector>

#include "omendb/omendb.h"
#include "sql/session.h"

namespace omendb::api {

// Replaces `out`, which keeps its memory. Strings are borrowed.
void BindParameters(std::span<const Parameter> parameters, std::vector<sql::BoundParameter>& out);

// One line of COPY text format.
void AppendCopyLine(std::span<const Parameter> row, std::string& out);

}  // namespace omendb::api
