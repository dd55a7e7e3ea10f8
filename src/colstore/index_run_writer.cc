#include "colstore/index_run_writer.h"

#include <algorithm>

#include "base/check.h"
#include "base/crc32c.h"
#include "colstore/format.h"
#include "colstore/index_run_format.h"
#include "colstore/key_filter.h"

namespace omendb::colstore {
namespace {

// Appended to the file at once.
constexpr size_t kWriteBytes = 256 * 1024;
// The system is asked to write each so many out, so that the sync at the end is short.
constexpr uint64_t kWriteBehindBytes = 4 << 20;

}  // namespace

Result<std::unique_ptr<IndexRunWriter>> IndexRunWriter::Create(env::Env& env, std::string path,
                                                               IndexRunName name) {
  OMEN_CHECK(!name.segments.empty());
  std::unique_ptr<IndexRunWriter> writer(new IndexRunWriter(env, std::move(path), std::move(name)));
  OMEN_ASSIGN(writer->file_,
              env.NewWritableFile(writer->draft(), {.mode = env::OpenMode::kTruncate,
                                                    .write_behind_bytes = kWriteBehindBytes}));
  return writer;
}

IndexRunWriter::IndexRunWriter(env::Env& env, std::string path, IndexRunName name)
    : env_(env), path_(std::move(path)), name_(std::move(name)) {}

IndexRunWriter::~IndexRunWriter() {
  if (file_ == nullptr) return;
  (void)file_->Close();
  (void)env_.Remove(draft());
}

Status IndexRunWriter::Add(std::string_view entry) {
  if (entry == last_) return Status::Ok();
  OMEN_DCHECK(last_ < entry);
  if (entries_ == 0) min_entry_ = entry;
  last_ = entry;
  keys_.append(KeyOfEntry(entry));
  ends_.push_back(keys_.size());
  rows_.push_back(RowOfEntry(entry));
  ++entries_;
  const bool full = rows_.size() == kRunBlockEntries || keys_.size() >= kRunBlockKeyBytes;
  return full ? FinishBlock() : Status::Ok();
}

Status IndexRunWriter::FinishBlock() {
  std::vector<IndexEntry> entries;
  entries.reserve(rows_.size());
  size_t begin = 0;
  for (size_t i = 0; i < rows_.size(); ++i) {
    const std::string_view key = std::string_view(keys_).substr(begin, ends_[i] - begin);
    if (i == 0 || key != entries.back().key) hashes_.push_back(IndexRun::HashOf(key));
    entries.push_back({key, rows_[i]});
    begin = ends_[i];
  }
  const Extent extent = PutFrame(EntryBlock::Encode(entries));
  std::string first(entries.front().key);
  AppendRowId(rows_.front(), first);
  ByteWriter fences(fences_);
  fences.PutVarint(extent.bytes);
  fences.PutVarint(rows_.size());
  fences.PutString(first);
  keys_.clear();
  ends_.clear();
  rows_.clear();
  if (++blocks_ % kRunGroupBlocks == 0) FinishGroup();
  return pending_.size() >= kWriteBytes ? Write() : Status::Ok();
}

void IndexRunWriter::FinishGroup() {
  const Extent extent = PutFrame(KeyFilter::Build(hashes_));
  ByteWriter(fences_).PutVarint(extent.bytes);
  hashes_.clear();
}

Extent IndexRunWriter::PutFrame(std::string_view content) {
  const Extent extent{offset_, kFrameHeaderBytes + content.size()};
  std::string sized;
  sized.reserve(4 + content.size());
  ByteWriter(sized).Put(static_cast<uint32_t>(content.size()));
  sized.append(content);
  ByteWriter(pending_).Put(Crc32c(sized, FrameCrcSeed(name_.identity, extent.offset)));
  pending_.append(sized);
  offset_ += extent.bytes;
  return extent;
}

Status IndexRunWriter::Write() {
  OMEN_TRY(file_->Append(pending_));
  pending_.clear();
  return Status::Ok();
}

Status IndexRunWriter::Finish() {
  OMEN_CHECK(entries_ > 0);
  if (!rows_.empty()) OMEN_TRY(FinishBlock());
  if (blocks_ % kRunGroupBlocks != 0) FinishGroup();
  std::string list;
  ByteWriter(list).PutVarint(blocks_);
  list.append(fences_);
  IndexRunFooter footer;
  footer.entries = entries_;
  footer.fences = PutFrame(list);
  footer.min_entry = min_entry_;
  footer.max_entry = last_;
  footer.segments = name_.segments;
  const std::string bytes = footer.Serialize();
  IndexRunTail tail;
  tail.footer = {offset_, bytes.size()};
  tail.identity = name_.identity;
  tail.newest_file_id = name_.segments.back().file_id;
  tail.index = name_.index;
  tail.file_bytes = offset_ + bytes.size() + kIndexRunTailBytes;
  tail.footer_crc = Crc32c(bytes);
  pending_.append(bytes);
  pending_.append(tail.Serialize());
  OMEN_TRY(Write());
  OMEN_TRY(file_->Sync());
  OMEN_TRY(file_->Close());
  OMEN_TRY(env_.Rename(draft(), path_));
  file_.reset();
  return env_.SyncDir(env::DirName(path_));
}

Status WriteIndexRun(env::Env& env, const std::string& path, const IndexRunName& name,
                     std::span<const IndexEntry> entries) {
  OMEN_ASSIGN(const auto writer, IndexRunWriter::Create(env, path, name));
  std::string bytes;
  for (const IndexEntry& entry : entries) {
    bytes = entry.key;
    AppendRowId(entry.row, bytes);
    OMEN_TRY(writer->Add(bytes));
  }
  return writer->Finish();
}

}  // namespace omendb::colstore
