#include "colstore/index_run.h"

#include <algorithm>

#include "base/check.h"
#include "base/crc32c.h"
#include "base/sqlstate.h"
#include "colstore/format.h"
#include "colstore/hash.h"
#include "colstore/index_run_format.h"

namespace omendb::colstore {

Result<std::shared_ptr<const IndexRun>> IndexRun::Open(env::Env& env, const std::string& path,
                                                       const IndexRunName& name,
                                                       BlockCache* cache) {
  OMEN_ASSIGN(const uint64_t bytes, env.FileSize(path));
  OMEN_ASSIGN(auto file, env.NewRandomAccessFile(path));
  const std::shared_ptr<IndexRun> run(new IndexRun(path, cache, std::move(file)));
  run->file_bytes_ = bytes;
  OMEN_TRY(run->Load(name));
  return std::shared_ptr<const IndexRun>(run);
}

IndexRun::IndexRun(std::string path, BlockCache* cache, std::unique_ptr<env::RandomAccessFile> file)
    : path_(std::move(path)),
      cache_(cache),
      owner_(cache != nullptr ? cache->NewOwner() : 0),
      file_(std::move(file)) {}

IndexRun::~IndexRun() {
  if (cache_ != nullptr) cache_->Erase(owner_);
}

Status IndexRun::Damage(const Extent& extent, std::string_view what) const {
  damaged_.store(true, std::memory_order_relaxed);
  return env::DamagedFile(path_, extent.offset, what);
}

Status IndexRun::Load(const IndexRunName& name) {
  if (file_bytes_ < kIndexRunTailBytes) return Damage({0, 0}, "it is too short");
  const Extent tail_at{file_bytes_ - kIndexRunTailBytes, kIndexRunTailBytes};
  OMEN_ASSIGN(const AlignedBytes end, ReadRaw(tail_at, "tail"));
  IndexRunTail tail;
  if (!tail.Parse(end.view())) return Damage(tail_at, "it has no tail of this version");
  const bool agree = tail.file_bytes == file_bytes_ && tail.footer.offset <= tail_at.offset &&
                     tail.footer.offset + tail.footer.bytes == tail_at.offset;
  if (!agree) return Damage(tail_at, "its tail does not belong to it");
  const bool same = tail.name.identity == name.identity && tail.name.index == name.index &&
                    tail.name.segment_file_id == name.segment_file_id;
  if (!same) return Damage(tail_at, "it is of another segment or index");
  identity_ = name.identity;
  OMEN_ASSIGN(const AlignedBytes bytes, ReadRaw(tail.footer, "footer"));
  IndexRunFooter footer;
  if (Crc32c(bytes.view()) != tail.footer_crc || !footer.Parse(bytes.view())) {
    return Damage(tail.footer, "its footer does not check");
  }
  const auto inside = [&](const Extent& extent) {
    return extent.bytes >= kFrameHeaderBytes && extent.bytes <= tail.footer.offset &&
           extent.offset <= tail.footer.offset - extent.bytes;
  };
  if (!inside(footer.filter) || !inside(footer.fences)) {
    return Damage(tail.footer, "its footer names places outside of it");
  }
  size_ = footer.entries;
  filter_at_ = footer.filter;
  fences_at_ = footer.fences;
  min_entry_ = std::move(footer.min_entry);
  max_entry_ = std::move(footer.max_entry);
  return Status::Ok();
}

Result<AlignedBytes> IndexRun::ReadRaw(const Extent& extent, std::string_view what) const {
  AlignedBytes bytes(extent.bytes);
  OMEN_ASSIGN(const size_t got, file_->Read(extent.offset, {bytes.data(), bytes.size()}));
  if (got != bytes.size()) return Damage(extent, std::string(what) + " is cut off");
  return bytes;
}

Result<AlignedBytes> IndexRun::ReadFrame(const Extent& extent, std::string_view what) const {
  OMEN_ASSIGN(AlignedBytes bytes, ReadRaw(extent, what));
  const std::string_view all = bytes.view();
  const uint32_t crc = Crc32c(all.substr(4), FrameCrcSeed(identity_, extent.offset));
  const bool good = LoadLe<uint32_t>(all.data()) == crc &&
                    LoadLe<uint32_t>(all.data() + 4) == all.size() - kFrameHeaderBytes;
  if (!good) return Damage(extent, std::string(what) + " does not check");
  return bytes;
}

bool IndexRun::Fences::Parse(std::string_view content, uint64_t blocks_end) {
  ByteReader in(content);
  uint64_t offset = 0;
  uint64_t before = 0;
  while (in.remaining() > 0) {
    const uint64_t bytes = in.GetVarint();
    const uint64_t entries = in.GetVarint();
    firsts.append(in.GetString());
    const bool good = !in.failed() && bytes >= kFrameHeaderBytes && bytes <= blocks_end - offset &&
                      entries > 0 && before + entries <= UINT32_MAX && firsts.size() <= UINT32_MAX;
    if (!good) return false;
    list.push_back({{offset, bytes},
                    static_cast<uint32_t>(entries),
                    static_cast<uint32_t>(before),
                    static_cast<uint32_t>(firsts.size())});
    offset += bytes;
    before += entries;
  }
  firsts.shrink_to_fit();
  list.shrink_to_fit();
  return !list.empty();
}

uint32_t IndexRun::Fences::Find(std::string_view bound) const {
  uint32_t low = 0;
  auto high = static_cast<uint32_t>(list.size());
  while (low < high) {
    const uint32_t middle = low + (high - low) / 2;
    if (first(middle) <= bound) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low == 0 ? 0 : low - 1;
}

Result<const IndexRun::Fences*> IndexRun::fences() const {
  return fences_.Get(load_mu_, [&]() -> Result<Fences> {
    OMEN_ASSIGN(const AlignedBytes bytes, ReadFrame(fences_at_, "its list of blocks"));
    Fences fences;
    if (!fences.Parse(bytes.view().substr(kFrameHeaderBytes), filter_at_.offset)) {
      return Damage(fences_at_, "its list of blocks is none");
    }
    return fences;
  });
}

Result<const KeyFilter*> IndexRun::filter() const {
  return filter_.Get(load_mu_, [&]() -> Result<KeyFilter> {
    OMEN_ASSIGN(const AlignedBytes bytes, ReadFrame(filter_at_, "its filter"));
    KeyFilter filter;
    if (!filter.Parse(bytes.view().substr(kFrameHeaderBytes))) {
      return Damage(filter_at_, "its filter is none");
    }
    return filter;
  });
}

Result<std::shared_ptr<const Block>> IndexRun::GetBlock(uint32_t block, bool keep) const {
  if (cache_ != nullptr) {
    if (auto found = cache_->Find({owner_, 0, block})) return found;
  }
  OMEN_ASSIGN(auto read, ReadBlock(block));
  if (cache_ != nullptr && keep) cache_->Insert({owner_, 0, block}, read);
  return read;
}

Result<std::shared_ptr<const Block>> IndexRun::ReadBlock(uint32_t block) const {
  OMEN_ASSIGN(const Fences* all, fences());
  const Fence& fence = all->list[block];
  const std::string what = "block " + std::to_string(block);
  OMEN_ASSIGN(AlignedBytes bytes, ReadFrame(fence.extent, what));
  EntryBlock entries;
  if (!entries.Parse(bytes.view().substr(kFrameHeaderBytes)) || entries.size() != fence.entries) {
    return Damage(fence.extent, what + " has no entries of an index");
  }
  return std::make_shared<const Block>(std::move(bytes), BlockView());
}

uint64_t IndexRun::HashOf(std::string_view key) { return HashBytes(key); }

bool IndexRun::MayHave(std::string_view key, uint64_t hash) const {
  if (key < KeyOfEntry(min_entry_) || KeyOfEntry(max_entry_) < key) return false;
  const Result<const KeyFilter*> filter = this->filter();
  return !filter.ok() || (*filter)->MayContain(hash);
}

Status IndexRun::Find(std::string_view key, uint64_t hash, std::vector<RowId>& rows) const {
  if (!MayHave(key, hash)) return Status::Ok();
  Cursor cursor(*this);
  OMEN_TRY(cursor.SeekForward(key));
  while (!cursor.at_end() && KeyOfEntry(cursor.entry()) == key) {
    rows.push_back(RowOfEntry(cursor.entry()));
    OMEN_TRY(cursor.Next());
  }
  return Status::Ok();
}

Result<uint64_t> IndexRun::CountBelow(std::string_view bound, bool exactly) const {
  OMEN_ASSIGN(const Fences* all, fences());
  const uint32_t number = all->Find(bound);
  const uint64_t before = all->list[number].before;
  if (!exactly) return before;
  OMEN_ASSIGN(const auto block, GetBlock(number, /*keep=*/true));
  EntryBlock entries;
  entries.Attach(block->bytes().substr(kFrameHeaderBytes));
  return before + entries.LowerBound(bound);
}

Result<uint64_t> IndexRun::CountRange(std::string_view low, std::string_view high) const {
  if (!high.empty() && high <= min_entry_) return uint64_t{0};
  if (max_entry_ < low) return uint64_t{0};
  const bool all_above = low <= min_entry_;
  const bool all_below = high.empty() || max_entry_ < high;
  OMEN_ASSIGN(const Fences* all, fences());
  const uint32_t last = all_below ? static_cast<uint32_t>(all->list.size()) - 1 : all->Find(high);
  const bool exactly = all->Find(low) == last;
  uint64_t begin = 0;
  uint64_t end = size_;
  if (!all_above) {
    OMEN_ASSIGN(begin, CountBelow(low, exactly));
  }
  if (!all_below) {
    OMEN_ASSIGN(end, CountBelow(high, exactly));
  }
  return end - std::min(begin, end);
}

std::vector<Status> IndexRun::Verify() const {
  std::vector<Status> damages;
  const auto note = [&damages](const Status& status) {
    if (!status.ok()) damages.push_back(status);
  };
  note(filter().status());
  const auto all = fences();
  note(all.status());
  if (!all.ok()) return damages;
  for (uint32_t block = 0; block < (*all)->list.size(); ++block) note(ReadBlock(block).status());
  return damages;
}

size_t IndexRun::memory_bytes() const {
  size_t bytes = sizeof(*this) + path_.capacity() + min_entry_.capacity() + max_entry_.capacity();
  if (const Fences* fences = fences_.ready()) {
    bytes += fences->firsts.capacity() + fences->list.capacity() * sizeof(Fence);
  }
  if (const KeyFilter* filter = filter_.ready()) bytes += filter->memory_bytes();
  return bytes;
}

Status IndexRun::Cursor::Load(uint32_t block) {
  OMEN_ASSIGN(block_, run_.GetBlock(block, keep_));
  view_.Attach(block_->bytes().substr(kFrameHeaderBytes));
  entries_.emplace(view_);
  number_ = block;
  return Status::Ok();
}

Status IndexRun::Cursor::SeekForward(std::string_view bound) {
  backward_ = false;
  at_end_ = true;
  if (run_.max_entry() < bound) return Status::Ok();
  OMEN_ASSIGN(const Fences* fences, run_.fences());
  OMEN_TRY(Load(fences->Find(bound)));
  at_ = view_.LowerBound(bound);
  if (at_ == view_.size()) {  // All of the block is below: what is sought begins the next one.
    OMEN_TRY(Load(number_ + 1));
    at_ = 0;
  }
  at_end_ = false;
  return Status::Ok();
}

Status IndexRun::Cursor::SeekBackward(std::string_view bound) {
  backward_ = true;
  at_end_ = true;
  if (!bound.empty() && bound <= run_.min_entry()) return Status::Ok();
  OMEN_ASSIGN(const Fences* fences, run_.fences());
  const auto last = static_cast<uint32_t>(fences->list.size()) - 1;
  OMEN_TRY(Load(bound.empty() ? last : fences->Find(bound)));
  const uint32_t end = bound.empty() ? view_.size() : view_.LowerBound(bound);
  if (end == 0) {  // The bound is its first entry.
    OMEN_TRY(Load(number_ - 1));
    at_ = view_.size() - 1;
  } else {
    at_ = end - 1;
  }
  at_end_ = false;
  return Status::Ok();
}

Status IndexRun::Cursor::Next() {
  if (!backward_) {
    if (++at_ < view_.size()) return Status::Ok();
    OMEN_ASSIGN(const Fences* fences, run_.fences());
    at_end_ = number_ + 1 == fences->list.size();
    if (at_end_) return Status::Ok();
    OMEN_TRY(Load(number_ + 1));
    at_ = 0;
    return Status::Ok();
  }
  if (at_-- > 0) return Status::Ok();
  at_end_ = number_ == 0;
  if (at_end_) return Status::Ok();
  OMEN_TRY(Load(number_ - 1));
  at_ = view_.size() - 1;
  return Status::Ok();
}

}  // namespace omendb::colstore
