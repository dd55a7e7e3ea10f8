// Writing an index run: see index_run.h.
#include <algorithm>

#include "base/check.h"
#include "base/crc32c.h"
#include "colstore/format.h"
#include "colstore/index_run_format.h"

namespace omendb::colstore {
namespace {

// Appends it to the file.
Extent PutFrame(uint64_t identity, std::string_view content, std::string& file) {
  const Extent extent{file.size(), kFrameHeaderBytes + content.size()};
  std::string sized;
  ByteWriter(sized).Put(static_cast<uint32_t>(content.size()));
  sized.append(content);
  ByteWriter(file).Put(Crc32c(sized, FrameCrcSeed(identity, extent.offset)));
  file.append(sized);
  return extent;
}

size_t EndOfBlock(std::span<const IndexEntry> entries, size_t begin) {
  size_t bytes = 0;
  size_t end = begin;
  while (end < entries.size() && end - begin < kRunBlockEntries && bytes < kRunBlockKeyBytes) {
    bytes += entries[end++].key.size();
  }
  return end;
}

std::string EntryBytes(const IndexEntry& entry) {
  std::string bytes(entry.key);
  AppendRowId(entry.row, bytes);
  return bytes;
}

std::string BuildFilter(std::span<const IndexEntry> entries) {
  std::vector<uint64_t> hashes;
  for (size_t i = 0; i < entries.size(); ++i) {
    if (i > 0 && entries[i].key == entries[i - 1].key) continue;
    hashes.push_back(IndexRun::HashOf(entries[i].key));
  }
  return KeyFilter::Build(hashes);
}

std::string Encode(const IndexRunName& name, std::span<const IndexEntry> entries) {
  std::string file;
  std::string fences;
  ByteWriter fences_out(fences);
  for (size_t begin = 0; begin < entries.size();) {
    const size_t end = EndOfBlock(entries, begin);
    const std::string block = EntryBlock::Encode(entries.subspan(begin, end - begin));
    const Extent extent = PutFrame(name.identity, block, file);
    fences_out.PutVarint(extent.bytes);
    fences_out.PutVarint(end - begin);
    fences_out.PutString(EntryBytes(entries[begin]));
    begin = end;
  }
  IndexRunFooter footer;
  footer.entries = static_cast<uint32_t>(entries.size());
  footer.filter = PutFrame(name.identity, BuildFilter(entries), file);
  footer.fences = PutFrame(name.identity, fences, file);
  footer.min_entry = EntryBytes(entries.front());
  footer.max_entry = EntryBytes(entries.back());
  const std::string bytes = footer.Serialize();
  IndexRunTail tail;
  tail.footer = {file.size(), bytes.size()};
  tail.name = name;
  tail.file_bytes = file.size() + bytes.size() + kIndexRunTailBytes;
  tail.footer_crc = Crc32c(bytes);
  file.append(bytes);
  file.append(tail.Serialize());
  return file;
}

}  // namespace

Status WriteIndexRun(env::Env& env, const std::string& path, const IndexRunName& name,
                     std::span<const IndexEntry> entries) {
  OMEN_CHECK(!entries.empty());
  OMEN_DCHECK(std::is_sorted(entries.begin(), entries.end()));
  return env::ReplaceFile(env, path, Encode(name, entries));
}

}  // namespace omendb::colstore
