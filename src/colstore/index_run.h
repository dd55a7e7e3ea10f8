// index_run.h - the entries of one secondary index for the rows of one segment, in a file: sorted,
// in blocks, with a filter over their keys.
//
// A run is made from the segment and the definition of the index, and can be made again from them:
// so it is in no log and no manifest, and what is found under its name is taken only where its
// identity, a hash of both, is that which is asked for.
//
// Format         docs/formats/index_run.md
// Thread safety  IndexRun: any thread, the file never changes. Cursor: one thread at a time.
// Ownership      Owns the file; borrows Env and BlockCache, which must outlive it. A cursor borrows
//                the run.
// Durability     Once WriteIndexRun returned Ok all of the file is on disk under its name; when it
//                fails, the name has what it had, or the whole new file.
// Errors         XX001 naming file, offset and block for damage, which is_damaged() tells from then
//                on; those of env.
// Cost           Opening reads tail and footer. A lookup of a key that is not there is mostly
//                spared by the filter, any other reads one block, or as many as have the key.
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
#include "colstore/key_filter.h"
#include "colstore/lazy.h"
#include "env/env.h"

namespace omendb::colstore {

// Whose entries they are.
struct IndexRunName {
  uint64_t identity = 0;
  uint64_t segment_file_id = 0;
  Oid index;  // by storage
};

// Writes the file in place of what has its name. Requires: the entries are sorted, at least one.
Status WriteIndexRun(env::Env& env, const std::string& path, const IndexRunName& name,
                     std::span<const IndexEntry> entries);

class IndexRun {
 public:
  // XX001 too where the file is another run than `name` says. `cache` may be null.
  static Result<std::shared_ptr<const IndexRun>> Open(env::Env& env, const std::string& path,
                                                      const IndexRunName& name, BlockCache* cache);
  ~IndexRun();
  IndexRun(const IndexRun&) = delete;
  IndexRun& operator=(const IndexRun&) = delete;

  const std::string& path() const { return path_; }
  uint32_t size() const { return size_; }
  uint64_t file_bytes() const { return file_bytes_; }
  std::string_view min_entry() const { return min_entry_; }
  std::string_view max_entry() const { return max_entry_; }
  bool is_damaged() const { return damaged_.load(std::memory_order_relaxed); }

  static uint64_t HashOf(std::string_view key);
  // False: no entry has the key, of this hash. What cannot be read may.
  bool MayHave(std::string_view key, uint64_t hash) const;
  // Appends the rows that have the key, of this hash.
  Status Find(std::string_view key, uint64_t hash, std::vector<RowId>& rows) const;
  // About how many entries lie in [low, high), an empty high having no end: exactly when they lie
  // in one block.
  Result<uint64_t> CountRange(std::string_view low, std::string_view high) const;

  // Reads everything, past the cache: one Status for each thing that is damaged.
  std::vector<Status> Verify() const;
  // What it takes in memory, without cached blocks.
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
    bool at_end() const { return at_end_; }
    // Valid until the next call. Requires: not at the end.
    std::string_view entry() { return entries_->EntryAt(at_); }
    // On in the direction of the last seek.
    Status Next();

   private:
    Status Load(uint32_t block);

    const IndexRun& run_;
    const bool keep_;
    bool backward_ = false;
    bool at_end_ = true;
    uint32_t number_ = UINT32_MAX;  // of the block in hand
    uint32_t at_ = 0;
    std::shared_ptr<const Block> block_;
    EntryBlock view_;
    std::optional<EntryBlock::Cursor> entries_;
  };

 private:
  // Of each block: where it lies and its first entry.
  struct Fence {
    Extent extent;
    uint32_t entries;  // of it
    uint32_t before;   // entries of the blocks before
    uint32_t end;      // of the first entry, in `firsts`
  };
  struct Fences {
    bool Parse(std::string_view content, uint64_t blocks_end);
    std::string_view first(uint32_t block) const {
      const uint32_t begin = block == 0 ? 0 : list[block - 1].end;
      return std::string_view(firsts).substr(begin, list[block].end - begin);
    }
    // The last block that begins at or below the bound; 0 where none does.
    uint32_t Find(std::string_view bound) const;
    std::vector<Fence> list;
    std::string firsts;
  };

  IndexRun(std::string path, BlockCache* cache, std::unique_ptr<env::RandomAccessFile> file);
  Status Load(const IndexRunName& name);
  Status Damage(const Extent& extent, std::string_view what) const;
  Result<AlignedBytes> ReadRaw(const Extent& extent, std::string_view what) const;
  Result<AlignedBytes> ReadFrame(const Extent& extent, std::string_view what) const;
  Result<const Fences*> fences() const;
  Result<const KeyFilter*> filter() const;
  Result<std::shared_ptr<const Block>> GetBlock(uint32_t block, bool keep) const;
  Result<std::shared_ptr<const Block>> ReadBlock(uint32_t block) const;
  // How many entries are below the bound, to the block; exactly when `exactly`.
  Result<uint64_t> CountBelow(std::string_view bound, bool exactly) const;

  const std::string path_;
  BlockCache* const cache_;
  const uint64_t owner_;  // of blocks in the cache
  const std::unique_ptr<env::RandomAccessFile> file_;
  uint64_t identity_ = 0;
  uint64_t file_bytes_ = 0;
  uint32_t size_ = 0;
  Extent filter_at_;
  Extent fences_at_;
  std::string min_entry_;
  std::string max_entry_;
  mutable std::atomic<bool> damaged_{false};
  mutable Mutex load_mu_;
  mutable Lazy<Fences> fences_;
  mutable Lazy<KeyFilter> filter_;
};

}  // namespace omendb::colstore
