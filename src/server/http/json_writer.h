// json_writer.h - JSON text appended to a string: what POST /query answers with.
//
// Thread safety  Free functions.
// Requires       Strings are valid UTF-8, as every text in the database is.
#pragma once

#include <string>
#include <string_view>

#include "base/status.h"
#include "types/text_io.h"
#include "types/value.h"

namespace omendb::server {

// With quotes.
void AppendJsonString(std::string& out, std::string_view text);

// integer and floating point as numbers, boolean as true and false, json as it is; every other type
// as a string with its text (numeric too: JSON readers would round it).
void AppendJsonValue(std::string& out, const types::SqlType& type, const types::Value& value,
                     const types::IoSettings& settings);

// {"error": {"sqlstate": "42601", "message": "...", "position": 8, ...}}
std::string ErrorJson(const ErrorInfo& error);

}  // namespace omendb::server
