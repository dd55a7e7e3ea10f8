#include "wal/segment_log_reader.h"

#include <algorithm>

#include "base/newer_format.h"
#include "base/sqlstate.h"
#include "wal/segment_store.h"

namespace omendb::wal {
namespace {

// The largest durable LSN claimed by the valid records in `bytes` from `offset` on.
uint64_t DurableClaim(std::string_view bytes, uint64_t start, uint64_t offset, uint64_t system_id) {
  uint64_t claim = 0;
  while (offset + kRecordBytesMin <= bytes.size()) {
    const auto record = DecodeRecord(bytes.substr(offset), start + offset, system_id);
    if (!record.has_value()) {
      offset += kRecordAlign;
      continue;
    }
    claim = std::max(claim, record->durable);
    offset += PaddedRecordBytes(record->payload_bytes);
  }
  return claim;
}

bool Continues(Part part) { return part == Part::kMiddle || part == Part::kLast; }

}  // namespace

Result<bool> SegmentLogReader::Next(Record* record) {
  if (ended_) return false;
  uint64_t at = position_;
  bool first = true;
  assembled_.clear();
  while (true) {
    OMEN_ASSIGN(const Found found, ReadPiece(at));
    if (!found.piece.has_value()) return EndOrDamage(found.bad_at);
    const Piece& piece = *found.piece;
    if (piece.end > options_.limit.value()) {
      ended_ = true;
      return false;
    }
    if (first && Continues(piece.header.part) && skip_begun_) {
      position_ = at = piece.end;
      continue;
    }
    skip_begun_ = false;
    if (Continues(piece.header.part) == first || (!first && piece.header.kind != record->kind)) {
      return DamagedAt(piece.header.lsn, "a part of a record out of order");
    }
    record->kind = piece.header.kind;
    record->payload = piece.payload;
    at = piece.end;
    if (piece.header.part != Part::kWhole) assembled_.append(piece.payload);
    if (piece.header.part == Part::kWhole || piece.header.part == Part::kLast) break;
    first = false;
  }
  if (!assembled_.empty()) record->payload = assembled_;
  record->begin = Lsn(position_);
  record->end = Lsn(at);
  position_ = at;
  return true;
}

Result<SegmentLogReader::Found> SegmentLogReader::ReadPiece(uint64_t at) {
  OMEN_ASSIGN(const bool entered, Enter(&at));
  if (!entered) return Found{{}, at};
  const uint64_t offset = at - segment_->start;
  if (offset > bytes_.size()) return Found{{}, at};
  const std::string_view rest = std::string_view(bytes_).substr(offset);
  const auto header = DecodeRecord(rest, at, system_id_);
  if (!header.has_value()) return Found{{}, at};
  return Found{Piece{*header, rest.substr(kRecordHeaderBytes, header->payload_bytes),
                     at + PaddedRecordBytes(header->payload_bytes)},
               0};
}

Result<bool> SegmentLogReader::Enter(uint64_t* at) {
  if (segment_.has_value() && *at <= segment_->end() && *at + kRecordBytesMin > segment_->end()) {
    *at = segment_->end();
  }
  if (!segment_.has_value() || *at < segment_->start || *at >= segment_->end()) {
    // The segment is the last one that starts at or before the position.
    const auto after = std::upper_bound(starts_.begin(), starts_.end(), *at);
    const uint64_t start = after == starts_.begin() ? *at : *std::prev(after);
    if (segment_.has_value() && start != *at) return false;  // The next segment is not there.
    OMEN_ASSIGN(const bool loaded, Load(start));
    if (!loaded) {
      // Reading begins behind what was durable, so the header had been, too.
      if (*at > start + kSegmentHeaderBytes) {
        return DamagedAt(start, "invalid log segment header");
      }
      *at = start;
      return false;
    }
    if (*at > segment_->end()) return DamagedAt(*at, "the log segment is missing");
    if (*at + kRecordBytesMin > segment_->end()) return Enter(at);
  }
  if (*at == segment_->start) *at += kSegmentHeaderBytes;
  return true;
}

Result<bool> SegmentLogReader::Load(uint64_t start) {
  segment_.reset();
  if (!std::binary_search(starts_.begin(), starts_.end(), start)) return false;
  OMEN_TRY(ReadSegment(start, bytes_));
  const auto header = DecodeSegmentHeader(bytes_);
  if (!header.has_value() || header->start != start) return false;
  if (system_id_ == 0) system_id_ = header->system_id;
  if (header->version > kFormatVersion) {
    return WrittenByNewer("\"" + PathOf(start) + "\"", "format version", header->version);
  }
  if (header->version != kFormatVersion) return DamagedAt(start, "unknown log format version");
  if (header->system_id != system_id_) {
    return DamagedAt(start, "the log segment belongs to another data folder");
  }
  if (bytes_.size() > header->segment_bytes) bytes_.resize(header->segment_bytes);
  segment_ = header;
  return true;
}

Status SegmentLogReader::ReadSegment(uint64_t start, std::string& bytes) const {
  const std::string path = PathOf(start);
  OMEN_ASSIGN(const uint64_t size, env_.FileSize(path));
  OMEN_ASSIGN(auto file, env_.NewRandomAccessFile(path));
  bytes.resize(size);
  OMEN_ASSIGN(const size_t got, file->Read(0, bytes));
  bytes.resize(got);
  return Status::Ok();
}

Result<bool> SegmentLogReader::EndOrDamage(uint64_t bad_at) {
  // Within a limit the end is the caller's business: it knows that the log goes at least that far.
  if (options_.limit.value() != UINT64_MAX) {
    if (bad_at < options_.limit.value()) return DamagedAt(bad_at, "invalid log record");
    ended_ = true;
    return false;
  }
  if (options_.must_reach.value() > position_) {
    return DamagedAt(bad_at, "the log ends before position " +
                                 std::to_string(options_.must_reach.value()) +
                                 ", which it is known to have reached");
  }
  OMEN_ASSIGN(const uint64_t claim, DurableClaimBehind(bad_at));
  if (claim > bad_at) {
    const bool missing = !std::binary_search(starts_.begin(), starts_.end(), bad_at) &&
                         segment_.has_value() && bad_at == segment_->end();
    return DamagedAt(bad_at, missing ? "the log segment is missing although later ones are there"
                                     : "invalid log record although later ones are valid");
  }
  ended_ = true;
  return false;
}

Result<uint64_t> SegmentLogReader::DurableClaimBehind(uint64_t lsn) {
  uint64_t claim = 0;
  const auto after = std::upper_bound(starts_.begin(), starts_.end(), lsn);
  auto it = after == starts_.begin() ? after : std::prev(after);
  std::string bytes;
  for (; it != starts_.end(); ++it) {
    OMEN_TRY(ReadSegment(*it, bytes));
    const uint64_t from = lsn > *it ? lsn - *it : kSegmentHeaderBytes;
    claim = std::max(claim, DurableClaim(bytes, *it, from, system_id_));
  }
  return claim;
}

Status SegmentLogReader::DamagedAt(uint64_t lsn, std::string_view what) const {
  // The segment is the one that would hold the position: the last that starts at or before it,
  // unless it lies past the end of that one.
  const auto after = std::upper_bound(starts_.begin(), starts_.end(), lsn);
  uint64_t start = after == starts_.begin() ? lsn : *std::prev(after);
  if (segment_.has_value() && lsn >= segment_->end()) start = lsn;
  return env::DamagedFile(PathOf(start), lsn - start, what);
}

Result<std::unique_ptr<LogReader>> OpenLogReader(env::Env& env, const std::string& dir, Lsn start,
                                                 const ReaderOptions& options) {
  OMEN_ASSIGN(std::vector<uint64_t> starts, ListSegments(env, dir));
  const bool there = !starts.empty() && starts.front() <= start.value();
  if (!there && (start != FirstLsn() || !starts.empty())) {
    return Status(sqlstate::kDataCorrupted, "the log in \"" + dir +
                                                "\" is damaged: no segment holds position " +
                                                std::to_string(start.value()))
        .WithDetail(starts.empty()
                        ? "There is no segment at all."
                        : "The oldest segment is \"" + SegmentName(starts.front()) + "\".");
  }
  if (start.value() % kRecordAlign != 0) {
    return Status(sqlstate::kDataCorrupted,
                  "no log record begins at position " + std::to_string(start.value()));
  }
  return std::unique_ptr<LogReader>(
      std::make_unique<SegmentLogReader>(env, dir, options, std::move(starts), start.value()));
}

}  // namespace omendb::wal
