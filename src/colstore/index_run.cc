#include "colstore/index_run.h"

#include <algorithm>

#include "base/check.h"
#include "base/crc32c.h"
#include "base/sqlstate.h"
#include "colstore/format.h"
#include "colstore/hash.h"
#include "colstore/index_run_format.h"
#include "colstore/key_filter.h"

namespace omendb::colstore {
namespace {

// Of the cache's keys.
constexpr uint32_t kBlockColumn = 0;
constexpr uint32_t kFilterColumn = 1;

}  // namespace

Result<std::shared_ptr<const IndexRun>> IndexRun::Open(env::Env& env, const std::string& path,
                                                       BlockCache* cache) {
  OMEN_ASSIGN(const uint64_t bytes, env.FileSize(path));
  OMEN_ASSIGN(auto file, env.NewRandomAccessFile(path));
  const std::shared_ptr<IndexRun> run(new IndexRun(path, cache, std::move(file)));
  run->file_bytes_ = bytes;
  OMEN_TRY(run->Load());
  return std::shared_ptr<const IndexRun>(run);
}

Result<std::shared_ptr<const IndexRun>> IndexRun::Open(env::Env& env, const std::string& path,
                                                       const IndexRunName& name,
                                                       BlockCache* cache) {
  OMEN_ASSIGN(auto run, Open(env, path, cache));
  if (run->name() == name) return run;
  return env::DamagedFile(path, 0, "it is of other segments, or of another index");
}

std::shared_ptr<const IndexRun> IndexRun::Unreadable(IndexRunName name, uint64_t entries,
                                                     Status error) {
  const std::shared_ptr<IndexRun> run(new IndexRun("", nullptr, nullptr));
  run->unreadable_ = std::move(error);
  run->damaged_.store(true, std::memory_order_relaxed);
  run->name_ = std::move(name);
  run->size_ = entries;
  // No key begins with the greatest byte (types/key_encoding.h).
  run->min_entry_ = std::string(kRowIdBytes, '\0');
  run->max_entry_ = std::string(1 + kRowIdBytes, '\xff');
  return run;
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

Status IndexRun::Load() {
  if (file_bytes_ < kIndexRunTailBytes) return Damage({0, 0}, "it is too short");
  const Extent tail_at{file_bytes_ - kIndexRunTailBytes, kIndexRunTailBytes};
  OMEN_ASSIGN(const AlignedBytes end, ReadRaw(tail_at, "tail"));
  IndexRunTail tail;
  if (!tail.Parse(end.view())) return Damage(tail_at, "it has no tail of this version");
  const bool agree = tail.file_bytes == file_bytes_ && tail.footer.offset <= tail_at.offset &&
                     tail.footer.offset + tail.footer.bytes == tail_at.offset;
  if (!agree) return Damage(tail_at, "its tail does not belong to it");
  OMEN_ASSIGN(const AlignedBytes bytes, ReadRaw(tail.footer, "footer"));
  IndexRunFooter footer;
  if (Crc32c(bytes.view()) != tail.footer_crc || !footer.Parse(bytes.view()) ||
      footer.segments.back().file_id != tail.newest_file_id) {
    return Damage(tail.footer, "its footer does not check");
  }
  const bool inside = footer.fences.bytes >= kFrameHeaderBytes &&
                      footer.fences.bytes <= tail.footer.offset &&
                      footer.fences.offset <= tail.footer.offset - footer.fences.bytes;
  if (!inside) return Damage(tail.footer, "its footer names places outside of it");
  name_ = {tail.identity, tail.index, std::move(footer.segments)};
  size_ = footer.entries;
  fences_at_ = footer.fences;
  min_entry_ = std::move(footer.min_entry);
  max_entry_ = std::move(footer.max_entry);
  return Status::Ok();
}

Result<AlignedBytes> IndexRun::ReadRaw(const Extent& extent, std::string_view what) const {
  if (!unreadable_.ok()) return unreadable_;
  AlignedBytes bytes(extent.bytes);
  OMEN_ASSIGN(const size_t got, file_->Read(extent.offset, {bytes.data(), bytes.size()}));
  if (got != bytes.size()) return Damage(extent, std::string(what) + " is cut off");
  return bytes;
}

Result<AlignedBytes> IndexRun::ReadFrame(const Extent& extent, std::string_view what) const {
  OMEN_ASSIGN(AlignedBytes bytes, ReadRaw(extent, what));
  const std::string_view all = bytes.view();
  const uint32_t crc = Crc32c(all.substr(4), FrameCrcSeed(name_.identity, extent.offset));
  const bool good = LoadLe<uint32_t>(all.data()) == crc &&
                    LoadLe<uint32_t>(all.data() + 4) == all.size() - kFrameHeaderBytes;
  if (!good) return Damage(extent, std::string(what) + " does not check");
  return bytes;
}

bool IndexRun::Fences::Parse(std::string_view content, uint64_t blocks_end) {
  ByteReader in(content);
  uint64_t offset = 0;
  const uint64_t blocks = in.GetVarint();
  for (uint64_t block = 0; block < blocks; ++block) {
    if (!ParseBlock(in, blocks_end, &offset)) return false;
    if ((block + 1) % kRunGroupBlocks != 0 && block + 1 != blocks) continue;
    const uint64_t bytes = in.GetVarint();
    if (in.failed() || bytes < kFrameHeaderBytes || bytes > blocks_end - offset) return false;
    filters.push_back({offset, bytes});
    offset += bytes;
  }
  firsts.shrink_to_fit();
  list.shrink_to_fit();
  filters.shrink_to_fit();
  return !list.empty() && in.remaining() == 0;
}

bool IndexRun::Fences::ParseBlock(ByteReader& in, uint64_t blocks_end, uint64_t* offset) {
  const uint64_t bytes = in.GetVarint();
  const uint64_t entries = in.GetVarint();
  const std::string_view first = in.GetString();
  firsts.append(first);
  const bool good = !in.failed() && bytes >= kFrameHeaderBytes && bytes <= blocks_end - *offset &&
                    bytes <= UINT32_MAX && entries > 0 && entries <= kRunBlockEntries &&
                    first.size() >= kRowIdBytes && firsts.size() <= UINT32_MAX;
  if (!good) return false;
  const uint64_t before = list.empty() ? 0 : list.back().before + list.back().entries;
  list.push_back({*offset, before, static_cast<uint32_t>(bytes), static_cast<uint32_t>(entries),
                  static_cast<uint32_t>(firsts.size())});
  *offset += bytes;
  return true;
}

uint32_t IndexRun::Fences::Find(std::string_view bound, uint32_t from) const {
  const auto count = static_cast<uint32_t>(list.size());
  uint32_t low = from;  // All before begin at or below the bound.
  uint32_t high = from == 0 ? count : from;
  for (uint32_t step = 1; high < count && first(high) <= bound; step *= 2) {
    low = high + 1;
    high = low + step;
  }
  high = std::min(high, count);
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
    if (!fences.Parse(bytes.view().substr(kFrameHeaderBytes), fences_at_.offset)) {
      return Damage(fences_at_, "its list of blocks is none");
    }
    return fences;
  });
}

Result<std::shared_ptr<const Block>> IndexRun::GetFilter(uint32_t group) const {
  if (cache_ != nullptr) {
    if (auto found = cache_->Find({owner_, kFilterColumn, group})) return found;
  }
  OMEN_ASSIGN(auto read, ReadFilter(group));
  if (cache_ != nullptr) cache_->Insert({owner_, kFilterColumn, group}, read);
  return read;
}

Result<std::shared_ptr<const Block>> IndexRun::ReadFilter(uint32_t group) const {
  OMEN_ASSIGN(const Fences* all, fences());
  const std::string what = "filter " + std::to_string(group);
  OMEN_ASSIGN(AlignedBytes bytes, ReadFrame(all->filters[group], what));
  if (!KeyFilter::IsFilter(bytes.view().substr(kFrameHeaderBytes))) {
    return Damage(all->filters[group], what + " is none");
  }
  return std::make_shared<const Block>(std::move(bytes), BlockView());
}

Result<std::shared_ptr<const Block>> IndexRun::GetBlock(uint32_t block, bool keep) const {
  if (cache_ != nullptr) {
    if (auto found = cache_->Find({owner_, kBlockColumn, block})) return found;
  }
  OMEN_ASSIGN(auto read, ReadBlock(block));
  if (cache_ != nullptr && keep) cache_->Insert({owner_, kBlockColumn, block}, read);
  return read;
}

Result<std::shared_ptr<const Block>> IndexRun::ReadBlock(uint32_t block) const {
  OMEN_ASSIGN(const Fences* all, fences());
  const Fence& fence = all->list[block];
  const std::string what = "block " + std::to_string(block);
  OMEN_ASSIGN(AlignedBytes bytes, ReadFrame(fence.extent(), what));
  EntryBlock entries;
  if (!entries.Parse(bytes.view().substr(kFrameHeaderBytes)) || entries.size() != fence.entries) {
    return Damage(fence.extent(), what + " has no entries of an index");
  }
  return std::make_shared<const Block>(std::move(bytes), BlockView());
}

uint64_t IndexRun::HashOf(std::string_view key) { return HashBytes(key); }

bool IndexRun::MayHave(const HashedKey& key) const {
  if (!IsInRange(key.key)) return false;
  Cursor cursor(*this);
  const Result<bool> may_have = cursor.FindFence(key);
  return !may_have.ok() || *may_have;
}

Status IndexRun::Find(const HashedKey& key, std::vector<RowId>& rows) const {
  Cursor cursor(*this);
  OMEN_TRY(cursor.SeekKey(key));
  while (!cursor.at_end() && KeyOfEntry(cursor.entry()) == key.key) {
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
  const auto all = fences();
  note(all.status());
  if (!all.ok()) return damages;
  for (uint32_t block = 0; block < (*all)->list.size(); ++block) {
    note(ReadBlock(block).status());
    if (block % kRunGroupBlocks == 0) note(ReadFilter(block / kRunGroupBlocks).status());
  }
  return damages;
}

size_t IndexRun::memory_bytes() const {
  size_t bytes = sizeof(*this) + path_.capacity() + min_entry_.capacity() + max_entry_.capacity() +
                 name_.segments.capacity() * sizeof(RunSegment);
  if (const Fences* fences = fences_.ready()) {
    bytes += fences->firsts.capacity() + fences->list.capacity() * sizeof(Fence) +
             fences->filters.capacity() * sizeof(Extent);
  }
  return bytes;
}

// A key may begin with the next block: it has the key then, for certain, as its first one.
Result<bool> IndexRun::Cursor::FindFence(const HashedKey& key) {
  OMEN_ASSIGN(const Fences* fences, run_.fences());
  const bool ascends = fence_ < fences->list.size() && fences->first(fence_) <= key.key;
  fence_ = fences->Find(key.key, ascends ? fence_ : 0);
  const uint32_t next = fence_ + 1;
  if (next < fences->list.size() && KeyOfEntry(fences->first(next)) == key.key) return true;
  if (group_ != fence_ / kRunGroupBlocks) {
    OMEN_ASSIGN(filter_, run_.GetFilter(fence_ / kRunGroupBlocks));
    group_ = fence_ / kRunGroupBlocks;
  }
  return KeyFilter::MayContain(filter_->bytes().substr(kFrameHeaderBytes), key.hash);
}

Status IndexRun::Cursor::SeekKey(const HashedKey& key) {
  backward_ = false;
  at_end_ = true;
  if (!run_.IsInRange(key.key)) return Status::Ok();
  OMEN_ASSIGN(const bool may_have, FindFence(key));
  if (!may_have) return Status::Ok();
  if (number_ != fence_) OMEN_TRY(Load(fence_));
  at_ = view_.LowerBound(key.key);
  if (at_ == view_.size()) {
    OMEN_ASSIGN(const Fences* fences, run_.fences());
    if (number_ + 1 == fences->list.size()) return Status::Ok();
    OMEN_TRY(Load(number_ + 1));
    at_ = 0;
  }
  at_end_ = KeyOfEntry(entry()) != key.key;
  return Status::Ok();
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
