#include "wal/log_buffer.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/crc32c.h"

namespace omendb::wal {

LogBuffer::LogBuffer(const SegmentHeader& segment, uint64_t position, uint64_t segment_bytes)
    : segment_(segment), segment_bytes_(segment_bytes), begin_(position) {
  OMEN_CHECK(position >= segment.start && position <= segment.end());
  OMEN_CHECK(position % kRecordAlign == 0);
}

uint64_t LogBuffer::Append(RecordKind kind, std::string_view payload, uint32_t payload_crc,
                           uint64_t durable) {
  BeginRecord();
  if (PaddedRecordBytes(payload.size()) <= room()) {
    PutPiece({.payload_bytes = static_cast<uint32_t>(payload.size()),
              .lsn = position(),
              .durable = durable,
              .kind = kind,
              .part = Part::kWhole},
             payload, payload_crc);
  } else {
    PutPieces(kind, payload, durable);
  }
  return position();
}

// Moves to where a record may begin, writing segment headers on the way.
void LogBuffer::BeginRecord() {
  if (room() < kRecordBytesMin) {
    bytes_.append(room(), '\0');
    segment_.start = segment_.end();
    segment_.segment_bytes = segment_bytes_;
  }
  if (position() == segment_.start) bytes_.append(EncodeSegmentHeader(segment_));
}

void LogBuffer::PutPieces(RecordKind kind, std::string_view payload, uint64_t durable) {
  bool first = true;
  bool last = false;
  while (!last) {
    BeginRecord();
    last = PaddedRecordBytes(payload.size()) <= room();
    const std::string_view piece = last ? payload : payload.substr(0, room() - kRecordHeaderBytes);
    const Part part = first ? Part::kFirst : last ? Part::kLast : Part::kMiddle;
    PutPiece({.payload_bytes = static_cast<uint32_t>(piece.size()),
              .lsn = position(),
              .durable = durable,
              .kind = kind,
              .part = part},
             piece, Crc32c(piece));
    payload.remove_prefix(piece.size());
    first = false;
  }
}

void LogBuffer::PutPiece(RecordHeader header, std::string_view payload, uint32_t payload_crc) {
  char encoded[kRecordHeaderBytes];
  EncodeRecordHeader(header, segment_.system_id, payload_crc, encoded);
  bytes_.append(encoded, sizeof(encoded)).append(payload);
  const uint64_t padding = PaddedRecordBytes(payload.size()) - kRecordHeaderBytes - payload.size();
  bytes_.append(padding, '\0');
}

void LogBuffer::Take(std::string& reuse) {
  begin_ += bytes_.size();
  reuse.clear();
  std::swap(bytes_, reuse);
}

uint64_t LogBuffer::EndBound(uint64_t payload_bytes) const {
  // Each segment touched costs at most its header, a record header, padding and an unused end.
  constexpr uint64_t kPerSegment = kSegmentHeaderBytes + kRecordBytesMin * 2;
  const uint64_t segments = payload_bytes / (segment_bytes_ - kPerSegment) + 2;
  return position() + payload_bytes + segments * kPerSegment;
}

}  // namespace omendb::wal
