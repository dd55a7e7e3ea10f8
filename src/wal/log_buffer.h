// log_buffer.h - lays records out in the stream: headers, cutting at segment ends, padding. Holds
// the bytes that no one has taken to write yet. Pure: knows no file.
//
// Thread safety  One caller at a time (the log's mutex).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "wal/format.h"

namespace omendb::wal {

class LogBuffer {
 public:
  // `segment` is the one that `position` lies in (at its start if its header is not yet written);
  // those after it have `segment_bytes`.
  LogBuffer(const SegmentHeader& segment, uint64_t position, uint64_t segment_bytes);

  // Lays out one record and returns the LSN behind it. `payload_crc` is Crc32c(payload).
  uint64_t Append(RecordKind kind, std::string_view payload, uint32_t payload_crc,
                  uint64_t durable);

  // Takes the bytes from taken_to() to position(); `reuse` becomes the next buffer.
  void Take(std::string& reuse);

  // No less than what Append of so many bytes would return.
  uint64_t EndBound(uint64_t payload_bytes) const;
  uint64_t position() const { return begin_ + bytes_.size(); }
  uint64_t taken_to() const { return begin_; }
  uint64_t size() const { return bytes_.size(); }
  // End of the segment that position() lies in.
  uint64_t segment_end() const { return segment_.end(); }

 private:
  uint64_t room() const { return segment_.end() - position(); }
  void BeginRecord();
  void PutPiece(RecordHeader header, std::string_view payload, uint32_t payload_crc);
  void PutPieces(RecordKind kind, std::string_view payload, uint64_t durable);

  SegmentHeader segment_;
  const uint64_t segment_bytes_;
  std::string bytes_;
  uint64_t begin_;  // LSN of bytes_[0].
};

}  // namespace omendb::wal
