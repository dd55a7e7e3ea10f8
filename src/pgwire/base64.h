// base64.h - RFC 4648 base64 with padding, as SCRAM and HTTP Basic use it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace omendb::pgwire {

std::string Base64Encode(std::string_view bytes);
// None for anything but whole, padded base64.
std::optional<std::string> Base64Decode(std::string_view text);

}  // namespace omendb::pgwire
