// segment_writer.h - writes one segment from rows that come sorted by key.
//
// Format         docs/formats/segment.md
// Thread safety  One caller at a time.
// Ownership      Borrows Env, which must outlive it; copies what it is given.
// Durability     Once Finish returned Ok all of the file is on disk under its name. If it fails,
//                the name is not there, or (when only the sync of the folder failed) names a whole
//                file that no manifest knows. What is left of an unfinished segment is `path` +
//                ".tmp", which the destructor removes; after a crash the owner of the folder does.
// Errors         22023 when keys do not ascend or are NULL; 54000 past a limit; those of env. After
//                an error the writer is of no more use.
// Cost           The encoded segment is held in memory until Finish, and 2,048 rows as they came.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/status.h"
#include "colstore/encode.h"
#include "colstore/footer.h"
#include "env/env.h"
#include "types/chunk.h"

namespace omendb::colstore {

struct SegmentOptions {
  uint64_t system_id = 0;  // of the data folder
  uint64_t file_id = 0;    // differs from file to file
  Oid storage;
  std::vector<SegmentColumn> columns;
  // Ascending strictly: no two rows have one key. Empty: rows lie in the order they come, and are
  // found by position only.
  std::vector<SegmentKeyColumn> key;
  uint32_t version = kFormatVersion;  // For tests: an older one.
};

// What the owner of the folder notes of a finished segment.
struct SegmentSummary {
  std::string path;
  uint64_t file_id = 0;
  uint64_t file_bytes = 0;
  uint32_t rows = 0;
  std::string min_key;
  std::string max_key;
  Timestamp min_ts;
  Timestamp max_ts;
};

class SegmentWriter {
 public:
  static Result<std::unique_ptr<SegmentWriter>> Create(env::Env& env, const std::string& path,
                                                       SegmentOptions options);
  ~SegmentWriter();

  // Rows of the chunk from `first` on, whose columns are those of the options. Requires: they fit.
  Status Append(const types::Chunk& chunk, uint32_t first, uint32_t count);
  Status Append(const types::Chunk& chunk) { return Append(chunk, 0, chunk.rows_count); }
  Status AppendRow(std::span<const types::Value> row);
  // Commit timestamps of rows appended: the segment's are the least and the greatest noted.
  void NoteTimestamp(Timestamp ts);

  uint32_t rows() const { return rows_; }
  uint32_t rows_left() const { return kSegmentRowsMax - rows_; }
  // Bytes encoded so far: whoever cuts a run into segments may end one here.
  uint64_t encoded_bytes() const { return encoded_bytes_; }

  // Writes the file and makes it durable. Call once, after at least one row.
  Result<SegmentSummary> Finish();

 private:
  class File;
  // Rows of a block that is being filled, one column.
  struct Pending {
    explicit Pending(const SegmentColumn& segment_column);
    void Append(const types::ColumnView& view, uint32_t first, uint32_t count, uint32_t at);
    void Put(const types::Value& value, uint32_t at);
    ColumnCells cells(uint32_t rows);
    void Clear();

    const SegmentColumn column;
    const types::PhysicalType physical;
    const size_t size;
    std::vector<char> cells_bytes;
    std::vector<uint64_t> validity;
    uint32_t nulls = 0;
    uint64_t string_bytes = 0;
    types::Arena arena;  // strings of the block
  };
  struct Column {
    std::vector<std::string> blocks;
    SymbolHint hint;
    ColumnSection section;
    ColumnFooter footer;
  };

  SegmentWriter(env::Env& env, std::string path, SegmentOptions options);
  Status FlushBlock();
  Status NoteIntegerKeys();
  Status NoteByteKeys();
  Status NoteByteKey(std::string_view key);
  Status KeyError(const char* what) const;
  Result<std::string> BuildKeyIndex() const;
  std::string BuildKeyFilter() const;
  std::string KeyAt(uint32_t row) const;
  std::string_view ByteKeyAt(uint32_t row) const;
  Status WriteAll(File& file);
  Status WriteBlocks(File& file);
  Status WriteColumnSections(File& file);
  // Blocks first, first + 1, ... of a column, as far as there are so many.
  Status WriteBlocks(File& file, Column& column, size_t first, size_t count);

  env::Env& env_;
  const std::string path_;
  const SegmentOptions options_;
  const bool integer_key_;
  BlockEncoder encoder_;
  std::vector<std::unique_ptr<Pending>> pending_;
  std::vector<Column> columns_;
  uint32_t pending_rows_ = 0;
  uint32_t rows_ = 0;
  uint64_t encoded_bytes_ = 0;
  Timestamp min_ts_{UINT64_MAX};
  Timestamp max_ts_{0};
  // The keys of all rows: integers, or bytes one behind the other.
  std::vector<uint64_t> integer_keys_;
  std::string key_bytes_;
  std::vector<uint64_t> key_ends_;
  SegmentFooter footer_;
  bool renamed_ = false;
};

}  // namespace omendb::colstore
