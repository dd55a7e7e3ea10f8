#include "colstore/index_run_format.h"

#include "base/bytes.h"
#include "base/crc32c.h"

namespace omendb::colstore {

std::string IndexRunFooter::Serialize() const {
  std::string bytes;
  ByteWriter out(bytes);
  out.Put<uint64_t>(entries);
  PutExtent(fences, out);
  out.PutString(min_entry);
  out.PutString(max_entry);
  out.PutVarint(segments.size());
  for (const RunSegment& segment : segments) {
    out.PutVarint(segment.file_id);
    out.Put<uint32_t>(segment.footer_crc);
  }
  return bytes;
}

bool IndexRunFooter::Parse(std::string_view bytes) {
  ByteReader in(bytes);
  entries = in.Get<uint64_t>();
  fences = GetExtent(in);
  min_entry = in.GetString();
  max_entry = in.GetString();
  const uint64_t count = in.GetVarint();
  uint64_t before = 0;
  for (uint64_t i = 0; i < count && !in.failed(); ++i) {
    const uint64_t file_id = in.GetVarint();
    segments.push_back({file_id, in.Get<uint32_t>()});
    if (file_id <= before) return false;
    before = file_id;
  }
  return !in.failed() && in.remaining() == 0 && entries > 0 && !segments.empty() &&
         min_entry.size() >= kRowIdBytes && max_entry.size() >= kRowIdBytes;
}

std::string IndexRunTail::Serialize() const {
  std::string bytes;
  ByteWriter out(bytes);
  out.PutRaw(kIndexRunMagic);
  out.Put<uint32_t>(kIndexRunVersion);
  out.Put<uint32_t>(static_cast<uint32_t>(footer.bytes));
  out.Put<uint64_t>(footer.offset);
  out.Put<uint64_t>(identity);
  out.Put<uint64_t>(newest_file_id);
  out.Put<uint64_t>(file_bytes);
  out.Put<uint32_t>(index.value());
  out.Put<uint32_t>(footer_crc);
  out.Put<uint32_t>(0);
  out.Put<uint32_t>(Crc32c(bytes));
  return bytes;
}

bool IndexRunTail::Parse(std::string_view bytes) {
  if (bytes.size() != kIndexRunTailBytes || !bytes.starts_with(kIndexRunMagic)) return false;
  ByteReader in(bytes.substr(kIndexRunMagic.size()));
  if (in.Get<uint32_t>() != kIndexRunVersion) return false;
  footer.bytes = in.Get<uint32_t>();
  footer.offset = in.Get<uint64_t>();
  identity = in.Get<uint64_t>();
  newest_file_id = in.Get<uint64_t>();
  file_bytes = in.Get<uint64_t>();
  index = Oid(in.Get<uint32_t>());
  footer_crc = in.Get<uint32_t>();
  const size_t checked = kIndexRunTailBytes - sizeof(uint32_t);
  return LoadLe<uint32_t>(bytes.data() + checked) == Crc32c(bytes.substr(0, checked));
}

}  // namespace omendb::colstore
