// log_files.h - writes the stream into segment files: the only place where the log's bytes meet a
// disk.
//
// Thread safety  One caller at a time (the flusher).
// Ownership      Owns the open segment; borrows Env and SegmentStore.
// Errors         As env.h. After an error the object must not be used again.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "env/env.h"
#include "wal/segment_store.h"

namespace omendb::wal {

class LogFiles {
 public:
  LogFiles(env::Env& env, SegmentStore& store, uint64_t segment_bytes, bool fsync)
      : env_(env), store_(store), segment_bytes_(segment_bytes), fsync_(fsync) {}

  // Goes on at `position` in the segment [start, end).
  Status Open(uint64_t start, uint64_t end, uint64_t position);
  // Writes the next bytes of the stream. Segments that get full are synced and left.
  Status Write(std::string_view bytes);
  Status Sync();
  Status Close() { return file_->Close(); }

 private:
  env::Env& env_;
  SegmentStore& store_;
  const uint64_t segment_bytes_;
  const bool fsync_;
  std::unique_ptr<env::WritableFile> file_;
  uint64_t start_ = 0;
  uint64_t end_ = 0;
};

// Where a log goes on: the segment, and the position in it.
struct ResumePoint {
  SegmentHeader segment;
  uint64_t position = 0;  // The segment's start if its header must be written first.
};

// Makes the files ready for writing at `end`: removes later segments, wipes what follows `end` in
// its own, makes that segment if it is not there. See "Going on after the end" in the format.
Result<ResumePoint> ResumeLog(env::Env& env, SegmentStore& store, const LogOptions& options,
                              uint64_t end);

}  // namespace omendb::wal
