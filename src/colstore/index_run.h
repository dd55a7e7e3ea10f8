// index_run.h - the entries of one secondary index for the rows of one segment, or of several, in a
// file: sorted, in blocks, with filters over their keys.
//
// A run is made from segments and the definition of the index, and can be made again from them: so
// it is in no log and no manifest, and what is found under its name is taken only where its
// identity, a hash of both, is that which is asked for. It may have entries of other rows as well.
//
// Format         docs/formats/index_run.md
// Thread safety  IndexRun: any thread, the file never changes. Cursor: one thread at a time.
// Ownership      Owns the file; borrows Env and BlockCache, which must outlive it. A cursor borrows
//                the run.
// Errors         XX001 naming file, offset and block for damage, which is_damaged() tells from then
//                on; those of env.
// Cost           Opening reads tail and footer. A lookup of a key that is not there mostly ends at
//                the filter of 16 blocks, any other reads one block, or as many as have the key.
//                Filters and blocks are in the cache, and nowhere else.
// See            index_run_writer.h for making one
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "base/status.h"
#include "colstore/block_cache.h"
#include "colstore/entry_block.h"
#include "colstore/footer.h"
#include "colstore/lazy.h"
#include "env/env.h"

namespace omendb::colstore {

// A segment of whose rows a run has the entries.
struct RunSegment {
  uint64_t file_id;
  uint32_t footer_crc;
  friend bool operator==(const RunSegment&, const RunSegment&) = default;
};

// Whose entries they are.
struct IndexRunName {
  uint64_t identity = 0;
  Oid index;                         // by storage
  std::vector<RunSegment> segments;  // ascending; at least one
  friend bool operator==(const IndexRunName&, const IndexRunName&) = default;
};

// A key that is looked for.
struct HashedKey {
  std::string_view key;
  uint64_t hash;  // IndexRun::HashOf
};

class IndexRun {
 public:
  // Whatever run it is. `cache` may be null.
  static Result<std::shared_ptr<const IndexRun>> Open(env::Env& env, const std::string& path,
                                                      BlockCache* cache);
  // XX001 too where the file is another run than `name` says.
  static Result<std::shared_ptr<const IndexRun>> Open(env::Env& env, const std::string& path,
                                                      const IndexRunName& name, BlockCache* cache);
  // Stands for a run that cannot be made, as what it would be made from cannot be read: it may have
  // any key, and who reads it gets this error.
  static std::shared_ptr<const IndexRun> Unreadable(IndexRunName name, uint64_t entries,
                                                    Status error);
  ~IndexRun();
  IndexRun(const IndexRun&) = delete;
  IndexRun& operator=(const IndexRun&) = delete;

  const std::string& path() const { return path_; }
  const IndexRunName& name() const { return name_; }
  uint64_t size() const { return size_; }
  uint64_t file_bytes() const { return file_bytes_; }
  // Of the list of blocks, which stays in memory once it is read.
  uint64_t list_bytes() const { return fences_at_.bytes; }
  std::string_view min_entry() const { return min_entry_; }
  std::string_view max_entry() const { return max_entry_; }
  bool is_damaged() const { return damaged_.load(std::memory_order_relaxed); }

  static uint64_t HashOf(std::string_view key);
  // False: no entry has the key. What cannot be read may.
  bool MayHave(const HashedKey& key) const;
  // Appends the rows that have the key.
  Status Find(const HashedKey& key, std::vector<RowId>& rows) const;
  // About how many entries lie in [low, high), an empty high having no end: exactly when they lie
  // in one block.
  Result<uint64_t> CountRange(std::string_view low, std::string_view high) const;

  // Reads everything, past the cache: one Status for each thing that is damaged.
  std::vector<Status> Verify() const;
  // What it takes in memory, without what is cached.
  size_t memory_bytes() const;

  // The entries in order, forward or backward.
  class Cursor {
   public:
    // `keep`: blocks that are read enter the cache.
    explicit Cursor(const IndexRun& run, bool keep = true) : run_(run), keep_(keep) {}
    // To the first entry that is not below the bound.
    Status SeekForward(std::string_view bound);
    // To the last entry that is below; to the last of all where the bound is empty.
    Status SeekBackward(std::string_view bound);
    // To the first entry of this key; at_end() where there is none. Keys that ascend from one call
    // to the next find their filter and block in hand.
    Status SeekKey(const HashedKey& key);
    bool at_end() const { return at_end_; }
    // Valid until the next call. Requires: not at the end.
    std::string_view entry() { return entries_->EntryAt(at_); }
    // On in the direction of the last seek.
    Status Next();

   private:
    friend class IndexRun;
    Status Load(uint32_t block);
    // The block in which the key begins, or behind which, to fence_. False: no entry has it.
    // Requires: it is in the run's range.
    Result<bool> FindFence(const HashedKey& key);

    const IndexRun& run_;
    const bool keep_;
    bool backward_ = false;
    bool at_end_ = true;
    uint32_t number_ = UINT32_MAX;  // of the block in hand
    uint32_t at_ = 0;
    uint32_t fence_ = 0;  // of the last SeekKey
    std::shared_ptr<const Block> block_;
    uint32_t group_ = UINT32_MAX;  // of the filter in hand
    std::shared_ptr<const Block> filter_;
    EntryBlock view_;
    std::optional<EntryBlock::Cursor> entries_;
  };

 private:
  // Of each block: where it lies and its first entry.
  struct Fence {
    uint64_t offset;
    uint64_t before;   // entries of the blocks before
    uint32_t bytes;    // of it
    uint32_t entries;  // of it
    uint32_t end;      // of the first entry, in `firsts`
    Extent extent() const { return {offset, bytes}; }
  };
  struct Fences {
    bool Parse(std::string_view content, uint64_t blocks_end);
    std::string_view first(uint32_t block) const {
      const uint32_t begin = block == 0 ? 0 : list[block - 1].end;
      return std::string_view(firsts).substr(begin, list[block].end - begin);
    }
    bool ParseBlock(ByteReader& in, uint64_t blocks_end, uint64_t* offset);
    // The last block that begins at or below the bound; 0 where none does. `from`: a block at or
    // before it; the nearer, the faster.
    uint32_t Find(std::string_view bound, uint32_t from = 0) const;
    std::vector<Fence> list;
    std::vector<Extent> filters;  // of each group of blocks
    std::string firsts;
  };

  IndexRun(std::string path, BlockCache* cache, std::unique_ptr<env::RandomAccessFile> file);
  Status Load();
  Status Damage(const Extent& extent, std::string_view what) const;
  Result<AlignedBytes> ReadRaw(const Extent& extent, std::string_view what) const;
  Result<AlignedBytes> ReadFrame(const Extent& extent, std::string_view what) const;
  Result<const Fences*> fences() const;
  Result<std::shared_ptr<const Block>> GetBlock(uint32_t block, bool keep) const;
  Result<std::shared_ptr<const Block>> ReadBlock(uint32_t block) const;
  Result<std::shared_ptr<const Block>> GetFilter(uint32_t group) const;
  Result<std::shared_ptr<const Block>> ReadFilter(uint32_t group) const;
  bool IsInRange(std::string_view key) const {
    return KeyOfEntry(min_entry_) <= key && key <= KeyOfEntry(max_entry_);
  }
  // How many entries are below the bound, to the block; exactly when `exactly`.
  Result<uint64_t> CountBelow(std::string_view bound, bool exactly) const;

  const std::string path_;
  BlockCache* const cache_;
  const uint64_t owner_;  // of blocks in the cache
  const std::unique_ptr<env::RandomAccessFile> file_;
  Status unreadable_;  // An error: there is no file.
  IndexRunName name_;
  uint64_t file_bytes_ = 0;
  uint64_t size_ = 0;
  Extent fences_at_;
  std::string min_entry_;
  std::string max_entry_;
  mutable std::atomic<bool> damaged_{false};
  mutable Mutex load_mu_;
  mutable Lazy<Fences> fences_;
};

}  // namespace omendb::colstore
