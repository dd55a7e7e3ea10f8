// record_file.h - a file of checksummed records, written once from start to end: checkpoints and
// manifests.
//
// Format         docs/formats/record_file.md
// Thread safety  One caller at a time.
// Ownership      Writer and reader own their file and borrow Env, which must outlive them.
// Durability     Nothing counts until Finish returned Ok: it writes the footer and syncs file and
//                directory. A file without a valid footer is damaged or was never finished.
// Errors         As env.h; XX001 naming file and offset for any damage (bit flips, truncation,
//                blocks lost, swapped or repeated, trailing bytes).
// Cost           A record costs a copy and its share of a CRC-32C; blocks are written whole.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/status.h"
#include "env/env.h"

namespace omendb::env {

// What the file holds, fixed by its writer and asked for by its reader. On disk: do not renumber.
enum class RecordFileKind : uint16_t {
  kManifest = 1,
  kCheckpoint = 2,
  kTest = 100,
};

struct RecordFileOptions {
  RecordFileKind kind = RecordFileKind::kTest;
  // The data folder this file belongs to; a reader refuses another's. 0 = any.
  uint64_t system_id = 0;
  // A block is written when it holds at least so many bytes. 256 KiB amortises the system call and
  // still fits the second-level cache.
  uint32_t block_bytes = 256 * 1024;
};

class RecordFileWriter {
 public:
  static constexpr uint64_t kRecordBytesMax = 1ULL << 30;

  // Creates `path`, replacing what is there.
  static Result<std::unique_ptr<RecordFileWriter>> Create(Env& env, const std::string& path,
                                                          const RecordFileOptions& options);
  ~RecordFileWriter();

  // Adds one record. 54000 past kRecordBytesMax.
  Status Append(std::string_view record);
  // Footer, sync, close, sync of the directory. Call once; no Append after it.
  Status Finish();

  uint64_t record_count() const;
  // Bytes handed to the file so far, without the block being filled.
  uint64_t bytes_written() const;

 private:
  class Impl;
  explicit RecordFileWriter(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

class RecordFileReader {
 public:
  // Reads header and footer: a truncated file is found here.
  static Result<std::unique_ptr<RecordFileReader>> Open(Env& env, const std::string& path,
                                                        const RecordFileOptions& options);
  ~RecordFileReader();

  // True and the next record, valid until the next call; false after the last one (all counts of
  // the footer have then been checked).
  Result<bool> Next(std::string_view* record);

  // From the footer.
  uint64_t record_count() const;

 private:
  class Impl;
  explicit RecordFileReader(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace omendb::env
