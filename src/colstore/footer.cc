#include "colstore/footer.h"

#include "base/bytes.h"
#include "base/crc32c.h"
#include "base/newer_format.h"
#include "base/sqlstate.h"

namespace omendb::colstore {
namespace {

constexpr size_t kHeaderCrcAt = 60;
constexpr size_t kTailCrcAt = 44;

Status Damaged(std::string what) { return Status(sqlstate::kDataCorrupted, std::move(what)); }

// A numeric without precision is -2 here: -1 was written when it was numeric(38,10).
constexpr int32_t kBigNumericTypmod = -2;

int32_t StoredTypmod(const types::SqlType& type) {
  if (type.kind != types::TypeKind::kNumeric) return type.typmod;
  if (type.typmod < 0) return kBigNumericTypmod;
  return type.numeric_legacy() ? -1 : type.typmod;
}

int32_t LoadedTypmod(types::TypeKind kind, int32_t stored) {
  if (kind != types::TypeKind::kNumeric) return stored;
  if (stored == -1) return types::kLegacyNumericTypmod;
  return stored == kBigNumericTypmod ? -1 : stored;
}

void PutColumn(const ColumnFooter& column, std::string& out) {
  ByteWriter writer(out);
  writer.Put<int16_t>(column.column.id.value());
  writer.Put<uint8_t>(static_cast<uint8_t>(column.column.type.kind));
  writer.Put<uint8_t>(column.column.type.is_array ? 1 : 0);
  writer.Put<int32_t>(StoredTypmod(column.column.type));
  writer.Put<uint64_t>(column.blocks.offset);
  writer.Put<uint64_t>(column.blocks.bytes);
  PutExtent(column.section, writer);
  column.zone.Serialize(column.column.type, out);
}

bool GetColumn(ByteReader& in, uint32_t rows, ColumnFooter& column) {
  column.column.id = ColumnId(in.Get<int16_t>());
  const auto kind = in.Get<uint8_t>();
  if (kind >= types::kTypeKindCount) return false;
  column.column.type.kind = static_cast<types::TypeKind>(kind);
  column.column.type.is_array = in.Get<uint8_t>() != 0;
  column.column.type.typmod = LoadedTypmod(column.column.type.kind, in.Get<int32_t>());
  column.blocks.offset = in.Get<uint64_t>();
  column.blocks.bytes = in.Get<uint64_t>();
  column.section = GetExtent(in);
  column.zone.set_rows(rows);
  return column.zone.Parse(column.column.type, in);
}

Status CheckVersion(uint32_t version) {
  if (version > kFormatVersion) {
    return WrittenByNewer("the segment", "format version", version);
  }
  return version > 0 ? Status::Ok() : Damaged("it has format version 0");
}

}  // namespace

void PutExtent(const Extent& extent, ByteWriter& writer) {
  writer.Put<uint64_t>(extent.offset);
  writer.Put<uint32_t>(static_cast<uint32_t>(extent.bytes));
}
Extent GetExtent(ByteReader& in) {
  Extent extent;
  extent.offset = in.Get<uint64_t>();
  extent.bytes = in.Get<uint32_t>();
  return extent;
}

bool IsIntegerKey(const std::vector<SegmentKeyColumn>& key, const types::SqlType& first) {
  return key.size() == 1 && !key[0].options.descending && types::HasNativeIntKey(first);
}

bool SegmentFooter::has_integer_key() const {
  return !key.empty() && IsIntegerKey(key, columns[key[0].column].column.type);
}

std::string SegmentFooter::Serialize() const {
  std::string out;
  ByteWriter writer(out);
  writer.Put<uint32_t>(storage.value());
  writer.Put<uint32_t>(rows);
  writer.Put<uint64_t>(min_ts.value());
  writer.Put<uint64_t>(max_ts.value());
  writer.PutVarint(columns.size());
  for (const ColumnFooter& column : columns) PutColumn(column, out);
  writer.PutVarint(key.size());
  for (const SegmentKeyColumn& column : key) {
    writer.Put<uint16_t>(static_cast<uint16_t>(column.column));
    writer.Put<uint8_t>(static_cast<uint8_t>((column.options.descending ? 1 : 0) |
                                             (column.options.nulls_first ? 2 : 0)));
  }
  PutExtent(key_index, writer);
  PutExtent(key_filter, writer);
  writer.PutString(min_key);
  writer.PutString(max_key);
  return out;
}

Result<SegmentFooter> SegmentFooter::Parse(std::string_view bytes) {
  ByteReader in(bytes);
  SegmentFooter footer;
  footer.storage = Oid(in.Get<uint32_t>());
  footer.rows = in.Get<uint32_t>();
  footer.min_ts = Timestamp(in.Get<uint64_t>());
  footer.max_ts = Timestamp(in.Get<uint64_t>());
  const uint64_t columns = in.GetVarint();
  if (footer.rows == 0 || footer.rows > kSegmentRowsMax || columns == 0 || columns > kColumnsMax) {
    return Damaged("its footer has wrong counts");
  }
  footer.columns.resize(columns);
  for (ColumnFooter& column : footer.columns) {
    if (!GetColumn(in, footer.rows, column)) return Damaged("its footer has a wrong column");
  }
  const uint64_t keys = in.GetVarint();
  if (keys > kKeyColumnsMax) return Damaged("its footer has a wrong key");
  for (uint64_t i = 0; i < keys; ++i) {
    SegmentKeyColumn column;
    column.column = in.Get<uint16_t>();
    const auto options = in.Get<uint8_t>();
    column.options = {(options & 1) != 0, (options & 2) != 0};
    if (column.column >= columns) return Damaged("its footer has a wrong key");
    footer.key.push_back(column);
  }
  footer.key_index = GetExtent(in);
  footer.key_filter = GetExtent(in);
  footer.min_key = std::string(in.GetString());
  footer.max_key = std::string(in.GetString());
  if (in.failed() || in.remaining() != 0) return Damaged("its footer is cut off");
  const bool keys_fit =
      !footer.has_integer_key() || (footer.min_key.size() == 8 && footer.max_key.size() == 8);
  if (!keys_fit) return Damaged("its footer has wrong bounds of the key");
  return footer;
}

std::vector<uint32_t> SegmentFooter::LookupColumns() const {
  std::vector<uint32_t> wanted;
  if (key.empty()) return wanted;
  for (const SegmentKeyColumn& part : key) wanted.push_back(part.column);
  for (uint32_t i = 0; i < columns.size(); ++i) {
    if (columns[i].column.id != kRowIdColumn || columns[i].zone.is_sequence()) continue;
    // Where there is no primary key they are the key.
    if (std::find(wanted.begin(), wanted.end(), i) == wanted.end()) wanted.push_back(i);
  }
  return wanted;
}

std::vector<uint32_t> SegmentFooter::GroupedColumns() const {
  if (version < kVersionWithGroups) return {};
  std::vector<uint32_t> wanted = LookupColumns();
  return wanted.size() > 1 ? wanted : std::vector<uint32_t>();
}

bool SegmentFooter::IsGrouped(uint32_t column) const {
  const std::vector<uint32_t> grouped = GroupedColumns();
  return std::find(grouped.begin(), grouped.end(), column) != grouped.end();
}

std::string ColumnSection::Serialize(const types::SqlType& type, bool is_grouped) const {
  std::string out;
  ByteWriter writer(out);
  for (size_t i = 0; i < blocks.size(); ++i) {
    if (is_grouped && i > 0 && i % kGroupBlocks == 0) {
      const Extent& before = blocks[i - 1];
      writer.PutVarint(blocks[i].offset - before.offset - AlignUp(before.bytes));
    }
    writer.PutVarint(blocks[i].bytes);
    zones[i].Serialize(type, out);
  }
  sketch.Serialize(out);
  return out;
}

std::string SerializeHeader(const SegmentHeader& header) {
  std::string out(kHeaderBytes, '\0');
  std::memcpy(out.data(), kHeaderMagic.data(), kHeaderMagic.size());
  StoreLe<uint32_t>(out.data() + 8, kFormatVersion);
  StoreLe<uint64_t>(out.data() + 16, header.system_id);
  StoreLe<uint64_t>(out.data() + 24, header.file_id);
  StoreLe<uint32_t>(out.data() + kHeaderCrcAt, Crc32c({out.data(), kHeaderCrcAt}));
  return out;
}

Result<SegmentHeader> ParseHeader(std::string_view bytes) {
  if (bytes.substr(0, 8) != kHeaderMagic) return Damaged("it does not begin as a segment");
  if (LoadLe<uint32_t>(bytes.data() + kHeaderCrcAt) != Crc32c(bytes.substr(0, kHeaderCrcAt))) {
    return Damaged("its header does not check");
  }
  OMEN_TRY(CheckVersion(LoadLe<uint32_t>(bytes.data() + 8)));
  return SegmentHeader{LoadLe<uint64_t>(bytes.data() + 16), LoadLe<uint64_t>(bytes.data() + 24)};
}

std::string SerializeTail(const SegmentTail& tail) {
  std::string out(kTailBytes, '\0');
  std::memcpy(out.data(), kTailMagic.data(), kTailMagic.size());
  StoreLe<uint32_t>(out.data() + 8, tail.version);
  StoreLe<uint32_t>(out.data() + 12, static_cast<uint32_t>(tail.footer.bytes));
  StoreLe<uint64_t>(out.data() + 16, tail.footer.offset);
  StoreLe<uint64_t>(out.data() + 24, tail.file_id);
  StoreLe<uint64_t>(out.data() + 32, tail.file_bytes);
  StoreLe<uint32_t>(out.data() + 40, tail.footer_crc);
  StoreLe<uint32_t>(out.data() + kTailCrcAt, Crc32c({out.data(), kTailCrcAt}));
  return out;
}

Result<SegmentTail> ParseTail(std::string_view bytes) {
  if (bytes.substr(0, 8) != kTailMagic) return Damaged("it does not end as a segment");
  if (LoadLe<uint32_t>(bytes.data() + kTailCrcAt) != Crc32c(bytes.substr(0, kTailCrcAt))) {
    return Damaged("its tail does not check");
  }
  OMEN_TRY(CheckVersion(LoadLe<uint32_t>(bytes.data() + 8)));
  SegmentTail tail;
  tail.version = LoadLe<uint32_t>(bytes.data() + 8);
  tail.footer = {LoadLe<uint64_t>(bytes.data() + 16), LoadLe<uint32_t>(bytes.data() + 12)};
  tail.file_id = LoadLe<uint64_t>(bytes.data() + 24);
  tail.file_bytes = LoadLe<uint64_t>(bytes.data() + 32);
  tail.footer_crc = LoadLe<uint32_t>(bytes.data() + 40);
  return tail;
}

}  // namespace omendb::colstore
