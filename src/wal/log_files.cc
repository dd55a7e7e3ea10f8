#include "wal/log_files.h"

#include <algorithm>

#include "base/check.h"
#include "base/sqlstate.h"

namespace omendb::wal {
namespace {

// Only bulk loads write so much between two syncs; their syncs then find less left to do.
constexpr uint64_t kWriteBehindBytes = 2 << 20;

}  // namespace

Status LogFiles::Open(uint64_t start, uint64_t end, uint64_t position) {
  OMEN_CHECK(start <= position && position <= end);
  OMEN_ASSIGN(
      file_, env_.NewWritableFile(store_.PathOf(start), {.mode = env::OpenMode::kExisting,
                                                         .offset = position - start,
                                                         .write_behind_bytes = kWriteBehindBytes}));
  start_ = start;
  end_ = end;
  return Status::Ok();
}

Status LogFiles::Write(std::string_view bytes) {
  while (!bytes.empty()) {
    const uint64_t room = end_ - (start_ + file_->position());
    if (room == 0) {
      OMEN_TRY(Sync());
      OMEN_TRY(file_->Close());
      OMEN_TRY(Open(end_, end_ + segment_bytes_, end_));
      continue;
    }
    const size_t size = std::min<uint64_t>(room, bytes.size());
    OMEN_TRY(file_->Append(bytes.substr(0, size)));
    bytes.remove_prefix(size);
  }
  return Status::Ok();
}

Status LogFiles::Sync() { return fsync_ ? file_->Sync() : Status::Ok(); }

namespace {

// The segment's header, or nothing if it is not yet written.
Result<std::optional<SegmentHeader>> ReadHeader(env::Env& env, const std::string& path,
                                                uint64_t start, uint64_t system_id) {
  OMEN_ASSIGN(auto file, env.NewRandomAccessFile(path));
  std::string bytes(kSegmentHeaderBytes, '\0');
  OMEN_ASSIGN(const size_t got, file->Read(0, bytes));
  bytes.resize(got);
  const std::optional<SegmentHeader> header = DecodeSegmentHeader(bytes);
  if (!header.has_value() || header->start != start) return std::optional<SegmentHeader>();
  if (header->system_id != system_id) {
    return env::DamagedFile(path, 16, "the log segment belongs to another data folder");
  }
  return header;
}

// Zeros from `offset` to the last byte that is not zero, so that nothing stale is left.
Status WipeFrom(env::Env& env, const std::string& path, uint64_t offset, uint64_t segment_bytes) {
  OMEN_ASSIGN(auto reader, env.NewRandomAccessFile(path));
  std::string tail(segment_bytes - offset, '\0');
  OMEN_ASSIGN(const size_t got, reader->Read(offset, tail));
  const size_t last = std::string_view(tail).substr(0, got).find_last_not_of('\0');
  const size_t wipe = last == std::string_view::npos ? 0 : last + 1;
  OMEN_ASSIGN(auto file,
              env.NewWritableFile(path, {.mode = env::OpenMode::kExisting, .offset = offset}));
  OMEN_TRY(file->Preallocate(segment_bytes));
  OMEN_TRY(file->Append(std::string(wipe, '\0')));
  // Also when nothing was wiped, for the reason given at SyncSegment.
  OMEN_TRY(file->Sync());
  return file->Close();
}

// A log killed between writing and syncing has bytes that only the system's memory holds; the new
// writer builds on them as durable.
Status SyncSegment(env::Env& env, const std::string& path) {
  OMEN_ASSIGN(auto file, env.NewWritableFile(path, {.mode = env::OpenMode::kExisting}));
  OMEN_TRY(file->Sync());
  return file->Close();
}

}  // namespace

Result<ResumePoint> ResumeLog(env::Env& env, SegmentStore& store, const LogOptions& options,
                              uint64_t end) {
  const std::vector<uint64_t> starts = store.Starts();
  const auto after = std::upper_bound(starts.begin(), starts.end(), end);
  ResumePoint resume{{.system_id = options.system_id,
                      .start = starts.empty() ? 0 : end,
                      .segment_bytes = options.segment_bytes},
                     end};
  if (after != starts.begin()) {
    const uint64_t start = *std::prev(after);
    const std::string path = store.PathOf(start);
    OMEN_ASSIGN(const auto header, ReadHeader(env, path, start, options.system_id));
    OMEN_TRY(store.RemoveAfter(start));
    if (header.has_value() && end > start && end < header->end()) {
      OMEN_TRY(WipeFrom(env, path, end - start, header->segment_bytes));
      resume.segment = *header;
      return resume;
    }
    const bool full = header.has_value() && end == header->end();
    if (!full && end != start && end != start + kSegmentHeaderBytes) {
      return env::DamagedFile(path, 0, "invalid log segment header");
    }
    resume.segment.start = full ? end : start;
    if (full) {
      OMEN_TRY(SyncSegment(env, path));
    } else if (std::prev(after) != starts.begin()) {
      OMEN_TRY(SyncSegment(env, store.PathOf(*std::prev(after, 2))));
    }
  } else if (!starts.empty() || end != kSegmentHeaderBytes) {
    return env::DamagedFile(store.PathOf(end), 0, "the log segment is missing");
  }
  resume.position = resume.segment.start;
  OMEN_TRY(store.Prepare(resume.segment.start, Fill::kReserve));
  return resume;
}

}  // namespace omendb::wal
