// Text and binary input of every type: whatever comes, an error or a value that survives the way
// out and in again, in both forms.

#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "types/binary_io.h"
#include "types/casts.h"
#include "types/key_encoding.h"
#include "types/text_io.h"

namespace omendb::types {
namespace {

SqlType PickType(uint8_t kind_byte, uint8_t flags) {
  SqlType type{static_cast<TypeKind>(kind_byte % kTypeKindCount), (flags & 1) != 0};
  bool no_array = type.kind == TypeKind::kUnknown || type.kind == TypeKind::kVoid ||
                  type.kind == TypeKind::kRecord;
  if (no_array) type = {TypeKind::kText};
  if ((flags & 2) == 0) return type;
  switch (type.kind) {
    case TypeKind::kNumeric:
      type.typmod = NumericType(1 + flags % 38, flags % 5 % (1 + flags % 38)).typmod;
      break;
    case TypeKind::kVarchar:
    case TypeKind::kBpchar:
      type.typmod = 4 + 1 + flags % 7;
      break;
    case TypeKind::kTime:
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampTz:
      type.typmod = flags % 7;
      break;
    default:
      break;
  }
  return type;
}

void CheckRoundTrip(const SqlType& type, const Value& value, const IoSettings& settings) {
  Arena arena;
  std::string text;
  FormatText(type, value, settings, text);
  Result<Value> again = ParseText(type, text, arena, settings);
  OMEN_CHECK(again.ok());
  std::string second;
  FormatText(type, *again, settings, second);
  OMEN_CHECK(text == second);
  OMEN_CHECK(Compare(type, value, *again) == 0);
  OMEN_CHECK(HashValue(type, value) == HashValue(type, *again));
  std::string bytes;
  SendBinary(type, value, bytes);
  Result<Value> received = ReceiveBinary(type, bytes, arena);
  OMEN_CHECK(received.ok());
  OMEN_CHECK(Compare(type, value, *received) == 0);
  std::string key;
  std::string other;
  AppendKey(type, value, {}, key);
  AppendKey(type, *received, {}, other);
  OMEN_CHECK(key == other);
}

void FuzzOne(std::string_view input) {
  if (input.size() < 3) return;
  SqlType type = PickType(static_cast<uint8_t>(input[0]), static_cast<uint8_t>(input[1]));
  auto flags = static_cast<uint8_t>(input[2]);
  std::string_view body = input.substr(3);
  IoSettings settings;
  settings.date_order = static_cast<DateOrder>(flags % 3);
  settings.interval_style = static_cast<IntervalStyle>(flags / 4 % 4);
  settings.bytea_output = (flags & 64) != 0 ? ByteaOutput::kEscape : ByteaOutput::kHex;
  Arena arena;
  Result<Value> value = (flags & 128) != 0 ? ReceiveBinary(type, body, arena)
                                           : ParseText(type, body, arena, settings);
  if (!value.ok()) {
    OMEN_CHECK(!value.status().error().message.empty());
    return;
  }
  CheckRoundTrip(type, *value, settings);
  Result<Value> as_text =
      CastValue(type, {TypeKind::kText}, *value, arena, CastContext::kExplicit, settings);
  OMEN_CHECK(as_text.ok());
}

}  // namespace
}  // namespace omendb::types

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  omendb::types::FuzzOne({reinterpret_cast<const char*>(data), size});
  return 0;
}
