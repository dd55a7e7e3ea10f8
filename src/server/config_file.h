// config_file.h - the configuration file: "name = value" lines as in postgresql.conf.
//
//   # comment
//   port = 5433
//   log_min_messages 'notice'     # the equals sign may be left out
// Thread safety  Free functions.
// Errors         42601 naming file and line. Names and values are not judged here.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"

namespace omendb::server {

using Settings = std::vector<std::pair<std::string, std::string>>;

// `path` is for error messages only.
Result<Settings> ParseConfig(std::string_view text, const std::string& path);

}  // namespace omendb::server
