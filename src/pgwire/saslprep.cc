// SASLprep without NFKC: see scram.h. Debian's libraries for NFKC are far larger than the gain, and
// libpq, too, falls back to the raw bytes when a password cannot be prepared.
#include <cstdint>

#include "pgwire/scram.h"
#include "pgwire/utf8.h"

namespace omendb::pgwire {
namespace {

struct Character {
  uint32_t code;
  size_t bytes;
};

// Requires: valid UTF-8 at `text`.
Character First(std::string_view text) {
  const auto at = [&](size_t i) { return static_cast<uint32_t>(static_cast<uint8_t>(text[i])); };
  const uint32_t lead = at(0);
  if (lead < 0x80) return {lead, 1};
  if (lead < 0xe0) return {(lead & 0x1f) << 6 | (at(1) & 0x3f), 2};
  if (lead < 0xf0) return {(lead & 0x0f) << 12 | (at(1) & 0x3f) << 6 | (at(2) & 0x3f), 3};
  return {(lead & 0x07) << 18 | (at(1) & 0x3f) << 12 | (at(2) & 0x3f) << 6 | (at(3) & 0x3f), 4};
}

// RFC 3454, table C.1.2.
bool IsOtherSpace(uint32_t c) {
  return c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200b) || c == 0x202f || c == 0x205f ||
         c == 0x3000;
}

// RFC 3454, table B.1.
bool MapsToNothing(uint32_t c) {
  return c == 0xad || c == 0x34f || c == 0x1806 || (c >= 0x180b && c <= 0x180d) ||
         (c >= 0x200b && c <= 0x200d) || c == 0x2060 || (c >= 0xfe00 && c <= 0xfe0f) || c == 0xfeff;
}

// RFC 3454, tables C.2 to C.9, the ranges that matter in practice.
bool IsProhibited(uint32_t c) {
  return c < 0x20 || c == 0x7f || (c >= 0x80 && c <= 0x9f) || (c >= 0xe000 && c <= 0xf8ff) ||
         (c >= 0xfff9 && c <= 0xffff) || (c >= 0x2028 && c <= 0x2029) || c >= 0xf0000;
}

}  // namespace

std::string SaslPrep(std::string_view password) {
  if (FindInvalidUtf8(password) != password.size()) return std::string(password);
  std::string out;
  out.reserve(password.size());
  for (std::string_view rest = password; !rest.empty();) {
    const Character c = First(rest);
    if (IsProhibited(c.code)) return std::string(password);
    if (IsOtherSpace(c.code) && c.code != 0x200b) {
      out += ' ';
    } else if (!MapsToNothing(c.code)) {
      out += rest.substr(0, c.bytes);
    }
    rest.remove_prefix(c.bytes);
  }
  return out.empty() ? std::string(password) : out;
}

}  // namespace omendb::pgwire
