// segment_log_reader.h - LogReader over segment files. Use OpenLogReader (log_reader.h).
//
// Thread safety  One caller at a time.
// Cost           One segment is in memory at a time; payloads that lie in one segment are not
// copied.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "wal/format.h"
#include "wal/log_reader.h"

namespace omendb::wal {

class SegmentLogReader : public LogReader {
 public:
  SegmentLogReader(env::Env& env, std::string dir, const ReaderOptions& options,
                   std::vector<uint64_t> starts, uint64_t position)
      : env_(env),
        dir_(std::move(dir)),
        options_(options),
        system_id_(options.system_id),
        starts_(std::move(starts)),
        position_(position),
        skip_begun_(options.skip_begun) {}

  Result<bool> Next(Record* record) override;
  Lsn end() const override { return Lsn(position_); }

 private:
  // One record as it lies in a segment.
  struct Piece {
    RecordHeader header;
    std::string_view payload;
    uint64_t end = 0;
  };
  // A piece, or where the log has nothing valid.
  struct Found {
    std::optional<Piece> piece;
    uint64_t bad_at = 0;
  };

  Result<Found> ReadPiece(uint64_t at);
  // Loads the segment that `at` lies in. False if there is no valid one; `at` may move past a
  // header.
  Result<bool> Enter(uint64_t* at);
  Result<bool> Load(uint64_t start);
  // Decides between the end of the log and damage at `bad_at`.
  Result<bool> EndOrDamage(uint64_t bad_at);
  // The largest LSN known as synced by any valid record behind `lsn`.
  Result<uint64_t> DurableClaimBehind(uint64_t lsn);
  Status DamagedAt(uint64_t lsn, std::string_view what) const;
  std::string PathOf(uint64_t start) const { return env::JoinPath(dir_, SegmentName(start)); }
  Status ReadSegment(uint64_t start, std::string& bytes) const;

  env::Env& env_;  // borrowed
  const std::string dir_;
  const ReaderOptions options_;
  uint64_t system_id_;
  const std::vector<uint64_t> starts_;  // Of all segments, in order.

  uint64_t position_;   // Where the next record begins.
  bool skip_begun_;     // No record was seen yet to begin; see ReaderOptions.
  bool ended_ = false;  // Next has returned false.

  std::optional<SegmentHeader> segment_;  // The loaded one.
  std::string bytes_;                     // Its bytes.
  std::string assembled_;                 // A payload that was cut.
};

}  // namespace omendb::wal
