// segment_reader.h - one segment file: blocks, zones, lookups by key, single rows.
//
// Format         docs/formats/segment.md
// Thread safety  Any thread: the file never changes, and what is loaded late is published once.
// Ownership      Owns the file; borrows Env and BlockCache, which must outlive it. Blocks are
//                shared with whoever reads them.
// Errors         XX001 naming file, offset, column and block for damage, which leaves all other
//                blocks readable; those of env.
// Cost           Opening reads header, tail and footer. A lookup reads at most two key blocks, then
//                one block for each column asked for; blocks come from the cache where it has them.
//                The first lookup reads with one call what it and later ones need to know of the
//                file, at most 128 KB, which is kept.
// Lock order     sections_mu_ comes before load_mu_; both are held while a section is read.
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
#include "colstore/column_directory.h"
#include "colstore/footer.h"
#include "colstore/key_filter.h"
#include "colstore/key_index.h"
#include "colstore/lazy.h"
#include "env/env.h"

namespace omendb::colstore {

class KeyCursor;

struct ReaderOptions {
  uint64_t system_id = 0;       // 0 = any
  BlockCache* cache = nullptr;  // null: every read goes to the file
};

class SegmentReader {
 public:
  static Result<std::shared_ptr<const SegmentReader>> Open(env::Env& env, const std::string& path,
                                                           const ReaderOptions& options);
  ~SegmentReader();

  const std::string& path() const { return path_; }
  uint64_t file_id() const { return header_.file_id; }
  uint64_t file_bytes() const { return tail_.file_bytes; }
  uint32_t footer_crc() const { return tail_.footer_crc; }
  const SegmentFooter& footer() const { return footer_; }
  uint32_t rows() const { return footer_.rows; }
  // Position of the column; nullopt when the segment is older than it.
  std::optional<uint32_t> FindColumn(ColumnId id) const;

  // ---- Blocks ----------------------------------------------------------------------------------
  // From the cache or else from the file.
  Result<std::shared_ptr<const Block>> GetBlock(uint32_t column, uint32_t block) const;
  std::shared_ptr<const Block> FindCached(uint32_t column, uint32_t block) const;
  // Blocks first, first + 1, ...: null where the cache has none.
  void FindCached(uint32_t column, uint32_t first,
                  std::span<std::shared_ptr<const Block>> found) const;
  bool IsCached(uint32_t column, uint32_t block) const;
  Result<std::shared_ptr<const Block>> ReadBlock(uint32_t column, uint32_t block) const;
  // Reads those of blocks first, first + 1, ... that are null and that the cache lacks, neighbours
  // with one call, into both. Damage is left to GetBlock to tell. Returns how many were read.
  Result<uint32_t> Prefetch(uint32_t column, uint32_t first,
                            std::span<std::shared_ptr<const Block>> blocks) const;
  // What a lookup by key needs of these rows, into the cache with one read, where the columns'
  // blocks lie in groups. Damage is left to GetBlock to tell.
  Status PrefetchForKey(uint32_t block) const;
  // Zones and places of the blocks; loaded at its first use, then kept.
  Result<const ColumnDirectory*> directory(uint32_t column) const;
  // Read anew with each call.
  Result<DistinctSketch> sketch(uint32_t column) const;
  // Those of all columns, with one read where what lookups by key need to know lies beside them,
  // which is then kept: who has read the sketches has made ready for lookups.
  std::vector<Result<DistinctSketch>> ReadSketches() const;

  // ---- Keys: as docs/formats/segment.md, "Keys and hashes" -------------------------------------
  // The row with the key; nullopt when there is none. The one for integers serves segments whose
  // footer has_integer_key(), the other all others.
  struct FindOptions {
    // One of this reader: spares who looks for many keys in their order most of the way to the
    // blocks.
    KeyCursor* cursor = nullptr;
    // The key is here if it is anywhere: the filter, which is most of what is known of a segment,
    // is not read for it before a key was looked for in vain.
    bool is_expected = false;
  };
  Result<std::optional<uint32_t>> Find(uint64_t key, const FindOptions& options) const;
  Result<std::optional<uint32_t>> Find(uint64_t key) const { return Find(key, {}); }
  Result<std::optional<uint32_t>> Find(std::string_view key, const FindOptions& options) const;
  Result<std::optional<uint32_t>> Find(std::string_view key) const { return Find(key, {}); }
  // The first row whose key is not below; rows() when there is none.
  Result<uint32_t> LowerBound(uint64_t key) const;
  Result<uint32_t> LowerBound(std::string_view key) const;

  // ---- Rows ------------------------------------------------------------------------------------
  // Values of one row; strings are copied to the arena. Requires: row < rows().
  Status ReadRow(uint32_t row, std::span<const uint32_t> columns, types::Arena& arena,
                 types::Value* out) const;

  // Reads everything, past the cache: one Status for each thing that is damaged.
  std::vector<Status> Verify() const;
  // What it takes in memory, without cached blocks.
  size_t memory_bytes() const;

 private:
  SegmentReader(std::string path, const ReaderOptions& options,
                std::unique_ptr<env::RandomAccessFile> file);
  Status Load(uint64_t file_bytes, uint64_t system_id);
  Status CheckExtents() const;
  Result<AlignedBytes> ReadFrame(const Extent& extent, std::string_view what) const;
  Result<AlignedBytes> ReadRaw(const Extent& extent, std::string_view what) const;
  Status CheckFrame(const Extent& extent, std::string_view bytes, std::string_view what) const;
  // ---- Sections: segment_sections.cc ---------------------------------------------------------
  struct Section {
    enum Kind : uint8_t { kDirectory, kKeyIndex, kKeyFilter };
    Kind kind = kDirectory;
    uint32_t column = 0;  // of a directory
  };
  Extent ExtentOf(const Section& section) const;
  bool IsLoaded(const Section& section) const;
  // What lookups need to know, with one read at the first call; the rest, and what is damaged, is
  // left to who asks for it.
  void LoadForLookups() const;
  // What is worth reading together, and where all of it lies.
  std::vector<Section> SectionsForLookups(Extent* all) const;
  void LoadTogether(const std::vector<Section>& sections, const Extent& all) const;
  // Loads it from its bytes in the file, unless it is loaded.
  void Keep(const Section& section, std::string_view frame) const;
  Result<std::string_view> ContentOf(const Extent& extent, std::string_view frame,
                                     std::string_view what) const;
  Result<ColumnDirectory> ParseDirectory(uint32_t column, std::string_view frame,
                                         DistinctSketch* sketch = nullptr) const;
  // Keeps the directory of the frame.
  Result<DistinctSketch> KeepWithSketch(uint32_t column, std::string_view frame) const;
  Result<KeyIndex> ParseKeyIndex(std::string_view frame) const;
  Result<KeyFilter> ParseKeyFilter(std::string_view frame) const;
  Result<std::shared_ptr<const Block>> MakeBlock(uint32_t column, uint32_t block,
                                                 const Extent& extent, AlignedBytes bytes) const;
  std::shared_ptr<const Block> MakeBlockOf(std::string_view bytes, uint64_t begin, uint32_t column,
                                           uint32_t block, const Extent& extent) const;
  Result<uint32_t> PrefetchRun(uint32_t column, uint32_t first,
                               std::span<std::shared_ptr<const Block>> blocks) const;
  Result<const KeyIndex*> key_index() const;
  Result<const KeyFilter*> key_filter() const;
  Result<bool> MayHave(uint64_t hash, bool is_expected) const;
  // The filter lets the key through.
  Result<std::optional<uint32_t>> FindThere(uint64_t key, KeyCursor& cursor) const;
  Result<std::optional<uint32_t>> FindThere(std::string_view key, KeyCursor& cursor) const;
  // The same; that there is none is remembered.
  Result<std::optional<uint32_t>> Noted(Result<std::optional<uint32_t>> found) const;
  Status Damage(const Extent& extent, std::string_view what) const;
  std::string BlockName(uint32_t column, uint32_t block) const;
  std::string DirectoryName(uint32_t column) const;

  const std::string path_;
  BlockCache* const cache_;
  const uint64_t owner_;  // of blocks in the cache
  const std::unique_ptr<env::RandomAccessFile> file_;
  SegmentHeader header_;
  SegmentTail tail_;
  SegmentFooter footer_;
  std::vector<uint32_t> grouped_;  // columns
  mutable Mutex sections_mu_;
  mutable std::atomic<bool> sections_read_{false};  // by LoadForLookups
  mutable std::atomic<bool> was_missed_{false};     // A key was looked for in vain.
  mutable Mutex load_mu_;
  mutable std::vector<Lazy<ColumnDirectory>> directories_;
  mutable Lazy<KeyIndex> key_index_;
  mutable Lazy<KeyFilter> key_filter_;
};

}  // namespace omendb::colstore
