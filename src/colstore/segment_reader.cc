#include "colstore/segment_reader.h"

#include <algorithm>

#include "base/check.h"
#include "base/sqlstate.h"

namespace omendb::colstore {
namespace {

// One read of neighbouring blocks is at most so long.
constexpr uint64_t kReadAheadBytesMax = 1 << 20;
// What a key is looked for in is read at once, with what lies between, where that is no more: an
// SSD takes about as long for it as for one of its blocks.
constexpr uint64_t kKeyReadBytesMax = 64 * 1024;

}  // namespace

Result<std::shared_ptr<const SegmentReader>> SegmentReader::Open(env::Env& env,
                                                                 const std::string& path,
                                                                 const ReaderOptions& options) {
  OMEN_ASSIGN(const uint64_t bytes, env.FileSize(path));
  OMEN_ASSIGN(auto file, env.NewRandomAccessFile(path));
  const std::shared_ptr<SegmentReader> reader(new SegmentReader(path, options, std::move(file)));
  OMEN_TRY(reader->Load(bytes, options.system_id));
  return std::shared_ptr<const SegmentReader>(reader);
}

SegmentReader::SegmentReader(std::string path, const ReaderOptions& options,
                             std::unique_ptr<env::RandomAccessFile> file)
    : path_(std::move(path)),
      cache_(options.cache),
      owner_(options.cache != nullptr ? options.cache->NewOwner() : 0),
      file_(std::move(file)) {}

SegmentReader::~SegmentReader() {
  if (cache_ != nullptr) cache_->Erase(owner_);
}

Status SegmentReader::Damage(const Extent& extent, std::string_view what) const {
  return env::DamagedFile(path_, extent.offset, what);
}

std::string SegmentReader::BlockName(uint32_t column, uint32_t block) const {
  return "column " + std::to_string(footer_.columns[column].column.id.value()) + ", block " +
         std::to_string(block);
}

Status SegmentReader::Load(uint64_t file_bytes, uint64_t system_id) {
  if (file_bytes < kHeaderBytes + kTailBytes) return Damage({0, 0}, "it is too short");
  OMEN_ASSIGN(AlignedBytes head, ReadRaw({0, kHeaderBytes}, "header"));
  const Extent tail_at{file_bytes - kTailBytes, kTailBytes};
  OMEN_ASSIGN(AlignedBytes end, ReadRaw(tail_at, "tail"));
  const auto wrap = [this](const Extent& extent, const Status& status) {
    const std::string& what = status.error().message;
    if (status.Is(sqlstate::kDataCorrupted)) return Damage(extent, what);
    return Status(status.error().sqlstate, "\"" + path_ + "\": " + what);
  };
  Result<SegmentHeader> header = ParseHeader(head.view());
  if (!header.ok()) return wrap({0, 0}, header.status());
  header_ = *header;
  Result<SegmentTail> tail = ParseTail(end.view());
  if (!tail.ok()) return wrap(tail_at, tail.status());
  tail_ = *tail;
  const bool agree = tail_.file_id == header_.file_id && tail_.file_bytes == file_bytes &&
                     tail_.footer.offset + tail_.footer.bytes == tail_at.offset;
  if (!agree) return Damage(tail_at, "its tail does not belong to it");
  if (system_id != 0 && header_.system_id != system_id) {
    return Damage({0, 0}, "it belongs to another data folder");
  }
  OMEN_ASSIGN(AlignedBytes bytes, ReadRaw(tail_.footer, "footer"));
  if (Crc32c(bytes.view()) != tail_.footer_crc) {
    return Damage(tail_.footer, "its footer does not check");
  }
  Result<SegmentFooter> footer = SegmentFooter::Parse(bytes.view());
  if (!footer.ok()) return wrap(tail_.footer, footer.status());
  footer_ = *std::move(footer);
  footer_.version = tail_.version;
  grouped_ = footer_.GroupedColumns();
  directories_ = std::vector<Lazy<ColumnDirectory>>(footer_.columns.size());
  return CheckExtents();
}

// Everything the footer names lies between header and footer.
Status SegmentReader::CheckExtents() const {
  const auto inside = [this](const Extent& extent, uint64_t least) {
    return extent.offset >= kHeaderBytes && extent.bytes >= least &&
           extent.bytes <= tail_.footer.offset &&
           extent.offset <= tail_.footer.offset - extent.bytes;
  };
  bool good = footer_.key.empty() || (inside(footer_.key_index, kSectionHeaderBytes) &&
                                      inside(footer_.key_filter, kSectionHeaderBytes));
  for (const ColumnFooter& column : footer_.columns) {
    good = good && inside(column.blocks, kBlockHeaderBytes) &&
           inside(column.section, kSectionHeaderBytes);
  }
  return good ? Status::Ok() : Damage(tail_.footer, "its footer names places outside of it");
}

std::optional<uint32_t> SegmentReader::FindColumn(ColumnId id) const {
  for (uint32_t i = 0; i < footer_.columns.size(); ++i) {
    if (footer_.columns[i].column.id == id) return i;
  }
  return std::nullopt;
}

Result<AlignedBytes> SegmentReader::ReadRaw(const Extent& extent, std::string_view what) const {
  AlignedBytes bytes(extent.bytes);
  OMEN_ASSIGN(const size_t got, file_->Read(extent.offset, {bytes.data(), bytes.size()}));
  if (got != bytes.size()) return Damage(extent, std::string(what) + " is cut off");
  return bytes;
}

Status SegmentReader::CheckFrame(const Extent& extent, std::string_view bytes,
                                 std::string_view what) const {
  const uint32_t seed = FrameCrcSeed(header_.file_id, extent.offset);
  if (LoadLe<uint32_t>(bytes.data()) == Crc32c(bytes.substr(4), seed)) return Status::Ok();
  return Damage(extent, std::string(what) + " does not check");
}

Result<AlignedBytes> SegmentReader::ReadFrame(const Extent& extent, std::string_view what) const {
  OMEN_ASSIGN(AlignedBytes bytes, ReadRaw(extent, what));
  OMEN_TRY(CheckFrame(extent, bytes.view(), what));
  return bytes;
}

Result<std::shared_ptr<const Block>> SegmentReader::MakeBlock(uint32_t column, uint32_t block,
                                                              const Extent& extent,
                                                              AlignedBytes bytes) const {
  const types::PhysicalType physical = types::PhysicalTypeOf(footer_.columns[column].column.type);
  Result<std::shared_ptr<const Block>> made = Block::Make(physical, std::move(bytes));
  if (!made.ok()) {
    return Damage(extent, BlockName(column, block) + ": " + made.status().error().message);
  }
  if ((*made)->view().rows != footer_.rows_of(block)) {
    return Damage(extent, BlockName(column, block) + " has a wrong number of values");
  }
  if (cache_ != nullptr) cache_->Insert({owner_, column, block}, *made);
  return made;
}

Result<std::shared_ptr<const Block>> SegmentReader::GetBlock(uint32_t column,
                                                             uint32_t block) const {
  if (auto found = FindCached(column, block)) return found;
  return ReadBlock(column, block);
}

std::shared_ptr<const Block> SegmentReader::FindCached(uint32_t column, uint32_t block) const {
  OMEN_DCHECK(column < footer_.columns.size() && block < footer_.blocks_count());
  return cache_ != nullptr ? cache_->Find({owner_, column, block}) : nullptr;
}

void SegmentReader::FindCached(uint32_t column, uint32_t first,
                               std::span<std::shared_ptr<const Block>> found) const {
  if (cache_ != nullptr) cache_->FindMany({owner_, column, first}, found);
}

bool SegmentReader::IsCached(uint32_t column, uint32_t block) const {
  return cache_ != nullptr && cache_->Contains({owner_, column, block});
}

Result<std::shared_ptr<const Block>> SegmentReader::ReadBlock(uint32_t column,
                                                              uint32_t block) const {
  OMEN_ASSIGN(const ColumnDirectory* blocks_of, directory(column));
  const Extent extent = blocks_of->extent(block);
  OMEN_ASSIGN(AlignedBytes bytes, ReadFrame(extent, BlockName(column, block)));
  return MakeBlock(column, block, extent, std::move(bytes));
}

Result<uint32_t> SegmentReader::Prefetch(uint32_t column, uint32_t first,
                                         std::span<std::shared_ptr<const Block>> blocks) const {
  if (cache_ == nullptr) return 0U;
  OMEN_ASSIGN(const ColumnDirectory* blocks_of, directory(column));
  uint32_t read = 0;
  for (size_t begin = 0, end = 0; begin < blocks.size(); begin = std::max(end, begin + 1)) {
    end = begin;
    while (end < blocks.size() && blocks[end] == nullptr &&
           !IsCached(column, first + static_cast<uint32_t>(end)) &&
           (end == begin || blocks_of->Follows(first + static_cast<uint32_t>(end)))) {
      ++end;
    }
    if (end - begin < 2) continue;
    OMEN_ASSIGN(const uint32_t more, PrefetchRun(column, first + static_cast<uint32_t>(begin),
                                                 blocks.subspan(begin, end - begin)));
    read += more;
  }
  return read;
}

Status SegmentReader::PrefetchForKey(uint32_t block) const {
  if (cache_ == nullptr || grouped_.empty() || IsCached(grouped_.front(), block)) {
    return Status::Ok();
  }
  std::vector<Extent> extents;
  for (const uint32_t column : grouped_) {
    OMEN_ASSIGN(const ColumnDirectory* blocks_of, directory(column));
    extents.push_back(blocks_of->extent(block));
  }
  const uint64_t begin = extents.front().offset;
  const uint64_t bytes = extents.back().offset + extents.back().bytes - begin;
  // One by one, then; or the gaps of a damaged directory lead elsewhere.
  const bool together = std::all_of(extents.begin(), extents.end(), [&](const Extent& extent) {
    return extent.offset >= begin && extent.bytes <= bytes &&
           extent.offset - begin <= bytes - extent.bytes;
  });
  if (bytes > kKeyReadBytesMax || !together) return Status::Ok();
  OMEN_ASSIGN(const AlignedBytes all, ReadRaw({begin, bytes}, BlockName(grouped_.front(), block)));
  for (size_t i = 0; i < grouped_.size(); ++i) {
    (void)MakeBlockOf(all.view(), begin, grouped_[i], block, extents[i]);
  }
  return Status::Ok();
}

// Of a copy of its part of `bytes`, which lie at `begin`; null where that is damaged, for GetBlock
// to tell.
std::shared_ptr<const Block> SegmentReader::MakeBlockOf(std::string_view bytes, uint64_t begin,
                                                        uint32_t column, uint32_t block,
                                                        const Extent& extent) const {
  const std::string_view raw = bytes.substr(extent.offset - begin, extent.bytes);
  if (!CheckFrame(extent, raw, "").ok()) return nullptr;
  AlignedBytes copy(raw.size());
  std::memcpy(copy.data(), raw.data(), raw.size());
  Result<std::shared_ptr<const Block>> made = MakeBlock(column, block, extent, std::move(copy));
  return made.ok() ? *made : nullptr;
}

Result<uint32_t> SegmentReader::PrefetchRun(uint32_t column, uint32_t first,
                                            std::span<std::shared_ptr<const Block>> blocks) const {
  OMEN_ASSIGN(const ColumnDirectory* blocks_of, directory(column));
  const Extent begin = blocks_of->extent(first);
  const Extent last = blocks_of->extent(first + static_cast<uint32_t>(blocks.size()) - 1);
  const uint64_t bytes = last.offset + last.bytes - begin.offset;
  if (bytes > kReadAheadBytesMax) return 0U;  // Blocks this long are read one by one.
  OMEN_ASSIGN(const AlignedBytes all, ReadRaw({begin.offset, bytes}, BlockName(column, first)));
  for (uint32_t i = 0; i < blocks.size(); ++i) {
    auto made =
        MakeBlockOf(all.view(), begin.offset, column, first + i, blocks_of->extent(first + i));
    if (made != nullptr) blocks[i] = std::move(made);
  }
  return static_cast<uint32_t>(blocks.size());
}

Status SegmentReader::ReadRow(uint32_t row, std::span<const uint32_t> columns, types::Arena& arena,
                              types::Value* out) const {
  OMEN_DCHECK(row < rows());
  LoadForLookups();
  for (size_t i = 0; i < columns.size(); ++i) {
    OMEN_ASSIGN(const auto block, GetBlock(columns[i], row / kBlockRows));
    const BlockView& view = block->view();
    out[i] = types::CopyTo(arena, view.physical, view.Read(row % kBlockRows, arena));
  }
  return Status::Ok();
}

std::vector<Status> SegmentReader::Verify() const {
  std::vector<Status> damages;
  const auto note = [&damages](const Status& status) {
    if (!status.ok()) damages.push_back(status);
  };
  for (uint32_t column = 0; column < footer_.columns.size(); ++column) {
    const auto blocks_of = directory(column);
    note(blocks_of.status());
    if (!blocks_of.ok()) continue;
    for (uint32_t block = 0; block < footer_.blocks_count(); ++block) {
      const Extent extent = (*blocks_of)->extent(block);
      auto bytes = ReadFrame(extent, BlockName(column, block));
      note(bytes.status());
      if (bytes.ok()) note(MakeBlock(column, block, extent, std::move(bytes).value()).status());
    }
  }
  if (!footer_.key.empty()) {
    note(key_index().status());
    note(key_filter().status());
  }
  return damages;
}

size_t SegmentReader::memory_bytes() const {
  size_t bytes = sizeof(*this) + footer_.columns.size() * sizeof(ColumnFooter);
  for (const Lazy<ColumnDirectory>& lazy : directories_) {
    if (const ColumnDirectory* directory = lazy.ready()) bytes += directory->memory_bytes();
  }
  if (const KeyIndex* index = key_index_.ready()) bytes += index->memory_bytes();
  if (const KeyFilter* filter = key_filter_.ready()) bytes += filter->memory_bytes();
  return bytes;
}

}  // namespace omendb::colstore
