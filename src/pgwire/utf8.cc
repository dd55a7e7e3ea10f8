#include "pgwire/utf8.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstring>

#include "base/bytes.h"
#include "base/sqlstate.h"

namespace omendb::pgwire {
namespace {

constexpr uint64_t kHighBits = 0x8080808080808080;
constexpr uint64_t kOnes = 0x0101010101010101;

// True when none of the 8 bytes is zero or above 0x7f.
bool IsPlainAscii(uint64_t word) { return ((word | ((word - kOnes) & ~word)) & kHighBits) == 0; }

size_t LengthOf(uint8_t lead) {
  if (lead < 0x80) return 1;
  if ((lead & 0xe0) == 0xc0) return 2;
  if ((lead & 0xf0) == 0xe0) return 3;
  if ((lead & 0xf8) == 0xf0) return 4;
  return 1;
}

bool IsContinuation(uint8_t byte) { return (byte & 0xc0) == 0x80; }

// Length of the valid character at `p`, 0 when there is none.
size_t ValidCharacter(const uint8_t* p, size_t left) {
  const uint8_t lead = p[0];
  if (lead < 0x80) return lead == 0 ? 0 : 1;
  const size_t length = LengthOf(lead);
  if (length == 1 || left < length) return 0;
  for (size_t i = 1; i < length; ++i) {
    if (!IsContinuation(p[i])) return 0;
  }
  switch (length) {
    case 2:
      return lead >= 0xc2 ? 2 : 0;  // Below: overlong.
    case 3:
      if (lead == 0xe0 && p[1] < 0xa0) return 0;  // Overlong.
      if (lead == 0xed && p[1] > 0x9f) return 0;  // Surrogate.
      return 3;
    default:
      if (lead == 0xf0 && p[1] < 0x90) return 0;                   // Overlong.
      if (lead > 0xf4 || (lead == 0xf4 && p[1] > 0x8f)) return 0;  // Above U+10FFFF.
      return 4;
  }
}

}  // namespace

size_t FindInvalidUtf8(std::string_view text) {
  const char* data = text.data();
  const size_t size = text.size();
  size_t i = 0;
  while (i < size) {
    while (i + 16 <= size && IsPlainAscii(LoadLe<uint64_t>(data + i)) &&
           IsPlainAscii(LoadLe<uint64_t>(data + i + 8))) {
      i += 16;
    }
    const size_t stop = std::min(size, i + 16);
    while (i < stop) {
      const size_t length = ValidCharacter(reinterpret_cast<const uint8_t*>(data + i), size - i);
      if (length == 0) return i;
      i += length;
    }
  }
  return size;
}

Status CheckUtf8(std::string_view text) {
  const size_t bad = FindInvalidUtf8(text);
  if (bad == text.size()) [[likely]]
    return Status::Ok();
  const size_t shown = std::min(LengthOf(static_cast<uint8_t>(text[bad])), text.size() - bad);
  std::string message = "invalid byte sequence for encoding \"UTF8\":";
  for (size_t i = 0; i < shown; ++i) {
    char hex[8];
    std::snprintf(hex, sizeof hex, " 0x%02x", static_cast<uint8_t>(text[bad + i]));
    message += hex;
  }
  return Status(sqlstate::kCharacterNotInRepertoire, std::move(message));
}

}  // namespace omendb::pgwire
